"""What a type checker must see: never run, checked by mypy --strict."""

from __future__ import annotations

from typing import Any, assert_type

from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    Plan,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.commands.identity import Identity
from uowredis.fields import BoundSet, BoundString


class Bike(RedisModel):
    """A model with a field of every type."""

    database = RedisDatabase.embedded()
    name = StringField(unique=True)
    color = InstanceHashField(default="red")
    tags = SetField()
    stops = ListField()
    parts = HashField()
    prices = SortedSetField()


bike = Bike(name="x")
assert_type(bike, Bike)
assert_type(bike.name, BoundString)
assert_type(bike.tags, BoundSet)
assert_type(bike.identity, Identity)
assert_type(bike.name.get(), str | None)
assert_type(bike.name.incr(2), int)
assert_type(bike.name.incrbyfloat("0.1"), float)
assert_type(bike.color.hget(), str | None)
assert_type(bike.color.get(), str | None)
assert_type(bike.tags.smembers(), set[str])
assert_type(bike.tags.sismember("a"), bool)
assert_type(bike.tags.sadd("a", 1, 2.5, b"x"), int)
assert_type(bike.stops.lrange(0, -1), list[str])
assert_type(bike.parts.hgetall(), dict[str, str])
assert_type(bike.prices.zscore("a"), float | None)
assert_type(bike.hmget("color"), list[Any])
assert_type(Bike.get(name="x"), Bike)
assert_type(Bike.get_or_connect(name="x"), tuple[Bike, bool])
assert_type(Bike.exists(pk=1), bool)

with Session(Bike.database) as s:
    assert_type(s.plan(), Plan)
    assert_type(s.last_plan, Plan)
    assert_type(s.last_plan.round_trips, int)

bike.tags.sadd(None)  # type: ignore[arg-type]  # refused by the checker, as at run time
bike.name.incr("a", "b")  # type: ignore[call-arg, arg-type]  # names and defaults are kept
