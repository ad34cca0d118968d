"""What a type checker must see of the asyncio face: never run, checked by mypy --strict."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, assert_type

from uowredis import InstanceHashField, Plan, RedisModel, SetField, StringField, aio
from uowredis.aio.begin import CommittedSession
from uowredis.aio.pipelines import Pipeline
from uowredis.aio.session import Savepoint
from uowredis.aio.work import Pending
from uowredis.contrib.related import FKStringField
from uowredis.fields import BoundSet, BoundString
from uowredis.fields.modes import Async, Sync
from uowredis.plan.token import Outcome


class Fields:
    """Declared once, for both faces."""

    name = StringField(unique=True)
    color = InstanceHashField(default="red")
    weight = StringField(type=int)
    tags = SetField()


class Bike(Fields, aio.RelatedModel):
    """A model whose commands are awaited."""

    database = aio.RedisDatabase.embedded()
    owner = FKStringField("self")


class BlockingBike(Fields, RedisModel):
    """The same fields on the blocking face."""

    database = None


async def awaited(bike: Bike, db: aio.RedisDatabase) -> None:
    """Each command gives what is awaited for its reply."""
    assert_type(await Bike.create(name="x"), Bike)
    assert_type(await Bike.get("1"), Bike)
    assert_type(await Bike.exists(name="x"), bool)
    assert_type(await Bike.get_or_connect(name="x"), tuple[Bike, bool])
    assert_type(await Bike.get_many(["1"], missing="skip"), list[Bike])
    assert_type(await Bike.lazy_connect("1"), Bike)
    assert_type(await Bike.create_many([{"name": "x"}], batch=2), list[Bike])
    assert_type(await Bike.collection().update(name="x"), int)
    assert_type(await Bike.collection().delete(batch=2), int)
    assert_type(await bike.to_dict(), dict[str, Any])
    assert_type((await Bike.collection().instances(load=("name", Bike.tags))[0]).loaded["name"], Any)
    assert_type(bike.name, BoundString[str, str, Async])
    assert_type(bike.tags, BoundSet[str, str, Async])
    assert_type(bike.name.get(), Awaitable[str | None])
    assert_type(await bike.name.get(), str | None)
    assert_type(await bike.name.incr(2), int)
    assert_type(await bike.color.hget(), str | None)
    assert_type(await bike.weight.get(), int | None)
    assert_type(await bike.tags.smembers(), set[str])
    assert_type(await bike.tags.sadd("a"), int)
    assert_type(await bike.tags.sunion(bike.tags), set[str])
    assert_type(await bike.tags.smove(bike.tags, "a"), bool)
    assert_type(await bike.hmget("color"), list[Any])
    assert_type(await bike.owner.get(), str | None)
    assert_type(await bike.delete(), None)
    assert_type(await Bike.collection(name="x").list(), list[str])
    assert_type(await Bike.collection(name="x").instances().list(), list[Bike])
    assert_type(await Bike.collection(name="x").sort("name").count(), int)
    assert_type(await Bike.collection(name="x").instances()[0], Bike)
    assert_type([each async for each in Bike.collection().instances()], list[Bike])
    async with aio.Session(db) as s:
        assert_type(s, aio.Session)
        assert_type(await s.plan(), Plan)
        assert_type(await s.commit(), list[Any])
        assert_type(await s.rollback(), None)
    assert_type(db.begin(), CommittedSession)
    assert_type(await db.run(counted), int)

    @db.begin()
    async def inside(name: str) -> int:
        return len(name)

    assert_type(inside("x"), Awaitable[int])


async def counted(session: aio.Session) -> int:
    """Return how many are pending."""
    return len(session.pending)


async def asked(bike: Bike, db: aio.RedisDatabase) -> None:
    """What collections give is known as on the other face."""
    everybody = Bike.collection()
    assert_type(everybody, aio.CollectionManager[Bike, str])
    assert_type(await everybody.first(), str | None)
    assert_type(await everybody.exists(), bool)
    assert_type(await everybody.contains(bike), bool)
    assert_type(await everybody[0], str)
    assert_type(await everybody[:2], list[str])
    assert_type([each async for each in everybody.iter()], list[str])
    assert_type(await everybody.instances().filter(name="x").sort("name").copy()[:1], list[Bike])
    assert_type(await everybody.instances().store(), aio.CollectionManager[Bike, Bike])
    assert_type(await everybody.instances().primary_keys()[0], str)
    assert_type(await everybody.values("name", "color").list(), list[dict[str, Any]])
    assert_type(await everybody.values(Bike.weight)[0], dict[str, int | None])
    assert_type(await everybody.values(Bike.name, Bike.weight)[0], dict[str, str | int | None])
    assert_type(await everybody.values_list("name", flat=True).list(), list[Any])
    assert_type(await everybody.values_list(Bike.weight, flat=True)[0], int | None)
    assert_type(await everybody.values_list(Bike.name, Bike.weight)[0], tuple[str | None, int | None])


async def outcomes(bike: Bike, db: aio.RedisDatabase) -> None:
    """Sessions, blocks, pipelines, tokens."""
    assert_type(db.session, aio.Session | None)
    async with db.begin() as s:
        assert_type(s, CommittedSession)
        assert_type(s.later(bike.weight.incr()), Pending[int])
        assert_type(s.later(bike.weight.incr()).result, int)
        assert_type(await s.later(bike.weight.incr()), int)
        assert_type(await s.watch(bike.name), None)
        if s.token is not None:
            assert_type(await db.settle(s.token), Outcome)
        async with s.use() as used:
            assert_type(used, aio.Session)
        async with s.savepoint() as savepoint:
            assert_type(savepoint, Savepoint)
    async with db.pipeline() as pipeline:
        assert_type(pipeline, Pipeline)
        assert_type(await pipeline.execute(), list[Any])
    assert_type(await db.transaction(piped), Any)
    assert_type(await db.close(), None)


async def piped(pipeline: Pipeline) -> None:
    """Say nothing."""


def blocking(bike: BlockingBike) -> None:
    """The other face of the same fields."""
    assert_type(bike.tags, BoundSet[str, str, Sync])
    assert_type(bike.weight.get(), int | None)
    assert_type(bike.tags.smembers(), set[str])
    assert_type(bike.delete(), None)
    assert_type(BlockingBike.get("1"), BlockingBike)
    assert_type(BlockingBike.exists(name="x"), bool)
    assert_type(list(BlockingBike.collection(name="x").instances()), list[BlockingBike])
    assert_type(BlockingBike.collection()[0:2], list[str])
    assert_type(BlockingBike.collection().values(BlockingBike.weight)[0], dict[str, int | None])
    assert_type(bike.name, BoundString[str, str, Sync])
    assert_type(bike.name.get(), str | None)
