"""Many tasks at once, some cancelled: one claim wins, no reference outlives what it refers to, indexes are exact."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from tests.aio.conftest import held
from tests.aio.models import Models
from tests.aio.test_cancellation import check_indexes
from uowredis import CommitError, DoesNotExist, InstanceHashField, UniquenessError, aio
from uowredis.contrib.related import CASCADE, FKStringField, M2MSetField

TASKS = 24


async def at_once(tasks: list[Callable[[], Awaitable[Any]]], chance: random.Random, cancelled: float) -> list[Any]:
    """Await all of them as tasks, cancel some at some time; return what they gave or raised."""

    async def one(task: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(chance.random() * 0.03 if chance.random() < cancelled else None):
            return await task()

    return await asyncio.gather(*(one(task) for task in tasks), return_exceptions=True)


@pytest.mark.parametrize("cancelled", [0.0, 0.4], ids=["undisturbed", "cancelled"])
async def test_a_unique_value_goes_to_one(on: Models, cancelled: float) -> None:
    """By creation and by change; whoever loses is told, and what was cancelled is whole or not there."""
    chance = random.Random(1)
    for turn in range(3):
        name = f"name {turn}"
        people = [await on.Person.create(city="x") for _ in range(TASKS // 2)]
        found = await at_once(
            [functools.partial(on.Person.create, name=name, city="y")] * (TASKS // 2)
            + [functools.partial(person.name.set, name) for person in people],
            chance,
            cancelled,
        )
        winners = [each for each in found if not isinstance(each, Exception)]
        assert {type(each) for each in found if isinstance(each, Exception)} <= {UniquenessError, TimeoutError}
        assert len(winners) <= 1
        assert cancelled or len(winners) == 1
        assert on.server.client().scard(f":person:name:{name}") <= 1
        check_indexes(on)
    assert held(on.database) == 0


def checked(on: Models) -> Models:
    """Return the models with groups that only refer to who is there."""
    where = on.database

    class Team(aio.RelatedModel):
        database = where
        owner = FKStringField(on.Person, "owned", on_delete=CASCADE, check=True)
        members = M2MSetField(on.Person, "teams", check=True)
        title = InstanceHashField(indexable=True)

    return attrs.evolve(on, Group=Team)


@pytest.mark.parametrize("cancelled", [0.0, 0.4], ids=["undisturbed", "cancelled"])
async def test_no_reference_outlives_what_it_refers_to(on: Models, cancelled: float) -> None:
    """Groups are made, given other owners and members, while persons are deleted."""
    on, chance = checked(on), random.Random(2)
    people = [await on.Person.create(name=f"n{at}") for at in range(8)]
    groups = [await on.Group.create(title=f"t{at}") for at in range(4)]

    def draw() -> Callable[[], Awaitable[Any]]:
        person, other, group = chance.choice(people), chance.choice(people), chance.choice(groups)

        async def several(_: Any) -> None:
            group.owner.set(person)
            group.members.sadd(person, other)

        tasks: list[Callable[[], Awaitable[Any]]] = [
            lambda: on.Group.create(owner=person, members=[person, other], title="new"),
            lambda: group.owner.set(other),
            lambda: group.members.sadd(person),
            lambda: on.database.run(several),
        ]
        return person.delete if chance.random() < 0.15 else chance.choice(tasks)

    for _ in range(4):
        found = await at_once([draw() for _ in range(TASKS)], chance, cancelled)
        wrong = [each for each in found if isinstance(each, Exception)]
        assert all(isinstance(each, DoesNotExist | CommitError | TimeoutError) for each in wrong), wrong
        check_indexes(on)
        client = on.server.client(decode_responses=True)
        there = client.smembers(":person:collection")
        for team in client.smembers(":team:collection"):
            assert client.smembers(f":team:{team}:members") <= there
            assert {client.get(f":team:{team}:owner")} - {None} <= there
    assert len(there) < 8
    assert held(on.database) == 0
