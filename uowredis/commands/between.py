"""What a caller says of two fields or more (say, pure): frozen ``Move`` and ``Combined``.

A change is of one key, and so a move is two writes, the second of what is going: that is read under watch when it is
said, as a caller would read it. Redis' own command is sent where nothing has to be kept right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added
from uowredis.commands.commands import Read, Write, matters
from uowredis.commands.identity import Identity
from uowredis.commands.replies import read_by
from uowredis.schema.models import FieldSchema, ModelSchema

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@attrs.frozen(repr=False)
class Move(Generic[T_co]):
    """What goes from a field to another one: it is taken out here, and put in there, where there is any.

    Attributes:
        name: the Redis command (SMOVE, LMOVE, RPOPLPUSH).
        args: its arguments without the two keys.
        looks: the read that tells what goes, or whether the *member* goes.
        out: the write that takes it out; its reply is that of the move.
        to: the object that gets it.
        target: the field that gets it.
        put: the Redis command that puts it there.
        member: what goes, where that is said, None where only *looks* tells.
    """

    name: str
    args: tuple[str, ...]
    looks: Read[Any]
    out: Write[T_co]
    to: Identity
    target: FieldSchema
    put: str
    member: str | None = None

    def into(self, seen: Any) -> Write[Any] | None:
        """Return the write that puts in what goes, None for nothing; *seen* is what ``looks`` was answered."""
        going = seen if self.member is None else self.member if seen else None
        if going is None:
            return None
        change, target = Added((going,)), self.target
        return Write(self.to, target.storage, target, self.put, (going,), change, method=self.name.lower())

    @property
    def identities(self) -> tuple[Identity, Identity]:
        """The objects on both sides."""
        return self.out.identity, self.to

    @property
    def models(self) -> tuple[ModelSchema, ModelSchema]:
        """Their models."""
        return self.out.identity.model, self.to.model

    @property
    def goes_as_it_is(self) -> bool:
        """Whether Redis' own command does all of it: neither field is indexed, and both are in one place."""
        return not (matters(self.out) or self.target.indexed) and in_one_place(self.models)

    @property
    def call(self) -> Call:
        """Redis' own command; both objects have a pk."""
        out, target = self.out, self.target
        return (self.name, _key(out.identity, out.storage), _key(self.to, target.storage), *self.args)

    def __str__(self) -> str:
        return f"{self.out}"

    def __repr__(self) -> str:
        return f"<{self}>"


#: What a read of several sets makes of them.
_MADE: dict[str, Callable[..., set[Any]]] = {
    "SINTER": set.intersection,
    "SUNION": set.union,
    "SDIFF": set.difference,
}


@attrs.frozen(repr=False)
class Combined(Generic[T_co]):
    """A read of what several sets have in common, or not.

    Attributes:
        name: the Redis command: SINTER, SUNION, SDIFF.
        reads: the reads of all that each field holds.
        _decode: makes the answer of the reply to the Redis command.
    """

    name: str
    reads: tuple[Read[set[Any]], ...]
    _decode: Callable[[Any], T_co] = attrs.field(eq=False)

    @property
    def models(self) -> tuple[ModelSchema, ...]:
        """The models of all objects."""
        return tuple([read.identity.model for read in self.reads])

    @property
    def call(self) -> Call:
        """Redis' own command; all objects have a pk."""
        return (self.name, *(_key(read.identity, read.storage) for read in self.reads))

    def decode(self, reply: Any) -> T_co:
        """Return the answer that the *reply* to the Redis command is.

        Raises:
            UowError: where no server answers so.
        """
        return read_by(self._decode, reply, self)

    def of(self, held: Sequence[set[Any]]) -> Any:
        """Return the answer where each field *held* what it says."""
        return _MADE[self.name](*held)

    def __str__(self) -> str:
        field = self.reads[0].field
        return f"{self.reads[0].identity}.{'' if field is None else field.name}.{self.name.lower()}"

    def __repr__(self) -> str:
        return f"<{self}>"


def in_one_place(models: Iterable[ModelSchema]) -> bool:
    """Return whether one command may speak of keys of all *models*."""
    return len({model.keys.place for model in models}) == 1


def _key(identity: Identity, storage: str) -> str:
    assert identity.pk is not None
    return identity.model.keys.storage(identity.pk, storage)
