"""Dates, times and spans (decide, pure): of one width, so that the order of their bytes is that of time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from uowredis.values.value_type import ValueType, wrong

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?\Z")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
)
_SPAN = re.compile(r"-?[0-9]+(\.[0-9]{1,6})?\Z")
_MICROSECOND = timedelta(microseconds=1)


def _spell_date(value: Any) -> str:
    # A datetime is a date to Python, and equal to none.
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong(value, "date", ".date()" if isinstance(value, datetime) else "date.fromisoformat(...)")
    return date.isoformat(value)


def _read_date(stored: str) -> date:
    if not _DATE.match(stored):
        raise ValueError("it is no date as YYYY-MM-DD")
    return date.fromisoformat(stored)


def _spell_time(value: Any) -> str:
    if not isinstance(value, time):
        raise wrong(value, "time", ".time()" if isinstance(value, datetime) else "time.fromisoformat(...)")
    if value.tzinfo is not None:
        raise ValueError("a time with a zone has no order without its day. Way out: .replace(tzinfo=None)")
    return time.isoformat(value, "microseconds")


def _read_time(stored: str) -> time:
    if not _TIME.match(stored):
        raise ValueError("it is no time as HH:MM:SS.ffffff")
    return time.fromisoformat(stored)


def _spell_moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise wrong(value, "datetime", "datetime.fromisoformat(...)")
    if value.utcoffset() is None:
        return datetime.isoformat(value.replace(tzinfo=None), timespec="microseconds")
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is no date in UTC") from None
    return datetime.isoformat(moment.replace(tzinfo=None), timespec="microseconds") + "Z"


def _read_moment(stored: str) -> datetime:
    if not _MOMENT.match(stored):
        raise ValueError("it is no moment as YYYY-MM-DDTHH:MM:SS.ffffff, with Z behind it where it is UTC")
    found = datetime.fromisoformat(stored)
    return found if found.tzinfo is None else found.astimezone(UTC)


def _spell_span(value: Any) -> str:
    if not isinstance(value, timedelta):
        raise wrong(value, "timedelta", "timedelta(seconds=...)")
    # Exact: total_seconds() is a float.
    seconds, parts = divmod(abs(value) // _MICROSECOND, 1_000_000)
    spelled = f"{seconds}.{parts:06}".rstrip("0") if parts else f"{seconds}"
    return f"-{spelled}" if value < timedelta() else spelled


def _read_span(stored: str) -> timedelta:
    if not _SPAN.match(stored):
        raise ValueError("it is no span in seconds")
    return int(Decimal(stored).scaleb(6)) * _MICROSECOND


DATE = ValueType("date", _spell_date, _read_date)
TIME = ValueType("time", _spell_time, _read_time)
MOMENT = ValueType("datetime", _spell_moment, _read_moment)
SPAN = ValueType("timedelta", _spell_span, _read_span, by_number=True)


class DateTime:
    """The datetimes of a field that takes only those with a time zone, or only those without.

    Args:
        aware: True refuses those without a time zone, False those with one.
    """

    def __init__(self, *, aware: bool) -> None:
        if not isinstance(aware, bool):
            raise TypeError(f"DateTime: aware must be True or False, not {aware!r}. Way out: type=datetime for both")
        self._aware = aware
        self.value_type = ValueType("datetime", self.encode, self.decode)

    def encode(self, value: Any) -> str:
        """Return how *value* is stored."""
        spelled = _spell_moment(value)
        self._check(spelled)
        return spelled

    def decode(self, stored: str) -> datetime:
        """Return the datetime that is *stored*."""
        found = _read_moment(stored)
        self._check("" if found.tzinfo is None else "Z")
        return found

    def _check(self, spelled: str) -> None:
        if spelled.endswith("Z") is not self._aware:
            way = "datetime.now(UTC)" if self._aware else ".replace(tzinfo=None)"
            raise ValueError(f"it must be a datetime {'with' if self._aware else 'without'} time zone. Way out: {way}")
