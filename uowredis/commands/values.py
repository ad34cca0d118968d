"""How the values of a field go into commands, and come out of replies (decide, pure): by the type that it holds.

A field without a type holds text and numbers, as text: these go the way they always went, by ``arguments.text()`` and
the readers of ``replies``.
"""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from uowredis.commands.arguments import Placeholder, shown, text
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_dict, as_maybe_texts, as_scored, as_set, as_text, as_texts, read_by, sure_text
from uowredis.exceptions import ArgumentError, ArgumentTypeError, UnreadableValue
from uowredis.schema.models import Kind, ModelSchema
from uowredis.values import ValueType

T = TypeVar("T")

_short = reprlib.Repr()
_short.maxstring = 80


def spelled(value: object, holds: ValueType[Any] | None, what: object) -> str:
    """Return *value* as the text that is stored.

    Args:
        value: what was given.
        holds: what the field holds, None for text.
        what: what it is, for the error; formatted only there.

    Raises:
        ArgumentTypeError: for a value of another type.
        ArgumentError: for one that has no spelling.
    """
    if holds is None or isinstance(value, Placeholder):
        return text(value, what)
    if value is None:
        raise ArgumentTypeError(
            f"{what} cannot be None, which is no {holds.name}. Way out: a constructor takes it for no value; delete() "
            f"or hdel() of the field clears one"
        )
    try:
        return holds.spell(value)
    except Exception as error:
        kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentError
        raise kind(f"{what} holds {holds.name}, and cannot be {shown(value)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def read_value(holds: ValueType[T], stored: str, name: str, of: Identity | ModelSchema) -> T:
    """Return the value that is *stored*.

    Args:
        holds: the type of the field.
        stored: what is there.
        name: of the field, for the error.
        of: the object, or its model where nobody knows which it is.

    Raises:
        UnreadableValue: for text that is none.
    """
    try:
        return holds.read(stored)
    except Exception as error:
        model, pk, who = (of, None, f"A {of.name}") if isinstance(of, ModelSchema) else (of.model, of.pk, str(of))
        raise UnreadableValue(
            f"{who}.{name} holds {holds.name}, and {_short.repr(stored)} is stored, which cannot be read: "
            f"{_reason(error)}. Way out: store a {holds.name} by a command of the field, or read the text by "
            f"database.connection",
            model=model.name,
            pk=pk,
            field=name,
            text=stored,
        ) from error


class OfReplies(Protocol[T]):
    """Reads the replies of one field: its values, in each shape that Redis gives them."""

    def one(self, reply: bytes | None, /) -> T | None:
        """Return a bulk reply as value, None for nil."""

    def sure(self, reply: bytes, /) -> T:
        """Return a bulk reply that is never nil as value."""

    def many(self, reply: Sequence[bytes], /) -> list[T]:
        """Return an array reply as list of values."""

    def some(self, reply: Iterable[bytes | None], /) -> list[T | None]:
        """Return an array reply with nils as list of values and None."""

    def unique(self, reply: Sequence[bytes], /) -> set[T]:
        """Return an array reply as set of values."""

    def by_entry(self, reply: Sequence[bytes], /) -> dict[str, T]:
        """Return a flat array of entries and values as dict."""

    def scored(self, reply: Sequence[bytes], /) -> list[tuple[T, float]]:
        """Return a flat array of values and scores as list of (value, score)."""


class _Texts:
    """Reads text."""

    one = staticmethod(as_text)
    sure = staticmethod(sure_text)
    many = staticmethod(as_texts)
    some = staticmethod(as_maybe_texts)
    unique = staticmethod(as_set)
    by_entry = staticmethod(as_dict)
    scored = staticmethod(as_scored)


#: Reads the replies of fields that hold text.
TEXTS: Final = _Texts()


class TypedReplies(Generic[T]):
    """Reads the values of a type.

    Args:
        holds: the type.
        name: of the field, for errors.
        identity: the object, for errors.
    """

    __slots__ = ("_holds", "_identity", "_name")

    def __init__(self, holds: ValueType[T], name: str, identity: Identity) -> None:
        self._holds = holds
        self._name = name
        self._identity = identity

    def _read(self, stored: str) -> T:
        return read_value(self._holds, stored, self._name, self._identity)

    def one(self, reply: bytes | None, /) -> T | None:
        """Return a bulk reply as value, None for nil."""
        return None if reply is None else self._read(str(reply, "utf-8", "surrogateescape"))

    def sure(self, reply: bytes, /) -> T:
        """Return a bulk reply that is never nil as value."""
        return self._read(sure_text(reply))

    def many(self, reply: Sequence[bytes], /) -> list[T]:
        """Return an array reply as list of values."""
        if self._holds.read_all is not None:
            # What fails is found one by one.
            with contextlib.suppress(ValueError):
                return self._holds.read_all(reply)
        return [self._read(stored) for stored in as_texts(reply)]

    def some(self, reply: Iterable[bytes | None], /) -> list[T | None]:
        """Return an array reply with nils as list of values and None."""
        return [None if stored is None else self._read(stored) for stored in as_maybe_texts(reply)]

    def unique(self, reply: Sequence[bytes], /) -> set[T]:
        """Return an array reply as set of values."""
        return set(self.many(reply))

    def by_entry(self, reply: Sequence[bytes], /) -> dict[str, T]:
        """Return a flat array of entries and values as dict."""
        return {entry: self._read(stored) for entry, stored in as_dict(reply).items()}

    def scored(self, reply: Sequence[bytes], /) -> list[tuple[T, float]]:
        """Return a flat array of values and scores as list of (value, score)."""
        return [(self._read(stored), score) for stored, score in as_scored(reply)]


def entry_value(identity: Identity, name: str, stored: str | None) -> Any:
    """Return the value of the InstanceHashField *name* that is *stored*; text where no field is declared any more."""
    field = identity.model.fields.get(name)
    if stored is None or field is None or field.kind is not Kind.ENTRY or (holds := field.holds) is None:
        return stored
    return read_value(holds, stored, name, identity)


def pk_value(model: ModelSchema, stored: str) -> Any:
    """Return the primary key of *model* that is *stored*.

    Raises:
        UnreadableValue: for text that is none.
    """
    holds = model.pk_holds
    return stored if holds is None else read_value(holds, stored, model.pk_field, model)


def read_columns(model: ModelSchema, names: Sequence[str], table: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Return the *table* of what is stored in the fields *names*, column by column, as values.

    Args:
        model: whose objects they are of.
        names: of the columns; of the primary key, too. What is no field stays as it is.
        table: the columns; of a type that reads many replies at once they may be replies.

    Raises:
        UnreadableValue: for text that is no value of its field.
    """
    columns = list(table)
    for place, name in enumerate(names):
        field = model.fields.get(name)
        of_pk = model.pk_holds if name in ("pk", model.pk_field) else None
        holds = of_pk if field is None else field.holds
        if holds is None:
            # A reference may have had a type when the query was made.
            columns[place] = texts_of(table[place])
            continue
        try:
            columns[place] = _read_column(holds, table[place])
        except Exception:
            _refuse_row(model, names, table, place, holds)
            raise  # none alone is wrong
    return columns


def _read_column(holds: ValueType[Any], column: Sequence[Any]) -> list[Any]:
    if holds.read_all is not None and None not in column:
        return holds.read_all(column)
    return [None if stored is None else holds.read(stored) for stored in texts_of(column)]


def texts_of(column: Sequence[Any]) -> Sequence[str | None]:
    """Return a *column* of texts, which may be replies, as texts."""
    # What stands for a primary key is text, too.
    first = next((each for each in column if each is not None), None)
    if first is None or isinstance(first, str):
        return column
    return read_by(as_maybe_texts, column, "SORT")


def _refuse_row(
    model: ModelSchema, names: Sequence[str], table: Sequence[Sequence[Any]], place: int, holds: ValueType[Any]
) -> None:
    """Raise the error for the first row whose value cannot be read, with the primary key where it was asked for."""
    at = next((at for at, each in enumerate(names) if each in ("pk", model.pk_field)), None)
    for row, stored in enumerate(texts_of(table[place])):
        pk = None if at is None else table[at][row]
        if stored is not None:
            read_value(holds, stored, names[place], model if pk is None else Identity(model, pk))
