"""Goes along an index of ranges in its order, some objects at a time, from a place in it or from a bound (decide).

The order is that of numbers, or of the bytes of texts, what is equal by primary key. What is given is whole up to its
last place: nothing that comes before that is given later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.replies import encode, sure_text
from uowredis.overlay.order import by_pk
from uowredis.plan.requests import Deciding
from uowredis.schema.keys import member, member_of
from uowredis.schema.lookup import COMPARED, NumberSpan, Span, TextSpan, behind_all
from uowredis.schema.models import ModelSchema
from uowredis.schema.ranges import score_of

#: A value, as the index has it, and a primary key.
Place: TypeAlias = tuple[str, str]

#: The bounds that something may be beyond, on the way up and on the way down.
_UPPER, _LOWER = ("lt", "lte", "eq", "startswith"), ("gt", "gte", "eq", "startswith")


@attrs.define(kw_only=True)
class Along:
    """What lies in a part of an index, from a place on.

    Attributes:
        model: whose objects they are.
        span: the part of the index.
        ask: reads in one round trip, and gives the plain replies.
        desc: the highest first.
        after: the place behind which it goes on; None: from the first one on.
        ended: nothing follows what was given.
    """

    model: ModelSchema
    span: Span
    ask: Callable[[Sequence[Call]], Deciding[list[Any]]]
    desc: bool
    after: Place | None
    ended: bool = False

    def more(self, most: int, beside: Sequence[Call] = ()) -> Deciding[tuple[list[Place], list[Any]]]:
        """Return what follows, about *most* of it, in order, and the replies to other calls; none at the end only."""
        raise NotImplementedError

    def key(self, place: Place) -> Any:
        """Return what orders a *place*."""
        value, pk = place
        return self._value(value), by_pk(pk, self.model)

    def _value(self, text: str) -> Any:
        raise NotImplementedError

    def within(self, place: Place) -> bool:
        """Return whether a *place* lies between the bounds."""
        raise NotImplementedError

    def behind(self, places: Iterable[Place], after: Place | None) -> list[Place]:
        """Return those of *places* behind *after*, each once, in order."""
        found = {place: self.key(place) for place in places}
        if after is not None:
            bound = self.key(after)
            found = {place: key for place, key in found.items() if (key < bound if self.desc else key > bound)}
        return sorted(found, key=found.__getitem__, reverse=self.desc)

    def _given(self, places: Iterable[Place]) -> list[Place]:
        """Return *places*, which are whole, in order; go on behind them."""
        found = self.behind(places, self.after)
        if found:
            self.after = found[-1]
        return found


@attrs.define(kw_only=True)
class AlongNumbers(Along):
    """Same, by scores (ZRANGEBYSCORE)."""

    span: NumberSpan
    # What is equal to the place was given already.
    _whole: bool = False

    def _value(self, text: str) -> Any:
        return float(text)

    def within(self, place: Place) -> bool:
        """Return whether the number of a *place* lies between the bounds."""
        return self.span.within("", place[0])

    def more(self, most: int, beside: Sequence[Call] = ()) -> Deciding[tuple[list[Place], list[Any]]]:
        """Return what is equal to the place, and enough of what follows, so that the last number has all of its own."""
        span, tied = self.span, list[Call]()
        if self.after is not None:
            if not self._whole and span.within("", self.after[0]):
                tied = [_of_score(span.key, self.after[0])]
            span = attrs.evolve(span, bounds=(*span.bounds, ("lt" if self.desc else "gt", self.after[0])))
        low, high = span.limits
        name, ends = ("ZREVRANGEBYSCORE", (high, low)) if self.desc else ("ZRANGEBYSCORE", (low, high))
        call = (name, span.key, *ends, "WITHSCORES", "LIMIT", "0", str(most))
        replies = yield from self.ask([*tied, call, *beside])
        places = _scored(replies[len(tied)])
        self.ended = len(places) < most
        if not self.ended:
            last = places[-1][0]
            whole = [place for place in places if place[0] != last]
            places = whole or _scored((yield from self.ask([_of_score(span.key, last)]))[0])
        places += [place for reply in replies[: len(tied)] for place in _scored(reply)]
        self._whole = True
        return self._given(places), replies[len(tied) + 1 :]


@attrs.define(kw_only=True)
class AlongTexts(Along):
    """Same, by texts, each in one member with its primary key.

    In the index a text comes behind those that go on by a byte below the separator's; so what is read is not in order.
    """

    span: TextSpan
    # From where it is read on, None where that is told by the place and the bounds; and what was read too early.
    _begin: str | None = None
    _early: list[Place] = attrs.field(factory=list)

    def _value(self, text: str) -> Any:
        return encode(text)

    def within(self, place: Place) -> bool:
        """Return whether the text of a *place* lies between the bounds."""
        return self.span.within(member(place[0], self.span.separator, place[1]), None)

    def more(self, most: int, beside: Sequence[Call] = ()) -> Deciding[tuple[list[Place], list[Any]]]:
        """Return what follows in order, which is read in the order of the index (ZRANGEBYLEX)."""
        places, replies = yield from (self._down(most, beside) if self.desc else self._up(most, beside))
        self.ended = self.ended or any(self._is_beyond(text) for text, _ in places)
        return self._given(filter(self.within, places)), replies

    def _is_beyond(self, text: str) -> bool:
        """Return whether nothing that follows *text* lies between the bounds."""
        found = encode(text)
        for word, bound in self.span.bounds:
            edge = encode(bound)
            passed = found < edge if self.desc else found > edge
            if passed and word in (_LOWER if self.desc else _UPPER) and not COMPARED[word](found, edge):
                return True
        return False

    def _bound(self) -> str | None:
        """Return the text from which to begin, the place or the nearest bound, None for none."""
        given = [bound for word, bound in self.span.bounds if word in (("lt", "lte", "eq") if self.desc else _LOWER)]
        if self.desc:
            ends = [behind_all(encode(bound)) for word, bound in self.span.bounds if word == "startswith"]
            given += [sure_text(end) for end in ends if end is not None]
        if self.after is not None:
            given.append(self.after[0])
        return (min if self.desc else max)(given, key=encode, default=None)

    def _up(self, most: int, beside: Sequence[Call]) -> Deciding[tuple[list[Place], list[Any]]]:
        """Return enough of what follows: of what is read, all that is smaller is read, too."""
        first = self._bound()
        begin = self._begin or (f"[{first}" if first else "-")
        members, *replies = yield from self.ask(
            [("ZRANGEBYLEX", self.span.key, begin, "+", "LIMIT", "0", str(most)), *beside]
        )
        places = self._told(members)
        self.ended = len(members) < most
        if not self.ended:
            # Only what begins the last text, or is it, may be smaller and stand behind it.
            begun = [text for text in _beginnings(places[-1][0]) if encode(text) >= encode(first or "")]
            for reply in (yield from self.ask([self._of(text) for text in begun])):
                places += self._told(reply)
            self._begin = f"({members[-1]}"
        return places, replies

    def _down(self, most: int, beside: Sequence[Call]) -> Deciding[tuple[list[Place], list[Any]]]:
        """Return enough of what comes before: of what is read, all that is larger is read, too."""
        first, calls = self._bound(), list[Call]()
        if self._begin is None and first is not None:
            calls = [self._of(text) for text in _beginnings(first)]
        end = self._begin or ("+" if first is None else f"({first}")
        replies = yield from self.ask(
            [*calls, ("ZREVRANGEBYLEX", self.span.key, end, "-", "LIMIT", "0", str(most)), *beside]
        )
        members = replies[len(calls)]
        told = [place for reply in replies[: len(calls) + 1] for place in self._told(reply)]
        places, self._early = [*self._early, *told], []
        self.ended = len(members) < most
        if not self.ended:
            # What goes on from what begins the last text may be larger and stand before it.
            uncertain = set(_beginnings(member_of(members[-1], self.span.separator)[0]))
            self._early = [place for place in places if place[0] in uncertain]
            places = [place for place in places if place[0] not in uncertain]
            self._begin = f"({members[-1]}"
        return places, replies[len(calls) + 1 :]

    def _told(self, members: Sequence[str]) -> list[Place]:
        return [member_of(member, self.span.separator) for member in members]

    def _of(self, text: str) -> Call:
        """Return the call that reads all members with *text*."""
        begin = f"{text}:{self.span.separator}:"
        # A separator ends by ':', behind which there is something.
        return ("ZRANGEBYLEX", self.span.key, f"[{begin}", f"({begin[:-1]};")


def _of_score(key: str, score: str) -> Call:
    return ("ZRANGEBYSCORE", key, score, score, "WITHSCORES")


def _scored(flat: Sequence[str]) -> list[Place]:
    return [(score_of(score) or "0", pk) for pk, score in zip(flat[::2], flat[1::2], strict=True)]


def _beginnings(text: str) -> list[str]:
    return [text[:length] for length in range(len(text) + 1)]
