"""Some twenty plans, one for each rule, kind of field and way to commit, on data that is put there for each case."""

import random
from collections.abc import Callable
from typing import Any

import attrs
import redis

from tests.models import FULL, groups, things, words
from tests.tools.backends import Dump, Real
from tests.tools.servers import RealServer
from uowredis import InstanceHashField, Session
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import CASCADE, RESTRICT, FKInstanceHashField, RelatedModel

#: Counters of primary keys begin here, so that new primary keys are no other number in the data.
FIRST = 7_000


class World:
    """Models on a database at *url*, and their data on *server*, read and put there by plain redis-py."""

    def __init__(self, server: RealServer, url: str, **options: Any) -> None:
        self.backend = Real(server)
        self.client: redis.Redis = server.client()
        self.database = on = PipelineDatabase.from_url(url, **options)
        self.Thing, self.Word = things(on), words(on)
        both = groups(on)
        self.Person, self.Group = both.person, both.group

        class House(RelatedModel):
            database = on
            name = InstanceHashField(unique=True)

        class Room(RelatedModel):
            database = on
            name = InstanceHashField(indexable=True)
            house = FKInstanceHashField("House", related_name="rooms", on_delete=CASCADE)
            door = FKInstanceHashField("Room", related_name="doors", on_delete=RESTRICT)

        self.House, self.Room = House, Room
        self.session: Any = None
        self.seed: dict[bytes, bytes] = {}

    def fill(self) -> None:
        """Store what is there before each plan, and keep it."""
        self.client.flushdb()
        self.Thing(**FULL, code="c1", serial="s1")
        self.Thing(**FULL, code="c2", serial="s2")
        self.Word(key="w", kind="red", rank=1, sense="one", plain="p")
        ann, bob = self.Person(name="ann", city="Bern"), self.Person(name="bob", city="Bern")
        ann.friend.set(bob)
        self.Group(
            title="t", name="n", key=ann, entry=ann, members=[ann, bob], history=[ann, bob, ann], scores={ann: 1}
        )
        house, other = self.House(name="old"), self.House(name="other")
        hall = self.Room(name="hall", house=house)
        self.Room(name="attic", house=house)
        self.Room(name="cellar", house=other, door=hall)
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
        self.Word("w").rank.set(2)

    def data(self) -> tuple[str, int]:
        """Return all data with new primary keys as if none had been burnt, and how many were."""
        dump: Dump = self.backend.dump()
        reached = {key: int(value) for key, (_, value) in dump.items() if key.endswith(b":max_pk")}  # type: ignore[arg-type]
        text = repr([(key, _sorted(value)) for key, value in sorted(dump.items()) if key not in reached])
        new = sorted({number for number in range(FIRST + 1, max(reached.values()) + 1) if f"{number}" in text})
        for place, number in enumerate(new):
            text = text.replace(f"{number}", f"<new {place}>")
        return text, sum(reached.values()) - FIRST * len(reached) - len(new)

    def close(self) -> None:
        """Close its connections."""
        self.database.close()
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


def _draws_alike(session: Session) -> Session:
    session._reader.overlay.rehearsal._seed = 1  # SPOP draws the same each time
    return session


def _session(world: World, say: Callable[[World], list[Any]], **options: Any) -> list[Any]:
    with _draws_alike(Session(world.database, on_pending="discard", **options)) as session:
        world.session = session
        said = say(world)
        session.commit()
        return said


def _begin(world: World, say: Callable[[World], list[Any]]) -> list[Any]:
    with world.database.begin() as session:
        world.session = session
        return say(world)


def _pipeline(world: World, say: Callable[[World], list[Any]]) -> list[Any]:
    with world.database.pipeline(on_pending="discard") as pipeline:
        world.session = pipeline
        said = say(world)
        pipeline.execute()
        return said


def _run(world: World, say: Callable[[World], list[Any]]) -> list[Any]:
    def function(session: Session) -> list[Any]:
        world.session = session
        return say(world)

    return world.database.run(function)


def _watching(world: World, say: Callable[[World], list[Any]]) -> list[Any]:
    return _session(world, say, watch_reads=True)


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
    say: Callable[[World], list[Any]]
    way: Callable[[World, Callable[[World], list[Any]]], list[Any]] = _session
    scripted: bool = False
    most: int | None = None

    def __str__(self) -> str:
        return self.name

    def commit(self, world: World) -> list[Any]:
        """Say and commit it."""
        world.session = None
        return self.way(world, self.say)


def _string(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.string.set("new"), thing.string.append("er")]


def _counters(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.string.incr(), thing.entry.hincrby(2), thing.headers.hincrby("a", 1), thing.indexed_string.incr()]


def _entries(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.indexed_entry.hset("x"), thing.indexed_headers.hset("a", "9"), thing.indexed_headers.hdel("b")]


def _unique(world: World) -> list[Any]:
    return [world.thing().code.hset("c9"), world.thing("2").serial.set("s9")]


def _swap(world: World) -> list[Any]:
    return [world.thing().code.hset("c2"), world.thing("2").code.hset("c1")]


def _sets(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.set.sadd("d"), thing.indexed_set.sadd("d", "e"), thing.indexed_set.srem("a"), thing.set.srem("b")]


def _lists(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.list.rpush("x"), thing.indexed_list.lpop(), thing.indexed_list.linsert("before", "c", "y")]


def _sorted_sets(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.zset.zincrby(2, "a"), thing.indexed_zset.zadd({"d": 4}), thing.indexed_zset.zrem("b")]


def _opaque(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.indexed_string.incrbyfloat("0.5"), thing.indexed_set.spop(), thing.string.incrbyfloat("1.5")]


def _counted(world: World) -> list[Any]:
    thing = world.Thing(string="s", indexed_set=["p", "q"], code="n", serial="n")
    return [thing.indexed_entry.hset("late")]


def _several(world: World) -> list[Any]:
    cid = world.Person(name="cid")
    dot = world.Person(name="dot", friend=cid)
    world.Group(title="new", members=[cid, dot], scores={dot: 3}, key=cid)
    return [cid.city.hset("Rome")]


def _chosen(world: World) -> list[Any]:
    word = world.Word(key="new", kind="red", sense="two")
    return [word.rank.set(3)]


def _delete(world: World) -> list[Any]:
    world.thing().delete()
    return [world.thing("2").string.incr()]


def _again(world: World) -> list[Any]:
    world.Word("w").delete()
    world.Word(key="w", kind="blue", sense="one")
    return []


def _clears(world: World) -> list[Any]:
    world.Person("1").delete()
    return [world.Person("2").city.hset("Rome")]


def _cascade(world: World) -> list[Any]:
    world.Room("3").door.hdel()
    world.House("1").delete()
    return []


def _members(world: World) -> list[Any]:
    group, bob = world.Group("1"), world.Person("2")
    return [group.members.srem(bob), group.history.rpush(bob), group.scores.zadd({bob: 2}), group.entry.hset(bob)]


def _borrowed(world: World) -> list[Any]:
    return [world.Group("1").key.set(world.Person("1").friend)]


def _reads(world: World) -> list[Any]:
    thing = world.thing()
    return [thing.string.get(), thing.string.incr(), thing.indexed_set.smembers(), thing.indexed_entry.hset("z")]


def _read_and_write(world: World) -> list[Any]:
    thing = world.thing()
    old = thing.indexed_entry.hget()
    return [thing.indexed_entry.hset(f"{old}!"), thing.string.set(old)]


def _kept(world: World) -> list[Any]:
    with world.session.savepoint():
        kept = world.thing().string.incr()
    with world.session.savepoint() as savepoint:
        world.thing().delete()
        savepoint.rollback()
    return [kept]


def _large(world: World) -> list[Any]:
    thing = world.thing()
    for number in range(1_100):
        thing.list.rpush(number)
    return [thing.indexed_entry.hset("large")]


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
    Case("script: every kind", lambda world: [*_counters(world), *_sets(world), *_unique(world)], scripted=True),
    Case("script: new objects", _several, scripted=True),
    Case("script: a cascade", _cascade, scripted=True),
)


def drawn(positions: list[int], count: int | None, seed: str) -> list[int]:
    """Return *count* of *positions*, drawn by *seed*, in their order; None for all."""
    if count is None or count >= len(positions):
        return positions
    return sorted(random.Random(seed).sample(positions, count))
