"""SSCAN, HSCAN and ZSCAN: how they are asked, and how their replies are read (say)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from uowredis.commands.arguments import Value, integer, text

T = TypeVar("T")


def scan_arguments(cursor: int, match: Value | None, count: int | None) -> tuple[str, ...]:
    """Return the arguments of a scan.

    Raises:
        ArgumentError: for a cursor or count that is none.
    """
    # A cursor has 64 bits without sign.
    args = [integer(cursor, "cursor", 0, 2**64 - 1)]
    if match is not None:
        args += ["MATCH", text(match, "match")]
    if count is not None:
        args += ["COUNT", integer(count, "count", 1)]
    return tuple(args)


def scanned(read: Callable[[Any], T]) -> Callable[[Any], tuple[int, T]]:
    """Return the reader of a scan: the next cursor, and what *read* makes of the part that was found."""
    return functools.partial(_scanned, read)


def _scanned(read: Callable[[Any], T], reply: Sequence[Any]) -> tuple[int, T]:
    cursor, found = reply
    return int(cursor), read(found)
