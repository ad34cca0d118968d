"""``StringField``: Redis strings (declare, say)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from uowredis.commands.arguments import (
    Value,
    flag,
    integer,
    milliseconds,
    moment,
    moment_in_milliseconds,
    seconds,
)
from uowredis.commands.changes import Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Read, Write
from uowredis.commands.replies import as_bool, as_ok, encode
from uowredis.exceptions import ArgumentError
from uowredis.fields.base import SingleValueField
from uowredis.fields.bits import bit_mode, bit_operations
from uowredis.fields.lasting import BoundKey
from uowredis.fields.methods import G, M, V, reads, writes
from uowredis.fields.modes import Async
from uowredis.fields.overloads import stored
from uowredis.schema.models import Kind

#: Bytes that a string may have (redis.io/docs/latest/develop/data-types/strings: 512 MB).
_MOST_BYTES = 512 * 1024 * 1024


def _times(
    ex: int | timedelta | None, px: int | timedelta | None, exat: int | datetime | None, pxat: int | datetime | None
) -> list[tuple[str, str]]:
    """Return the options of those given, spelled."""
    times = (
        ("EX", ex, seconds),
        ("PX", px, milliseconds),
        ("EXAT", exat, moment),
        ("PXAT", pxat, moment_in_milliseconds),
    )
    return [(name, spell(time, name.lower())) for name, time, spell in times if time is not None]


class BoundString(BoundKey[V, G, M]):
    """The string of one instance."""

    __slots__ = ()

    @reads
    def get(self) -> Read[V | None]:
        """Return the value, None where there is none (GET)."""
        return self._value_read()

    def _value_read(self, decode: Callable[[Any], Any] | None = None) -> Read[Any]:
        return self._read("GET", decode=decode or self._reader.one)

    @reads
    def strlen(self) -> Read[int]:
        """Return the length of the value in bytes, 0 where there is none (STRLEN)."""
        return self._read("STRLEN")

    @reads
    def getrange(self, start: int, end: int) -> Read[V]:
        """Return the bytes from *start* to *end*, both included, negative from the end (GETRANGE)."""
        self._check_native("getrange")
        return self._read("GETRANGE", integer(start, "start"), integer(end, "end"), decode=self._reader.sure)

    @reads
    def getbit(self, offset: int) -> Read[int]:
        """Return the bit at *offset*, 0 beyond the end (GETBIT)."""
        self._check_native("getbit")
        return self._read("GETBIT", integer(offset, "offset", 0, 2**32 - 1))

    @reads
    def bitcount(self, start: int | None = None, end: int | None = None, mode: str | None = None) -> Read[int]:
        """Return how many bits are set, in all or from byte *start* to *end*, both included (BITCOUNT).

        Args:
            start: first byte, negative from the end; needs *end*.
            end: last byte.
            mode: "BYTE" or "BIT", what start and end count; Redis 7.0 and newer.
        """
        self._check_native("bitcount")
        if (start is None) != (end is None) or (mode is not None and start is None):
            raise ArgumentError("bitcount() takes start and end both or neither, and mode only with them")
        if start is None:
            return self._read("BITCOUNT")
        return self._read("BITCOUNT", integer(start, "start"), integer(end, "end"), *bit_mode("bitcount", mode))

    @reads
    def bitpos(self, bit: int, start: int | None = None, end: int | None = None, mode: str | None = None) -> Read[int]:
        """Return the place of the first *bit* (0 or 1) in all or from byte *start* to *end*, else -1 (BITPOS).

        Without *end* the value counts as followed by zeros.

        Args:
            bit: 0 or 1.
            start: first byte, negative from the end.
            end: last byte, included; needs *start*.
            mode: "BYTE" or "BIT", what start and end count; Redis 7.0 and newer.
        """
        self._check_native("bitpos")
        if (end is not None and start is None) or (mode is not None and end is None):
            raise ArgumentError("bitpos() takes end only with start, and mode only with both")
        places = [integer(place, name) for name, place in (("start", start), ("end", end)) if place is not None]
        return self._read("BITPOS", integer(bit, "bit", 0, 1), *places, *bit_mode("bitpos", mode))

    @stored
    @writes
    def set(
        self,
        value: Value | G,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        get: bool = False,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
    ) -> Write[Any]:
        """Store *value*; return True, None where *nx* or *xx* kept it from being stored (SET).

        Args:
            value: what to store.
            ex: seconds (or a timedelta) until it expires; like px, exat and pxat refused on indexed fields.
            px: milliseconds (or a timedelta) until it expires.
            nx: store only where there is no value.
            xx: store only where there is one.
            keepttl: keep the expiry that the value has.
            get: return the old value (None where there was none) instead.
            exat: Unix time in seconds (or a datetime) at which it expires.
            pxat: Unix time in milliseconds (or a datetime) at which it expires.

        Raises:
            ArgumentError: for options that exclude each other, or times that are not positive.
            ImplementationError: for an expiry on an indexed field.
        """
        self._refuse_expiry(ex=ex, px=px, exat=exat, pxat=pxat)
        timed = _times(ex, px, exat, pxat)
        if len(timed) + flag(keepttl, "keepttl") > 1:
            raise ArgumentError("set() takes one of ex, px, exat, pxat and keepttl")
        if flag(nx, "nx") and flag(xx, "xx"):
            raise ArgumentError("set() takes nx or xx, not both")
        if nx and flag(get, "get"):
            raise ArgumentError("set() takes nx or get, not both: Redis 6.2 refuses it")
        options = [part for pair in timed for part in pair]
        options += [name for name, given in (("KEEPTTL", keepttl), ("NX", nx), ("XX", xx), ("GET", get)) if given]
        spelled = self._field.spell(value)
        change = Computed() if nx or xx else Replaced((("", spelled),))
        return self._write(change, "SET", spelled, *options, decode=self._reader.one if get else as_ok)

    @writes
    def getset(self, value: Value | G) -> Write[V | None]:
        """Store *value*; return the old value, None where there was none (GETSET)."""
        spelled = self._field.spell(value)
        return self._write(Replaced((("", spelled),)), "GETSET", spelled, decode=self._reader.one)

    @writes
    def getdel(self) -> Write[V | None]:
        """Remove the value and return it, None where there is none (GETDEL)."""
        return self._write(Removed(None), "GETDEL", decode=self._reader.one)

    @writes
    def getex(
        self,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
        persist: bool = False,
    ) -> Write[V | None]:
        """Return the value, None where there is none, and set when it expires (GETEX).

        Args:
            ex: seconds (or a timedelta) until it expires; like px, exat and pxat refused on indexed fields.
            px: milliseconds (or a timedelta) until it expires.
            exat: Unix time in seconds (or a datetime) at which it expires.
            pxat: Unix time in milliseconds (or a datetime) at which it expires.
            persist: it expires no more.

        Raises:
            ArgumentError: for more than one of them, or times that are not positive.
            ImplementationError: for an expiry on an indexed field.
        """
        self._refuse_expiry(ex=ex, px=px, exat=exat, pxat=pxat)
        timed = _times(ex, px, exat, pxat)
        if len(timed) + flag(persist, "persist") > 1:
            raise ArgumentError("getex() takes one of ex, px, exat, pxat and persist")
        options = [part for pair in timed for part in pair] + (["PERSIST"] if persist else [])
        # A moment that is past removes the value.
        return self._write(Computed(), "GETEX", *options, decode=self._reader.one)

    @writes
    def setnx(self, value: Value | G) -> Write[bool]:
        """Store *value* where there is none; return whether it was stored (SETNX)."""
        return self._write(Computed(), "SETNX", self._field.spell(value), decode=as_bool)

    @writes
    def append(self, value: Value | G) -> Write[int]:
        """Append *value* to what is there; return the length in bytes after it (APPEND)."""
        self._check_native("append")
        return self._write(Computed(), "APPEND", self._field.spell(value))

    @writes
    def setrange(self, offset: int, value: Value | G) -> Write[int]:
        """Overwrite what is there from byte *offset* on; return the length in bytes after it (SETRANGE)."""
        self._check_native("setrange")
        spelled = self._field.spell(value)
        return self._write(
            Computed(), "SETRANGE", integer(offset, "offset", 0, _MOST_BYTES - len(encode(spelled))), spelled
        )

    @writes
    def setbit(self, offset: int, value: int) -> Write[int]:
        """Set the bit at *offset* to 0 or 1; return the bit that was there (SETBIT)."""
        self._check_native("setbit")
        return self._write(Computed(), "SETBIT", integer(offset, "offset", 0, 2**32 - 1), integer(value, "value", 0, 1))

    @writes
    def bitfield(self, *operations: Sequence[Any]) -> Write[list[int | None]]:
        """Get, set and add to integers of some bits; return a number for each but OVERFLOW (BITFIELD).

        With ``("OVERFLOW", "FAIL")`` the result is computed under watch and set on an indexed field; on another one the
        session cannot read it before the commit.

        Args:
            operations: ``("GET", "u8", 0)``, ``("SET", "u8", 0, 255)``, ``("INCRBY", "i5", 100, 1)``, where the type is
                signed or not and has so many bits, and the offset is in bits, or behind ``#`` in integers of the type;
                ``("OVERFLOW", "SAT")`` or ``"WRAP"`` says what becomes of larger numbers in those that follow; after
                ``"FAIL"`` they change nothing, and None stands in their place.

        Raises:
            ArgumentError: for no operation, or one that is none.
        """
        self._check_native("bitfield")
        spelled = bit_operations(operations)
        return self._write(Opaque() if "FAIL" in spelled else Computed(), "BITFIELD", *spelled)

    @writes
    def incr(self, amount: int = 1) -> Write[int]:
        """Add *amount* to the integer that is there (0 where there is none); return the sum (INCRBY).

        Raises:
            Rejected: where the value is no integer, or the sum is beyond 64 bits; nothing is written.
        """
        self._check_native("incr")
        return self._write(Computed(fallible=True), "INCRBY", integer(amount, "amount"))

    @writes
    def decr(self, amount: int = 1) -> Write[int]:
        """Subtract *amount* from the integer that is there; return the difference (DECRBY).

        Raises:
            Rejected: same as :meth:`incr`.
        """
        self._check_native("decr")
        return self._write(Computed(fallible=True), "DECRBY", integer(amount, "amount", -(2**63) + 1))

    @writes
    def incrbyfloat(self, amount: float | str | V = 1.0) -> Write[float]:
        """Add *amount* to the number that is there (0 where there is none); return the sum (INCRBYFLOAT).

        On an indexed field the sum is computed under watch and set. Give *amount* as text to keep its digits.

        Raises:
            Rejected: where the value is no number; nothing is written.
        """
        by = self._float_amount("incrbyfloat", amount)
        return self._write(Opaque(fallible=True), "INCRBYFLOAT", by, decode=self._float_reader)


class StringField(SingleValueField[V]):
    """A string: text, an integer, a float, or bits; or what its type says."""

    kind = Kind.STRING
    bound: type[BoundString[V]] = BoundString
    bound_later: type[BoundString[V, V, Async]]
