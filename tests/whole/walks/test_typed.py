"""Typed fields in random sessions: what they give is what Python holds, what is stored and indexed is spelled right.

The truth is a dict of Python values per object, changed by Python; how a value is spelled is written here once more.
"""

from __future__ import annotations

import copy
import enum
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import base_on
from tests.tools.backends import Backend
from tests.tools.host import session_on
from tests.whole.walks.oracle import read
from uowredis import (
    HashField,
    InstanceHashField,
    Json,
    ListField,
    PKField,
    RedisDatabase,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
    aio,
)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


#: Two zones of one moment, and two spellings of one number, are one value.
MOMENTS = [
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 8, 34, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime(2025, 1, 2, tzinfo=UTC),
]
VALUES: dict[str, tuple[list[Any], Callable[[Any], str]]] = {
    "year": ([1965, 1965.0, 2026, -3, 0], lambda value: str(int(value))),
    "code": ([1, 2, 3.0], lambda value: str(int(value))),
    "price": ([Decimal("1.50"), Decimal("1.5"), Decimal(0), Decimal("-2")], lambda value: f"{value.normalize():f}"),
    "seen": (MOMENTS, lambda value: f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"),
    "color": (list(Color), lambda value: value.value),
    "owners": ([UUID(int=1), UUID(int=2)], str),
    "laps": ([timedelta(seconds=90), timedelta(0)], lambda value: str(int(value.total_seconds()))),
    "rides": ([date(2026, 1, 1), date(2025, 12, 31)], lambda value: value.isoformat()),
    "parts": ([True, False], lambda value: str(int(value))),
    "options": ([{"a": [1, None]}, [], "x", 7], lambda value: json.dumps(value, separators=(",", ":"))),
}
#: How each is stored: as a string, an entry of the hash, or of the type of Redis.
STORED = {
    "year": "entry",
    "code": "entry",
    "price": "string",
    "seen": "string",
    "color": "entry",
    "owners": "set",
    "laps": "list",
    "rides": "zset",
    "parts": "hash",
    "options": "entry",
}
INDEXED = ("year", "code", "price", "seen", "color", "owners", "laps", "rides", "parts")
PKS = [UUID(int=number) for number in range(3)]


def declare(on: RedisDatabase | aio.RedisDatabase) -> Any:
    """Declare a bike whose every field has a type."""

    class Bike(base_on(on)):  # type: ignore[misc]
        database = on
        id = PKField(type=UUID)
        year = InstanceHashField(type=int, indexable=True)
        code = InstanceHashField(type=int, unique=True)
        price = StringField(type=Decimal, indexable=True)
        seen = StringField(type=datetime, indexable=True)
        color = InstanceHashField(type=Color, indexable=True)
        owners = SetField(type=UUID, indexable=True)
        laps = ListField(type=timedelta, indexable=True)
        rides = SortedSetField(type=date, indexable=True)
        parts = HashField(type=bool, indexable=True)
        options = InstanceHashField(type=Json)

    return Bike


State = dict[UUID, dict[str, Any]]


@attrs.frozen
class Move:
    """One command on a field of one object, by Redis and by Python."""

    pk: UUID
    field: str
    name: str
    value: Any

    def by_redis(self, bike: Any) -> None:
        """Say it."""
        field, value = getattr(bike, self.field), self.value
        match self.name, STORED[self.field]:
            case "set", "entry":
                field.hset(value)
            case "set", "string":
                field.set(value)
            case "clear", "entry":
                field.hdel()
            case "clear", _:
                field.delete()
            case "add", "set":
                field.sadd(value)
            case "add", "list":
                field.rpush(value)
            case "add", "zset":
                field.zadd({value: 2})
            case "add", "hash":
                field.hset("bell", value)
            case "remove", "set":
                field.srem(value)
            case "remove", "list":
                field.lrem(0, value)
            case "remove", "zset":
                field.zrem(value)
            case "remove", "hash":
                field.hdel("bell")
            case "count", "entry":
                field.hincrby(2)
            case "count", _:
                field.incrbyfloat(Decimal("0.25"))

    def by_python(self, held: dict[str, Any]) -> None:
        """Do the same to *held*, what Python has of the object."""
        field, value = self.field, self.value
        match self.name, STORED[field]:
            case "set", _:
                held[field] = value
            case "clear", _:
                held.pop(field, None)
            case "add", "set":
                held.setdefault(field, set()).add(value)
            case "add", "list":
                held.setdefault(field, []).append(value)
            case "add", "zset":
                held.setdefault(field, {})[value] = 2.0
            case "add", "hash":
                held.setdefault(field, {})["bell"] = value
            case "remove", "set":
                held.get(field, set()).discard(value)
            case "remove", "list":
                held[field] = [each for each in held.get(field, []) if each != value]
            case "remove", "zset":
                held.get(field, {}).pop(value, None)
            case "remove", "hash":
                held.get(field, {}).pop("bell", None)
            case "count", "entry":
                held[field] = held.get(field, 0) + 2
            case "count", _:
                held[field] = held.get(field, Decimal(0)) + Decimal("0.25")
        if STORED[field] not in ("entry", "string") and not held.get(field):
            held.pop(field, None)


@st.composite
def moves(draw: Any) -> Move:
    """Draw one command."""
    field = draw(st.sampled_from(list(STORED)))
    if STORED[field] in ("entry", "string"):
        names = ["set", "set", "clear", *(["count"] if field in ("year", "price") else [])]
    else:
        names = ["add", "add", "remove", "clear"]
    return Move(
        draw(st.sampled_from(PKS)), field, draw(st.sampled_from(names)), draw(st.sampled_from(VALUES[field][0]))
    )


@st.composite
def creations(draw: Any) -> dict[str, Any]:
    """Draw what a new object begins with; None is as good as left out."""
    values: dict[str, Any] = {}
    for field in draw(st.sets(st.sampled_from(["year", "price", "seen", "color", "options", "owners", "laps"]))):
        value = draw(st.sampled_from(VALUES[field][0]))
        many = STORED[field] in ("set", "list")
        values[field] = [value] if many else draw(st.sampled_from([value, value, None]))
    return values


def begun(values: dict[str, Any]) -> dict[str, Any]:
    """Return what Python has of an object that was created with *values*."""
    held = {field: value for field, value in values.items() if value is not None}
    return held | ({"owners": set(held["owners"])} if "owners" in held else {})


def seen(bike: Any) -> dict[str, Any]:
    """Return what the library gives of an object, with what is empty left out."""
    single = {"price": bike.price.get(), "seen": bike.seen.get()}
    many = {
        "owners": bike.owners.smembers(),
        "laps": bike.laps.lrange(0, -1),
        "rides": dict(bike.rides.zrange(0, -1, withscores=True)),
        "parts": bike.parts.hgetall(),
    }
    there = {field: value for field, value in single.items() if value is not None}
    return bike.hgetall() | there | {field: value for field, value in many.items() if value}


def stored(state: State) -> dict[bytes, Any]:
    """Return the whole data of *state*, spelled."""
    data: dict[bytes, Any] = {}
    index: dict[bytes, set[bytes]] = defaultdict(set)
    for pk, held in state.items():
        index[b":bike:collection"].add(str(pk).encode())
        for field, value in held.items():
            spell = lambda each, field=field: VALUES[field][1](each)  # noqa: E731
            key = f":bike:{pk}:{'hash' if STORED[field] == 'entry' else field}".encode()
            match STORED[field]:
                case "entry":
                    data.setdefault(key, {})[field.encode()] = spell(value).encode()
                    entries = [spell(value)]
                case "string":
                    data[key] = spell(value).encode()
                    entries = [spell(value)]
                case "set":
                    data[key] = {spell(each).encode() for each in value}
                    entries = [spell(each) for each in value]
                case "list":
                    data[key] = [spell(each).encode() for each in value]
                    entries = [spell(each) for each in value]
                case "zset":
                    scored = sorted((score, spell(each)) for each, score in value.items())
                    data[key] = [(each.encode(), score) for score, each in scored]
                    entries = [spell(each) for each in value]
                case _:
                    data[key] = {entry.encode(): spell(each).encode() for entry, each in value.items()}
                    entries = [f"{entry}:{spell(each)}" for entry, each in value.items()]
            for entry in entries if field in INDEXED else ():
                index[f":bike:{field}:{entry}".encode()].add(str(pk).encode())
    return data | index


def check_questions(bikes: Any, state: State) -> None:
    """Check that filters find what Python's equality finds."""
    for field in ("year", "price", "seen", "color", "code"):
        for value in VALUES[field][0]:
            found = {pk for pk, held in state.items() if field in held and held[field] == value}
            assert found == set(bikes.collection(**{field: value}))
    for field in ("owners", "laps", "rides"):
        for value in VALUES[field][0]:
            found = {pk for pk, held in state.items() if value in held.get(field, ())}
            assert found == set(bikes.collection(**{field: value}))
    rows = {row["pk"]: row["year"] for row in bikes.collection().values("pk", "year")}
    assert {pk: held.get("year") for pk, held in state.items()} == rows


@pytest.mark.parametrize("way", ["session", "alone"])
@settings(max_examples=settings.default.max_examples // 3)
@given(data=st.data())
def test_typed_fields_are_what_python_holds(server: Backend, way: str, data: Any) -> None:
    """Over pending writes, after a rollback of a part, after the commit; on the server every spelling is right."""
    bikes_and_python(server, declare(server.database()), way, data)


def bikes_and_python(server: Backend, bikes: Any, way: str, data: Any) -> None:
    """Do the same to *bikes* and to Python's objects, and compare."""
    server.flush()
    state: State = {}
    for _ in range(data.draw(st.integers(1, 2))):
        if way == "alone":
            walk(bikes, state, data)
        else:
            with session_on(bikes.database) as session:
                walk(bikes, state, data)
                check(bikes, state)
                kept = copy.deepcopy(state)
                with session.savepoint() as part:
                    walk(bikes, state, data)
                    check(bikes, state)
                    if data.draw(st.booleans()):
                        part.rollback()
                        state.clear()
                        state.update(kept)
                        check(bikes, state)
                session.commit()
        check(bikes, state)
        assert stored(state) == read(server.client())


def walk(bikes: Any, state: State, data: Any) -> None:
    """Create, change and delete a few objects, by Redis and by Python."""
    for _ in range(data.draw(st.integers(1, 6))):
        move = data.draw(moves())
        held = state.get(move.pk)
        if held is None:
            values = data.draw(creations())
            bikes(id=move.pk, **values)
            state[move.pk] = begun(values)
        elif data.draw(st.integers(0, 9)) == 0:
            bikes(move.pk).delete()
            del state[move.pk]
        elif move.field == "code" and move.name == "set" and taken(state, move):
            with pytest.raises(UniquenessError):
                check_refused(bikes, move)
        else:
            move.by_redis(bikes(move.pk))
            move.by_python(held)


def taken(state: State, move: Move) -> bool:
    """Return whether another object holds the unique value."""
    return any(pk != move.pk and held.get("code") == move.value for pk, held in state.items())


def check_refused(bikes: Any, move: Move) -> None:
    """Say it in a part of its own, whose plan is refused."""
    session = bikes.database.session
    if session is None:
        move.by_redis(bikes(move.pk))
        return
    with session.savepoint() as part:
        move.by_redis(bikes(move.pk))
        try:
            session.plan()
        finally:
            part.rollback()


def check(bikes: Any, state: State) -> None:
    """Check that all that can be asked is what Python has."""
    assert set(state) == set(bikes.collection())
    for pk, held in state.items():
        assert held == seen(bikes(pk))
    check_questions(bikes, state)
