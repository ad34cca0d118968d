"""Numbers and truth (decide, pure): one spelling for equal numbers, that of Redis' own sums where it has one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from uowredis.values.value_type import FLOAT_SUMS, INTEGER_SUMS, ValueType, wrong

_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_ENDLESS = re.compile(r"[+-]?inf(inity)?\Z", re.IGNORECASE)

#: Digits that a Decimal may take, before and behind the point.
_MOST_DIGITS = 1_000


def _spell_int(value: Any) -> str:
    kind = type(value)
    if kind is not int:
        if kind is bool:
            raise wrong(value, "int", "int(...)")
        if isinstance(value, float):
            if not value.is_integer():
                raise ValueError("it is no integer. Way out: round(...), or type=float")
            value = int(value)
        elif not isinstance(value, int):
            raise wrong(value, "int", "int(...)")
    return int.__repr__(value)


def _read_int(stored: str) -> int:
    if not (stored.isdigit() or (stored[:1] == "-" and stored[1:].isdigit())) or not stored.isascii():
        raise ValueError("it is no integer")
    return int(stored)


def _read_ints(stored: Sequence[Any]) -> list[int]:
    """Read texts, or replies, that are checked all at once: one by one that takes longer than the conversion."""
    if stored and isinstance(stored[0], bytes):
        are_digits = b"".join(stored).replace(b"-", b"0").isdigit()
    else:
        joined = "".join(stored).replace("-", "0")
        are_digits = joined.isdigit() and joined.isascii()
    if not are_digits and stored:
        raise ValueError("one is no integer")
    return list(map(int, stored))


def _spell_float(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise wrong(value, "float", "float(...)")
    try:
        found = float(value)
    except OverflowError:
        raise ValueError("it is beyond what a float can hold. Way out: type=Decimal") from None
    if found != value:
        if math.isnan(found):
            raise ValueError("NaN is equal to nothing, and would never be found")
        raise ValueError("a float cannot hold all of its digits. Way out: type=int")
    spelled = float.__repr__(found)
    if spelled.endswith(".0"):
        # As Redis spells a sum, and 0 for -0, which is equal.
        return spelled[:-2] if found else "0"
    return spelled


def _read_float(stored: str) -> float:
    if not (_FLOAT.match(stored) or _ENDLESS.match(stored)):
        raise ValueError("it is no number")
    found = float(stored)
    if math.isinf(found) and not _ENDLESS.match(stored):
        raise ValueError("it is beyond what a float can hold")
    return found


def _spell_decimal(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise wrong(value, "Decimal", "Decimal(str(...))" if isinstance(value, float) else "Decimal(...)")
    value = Decimal(value)
    if not value.is_finite():
        if value.is_nan():
            raise ValueError("NaN is equal to nothing, and would never be found")
        return "inf" if value > 0 else "-inf"
    if not value:
        return "0"
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # it is finite
    if exponent < -_MOST_DIGITS or len(digits) + exponent > _MOST_DIGITS:
        raise ValueError(f"it takes more than {_MOST_DIGITS:,} digits before or behind the point")
    spelled = f"{value:f}"
    # Decimal("1.50") and Decimal("1.5") are equal.
    return spelled.rstrip("0").rstrip(".") if "." in spelled else spelled


def _read_decimal(stored: str) -> Decimal:
    if not (_FLOAT.match(stored) or _ENDLESS.match(stored)):
        raise ValueError("it is no number")
    return Decimal(stored)


def _spell_bool(value: Any) -> str:
    if value is True:
        return "1"
    if value is False:
        return "0"
    raise wrong(value, "bool", "True or False")


def _read_bool(stored: str) -> bool:
    if stored == "1":
        return True
    if stored == "0":
        return False
    raise ValueError("it is neither 1 nor 0")


INT = ValueType("int", _spell_int, _read_int, by_number=True, native=INTEGER_SUMS, read_all=_read_ints)
FLOAT = ValueType("float", _spell_float, _read_float, by_number=True, native=FLOAT_SUMS)
DECIMAL = ValueType("Decimal", _spell_decimal, _read_decimal, by_number=True, native=FLOAT_SUMS)
BOOL = ValueType("bool", _spell_bool, _read_bool, by_number=True)
