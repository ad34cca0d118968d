"""``Bound``: a field of one instance (say)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Protocol

from uowredis.commands.arguments import number
from uowredis.commands.between import Combined, Move
from uowredis.commands.changes import Change, Removed
from uowredis.commands.commands import Read, Write
from uowredis.commands.identity import Identity, check_current
from uowredis.commands.replies import as_is, sure_float
from uowredis.commands.values import TEXTS, OfReplies, TypedReplies
from uowredis.commands.whole import whole_read
from uowredis.exceptions import ImplementationError
from uowredis.fields.methods import G, M, Sayer, V, writes
from uowredis.fields.misuse import NotItsValue
from uowredis.fields.modes import one_class
from uowredis.schema.models import FieldSchema

if TYPE_CHECKING:
    from uowredis.fields.base import Field


class Instance(Protocol):
    """What a bound field needs of its instance."""

    @property
    def identity(self) -> Identity:
        """The object, for commands."""

    database: Any

    def _say(self, command: Read[Any] | Write[Any] | Move[Any] | Combined[Any]) -> Any: ...

    def _answer(self, read: Read[Any]) -> Any: ...


class Bound(Sayer[M], NotItsValue, Generic[V, G, M]):
    """A field of one instance: its methods are Redis' commands without the key.

    Outside a session a command is sent at once and returns its reply. In a session a write waits for the commit and
    returns a ``Pending``; a read answers as it will right after the commit.
    """

    __slots__ = ("_field", "_owner")

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(one_class)

    def __init__(self, owner: Instance, field: Field[Any]) -> None:
        self._owner = owner
        self._field = field

    # isinstance(person.tags, SetField) is true, as for the declared field.
    @property  # type: ignore[misc]  # object.__class__ is no property to mypy
    def __class__(self) -> type:
        return type(self._field)

    @property
    def key(self) -> str:
        """The key that holds the field: of the instance's hash for an InstanceHashField.

        Raises:
            ImplementationError: where the object has no primary key yet, or its class was declared again.
        """
        identity = self._owner.identity
        if identity.pk is None:
            raise ImplementationError(
                f"{self!r} has no key: its object has no primary key yet. Way out: pk.get() first"
            )
        return identity.model.keys.storage(identity.pk, self._schema(identity).storage)

    def _say(self, command: Read[Any] | Write[Any] | Move[Any] | Combined[Any]) -> Any:
        return self._owner._say(command)

    def _value_read(self, decode: Callable[[Any], Any] | None = None) -> Read[Any]:
        """Return the command that reads the one value of the field; *decode* makes something else of the reply."""
        raise NotImplementedError

    def _whole_read(self) -> Read[Any]:
        """Return the command that reads all that the field holds."""
        identity = self._owner.identity
        return whole_read(identity, self._schema(identity))

    def _current(self) -> Any:
        """Return the one value of the field at once, in a pipeline, too."""
        return self._owner._answer(self._value_read())

    @property
    def _reader(self) -> OfReplies[V]:
        """What reads the values in replies."""
        holds = self._field.holds
        reader: Any = TEXTS if holds is None else TypedReplies(holds, self._field.name, self._owner.identity)
        return reader  # type: ignore[no-any-return]  # a field without type holds str

    def _check_native(self, method: str) -> None:
        """Check that *method*, which computes with what is stored or looks into it, makes sense of the type.

        Raises:
            ImplementationError: where it does not.
        """
        holds = self._field.holds
        if holds is not None and method not in holds.native:
            raise ImplementationError(
                f"{self._field} holds {holds.name}, of which {method}() can make no sense. Way out: read the value by "
                f"{self._value_by}, and store another one"
            )

    def _float_amount(self, method: str, amount: Any) -> str:
        """Return what a float increment adds, as text.

        Raises:
            ImplementationError: where the type of the field is no such number.
        """
        self._check_native(method)
        return number(self._field.spell(amount) if isinstance(amount, Decimal) else amount, "amount")

    @property
    def _float_reader(self) -> Callable[[Any], Any]:
        return sure_float if self._field.holds is None else self._reader.sure

    @property
    def _described(self) -> str:
        return f"{self._field} of {self._owner.identity}"

    def _schema(self, identity: Identity) -> FieldSchema:
        if identity.model.successor is not None:
            check_current(identity)
        return identity.model.fields[self._field.name]

    def _read(
        self,
        name: str,
        *args: str,
        decode: Callable[[Any], Any] = as_is,
        members: tuple[str, ...] | None = None,
        counts: bool = False,
    ) -> Read[Any]:
        identity = self._owner.identity
        schema = self._schema(identity)
        return Read(identity, schema.storage, schema, name, args, decode, members, counts)

    def _write(
        self, change: Change, name: str, *args: str, decode: Callable[[Any], Any] = as_is, method: str = ""
    ) -> Write[Any]:
        identity = self._owner.identity
        schema = self._schema(identity)
        return Write(identity, schema.storage, schema, name, args, change, decode, method)

    def _refuse_expiry(self, **given: object) -> None:
        options = [option for option, value in given.items() if value is not None]
        if options and self._schema(self._owner.identity).indexed:
            raise ImplementationError(
                f"{self._field} is indexed and takes no expiry ({', '.join(options)}): its index entries would outlive "
                f"it. Way out: a field without index"
            )

    @writes
    def delete(self) -> Write[int]:
        """Delete the field and its value; return 1 if there was one, else 0 (DEL)."""
        return self._write(Removed(None), "DEL")

    if not TYPE_CHECKING:  # whom a type checker knows to have none it keeps from being compared with a value

        def __eq__(self, other: object) -> bool:
            if type(other) is type(self):
                return bool(self._owner == other._owner) and self._field is other._field
            return super().__eq__(other)

    def __dir__(self) -> list[str]:
        # What it has, not what the field has that it passes for.
        return sorted({name for kind in type(self).__mro__ for name in vars(kind)})

    def __hash__(self) -> int:
        return hash((self._owner, self._field.name))

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        # In another process a handle: of the same object there.
        return getattr, (self._owner, self._field.name)

    def __repr__(self) -> str:
        return f"<{self._owner.identity}.{self._field.name}>"
