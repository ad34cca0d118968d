"""How the bits of a string are spoken of: what BITCOUNT, BITPOS and BITFIELD are told (say)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from uowredis.commands.arguments import integer, text
from uowredis.exceptions import ArgumentError

#: Bits that a string may have (512 MB).
_MOST_BITS = 2**32
#: How many arguments follow each.
_ARGUMENTS = {"GET": 2, "SET": 3, "INCRBY": 3, "OVERFLOW": 1}
_INTEGER_TYPE = re.compile(r"i([1-9]|[1-5]\d|6[0-4])|u([1-9]|[1-5]\d|6[0-3])", re.ASCII)


def bit_mode(method: str, mode: str | None) -> tuple[str, ...]:
    """Return what places are counted in.

    Raises:
        ArgumentError: for anything but bytes and bits.
    """
    if mode is None:
        return ()
    if not isinstance(mode, str) or mode.upper() not in ("BYTE", "BIT"):
        raise ArgumentError(f"{method}() takes mode 'BYTE' or 'BIT', not {mode!r}")
    return (mode.upper(),)


def bit_operations(operations: Iterable[Sequence[Any]]) -> tuple[str, ...]:
    """Return the arguments of BITFIELD.

    Raises:
        ArgumentError: for none, or one that is no operation on bits that a string can have.
    """
    spelled = [part for operation in operations for part in _operation(operation)]
    if not spelled:
        raise ArgumentError("bitfield() is given nothing: give at least one operation")
    return tuple(spelled)


def _operation(operation: Sequence[Any]) -> Iterator[str]:
    if not isinstance(operation, tuple | list) or not operation:
        raise ArgumentError(f"bitfield() takes operations such as ('GET', 'u8', 0), not {operation!r}")
    first, *arguments = operation
    name = first.upper() if isinstance(first, str) else ""
    if len(arguments) != _ARGUMENTS.get(name):
        raise ArgumentError(
            "bitfield() takes ('GET', type, offset), ('SET', type, offset, value), ('INCRBY', type, offset, amount) "
            f"and ('OVERFLOW', 'WRAP', 'SAT' or 'FAIL'), not {operation!r}"
        )
    yield name
    if name == "OVERFLOW":
        if arguments[0] not in ("WRAP", "SAT", "FAIL"):
            raise ArgumentError(f"bitfield() takes 'OVERFLOW' with 'WRAP', 'SAT' or 'FAIL', not {arguments[0]!r}")
        yield arguments[0]
        return
    kind, offset, *value = arguments
    if not isinstance(kind, str) or (found := _INTEGER_TYPE.fullmatch(kind)) is None:
        raise ArgumentError(f"bitfield() takes types from 'i1' to 'i64' and from 'u1' to 'u63', not {kind!r}")
    yield kind
    width = int(found[1] or found[2])
    counted = isinstance(offset, str) and offset.startswith("#")
    most = (_MOST_BITS - width) // (width if counted else 1)
    yield "#" * counted + integer(text(offset, "offset")[1:] if counted else offset, "offset", 0, most)
    yield from (integer(each, "value" if name == "SET" else "amount") for each in value)
