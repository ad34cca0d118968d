"""People with every kind of index, and the truth about them: read by plain redis-py, judged by Python alone.

What is stored, what an index must hold of it, and who fulfils a question are each written here once more; nothing is
shared with the library but the names of fields.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import redis

from tests.models import base_on
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    RedisDatabase,
    SetField,
    SortedSetField,
    StringField,
    aio,
)
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex

#: Texts that are ordered another way where a separator follows them.
TEXTS = ["", "a", "a b", "a1", "a:", "a:b", "aé", "b", "1", "10", "a!", "\udcff", "A", "ab", "a:TEXT-RANGE-SEPARATOR:b"]
NUMBERS = ["0", "-1", "1", "2", "2.5", "10", "1e3", "-0.5"]
DAYS = [date(2015, 1, 1) + timedelta(days=each) for each in (0, 1, 30, 31, 366)]

#: How each field is stored: the Redis type, and whether its values are told apart as numbers, texts or days.
FIELDS: dict[str, tuple[str, str]] = {
    "name": ("entry", "text"),
    "born": ("entry", "number"),
    "joined": ("entry", "day"),
    "code": ("string", "text"),
    "price": ("string", "number"),
    "tags": ("set", "text"),
    "marks": ("list", "number"),
    "ranks": ("zset", "text"),
    "sizes": ("hash", "number"),
}
SINGLE = ("name", "born", "joined", "code", "price")
NONES = ("name", "price", "tags", "marks", "ranks", "sizes")
#: What may be asked of each.
EQUAL = ("", "eq", "in")
ORDER = ("lt", "lte", "gt", "gte")
ASKED: dict[str, tuple[str, ...]] = {
    "name": (*EQUAL, *ORDER, "startswith", "isnull"),
    "born": (*EQUAL, *ORDER),
    "joined": (*EQUAL, *ORDER, "startswith"),
    "code": (*EQUAL, *ORDER, "startswith"),
    "price": (*EQUAL, *ORDER, "isnull"),
    "tags": (*EQUAL, *ORDER, "startswith", "isnull"),
    "marks": (*EQUAL, *ORDER, "isnull"),
    "ranks": (*EQUAL, "low", "low__in", "low__eq", "isnull"),
    "sizes": (*EQUAL, *ORDER, "isnull"),
}


def people(on: RedisDatabase | aio.RedisDatabase) -> Any:
    """Declare ``Person``."""

    class Person(base_on(on)):  # type: ignore[misc]
        database = on
        name = InstanceHashField(indexable=True, indexes=[EqualIndex, TextRangeIndex], none=True)
        born = InstanceHashField(type=int, indexable="range")
        joined = InstanceHashField(type=date, indexable="range")
        code = StringField(indexable=True, indexes=[TextRangeIndex])
        price = StringField(indexable=True, indexes=[NumberRangeIndex], none=True)
        tags = SetField(indexable=True, indexes=[EqualIndex, TextRangeIndex], none=True)
        marks = ListField(indexable=True, indexes=[NumberRangeIndex], none=True)
        ranks = SortedSetField(
            indexable=True, indexes=[EqualIndex, EqualIndex.configure(prefix="low", transform=str.lower)], none=True
        )
        sizes = HashField(indexable=True, indexes=[EqualIndex, NumberRangeIndex], none=True)

    return Person


# What is there.

Stored = dict[str, dict[str, list[tuple[str, str]]]]


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def stored(client: redis.Redis) -> Stored:
    """Return what is stored of each person: primary key to field to its (entry, value) pairs."""
    found: Stored = {}
    for pk in map(text, client.smembers(":person:collection")):
        values = found[pk] = {}
        hashed = {text(entry): text(value) for entry, value in client.hgetall(f":person:{pk}:hash").items()}
        for field, (kind, _) in FIELDS.items():
            key = f":person:{pk}:{field}"
            match kind:
                case "entry":
                    values[field] = [("", hashed[field])] if field in hashed else []
                case "string":
                    values[field] = [("", text(raw)) for raw in [client.get(key)] if raw is not None]
                case "set":
                    values[field] = [("", text(raw)) for raw in client.smembers(key)]
                case "list":
                    values[field] = [("", text(raw)) for raw in client.lrange(key, 0, -1)]
                case "zset":
                    values[field] = [("", text(raw)) for raw in client.zrange(key, 0, -1)]
                case "hash":
                    values[field] = [(text(entry), text(raw)) for entry, raw in client.hgetall(key).items()]
    return found


def entitled(people: Stored) -> dict[str, dict[str, float]]:
    """Return the index keys that *people* are entitled to, each member with its score, 0 in a set."""
    keys: dict[str, dict[str, float]] = defaultdict(dict)

    def number(value: str) -> float:
        try:
            return float(value)
        except ValueError:
            return 0

    for pk, values in people.items():
        for field, found in values.items():
            for entry, value in found:
                opening = f":person:{field}:" + (f"{entry}:" if field == "sizes" else "")
                if field not in ("code", "price", "marks"):
                    keys[opening + value][pk] = 0
                if field in ("name", "joined", "code", "tags"):
                    keys[opening + "text-range"][f"{value}:TEXT-RANGE-SEPARATOR:{pk}"] = 0
                if field in ("born", "price", "sizes"):
                    keys[opening + "number-range"][pk] = number(value)
                if field == "marks":
                    keys[opening + "number-range"][f"{value}:NUMBER-RANGE-SEPARATOR:{pk}"] = number(value)
                if field == "ranks":
                    keys[opening + "low:" + value.lower()][pk] = 0
        for field in NONES:
            if not values[field]:
                keys[f":person:__none__:{field}"][pk] = 0
    return dict(keys)


def indexed(client: redis.Redis) -> dict[str, dict[str, float]]:
    """Return the index keys that are there."""
    found: dict[str, dict[str, float]] = {}
    for raw in client.scan_iter(count=1000):
        key = text(raw)
        if key.startswith((*(f":person:{field}:" for field in FIELDS), ":person:__none__:")):
            if client.type(raw) == b"zset":
                found[key] = {text(member): score for member, score in client.zrange(raw, 0, -1, withscores=True)}
            else:
                found[key] = {text(member): 0 for member in client.smembers(raw)}
    return found


# Who is asked for.

Question = tuple[str, Any]


def questions(random: Random) -> Iterator[Question]:
    """Yield a filter, or several: the name and the value."""
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        field = random.choice(list(ASKED))
        asked = random.choice(ASKED[field])
        name = field if field != "sizes" or asked == "isnull" else f"sizes__{random.choice('xy')}"
        value: Any = bool(random.randrange(2)) if asked == "isnull" else one(random, field)
        if asked.endswith("in"):
            value = [one(random, field) for _ in range(random.randrange(4))]
            if field in NONES and field != "sizes" and "low" not in asked and not random.randrange(4):
                value.append(None)
        elif asked == "startswith":
            value = random.choice(["", "a", "a:", "1", "2015-01"])
        elif asked in ("", "eq") and field in NONES and field != "sizes" and not random.randrange(4):
            value = None
        yield "__".join(filter(None, (name, asked))), value


def one(random: Random, field: str) -> Any:
    match FIELDS[field][1]:
        case "text":
            return random.choice(TEXTS)
        case "day":
            return random.choice(DAYS)
    number = random.choice(NUMBERS)
    return int(float(number)) if field == "born" else number


COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "eq": operator.eq,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def fulfils(values: dict[str, list[tuple[str, str]]], name: str, asked: Any) -> bool:
    """Return whether one who holds *values* is found by a filter."""
    field, *rest = name.split("__")
    entry = rest.pop(0) if field == "sizes" and rest != ["isnull"] else None
    found = [value for own, value in values[field] if entry in (None, own)]
    lowered = rest[:1] == ["low"]
    if lowered:
        rest, found = rest[1:], [value.lower() for value in found]
    word = rest[0] if rest else ""
    if word == "isnull":
        return asked is not bool(found)
    if word in ("", "eq") and asked is None:
        return not found
    if word == "in":
        return any(
            fulfils(values, "__".join([field, *filter(None, [entry]), *(["low"] * lowered)]), each) for each in asked
        )
    if word == "startswith":
        return any(encoded(value).startswith(encoded(asked)) for value in found)
    return any(COMPARED[word](comparable(field, value, word), comparable(field, asked, word)) for value in found)


def comparable(field: str, value: Any, word: str) -> Any:
    """Return what of a value, stored or asked for, is compared: bytes, or a number where numbers are indexed."""
    if FIELDS[field][1] == "number" and not (field == "sizes" and word in ("", "eq")):
        return float(value)
    return encoded(value.isoformat() if isinstance(value, date) else str(value))


def encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


# What is said.

#: Commands whose result depends on what is there.
COMPUTED: dict[str, Callable[[Any], Any]] = {
    "name": lambda person: person.name.hsetnx("a b"),
    "born": lambda person: person.born.hincrby(3),
    "code": lambda person: person.code.append(":"),
    "price": lambda person: person.price.incrbyfloat(0.5),
    "tags": lambda person: person.tags.spop(),
    "marks": lambda person: person.marks.ltrim(0, 1),
    "ranks": lambda person: person.ranks.zincrby(1, "A"),
    "sizes": lambda person: person.sizes.hincrbyfloat("x", 1.5),
}


def change(random: Random, model: Any, pks: list[str]) -> None:
    """Create, change or delete somebody."""
    what = random.randrange(10)
    if what < 2 or not pks:
        model(**{field: several(random, field) for field in FIELDS if random.randrange(2)})
        return
    person = model(random.choice(pks))
    if what == 2 and len(pks) > 3:
        pks.remove(person.pk.get())
        person.delete()
        return
    field = random.choice(list(FIELDS))
    bound, value = getattr(person, field), several(random, field)
    if not random.randrange(4) and field in COMPUTED:
        COMPUTED[field](person)
        return
    match FIELDS[field][0], random.randrange(4):
        case "entry" | "string", 0:
            bound.delete()
        case "entry" | "string", _:
            bound.set(value)
        case "set", 0:
            bound.srem(*value)
        case "set", _:
            bound.sadd(*value)
        case "list", 0:
            bound.lrem(0, value[0])
        case "list", 1:
            bound.lpop()
        case "list", _:
            bound.rpush(*value)
        case "zset", 0:
            bound.zrem(*value)
        case "zset", _:
            bound.zadd(value)
        case "hash", 0:
            bound.hdel("x")
        case "hash", _:
            bound.hset(mapping=value)


def several(random: Random, field: str) -> Any:
    """Return what a field of a person may hold."""
    kind = FIELDS[field][0]
    values = [one(random, field) for _ in range(random.randrange(1, 4))]
    if kind in ("entry", "string"):
        return values[0]
    if kind == "hash":
        return dict(zip("xyz", values, strict=False))
    return dict.fromkeys(values, 1.0) if kind == "zset" else values
