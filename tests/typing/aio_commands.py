"""What a type checker sees of commands whose reply depends on an argument, where they are awaited: never run."""

from collections.abc import Awaitable
from datetime import date
from typing import assert_type

from uowredis import HashField, InstanceHashField, ListField, SetField, SortedSetField, StringField, aio


class Bike(aio.RedisModel):
    database = aio.RedisDatabase.embedded()
    name = StringField()
    day = StringField(type=date)
    color = InstanceHashField()
    tags = SetField()
    days = SetField(type=date)
    sizes = HashField(type=int)
    stops = ListField()
    prices = SortedSetField()
    ranks = SortedSetField(type=int)


async def replies(bike: Bike, either: bool) -> None:
    assert_type(await bike.name.set("x"), bool | None)
    assert_type(await bike.name.set("x", nx=True), bool | None)
    assert_type(await bike.name.set("x", get=True), str | None)
    assert_type(await bike.name.set("x", get=either), bool | str | None)
    assert_type(await bike.day.set(date.min, get=True), date | None)
    assert_type(await bike.day.set(date.min, ex=5), bool | None)
    assert_type(await bike.stops.lpop(), str | None)
    assert_type(await bike.stops.lpop(2), list[str] | None)
    assert_type(await bike.stops.lmove(bike.stops, "LEFT"), str | None)
    assert_type(await bike.stops.rpoplpush(bike.stops), str | None)
    assert_type(await bike.stops.rpop(count=2), list[str] | None)
    assert_type(await bike.name.bitfield(("GET", "u8", 0)), list[int | None])
    assert_type(await bike.day.expire(5), bool)
    assert_type(await bike.day.getdel(), date | None)
    assert_type(await bike.day.getex(ex=5), date | None)
    assert_type(await bike.color.hstrlen(), int)
    assert_type(await bike.sizes.hscan(), tuple[int, dict[str, int]])
    assert_type(await bike.sizes.hrandfield(), str | None)
    assert_type(await bike.sizes.hrandfield(2), list[str])
    assert_type(await bike.sizes.hrandfield(2, True), list[tuple[str, int]])
    assert_type(await bike.stops.lpos("x"), int | None)
    assert_type(await bike.stops.lpos("x", count=0), list[int])
    assert_type(await bike.stops.lpos("x", -1, count=2), list[int])
    assert_type(await bike.tags.spop(), str | None)
    assert_type(await bike.tags.spop(2), list[str])
    assert_type(await bike.tags.sinter(bike.tags, bike.tags), set[str])
    assert_type(await bike.tags.smove(bike.tags, "a"), bool)
    assert_type(await bike.days.srandmember(), date | None)
    assert_type(await bike.days.srandmember(number=-2), list[date])
    assert_type(await bike.days.smismember(date.min), list[bool])
    assert_type(await bike.days.sscan(), tuple[int, list[date]])
    assert_type(await bike.ranks.zscan(0, "1*"), tuple[int, list[tuple[int, float]]])
    assert_type(await bike.ranks.zmscore([1, 2]), list[float | None])
    assert_type(await bike.ranks.zpopmin(), list[tuple[int, float]])
    assert_type(await bike.ranks.zrandmember(), int | None)
    assert_type(await bike.ranks.zrandmember(2), list[int])
    assert_type(await bike.ranks.zrandmember(2, withscores=True), list[tuple[int, float]])
    assert_type(await bike.prices.zrandmember(2, either), list[str] | list[tuple[str, float]])
    assert_type(await bike.prices.zrangebylex("-", "+"), list[str])
    assert_type(await bike.prices.zrange(0, -1), list[str])
    assert_type(await bike.prices.zrange(0, -1, withscores=True), list[tuple[str, float]])
    assert_type(await bike.prices.zrange(0, -1, withscores=either), list[str] | list[tuple[str, float]])
    assert_type(await bike.prices.zrevrange(0, -1, True), list[tuple[str, float]])
    assert_type(await bike.ranks.zrevrange(0, -1), list[int])
    assert_type(await bike.ranks.zrangebyscore("-inf", 5, withscores=True), list[tuple[int, float]])
    assert_type(await bike.ranks.zrangebyscore(1, 5, 0, 2), list[int])
    assert_type(await bike.ranks.zrevrangebyscore(max=5, min=1), list[int])
    assert_type(await bike.ranks.zrevrangebyscore(5, 1, withscores=True), list[tuple[int, float]])
    assert_type(await bike.prices.zadd(a=1.5), int)
    assert_type(await bike.prices.zadd({"a": 1.5}, incr=True), float | None)


def said(bike: Bike) -> None:
    assert_type(bike.name.set("x"), Awaitable[bool | None])
    assert_type(bike.name.set("x", get=True), Awaitable[str | None])
    assert_type(bike.tags.spop(2), Awaitable[list[str]])
    bike.name.set("x", gett=True)  # type: ignore[call-overload]
    bike.tags.spop("2")  # type: ignore[call-overload]


async def first() -> None:
    everybody = Bike.collection()
    assert_type(await everybody.first(), str | None)
    assert_type(await everybody.instances().first(), Bike | None)
    assert_type(await everybody.values_list(Bike.day, flat=True).first(), date | None)
