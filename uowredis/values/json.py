"""JSON values, and what is made of them by the libraries for it (decide, pure).

``cattrs`` and ``pydantic`` are imported where a field is declared that needs them, and nowhere else.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import functools
import json
import math
import types
import typing
import uuid
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from uowredis.values.names import UUID
from uowredis.values.numbers import DECIMAL
from uowredis.values.times import DATE, MOMENT, SPAN, TIME
from uowredis.values.value_type import ValueType, wrong

T = TypeVar("T")

#: What stands in JSON as its own spelling.
_AS_TEXT: dict[type, ValueType[Any]] = {
    datetime.date: DATE,
    datetime.datetime: MOMENT,
    datetime.time: TIME,
    datetime.timedelta: SPAN,
    decimal.Decimal: DECIMAL,
    uuid.UUID: UUID,
}


class Json(Generic[T]):
    """Any JSON value, or values of a type that is stored as JSON.

    Args:
        of: a dataclass, attrs class or TypedDict, or a generic of them (needs ``cattrs``), or a pydantic model (needs
            ``pydantic``); by default dicts, lists, str, int, float, bool and None, as they are.

    Raises:
        ImportError: where the library is not installed.
    """

    @overload
    def __init__(self: Json[Any]) -> None: ...
    @overload
    def __init__(self, of: type[T]) -> None: ...
    def __init__(self, of: Any = None) -> None:
        self._of = of
        self._plain, self._made = _plainly() if of is None else _by_library(of)
        self._class = of if isinstance(of, type) and not typing.is_typeddict(of) else None
        name = "Json" if of is None else f"Json({_called(of)})"
        hashable = self._class is not None and self._class.__hash__ is not None
        self.value_type: ValueType[T] = ValueType(name, self.encode, self.decode, hashable=hashable)

    def encode(self, value: Any) -> str:
        """Return *value* as JSON: no spaces, keys in order, so that equal values have one text."""
        if self._class is not None and type(value) is not self._class:  # a subclass would come back as its base
            raise wrong(value, self._class.__name__)
        found = self._plain(value)
        _check(found)
        return json.dumps(found, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))

    def decode(self, stored: str) -> T:
        """Return the value that is *stored*."""
        found: T = self._made(json.loads(stored, parse_constant=_refuse))
        return found


def _check(value: Any) -> None:
    """Check that *value* comes back as it is."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError(f"keys of JSON are str, and one is {type(key).__name__}. Way out: str(...)")
            key.encode()
            _check(item)
    elif kind is list:
        for item in value:
            _check(item)
    elif kind is str:
        value.encode()
    elif kind is float:
        if not math.isfinite(value):
            raise ValueError(f"JSON has no {value!r}")
    elif value is not None and kind not in (int, bool):
        way = "list(...)" if isinstance(value, tuple | set | frozenset) else "Json(its type), or a codec of your own"
        raise wrong(value, "dicts, lists, str, int, float, bool and None", way)


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _plainly() -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    def same(value: Any) -> Any:
        return value

    return same, same


def _by_library(of: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return what makes JSON values of values of type *of*, and the reverse."""
    if _is_pydantic(of):
        from pydantic import TypeAdapter

        adapter: Any = TypeAdapter(of)
        # Of another type it warns, and gives what would not come back.
        return functools.partial(
            adapter.dump_python, mode="json", warnings="error"
        ), lambda found: adapter.validate_json(json.dumps(found))
    try:
        from cattrs.preconf.json import make_converter
    except ImportError as error:
        raise ImportError(
            f"Json({_called(of)}) needs cattrs. Way out: pip install 'uowredis[cattrs]', or a pydantic model"
        ) from error
    converter = make_converter()
    for kind, held in _AS_TEXT.items():
        converter.register_unstructure_hook(kind, held.spell)
        converter.register_structure_hook(kind, functools.partial(_read_by, held))
    converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
    converter.register_structure_hook(bytes, lambda found, _: base64.b64decode(found, validate=True))
    return functools.partial(converter.unstructure, unstructure_as=of), lambda found: converter.structure(found, of)


def _read_by(held: ValueType[T], found: Any, _: Any) -> T:
    return held.read(found)


def _called(of: Any) -> str:
    return of.__name__ if type(of) is type else str(of)


def _is_pydantic(of: Any) -> bool:
    """Return whether *of* is a model or dataclass of pydantic, or a generic or union with one in it."""
    if isinstance(of, types.GenericAlias | types.UnionType) or typing.get_origin(of) is not None:
        return any(map(_is_pydantic, typing.get_args(of)))
    return hasattr(of, "__pydantic_validator__") or hasattr(of, "__pydantic_core_schema__")
