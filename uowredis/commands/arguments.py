"""How arguments are spelled for Redis (decide, pure).

Text is UTF-8 with ``surrogateescape`` both ways, so that any bytes survive a round through ``str``. A number is
spelled as Redis' clients spell it. What has no spelling is refused here, before anything is sent.
"""

from __future__ import annotations

import math
import re
import reprlib
import sys
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from typing import Any

from uowredis.exceptions import ArgumentError, ArgumentTypeError
from uowredis.schema.keys import Unfilled

#: What a caller may give for a value.
Value = str | bytes | int | float

#: Holds the sum of any two floats and 17 fraction digits, whatever context the caller has set.
_EXACT = Context(prec=700, traps=[InvalidOperation])

_short = reprlib.Repr()
_short.maxother = _short.maxstring = 60

#: Whose values may be shown in messages.
_OF_PYTHON = ("builtins", "datetime", "decimal", "fractions", "uuid", "pathlib")

#: What to give in place of what has no spelling; the first that fits.
_HINTS: tuple[tuple[Any, str], ...] = (
    (bool, "int(...), 1 or 0"),
    (type(None), "leave it out; delete() of the field clears a value"),
    (date | time | timedelta, ".isoformat() or .timestamp(), .total_seconds()"),
    (Enum, "its .value"),
    (Decimal | Fraction, "str(...)"),
    (list | tuple | set | frozenset, "a SetField or ListField, or json.dumps(...)"),
    (dict, "a HashField, or json.dumps(...)"),
)

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_HEXADECIMAL = re.compile(r"[+-]?0[xX]([0-9a-fA-F]+(\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)([pP][+-]?[0-9]+)?\Z")
_INFINITE = {"inf": "inf", "+inf": "inf", "-inf": "-inf", "infinity": "inf", "+infinity": "inf", "-infinity": "-inf"}
_INT64 = range(-(2**63), 2**63)

#: Fraction digits that Redis keeps when it stores a float as text (INCRBYFLOAT: "%.17Lf", zeros trimmed).
_FRACTION = Decimal(1).scaleb(-17)


def text(value: object, what: object = "a value") -> str:
    """Return *value* as the text that is stored: str as it is, bytes decoded, numbers by ``str``/``repr``.

    Raises:
        ArgumentTypeError: for None, bool, a ``Pending`` and every other object.
        ArgumentError: for text that has no UTF-8 form.
    """
    kind = type(value)
    if kind is str:
        spelled: str = value  # type: ignore[assignment]  # mypy does not narrow by identity of types
    elif kind is bool or value is None:
        raise _refused(value, what)
    elif isinstance(value, Placeholder):
        raise ArgumentError(f"{what} cannot be {value!s}: that primary key is not allocated yet. Way out: commit first")
    elif isinstance(value, str):
        spelled = str.__str__(value)
    elif isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    elif isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError as error:
            raise ArgumentError(f"{what} cannot be an integer so long: {error}") from None
    elif isinstance(value, float):
        return float.__repr__(value)
    else:
        raise _refused(value, what)
    if not spelled.isascii():
        try:
            spelled.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise ArgumentError(f"{what} cannot be {value!r}: it has no UTF-8 form ({error.reason})") from None
    return spelled


class Placeholder(Unfilled):
    """What stands for the primary key of a new object until Redis has counted it.

    Fields that refer to objects take it; a dry run, which allocates none, gives it to its caller.
    """

    __slots__ = ("identity",)
    identity: Any

    def __new__(cls, text: str, identity: Any) -> Placeholder:
        """Return the placeholder of *identity*, spelled *text*."""
        placeholder = super().__new__(cls, text)
        placeholder.identity = identity
        return placeholder

    def filled(self) -> str:
        """Return the primary key of the object, or what stands for it while there is none."""
        reference: str = self.identity.reference
        return reference


def _refused(value: object, what: object) -> ArgumentTypeError:
    described = type(value).__name__ if value is None or isinstance(value, bool) else f"of type {type(value).__name__}"
    hint = next((hint for kinds, hint in _HINTS if isinstance(value, kinds)), "str(...) or json.dumps(...)")
    return ArgumentTypeError(
        f"{what} cannot be {shown(value)} ({described}): Redis stores text and numbers; give str, bytes, int or "
        f"float. Way out: {hint}"
    )


def shown(value: object) -> str:
    """Return *value* for a message: short, and nothing that asks a server."""
    # What any other object prints may be long, or ask a server.
    return _short.repr(value) if type(value).__module__ in _OF_PYTHON or isinstance(value, Enum) else "an object"


def texts(values: Iterable[object], what: object) -> tuple[str, ...]:
    """Return all *values* spelled by :func:`text`; at least one is needed.

    Raises:
        ArgumentError: for no value at all.
        ArgumentTypeError: as :func:`text`.
    """
    spelled = tuple(text(value, what) for value in values)
    if not spelled:
        raise ArgumentError(f"{what} is missing: give at least one")
    return spelled


def integer(value: object, what: object, low: int = _INT64.start, high: int = _INT64.stop - 1) -> str:
    """Return *value*, an int or its decimal text, as text.

    Raises:
        ArgumentTypeError: for another type.
        ArgumentError: for text that is no integer, or outside of *low* to *high* (both included).
    """
    if isinstance(value, bool) or not isinstance(value, int | str | bytes):
        raise ArgumentTypeError(f"{what} must be an integer, not {_named(value)}")
    spelled = text(value, what)
    if not _INTEGER.match(spelled) or spelled == "-0" or len(spelled) > 4_000:
        raise ArgumentError(f"{what} must be an integer, not {value!r}")
    if not low <= int(spelled) <= high:
        raise ArgumentError(f"{what} must be from {low} to {high}, not {spelled}")
    return spelled


def is_number(spelled: str) -> bool:
    """Return whether *spelled* is a finite number in decimal digits."""
    return _FLOAT.match(spelled) is not None and math.isfinite(float(spelled))


def sort_number(spelled: str) -> float:
    """Return the number that Redis' SORT reads in *spelled*: what C's ``strtod`` takes whole, up to the first NUL.

    Raises:
        ValueError: where it reads none: text is left over, it is NaN, or beyond what a double can hold, also towards 0.
    """
    given = spelled.partition("\0")[0]
    if given == "":
        return 0.0
    trimmed = given.lstrip(" \t\n\v\f\r")
    if trimmed.lower() in _INFINITE:
        return float(_INFINITE[trimmed.lower()])
    try:
        if _HEXADECIMAL.match(trimmed):
            found = float.fromhex(trimmed)
        elif _FLOAT.match(trimmed):
            found = float(trimmed)
        else:
            raise ValueError(f"not a number: {spelled!r}")
    except OverflowError:
        raise ValueError(f"too large for a number: {spelled!r}") from None
    if math.isinf(found):
        raise ValueError(f"too large for a number: {spelled!r}")
    if abs(found) < sys.float_info.min:
        # strtod reports what it had to round this close to 0.
        exact = _hexadecimal(trimmed) if _HEXADECIMAL.match(trimmed) else Fraction(trimmed)
        if exact != Fraction(found):
            raise ValueError(f"too small for a number: {spelled!r}")
    return found


def _hexadecimal(spelled: str) -> Fraction:
    """Return the exact value of a number in hexadecimal digits."""
    digits, _, power = spelled.lower().lstrip("+-").removeprefix("0x").partition("p")
    whole, _, part = digits.partition(".")
    shift = int(power or "0") - 4 * len(part)
    value = Fraction(int(whole + part, 16)) * (Fraction(2**shift) if shift >= 0 else Fraction(1, 2**-shift))
    return -value if spelled.startswith("-") else value


def number(value: object, what: object, *, infinite: bool = False) -> str:
    """Return *value*, a number or its decimal text, as text that every Redis reads alike.

    Args:
        value: int, float, or text such as ``"0.1"`` (which keeps its digits).
        what: what it is, for the error; formatted only there.
        infinite: whether ``inf`` and ``-inf`` may be given.

    Raises:
        ArgumentTypeError: for another type.
        ArgumentError: for what is no number, NaN, or infinite where that is not allowed.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | bytes):
        raise ArgumentTypeError(f"{what} must be a number, not {_named(value)}")
    spelled = text(value, what)
    if is_number(spelled):
        return spelled
    endless = _INFINITE.get(spelled.lower())
    if endless is None or not infinite:
        raise ArgumentError(f"{what} must be a {'number' if infinite else 'finite number'}, not {value!r}")
    return endless


def seconds(value: object, what: object) -> str:
    """Return a span of time, whole seconds or a ``timedelta``, as positive integer text."""
    return integer(value // timedelta(seconds=1) if isinstance(value, timedelta) else value, what, 1)


def milliseconds(value: object, what: object) -> str:
    """Same as :func:`seconds` but in milliseconds."""
    return integer(value // timedelta(milliseconds=1) if isinstance(value, timedelta) else value, what, 1)


def moment(value: object, what: object) -> str:
    """Return a point of time, Unix seconds or a ``datetime``, as positive integer text."""
    return integer(int(value.timestamp()) if isinstance(value, datetime) else value, what, 1)


def moment_in_milliseconds(value: object, what: object) -> str:
    """Same as :func:`moment` but in milliseconds."""
    return integer(int(value.timestamp() * 1000) if isinstance(value, datetime) else value, what, 1)


def score_bound(value: object, what: object) -> str:
    """Return *value*, a score or a score behind ``(`` (excluded), as text."""
    if isinstance(value, str | bytes) and (spelled := text(value, what)).startswith("("):
        return "(" + number(spelled[1:], what, infinite=True)
    return number(value, what, infinite=True)


def lex_bound(value: object, what: object) -> str:
    """Return *value*, a text behind ``[`` (included) or ``(`` (excluded), or ``-`` or ``+``, as text."""
    spelled = text(value, what)
    if spelled not in ("-", "+") and not spelled.startswith(("[", "(")):
        raise ArgumentError(f"{what} must be '-', '+', or begin with '[' or '(', not {value!r}")
    return spelled


def flag(value: object, what: object) -> bool:
    """Return *value* if it is a bool; anything else is an argument in the wrong place."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"{what} must be True or False, not {_named(value)}")
    return value


def span(value: object, what: object) -> float:
    """Return a span of time in seconds, a finite number from 0 on.

    Raises:
        ArgumentTypeError: for another type.
        ArgumentError: for a negative number, infinity or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(f"{what} must be a number of seconds, not {_named(value)}")
    if not 0 <= value < math.inf:
        raise ArgumentError(f"{what} must be a finite number of seconds from 0 on, not {value!r}")
    return float(value)


def _named(value: object) -> str:
    return (
        f"{value!r}" if value is None or isinstance(value, bool | int | float | str | bytes) else type(value).__name__
    )


def canonical_sum(old: str | None, amount: str) -> str:
    """Return *old* plus *amount* as Redis spells a float it stores: no exponent, no trailing zeros (``3``, ``0.3``).

    Raises:
        ArgumentError: where *old* is no finite number.
    """
    if old is not None and not is_number(old):
        raise ArgumentError(f"{old!r} is not a valid float")
    total = _EXACT.add(Decimal(old or "0"), Decimal(amount))
    if not math.isfinite(float(total)):
        raise ArgumentError(f"{old} + {amount} is beyond what a float can hold")
    if total.as_tuple().exponent < -17:  # type: ignore[operator]  # finite: the exponent is an int
        total = total.quantize(_FRACTION, context=_EXACT)
    spelled = f"{total:f}"
    if "." in spelled:
        spelled = spelled.rstrip("0").rstrip(".")
    return "0" if spelled == "-0" else spelled


def listed(value: object) -> Iterable[object]:
    """Return what a constructor was given for a field of many values as an iterable: one value, or the values."""
    single = value is None or isinstance(value, str | bytes | int | float) or not isinstance(value, Iterable)
    return (value,) if single else value  # type: ignore[return-value]  # mypy loses the isinstance behind the name
