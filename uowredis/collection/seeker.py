"""One look at a collection: finds what it wants (decide)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from uowredis.collection.conditions import current_value, spelled_value
from uowredis.collection.sources import EMPTY, Sources
from uowredis.collection.together import condition_of
from uowredis.collection.wanted import Other, Said, Sort, Wanted
from uowredis.collection.widths import Widths
from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Column, Order, Query
from uowredis.commands.replies import plain
from uowredis.commands.values import texts_of
from uowredis.commands.where import All, Condition, Either, Everything, Filter, Given, Members
from uowredis.exceptions import ArgumentError, PendingWrites
from uowredis.overlay.along import Place
from uowredis.overlay.loading import Loading
from uowredis.overlay.matching import Few
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Columns, Search
from uowredis.overlay.walk import Walk
from uowredis.plan.requests import Deciding, Transact
from uowredis.schema.lookup import Among
from uowredis.schema.ranges import RangeIndex


@attrs.frozen
class Seeker:
    """Looks at what a collection wants, over what is pending; each question is a generator of requests.

    Attributes:
        elsewhere: what was asked of another database before, by the ``id()`` of what was given.
        other: makes what looks at another collection.
        where: who is wanted, where that is known; None where it is to be found out.
    """

    wanted: Wanted
    overlay: Overlay
    elsewhere: Mapping[int, Any]
    other: Callable[[Wanted], Seeker]
    where: Condition | None = None

    # The query as it stands now.

    def _search(self, order: Order | None = None, total: list[int] | None = None) -> Deciding[Search]:
        """Return the search; *order* is the order where none was said, *total* takes how many match."""
        wanted, shape = self.wanted, self.wanted.shape
        wanted.check_scores()
        if wanted.sort is not None:
            order = yield from self._order(wanted.sort)
        where = yield from self._where()
        if wanted.sort is None:
            order = order_of(wanted, where) or order
        query = Query(wanted.model, where, order, shape.columns(wanted.model))
        return Search(self.overlay, query, with_scores=shape.scored, total=total)

    def _order(self, sort: Sort) -> Deciding[Order]:
        if sort.scores is None:
            return sort.order(self.wanted.model)
        return Order(
            None, sort.alpha, sort.desc, (yield from Sources(self.overlay, self.wanted.model.keys).scores(sort.scores))
        )

    def _where(self) -> Deciding[Condition]:
        if self.where is not None:
            return self.where
        if (known := self.wanted.known_where) is not None:
            return known
        where = (yield from self._read()).where(lambda condition: condition)
        assert where is not None
        return where

    def _read(self) -> Deciding[Wanted]:
        """Return what is wanted, with conditions in the place of all that is known only now."""
        filters = yield from self._said(self.wanted.filters)
        excluded = []
        for together in self.wanted.excluded:
            excluded.append((yield from self._said(together)))
        algebra = self.wanted.algebra
        if algebra is not None:
            first = yield from self.other(algebra.first)._read()
            algebra = attrs.evolve(algebra, first=first, second=(yield from self.other(algebra.second)._read()))
        sources = Sources(self.overlay, self.wanted.model.keys, apart=self.wanted.model.facets is not None)
        for given in self.wanted.intersections:
            if isinstance(given, Other) and id(given) not in self.elsewhere:
                pks, _ = yield from self.other(given.wanted).found()
                sources.within.append(frozenset(pks))
            else:
                yield from sources.take(self.elsewhere.get(id(given), given))
        if self.wanted.stored is not None:
            sources.within.append(frozenset((yield from sources.stored(self.wanted.stored))))
        intersections = *(Members(*each) for each in sources.sets), *map(Given, sources.within)
        return self.wanted.told(
            {
                "filters": tuple(filters),
                "excluded": tuple(excluded),
                "algebra": algebra,
                "intersections": intersections,
                "stored": None,
            }
        )

    def _said(self, said: Sequence[Said]) -> Deciding[Sequence[Said]]:
        """Return what was said with the values that are known only now."""
        found: list[Said] = []
        for each in said:
            if each.condition is not None:
                found.append(each)
                continue
            filters = {}
            for name, value in each.filters:
                if id(value) in self.elsewhere:
                    filters[name] = self.elsewhere[id(value)]
                else:
                    filters[name] = yield from current_value(value, self.overlay)
            known = None not in filters.values()
            condition = condition_of(self.wanted.model, filters) if known else Either(())
            found.append(attrs.evolve(each, condition=condition))
        return found

    # Questions.

    def found(
        self, start: int = 0, count: int | None = None, order: Order | None = None, total: list[int] | None = None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return pks with what the session makes of them, or columns of values, all of it as it is stored.

        Args:
            start: the first one wanted.
            count: how many at most, None for all that follow.
            order: where none was said.
            total: takes how many match in all.
        """
        wanted = self.wanted
        if wanted.stored is not None and wanted.as_it_was_stored:
            return (yield from self._found_stored(start, count, total))
        search = yield from self._search(order, total)
        if wanted.shape.wide:
            table = yield from search.table(start, count)
            return (yield from self._loaded(search, table[0], table, certain=self._certain(search)))
        if wanted.shape.of_values:
            return list((yield from search.table(start, count))), []
        pks: Sequence[Any]
        if search.query.order is None and not start and count is None:
            pks = yield from search.members()
        else:
            (pks,) = yield from search.table(start, count)
        if wanted.shape.kind == "pks":
            return list(pks), []
        return (yield from self._looked_up(search, pks, certain=self._certain(search)))

    def following(
        self, size: int, index: RangeIndex, after: Place | None
    ) -> Deciding[tuple[list[Any], list[Identity | None], Place | None]]:
        """Return the first *size* behind the place *after* in the order of *index*, and the place of the last one."""
        walk = yield from self._walk(index)
        places, columns = yield from walk.follow(size, after)
        pks, last = [pk for _, pk in places], places[-1] if places else None
        if self.wanted.shape.wide:
            return *(yield from self._loaded(walk, pks, columns, certain=False)), last
        if self.wanted.shape.of_values:
            return list(columns), [], last
        found, created = yield from self._looked_up(walk, pks, certain=False)
        return found, created, last

    def _walk(self, index: RangeIndex) -> Deciding[Walk]:
        query = (yield from self._search()).query
        assert query.order is not None
        return Walk(self.overlay, query, index=index, desc=query.order.desc)

    def _certain(self, search: Search) -> bool:
        """Return whether instances are there that are found: the primary keys of all objects are their own lookup."""
        everything = self.wanted.model.keys.collection
        return self.wanted.shape.looked_up and search.query.key == everything and not search.over_pending

    def _loaded(
        self, search: Search, pks: Sequence[str], table: Columns, *, certain: bool
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return *table*, what SORT got of the objects *pks*, with all else that is wanted of them before a score.

        Where instances are wanted, with what the session makes of them, and without those that are not there: they are
        looked up together with what is read first.
        """
        model, shape = self.wanted.model, self.wanted.shape
        widths = Widths.of(model, shape.names)
        near, score = (table[: len(widths.near)], table[len(widths.near) :]) if table else ((), ())
        loading = Loading(self.overlay, model, widths.paths[len(near) :])
        known = {
            name: texts_of(column) for name, column in zip(widths.near, near, strict=False) if name in widths.leads
        }
        far: list[Sequence[Any]] = []

        def ask(calls: Sequence[Call]) -> Deciding[list[Any]]:
            columns, replies = yield from loading.columns(pks, known, calls)
            far.extend(columns)
            return replies

        there: Sequence[str] = pks
        if shape.looked_up and not certain:
            there = yield from search.existing(pks, ask)
        else:
            yield from ask(())
        found = [*near, *far, *score]
        if len(there) < len(pks):
            kept = frozenset(there)
            found = [[each for pk, each in zip(pks, column, strict=True) if pk in kept] for column in found]
        return found, [] if shape.of_values else [self.overlay.created(model, pk) for pk in there]

    def page(self, start: int, count: int) -> Deciding[tuple[list[Any], list[Identity | None], int]]:
        """Return what :meth:`found` does, and how many match in all."""
        total: list[int] = []
        found, created = yield from self.found(start, count, Order(), total)
        return found, created, total[0]

    def _found_stored(
        self, start: int, count: int | None, total: list[int] | None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        wanted = self.wanted
        assert wanted.stored is not None
        stored = yield from Sources(self.overlay, self.wanted.model.keys).stored(wanted.stored)
        if total is not None:
            total.append(len(stored))
        wanted.check_scores()
        pks = stored[start : None if count is None else start + count]
        everything = Everything(wanted.model.keys.collection)
        search = Search(self.overlay, Query(wanted.model, everything, columns=wanted.shape.columns(wanted.model)))
        if wanted.shape.wide:
            return (yield from self._loaded(search, pks, (), certain=False))
        if wanted.shape.of_values:
            return list((yield from search.values_of(pks))), []
        return (yield from self._looked_up(search, pks, certain=False))

    def _looked_up(
        self, search: Search, pks: Sequence[Any], *, certain: bool
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return those of *pks* that are there, where instances are wanted, with what the session makes of them."""
        if self.wanted.shape.kind == "pks":
            return list(pks), []
        if self.wanted.shape.looked_up and pks and not certain:
            pks = yield from search.existing(pks)
        made = self.overlay.created_among(self.wanted.model, pks)
        return list(pks), [made.get(pk) for pk in pks] if made else []

    def count(self) -> Deciding[int]:
        """Return how many are given."""
        stored = self.wanted.stored
        if self.wanted.shape.looked_up:
            return len((yield from self._unloaded().found())[0])
        if stored is not None and self.wanted.as_it_was_stored:
            self.wanted.check_scores()
            return len((yield from Sources(self.overlay, self.wanted.model.keys).stored(stored)))
        return (yield from (yield from self._search()).count())

    def _unloaded(self) -> Seeker:
        return attrs.evolve(self, wanted=attrs.evolve(self.wanted, shape=self.wanted.shape.unloaded))

    def contains(self, item: Any) -> Deciding[bool]:
        """Return whether the object with the primary key that *item* says is found."""
        pk = yield from current_value(item, self.overlay)
        try:
            within = frozenset((spelled_value(pk, self.wanted.model.pk_holds, "a primary key"),))
        except ArgumentError:
            return False
        if self.wanted.as_it_was_stored:
            return within.issubset((yield from self._unloaded().found())[0])
        narrowed = self.wanted.as_part.told({"intersections": (*self.wanted.intersections, within)})
        return bool((yield from attrs.evolve(self, wanted=narrowed).found())[0])

    def the_one(self) -> Deciding[tuple[list[tuple[str, Identity | None]], str]]:
        """Return the primary key of the one that matches, and else how many do, in words, "" for none.

        It comes with the object where the open session makes it.
        """
        found = yield from self._few()
        created = [each for each in found.touched if each.state is State.CREATED]
        pks = [*found.kept, *(each.reference for each in found.touched if each.state is not State.CREATED)]
        if found.counted > 1:
            return [], f"{found.counted:,}{' or more' if found.and_more else ''}"
        return [(pk, None) for pk in pks] + [(each.reference, each) for each in created], ""

    def _few(self) -> Deciding[Few]:
        """Return one that matches, or more, and how many do."""
        return (yield from (yield from self._search()).few())

    def has_some(self) -> Deciding[bool]:
        """Return whether something matches, by so many replies, however many there are."""
        search = yield from self._search()
        if search.query.counting is not None:
            return (yield from search.count()) > 0
        return (yield from search.few()).counted > 0

    def is_there(self) -> Deciding[bool]:
        """Return whether something matches: asked again, with all that was known only when asked."""
        kept, touched = yield from (yield from self._search()).matching()
        return bool(kept or touched)

    def scanned(self) -> Deciding[tuple[str, ...] | None]:
        """Return the keys whose members are all that is wanted, None where there are none."""
        search = yield from self._search()
        query = search.query
        if query.key is None or query.order is not None:
            return None
        if self.wanted.shape.kind != "pks" or search.over_pending or self.overlay.watches:
            return None
        return (query.key,)

    def piece(self, call: Call) -> Deciding[tuple[str, list[str]]]:
        """Return the cursor and the primary keys that *call*, a SSCAN, brings."""
        cursor, pks = plain((yield from self.overlay.ask((call,)))[0])
        return cursor, pks

    def stored(self, key: str, seconds: str | None) -> Deciding[None]:
        """Store the primary keys found as the list *key* (RPUSH, EXPIRE).

        Raises:
            PendingWrites: in a session that has touched what the answer depends on.
        """
        if touched := [model.name for model in self.wanted.models() if self.overlay.touches(model)]:
            raise PendingWrites(
                f"store() cannot be exact while writes on {', '.join(touched)} are pending. Way out: commit first"
            )
        pks, _ = yield from self.found()
        calls: list[Call] = [("DEL", key), ("RPUSH", key, *(pks or [EMPTY]))]
        if seconds is not None:
            calls.append(("EXPIRE", key, seconds))
        yield Transact(calls)


def order_of(wanted: Wanted, where: Condition) -> Order | None:
    """Return how what is *wanted* is ordered, but for scores: as is said, or as the index has it that answers."""
    if wanted.sort is not None:
        return wanted.sort.order(wanted.model)
    for part in where.parts if isinstance(where, All) else (where,):
        if isinstance(part, Filter) and isinstance(part.lookup, Among) and part.lookup.scored_by:
            return Order(Column.of(wanted.model, part.lookup.scored_by))
    return None
