"""The types that fields know, with what their values are drawn from, for tests that hold of all of them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
from hypothesis import strategies as st

from uowredis import DateTime, Json


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 2
    LARGE = 10


class Letter(enum.StrEnum):
    A = "a"
    B = "b"


@attrs.frozen
class Point:
    x: int
    when: datetime
    price: Decimal


class Points:
    """A codec of one's own that stores bytes."""

    binary = True

    def encode(self, value: complex) -> bytes:
        return f"{value.real!r} {value.imag!r}".encode("utf-16")

    def decode(self, stored: bytes) -> complex:
        real, imaginary = stored.decode("utf-16").split()
        return complex(float(real), float(imaginary))


@attrs.frozen
class Family:
    """One type.

    Attributes:
        type: what a field is declared with.
        values: some of them.
        ordered: what sorts them as Redis does, None where they have no order.
    """

    type: Any
    values: st.SearchStrategy[Any]
    ordered: Callable[[Any], Any] | None = lambda value: value


_zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=11))])
_aware = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=_zones)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
).filter(lambda value: value is not None)
# Redis compares numbers as doubles.
_integers = st.integers(-(2**53), 2**53)
_decimals = st.decimals(-(10**9), 10**9, places=4)

FAMILIES: dict[str, Family] = {
    "str": Family(str, st.text(), lambda value: value.partition("\0")[0].encode()),
    "bytes": Family(bytes, st.binary(), lambda value: value.partition(b"\0")[0]),
    "int": Family(int, _integers | _integers.map(lambda value: float(value))),
    "float": Family(float, st.floats(allow_nan=False, allow_subnormal=False) | st.integers(-(2**53), 2**53)),
    "Decimal": Family(Decimal, _decimals),
    "bool": Family(bool, st.booleans()),
    "date": Family(date, st.dates()),
    "naive": Family(datetime, st.datetimes()),
    "aware": Family(datetime, _aware),
    "DateTime": Family(DateTime(aware=True), _aware),
    "time": Family(time, st.times()),
    "timedelta": Family(timedelta, st.timedeltas(timedelta(days=-9999), timedelta(days=9999))),
    "UUID": Family(UUID, st.uuids()),
    "Enum": Family(Color, st.sampled_from(Color), lambda value: value.value),
    "IntEnum": Family(Size, st.sampled_from(Size)),
    "StrEnum": Family(Letter, st.sampled_from(Letter)),
    "Json": Family(Json, _json, None),
    "Json(of)": Family(Json(Point), st.builds(Point, st.integers(), _aware, _decimals), None),
    "own": Family(
        Points(), st.complex_numbers(allow_nan=False, allow_infinity=False).map(lambda value: value + 0), None
    ),
}
