"""Values out of a set: members of an Enum, and UUIDs (decide, pure)."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from uowredis.values.value_type import ValueType, wrong

E = TypeVar("E", bound=enum.Enum)


def _spell_uuid(value: Any) -> str:
    if not isinstance(value, uuid.UUID):
        raise wrong(value, "UUID", "UUID(...)")
    return str(value)


def _read_uuid(stored: str) -> uuid.UUID:
    found = uuid.UUID(stored)
    if str(found) != stored.lower():
        raise ValueError("it is no UUID as 8-4-4-4-12 hexadecimal digits")
    return found


UUID = ValueType("UUID", _spell_uuid, _read_uuid)


def of_enum(given: type[E], value_type: Callable[[Any], ValueType[Any] | None]) -> ValueType[E]:
    """Return what a field holds whose values are members of *given*: each is spelled as its value is.

    Args:
        given: the class.
        value_type: gives the types of values.

    Raises:
        TypeError: where its members have values of several types, or of one that has no spelling.
    """
    flags = issubclass(given, enum.Flag)
    # A member of an IntEnum or a StrEnum is its value, to Python.
    mixed = issubclass(given, str | int)
    kinds = {int} if flags else {type(member.value) for member in given}
    if len(kinds) != 1:
        raise TypeError(
            f"{given.__name__} has members of {', '.join(sorted(kind.__name__ for kind in kinds)) or 'no type'}. Way "
            f"out: values of one type, or a codec of your own"
        )
    (kind,) = kinds
    held = value_type(kind)
    if held is None or issubclass(kind, enum.Enum):
        raise TypeError(f"{given.__name__} has values of {kind.__name__}, which has no spelling")
    way = f"{given.__name__}(...)"

    def spell(value: Any) -> str:
        if not isinstance(value, given):
            if not mixed or isinstance(value, bool | enum.Enum) or not isinstance(value, str | int):
                raise wrong(value, given.__name__, way)
            try:
                value = given(value)
            except ValueError:
                raise ValueError(f"it is no {given.__name__}") from None
        return held.spell(value.value)

    def read(stored: str) -> E:
        return given(held.read(stored))

    return ValueType(given.__name__, spell, read, held.by_number)
