"""``SortedSetField``: Redis sorted sets (declare, say)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from uowredis.commands.arguments import Value, flag, integer, lex_bound, number, score_bound
from uowredis.commands.changes import Added, Change, Computed, Opaque, Removed
from uowredis.commands.commands import Read, Write
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_float, as_floats, as_is, sure_float
from uowredis.exceptions import ArgumentError, ArgumentTypeError
from uowredis.fields.base import Field
from uowredis.fields.lasting import BoundKey
from uowredis.fields.methods import G, M, V, reads, writes
from uowredis.fields.modes import Async
from uowredis.fields.overloads import between, ranged, reversed_between, reversed_range, scored, shown_scored
from uowredis.fields.scans import scan_arguments, scanned
from uowredis.schema.models import FieldSchema, Kind


def _scores(
    field: Field[Any], mapping: Mapping[Any, Any] | None, more: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    """Return member to score, and the same flat as ZADD takes it."""
    if mapping is not None and not isinstance(mapping, Mapping):
        raise ArgumentTypeError(f"{field} takes a mapping of members to scores, not {type(mapping).__name__}")
    given = list((mapping or {}).items()) + list(more.items())
    pairs = {field.spell(member): number(score, f"the score in {field}", infinite=True) for member, score in given}
    if not pairs:
        raise ArgumentError(f"{field} is given nothing: give at least one member with its score")
    return pairs, [part for member, score in pairs.items() for part in (score, member)]


def _limit(start: int | None, num: int | None) -> list[str]:
    if (start is None) != (num is None):
        raise ArgumentError("an offset and num go together")
    return [] if start is None else ["LIMIT", integer(start, "start"), integer(num, "num")]


def _first(reply: Any) -> bytes | None:
    """Return what was drawn: the embedded server answers with a list where there is at most one."""
    found: bytes | None = (reply or [None])[0] if isinstance(reply, list) else reply
    return found


class BoundSortedSet(BoundKey[V, G, M]):
    """The sorted set of one instance."""

    __slots__ = ()
    _value_by = "zrange(0, -1)"

    @reads
    def zcard(self) -> Read[int]:
        """Return how many values there are (ZCARD)."""
        return self._read("ZCARD", counts=True)

    @reads
    def zcount(self, min: Value, max: Value) -> Read[int]:
        """Return how many values have a score from *min* to *max*, ``"(1"`` excludes 1 (ZCOUNT)."""
        return self._read("ZCOUNT", score_bound(min, "min"), score_bound(max, "max"))

    @reads
    def zscore(self, value: Value | G) -> Read[float | None]:
        """Return the score of *value*, None where it is not there (ZSCORE)."""
        spelled = self._field.spell(value)
        return self._read("ZSCORE", spelled, decode=as_float, members=(spelled,))

    @reads
    def zmscore(self, members: Sequence[Value | G]) -> Read[list[float | None]]:
        """Return the scores of *members*, in order, None where one is not there (ZMSCORE)."""
        if isinstance(members, str | bytes) or not isinstance(members, Sequence):
            raise ArgumentTypeError(f"{self._field} takes a list of members, not {type(members).__name__}")
        spelled = self._field.spell_all(members)
        return self._read("ZMSCORE", *spelled, decode=as_floats, members=spelled)

    @reads
    def zlexcount(self, min: Value, max: Value) -> Read[int]:
        """Return how many values stand from the text *min* to *max*, all scores being equal (ZLEXCOUNT)."""
        return self._read("ZLEXCOUNT", lex_bound(min, "min"), lex_bound(max, "max"))

    @shown_scored
    @reads
    def zrandmember(self, count: int | None = None, withscores: bool = False) -> Read[Any]:
        """Return a random value, None for an empty sorted set; with *count* a list (ZRANDMEMBER).

        Args:
            count: how many different values at most; negative: exactly so many, with repetitions.
            withscores: return (value, score) pairs; needs *count*.
        """
        if flag(withscores, "withscores") and count is None:
            raise ArgumentError("zrandmember() takes withscores only with count")
        if count is None:
            return self._read("ZRANDMEMBER", decode=lambda reply: self._reader.one(_first(reply)))
        args = [integer(count, "count", -(2**62), 2**62)] + (["WITHSCORES"] if withscores else [])
        decode: Any = self._reader.scored if withscores else self._reader.many
        return self._read("ZRANDMEMBER", *args, decode=decode)

    @reads
    def zscan(
        self, cursor: int = 0, match: Value | None = None, count: int | None = None
    ) -> Read[tuple[int, list[tuple[V, float]]]]:
        """Return the next cursor, 0 at the end, and a part of the values with their scores (ZSCAN).

        A value that is there all the time is given at least once. Over pending writes all come at once.

        Args:
            cursor: what the call before gave; 0 begins.
            match: a pattern, as of Redis' KEYS, of the stored texts.
            count: about how many to look at.
        """
        args = scan_arguments(cursor, match, count)
        return self._read("ZSCAN", *args, decode=scanned(self._reader.scored))

    @reads
    def zrank(self, value: Value | G) -> Read[int | None]:
        """Return the place of *value* from the lowest score on, from 0, None where it is not there (ZRANK)."""
        return self._read("ZRANK", self._field.spell(value))

    @reads
    def zrevrank(self, value: Value | G) -> Read[int | None]:
        """Same as :meth:`zrank` but from the highest score on (ZREVRANK)."""
        return self._read("ZREVRANK", self._field.spell(value))

    @ranged
    @reads
    def zrange(
        self,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: bool = False,
        byscore: bool = False,
        bylex: bool = False,
        offset: int | None = None,
        num: int | None = None,
    ) -> Read[Any]:
        """Return the values from place *start* to *end*, both included, lowest score first (ZRANGE).

        Args:
            start: first place, negative from the end; a score or a text with *byscore* or *bylex*.
            end: last place; with *desc* and *byscore* or *bylex* the lower end.
            desc: highest score first (ZREVRANGE).
            withscores: return (value, score) pairs.
            byscore: *start* and *end* are scores, ``"(1"`` excludes 1.
            bylex: *start* and *end* are texts behind ``[`` or ``(``, or ``-`` and ``+``; all scores must be equal.
            offset: how many to leave out first; needs *num*, and *byscore* or *bylex*.
            num: how many at most, -1 for all.
        """
        if not flag(byscore, "byscore") and not flag(bylex, "bylex"):
            if offset is not None or num is not None:
                raise ArgumentError("zrange() takes offset and num only with byscore or bylex")
            return self._range("ZREVRANGE" if flag(desc, "desc") else "ZRANGE", start, end, withscores)
        if byscore and bylex:
            raise ArgumentError("zrange() takes byscore or bylex, not both")
        if bylex and flag(withscores, "withscores"):
            raise ArgumentError("zrange() takes withscores with byscore or with places, not with bylex")
        spell = lex_bound if bylex else score_bound
        options = ["BYLEX" if bylex else "BYSCORE"] + (["REV"] if flag(desc, "desc") else [])
        options += _limit(offset, num) + (["WITHSCORES"] if flag(withscores, "withscores") else [])
        decode: Any = self._reader.scored if withscores else self._reader.many
        return self._read("ZRANGE", spell(start, "start"), spell(end, "end"), *options, decode=decode)

    @reversed_range
    @reads
    def zrevrange(self, start: int, end: int, withscores: bool = False) -> Read[Any]:
        """Same as :meth:`zrange` but highest score first (ZREVRANGE)."""
        return self._range("ZREVRANGE", start, end, withscores)

    @between
    @reads
    def zrangebyscore(
        self, min: Value, max: Value, start: int | None = None, num: int | None = None, withscores: bool = False
    ) -> Read[Any]:
        """Return the values with a score from *min* to *max*, lowest first (ZRANGEBYSCORE).

        Args:
            min: lowest score, ``"(1"`` excludes 1, ``"-inf"`` begins at the first.
            max: highest score.
            start: how many to leave out first; needs *num*.
            num: how many at most, -1 for all.
            withscores: return (value, score) pairs.
        """
        return self._by_score("ZRANGEBYSCORE", score_bound(min, "min"), score_bound(max, "max"), start, num, withscores)

    @reversed_between
    @reads
    def zrevrangebyscore(
        self, max: Value, min: Value, start: int | None = None, num: int | None = None, withscores: bool = False
    ) -> Read[Any]:
        """Same as :meth:`zrangebyscore` but highest score first, and *max* before *min* (ZREVRANGEBYSCORE)."""
        low, high = score_bound(min, "min"), score_bound(max, "max")
        return self._by_score("ZREVRANGEBYSCORE", high, low, start, num, withscores)

    @reads
    def zrangebylex(self, min: Value, max: Value, start: int | None = None, num: int | None = None) -> Read[list[V]]:
        """Return the values from the text *min* to *max*, all scores being equal (ZRANGEBYLEX).

        Args:
            min: a text behind ``[`` (included) or ``(`` (excluded), or ``-`` for the first.
            max: the same, or ``+`` for the last.
            start: how many to leave out first; needs *num*.
            num: how many at most, -1 for all.
        """
        args = (lex_bound(min, "min"), lex_bound(max, "max"), *_limit(start, num))
        return self._read("ZRANGEBYLEX", *args, decode=self._reader.many)

    @reads
    def zrevrangebylex(self, max: Value, min: Value, start: int | None = None, num: int | None = None) -> Read[list[V]]:
        """Same as :meth:`zrangebylex` but the last first, and *max* before *min* (ZREVRANGEBYLEX)."""
        args = (lex_bound(max, "max"), lex_bound(min, "min"), *_limit(start, num))
        return self._read("ZREVRANGEBYLEX", *args, decode=self._reader.many)

    def _range(self, name: str, start: object, end: object, withscores: bool) -> Read[Any]:
        scores = ("WITHSCORES",) if flag(withscores, "withscores") else ()
        decode: Any = self._reader.scored if withscores else self._reader.many
        return self._read(name, integer(start, "start"), integer(end, "end"), *scores, decode=decode)

    def _by_score(
        self, name: str, first: str, last: str, start: int | None, num: int | None, withscores: bool
    ) -> Read[Any]:
        scores = ("WITHSCORES",) if flag(withscores, "withscores") else ()
        decode: Any = self._reader.scored if withscores else self._reader.many
        return self._read(name, first, last, *scores, *_limit(start, num), decode=decode)

    @scored
    @writes
    def zadd(
        self,
        /,
        mapping: Mapping[Any, Any] | None = None,
        nx: bool = False,
        xx: bool = False,
        ch: bool = False,
        incr: bool = False,
        gt: bool = False,
        lt: bool = False,
        **scores: float,
    ) -> Write[Any]:
        """Store values with their scores; return how many were new (ZADD).

        Args:
            mapping: value to score; or, as keywords, ``zadd(foo=2.5)``.
            nx: only values that are new.
            xx: only values that are there.
            ch: return how many were new or changed.
            incr: add the score (of one value) to the one that is there; return the sum, None where nx/xx refused.
            gt: change a score only to a higher one.
            lt: change a score only to a lower one.
            scores: values that are identifiers, with their scores.

        Raises:
            ArgumentError: for no value, options that exclude each other, or a score that is no number.
        """
        pairs, flat = _scores(self._field, mapping, scores)
        flags = [("NX", nx), ("XX", xx), ("GT", gt), ("LT", lt), ("CH", ch), ("INCR", incr)]
        options = [name for name, given in flags if flag(given, name.lower())]
        if (nx and (xx or gt or lt)) or (gt and lt):
            raise ArgumentError("zadd() takes nx without xx, gt and lt, and one of gt and lt")
        if incr and len(pairs) != 1:
            raise ArgumentError("zadd() with incr takes exactly one value")
        endless = incr and not math.isfinite(float(next(iter(pairs.values()))))
        change: Change = Added(tuple(pairs))
        if xx or endless:
            change = Computed(tuple(pairs), fallible=endless)
        return self._write(change, "ZADD", *options, *flat, decode=as_float if incr else as_is)

    @writes
    def zincrby(self, amount: float, value: Value | G) -> Write[float]:
        """Add *amount* to the score of *value* (0 where it is not there); return the sum (ZINCRBY)."""
        spelled, by = self._field.spell(value), number(amount, "amount", infinite=True)
        # Infinity may meet its opposite, which Redis refuses; other sums cannot fail.
        endless = not math.isfinite(float(by))
        change: Change = Computed((spelled,), fallible=True) if endless else Added((spelled,))
        return self._write(change, "ZINCRBY", by, spelled, decode=sure_float)

    @writes
    def zrem(self, *values: Value | G) -> Write[int]:
        """Remove *values*; return how many were there (ZREM)."""
        spelled = self._field.spell_all(values)
        return self._write(Removed(spelled), "ZREM", *spelled)

    @writes
    def zpopmin(self, count: int | None = None) -> Write[list[tuple[V, float]]]:
        """Remove and return the values with the lowest scores, *count* (or 1) at most, with these (ZPOPMIN)."""
        return self._pop("ZPOPMIN", count)

    @writes
    def zpopmax(self, count: int | None = None) -> Write[list[tuple[V, float]]]:
        """Same as :meth:`zpopmin` but those with the highest scores, the highest first (ZPOPMAX)."""
        return self._pop("ZPOPMAX", count)

    def _pop(self, name: str, count: int | None) -> Write[Any]:
        args = () if count is None else (integer(count, "count", 1),)
        return self._write(Computed(), name, *args, decode=self._reader.scored)

    @writes
    def zremrangebyrank(self, min: int, max: int) -> Write[int]:
        """Remove the values from place *min* to *max*, both included; return how many (ZREMRANGEBYRANK)."""
        return self._write(Computed(), "ZREMRANGEBYRANK", integer(min, "min"), integer(max, "max"))

    @writes
    def zremrangebyscore(self, min: Value, max: Value) -> Write[int]:
        """Remove the values with a score from *min* to *max*; return how many (ZREMRANGEBYSCORE)."""
        return self._write(Computed(), "ZREMRANGEBYSCORE", score_bound(min, "min"), score_bound(max, "max"))

    @writes
    def zremrangebylex(self, min: Value, max: Value) -> Write[int]:
        """Remove the values from the text *min* to *max*, all scores being equal; return how many (ZREMRANGEBYLEX).

        On an indexed field those are looked for under watch, and removed one by one; on another one the session cannot
        read it before the commit: what is removed where scores differ only Redis knows.

        Args:
            min: a text behind ``[`` (included) or ``(`` (excluded), or ``-`` for the first.
            max: the same, or ``+`` for the last.

        Raises:
            Rejected: where scores differ and the field is indexed; nothing is written.
        """
        return self._write(Opaque(), "ZREMRANGEBYLEX", lex_bound(min, "min"), lex_bound(max, "max"))


class SortedSetField(Field[V]):
    """A set of different values, each with a score by which they are ordered."""

    kind = Kind.SORTED_SET
    tells_apart = True
    bound: type[BoundSortedSet[V]] = BoundSortedSet
    bound_later: type[BoundSortedSet[V, V, Async]]

    if TYPE_CHECKING:

        @property
        def _in_rows(self) -> dict[V, float]: ...

    def first_write(self, identity: Identity, schema: FieldSchema, value: Mapping[Any, Any]) -> Write[Any]:
        """Return the ZADD of a mapping of values to scores."""
        pairs, flat = _scores(self, value, {})
        return Write(identity, schema.storage, schema, "ZADD", tuple(flat), Added(tuple(pairs)))

    def _setter(self) -> str:
        return "zadd"
