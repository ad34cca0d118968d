"""Goes along an index of ranges from a place in it, so that what follows costs the same however far it lies (decide).

What else is said of the objects is asked of those that come next. What the session touched is judged apart, and stands
in its place among them. Where so few are wanted that going along would read more than them, all that matches is fetched
and ordered here by the same rule; and where an index cannot tell of some whether it holds them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from uowredis.commands.asking import counting, marks
from uowredis.commands.calls import Call
from uowredis.commands.where import All, Condition, Everything, Filter, all_of, changed, spans_of
from uowredis.overlay.along import Along, AlongNumbers, AlongTexts, Place
from uowredis.overlay.order import Row
from uowredis.overlay.search import Columns, Search
from uowredis.plan.requests import Deciding
from uowredis.schema.lookup import NumberSpan, Span, TextSpan
from uowredis.schema.ranges import NumberRangeIndex, RangeIndex, score_of

#: How many more are read than are wanted, for what is equal to the last.
_MARGIN = 100

#: Of so many one call tells whether they are wanted: none holds up the server for long.
_AT_ONCE = 1_000


@attrs.frozen
class Walk(Search):
    """A query of which some are wanted behind a place.

    Attributes:
        index: that orders.
        desc: the highest first.
    """

    index: RangeIndex = attrs.field(kw_only=True)
    desc: bool = attrs.field(default=False, kw_only=True)

    @property
    def _by_number(self) -> bool:
        return isinstance(self.index, NumberRangeIndex)

    def follow(self, size: int, after: Place | None) -> Deciding[tuple[list[Place], Columns]]:
        """Return the places of at most *size* objects behind the place *after*, and their values."""
        where = self.query.where
        if self.query.within == frozenset():
            return [], [()] * len(self.query.columns)
        if self.over_pending:
            where = yield from self.overlay.as_cleared(self.query.model, where)
        along, rest = self._parted(where, after)
        places: list[Place] | None = None
        if self.query.within is None and not any(span.separator for _, span in spans_of(rest)):
            places = yield from self._walked(along, rest, size)
        if places is None:
            return (yield from self._fetched(along, size, after))
        columns = (yield from self.values_of([pk for _, pk in places])) if self.query.columns else ()
        return places, columns

    def first(self, places: Iterable[Place], size: int) -> list[Place]:
        """Return the first of *places*, in order."""
        along, _ = self._parted(self.query.where, None)
        return along.behind(places, None)[:size]

    def _parted(self, where: Condition, after: Place | None) -> tuple[Along, Condition]:
        """Return what goes along the index between the bounds that are said of it, and what else is said."""
        model = self.query.model
        (whole,) = self.index.lookup(model.keys, "", "gte", ("0",))
        assert isinstance(whole, NumberSpan | TextSpan)
        bounds: list[tuple[str, str]] = []
        rest: list[Condition] = []
        for each in where.parts if isinstance(where, All) else (where,):
            span: Span | None = each.span if isinstance(each, Filter) else None
            if span is not None and (span.key, span.separator) == (whole.key, whole.separator):
                bounds += span.bounds
            else:
                rest.append(each)
        everything = Everything(model.keys.collection)
        said = all_of(rest) if rest else everything
        kind: Any = AlongNumbers if self._by_number else AlongTexts
        part = attrs.evolve(whole, bounds=tuple(bounds))
        return kind(model=model, span=part, ask=self.ask, desc=self.desc, after=after), said

    # What comes next in the index.

    def _walked(self, along: Along, rest: Condition, size: int) -> Deciding[list[Place] | None]:
        """Return the first *size* of what fulfils *rest*, None where fetching all of them is less."""
        model, first = self.query.model, along.after
        all_there = rest == Everything(model.keys.collection)
        mine: list[Place] = []
        names = self.query.names
        if self.over_pending:
            mine = along.behind((yield from self._touched(along, rest, names)), first)
        gone = yield from self.overlay.apart(model, names)
        most, read = size + _MARGIN, 0
        counts: Sequence[Sequence[Call]] = [] if all_there else counting(rest)
        fewest: int | None = None
        found: list[Place] = []
        while not along.ended:
            beside = [] if fewest is not None else [call for calls in counts for call in calls]
            places, replies = yield from along.more(most, beside)
            if counts and fewest is None:
                numbers = iter(replies)
                fewest = min(sum(itertools.islice(numbers, len(calls))) for calls in counts)
            read += len(places)
            if fewest is not None and not along.ended and read + most > fewest:
                return None
            there = [place for place in places if not gone(place[1])]
            if not all_there and there:
                there = yield from self._fulfilling(there, rest)
                most *= 2
            found += there
            if places and len(found) + sum(not along.behind([place], places[-1]) for place in mine) >= size:
                break
        return along.behind([*found, *mine], first)[:size]

    def _fulfilling(self, places: Sequence[Place], rest: Condition) -> Deciding[list[Place]]:
        pks = list(dict.fromkeys(pk for _, pk in places))
        parts = [marks(rest, pks[at : at + _AT_ONCE]) for at in range(0, len(pks), _AT_ONCE)]
        replies = iter((yield from self.ask([call for part in parts for call in part.calls])))
        kept = {pk for part in parts for pk in part.read(list(itertools.islice(replies, len(part.calls))))}
        return [place for place in places if place[1] in kept]

    def _touched(self, along: Along, rest: Condition, names: frozenset[str]) -> Deciding[list[Place]]:
        """Return the places of what the session touched and that will be wanted."""
        model = self.query.model
        pks = self.overlay.touched_pks(model, names)
        spans = spans_of(rest)
        asked = marks(rest, pks)
        calls: list[Call] = [("ZMSCORE", span.key, *pks) for _, span in spans] if pks else []
        replies = yield from self.ask([*calls, *asked.calls])
        found = asked.read(replies[len(calls) :])
        held = {leaf: attrs.evolve(leaf, read={}) for leaf, _ in spans}
        for (leaf, span), scores in zip(spans, replies, strict=False):
            there = [pk for pk, score in zip(pks, scores, strict=False) if score is not None and span.within(pk, score)]
            held[leaf] = attrs.evolve(leaf, read={pk: (pk,) for pk in there})
        where = changed(rest, lambda leaf: held.get(leaf, leaf) if isinstance(leaf, Filter) else leaf)
        _, identities = yield from self.overlay.merge(model, where, names, found)
        alone = attrs.evolve(self, query=attrs.evolve(self.query, columns=()))
        rows = yield from alone._pending_rows(identities)
        places = [(self._placed(row.by), row.pk) for row in rows if row.by is not None]
        return [place for place in places if along.within(place)]

    # All of it.

    def _fetched(self, along: Along, size: int, after: Place | None) -> Deciding[tuple[list[Place], Columns]]:
        settled = yield from self.settled(stores=True)
        rows: dict[str, Row] = {row.pk: row for row in (yield from settled._all_rows()) if row.by is not None}
        places = along.behind([(self._placed(row.by or ""), pk) for pk, row in rows.items()], after)[:size]
        columns = [[rows[pk].values[place] for _, pk in places] for place in range(len(self.query.columns))]
        return places, columns

    def _placed(self, text: str) -> str:
        return (score_of(text) or "0") if self._by_number else text
