"""What is said of the key of a field as a whole: whether it is there, and how long it lasts (say)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from uowredis.commands.arguments import flag, milliseconds, moment, moment_in_milliseconds, seconds
from uowredis.commands.changes import Change, Computed, Opaque
from uowredis.commands.commands import Read, Write
from uowredis.commands.replies import as_bool
from uowredis.exceptions import ArgumentError
from uowredis.fields.bound import Bound
from uowredis.fields.methods import G, M, V, reads, writes


class BoundKey(Bound[V, G, M]):
    """A field of one instance that has a key of its own."""

    __slots__ = ()

    @reads
    def exists(self) -> Read[bool]:
        """Return whether there is a value (EXISTS)."""
        return self._read("EXISTS", decode=as_bool)

    @reads
    def ttl(self) -> Read[int]:
        """Return after how many seconds the field expires, -1 for never, -2 where there is no value (TTL).

        Raises:
            PendingWrites: where writes on the field are pending.
        """
        return self._read("TTL")

    @reads
    def pttl(self) -> Read[int]:
        """Same as :meth:`ttl` but in milliseconds (PTTL)."""
        return self._read("PTTL")

    @reads
    def expiretime(self) -> Read[int]:
        """Return the Unix time at which the field expires, -1 for never, -2 where there is no value (EXPIRETIME).

        Raises:
            PendingWrites: where writes on the field are pending.
            Rejected: by a server before Redis 7.0, which does not know it.
        """
        return self._read("EXPIRETIME")

    @reads
    def pexpiretime(self) -> Read[int]:
        """Same as :meth:`expiretime` but in milliseconds (PEXPIRETIME)."""
        return self._read("PEXPIRETIME")

    @writes
    def expire(
        self, time: int | timedelta, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> Write[bool]:
        """Let the field expire; return whether that was set: not where there is no value (EXPIRE).

        Args:
            time: after how many seconds (or a timedelta), at least 1.
            nx: only where it does not expire yet; this and the following are known to Redis 7.0 and newer.
            xx: only where it does.
            gt: only where that is later than it does now.
            lt: only where that is earlier.

        Raises:
            ArgumentError: for a time below 1, or options that exclude each other.
            ImplementationError: on an indexed field, whose index entries would outlive it.
        """
        return self._expire("EXPIRE", seconds(time, "time"), Computed(), nx=nx, xx=xx, gt=gt, lt=lt)

    @writes
    def pexpire(
        self, time: int | timedelta, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> Write[bool]:
        """Same as :meth:`expire` but in milliseconds (PEXPIRE)."""
        return self._expire("PEXPIRE", milliseconds(time, "time"), Computed(), nx=nx, xx=xx, gt=gt, lt=lt)

    @writes
    def expireat(
        self, when: int | datetime, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> Write[bool]:
        """Same as :meth:`expire` but at a Unix time or datetime; one that is past removes the value (EXPIREAT)."""
        return self._expire("EXPIREAT", moment(when, "when"), _at(nx, xx), nx=nx, xx=xx, gt=gt, lt=lt)

    @writes
    def pexpireat(
        self, when: int | datetime, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> Write[bool]:
        """Same as :meth:`expireat` but in milliseconds (PEXPIREAT)."""
        return self._expire("PEXPIREAT", moment_in_milliseconds(when, "when"), _at(nx, xx), nx=nx, xx=xx, gt=gt, lt=lt)

    @writes
    def persist(self) -> Write[bool]:
        """Let the field expire no more; return whether it would have (PERSIST)."""
        return self._write(Computed(), "PERSIST", decode=as_bool)

    def _expire(self, name: str, time: str, change: Change, **given: bool) -> Write[Any]:
        self._refuse_expiry(**{name.lower(): time})
        options = [option for option, value in given.items() if flag(value, option)]
        if len(options) > 1 and options not in (["xx", "gt"], ["xx", "lt"]):
            raise ArgumentError(f"{name.lower()}() takes nx alone, and one of gt and lt")
        return self._write(change, name, time, *map(str.upper, options), decode=as_bool)


def _at(nx: bool, xx: bool) -> Change:
    """Return the change of an expiry at a moment: where that is past, whether the value goes depends on its expiry."""
    return Opaque() if nx or xx else Computed()
