"""How replies are read (decide, pure): each reader takes what hiredis gives and returns the documented type."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from uowredis.commands.calls import Call
from uowredis.exceptions import UnreadableValue, UowError

T = TypeVar("T")


def encode(spelled: str) -> bytes:
    """Return the bytes of *spelled*; the reverse of :func:`as_text`."""
    return spelled.encode("utf-8", "surrogateescape")


def printable(spelled: str) -> str:
    """Return *spelled* for eyes: what does not print as one character stands as an escape."""
    return spelled if spelled.isprintable() else "".join(map(_shown, spelled))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    # surrogateescape keeps the byte 0xff as U+DCFF.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else character.encode("unicode_escape").decode()


def as_is(reply: Any) -> Any:
    """Return *reply* unchanged: counts and lengths."""
    return reply


def as_text(reply: bytes | None) -> str | None:
    """Return a bulk reply as text, None for nil."""
    return None if reply is None else str(reply, "utf-8", "surrogateescape")


def sure_text(reply: bytes) -> str:
    """Return a bulk reply that is never nil as text."""
    return str(reply, "utf-8", "surrogateescape")


def as_bool(reply: int) -> bool:
    """Return a 0/1 reply as bool."""
    return bool(reply)


def as_bools(reply: Iterable[int]) -> list[bool]:
    """Return an array of 0/1 replies as list of bool."""
    return [bool(item) for item in reply]


def as_ok(reply: bytes | None) -> bool | None:
    """Return True for OK, None for nil (a condition such as NX did not hold)."""
    return None if reply is None else True


def as_float(reply: bytes | None) -> float | None:
    """Return a number reply as float, None for nil."""
    return None if reply is None else float(reply)


def as_floats(reply: Iterable[bytes | None]) -> list[float | None]:
    """Return an array reply of numbers and nils as list of float and None."""
    return [None if item is None else float(item) for item in reply]


def sure_float(reply: bytes) -> float:
    """Return a number reply that is never nil as float."""
    return float(reply)


def as_texts(reply: Iterable[bytes]) -> list[str]:
    """Return an array reply as list of text."""
    try:
        # Nearly all there is, and sooner done.
        return list(map(bytes.decode, reply))
    except UnicodeDecodeError:
        return [str(item, "utf-8", "surrogateescape") for item in reply]


def as_maybe_texts(reply: Iterable[bytes | None]) -> list[str | None]:
    """Return an array reply with nils as list of text and None."""
    try:
        return list(map(bytes.decode, reply))  # type: ignore[arg-type]  # it fails where there is a nil
    except (TypeError, UnicodeDecodeError):
        return [None if item is None else str(item, "utf-8", "surrogateescape") for item in reply]


def as_set(reply: Iterable[bytes]) -> set[str]:
    """Return an array or set reply as set of text."""
    return {str(item, "utf-8", "surrogateescape") for item in reply}


def as_dict(reply: Sequence[bytes]) -> dict[str, str]:
    """Return a flat array of pairs as dict of text."""
    spelled = as_texts(reply)
    return dict(zip(spelled[::2], spelled[1::2], strict=True))


def as_scored(reply: Sequence[bytes]) -> list[tuple[str, float]]:
    """Return a flat array of members and scores as list of (member, score)."""
    return [(sure_text(member), float(score)) for member, score in zip(reply[::2], reply[1::2], strict=True)]


def as_pairs(read: Callable[[Sequence[Any]], list[T]], reply: Sequence[bytes]) -> list[tuple[str, T]]:
    """Return a flat array of entries and values, None for nothing, as pairs; *read* makes the values."""
    return list(zip(as_texts((reply or ())[::2]), read((reply or ())[1::2]), strict=True))


def plain(reply: Any) -> Any:
    """Return a whole reply with its bytes as text: how the planner and plans see replies."""
    if type(reply) is bytes:
        return str(reply, "utf-8", "surrogateescape")
    if type(reply) is not list:
        return reply
    # Most lists are of text: that loop is worth having of its own.
    return [str(item, "utf-8", "surrogateescape") if type(item) is bytes else plain(item) for item in reply]


def read_by(reader: Callable[[Any], T], reply: Any, asked: object) -> T:
    """Return what *reader* makes of the *reply* to what was *asked*.

    Items of an array are not looked at before: in passing it is found that one is no text, at no cost.

    Raises:
        UowError: where the reply is an array of what no server gives for it.
    """
    try:
        return reader(reply)
    except UnreadableValue:
        # It is text, but none of its field's.
        raise
    except (TypeError, ValueError) as error:
        odd = _odd(reader, reply)
        if odd is None:
            raise
        raise UowError(
            f"{asked} was answered by an array {odd}: what answers is no Redis, or something between changes its "
            f"replies. Way out: compare with what redis-cli gives"
        ) from error


def _odd(reader: Callable[[Any], Any], reply: Any) -> str | None:
    """Return in words what *reply* has that an array of text has not."""
    if not isinstance(reply, list):
        return None
    kinds = sorted({type(item).__name__ for item in reply if type(item) is not bytes})
    if kinds:
        return f"with {', '.join(kinds)} in it"
    return f"of {len(reply)} items, not of pairs" if len(reply) % 2 and reader in (as_dict, as_scored) else None


def plainly(call: Call, reply: Any) -> Any:
    """Return the plain *reply* of a *call* of a query; the same as :func:`plain`, but what promises text gives text.

    Raises:
        UowError: where it does not.
    """
    return read_by(_TEXTS.get(call[0], plain), reply, " ".join(call[:2]))


#: Commands whose replies are lists of texts.
_LISTS = (
    *("LRANGE", "SDIFF", "SINTER", "SMEMBERS", "SRANDMEMBER", "SUNION"),
    *("ZDIFF", "ZINTER", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZUNION"),
)

#: What a query is answered by.
_TEXTS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_LISTS, as_texts),
    "SORT": as_maybe_texts,
}


def one_or_many(count: object, one: Callable[[Any], T], many: Callable[[Any], list[Any]]) -> Callable[[Any], Any]:
    """Return the reader for a command whose reply is one value without *count*, a list (or None) with it."""
    if count is None:
        return one
    return functools.partial(_many_or_none, many)


def _many_or_none(many: Callable[[Any], list[Any]], reply: Any) -> list[Any] | None:
    return None if reply is None else many(reply)
