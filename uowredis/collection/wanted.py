"""What a collection was told, as data (say, pure)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from uowredis.collection.widths import SORTED_SCORE, Widths
from uowredis.commands.query import Column, Order
from uowredis.commands.values import read_columns
from uowredis.commands.where import All, Condition, Either, Everything, Given, Members, Without, all_of
from uowredis.exceptions import ImplementationError
from uowredis.fields import Bound
from uowredis.schema.models import ModelSchema


@attrs.frozen
class Shape:
    """What a collection gives for each object found.

    Attributes:
        kind: "pks", "instances", "values" (dicts) or "values_list" (tuples).
        names: the fields of values, or what instances are loaded with.
        flat: one value in place of a tuple.
        tested: instances are looked up before they are given.
        wide: not all values are what SORT gets of the objects.
        of_values: values are given, not the objects.
        looked_up: what is found is looked up before it is given.
        scored: the scores that order are among the values.
    """

    kind: str = "pks"
    names: tuple[str, ...] = ()
    flat: bool = False
    tested: bool = True
    wide: bool = False
    of_values: bool = attrs.field(init=False)
    looked_up: bool = attrs.field(init=False)
    scored: bool = attrs.field(init=False)

    @of_values.default
    def _of_values(self) -> bool:
        return self.kind in ("values", "values_list")

    @looked_up.default
    def _looked_up(self) -> bool:
        return self.kind == "instances" and self.tested

    @scored.default
    def _scored(self) -> bool:
        return SORTED_SCORE in self.names

    def columns(self, model: ModelSchema) -> tuple[Column, ...]:
        """Return the values that a query is asked for."""
        if not self.names:
            return ()
        if self.wide:
            return tuple([Column.of(model, name) for name in Widths.of(model, self.names).near])
        return tuple([Column.of(model, name) for name in self.names if name != SORTED_SCORE])

    @property
    def unloaded(self) -> Shape:
        """The same, with instances that are loaded with nothing."""
        return self if self.of_values else attrs.evolve(self, names=(), wide=False)

    def typed(self, model: ModelSchema, table: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Return columns of what is stored as values, in the order of their names; a score comes last before that.

        Raises:
            UnreadableValue: for text that is no value of its field.
        """
        names = self.names
        if self.wide:
            return Widths.of(model, names).typed(model, names, table)
        if self.scored:
            others = iter(table)
            table = [table[-1] if name == SORTED_SCORE else next(others) for name in names]
        return read_columns(model, names, table)

    def shaped(self, model: ModelSchema, table: Sequence[Sequence[Any]]) -> list[Any]:
        """Return columns of what is stored as dicts, tuples or single values.

        Raises:
            UnreadableValue: for text that is no value of its field.
        """
        columns = self.typed(model, table)
        if self.flat:
            return list(columns[0])
        rows, names = zip(*columns, strict=True), self.names
        # Of each name there is a column.
        return [dict(zip(names, row)) for row in rows] if self.kind == "values" else list(rows)  # noqa: B905


#: What a collection gives at first.
PKS = Shape()


@attrs.frozen
class Sort:
    """What ``sort()`` was told: by which field (None: the pk), or by the scores of a sorted set; and what is equal."""

    by: str | None = None
    alpha: bool = False
    desc: bool = False
    scores: Any = None
    further: tuple[Sort, ...] = ()

    def order(self, model: ModelSchema) -> Order:
        """Return how a query is ordered, but for the scores."""
        further = tuple([each.order(model) for each in self.further])
        if self.by is None:
            return Order(None, self.alpha, self.desc, further=further)
        holds = model.fields[self.by].holds
        alpha = self.alpha or (holds is not None and not holds.by_number)
        return Order(Column.of(model, self.by), alpha, self.desc, further=further)


@attrs.frozen(eq=False)
class Said:
    """What one filter says, or several that one index answers.

    Attributes:
        filters: names and values.
        condition: None where a value is known only when it is asked for.
    """

    filters: tuple[tuple[str, Any], ...]
    condition: Condition | None

    @property
    def values(self) -> tuple[Any, ...]:
        """What was given."""
        return tuple([value for _, value in self.filters])


@attrs.frozen(eq=False)
class Other:
    """Another collection that is intersected, as it is refined when it is looked at."""

    of: Any

    @property
    def wanted(self) -> Wanted:
        """What it finds, as primary keys."""
        wanted: Wanted = self.of._wanted
        return wanted.told({"shape": PKS})


@attrs.frozen(eq=False)
class Algebra:
    """What two collections of one model find together.

    Attributes:
        how: ``Either`` for what one of them finds, ``All`` for what both find, ``Without`` for what the first finds
            alone.
        first: what the first one was told, when they were put together.
        second: what the other was.
    """

    how: type[Either | All | Without]
    first: Wanted
    second: Wanted

    def of(self, first: Condition, second: Condition) -> Condition:
        """Return the condition of *first* and *second*."""
        if self.how is Without:
            return Without(first, second)
        return Either((first, second)) if self.how is Either else all_of((first, second))


#: What of itself does not tell that there is an object.
_WITHOUT_INDEX = frozenset((Given, Members))


def where_of(model: ModelSchema, parts: Sequence[Condition], excluded: Iterable[Condition]) -> Condition:
    """Return who is wanted where all *parts* are said, and nothing of what is *excluded*."""
    if _WITHOUT_INDEX.issuperset(map(type, parts)):
        # Who is meant is told by no index, and must be there.
        parts = [Everything(model.keys.collection), *parts]
    where = parts[0] if len(parts) == 1 else all_of(parts)
    for each in excluded:
        where = Without(where, each)
    return where


@functools.lru_cache(maxsize=4096)
def wanted_of(model: ModelSchema) -> Wanted:
    """Return what a collection of *model* wants that was told nothing yet."""
    return Wanted(model)


@attrs.frozen(eq=False, slots=False)
class Wanted:
    """All that a collection was told.

    Attributes:
        model: of the objects wanted.
        filters: what was said of indexed values, and of the primary key.
        excluded: the same of what is not wanted, by what was said together.
        algebra: the collections that it is made of, None for one that is not.
        intersections: sets of pks, keys, fields and other collections that all must hold what is found.
        sort: None for any order.
        shape: what is given.
        stored: the key of the list that it is on, None for none.
    """

    model: ModelSchema
    filters: tuple[Said, ...] = ()
    excluded: tuple[tuple[Said, ...], ...] = ()
    algebra: Algebra | None = None
    intersections: tuple[Any, ...] = ()
    sort: Sort | None = None
    shape: Shape = PKS
    stored: str | None = None

    def told(self, changes: Mapping[str, Any]) -> Wanted:
        """Return the same with *changes*; each refinement of a query makes one, and ``attrs.evolve`` looks at all."""
        told = object.__new__(Wanted)
        told.__dict__.update(self.__dict__)
        told.__dict__.pop("known_where", None)
        told.__dict__.update(changes)
        return told

    def where(self, beside: Callable[[Any], Condition | None]) -> Condition | None:
        """Return who is wanted, None where something has to be read to know it.

        Args:
            beside: gives the condition of what is intersected, None for what has to be read.
        """
        if self.stored is not None:
            return None
        parts: list[Condition] = []
        if self.algebra is not None:
            first, second = self.algebra.first.where(beside), self.algebra.second.where(beside)
            if first is None or second is None:
                return None
            parts.append(self.algebra.of(first, second))
        for each in self.filters:
            if each.condition is None:
                return None
            parts.append(each.condition)
        for given in self.intersections:
            condition = beside(given)
            if condition is None:
                return None
            parts.append(condition)
        excluded: list[Condition] = []
        for together in self.excluded:
            known = [each.condition for each in together if each.condition is not None]
            if len(known) < len(together):
                return None
            excluded.append(all_of(known))
        return where_of(self.model, parts, excluded)

    @functools.cached_property
    def known_where(self) -> Condition | None:
        """Who is wanted, None where something has to be read to know it, as by far most do not need."""
        return self.where(lambda _: None)

    @property
    def is_known(self) -> bool:
        """Whether it stands on nothing that is read when it is looked at."""
        return self.known_where is not None and (self.sort is None or self.sort.scores is None)

    @property
    def scores(self) -> Any:
        """The key or field whose scores order, None for none."""
        return None if self.sort is None else self.sort.scores

    def check_scores(self) -> None:
        """Check that scores order where they are among the values.

        Raises:
            ImplementationError: where they do not.
        """
        if self.shape.scored and self.scores is None:
            raise ImplementationError("SORTED_SCORE needs a sort by scores. Way out: sort(by_score=...)")

    @property
    def said(self) -> tuple[Said, ...]:
        """What was said of values, wanted or not."""
        return (*self.filters, *(each for together in self.excluded for each in together))

    @property
    def parts(self) -> tuple[Wanted, ...]:
        """What the collections were told that it is made of."""
        return () if self.algebra is None else (self.algebra.first, self.algebra.second)

    @property
    def as_part(self) -> Wanted:
        """The same as a part of another: neither its order nor what it gives matters."""
        return self.told({"sort": None, "shape": PKS})

    @property
    def as_it_was_stored(self) -> bool:
        """Whether it is a stored list, with nothing said on it."""
        said = self.filters or self.excluded or self.intersections or self.algebra is not None or self.sort is not None
        return self.stored is not None and not said

    def stands_on(self) -> Iterator[Any]:
        """Yield the values, fields and collections that are read when it is looked at."""
        yield from (value for each in self.said if each.condition is None for value in each.values)
        for wanted in self.parts:
            yield from wanted.stands_on()
        yield from self.intersections
        if self.scores is not None:
            yield self.scores

    def models(self) -> list[ModelSchema]:
        """Return the models on whose objects the answer depends."""
        given = [value for each in self.said for value in each.values] + [*self.intersections, self.scores]
        found = [self.model, *(item._owner.identity.model for item in given if isinstance(item, Bound))]
        found += [model for item in given if isinstance(item, Other) for model in item.wanted.models()]
        found += [model for wanted in self.parts for model in wanted.models()]
        return list(dict.fromkeys(found))
