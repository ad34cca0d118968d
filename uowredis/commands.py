"""What a caller says (say, pure): frozen ``Read``, ``Write``, ``Create`` and ``Delete``.

A ``Write`` is the Redis call, and the *change* it makes to what its key holds. Five changes stand for all writing
commands; the planner keeps indexes by them and never looks at a command's name. Building a command sends nothing.

==========  ==========================================================================================
Replaced    the named things hold exactly this now: a string's value, entries of a hash
Added       these values are in, whatever was there: SADD, RPUSH, ZADD
Removed     these values (or entries) are out, None for all there is: SREM, LREM 0, HDEL, DEL
Computed    the result needs what was there: INCR, LTRIM, HSETNX
Opaque      only the server knows the result: SPOP, INCRBYFLOAT
==========  ==========================================================================================
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.spelling import Placeholder, as_is, printable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C", bound="Read[Any] | WriteCommand")


class State(enum.Enum):
    """Where an object stands in its life, as far as its handle knows."""

    EMPTY = "has no primary key yet and nothing stored"
    CREATED = "is created by the open session"
    STORED = "is in Redis, as far as known"
    UNTESTED = "was not looked up yet"
    DELETED = "was deleted"
    FORGOTTEN = "was made in a session that was rolled back"


@attrs.define(eq=False)
class Identity:
    """The object that a command is about: its model and, once it is known, its primary key.

    Each handle (model instance) has one of its own; commands carry it, so that they can be said before the pk is.
    """

    model: ModelSchema
    pk: str | None = None
    state: State = State.EMPTY
    number: int = 0
    _hash: int | None = attrs.field(default=None, init=False)

    def stable_hash(self) -> int:
        """Return the hash of the object: of model and pk, or of the handle while there is none; it never changes."""
        if self._hash is None:
            self._hash = hash(id(self)) if self.pk is None else hash((self.model, self.pk))
        return self._hash

    @property
    def placeholder(self) -> str:
        """What stands for the pk in plans while there is none."""
        return f"<{self.model.name} {self.number}>"

    @property
    def reference(self) -> str:
        """What refers to the object in arguments: its pk, or what stands for it while there is none."""
        if self.pk is not None:
            return self.pk
        # What no session has numbered yet must differ all the same, two in one mapping for example.
        return Placeholder(self.placeholder if self.number else f"<{self.model.name} {id(self):#x}>", self)

    def __str__(self) -> str:
        if self.pk is None:
            return self.placeholder if self.number else f"<new {self.model.name}>"
        return called(self.model, self.pk)


def called(model: ModelSchema, pk: str) -> str:
    """Return what an object is called in plans and errors: ``Bike <1>``, or ``<Bike 1>`` while it has no pk."""
    return pk if pk.startswith("<") and pk.endswith(">") and pk.isprintable() else f"{model.name} <{printable(pk)}>"


@attrs.frozen
class Replaced:
    """What is named holds exactly this afterwards: (entry, value) pairs; the entry is '' for a string."""

    values: tuple[tuple[str, str], ...]


@attrs.frozen
class Added:
    """*values* are in afterwards, whatever was there."""

    values: tuple[str, ...]


@attrs.frozen
class Removed:
    """*members* (values, or entries of a hash) are out afterwards; None: all there is."""

    members: tuple[str, ...] | None


@attrs.frozen
class Computed:
    """The result needs what was there.

    Attributes:
        members: what the command names of its key, None for the whole.
        fallible: whether Redis may refuse it because of what it meets.
    """

    members: tuple[str, ...] | None = None
    fallible: bool = False


@attrs.frozen
class Opaque:
    """Only the server knows the result; on an indexed field the planner draws it under watch.

    Attributes:
        members: what the command names of its key, None for the whole.
        fallible: whether Redis may refuse it because of what it meets.
    """

    members: tuple[str, ...] | None = None
    fallible: bool = False


Change: TypeAlias = Replaced | Added | Removed | Computed | Opaque


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
        decode: makes the answer of the reply.
    """

    identity: Identity
    storage: str
    field: FieldSchema | None
    name: str
    args: tuple[str, ...]
    decode: Callable[[Any], T_co] = as_is
    members: tuple[str, ...] | None = None
    counts: bool = False

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
        decode: makes the answer of the reply.
    """

    identity: Identity
    storage: str
    field: FieldSchema | None
    name: str
    args: tuple[str, ...]
    change: Change
    decode: Callable[[Any], T_co] = as_is

    def said(self, who: str) -> str:
        """Return the command in words, about the object called *who*."""
        return _said(self, who)

    def __str__(self) -> str:
        return self.said(str(self.identity))

    def __repr__(self) -> str:
        return f"<{self}>"


@attrs.frozen(repr=False)
class Create:
    """A new object with the values given to its constructor.

    Attributes:
        identity: the new object; its pk is None until it is allocated, or what was chosen.
        entries: (name, value) of its InstanceHashFields: one HSET.
        writes: the calls for its other fields but the strings.
        strings: (name, value) of its StringFields: one SET each.
    """

    identity: Identity
    entries: tuple[tuple[str, str], ...] = ()
    writes: tuple[Write[Any], ...] = ()
    strings: tuple[tuple[str, str], ...] = ()

    @property
    def calls(self) -> Iterator[Write[Any]]:
        """The calls for all fields but the InstanceHashFields."""
        for name, value in self.strings:
            field = self.identity.model.fields[name]
            yield Write(self.identity, field.storage, field, "SET", (value,), Replaced((("", value),)))
        yield from self.writes

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

    identity: Identity

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

    of: Any
    model: ModelSchema
    temporary: str
    calls: tuple[tuple[str, ...], ...] = ()
    answer: int = 0
    decode: Callable[[Any], Any] = as_is

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


def references(command: Command) -> list[Identity]:
    """Return the new objects that *command* refers to by what stands for their pks."""
    if isinstance(command, Delete | Look) or not command.identity.model.related:
        return []
    if isinstance(command, Create):
        given = [value for _, value in (*command.entries, *command.strings)]
        given += [argument for write in command.writes for argument in write.args]
    else:
        given = list(command.args)
    return [argument.identity for argument in given if type(argument) is Placeholder]


def resolved(command: C) -> C:
    """Return *command* with the pk in place of each reference to a new object that has got one."""
    found: Any = command
    if isinstance(found, Create):
        return attrs.evolve(  # type: ignore[return-value]  # mypy does not narrow by the parameter of the type
            found,
            entries=_resolved_pairs(found.entries),
            strings=_resolved_pairs(found.strings),
            writes=tuple(map(resolved, found.writes)),
        )
    if isinstance(found, Write):
        change = found.change
        if isinstance(change, Replaced):
            change = Replaced(_resolved_pairs(change.values))
        elif isinstance(change, Added):
            change = Added(_resolved_texts(change.values))
        elif change.members is not None:
            change = attrs.evolve(change, members=_resolved_texts(change.members))
        return attrs.evolve(found, args=_resolved_texts(found.args), change=change)  # type: ignore[return-value]
    if isinstance(found, Read):
        members = None if found.members is None else _resolved_texts(found.members)
        return attrs.evolve(found, args=_resolved_texts(found.args), members=members)  # type: ignore[return-value]
    return command


def _resolved_texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.identity.reference if type(text) is Placeholder else text for text in texts)


def _resolved_pairs(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    values = _resolved_texts(tuple(value for _, value in pairs))
    return tuple((name, value) for (name, _), value in zip(pairs, values, strict=True))


#: Methods that are not called like the Redis command they send.
_METHODS = {"DEL": "delete", "INCRBY": "incr", "DECRBY": "decr"}


def _said(command: Read[Any] | Write[Any], who: str) -> str:
    field = "" if command.field is None else f".{command.field.name}"
    return f"{who}{field}.{_METHODS.get(command.name) or command.name.lower()}"
