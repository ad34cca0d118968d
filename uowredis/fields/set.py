"""``SetField``: Redis sets (declare, say)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from uowredis.commands.arguments import Value, integer
from uowredis.commands.between import Combined, Move
from uowredis.commands.changes import Added, Opaque, Removed
from uowredis.commands.commands import Read, Write
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_bool, as_bools, one_or_many
from uowredis.fields.base import Field
from uowredis.fields.between import checked
from uowredis.fields.bound import Bound
from uowredis.fields.lasting import BoundKey
from uowredis.fields.methods import G, M, V, reads, writes
from uowredis.fields.modes import Async
from uowredis.fields.overloads import drawn, shown
from uowredis.fields.scans import scan_arguments, scanned
from uowredis.schema.models import FieldSchema, Kind


class BoundSet(BoundKey[V, G, M]):
    """The set of one instance."""

    __slots__ = ()
    _value_by = "smembers()"

    @reads
    def smembers(self) -> Read[set[V]]:
        """Return all values (SMEMBERS)."""
        return self._whole_read()

    @reads
    def scard(self) -> Read[int]:
        """Return how many values there are (SCARD)."""
        return self._read("SCARD", counts=True)

    @reads
    def sismember(self, value: Value | G) -> Read[bool]:
        """Return whether *value* is in the set (SISMEMBER)."""
        spelled = self._field.spell(value)
        return self._read("SISMEMBER", spelled, decode=as_bool, members=(spelled,))

    @reads
    def smismember(self, *values: Value | G) -> Read[list[bool]]:
        """Return for each of *values* whether it is in the set (SMISMEMBER)."""
        spelled = self._field.spell_all(values)
        return self._read("SMISMEMBER", *spelled, decode=as_bools, members=spelled)

    @reads
    def sscan(self, cursor: int = 0, match: Value | None = None, count: int | None = None) -> Read[tuple[int, list[V]]]:
        """Return the next cursor, 0 at the end, and a part of the values (SSCAN).

        A value that is there all the time is given at least once. Over pending writes all come at once.

        Args:
            cursor: what the call before gave; 0 begins.
            match: a pattern, as of Redis' KEYS, of the stored texts.
            count: about how many to look at.
        """
        args = scan_arguments(cursor, match, count)
        return self._read("SSCAN", *args, decode=scanned(self._reader.many))

    @shown
    @reads
    def srandmember(self, number: int | None = None) -> Read[Any]:
        """Return a random value, None for an empty set; with *number* a list (SRANDMEMBER).

        Args:
            number: how many different values at most; negative: exactly so many, with repetitions.
        """
        args = () if number is None else (integer(number, "number", -(2**62), 2**62),)
        return self._read("SRANDMEMBER", *args, decode=one_or_many(number, self._reader.one, self._reader.many))

    @writes
    def sadd(self, *values: Value | G) -> Write[int]:
        """Add *values*; return how many were new (SADD)."""
        spelled = self._field.spell_all(values)
        return self._write(Added(spelled), "SADD", *spelled)

    @writes
    def srem(self, *values: Value | G) -> Write[int]:
        """Remove *values*; return how many were there (SREM)."""
        spelled = self._field.spell_all(values)
        return self._write(Removed(spelled), "SREM", *spelled)

    @drawn
    @writes
    def spop(self, count: int | None = None) -> Write[Any]:
        """Remove and return a random value, None for an empty set; with *count* a list (SPOP).

        On an indexed field the values are drawn under watch and removed by SREM.

        Args:
            count: how many values at most.
        """
        args = () if count is None else (integer(count, "count", 0),)
        return self._write(Opaque(), "SPOP", *args, decode=one_or_many(count, self._reader.one, self._reader.many))

    @reads
    def sinter(self, *others: Bound[V, Any, Any]) -> Combined[set[V]]:
        """Return the values that are in each of the *others*, too, sets of any object (SINTER).

        In a session it is answered at once, in a pipeline, too, from what each will hold.

        Raises:
            ArgumentTypeError: for what is no field of an object that holds a set of the same type.
        """
        return self._combined("SINTER", others)

    @reads
    def sunion(self, *others: Bound[V, Any, Any]) -> Combined[set[V]]:
        """Same as :meth:`sinter` but the values that are in one of them (SUNION)."""
        return self._combined("SUNION", others)

    @reads
    def sdiff(self, *others: Bound[V, Any, Any]) -> Combined[set[V]]:
        """Same as :meth:`sinter` but the values that are in none of the *others* (SDIFF)."""
        return self._combined("SDIFF", others)

    def _combined(self, name: str, others: Sequence[Any]) -> Combined[set[V]]:
        fields = [self, *(checked(self, other, f"{name.lower()}()") for other in others)]
        return Combined(name, tuple([field._whole_read() for field in fields]), self._reader.unique)

    @writes
    def smove(self, target: Bound[V, Any, Any], value: Value | G) -> Move[bool]:
        """Move *value* to *target*, a set of any object; return whether it was here (SMOVE).

        In a session, and where one of both is indexed, whether it is here is read under watch.

        Raises:
            ArgumentTypeError: where *target* is no field of an object that holds a set of the same type.
            Conflict: from a commit, where another client took it, or put it here, since that was read.
        """
        bound, spelled = checked(self, target, "smove()"), self._field.spell(value)
        looks = self._read("SISMEMBER", spelled, decode=as_bool, members=(spelled,))
        out = self._write(Removed((spelled,)), "SREM", spelled, decode=as_bool, method="smove")
        to = bound._owner.identity
        return Move("SMOVE", (spelled,), looks, out, to, bound._schema(to), "SADD", spelled)


class SetField(Field[V]):
    """An unordered set of different values."""

    kind = Kind.SET
    tells_apart = True
    bound: type[BoundSet[V]] = BoundSet
    bound_later: type[BoundSet[V, V, Async]]

    if TYPE_CHECKING:

        @property
        def _in_rows(self) -> set[V]: ...

    def first_write(self, identity: Identity, schema: FieldSchema, value: Any) -> Write[Any]:
        """Return the SADD of one value or of many."""
        spelled = self.spell_all(self._listed(value))
        return Write(identity, schema.storage, schema, "SADD", spelled, Added(spelled))

    def _setter(self) -> str:
        return "sadd"
