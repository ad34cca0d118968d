"""How an index is asked (declare, pure): which of its keys, and what part of them, holds whom is wanted."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.schema.keys import member_of, pks_of

#: What filters ask of a value beside equality, each with how it compares.
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "startswith": bytes.startswith,
}
_LOWER, _UPPER = ("gt", "gte", "eq"), ("lt", "lte", "eq")

#: Scores without bound: a number, whether it is outside below, or inside above, and its text.
_LOWEST, _HIGHEST = (-math.inf, False, "-inf"), (math.inf, True, "+inf")

#: How many ranges are asked for one by one; more of them are asked for as one, with what lies between.
_MOST_RANGES = 100


@attrs.frozen
class Among:
    """The objects in one of the sets under *keys*; none of them: no object.

    Attributes:
        scored_by: the field whose numbers are the scores, where these are sorted sets; "" where they are plain ones.
    """

    keys: tuple[str, ...]
    scored_by: str = ""

    @property
    def is_scored(self) -> bool:
        """Whether these are sorted sets."""
        return bool(self.scored_by)

    def holds(self, key: str, member: str, score: str | None) -> bool:
        """Return whether an index entry is one that is asked for."""
        return key in self.keys


@attrs.frozen
class Span:
    """The objects between bounds in the sorted set *key*.

    Attributes:
        bounds: all that must hold: a word, as in filters, and what is compared with.
        separator: stands in a member between value and primary key; "" where members are primary keys.
    """

    key: str
    bounds: tuple[tuple[str, str], ...]
    separator: str = ""

    def narrowed(self, other: Span) -> Span:
        """Return the span of what lies in both, of the same index of a field with one value."""
        return type(self)(self.key, (*self.bounds, *other.bounds), self.separator)

    def holds(self, key: str, member: str, score: str | None) -> bool:
        """Return whether an index entry is one that is asked for."""
        return key == self.key and self.within(member, score)

    def within(self, member: str, score: str | None) -> bool:
        """Return whether what the key holds lies between the bounds."""
        raise NotImplementedError

    @property
    def reads(self) -> tuple[tuple[str, ...], ...]:
        """The calls that read what may lie between the bounds."""
        return tuple([(self.command, self.key, low, high) for low, high in self.ranges])

    command = ""

    @property
    def ranges(self) -> Sequence[tuple[str, str]]:
        """From where to where is read, each."""
        raise NotImplementedError

    def members(self, replies: Sequence[Sequence[str]]) -> list[str]:
        """Return the members between the bounds that the *replies* to :attr:`reads` hold."""
        members = list(itertools.chain.from_iterable(replies))
        return [member for member in members if self.within(member, None)] if self.sifting else members

    def found(self, replies: Sequence[Sequence[str]]) -> dict[str, set[str]]:
        """Return the members between the bounds that the *replies* to :attr:`reads` hold, by primary key."""
        found: dict[str, set[str]] = {}
        for member in self.members(replies):
            pk = member_of(member, self.separator)[1] if self.separator else member
            found.setdefault(pk, set()).add(member)
        return found

    def pks(self, replies: Sequence[Sequence[str]]) -> list[str]:
        """Return the primary keys that :meth:`found` tells, alone."""
        members, separator = self.members(replies), self.separator
        # One range of scores holds each once.
        return list(dict.fromkeys(pks_of(members, separator))) if separator else members

    @property
    def sifting(self) -> tuple[tuple[str, str], ...]:
        """The bounds that what is read is to be sifted by."""
        return ()


@attrs.frozen
class NumberSpan(Span):
    """Objects by their scores."""

    command = "ZRANGEBYSCORE"

    def within(self, member: str, score: str | None) -> bool:
        """Return whether a score lies between the bounds."""
        number = float(score or 0)
        return all(COMPARED[word](number, float(bound)) for word, bound in self.bounds)

    @property
    def ranges(self) -> Sequence[tuple[str, str]]:
        """The one range of scores."""
        return (self.limits,)

    @property
    def limits(self) -> tuple[str, str]:
        """The lowest score and the highest, as Redis takes them."""
        low, high = _LOWEST, _HIGHEST
        for word, bound in self.bounds:
            number = float(bound)
            if word in _LOWER:
                low = max(low, (number, word == "gt", bound))
            if word in _UPPER:
                high = min(high, (number, word != "lt", bound))
        return f"({low[2]}" if low[1] else low[2], high[2] if high[1] else f"({high[2]}"


@attrs.frozen
class TextSpan(Span):
    """Objects by texts, which are compared by their bytes.

    In the index a text is followed by the separator, which is ordered among the texts that go on in another way. What
    is read is sifted, and where a text is smaller than what it begins, it is looked for where the separator puts it.
    """

    command = "ZRANGEBYLEX"

    def within(self, member: str, score: str | None) -> bool:
        """Return whether the text of a member lies between the bounds."""
        return self._fits(_bytes(member_of(member, self.separator)[0]))

    @property
    def sifting(self) -> tuple[tuple[str, str], ...]:
        """All bounds, since what is read may go on before the separator; a beginning without a colon tells all."""
        ((word, bound), *more) = self.bounds
        return self.bounds if more or word != "startswith" or ":" in bound else ()

    def _fits(self, text: bytes) -> bool:
        return all(compare(text, bound) for compare, bound in self._compared)

    @functools.cached_property
    def _compared(self) -> tuple[tuple[Callable[[Any, Any], bool], bytes], ...]:
        return tuple((COMPARED[word], _bytes(bound)) for word, bound in self.bounds)

    @property
    def ranges(self) -> Sequence[tuple[str, str]]:
        """The range of texts that are between the bounds, then one for each that begins the upper bound."""
        lower = [_bytes(bound) for word, bound in self.bounds if word in ("gt", "gte", "startswith")]
        lower += [self._ended(_bytes(bound)) for word, bound in self.bounds if word == "eq"]
        upper = [_bytes(bound) for word, bound in self.bounds if word in ("lt", "lte")]
        ends = [behind_all(_bytes(bound)) for word, bound in self.bounds if word == "startswith"]
        ends += [behind_all(self._ended(_bytes(bound))) for word, bound in self.bounds if word == "eq"]
        end = min((each for each in (*upper, *ends) if each is not None), default=None)
        begin = max(lower, default=None)
        found = []
        if begin is None or end is None or begin < end:
            found.append((f"[{_text(begin)}" if begin else "-", "+" if end is None else f"({_text(end)}"))
        return found if end is None else found + self._beginnings(min(upper, default=None), end)

    def _beginnings(self, bound: bytes | None, end: bytes) -> list[tuple[str, str]]:
        """Return where members stand whose text begins *bound*, or is it, where some may come behind *end*."""
        if bound is None:
            return []
        texts = (bound[:length] for length in range(len(bound) + 1))
        # A separator ends by ':', behind which there is something.
        places = [(place, place[:-1] + b";") for text in texts if self._fits(text) for place in [self._ended(text)]]
        beyond = [(place, behind) for place, behind in places if behind > end]
        if len(beyond) > _MOST_RANGES:
            beyond = [(min(place for place, _ in beyond), max(behind for _, behind in beyond))]
        return [(f"[{_text(place)}", f"({_text(behind)}") for place, behind in beyond]

    def _ended(self, text: bytes) -> bytes:
        return text + _bytes(f":{self.separator}:")


Lookup: TypeAlias = Among | Span


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(found: bytes) -> str:
    return found.decode("utf-8", "surrogateescape")


def behind_all(text: bytes) -> bytes | None:
    """Return the first text behind all that begin with *text*, None where there is none."""
    kept = text.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None
