"""What a type checker sees of commands whose reply depends on an argument, and of fields of one's own: never run."""

from datetime import date
from typing import assert_type

from uowredis import (
    DoesNotExist,
    HashField,
    InstanceHashField,
    ListField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.commands import Read, Removed, Write
from uowredis.fields import BoundSet, BoundString, reads, writes


class BoundTags(BoundSet):
    """It has one command more."""

    @reads
    def has_all(self, *values: str) -> Read[bool]:
        return self._read("SMISMEMBER", *values, decode=all, members=values)


class TagsField(SetField):
    bound = BoundTags


class BoundDay(BoundString[date]):
    @writes
    def redeem(self) -> Write[date | None]:
        return self._write(Removed(None), "GETDEL", decode=self._reader.one)


class DayField(StringField[date]):
    bound = BoundDay


class Bike(RedisModel):
    database = RedisDatabase.embedded()
    name = StringField()
    day = StringField(type=date)
    color = InstanceHashField()
    tags = SetField()
    days = SetField(type=date)
    sizes = HashField(type=int)
    stops = ListField()
    prices = SortedSetField()
    ranks = SortedSetField(type=int)
    own = TagsField(indexable=True)
    own_day = DayField(type=date)


def replies(bike: Bike, either: bool) -> None:
    assert_type(bike.name.set("x"), bool | None)
    assert_type(bike.name.set("x", nx=True), bool | None)
    assert_type(bike.name.set("x", get=True), str | None)
    assert_type(bike.name.set("x", get=either), bool | str | None)
    assert_type(bike.day.set(date.min, get=True), date | None)
    assert_type(bike.day.set(date.min, ex=5), bool | None)
    assert_type(bike.stops.lpop(), str | None)
    assert_type(bike.stops.lpop(2), list[str] | None)
    assert_type(bike.stops.lmove(bike.stops, "LEFT"), str | None)
    assert_type(bike.stops.rpoplpush(bike.stops), str | None)
    assert_type(bike.stops.rpop(count=2), list[str] | None)
    assert_type(bike.name.bitfield(("GET", "u8", 0)), list[int | None])
    assert_type(bike.day.expire(5), bool)
    assert_type(bike.day.getdel(), date | None)
    assert_type(bike.day.getex(ex=5), date | None)
    assert_type(bike.color.hstrlen(), int)
    assert_type(bike.sizes.hscan(), tuple[int, dict[str, int]])
    assert_type(bike.sizes.hrandfield(), str | None)
    assert_type(bike.sizes.hrandfield(2), list[str])
    assert_type(bike.sizes.hrandfield(2, True), list[tuple[str, int]])
    assert_type(bike.stops.lpos("x"), int | None)
    assert_type(bike.stops.lpos("x", count=0), list[int])
    assert_type(bike.stops.lpos("x", -1, count=2), list[int])
    assert_type(bike.tags.spop(), str | None)
    assert_type(bike.tags.spop(2), list[str])
    assert_type(bike.tags.sinter(bike.tags, bike.tags), set[str])
    assert_type(bike.tags.smove(bike.tags, "a"), bool)
    assert_type(bike.days.srandmember(), date | None)
    assert_type(bike.days.srandmember(number=-2), list[date])
    assert_type(bike.days.smismember(date.min), list[bool])
    assert_type(bike.days.sscan(), tuple[int, list[date]])
    assert_type(bike.ranks.zscan(0, "1*"), tuple[int, list[tuple[int, float]]])
    assert_type(bike.ranks.zmscore([1, 2]), list[float | None])
    assert_type(bike.ranks.zpopmin(), list[tuple[int, float]])
    assert_type(bike.ranks.zrandmember(), int | None)
    assert_type(bike.ranks.zrandmember(2), list[int])
    assert_type(bike.ranks.zrandmember(2, withscores=True), list[tuple[int, float]])
    assert_type(bike.prices.zrandmember(2, either), list[str] | list[tuple[str, float]])
    assert_type(bike.prices.zrangebylex("-", "+"), list[str])
    assert_type(bike.prices.zrange(0, -1), list[str])
    assert_type(bike.prices.zrange(0, -1, withscores=True), list[tuple[str, float]])
    assert_type(bike.prices.zrange(0, -1, withscores=either), list[str] | list[tuple[str, float]])
    assert_type(bike.prices.zrevrange(0, -1, True), list[tuple[str, float]])
    assert_type(bike.ranks.zrevrange(0, -1), list[int])
    assert_type(bike.ranks.zrangebyscore("-inf", 5, withscores=True), list[tuple[int, float]])
    assert_type(bike.ranks.zrangebyscore(1, 5, 0, 2), list[int])
    assert_type(bike.ranks.zrevrangebyscore(max=5, min=1), list[int])
    assert_type(bike.ranks.zrevrangebyscore(5, 1, withscores=True), list[tuple[int, float]])
    assert_type(bike.prices.zadd(a=1.5), int)
    assert_type(bike.prices.zadd({"a": 1.5}, incr=True), float | None)


def own(bike: Bike) -> None:
    assert_type(bike.own, BoundTags)
    assert_type(bike.own.has_all("a", "b"), bool)
    assert_type(bike.own.smembers(), set[str])
    assert_type(Bike.own, TagsField)
    assert_type(bike.own_day.redeem(), date | None)
    assert_type(bike.own_day.get(), date | None)
    bike.own.has_all(1)  # type: ignore[arg-type]


def refused(bike: Bike) -> None:
    bike.name.set("x", gett=True)  # type: ignore[call-overload]
    bike.tags.spop("2")  # type: ignore[call-overload]


def missing() -> None:
    try:
        Bike("1")
    except Bike.DoesNotExist as error:
        assert_type(error, DoesNotExist)


def mistakes(bike: Bike) -> None:
    bike.name = "x"  # type: ignore[assignment]
    bike.nmae = "x"  # type: ignore[attr-defined]
    bike.name.upper()  # type: ignore[attr-defined]
    bike.color + "x"  # type: ignore[operator]
    len(bike.tags)  # type: ignore[arg-type]
    list(bike.stops)  # type: ignore[call-overload]
    "a" in bike.tags  # type: ignore[operator]
    bike.stops[0]  # type: ignore[index]
    bike.name()  # type: ignore[operator]
    bike.save()  # type: ignore[attr-defined]
    Bike.objects  # type: ignore[attr-defined]
    InstanceHashField(indexible=True)  # type: ignore[call-arg]
    SetField(indexible=True)  # type: ignore[arg-type]
