"""Indexes that know larger and smaller values (declare): sorted sets of numbers, and of texts."""

from __future__ import annotations

import functools
import math
from typing import ClassVar, TypeVar

from uowredis.schema.index import EQUALITY, Index, IndexEntry
from uowredis.schema.keys import Keys, member, member_of
from uowredis.schema.lookup import Lookup, NumberSpan, Span, TextSpan

S = TypeVar("S", bound=Span)

#: The last parts of keys of range indexes, as they are, and those of dates.
RANGE_KEYS = ("number-range", "text-range", "date", "time", "full")

#: What filters ask of order.
ORDER = frozenset(("lt", "lte", "gt", "gte"))


class RangeIndex(Index):
    """What both have in common: one key for all values."""

    redis_type = "zset"
    suffixes = EQUALITY | ORDER
    #: Stands in members between value and primary key.
    separator: ClassVar[str]

    def owns(self, keys: Keys, key: str) -> bool:
        """Return whether *key* is that of this index."""
        return keys.ends_with(self.field.stored, key, self.tail, by_entry=self.by_entry)

    def _key(self, keys: Keys, entry: str) -> str:
        parts = (entry, *self.tail) if self.by_entry else self.tail
        return keys.index(self.field.stored, *parts)


class NumberRangeIndex(RangeIndex):
    """Finds objects by numbers: a sorted set of primary keys, each with its number as score (ZADD, ZREM).

    Numbers are compared as Redis compares scores, as floats of 64 bits: integers beyond 2**53 lose digits. Fields with
    many values have a member for each value, since a sorted set has one score for each.

    Filters: ``field=``, ``field__eq=``, ``__in``, ``__lt``, ``__lte``, ``__gt``, ``__gte``.

    Attributes:
        raise_if_not_float: refuse what is no number, which else counts as 0.
    """

    key = "number-range"
    called = "number"
    separator = "NUMBER-RANGE-SEPARATOR"
    raise_if_not_float: ClassVar[bool] = False
    configurable = (*Index.configurable, "raise_if_not_float")

    @property
    def picky(self) -> bool:
        """Whether there are values that it cannot index."""
        return super().picky or self.raise_if_not_float

    def entry(self, keys: Keys, entry: str, value: str, pk: str) -> IndexEntry:
        """Return the entry with the number of *value* as score.

        Raises:
            ValueError: for what is no number, where that is refused.
        """
        known = type(value) is str
        score = score_of(value) if known else value
        if score is None and self.raise_if_not_float:
            raise ValueError(f"{value!r} is no number")
        held = member(value, self.separator, pk) if self._in_pairs else pk
        return self._key(keys, entry), held, score or "0"

    @functools.cached_property
    def _in_pairs(self) -> bool:
        """Whether one object may have several members."""
        return not self.field.one_each

    def pk_in(self, member: str) -> str:
        """Return the primary key in a *member*."""
        return member_of(member, self.separator)[1] if self._in_pairs else member

    def lookup(self, keys: Keys, entry: str, suffix: str, values: tuple[str, ...]) -> tuple[Lookup, ...]:
        """Return how objects are found, one lookup for each of *values*.

        Raises:
            ValueError: for what is no number.
        """
        for value in values:
            if type(value) is str and score_of(value) is None:
                raise ValueError(f"{value!r} is no number")
        return _lookups(NumberSpan, self._key(keys, entry), suffix, values, self.separator if self._in_pairs else "")


class TextRangeIndex(RangeIndex):
    """Finds objects by texts: one sorted set of all of them, each with its primary key (ZADD, ZREM).

    Text is compared by the bytes of its UTF-8, as Redis and ``sorted()`` do.

    Filters: ``field=``, ``field__eq=``, ``__in``, ``__lt``, ``__lte``, ``__gt``, ``__gte``, ``__startswith``.
    """

    key = "text-range"
    called = "text"
    separator = "TEXT-RANGE-SEPARATOR"
    suffixes = EQUALITY | ORDER | {"startswith"}

    def entry(self, keys: Keys, entry: str, value: str, pk: str) -> IndexEntry:
        """Return the entry with *value* and *pk* as member."""
        return self._key(keys, entry), member(value, self.separator, pk), "0"

    def pk_in(self, member: str) -> str:
        """Return the primary key in a *member*."""
        return member_of(member, self.separator)[1]

    def lookup(self, keys: Keys, entry: str, suffix: str, values: tuple[str, ...]) -> tuple[Lookup, ...]:
        """Return how objects are found, one lookup for each of *values*."""
        return _lookups(TextSpan, self._key(keys, entry), suffix, values, self.separator)


def _lookups(kind: type[S], key: str, suffix: str, values: tuple[str, ...], separator: str) -> tuple[S, ...]:
    word, found = "eq" if suffix in EQUALITY else suffix, []
    for value in dict.fromkeys(values):
        found.append(kind(key, ((word, value),), separator))
    return tuple(found)


def score_of(value: str) -> str | None:
    """Return the number that *value* is, as Redis takes it, None for none."""
    try:
        return None if math.isnan(float(value)) else spelled_score(value)
    except ValueError:
        return None


def spelled_score(score: str) -> str:
    """Return the one spelling that entries have of a *score*; versions of Redis differ in theirs."""
    # Adding 0 makes 0 of -0.
    return repr(float(score) + 0).removesuffix(".0")
