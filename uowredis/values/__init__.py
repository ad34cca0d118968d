"""What fields hold (declare): the types of values, how they are spelled and read; one file a family."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any

from uowredis.values.json import Json
from uowredis.values.names import UUID, of_enum
from uowredis.values.numbers import BOOL, DECIMAL, FLOAT, INT
from uowredis.values.texts import BYTES, TEXT
from uowredis.values.times import DATE, MOMENT, SPAN, TIME, DateTime
from uowredis.values.value_type import Codec, ValueType, is_codec, of_codec

#: What each type of Python is to a field.
BUILT_IN: dict[type, ValueType[Any]] = {
    str: TEXT,
    bytes: BYTES,
    int: INT,
    float: FLOAT,
    decimal.Decimal: DECIMAL,
    bool: BOOL,
    datetime.date: DATE,
    datetime.datetime: MOMENT,
    datetime.time: TIME,
    datetime.timedelta: SPAN,
    uuid.UUID: UUID,
}


def value_type(given: Any) -> ValueType[Any] | None:
    """Return what a field holds that is declared with ``type=given``; None for None: text and numbers, as text.

    Raises:
        TypeError: for what is neither one of the types nor a codec.
    """
    if given is None:
        return None
    if isinstance(given, type):
        if issubclass(given, enum.Enum):
            return of_enum(given, value_type)
        if given is Json:
            return Json().value_type
        if given in BUILT_IN:
            return BUILT_IN[given]
    elif isinstance(given, Json | DateTime):
        return given.value_type
    elif is_codec(given):
        return of_codec(given)
    named = isinstance(given, type) and hasattr(given, "encode") and hasattr(given, "decode")
    way = "an instance of it" if named else f"Json({_called(given)}), or a codec of your own"
    raise TypeError(
        f"{_called(given)} is no type that fields know: {', '.join(kind.__name__ for kind in BUILT_IN)}, an Enum, "
        f"Json. Way out: {way}"
    )


def _called(given: Any) -> str:
    return given.__name__ if isinstance(given, type) else repr(given)[:60]


__all__ = ["BUILT_IN", "Codec", "DateTime", "Json", "ValueType", "value_type"]
