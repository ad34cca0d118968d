"""Text and bytes (decide, pure)."""

from __future__ import annotations

from typing import Any

from uowredis.values.value_type import BYTE_PARTS, TEXT_PARTS, ValueType, wrong


def _spell_text(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(value, "str", "str(...)" if not isinstance(value, bytes) else ".decode()")
    value.encode()
    return str.__str__(value)


def _read_text(stored: str) -> str:
    if not stored.isascii():
        stored.encode()
    return stored


def _spell_bytes(value: Any) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise wrong(value, "bytes", ".encode()" if isinstance(value, str) else "bytes(...)")
    return bytes(value).decode("utf-8", "surrogateescape")


def _read_bytes(stored: str) -> bytes:
    return stored.encode("utf-8", "surrogateescape")


TEXT = ValueType("str", _spell_text, _read_text, native=TEXT_PARTS)
BYTES = ValueType("bytes", _spell_bytes, _read_bytes, native=BYTE_PARTS)
