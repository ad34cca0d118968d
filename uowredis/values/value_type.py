"""``ValueType``: what a field holds, as a fact (declare): how a value is spelled and read, and what follows from it.

Nothing here knows fields or Redis. A spelling is text, in which ``surrogateescape`` keeps bytes that are no UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import attrs

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Codec(Protocol[T_co]):
    """Spells the values of a field, and reads them again.

    ``decode(encode(value))`` is equal to *value*, and equal values have one spelling: values are found by it. What it
    cannot spell or read it refuses by an exception. A codec with an attribute ``binary = True`` is given bytes to
    decode, any other text.
    """

    def encode(self, value: Any, /) -> str | bytes:
        """Return how *value* is stored."""

    def decode(self, stored: Any, /) -> T_co:
        """Return the value that is *stored*."""


#: Methods of fields that compute with what is stored, or look into it; a type names those that make sense of it.
INTEGER_SUMS = frozenset(("incr", "decr", "hincrby"))
FLOAT_SUMS = frozenset(("incrbyfloat", "hincrbyfloat"))
TEXT_PARTS = frozenset(("append",))
BYTE_PARTS = frozenset(("append", "getrange", "setrange", "getbit", "setbit", "bitcount", "bitpos", "bitfield"))


@attrs.frozen(eq=False)
class ValueType(Generic[T]):
    """What a field holds.

    Attributes:
        name: of the type, for messages.
        spell: makes text of a value; TypeError or ValueError, with the reason, for what is none.
        read: makes a value of text; an exception for text that is none.
        by_number: whether SORT compares spellings as numbers, so that values are in their order; else as text.
        native: the methods that compute with it, or look into it.
        hashable: whether its values can be in a set.
        read_all: as *read*, of many texts at once, or of as many raw replies; None where that is no faster.
    """

    name: str
    spell: Callable[[Any], str]
    read: Callable[[str], T]
    by_number: bool = False
    native: frozenset[str] = frozenset()
    hashable: bool = True
    read_all: Callable[[Sequence[Any]], list[T]] | None = None

    def canonical(self, stored: str) -> str:
        """Return how the value that *stored* says is spelled by this type."""
        return self.spell(self.read(stored))


def of_codec(codec: Codec[T]) -> ValueType[T]:
    """Return what a field holds whose values *codec* spells and reads."""
    binary = bool(getattr(codec, "binary", False))

    def spell(value: Any) -> str:
        found: Any = codec.encode(value)
        if isinstance(found, bytes):
            return found.decode("utf-8", "surrogateescape")
        if not isinstance(found, str):
            raise TypeError(f"encode() of {name} gave {type(found).__name__}, not str or bytes")
        found.encode("utf-8", "surrogateescape")
        return str.__str__(found)

    def read(stored: str) -> T:
        return codec.decode(stored.encode("utf-8", "surrogateescape") if binary else stored)

    name = type(codec).__name__
    return ValueType(name, spell, read)


def is_codec(given: object) -> bool:
    """Return whether *given* spells and reads values."""
    return (
        not isinstance(given, type)
        and callable(getattr(given, "encode", None))
        and callable(getattr(given, "decode", None))
    )


def wrong(value: object, wanted: str, way: str = "") -> TypeError:
    """Return the error for a *value* of another type than what is *wanted*."""
    return TypeError(f"it must be {wanted}, not {type(value).__name__}{f'. Way out: {way}' if way else ''}")
