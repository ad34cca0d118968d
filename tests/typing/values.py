"""What a type checker sees of fields that have a type: never run, checked by mypy --strict."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, assert_type
from uuid import UUID, uuid4

from uowredis import (
    DateTime,
    HashField,
    InstanceHashField,
    Json,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)


class Color(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int


class Points:
    """A codec of one's own."""

    def encode(self, value: Point) -> str:
        return str(value.x)

    def decode(self, stored: str) -> Point:
        return Point(int(stored))


class Person(RedisModel):
    """A model with fields of many types."""

    database = RedisDatabase.embedded()
    id = PKField(type=UUID)
    name = InstanceHashField()
    born = InstanceHashField(type=date, indexable=True)
    token = StringField(type=UUID, default=uuid4)
    seen = StringField(type=DateTime(aware=True), default=lambda: datetime.now(UTC))
    color = InstanceHashField(type=Color)
    at = InstanceHashField(type=Points())
    anything = StringField(type=Json())
    points = ListField(type=Json(Point))
    visits = SetField(type=date)
    prices = HashField(type=Decimal)
    ranks = SortedSetField(type=int)


person = Person(id=uuid4())
assert_type(Person.born, InstanceHashField[date])
assert_type(Person.name, InstanceHashField)
assert_type(person.id.get(), UUID)
assert_type(person.name.hget(), str | None)
assert_type(person.born.hget(), date | None)
assert_type(person.born.get(), date | None)
assert_type(person.token.get(), UUID | None)
assert_type(person.token.getset(uuid4()), UUID | None)
assert_type(person.seen.get(), datetime | None)
assert_type(person.color.hget(), Color | None)
assert_type(person.at.hget(), Point | None)
assert_type(person.anything.get(), Any | None)
assert_type(person.points.lrange(0, -1), list[Point])
assert_type(person.points.lindex(0), Point | None)
assert_type(person.visits.smembers(), set[date])
assert_type(person.prices.hgetall(), dict[str, Decimal])
assert_type(person.prices.hget("a"), Decimal | None)
assert_type(person.prices.hmget("a"), list[Decimal | None])
assert_type(person.ranks.zscore(1), float | None)
assert_type(person.born.hset(date.min), int)
person.born.hset(None)  # type: ignore[arg-type]  # refused by the checker, as at run time
person.born.hset(uuid4())  # type: ignore[arg-type]
