"""One look at a collection of a sharded model: in the places where it may find something, and put together (decide)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import attrs

from uowredis.collection.seeker import Seeker
from uowredis.collection.sources import Sources
from uowredis.collection.wanted import Wanted
from uowredis.collection.widths import Widths
from uowredis.commands.arguments import Placeholder
from uowredis.commands.identity import Identity
from uowredis.commands.query import Column, Order, Query
from uowredis.commands.values import texts_of
from uowredis.commands.where import All, Condition, Either, Everything, Filter, Given, Leaf, Members, Without, changed
from uowredis.exceptions import Rejected
from uowredis.overlay.along import Place
from uowredis.overlay.gathering import gathered
from uowredis.overlay.matching import Few
from uowredis.overlay.order import Row
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Columns, Search
from uowredis.plan.requests import Deciding, TransactEach
from uowredis.schema.joint import JointIndex
from uowredis.schema.keys import Unfilled
from uowredis.schema.lookup import Among, Span
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.schema.ranges import RangeIndex


def seeker_of(wanted: Wanted, overlay: Overlay, elsewhere: Mapping[int, Any]) -> Seeker:
    """Return what looks at a collection that was told what is *wanted*."""
    kind = Seeker if wanted.model.facets is None else Scattered
    return kind(wanted, overlay, elsewhere, functools.partial(seeker_of, overlay=overlay, elsewhere=elsewhere))


@attrs.frozen
class Scattered(Seeker):
    """Looks at what a collection of a sharded model wants, in one place or in several of them."""

    def _facets(self, where: Condition) -> list[ModelSchema]:
        """Return what the model is in each of the places where something may be found that fulfils *where*."""
        whole = self.wanted.model
        assert whole.facets is not None
        shards = shards_of(whole, where)
        asked = range(whole.facets.count) if shards is None else sorted(shards)
        return [self.overlay.speaking_of(whole.facet(shard)) for shard in asked]

    def parts(self) -> Deciding[list[Seeker]]:
        """Return what looks in each of these places."""
        where = yield from self._where()
        part = yield from self._parted(where)
        return [part(facet) for facet in self._facets(where)]

    def _parted(self, where: Condition) -> Deciding[Callable[[ModelSchema], Seeker]]:
        """Return what makes what looks in one place, where the facet is, or as it is the same in all, for the whole."""
        whole = self.wanted.model
        # All of it is in the condition by now.
        told: dict[str, Any] = {"filters": (), "excluded": (), "algebra": None, "intersections": (), "stored": None}
        sort = self.wanted.sort
        if sort is not None and sort.scores is not None:
            given = self.elsewhere.get(id(sort.scores), sort.scores)
            scores = yield from Sources(self.overlay, whole.keys).scores(given)
            told["sort"] = attrs.evolve(sort, scores=scores)

        def part(facet: ModelSchema) -> Seeker:
            wanted = self.wanted.told({"model": facet, **told})
            there = where if facet.facets is not None else in_facet(where, facet)
            return Seeker(wanted, self.overlay, {}, self.other, there)

        return part

    def _merging(self) -> Deciding[_Merging | Seeker]:
        """Return what puts together what is found, or, where it is in one place, what looks there."""
        where = yield from self._where()
        part, models = (yield from self._parted(where)), self._facets(where)
        if len(models) == 1:
            return part(models[0])
        return _Merging(self.wanted, self.overlay, models, part, part(self.wanted.model))

    def found(
        self, start: int = 0, count: int | None = None, order: Order | None = None, total: list[int] | None = None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Same as in one place; what is ordered is the first of each, put in order."""
        if self.wanted.as_it_was_stored:
            return (yield from self._found_stored(start, count, total))
        self.wanted.check_scores()
        return (yield from (yield from self._merging()).found(start, count, order, total))

    def following(
        self, size: int, index: RangeIndex, after: Place | None
    ) -> Deciding[tuple[list[Any], list[Identity | None], Place | None]]:
        """Same as in one place: of each so many, of which the first are given."""
        return (yield from (yield from self._merging()).following(size, index, after))

    def _found_stored(
        self, start: int, count: int | None, total: list[int] | None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        stored, whole = self.wanted.stored, self.wanted.model
        assert stored is not None
        pks = yield from Sources(self.overlay, whole.keys).stored(stored)
        if total is not None:
            total.append(len(pks))
        self.wanted.check_scores()
        pks = pks[start : None if count is None else start + count]
        models = [self.overlay.speaking_of(model) for model in dict.fromkeys(map(whole.at, pks))]

        def part(facet: ModelSchema) -> Seeker:
            wanted = self.wanted.told({"model": facet, "stored": None})
            return Seeker(wanted, self.overlay, {}, self.other, Everything(facet.keys.collection))

        return (yield from _Merging(self.wanted, self.overlay, models, part, self).of_pks(pks))

    def count(self) -> Deciding[int]:
        """Same as in one place: the sum."""
        if self.wanted.shape.looked_up or self.wanted.as_it_was_stored:
            return (yield from Seeker.count(self))
        whole, where = self.wanted.model, (yield from self._where())
        call = Query(whole, where).counting
        if call is not None and not self.overlay.watches and not self.overlay.touches(whole):
            # By far most: the same call in each place, and nothing to be decided there.
            name, key, *rest = call
            models = self._facets(where)
            calls = [(name, whole.keys.of_another(model.keys, key), *rest) for model in models]
            return sum(map(int, (yield from self.overlay.ask(calls))))
        parts = yield from attrs.evolve(self, where=where).parts()
        return sum((yield from gathered(self.overlay, {part.wanted.model: part.count() for part in parts})))

    def _few(self) -> Deciding[Few]:
        parts = yield from self.parts()
        found = yield from gathered(self.overlay, {part.wanted.model: part._few() for part in parts})
        return Few(
            [pk for each in found for pk in each.kept],
            [identity for each in found for identity in each.touched],
            sum(each.counted for each in found),
            any(each.and_more for each in found),
        )

    def has_some(self) -> Deciding[bool]:
        """Return whether something matches somewhere."""
        parts = yield from self.parts()
        return any((yield from gathered(self.overlay, {part.wanted.model: part.has_some() for part in parts})))

    def is_there(self) -> Deciding[bool]:
        """Same as in one place: it is watched, and so must be."""
        parts = yield from self.parts()
        return any((yield from gathered(self.overlay, {part.wanted.model: part.is_there() for part in parts})))

    def scanned(self) -> Deciding[tuple[str, ...] | None]:
        """Return the keys whose members are all that is wanted, one a place, None where there are none."""
        keys: list[str] = []
        for part in (yield from self.parts()):
            found = yield from part.scanned()
            if found is None:
                return None
            keys += found
        return tuple(keys)


@attrs.frozen
class _Merging:
    """Puts together what is found in several places.

    Attributes:
        models: the facets that are there.
        part: makes what looks where one of them is.
        alike: what would look in any of these places, of the model as a whole: what it asks is asked in each.
    """

    wanted: Wanted
    overlay: Overlay
    models: Sequence[ModelSchema]
    part: Callable[[ModelSchema], Seeker]
    alike: Seeker

    def found(
        self, start: int, count: int | None, order: Order | None, total: list[int] | None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        stop = None if count is None else start + count
        search, wanted = yield from self._search(self.alike, order, total is not None)
        tables, counted = yield from self._at_once(search, stop)
        searches: dict[ModelSchema, Search] = {}
        for model in self.models:
            if model not in tables:
                searches[model], wanted = yield from self._search(self.part(model), order, total is not None)
        asked = {model: _table(each, stop) for model, each in searches.items()}
        tables |= zip(searches, (yield from gathered(self.overlay, asked)), strict=True)
        if total is not None:
            total.append(counted + sum(each.total[0] for each in searches.values() if each.total))
        rows = [row for model in self.models for row in _rows(model, search, self._as_text(tables[model]), wanted)]
        rows = yield from search.in_order(rows)
        return (yield from self._finished([row.values[0] for row in rows[start:stop]]))  # type: ignore[misc]

    def _search(self, part: Seeker, order: Order | None, totals: bool) -> Deciding[tuple[Search, list[int]]]:
        """Return what finds in one place primary keys, what orders them, and values, each once; and which are values.

        Args:
            part: what looks there.
            order: where none was said.
            totals: it is wanted, too, how many match.
        """
        search = yield from part._search(order, [] if totals else None)
        found_by, model = search.query.order, search.query.model
        named = [Column.of(model, "pk"), *(() if found_by is None else found_by.columns), *search.query.columns]
        # SORT gets primary keys alone without GET.
        columns = {column.pattern: column for column in named}
        wanted = [list(columns).index(column.pattern) for column in search.query.columns]
        query = attrs.evolve(search.query, columns=tuple(columns.values()))
        return attrs.evolve(search, query=query), wanted

    def _at_once(self, search: Search, stop: int | None) -> Deciding[tuple[dict[ModelSchema, Columns], int]]:
        """Ask each place the same where one round trip is enough; return what was found, and how many match there.

        What cannot be told so is left out, as it is where something is pending or a server refuses: then each place is
        asked as if it were the only one.
        """
        asked = None if len(self.models) < 2 else search.once(stop)
        if asked is None:
            return {}, 0
        keys = search.query.model.keys
        each = [[keys.moved(model.keys, call) for call in asked.calls] for model in self.models]
        try:
            if asked.whole:
                replies = yield TransactEach(each)
            else:
                flat = iter((yield from self.overlay.ask([call for calls in each for call in calls])))
                replies = [[next(flat) for _ in asked.calls] for _ in self.models]
        except Rejected:
            return {}, 0
        told = list(map(asked.read, replies))
        found = {model: one[1] for model, one in zip(self.models, told, strict=True) if one is not None}
        return found, sum(one[0] for one in told if one is not None)

    def _as_text(self, table: Columns) -> Columns:
        """Return a *table* as text where that of another place is: what is pending there was read key by key."""
        return list(map(texts_of, table)) if self.overlay.touches(self.wanted.model) else table

    def following(
        self, size: int, index: RangeIndex, after: Place | None
    ) -> Deciding[tuple[list[Any], list[Identity | None], Place | None]]:
        walks = {}
        for model in self.models:
            walks[model] = yield from self.part(model)._walk(index)
        found = yield from gathered(self.overlay, {model: each.follow(size, after) for model, each in walks.items()})
        of: dict[Place, tuple[ModelSchema, tuple[Any, ...]]] = {}
        for model, (places, columns) in zip(walks, found, strict=True):
            rows = list(zip(*columns, strict=True)) if columns else [()] * len(places)
            of |= {place: (model, row) for place, row in zip(places, rows, strict=True)}
        places = next(iter(walks.values())).first(of, size) if walks else []
        chosen = [(place[1], *of[place]) for place in places]
        given, created = yield from self._finished(chosen)
        return given, created, places[-1] if places else None

    def of_pks(self, pks: Sequence[str]) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return what is given of the objects *pks*, in this order, whether they are there or not."""
        whole, shape = self.wanted.model, self.wanted.shape
        by_model = whole.spread(pks)
        values: dict[str, tuple[Any, ...]] = dict.fromkeys(pks, ())
        if shape.of_values or shape.wide:
            searches = {}
            for model in self.models:
                searches[model] = yield from self.part(model)._search()
            asked = {model: each.values_of(by_model[model]) for model, each in searches.items()}
            for model, table in zip(searches, (yield from gathered(self.overlay, asked)), strict=True):
                values |= dict(zip(by_model[model], zip(*table, strict=True), strict=True))
        return (yield from self._finished([(pk, whole.at(pk), values[pk]) for pk in pks], certain=False))

    def _finished(
        self, rows: Sequence[tuple[str, ModelSchema, tuple[Any, ...]]], *, certain: bool = True
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return what is given of what was found: of each object its primary key, its facet, and its columns."""
        shape = self.wanted.shape
        if shape.of_values and not shape.wide:
            return _columns([row for _, _, row in rows], len(shape.names)), []
        if shape.kind == "pks":
            return [pk for pk, _, _ in rows], []
        by_model: dict[ModelSchema, list[tuple[str, tuple[Any, ...]]]] = {}
        for pk, model, row in rows:
            by_model.setdefault(model, []).append((pk, row))
        asked = {}
        for model, some in by_model.items():
            part, pks = self.part(model), [pk for pk, _ in some]
            search = yield from part._search()
            there = certain and part._certain(search)
            if shape.wide:
                asked[model] = part._loaded(search, pks, _columns([row for _, row in some]), certain=there)
            else:
                asked[model] = part._looked_up(search, pks, certain=there)
        given: dict[str, tuple[tuple[Any, ...], Identity | None]] = {}
        for found, made in (yield from gathered(self.overlay, asked)):
            table = list(zip(*found, strict=True)) if shape.wide else [(pk,) for pk in found]
            given |= {row[0]: (row, created) for row, created in zip(table, made or [None] * len(table), strict=True)}
        chosen = [given[pk] for pk, _, _ in rows if pk in given]
        created = [] if shape.of_values else [each for _, each in chosen]
        if not shape.wide:
            return [row[0] for row, _ in chosen], created
        widths = Widths.of(self.wanted.model, shape.names)
        return _columns([row for row, _ in chosen], len(widths.near) + len(widths.far) + shape.scored), created


def _table(search: Search, stop: int | None) -> Deciding[Columns]:
    """Return the first of what is found in one place, with its values."""
    if search.query.order is None and len(search.query.columns) == 1 and search.total is None:
        return [(yield from search.members())]
    return (yield from search.table(0, stop))


def _rows(model: ModelSchema, search: Search, table: Columns, wanted: Sequence[int]) -> list[Row]:
    """Return a *table* as rows: what orders them, and as their one value what :meth:`_Merging._finished` takes.

    Args:
        model: the facet.
        search: one alike found them.
        table: its columns, the first of which is the primary key, and the last the score where there is one.
        wanted: which of the columns are wanted.
    """
    order, places = search.query.order, [column.pattern for column in search.query.columns]
    ordering = [] if order is None else [each.column for each in (order, *order.further)]
    at = [None if column is None else places.index(column.pattern) for column in ordering]
    rows = []
    # What is compared is text, also where its type reads replies.
    for found in zip(*[texts_of(column) if place in at else column for place, column in enumerate(table)], strict=True):
        pk: str = found[0] or ""
        by = [None if place is None else found[place] for place in at]
        if order is not None and order.scores is not None:
            by = [order.scores.get(pk)]
        given: Any = (pk, model, (*[found[place] for place in wanted], *found[len(places) :]))
        rows.append(Row(pk, by[0] if by else None, (given,), tuple(by[1:])))
    return rows


def _columns(rows: Sequence[tuple[Any, ...]], width: int = 0) -> list[Sequence[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


# In which places something may be.


def shards_of(model: ModelSchema, where: Condition) -> Collection[int] | None:
    """Return the shards of *model* in which something may fulfil *where*, None for all of them."""
    match where:
        case Given(pks):
            return frozenset(_shard(model, pk) for pk in pks)
        case Filter(field, Among(keys)):
            return _of_keys(model, field, keys)
        case All(parts):
            known = [frozenset(some) for part in parts if (some := shards_of(model, part)) is not None]
            return frozenset.intersection(*known) if known else None
        case Either(parts):
            found = [shards_of(model, part) for part in parts]
            known = [frozenset(some) for some in found if some is not None]
            return frozenset[int]().union(*known) if len(known) == len(found) else None
        case Without(wanted):
            return shards_of(model, wanted)
        case _:
            return None


def _shard(model: ModelSchema, pk: str) -> int:
    if isinstance(pk, Placeholder) and (shard := pk.identity.model.shard) is not None:
        return int(shard)
    return model.shard_of(pk)


def _of_keys(model: ModelSchema, field: FieldSchema, keys: Sequence[str]) -> Collection[int] | None:
    """Return the shards of what has entries under index *keys* of *field*: a reference is within one."""
    if field.relation is None and not field.joint:
        return None
    found: set[int] = set()
    for key in keys:
        shard = None if isinstance(key, Unfilled) else _of_key(model, field, key)
        if shard is None:
            return None
        found.add(shard)
    return found


def _of_key(model: ModelSchema, field: FieldSchema, key: str) -> int | None:
    if model.keys.is_none(field.stored, key):
        return None
    values: Mapping[str, str] = {field.name: model.keys.indexed_value(field.stored, key)}
    index = field.index_of(model.keys, key) if field.joint else None
    if isinstance(index, JointIndex):
        values = index.values_in(model.keys, key)
    for name, value in values.items():
        relation = model.fields[name].relation
        if relation is not None and relation.to is not None:
            shard: int = relation.to.shard_of(value)
            return shard
    return None


def in_facet(where: Condition, facet: ModelSchema) -> Condition:
    """Return what *where*, which is said of a sharded model, is in one of its places."""
    whole = facet.declared

    def there(leaf: Leaf) -> Condition:
        match leaf:
            case Given(pks):
                return Given(frozenset(pk for pk in pks if _shard(whole, pk) == facet.shard))
            case Filter(field, Among(keys) as among):
                kept = keys
                if len(keys) > 1 and _of_keys(whole, field, keys) is not None:
                    kept = tuple([key for key in keys if _of_key(whole, field, key) == facet.shard])
                moved = tuple([whole.keys.of_another(facet.keys, key) for key in kept])
                return Filter(facet.fields[field.name], attrs.evolve(among, keys=moved))
            case Filter(field, Span(key) as span):
                moved_to = whole.keys.of_another(facet.keys, key)
                return Filter(facet.fields[field.name], attrs.evolve(span, key=moved_to))
            case Everything():
                return Everything(facet.keys.collection)
            case Members():
                raise AssertionError(leaf)  # what is elsewhere was fetched
        return leaf

    return changed(where, there)
