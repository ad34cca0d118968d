"""How a condition is asked of the server (decide, pure): by temporary keys there, or leaf by leaf.

Temporary keys live within one transaction. A sorted set takes part wherever a set does: then the commands on sorted
sets are used, which take both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.sift import SIFT
from uowredis.commands.where import (
    All,
    Condition,
    Either,
    Everything,
    Filter,
    Given,
    Leaf,
    Members,
    Without,
    combined,
    leaves,
)
from uowredis.schema.keys import beside
from uowredis.schema.lookup import Among, NumberSpan, Span

#: Commands that store what two or more keys have in common, what is in one of them, what is in the first alone: of
#: sets, and where one of the keys is a sorted set. Without STORE they read it.
_OF_SETS = {All: "SINTER", Either: "SUNION", Without: "SDIFF"}
_OF_SORTED = {All: "ZINTER", Either: "ZUNION", Without: "ZDIFF"}


@attrs.frozen
class Asked:
    """Calls whose plain replies, in order, are primary keys to *read*.

    Attributes:
        whole: they are one transaction.
    """

    calls: tuple[Call, ...]
    read: Callable[[Sequence[Any]], list[str]]
    whole: bool = False


@attrs.define
class Storing:
    """Puts what fulfils a condition under temporary keys.

    Attributes:
        temporary: gives what they begin with, where there are some.
        calls: that do it.
    """

    temporary: Callable[[], str]
    calls: list[Call] = attrs.field(factory=list)
    _made: list[str] = attrs.field(factory=list)

    @property
    def deletion(self) -> tuple[Call, ...]:
        """The call that deletes the temporary keys, where there are some; however large, it holds up nobody."""
        return (("UNLINK", *self._made),) if self._made else ()

    def _new(self) -> str:
        key = beside(self._made[0], len(self._made)) if self._made else self.temporary()
        self._made.append(key)
        return key

    def _store(self, name: str, *rest: str) -> str:
        key = self._new()
        self.calls.append((name, key, *rest))
        return key

    def stored(self, condition: Condition) -> tuple[str, bool]:
        """Return a key that holds what fulfils *condition*, and whether it is a sorted set."""
        match condition:
            case Everything(key):
                return key, False
            case Members(key, scored):
                return key, scored
            case Given(pks):
                return (self._store("SADD", *sorted(pks)) if pks else self._new()), False
            case Filter(read=read) if read is not None:
                return self.stored(Given(frozenset(read)))
            case Filter(lookup=Among(keys) as among):
                if len(keys) == 1:
                    return keys[0], among.is_scored
                if among.is_scored and keys:
                    return self._store("ZUNIONSTORE", str(len(keys)), *keys), True
                return (self._store("SUNIONSTORE", *keys) if keys else self._new()), False
            case Filter(lookup=Span() as span) if span.separator:
                return self._sifted(span), False
            case Filter(lookup=NumberSpan() as span):
                low, high = span.limits
                return self._store("ZRANGESTORE", span.key, low, high, "BYSCORE"), True
            case _:
                name, scored, args = self._combining(condition)
                return self._store(f"{name}STORE", *args), scored

    def _sifted(self, span: Span) -> str:
        key = self._new()
        ranges = [text for range_ in span.ranges for text in range_]
        bounds = [text for bound in span.sifting for text in bound]
        arguments = (span.key, key, f":{span.separator}:", span.command, str(len(ranges) // 2), *ranges, *bounds)
        self.calls.append(("EVAL", SIFT, "2", *arguments))
        return key

    def reading(self, condition: Condition) -> Call:
        """Return the call that reads what fulfils *condition*, after those that store parts of it."""
        match condition:
            case Filter(lookup=Among(keys) as among, read=None) if len(keys) > 1:
                return ("ZUNION", str(len(keys)), *keys) if among.is_scored else ("SUNION", *keys)
            case All() | Either() | Without():
                name, _, args = self._combining(condition)
                return (name, *args)
            case _:
                return whole_set(*self.stored(condition))

    def _combining(self, condition: Condition) -> tuple[str, bool, tuple[str, ...]]:
        """Return the command that combines the parts, whether it gives a sorted set, and its arguments."""
        parts: tuple[Condition, ...] = ()
        if isinstance(condition, Without):
            parts = condition.wanted, condition.unwanted
        elif isinstance(condition, All | Either):
            parts = condition.parts
        keys, any_scored = [], False
        for part in parts:
            key, scored = self.stored(part)
            keys.append(key)
            any_scored = any_scored or scored
        keys = keys or [self._new()]
        if any_scored:
            return _OF_SORTED[type(condition)], True, (str(len(keys)), *keys)
        return _OF_SETS[type(condition)], False, tuple(keys)


def whole_set(key: str, scored: bool) -> Call:
    """Return the call that reads all members of a set, or of a sorted one."""
    return ("ZRANGE", key, "0", "-1") if scored else ("SMEMBERS", key)


def counting(condition: Condition) -> list[tuple[Call, ...]]:
    """Return in which ways it is counted how many fulfil *condition* at most: calls whose sum tells, each."""
    match condition:
        case Filter(lookup=Among(keys) as among):
            return [tuple([("ZCARD" if among.is_scored else "SCARD", key) for key in keys])]
        case Filter(lookup=NumberSpan() as span):
            return [(("ZCOUNT", span.key, *span.limits),)]
        case Members(key, scored):
            return [(("ZCARD" if scored else "SCARD", key),)]
        case Everything(key):
            return [(("SCARD", key),)]
        case All(parts):
            return [way for part in parts for way in counting(part)]
        case Either(parts):
            ways = [counting(part) for part in parts]
            return [tuple([call for way in ways for call in way[0]])] if all(ways) else []
        case Without(wanted):
            return counting(wanted)
        case _:
            return []


def marks(condition: Condition, some: Sequence[str]) -> Asked:
    """Return the calls that tell who of *some* fulfils *condition*."""
    return _each(condition, some)


def by_leaf(condition: Condition) -> Asked:
    """Return the calls that read all that fulfils each leaf of *condition*."""
    return _each(condition, None)


def _each(condition: Condition, some: Sequence[str] | None) -> Asked:
    if some is not None and not some:
        return Asked((), lambda _: [])
    asked: dict[Leaf, tuple[tuple[Call, ...], Callable[[Sequence[Any]], Any]]] = {}
    for leaf in leaves(condition):
        if leaf not in asked:
            asked[leaf] = _asked(leaf, some)

    def read(replies: Sequence[Any]) -> list[str]:
        found: dict[Leaf, frozenset[str]] = {}
        at = 0
        for leaf, (calls, taken) in asked.items():
            found[leaf] = frozenset(taken(replies[at : at + len(calls)]))
            at += len(calls)
        pks = combined(condition, found)
        # In the order in which they were given, or any.
        return list(pks) if some is None else [pk for pk in some if pk in pks]

    return Asked(tuple([call for calls, _ in asked.values() for call in calls]), read)


def _asked(leaf: Leaf, some: Sequence[str] | None) -> tuple[tuple[Call, ...], Callable[[Sequence[Any]], Any]]:
    """Return the calls that tell who fulfils *leaf*, of *some* or of all, and what takes it from their replies."""
    match leaf:
        case Given(pks):
            return (), lambda _: pks
        case Filter(read=read) if read is not None:
            return (), lambda _: read
        case Filter(lookup=Span() as span):
            return _in_span(span, some)
        case Filter(lookup=Among(keys) as among):
            sets = [(key, among.is_scored) for key in keys]
        case Members(key, scored):
            sets = [(key, scored)]
        case Everything(key):
            sets = [(key, False)]
    if some is None:
        calls = tuple([whole_set(key, scored) for key, scored in sets])
        return calls, lambda replies: {pk for reply in replies for pk in reply}
    calls = tuple([_marking(key, scored, some) for key, scored in sets])
    return calls, lambda replies: {
        pk for reply in replies for pk, mark in zip(some, reply, strict=True) if mark is not None and mark != 0
    }


def _marking(key: str, scored: bool, some: Sequence[str]) -> Call:
    return ("ZMSCORE" if scored else "SMISMEMBER", key, *some)


def _in_span(span: Span, some: Sequence[str] | None) -> tuple[tuple[Call, ...], Callable[[Sequence[Any]], Any]]:
    if some is None or span.separator:
        return span.reads, span.pks

    def scored(replies: Sequence[Any]) -> list[str]:
        return [pk for pk, score in zip(some, replies[0], strict=True) if score is not None and span.within(pk, score)]

    return (("ZMSCORE", span.key, *some),), scored
