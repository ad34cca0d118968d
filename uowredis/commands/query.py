"""A query as data: what to find, in which order, with which values, and the Redis calls for it (decide, pure)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.schema.index import IndexEntry
from uowredis.schema.keys import within
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: Stands for the random part of a temporary key where a query is only shown.
SHOWN = "<random>"


@attrs.frozen
class Filter:
    """One condition of a query: *field* holds the value whose index key is *key*."""

    field: FieldSchema
    key: str

    def holds(self, entries: Iterable[IndexEntry]) -> bool:
        """Return whether one of the index *entries* of an object is what is asked for."""
        return any(key == self.key for key, _, _ in entries)


@attrs.frozen
class Column:
    """One value of each object found.

    Attributes:
        name: under which it is returned.
        field: the field, None for the primary key.
        pattern: how SORT gets it.
    """

    name: str
    field: FieldSchema | None
    pattern: str

    @classmethod
    @functools.lru_cache(maxsize=4096)
    def of(cls, model: ModelSchema, name: str) -> Column:
        """Return the column of the simple field *name* of *model*; ``pk`` and its real name are the primary key."""
        if name in ("pk", model.pk_field):
            return cls(name, None, "#")
        field = model.fields[name]
        entry = field.stored if field.kind is Kind.ENTRY else None
        return cls(name, field, model.keys.pattern(field.storage, entry))


@attrs.frozen
class Order:
    """How what is found is ordered.

    Attributes:
        column: by which value; None: by primary key.
        alpha: compare as text, not as numbers.
        desc: the highest first.
        scores: pk to score, as text, of the sorted set whose scores count instead.
    """

    column: Column | None = None
    alpha: bool = False
    desc: bool = False
    scores: Mapping[str, str] | None = attrs.field(default=None, eq=False)


@attrs.frozen
class Query:
    """What is to be found.

    Attributes:
        filters: conditions on indexed fields, ANDed.
        sets: keys of sets and sorted sets of pks, ANDed; each with whether it is a sorted set.
        within: pks to choose from, None for all.
        order: how to order; None: any order.
        columns: the values wanted of each; none: its pk.
    """

    model: ModelSchema
    filters: tuple[Filter, ...] = ()
    sets: tuple[tuple[str, bool], ...] = ()
    within: frozenset[str] | None = None
    order: Order | None = None
    columns: tuple[Column, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys whose intersection is wanted: those of the filters, or all pks of the model."""
        keys = tuple(condition.key for condition in self.filters) or (self.model.keys.collection,)
        return (*keys, *(key for key, _ in self.sets))

    @property
    def scored(self) -> bool:
        """Whether one of the keys is a sorted set."""
        return any(scored for _, scored in self.sets)

    @property
    def names(self) -> frozenset[str]:
        """The fields on which the answer depends."""
        columns = [*self.columns, *([self.order.column] if self.order is not None and self.order.column else [])]
        fields = [condition.field for condition in self.filters] + [c.field for c in columns if c.field is not None]
        return frozenset(field.name for field in fields)

    def members(self) -> tuple[Call, ...]:
        """Return the calls that read the matching pks in any order: no temporary key, works on a read-only replica."""
        if self.within is not None:
            some = sorted(self.within)
            scored = {key for key, scored in self.sets if scored}
            return tuple(("ZMSCORE" if key in scored else "SMISMEMBER", key, *some) for key in self.keys)
        if self.scored:
            return (("ZINTER", str(len(self.keys)), *self.keys),)
        return (("SINTER", *self.keys) if len(self.keys) > 1 else ("SMEMBERS", *self.keys),)

    def members_of(self, replies: Sequence[Any]) -> list[str]:
        """Return the pks that the plain *replies* to :meth:`members` say."""
        if self.within is None:
            found: list[str] = replies[0]
            return found
        there = zip(sorted(self.within), *replies, strict=True)
        return [pk for pk, *marks in there if all(mark is not None and mark != 0 for mark in marks)]

    def sort(self, temporary: str, by: str | None, limit: tuple[int, int] | None, gets: Iterable[str]) -> Sorting:
        """Return the calls that sort on the server.

        Args:
            temporary: what begins the temporary keys, where more than one key is intersected.
            by: the pattern to sort by, "nosort", or None for the pk itself.
            limit: (offset, count).
            gets: patterns of the values to return.
        """
        before: list[Call] = []
        keys, key = self.keys, self.keys[0]
        temporaries = []
        if self.within is not None:
            temporaries.append(within(temporary))
            before.append(("SADD", temporaries[0], *sorted(self.within)))
            keys += (temporaries[0],)
        if len(keys) > 1:
            key = temporary
            temporaries.append(key)
            store = ("ZINTERSTORE", key, str(len(keys))) if self.scored else ("SINTERSTORE", key)
            before.append((*store, *keys))
        call = ["SORT", key, *(("BY", by) if by is not None else ())]
        if limit is not None:
            call += ["LIMIT", str(limit[0]), str(limit[1])]
        patterns = list(gets)
        # Primary keys alone are what SORT gives anyway; GET asks for rights on all keys.
        for pattern in patterns if patterns != ["#"] else ():
            call += ["GET", pattern]
        if self.order is not None and by != "nosort":
            call += (["DESC"] if self.order.desc else []) + (["ALPHA"] if self.order.alpha else [])
        after: tuple[Call, ...] = (("DEL", *temporaries),) if temporaries else ()
        return Sorting((*before, tuple(call), *after), len(before))


@attrs.frozen
class Sorting:
    """Calls of which one reply is the answer; several go in one transaction.

    Attributes:
        calls: to send.
        answer: position of the call whose reply is the answer.
    """

    calls: tuple[Call, ...]
    answer: int
