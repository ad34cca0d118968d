"""What a caller says (say, pure): frozen ``Read``, ``Write``, ``Create`` and ``Delete``.

A ``Write`` is the Redis call, and the *change* it makes to what its key holds. Five changes stand for all writing
commands; the planner keeps indexes by them and never looks at a command's name. Building a command sends nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from uowredis.commands.arguments import Placeholder
from uowredis.commands.changes import Added, Change, Computed, Opaque, Replaced, named
from uowredis.commands.identity import Identity, same_object
from uowredis.commands.replies import as_is, read_by
from uowredis.schema.keys import INSTANCE_HASH, Unfilled
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C", bound="Read[Any] | WriteCommand")


@attrs.frozen(repr=False)
class Read(Generic[T_co]):
    """One reading call.

    Attributes:
        identity: the object it asks about.
        storage: the last part of the key it reads.
        field: the field it was said on, None for a command of the instance.
        name: the Redis command.
        args: its arguments without the key.
        members: what it names of its key, None where its answer depends on the whole.
        counts: the answer is the number of things in the key.
        _decode: makes the answer of the reply.
    """

    identity: Identity = attrs.field(eq=same_object)
    storage: str
    field: FieldSchema | None
    name: str
    args: tuple[str, ...]
    _decode: Callable[[Any], T_co] = attrs.field(default=as_is, eq=False)
    members: tuple[str, ...] | None = None
    counts: bool = False

    def decode(self, reply: Any) -> T_co:
        """Return the answer that *reply* is.

        Raises:
            UowError: where no server answers so.
        """
        return read_by(self._decode, reply, self)

    def said(self, who: str) -> str:
        """Return the command in words, about the object called *who*."""
        return _said(self, who)

    def __str__(self) -> str:
        return self.said(str(self.identity))

    def __repr__(self) -> str:
        return f"<{self}>"


@attrs.frozen(repr=False)
class Write(Generic[T_co]):
    """One writing call.

    Attributes:
        identity: the object it changes.
        storage: the last part of the key it writes.
        field: the field it was said on, None for a command of the instance.
        name: the Redis command.
        args: its arguments without the key.
        change: what it does to what the key holds.
        _decode: makes the answer of the reply.
        method: what was said, where that is called neither like the Redis command nor always so.
    """

    identity: Identity = attrs.field(eq=same_object)
    storage: str
    field: FieldSchema | None
    name: str
    args: tuple[str, ...]
    change: Change
    _decode: Callable[[Any], T_co] = attrs.field(default=as_is, eq=False)
    method: str = ""

    def decode(self, reply: Any) -> T_co:
        """Return the answer that *reply* is.

        Raises:
            UowError: where no server answers so.
        """
        return read_by(self._decode, reply, self)

    def said(self, who: str) -> str:
        """Return the command in words, about the object called *who*."""
        return _said(self, who, self.method)

    def __str__(self) -> str:
        return self.said(str(self.identity))

    def __repr__(self) -> str:
        return f"<{self}>"


@functools.lru_cache(maxsize=4096)
def shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the *names* as all objects with these have them in common."""
    return names


@attrs.frozen(repr=False, weakref_slot=False)
class Create:
    """A new object with the values given to its constructor; thousands of them share the names.

    Attributes:
        identity: the new object; its pk is None until it is allocated, or what was chosen.
        entries: the stored names of its InstanceHashFields that have a value: one HSET.
        in_entries: these values.
        strings: the stored names of its StringFields that have a value: one SET each.
        in_strings: these values.
        writes: the calls for its other fields.
    """

    identity: Identity = attrs.field(eq=same_object)
    entries: tuple[str, ...] = ()
    in_entries: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()
    in_strings: tuple[str, ...] = ()
    writes: tuple[Write[Any], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no value was given."""
        return not (self.entries or self.strings or self.writes)

    @property
    def pairs(self) -> Iterator[tuple[str, str]]:
        """The InstanceHashFields that have a value, by their stored names, each with it."""
        return zip(self.entries, self.in_entries, strict=True)

    @property
    def calls(self) -> Iterator[Write[Any]]:
        """The calls for all fields but the InstanceHashFields."""
        for name, value in zip(self.strings, self.in_strings, strict=True):
            yield self._set(name, value)
        yield from self.writes

    def calls_on(self, storage: str) -> Iterator[Write[Any]]:
        """Yield those of them on one key."""
        if storage in self.strings:
            yield self._set(storage, self.in_strings[self.strings.index(storage)])
        for write in self.writes:
            if write.storage == storage:
                yield write

    def _set(self, name: str, value: str) -> Write[Any]:
        field = self.identity.model.by_stored[name]
        return Write(self.identity, field.storage, field, "SET", (value,), Replaced((("", value),)))

    def said(self, who: str) -> str:
        """Return the command in words, about the object called *who*."""
        return f"{who} created"

    def __str__(self) -> str:
        return self.said(str(self.identity))

    def __repr__(self) -> str:
        return f"<{self}>"


@attrs.frozen(repr=False)
class Delete:
    """The end of an object: its keys, its pk, its places in indexes."""

    identity: Identity = attrs.field(eq=same_object)

    def said(self, who: str) -> str:
        """Return the command in words, about the object called *who*."""
        return f"{who} deleted"

    def __str__(self) -> str:
        return self.said(str(self.identity))

    def __repr__(self) -> str:
        return f"<{self}>"


@attrs.frozen(repr=False)
class Look:
    """A query that is answered together with commands, after all that they change.

    Attributes:
        of: the collection that asks.
        model: whose objects it finds.
        temporary: key of its intermediate results; it lives within the transaction.
        calls: what it asks; none where it can only ask on its own, when the others are answered.
        answer: position of the call whose reply is the answer.
        decode: makes the answer of the reply.
    """

    of: Any = attrs.field(eq=False)  # to compare it asks the server
    model: ModelSchema
    temporary: str
    calls: tuple[tuple[str, ...], ...] = ()
    answer: int = 0
    decode: Callable[[Any], Any] = attrs.field(default=as_is, eq=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # What makes the answer belongs to the pipeline that asks.
        return Look, (self.of, self.model, self.temporary, self.calls, self.answer)

    def __str__(self) -> str:
        return f"{self.model.name}.collection"

    def __repr__(self) -> str:
        return f"<{self}>"


def kind_of_key(command: Read[Any] | Write[Any]) -> Kind:
    """Return the Redis type of the key that *command* works on."""
    field = command.field
    return Kind.HASH if field is None or field.kind is Kind.ENTRY else field.kind


WriteCommand: TypeAlias = Write[Any] | Create | Delete
Command: TypeAlias = Read[Any] | WriteCommand | Look


class Borrowed(Unfilled):
    """What stands for a foreign key that was given as a value, until the planner has read it under watch."""

    __slots__ = ("read",)
    read: Read[str | None]

    def __new__(cls, read: Read[str | None]) -> Borrowed:
        """Return what stands for the answer of *read*."""
        field = read.storage if read.field is None else read.field.name
        borrowed = super().__new__(cls, f"<{read.identity}.{field}>")
        borrowed.read = read
        return borrowed

    def filled(self) -> str:
        """Return the text itself: only the planner knows the value."""
        return self


def unfilled(command: Command) -> list[Unfilled]:
    """Return what stands in *command* for text that is not known yet."""
    if isinstance(command, (Delete, Look)) or not command.identity.model.related:
        return []
    if isinstance(command, Create):
        given = [*command.in_entries, *command.in_strings]
        given += [argument for write in command.writes for argument in write.args]
    else:
        given = list(command.args)
    return [argument for argument in given if type(argument) is not str and isinstance(argument, Unfilled)]


def references(command: Command) -> list[Identity]:
    """Return the new objects that *command* refers to by what stands for their pks."""
    return [argument.identity for argument in unfilled(command) if type(argument) is Placeholder]


def borrows(command: Command) -> list[Borrowed]:
    """Return what stands in *command* for values of foreign keys."""
    return [argument for argument in unfilled(command) if type(argument) is Borrowed]


def resolved(command: C, values: Mapping[str, str] | None = None) -> C:
    """Return *command* with the pk in place of each reference to a new object that has got one.

    Args:
        command: what was said.
        values: those of foreign keys by what stands for them.
    """
    found: Any = command
    texts = functools.partial(_resolved_texts, values=values or {})
    if isinstance(found, Create):
        return attrs.evolve(  # type: ignore[return-value]  # mypy does not narrow by the parameter of the type
            found,
            in_entries=texts(found.in_entries),
            in_strings=texts(found.in_strings),
            writes=tuple(resolved(write, values) for write in found.writes),
        )
    if isinstance(found, Write):
        change = found.change
        if isinstance(change, Replaced):
            change = Replaced(_resolved_pairs(change.values, texts))
        elif isinstance(change, Added):
            change = Added(texts(change.values))
        elif change.members is not None:
            change = attrs.evolve(change, members=texts(change.members))
        return attrs.evolve(found, args=texts(found.args), change=change)  # type: ignore[return-value]
    if isinstance(found, Read):
        members = None if found.members is None else texts(found.members)
        return attrs.evolve(found, args=texts(found.args), members=members)  # type: ignore[return-value]
    return command


def _resolved_texts(texts: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        text.identity.reference
        if type(text) is Placeholder
        else values.get(text, text)
        if type(text) is Borrowed
        else text
        for text in texts
    )


def _resolved_pairs(
    pairs: tuple[tuple[str, str], ...], texts: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> tuple[tuple[str, str], ...]:
    values = texts(tuple(value for _, value in pairs))
    return tuple((name, value) for (name, _), value in zip(pairs, values, strict=True))


#: Methods that are not called like the Redis command they send.
_METHODS = {"DEL": "delete", "INCRBY": "incr", "DECRBY": "decr"}


def _said(command: Read[Any] | Write[Any], who: str, method: str = "") -> str:
    field = "" if command.field is None else f".{command.field.name}"
    return f"{who}{field}.{method or _METHODS.get(command.name) or command.name.lower()}"


def touched_fields(model: ModelSchema, storage: str, entries: Iterable[str]) -> Iterator[FieldSchema]:
    """Yield the fields that a command on *storage* naming *entries* touches."""
    if storage != INSTANCE_HASH:
        yield model.by_stored[storage]
        return
    for entry in entries:
        if (field := model.by_stored.get(entry)) is not None:
            yield field


def matters(write: Write[Any]) -> bool:
    """Return whether *write* touches an indexed field."""
    if write.field is not None:
        # What is said on a field names no other one.
        return write.field.indexed
    model = write.identity.model
    return any(field.indexed for field in touched_fields(model, write.storage, named(write.change) or ()))


def may_fail(write: Write[Any]) -> bool:
    """Return whether Redis may refuse *write* for what it meets, and the field wants that known beforehand."""
    change = write.change
    return (
        isinstance(change, Computed | Opaque)
        and change.fallible
        and any(field.lockable for field in touched_fields(write.identity.model, write.storage, change.members or ()))
    )


def writes(command: Command) -> bool:
    """Return whether *command* changes something: it is neither a read nor a query."""
    return not isinstance(command, (Read, Look))  # a union is made anew each time
