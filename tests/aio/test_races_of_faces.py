"""Both faces at once on the same objects: tasks on two loops, each in a thread of its own, beside blocking threads.

Each work is one body, an ``async def``; what is blocking is the same, made plain.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from tests.aio.models import Models
from tests.aio.test_cancellation import check_indexes
from tests.tools.backends import Backend
from tests.tools.colour import blocking
from uowredis import CommitError, DoesNotExist, InstanceHashField, UniquenessError, aio
from uowredis.contrib.related import CASCADE, FKStringField, M2MSetField, RelatedModel

#: Tasks on each of the loops, blocking threads, and how often each does its work.
TASKS, THREADS, TIMES = 4, 2, 12
#: How many do it at all.
WORKERS = 2 * TASKS + THREADS


@attrs.frozen
class Faces:
    """The models of both faces on one server; the two loops share the database, and so the models."""

    server: Backend
    awaited: Models
    plain: Models

    def at_once(self, work: Callable[..., Any], *args: Any) -> list[Any]:
        """Have *work*, a coroutine function, done by all; return what each gave, or raised.

        It is given the models, a chance of its own, and *args*.
        """
        begin = threading.Barrier(2 + THREADS)

        async def tasks(loop: int) -> list[Any]:
            async with self.awaited.database:
                chances = [random.Random(loop * TASKS + number) for number in range(TASKS)]
                begin.wait(30)
                works = (work(self.awaited, chance, *args) for chance in chances)
                return await asyncio.gather(*works, return_exceptions=True)

        def thread(number: int) -> list[Any]:
            begin.wait(30)
            try:
                return [blocking(work)(self.plain, random.Random(100 + number), *args)]
            except Exception as error:
                return [error]

        with ThreadPoolExecutor(2 + THREADS) as pool:
            running = [pool.submit(asyncio.run, tasks(loop)) for loop in range(2)]
            running += [pool.submit(thread, number) for number in range(THREADS)]
            return [each for done in running for each in done.result(120)]


@pytest.fixture
def faces(server: Backend) -> Any:
    """Both faces on each kind of server, empty."""
    plain = Models.blocking(server)
    yield Faces(server, Models.on(server), plain)
    assert plain.database.session is None
    plain.database.close()


async def count(on: Models, chance: random.Random, pk: str) -> int:
    """Read, add one and write, as if INCR did not exist; return how often it was tried."""
    person, calls = await on.Person.get(pk), 0

    async def once(_: Any) -> None:
        nonlocal calls
        calls += 1
        person.hits.set(int(await person.hits.get() or 0) + 1)

    for _ in range(TIMES):
        await on.database.run(once, retry_for=60)
    return calls


def test_a_counter_with_an_index_is_exact(faces: Faces) -> None:
    """No increment is lost; the index holds the last value and no other."""
    pk = faces.plain.Person(name="ann").pk.get()
    calls = faces.at_once(count, pk)
    total, client = WORKERS * TIMES, faces.server.client(decode_responses=True)
    assert str(total) == client.get(f":person:{pk}:hits")
    assert [f":person:hits:{total}"] == client.keys(":person:hits:*")
    assert {pk} == client.smembers(f":person:hits:{total}")
    # Else nobody was ever in the way, and nothing was shown.
    assert sum(calls) > total or not faces.server.real


def kind_of(held: int) -> str:
    """Return the city of whoever holds so much."""
    return "poor" if held < 95 else "rich"


async def transfer(on: Models, chance: random.Random, pks: list[str]) -> dict[str, int]:
    """Move some of what one holds to another, so often; return by how much each has changed."""
    moved = dict.fromkeys(pks, 0)

    async def once(_: Any) -> tuple[str, str, int]:
        giver, taker = [await on.Person.get(pk) for pk in chance.sample(pks, 2)]
        left, there = int(await giver.visits.get()), int(await taker.visits.get())
        much = min(left, chance.randrange(1, 30))
        for person, holds in ((giver, left - much), (taker, there + much)):
            person.visits.set(holds)
            person.city.hset(kind_of(holds))
        return await giver.pk.get(), await taker.pk.get(), much

    for _ in range(TIMES):
        giver, taker, much = await on.database.run(once, retry_for=60)
        moved[giver] -= much
        moved[taker] += much
    return moved


def test_what_is_moved_is_neither_made_nor_lost(faces: Faces) -> None:
    """Each transfer is applied once, whoever makes it, and everybody stands in the index of his kind alone."""
    pks = [faces.plain.Person(name=f"n{at}", visits=100, city="rich").pk.get() for at in range(6)]
    moved = faces.at_once(transfer, pks)
    client = faces.server.client(decode_responses=True)
    assert {pk: 100 + sum(each[pk] for each in moved) for pk in pks} == {
        pk: int(client.get(f":person:{pk}:visits")) for pk in pks
    }
    assert {pk: kind_of(int(client.get(f":person:{pk}:visits"))) for pk in pks} == {
        pk: client.hget(f":person:{pk}:hash", "city") for pk in pks
    }
    check_indexes(faces.plain)


async def claim(on: Models, chance: random.Random, turn: int) -> str:
    """Make somebody of a name, or give somebody that name."""
    name = f"name {turn}"
    if chance.random() < 0.5:
        return await (await on.Person.create(name=name, city="x")).pk.get()
    person = await on.Person.create(city="y")
    await person.name.hset(name)
    return await person.pk.get()


def test_a_unique_value_goes_to_one(faces: Faces) -> None:
    """Whichever face and loop it is on; all others are told."""
    client = faces.server.client(decode_responses=True)
    for turn in range(3):
        found = faces.at_once(claim, turn)
        winners = [each for each in found if isinstance(each, str)]
        assert {UniquenessError} == {type(each) for each in found if not isinstance(each, str)}
        assert 1 == len(winners)
        assert set(winners) == client.smembers(f":person:name:name {turn}")
        check_indexes(faces.plain)


def checked(on: Models) -> Models:
    """Return the models with groups that only refer to who is there."""

    class Team(aio.RelatedModel if on.is_awaited else RelatedModel):  # type: ignore[misc]
        database = on.database
        owner = FKStringField("Person", "owned", on_delete=CASCADE, check=True)
        members = M2MSetField("Person", "teams", check=True)
        title = InstanceHashField(indexable=True)

    return attrs.evolve(on, Group=Team)


async def gather_and_part(on: Models, chance: random.Random, people: list[str], teams: list[str]) -> None:
    """Make teams, give them other owners and members, and delete people; what is refused is left."""
    for _ in range(TIMES):
        person, other = chance.choice(people), chance.choice(people)
        try:
            found = await on.Group.get(chance.choice(teams))
            match chance.randrange(6):
                case 0:
                    await (await on.Person.get(person)).delete()
                case 1 | 2:
                    await on.Group.create(owner=person, members=[person, other], title="new")
                case 3:
                    await found.owner.set(other)
                case _:
                    await found.members.sadd(person, other)
        except (DoesNotExist, CommitError):
            pass


def test_no_reference_outlives_what_it_refers_to(faces: Faces) -> None:
    """Whoever deletes, and whoever refers meanwhile."""
    faces = attrs.evolve(faces, awaited=checked(faces.awaited), plain=checked(faces.plain))
    people = [faces.plain.Person(name=f"n{at}").pk.get() for at in range(12)]
    teams = [faces.plain.Group(title=f"t{at}").pk.get() for at in range(4)]
    assert [None] * WORKERS == faces.at_once(gather_and_part, people, teams)
    client = faces.server.client(decode_responses=True)
    there = client.smembers(":person:collection")
    assert 0 < len(there) < 12
    for team in client.smembers(":team:collection"):
        assert client.smembers(f":team:{team}:members") <= there
        assert {client.get(f":team:{team}:owner")} - {None} <= there
    check_indexes(faces.plain)
