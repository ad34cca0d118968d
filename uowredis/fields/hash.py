"""``HashField``: a Redis hash of its own (declare, say)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from uowredis.commands.arguments import Value, flag, integer, listed, text, texts
from uowredis.commands.changes import Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Read, Write
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_bool, as_ok, as_pairs, as_text, as_texts
from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError
from uowredis.fields.base import Field, Options
from uowredis.fields.lasting import BoundKey
from uowredis.fields.methods import G, M, V, reads, writes
from uowredis.fields.modes import Async
from uowredis.fields.overloads import shown_valued
from uowredis.fields.scans import scan_arguments, scanned
from uowredis.schema.models import FieldSchema, Kind
from uowredis.values import Codec


def _checked(field: Field[Any], given: object) -> list[tuple[Any, Any]]:
    """Return the items of *given*, which must be a mapping."""
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(f"{field} takes a mapping of entries to values, not {type(given).__name__}")
    return list(given.items())


def _entries(field: Field[Any], given: Iterable[tuple[Any, Any]]) -> tuple[tuple[str, str], ...]:
    """Return *given* spelled; at least one pair is needed."""
    pairs = tuple((_entry(field, entry), field.spell(value)) for entry, value in given)
    if not pairs:
        raise ArgumentError(f"{field} is given nothing: give at least one entry with its value")
    return pairs


def _entry(field: Field[Any], entry: object) -> str:
    spelled = text(entry, f"the name of an entry of {field}")
    if field.indexable and ":" in spelled:
        raise ArgumentError(
            f"An entry of {field} cannot be {spelled!r}: the field is indexed, and with ':' two entries would share "
            f"an index key. Way out: a name without ':'"
        )
    return spelled


def _names(reply: Sequence[bytes] | None) -> list[str]:
    return as_texts(reply or ())


class BoundHash(BoundKey[V, G, M]):
    """The hash of one instance and field."""

    __slots__ = ()
    _value_by = "hgetall()"

    @reads
    def hget(self, key: Value) -> Read[V | None]:
        """Return the value of the entry *key*, None where it is not there (HGET)."""
        spelled = text(key, f"the name of an entry of {self._field}")
        return self._read("HGET", spelled, decode=self._reader.one, members=(spelled,))

    @reads
    def hmget(self, keys: Value | Sequence[Value], *more: Value) -> Read[list[V | None]]:
        """Return the values of the entries, in order, None where one is not there (HMGET)."""
        given = (*listed(keys), *more)
        spelled = texts(given, f"the name of an entry of {self._field}")
        return self._read("HMGET", *spelled, decode=self._reader.some, members=spelled)

    @reads
    def hgetall(self) -> Read[dict[str, V]]:
        """Return all entries with their values (HGETALL)."""
        return self._whole_read()

    @reads
    def hkeys(self) -> Read[list[str]]:
        """Return the names of all entries, in no order (HKEYS)."""
        return self._read("HKEYS", decode=as_texts)

    @reads
    def hvals(self) -> Read[list[V]]:
        """Return the values of all entries, in no order (HVALS)."""
        return self._read("HVALS", decode=self._reader.many)

    @reads
    def hlen(self) -> Read[int]:
        """Return how many entries there are (HLEN)."""
        return self._read("HLEN", counts=True)

    @reads
    def hexists(self, key: Value) -> Read[bool]:
        """Return whether the entry *key* is there (HEXISTS)."""
        spelled = text(key, f"the name of an entry of {self._field}")
        return self._read("HEXISTS", spelled, decode=as_bool, members=(spelled,))

    @reads
    def hstrlen(self, key: Value) -> Read[int]:
        """Return the length in bytes of the value of the entry *key*, 0 where it is not there (HSTRLEN)."""
        spelled = text(key, f"the name of an entry of {self._field}")
        return self._read("HSTRLEN", spelled, members=(spelled,))

    @shown_valued
    @reads
    def hrandfield(self, count: int | None = None, withvalues: bool = False) -> Read[Any]:
        """Return the name of a random entry, None where there is none; with *count* a list (HRANDFIELD).

        Args:
            count: how many different entries at most; negative: exactly so many, with repetitions.
            withvalues: return (entry, value) pairs; needs *count*.
        """
        if flag(withvalues, "withvalues") and count is None:
            raise ArgumentError("hrandfield() takes withvalues only with count")
        if count is None:
            return self._read("HRANDFIELD", decode=as_text)
        args = [integer(count, "count", -(2**62), 2**62)] + (["WITHVALUES"] if withvalues else [])
        # The embedded server answers with nil where nothing is there.
        decode: Any = functools.partial(as_pairs, self._reader.many) if withvalues else _names
        return self._read("HRANDFIELD", *args, decode=decode)

    @reads
    def hscan(
        self, cursor: int = 0, match: Value | None = None, count: int | None = None
    ) -> Read[tuple[int, dict[str, V]]]:
        """Return the next cursor, 0 at the end, and a part of the entries with their values (HSCAN).

        An entry that is there all the time is given at least once. Over pending writes all come at once.

        Args:
            cursor: what the call before gave; 0 begins.
            match: a pattern, as of Redis' KEYS, of the names.
            count: about how many to look at.
        """
        args = scan_arguments(cursor, match, count)
        return self._read("HSCAN", *args, decode=scanned(self._reader.by_entry))

    @writes
    def hset(
        self,
        key: Value | None = None,
        value: Value | G | None = None,
        mapping: Mapping[Any, Any] | None = None,
        items: Sequence[Any] | None = None,
    ) -> Write[int]:
        """Store entries; return how many were new (HSET).

        Args:
            key: one entry; needs *value*.
            value: its value.
            mapping: entry to value, for several.
            items: the same flat: entry, value, entry, value ...
        """
        flat: list[Any] = list(items or ())
        if len(flat) % 2:
            raise ArgumentError(f"{self._field} takes items in pairs of entry and value, not {len(flat)} of them")
        one: list[tuple[Any, Any]] = [] if key is None and value is None else [(key, value)]
        many: list[tuple[Any, Any]] = [] if mapping is None else _checked(self._field, mapping)
        return self._store("HSET", [*one, *many, *zip(flat[::2], flat[1::2], strict=True)])

    @writes
    def hmset(self, /, mapping: Mapping[Any, Any] | None = None, **entries: Value | G) -> Write[bool | None]:
        """Store the entries of *mapping*, or those given as keywords; return True (HMSET)."""
        many: list[tuple[Any, Any]] = [] if mapping is None else _checked(self._field, mapping)
        return self._store("HMSET", [*many, *entries.items()], as_ok)

    def _store(self, name: str, given: list[tuple[Any, Any]], decode: Any = int) -> Write[Any]:
        pairs = _entries(self._field, given)
        return self._write(Replaced(pairs), name, *(part for pair in pairs for part in pair), decode=decode)

    @writes
    def hsetnx(self, key: Value, value: Value | G) -> Write[bool]:
        """Store *value* under *key* where there is none; return whether it was stored (HSETNX)."""
        entry = _entry(self._field, key)
        return self._write(Computed((entry,)), "HSETNX", entry, self._field.spell(value), decode=as_bool)

    @writes
    def hdel(self, *keys: Value) -> Write[int]:
        """Remove the entries; return how many were there (HDEL)."""
        spelled = texts(keys, f"the name of an entry of {self._field}")
        # Older data may hold an entry with ':', which shares its index key with another: that needs the whole hash.
        shared = self._field.indexable and any(":" in entry for entry in spelled)
        return self._write(Computed() if shared else Removed(spelled), "HDEL", *spelled)

    @writes
    def hincrby(self, key: Value, amount: int = 1) -> Write[int]:
        """Add *amount* to the integer under *key* (0 where there is none); return the sum (HINCRBY).

        Raises:
            Rejected: where the value is no integer, or the sum is beyond 64 bits; nothing is written.
        """
        self._check_native("hincrby")
        entry = _entry(self._field, key)
        return self._write(Computed((entry,), fallible=True), "HINCRBY", entry, integer(amount, "amount"))

    @writes
    def hincrbyfloat(self, key: Value, amount: float | str | V = 1.0) -> Write[float]:
        """Add *amount* to the number under *key* (0 where there is none); return the sum (HINCRBYFLOAT).

        On an indexed field the sum is computed under watch and set. Give *amount* as text to keep its digits.

        Raises:
            Rejected: where the value is no number; nothing is written.
        """
        entry, by = _entry(self._field, key), self._float_amount("hincrbyfloat", amount)
        return self._write(Opaque((entry,), fallible=True), "HINCRBYFLOAT", entry, by, decode=self._float_reader)


class HashField(Field[V]):
    """A dict of text to text, or to values of its type; indexed by its entries (``headers__from='...'`` in filters)."""

    kind = Kind.HASH
    bound: type[BoundHash[V]] = BoundHash
    bound_later: type[BoundHash[V, V, Async]]

    if TYPE_CHECKING:

        @property
        def _in_rows(self) -> dict[str, V]: ...

    def __init__(
        self,
        *,
        type: type[V] | Codec[V] | None = None,  # the word for it
        **options: Unpack[Options],
    ) -> None:
        super().__init__(type=type, **options)
        if self.unique:
            raise ImplementationError(
                "HashField cannot be unique: which of its entries would be? Way out: indexable=True"
            )

    def first_write(self, identity: Identity, schema: FieldSchema, value: Mapping[Any, Any]) -> Write[Any]:
        """Return the HSET of a mapping of entries to values."""
        pairs = _entries(self, _checked(self, value))
        return Write(
            identity, schema.storage, schema, "HSET", tuple(part for pair in pairs for part in pair), Replaced(pairs)
        )

    def _setter(self) -> str:
        return "hmset"
