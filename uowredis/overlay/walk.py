"""Goes along an index of ranges from a place in it, so that what follows costs the same however far it lies (decide).

The order is that of the index: numbers, or the bytes of texts, what is equal by primary key; what has no value is not
in it. Where the index does not hold what is wanted, because of other conditions or pending writes, all that matches is
fetched and ordered here by the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.replies import encode
from uowredis.commands.where import Condition, Everything, Filter
from uowredis.overlay.order import Row, by_pk
from uowredis.overlay.search import Columns, Search
from uowredis.plan.requests import Deciding
from uowredis.schema.keys import member_of
from uowredis.schema.lookup import NumberSpan, TextSpan
from uowredis.schema.ranges import NumberRangeIndex, RangeIndex, score_of

#: A value, as the index has it, and a primary key.
Place: TypeAlias = tuple[str, str]

#: How many more are read than are wanted, for what is equal to the last.
_MARGIN = 100


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

    def follow(self, size: int, after: Place | None) -> Deciding[tuple[list[str], Columns, Place | None]]:
        """Return at most *size* primary keys behind the place *after*, their values, and the place of the last one."""
        span = self._span()
        if span is None or self.over_pending or self.overlay.watches:
            return (yield from self._fetched(size, after))
        if isinstance(span, NumberSpan):
            places = yield from self._numbers(span, size, after)
        else:
            places = yield from (self._down(span, size, after) if self.desc else self._up(span, size, after))
        places = self._behind(places, size, after)
        pks = [pk for _, pk in places]
        columns = (yield from self.values_of(pks)) if self.query.columns else ()
        return pks, columns, places[-1] if places else None

    def _span(self) -> NumberSpan | TextSpan | None:
        """Return what the index holds of what is wanted, None where that is not all that is said."""
        (whole,) = self.index.lookup(self.query.model.keys, "", "gte", ("0",))
        assert isinstance(whole, NumberSpan | TextSpan)
        where: Condition = self.query.where
        if isinstance(where, Everything) and where.key == self.query.model.keys.collection:
            return attrs.evolve(whole, bounds=())
        span = where.span if isinstance(where, Filter) else None
        return span if isinstance(span, NumberSpan) and span.key == whole.key and not span.separator else None

    # All of it.

    def _fetched(self, size: int, after: Place | None) -> Deciding[tuple[list[str], Columns, Place | None]]:
        rows: dict[str, Row] = {}
        if self.query.within != frozenset():
            settled = yield from self.settled(stores=True)
            rows = {row.pk: row for row in (yield from settled._all_rows()) if row.by is not None}
        places = self._behind([(self._placed(row.by or ""), pk) for pk, row in rows.items()], size, after)
        pks = [pk for _, pk in places]
        columns = [[rows[pk].values[place] for pk in pks] for place in range(len(self.query.columns))]
        return pks, columns, places[-1] if places else None

    def _placed(self, text: str) -> str:
        return (score_of(text) or "0") if self._by_number else text

    # In the order of the index.

    def _key(self, place: Place) -> Any:
        value, pk = place
        return float(value) if self._by_number else encode(value), by_pk(pk, self.query.model)

    def _behind(self, places: Iterable[Place], size: int, after: Place | None) -> list[Place]:
        """Return the first of *places* behind *after*."""
        found = {place: self._key(place) for place in places}
        if after is not None:
            bound = self._key(after)
            found = {place: key for place, key in found.items() if (key < bound if self.desc else key > bound)}
        return sorted(found, key=found.__getitem__, reverse=self.desc)[:size]

    # Numbers.

    def _numbers(self, span: NumberSpan, size: int, after: Place | None) -> Deciding[list[Place]]:
        """Return what is equal to the place, and enough of what follows (ZRANGEBYSCORE)."""
        tied: list[Call] = []
        if after is not None:
            if span.within("", after[0]):
                tied = [_of_score(span.key, after[0])]
            span = attrs.evolve(span, bounds=(*span.bounds, ("lt" if self.desc else "gt", after[0])))
        most = size + _MARGIN
        low, high = span.limits
        name, ends = ("ZREVRANGEBYSCORE", (high, low)) if self.desc else ("ZRANGEBYSCORE", (low, high))
        *equal, following = yield from self.ask([*tied, (name, span.key, *ends, "WITHSCORES", "LIMIT", "0", str(most))])
        places = _scored(following)
        if len(places) == most:
            last = places[-1][0]
            if len([place for place in places if place[0] != last]) < size:
                places += _scored((yield from self.ask([_of_score(span.key, last)]))[0])
            else:
                places = [place for place in places if place[0] != last]
        return places + [place for reply in equal for place in _scored(reply)]

    # Texts. In the index a text comes behind those that go on by a byte below the separator's.

    def _up(self, span: TextSpan, size: int, after: Place | None) -> Deciding[list[Place]]:
        """Return enough of what follows (ZRANGEBYLEX): of what is read, all that is smaller is read, too."""
        begin = "-" if after is None or not after[0] else f"[{after[0]}"
        places: list[Place] = []
        while True:
            most = size + _MARGIN
            (members,) = yield from self.ask([("ZRANGEBYLEX", span.key, begin, "+", "LIMIT", "0", str(most))])
            places += self._told(span, members)
            if len(members) < most:
                return places
            # Only what begins the last text, or is it, may be smaller and stand behind it.
            calls = [_of_text(span, text) for text in _beginnings(member_of(members[-1], span.separator)[0], after)]
            for reply in (yield from self.ask(calls)):
                places += self._told(span, reply)
            if len(self._behind(places, size, after)) == size:
                return places
            begin = f"({members[-1]}"

    def _down(self, span: TextSpan, size: int, after: Place | None) -> Deciding[list[Place]]:
        """Return enough of what comes before (ZREVRANGEBYLEX): of what is read, all that is larger is read, too."""
        end = "+" if after is None else f"({after[0]}"
        calls = [] if after is None else [_of_text(span, text) for text in _beginnings(after[0], None)]
        places: list[Place] = []
        while True:
            most = size + _MARGIN
            *begun, members = yield from self.ask(
                [*calls, ("ZREVRANGEBYLEX", span.key, end, "-", "LIMIT", "0", str(most))]
            )
            places += [place for reply in (*begun, members) for place in self._told(span, reply)]
            if len(members) < most:
                return places
            # What goes on from what begins the last text may be larger and stand before it.
            uncertain = set(_beginnings(member_of(members[-1], span.separator)[0], None))
            certain = [place for place in places if place[0] not in uncertain]
            if len(self._behind(certain, size, after)) == size:
                return certain
            end, calls = f"({members[-1]}", []

    def _told(self, span: TextSpan, members: Sequence[str]) -> list[Place]:
        # What is made up for eyes is no member.
        return [member_of(member, span.separator) for member in members]


def _of_score(key: str, score: str) -> Call:
    return ("ZRANGEBYSCORE", key, score, score, "WITHSCORES")


def _scored(flat: Sequence[str]) -> list[Place]:
    return [(score_of(score) or "0", pk) for pk, score in zip(flat[::2], flat[1::2], strict=True)]


def _of_text(span: TextSpan, text: str) -> Call:
    """Return the call that reads all members with *text*."""
    begin = f"{text}:{span.separator}:"
    # A separator ends by ':', behind which there is something.
    return ("ZRANGEBYLEX", span.key, f"[{begin}", f"({begin[:-1]};")


def _beginnings(text: str, after: Place | None) -> list[str]:
    """Return what begins *text*, itself too, but for what is smaller than the place *after*."""
    found = [text[:length] for length in range(len(text) + 1)]
    return found if after is None else [each for each in found if encode(each) >= encode(after[0])]
