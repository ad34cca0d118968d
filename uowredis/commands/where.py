"""What objects are wanted, as data (decide, pure): conditions, and how they are put together.

A condition tells who is wanted in one of four ways, by: what an index holds (``Filter``), a set of primary keys on the
server (``Members``), primary keys that are known (``Given``), or no matter what (``Everything``). ``All``, ``Either``
and ``Without`` put them together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

import attrs

from uowredis.schema.index import IndexEntry
from uowredis.schema.lookup import Among, Lookup, Span
from uowredis.schema.models import FieldSchema


@attrs.frozen
class Filter:
    """The objects that an index of *field* holds where it is looked up.

    Attributes:
        read: what a span was found to hold, by primary key, where that was read first.
    """

    field: FieldSchema
    lookup: Lookup
    read: Mapping[str, Collection[str]] | None = attrs.field(default=None, eq=False)

    def holds(self, entries: Iterable[IndexEntry]) -> bool:
        """Return whether one of the index *entries* of an object is what is asked for."""
        return any(self.lookup.holds(*entry) for entry in entries)

    @property
    def key(self) -> str | None:
        """The one set, or sorted set, that holds all of them, None where there is no such set."""
        return self.lookup.keys[0] if isinstance(self.lookup, Among) and len(self.lookup.keys) == 1 else None

    @property
    def span(self) -> Span | None:
        """The span that is yet to be read, None where there is none."""
        return self.lookup if self.read is None and isinstance(self.lookup, Span) else None

    def narrowed(self, span: Span) -> Filter:
        """Return the condition of what lies in this one's span, and in the other *span* of the same index."""
        assert isinstance(self.lookup, Span)
        return Filter(self.field, self.lookup.narrowed(span))


@attrs.frozen
class Members:
    """The objects whose primary keys are in the set, or sorted set, *key*."""

    key: str
    scored: bool = False


@attrs.frozen
class Given:
    """The objects with these primary keys."""

    pks: frozenset[str]


@attrs.frozen
class Everything:
    """All objects; their primary keys are the set *key*."""

    key: str


@attrs.frozen
class All:
    """What fulfils each of *parts*, one at least."""

    parts: tuple[Condition, ...]


@attrs.frozen
class Either:
    """What fulfils one of *parts*; none of them: nothing."""

    parts: tuple[Condition, ...]


@attrs.frozen
class Without:
    """What fulfils *wanted*, and not *unwanted*."""

    wanted: Condition
    unwanted: Condition


Leaf: TypeAlias = Filter | Members | Given | Everything
Condition: TypeAlias = Leaf | All | Either | Without

_COMBINED = All, Either, Without


def all_of(parts: Iterable[Condition]) -> Condition:
    """Return what fulfils each of *parts*: known primary keys as one condition, spans of one index as one."""
    flat: list[Condition] = []
    given: list[frozenset[str]] = []
    spans: dict[str, Filter] = {}
    for said in parts:
        for part in said.parts if isinstance(said, All) else (said,):
            if isinstance(part, Given):
                given.append(part.pks)
            elif isinstance(part, Filter) and (span := part.span) is not None and part.field.one_each:
                known = spans.get(span.key)
                spans[span.key] = part if known is None else known.narrowed(span)
            else:
                flat.append(part)
    found: list[Condition] = [*flat, *spans.values()]
    if given:
        found.append(Given(frozenset.intersection(*given)))
    return found[0] if len(found) == 1 else All(tuple(found))


def leaves(condition: Condition) -> list[Leaf]:
    """Return the conditions that *condition* is put together of."""
    if not isinstance(condition, _COMBINED):
        return [condition]
    if isinstance(condition, Without):
        return [*leaves(condition.wanted), *leaves(condition.unwanted)]
    found: list[Leaf] = []
    for part in condition.parts:
        if isinstance(part, _COMBINED):
            found += leaves(part)
        else:
            found.append(part)
    return found


def filters(condition: Condition) -> list[Filter]:
    """Return the filters among the leaves of *condition*."""
    return [leaf for leaf in leaves(condition) if isinstance(leaf, Filter)]


def spans_of(condition: Condition) -> list[tuple[Filter, Span]]:
    """Return the spans that are yet to be read, each with its filter among the leaves of *condition*."""
    found = []
    for leaf in leaves(condition):
        if isinstance(leaf, Filter) and (span := leaf.span) is not None:
            found.append((leaf, span))
    return found


def changed(condition: Condition, change: Callable[[Leaf], Condition]) -> Condition:
    """Return *condition* with each leaf as *change* makes it."""
    match condition:
        case All(parts):
            return all_of([changed(part, change) for part in parts])
        case Either(parts):
            return Either(tuple([changed(part, change) for part in parts]))
        case Without(wanted, unwanted):
            return Without(changed(wanted, change), changed(unwanted, change))
        case _:
            return change(condition)


def fulfils(condition: Condition, fulfilled: Callable[[Leaf], bool]) -> bool:
    """Return whether an object is wanted, for which each leaf is *fulfilled* or not."""
    match condition:
        case All(parts):
            return all(fulfils(part, fulfilled) for part in parts)
        case Either(parts):
            return any(fulfils(part, fulfilled) for part in parts)
        case Without(wanted, unwanted):
            return fulfils(wanted, fulfilled) and not fulfils(unwanted, fulfilled)
        case _:
            return fulfilled(condition)


def combined(condition: Condition, found: Mapping[Leaf, frozenset[str]]) -> frozenset[str]:
    """Return the primary keys that are wanted, of those *found* for each leaf."""
    match condition:
        case All(parts):
            return functools.reduce(frozenset.intersection, [combined(part, found) for part in parts])
        case Either(parts):
            return frozenset[str]().union(*(combined(part, found) for part in parts))
        case Without(wanted, unwanted):
            return combined(wanted, found) - combined(unwanted, found)
        case _:
            return found[condition]


def known(condition: Condition) -> frozenset[str] | None:
    """Return primary keys that are known and among which all is that is wanted, None where nothing is known."""
    # Asked of each query; patterns of classes take longer.
    if isinstance(condition, Filter):
        if condition.read is not None:
            return frozenset(condition.read)
        return frozenset() if isinstance(condition.lookup, Among) and not condition.lookup.keys else None
    match condition:
        case Given(pks):
            return pks
        case All(parts):
            among = [some for part in parts if (some := known(part)) is not None]
            return functools.reduce(frozenset.intersection, among) if among else None
        case Either(parts):
            ways = []
            for part in parts:
                if (some := known(part)) is None:
                    return None
                ways.append(some)
            return frozenset[str]().union(*ways)
        case Without(wanted):
            return known(wanted)
        case _:
            return None
