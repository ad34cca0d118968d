"""``InstanceHashField``: an entry of the one hash of an instance; the commands of that hash (declare, say)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from uowredis.commands.arguments import Value, integer
from uowredis.commands.changes import Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Read, Write
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_bool, as_dict, as_maybe_texts, as_ok, as_texts
from uowredis.commands.values import entry_value
from uowredis.exceptions import ArgumentError
from uowredis.fields.base import SingleValueField
from uowredis.fields.bound import Bound
from uowredis.fields.methods import G, M, Sayer, V, reads, writes
from uowredis.fields.modes import Async
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import Kind, ModelSchema


class BoundInstanceHash(Bound[V, G, M]):
    """The entry of one instance."""

    __slots__ = ()
    _value_by = "hget()"

    @reads
    def hget(self) -> Read[V | None]:
        """Return the value, None where there is none (HGET)."""
        return self._value_read()

    def _value_read(self, decode: Callable[[Any], Any] | None = None) -> Read[Any]:
        name = self._field.stored
        return self._read("HGET", name, decode=decode or self._reader.one, members=(name,))

    @reads
    def hstrlen(self) -> Read[int]:
        """Return the length of the value in bytes, 0 where there is none (HSTRLEN)."""
        name = self._field.stored
        return self._read("HSTRLEN", name, members=(name,))

    @writes
    def hset(self, value: Value | G) -> Write[int]:
        """Store *value*; return 1 where there was none before, else 0 (HSET)."""
        spelled, name = self._field.spell(value), self._field.stored
        return self._write(Replaced(((name, spelled),)), "HSET", name, spelled)

    @writes
    def hsetnx(self, value: Value | G) -> Write[bool]:
        """Store *value* where there is none; return whether it was stored (HSETNX)."""
        name = self._field.stored
        return self._write(Computed((name,)), "HSETNX", name, self._field.spell(value), decode=as_bool)

    @writes
    def hincrby(self, amount: int = 1) -> Write[int]:
        """Add *amount* to the integer that is there (0 where there is none); return the sum (HINCRBY).

        Raises:
            Rejected: where the value is no integer, or the sum is beyond 64 bits; nothing is written.
        """
        self._check_native("hincrby")
        name = self._field.stored
        return self._write(Computed((name,), fallible=True), "HINCRBY", name, integer(amount, "amount"))

    @writes
    def hincrbyfloat(self, amount: float | str | V = 1.0) -> Write[float]:
        """Add *amount* to the number that is there (0 where there is none); return the sum (HINCRBYFLOAT).

        On an indexed field the sum is computed under watch and set. Give *amount* as text to keep its digits.

        Raises:
            Rejected: where the value is no number; nothing is written.
        """
        name, by = self._field.stored, self._float_amount("hincrbyfloat", amount)
        return self._write(Opaque((name,), fallible=True), "HINCRBYFLOAT", name, by, decode=self._float_reader)

    @writes
    def hdel(self) -> Write[int]:
        """Delete the value; return 1 if there was one, else 0 (HDEL)."""
        return self._write(Removed((self._field.stored,)), "HDEL", self._field.stored)

    get = hget
    set = hset
    delete = hdel


class InstanceHashField(SingleValueField[V]):
    """A string stored with its siblings in one hash: cheaper than a StringField, read and written several at once."""

    kind = Kind.ENTRY
    bound: type[BoundInstanceHash[V]] = BoundInstanceHash
    bound_later: type[BoundInstanceHash[V, V, Async]]

    def _setter(self) -> str:
        return "hset"


class InstanceHashCommands(Sayer[M]):
    """The commands of the hash as a whole, called on the instance."""

    __slots__ = ()

    @property
    def identity(self) -> Identity:
        """The object, for commands."""
        raise NotImplementedError

    def _hash_read(self, name: str, *args: str, **how: Any) -> Read[Any]:
        return Read(self.identity, INSTANCE_HASH, None, name, args, **how)

    @reads
    def hmget(self, *names: str) -> Read[list[Any]]:
        """Return the values of the InstanceHashFields *names*, in order, None where one has none (HMGET).

        Without names nothing is fetched and the list is empty.

        Raises:
            ArgumentError: for a name that is no InstanceHashField.
        """
        identity = self.identity
        checked = entry_names(identity.model, names)
        if identity.model.plain:
            return Read(identity, INSTANCE_HASH, None, "HMGET", checked, as_maybe_texts, checked)

        def values(reply: Any) -> list[Any]:
            found = zip(names, as_maybe_texts(reply), strict=True)
            return [entry_value(identity, name, stored) for name, stored in found]

        return Read(identity, INSTANCE_HASH, None, "HMGET", checked, values, checked)

    @reads
    def hgetall(self) -> Read[dict[str, Any]]:
        """Return all InstanceHashFields that have a value, with it (HGETALL)."""
        identity = self.identity
        decode = as_dict if identity.model.plain else functools.partial(_values_by_name, identity)
        return self._hash_read("HGETALL", decode=decode)

    @reads
    def hkeys(self) -> Read[list[str]]:
        """Return the names of all InstanceHashFields that have a value, in no order (HKEYS)."""
        model = self.identity.model
        return self._hash_read("HKEYS", decode=as_texts if model.plain else functools.partial(_names, model))

    @reads
    def hvals(self) -> Read[list[Any]]:
        """Return the values of all InstanceHashFields, in no order (HVALS).

        Where one has a type or another name in Redis HGETALL is sent: HVALS does not say which value is whose.
        """
        identity = self.identity
        if identity.model.plain:
            return self._hash_read("HVALS", decode=as_texts)
        return self._hash_read("HGETALL", decode=lambda reply: list(_values_by_name(identity, reply).values()))

    @reads
    def hlen(self) -> Read[int]:
        """Return how many InstanceHashFields have a value (HLEN)."""
        return self._hash_read("HLEN", counts=True)

    @writes
    def hmset(self, /, **values: Any) -> Write[bool | None]:
        """Store several InstanceHashFields at once; return True (HMSET).

        Raises:
            ArgumentError: for no value, or a name that is no InstanceHashField.
        """
        model = self.identity.model
        names = entry_names(model, tuple(values))
        if not names:
            raise ArgumentError(f"{model.name}.hmset() takes at least one field with its value")
        spelled = [getattr(type(self), name).spell(value) for name, value in values.items()]
        pairs = tuple(zip(names, spelled, strict=True))
        args = tuple(part for pair in pairs for part in pair)
        return Write(self.identity, INSTANCE_HASH, None, "HMSET", args, Replaced(pairs), as_ok)

    @writes
    def hdel(self, *names: str) -> Write[int]:
        """Delete the values of the InstanceHashFields *names*; return how many there were (HDEL).

        Raises:
            ArgumentError: for no name, or one that is no InstanceHashField.
        """
        checked = entry_names(self.identity.model, names)
        if not checked:
            raise ArgumentError(f"{self.identity.model.name}.hdel() takes at least one field")
        return Write(self.identity, INSTANCE_HASH, None, "HDEL", checked, Removed(checked))


def entry_names(model: ModelSchema, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the InstanceHashFields *names* of *model* are stored as.

    Raises:
        ArgumentError: naming those that are not.
    """
    try:
        return _entry_names(model, names)
    except TypeError:
        # Names that have no hash are none.
        return _entry_names.__wrapped__(model, names)


@functools.lru_cache(maxsize=4096)
def _entry_names(model: ModelSchema, names: tuple[str, ...]) -> tuple[str, ...]:
    stored = []
    for name in names:
        field = model.fields.get(name) if isinstance(name, str) else None
        if field is None or field.kind is not Kind.ENTRY:
            known = ", ".join(f.name for f in model.fields.values() if f.kind is Kind.ENTRY)
            raise ArgumentError(f"{model.name} has no InstanceHashField {name!r}. Way out: it has {known or 'none'}")
        stored.append(field.stored)
    return tuple(stored)


def _values_by_name(identity: Identity, reply: Sequence[bytes]) -> dict[str, Any]:
    """Return the values in the reply of HGETALL by what its entries are called."""
    shown = ((identity.model.entry_shown(entry), value) for entry, value in as_dict(reply).items())
    return {name: entry_value(identity, name, value) for name, value in shown if name is not None}


def _names(model: ModelSchema, reply: Sequence[bytes]) -> list[str]:
    """Return what the entries in the reply of HKEYS are called."""
    return [name for entry in as_texts(reply) if (name := model.entry_shown(entry)) is not None]
