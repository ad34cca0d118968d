"""Some twenty plans, one for each rule, kind of field and way to commit, on data that is put there for each case.

Each is a coroutine function, awaited on the asyncio face, and made plain for the blocking one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import attrs
import redis

from tests.models import FULL, base_on, groups, things, words
from tests.tools.backends import Dump, Real
from tests.tools.colour import blocking
from tests.tools.host import Cancelled
from tests.tools.servers import RealServer
from uowredis import InstanceHashField, RedisDatabase, aio
from uowredis.contrib.related import CASCADE, RESTRICT, FKInstanceHashField

#: Which face commits.
Face = Literal["blocking", "aio"]

#: Counters of primary keys begin here, so that new primary keys are no other number in the data.
FIRST = 7_000


class World:
    """Models of a *face* on a database at *url*, and their data on *server*, read and put there by plain redis-py.

    Attributes:
        session: in which the last plan was committed, None where it came to none.
        waited: how often what was done last on a loop waited.
    """

    def __init__(self, server: RealServer, url: str, face: Face = "blocking", **options: Any) -> None:
        self.backend = Real(server)
        self.client: redis.Redis = server.client()
        # A commit is made while the loop runs, and what is lost meanwhile and later is found when it runs again.
        self._runner = asyncio.Runner() if face == "aio" else None
        self.database: Any = (RedisDatabase if face == "blocking" else aio.RedisDatabase).from_url(url, **options)
        on = self.database
        self.Thing, self.Word = things(on), words(on)
        both = groups(on)
        self.Person, self.Group = both.person, both.group

        class House(base_on(on, related=True)):  # type: ignore[misc]
            database = on
            name = InstanceHashField(unique=True)

        class Room(base_on(on, related=True)):  # type: ignore[misc]
            database = on
            name = InstanceHashField(indexable=True)
            house = FKInstanceHashField("House", related_name="rooms", on_delete=CASCADE)
            door = FKInstanceHashField("Room", related_name="doors", on_delete=RESTRICT)

        self.House, self.Room = House, Room
        self.session: Any = None
        self.waited = 0
        self.seed: dict[bytes, bytes] = {}

    def do(self, body: Callable[..., Awaitable[Any]], *args: Any, cancelled_at: int | None = None) -> Any:
        """Return what *body* gives on this world, in the colour of its face.

        Args:
            body: a coroutine function; those among *args*, too.
            args: given to it after the world.
            cancelled_at: the task is cancelled where it waits for that time, where it is one.
        """
        if self._runner is None:
            plain = (blocking(each) if asyncio.iscoroutinefunction(each) else each for each in args)
            return blocking(body)(self, *plain)
        awaited = Cancelled(body(self, *args), cancelled_at)
        try:
            return self._runner.run(_awaited(awaited))
        finally:
            self.waited = awaited.waited

    def fill(self) -> None:
        """Store what is there before each plan, and keep it."""
        self.client.flushdb()
        self.do(_filled)
        for key in self.client.keys("*:max_pk"):
            self.client.set(key, FIRST)
        keys = [key for key in self.client.keys("*") if b"__commit__" not in key]
        self.seed = {key: self.client.dump(key) for key in keys}

    def anew(self) -> None:
        """Put there what was there."""
        pipeline = self.client.pipeline()
        pipeline.flushdb()
        for key, value in self.seed.items():
            pipeline.restore(key, 0, value)
        pipeline.execute()

    def warm(self) -> None:
        """Have one connection in the pool that has made a transaction, as in a process that has run for some time."""
        self.do(_warmed)

    def data(self) -> tuple[str, int]:
        """Return all data with new primary keys as if none had been burnt, and how many were."""
        dump: Dump = self.backend.dump()
        reached = {key: int(value) for key, (_, value) in dump.items() if key.endswith(b":max_pk")}  # type: ignore[arg-type]
        text = repr([(key, _sorted(value)) for key, value in sorted(dump.items()) if key not in reached])
        new = sorted({number for number in range(FIRST + 1, max(reached.values()) + 1) if f"{number}" in text})
        for place, number in enumerate(new):
            text = text.replace(f"{number}", f"<new {place}>")
        return text, sum(reached.values()) - FIRST * len(reached) - len(new)

    @property
    def holds(self) -> int:
        """How many connections are held, or waited for."""
        turns = self.database._executor.pool.turns
        holders = turns._by_process if self._runner is None else turns._by_loop
        return sum(len(each.turns) for each in holders.values())

    def settle(self) -> str:
        """Ask what became of the last plan."""
        found: str = self.do(_settled)
        return found

    def disconnect(self) -> None:
        """Close the connections of its database."""
        self.do(_closed)

    def close(self) -> None:
        """Close all of its connections."""
        self.disconnect()
        if self._runner is not None:
            self._runner.close()
        self.client.close()
        self.backend.close()

    def thing(self, pk: str = "1") -> Any:
        """Return a thing, not looked up."""
        return self.Thing._handle(pk, tested=True)


def _sorted(value: tuple[str, Any]) -> Any:
    kind, held = value
    if isinstance(held, frozenset):
        return kind, sorted(held)
    return kind, sorted(held.items()) if isinstance(held, dict) else held


async def _awaited(what: Any) -> Any:
    return await what


async def _filled(world: World) -> None:
    await world.Thing.create(**FULL, code="c1", serial="s1")
    await world.Thing.create(**FULL, code="c2", serial="s2")
    await world.Word.create(key="w", kind="red", rank=1, sense="one", plain="p")
    ann = await world.Person.create(name="ann", city="Bern")
    bob = await world.Person.create(name="bob", city="Bern")
    await ann.friend.set(bob)
    await world.Group.create(
        title="t", name="n", key=ann, entry=ann, members=[ann, bob], history=[ann, bob, ann], scores={ann: 1}
    )
    house, other = await world.House.create(name="old"), await world.House.create(name="other")
    hall = await world.Room.create(name="hall", house=house)
    await world.Room.create(name="attic", house=house)
    await world.Room.create(name="cellar", house=other, door=hall)


async def _warmed(world: World) -> None:
    await (await world.Word.get("w")).rank.set(2)


async def _closed(world: World) -> None:
    await world.database.close()


async def _settled(world: World) -> str:
    found: str = await world.database.settle(world.session.token)
    return found


#: What says a plan, and returns the replies to be that are looked at.
Say = Callable[[World], Awaitable[list[Any]]]


def _draws_alike(session: Any) -> Any:
    session._reader.overlay.rehearsal._seed = 1  # SPOP draws the same each time
    return session


async def _session(world: World, say: Say) -> list[Any]:
    async with _draws_alike(aio.Session(world.database, on_pending="discard")) as session:
        world.session = session
        said = await say(world)
        await session.commit()
        return said


async def _watching(world: World, say: Say) -> list[Any]:
    async with _draws_alike(aio.Session(world.database, on_pending="discard", watch_reads=True)) as session:
        world.session = session
        said = await say(world)
        await session.commit()
        return said


async def _begin(world: World, say: Say) -> list[Any]:
    async with world.database.begin() as session:
        world.session = session
        return await say(world)


async def _pipeline(world: World, say: Say) -> list[Any]:
    async with world.database.pipeline(on_pending="discard") as pipeline:
        world.session = pipeline
        said = await say(world)
        await pipeline.execute()
        return said


async def _run(world: World, say: Say) -> list[Any]:
    async def function(session: Any) -> list[Any]:
        world.session = session
        return await say(world)

    found: list[Any] = await world.database.run(function)
    return found


@attrs.frozen
class Case:
    """A plan.

    Attributes:
        name: of the plan.
        say: says it, and returns the replies to be that are looked at.
        way: how it is committed.
        scripted: its guards go as a script.
        most: how many points are tried at most, where its bytes are many.
    """

    name: str
    say: Say
    way: Callable[[World, Say], Awaitable[list[Any]]] = _session
    scripted: bool = False
    most: int | None = None

    def __str__(self) -> str:
        return self.name

    def commit(self, world: World, cancelled_at: int | None = None) -> list[Any]:
        """Say and commit it; cancelled where it waits for that time, where one is given."""
        world.session = None
        found: list[Any] = world.do(self.way, self.say, cancelled_at=cancelled_at)
        return found


async def _string(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.string.set("new"), thing.string.append("er")]


async def _counters(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.string.incr(), thing.entry.hincrby(2), thing.headers.hincrby("a", 1), thing.indexed_string.incr()]


async def _entries(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.indexed_entry.hset("x"), thing.indexed_headers.hset("a", "9"), thing.indexed_headers.hdel("b")]


async def _unique(world: World) -> list[Any]:
    return [world.thing().code.hset("c9"), world.thing("2").serial.set("s9")]


async def _swap(world: World) -> list[Any]:
    return [world.thing().code.hset("c2"), world.thing("2").code.hset("c1")]


async def _sets(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.set.sadd("d"), thing.indexed_set.sadd("d", "e"), thing.indexed_set.srem("a"), thing.set.srem("b")]


async def _lists(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.list.rpush("x"), thing.indexed_list.lpop(), thing.indexed_list.linsert("before", "c", "y")]


async def _sorted_sets(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.zset.zincrby(2, "a"), thing.indexed_zset.zadd({"d": 4}), thing.indexed_zset.zrem("b")]


async def _opaque(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.indexed_string.incrbyfloat("0.5"), thing.indexed_set.spop(), thing.string.incrbyfloat("1.5")]


async def _counted(world: World) -> list[Any]:
    thing = await world.Thing.create(string="s", indexed_set=["p", "q"], code="n", serial="n")
    return [thing.indexed_entry.hset("late")]


async def _several(world: World) -> list[Any]:
    cid = await world.Person.create(name="cid")
    dot = await world.Person.create(name="dot", friend=cid)
    await world.Group.create(title="new", members=[cid, dot], scores={dot: 3}, key=cid)
    return [cid.city.hset("Rome")]


async def _chosen(world: World) -> list[Any]:
    word = await world.Word.create(key="new", kind="red", sense="two")
    return [word.rank.set(3)]


async def _delete(world: World) -> list[Any]:
    await world.thing().delete()
    return [world.thing("2").string.incr()]


async def _again(world: World) -> list[Any]:
    await (await world.Word.get("w")).delete()
    await world.Word.create(key="w", kind="blue", sense="one")
    return []


async def _clears(world: World) -> list[Any]:
    await (await world.Person.get("1")).delete()
    return [(await world.Person.get("2")).city.hset("Rome")]


async def _cascade(world: World) -> list[Any]:
    (await world.Room.get("3")).door.hdel()
    await (await world.House.get("1")).delete()
    return []


async def _members(world: World) -> list[Any]:
    group, bob = (await world.Group.get("1")), (await world.Person.get("2"))
    return [group.members.srem(bob), group.history.rpush(bob), group.scores.zadd({bob: 2}), group.entry.hset(bob)]


async def _borrowed(world: World) -> list[Any]:
    return [(await world.Group.get("1")).key.set((await world.Person.get("1")).friend)]


async def _reads(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.string.get(), thing.string.incr(), thing.indexed_set.smembers(), thing.indexed_entry.hset("z")]


async def _read_and_write(world: World) -> list[Any]:
    thing = world.thing()
    old = await thing.indexed_entry.hget()
    return [thing.indexed_entry.hset(f"{old}!"), thing.string.set(old)]


async def _kept(world: World) -> list[Any]:
    async with world.session.savepoint():
        kept = world.thing().string.incr()
    async with world.session.savepoint() as savepoint:
        await world.thing().delete()
        savepoint.rollback()
    return [kept]


async def _large(world: World) -> list[Any]:
    thing = world.thing()
    for number in range(1_100):
        thing.list.rpush(number)
    return [thing.indexed_entry.hset("large")]


async def _every_kind(world: World) -> list[Any]:
    return [*(await _counters(world)), *(await _sets(world)), *(await _unique(world))]


CASES = (
    Case("plain strings", _string),
    Case("counters", _counters),
    Case("entries and hashes", _entries),
    Case("unique values", _unique),
    Case("unique values swapped", _swap),
    Case("sets", _sets),
    Case("lists", _lists),
    Case("sorted sets", _sorted_sets),
    Case("what only the server knows", _opaque),
    Case("a counted object", _counted, _begin),
    Case("new objects that refer to new ones", _several),
    Case("a chosen primary key", _chosen),
    Case("a deletion", _delete),
    Case("deleted and created again", _again),
    Case("references cleared", _clears),
    Case("a cascade, and what restricts it moved", _cascade),
    Case("members of every kind", _members),
    Case("a foreign key as a value", _borrowed),
    Case("a pipeline", _reads, _pipeline),
    Case("read under watch", _read_and_write, _watching),
    Case("run", _read_and_write, _run),
    Case("savepoints", _kept),
    Case("a large plan in chunks", _large, most=60),
    Case("script: every kind", _every_kind, scripted=True),
    Case("script: new objects", _several, scripted=True),
    Case("script: a cascade", _cascade, scripted=True),
)


def drawn(positions: list[int], count: int | None, seed: str) -> list[int]:
    """Return *count* of *positions*, drawn by *seed*, in their order; None for all."""
    if count is None or count >= len(positions):
        return positions
    return sorted(random.Random(seed).sample(positions, count))
