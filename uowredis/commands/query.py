"""A query as data: what to find, in which order, with which values, and the Redis calls for it (decide, pure)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping

import attrs

from uowredis.commands.asking import Asked, Storing, by_leaf, marks
from uowredis.commands.calls import Call
from uowredis.commands.where import All, Condition, Everything, Filter, Members, filters, known
from uowredis.schema.lookup import Among, NumberSpan
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: Stands for the random part of a temporary key where a query is only shown.
SHOWN = "<random>"


@attrs.frozen(cache_hash=True)
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

    @functools.cached_property
    def reads_replies(self) -> bool:
        """Whether its type reads many replies at once, as they come."""
        holds = None if self.field is None else self.field.holds
        return holds is not None and holds.read_all is not None


@attrs.frozen(cache_hash=True)
class Order:
    """How what is found is ordered.

    Attributes:
        column: by which value; None: by primary key.
        alpha: compare as text, not as numbers.
        desc: the highest first.
        scores: pk to score, as text, of the sorted set whose scores count instead.
        further: how what is equal is ordered.
    """

    column: Column | None = None
    alpha: bool = False
    desc: bool = False
    scores: Mapping[str, str] | None = attrs.field(default=None, eq=False)
    further: tuple[Order, ...] = ()

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        """The values that order."""
        return tuple([each.column for each in (self, *self.further) if each.column is not None])


@attrs.frozen
class Query:
    """What is to be found.

    Attributes:
        where: what is wanted.
        order: how to order; None: any order.
        columns: the values wanted of each; none: its pk.
        within: the pks to choose from, None for all.
    """

    model: ModelSchema
    where: Condition
    order: Order | None = None
    columns: tuple[Column, ...] = ()
    within: frozenset[str] | None = attrs.field(init=False, eq=False, repr=False)

    @within.default
    def _within(self) -> frozenset[str] | None:
        return known(self.where)

    @functools.cached_property
    def sets(self) -> tuple[tuple[str, bool], ...] | None:
        """The keys of sets whose intersection is wanted, each with whether it is sorted; None where it is another."""
        parts = self.where.parts if isinstance(self.where, All) else (self.where,)
        found = [_set_of(part) for part in parts]
        return None if None in found else tuple([each for each in found if each is not None])

    @property
    def key(self) -> str | None:
        """The key of the one set, not a sorted one, that holds all that is wanted; None where there is none."""
        sets = self.sets
        return sets[0][0] if sets is not None and len(sets) == 1 and not sets[0][1] else None

    @property
    def counting(self) -> Call | None:
        """The call that counts what is wanted where one can, None where none can."""
        if self.key is not None:
            return "SCARD", self.key
        if (sets := self.sets) is not None and len(sets) == 1:
            return "ZCARD", sets[0][0]
        span = self.where.span if isinstance(self.where, Filter) else None
        if isinstance(span, NumberSpan) and not span.separator:
            return "ZCOUNT", span.key, *span.limits
        return None

    @property
    def names(self) -> frozenset[str]:
        """The fields on which the answer depends."""
        columns = [*self.columns, *(() if self.order is None else self.order.columns)]
        fields = [each.field for each in filters(self.where)] + [c.field for c in columns if c.field is not None]
        return frozenset(field.name for field in fields)

    def members(self, temporary: Callable[[], str]) -> Asked:
        """Return the calls that read the matching pks in any order.

        Args:
            temporary: gives what begins temporary keys; none is needed, so that it works on a read-only replica, where
                the pks to choose from are known, or the indexes asked for are sets, or one range.
        """
        within = self.within
        if within is not None:
            return marks(self.where, sorted(within))
        if isinstance(self.where, Filter) and (span := self.where.span) is not None:
            return Asked(span.reads, span.pks)
        storing = Storing(temporary)
        call = storing.reading(self.where)
        calls = (*storing.calls, call, *storing.deletion)
        return Asked(calls, lambda replies: list(replies[len(storing.calls)]), whole=len(calls) > 1)

    def by_leaf(self) -> Asked:
        """Return the calls that read the pks that fulfil each leaf: what they read, and so decide on, is told by keys.

        What is read of a span is taken from it where it was read before.
        """
        return by_leaf(self.where)

    def sort(
        self,
        temporary: Callable[[], str],
        by: str | None,
        limit: tuple[int, int] | None,
        gets: Iterable[str],
        *,
        counting: bool = False,
    ) -> Sorting:
        """Return the calls that sort on the server.

        Args:
            temporary: gives what begins the temporary keys, where more than one key is asked for.
            by: the pattern to sort by, "nosort", or None for the pk itself.
            limit: (offset, count).
            gets: patterns of the values to return.
            counting: count all that match, too.
        """
        storing = Storing(temporary)
        key, scored = storing.stored(self.where)
        call = ["SORT", key, *(("BY", by) if by is not None else ())]
        if limit is not None:
            call += ["LIMIT", str(limit[0]), str(limit[1])]
        patterns = list(gets)
        # Primary keys alone are what SORT gives anyway; GET asks for rights on all keys.
        for pattern in patterns if patterns != ["#"] else ():
            call += ["GET", pattern]
        if self.order is not None and by != "nosort":
            call += (["DESC"] if self.order.desc else []) + (["ALPHA"] if self.order.alpha else [])
        answer = len(storing.calls)
        counts: tuple[Call, ...] = (("ZCARD" if scored else "SCARD", key),) if counting else ()
        calls = (*storing.calls, tuple(call), *counts, *storing.deletion)
        return Sorting(calls, answer, answer + 1 if counting else None)


def _set_of(condition: Condition) -> tuple[str, bool] | None:
    match condition:
        case Members(key, scored):
            return key, scored
        case Everything(key):
            return key, False
        case Filter(lookup=Among() as among) if condition.key is not None:
            return condition.key, among.is_scored
        case _:
            return None


@attrs.frozen
class Sorting:
    """Calls of which one reply is the answer; several go in one transaction.

    Attributes:
        calls: to send.
        answer: position of the call whose reply is the answer.
        total: position of the call that counts all that match, None for none.
    """

    calls: tuple[Call, ...]
    answer: int
    total: int | None = None
