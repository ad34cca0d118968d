"""``ListField``: Redis lists (declare, say)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uowredis.commands.arguments import Value, integer
from uowredis.commands.between import Move
from uowredis.commands.changes import Added, Computed, Removed
from uowredis.commands.commands import Read, Write
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_ok, as_text, one_or_many
from uowredis.exceptions import ArgumentError
from uowredis.fields.base import Field
from uowredis.fields.between import checked
from uowredis.fields.bound import Bound
from uowredis.fields.lasting import BoundKey
from uowredis.fields.methods import G, M, V, reads, writes
from uowredis.fields.modes import Async
from uowredis.fields.overloads import placed, popped
from uowredis.schema.models import FieldSchema, Kind


class BoundList(BoundKey[V, G, M]):
    """The list of one instance."""

    __slots__ = ()
    _value_by = "lrange(0, -1)"

    @reads
    def lrange(self, start: int, end: int) -> Read[list[V]]:
        """Return the values from *start* to *end*, both included, negative from the end (LRANGE)."""
        return self._read("LRANGE", integer(start, "start"), integer(end, "end"), decode=self._reader.many)

    @reads
    def lindex(self, index: int) -> Read[V | None]:
        """Return the value at *index*, negative from the end, None beyond it (LINDEX)."""
        return self._read("LINDEX", integer(index, "index"), decode=self._reader.one)

    @reads
    def llen(self) -> Read[int]:
        """Return how many values there are (LLEN)."""
        return self._read("LLEN", counts=True)

    @placed
    @reads
    def lpos(
        self, value: Value | G, rank: int | None = None, count: int | None = None, maxlen: int | None = None
    ) -> Read[Any]:
        """Return the index of *value*, None where it is not there; with *count* a list (LPOS).

        Args:
            value: what to look for.
            rank: which copy to begin with, 1 is the first; negative from the end.
            count: how many indexes at most, 0 for all.
            maxlen: how many values to compare at most, 0 for all.

        Raises:
            ArgumentError: for the rank 0, or a negative count or maxlen.
        """
        args = [self._field.spell(value)]
        if rank is not None:
            if (copy := integer(rank, "rank", -(2**63) + 1)) == "0":
                raise ArgumentError("lpos() takes a rank from 1, or from -1 for the last copy, not 0")
            args += ["RANK", copy]
        for name, given in (("COUNT", count), ("MAXLEN", maxlen)):
            if given is not None:
                args += [name, integer(given, name.lower(), 0)]
        return self._read("LPOS", *args)

    @writes
    def lpush(self, *values: Value | G) -> Write[int]:
        """Put *values* before the first, one after another; return the length after it (LPUSH)."""
        spelled = self._field.spell_all(values)
        return self._write(Added(spelled), "LPUSH", *spelled)

    @writes
    def rpush(self, *values: Value | G) -> Write[int]:
        """Put *values* behind the last; return the length after it (RPUSH)."""
        spelled = self._field.spell_all(values)
        return self._write(Added(spelled), "RPUSH", *spelled)

    @writes
    def lpushx(self, *values: Value | G) -> Write[int]:
        """Same as :meth:`lpush`, but only where the list has values already; else 0 (LPUSHX)."""
        return self._write(Computed(), "LPUSHX", *self._field.spell_all(values))

    @writes
    def rpushx(self, *values: Value | G) -> Write[int]:
        """Same as :meth:`rpush`, but only where the list has values already; else 0 (RPUSHX)."""
        return self._write(Computed(), "RPUSHX", *self._field.spell_all(values))

    @popped
    @writes
    def lpop(self, count: int | None = None) -> Write[Any]:
        """Remove and return the first value, None for no list; with *count* a list of so many at most (LPOP)."""
        args = () if count is None else (integer(count, "count", 1),)
        return self._write(Computed(), "LPOP", *args, decode=one_or_many(count, self._reader.one, self._reader.many))

    @popped
    @writes
    def rpop(self, count: int | None = None) -> Write[Any]:
        """Same as :meth:`lpop`, but from the end (RPOP)."""
        args = () if count is None else (integer(count, "count", 1),)
        return self._write(Computed(), "RPOP", *args, decode=one_or_many(count, self._reader.one, self._reader.many))

    @writes
    def linsert(self, where: str, refvalue: Value | G, value: Value | G) -> Write[int]:
        """Put *value* beside the first *refvalue*; return the length after it, -1 where that is not there (LINSERT).

        Args:
            where: "BEFORE" or "AFTER".
            refvalue: the value to look for.
            value: the value to put there.
        """
        if not isinstance(where, str) or where.upper() not in ("BEFORE", "AFTER"):
            raise ArgumentError(f"linsert() takes 'BEFORE' or 'AFTER', not {where!r}")
        spell = self._field.spell
        return self._write(Computed(), "LINSERT", where.upper(), spell(refvalue), spell(value))

    @writes
    def lrem(self, count: int, value: Value | G) -> Write[int]:
        """Remove *value*; return how many copies were removed (LREM).

        Args:
            count: how many copies at most, from the start; negative: from the end; 0: all.
            value: the value to remove.
        """
        spelled = self._field.spell(value)
        copies = integer(count, "count")
        return self._write(Removed((spelled,)) if copies == "0" else Computed(), "LREM", copies, spelled)

    @writes
    def lset(self, index: int, value: Value | G) -> Write[bool | None]:
        """Put *value* in place of the one at *index*; return True (LSET).

        Raises:
            Rejected: where there is no such index; nothing is written.
        """
        args = (integer(index, "index"), self._field.spell(value))
        return self._write(Computed(fallible=True), "LSET", *args, decode=as_ok)

    @writes
    def ltrim(self, start: int, end: int) -> Write[bool | None]:
        """Keep only the values from *start* to *end*, both included; return True (LTRIM)."""
        return self._write(Computed(), "LTRIM", integer(start, "start"), integer(end, "end"), decode=as_ok)

    @writes
    def lmove(self, target: Bound[V, Any, Any], src: str = "LEFT", dest: str = "RIGHT") -> Move[V | None]:
        """Move a value to *target*, a list of any object, or this one; return it, None for no list (LMOVE).

        In a session, and where one of both is indexed, what goes is read under watch.

        Args:
            target: a field that holds a list of the same type.
            src: the end it is taken from, "LEFT" or "RIGHT".
            dest: the end it is put to.

        Raises:
            ArgumentError: for another end.
            ArgumentTypeError: where *target* is no field of an object that holds a list of the same type.
            Conflict: from a commit, where another value stands there since that was read.
        """
        ends = tuple([end.upper() if isinstance(end, str) else "" for end in (src, dest)])
        if not {"LEFT", "RIGHT"}.issuperset(ends):
            raise ArgumentError(f"lmove() takes 'LEFT' or 'RIGHT', not {src!r} and {dest!r}")
        return self._moved("LMOVE", ends, target, *ends)

    @writes
    def rpoplpush(self, target: Bound[V, Any, Any]) -> Move[V | None]:
        """Same as :meth:`lmove` from the end to the beginning (RPOPLPUSH)."""
        return self._moved("RPOPLPUSH", (), target, "RIGHT", "LEFT")

    def _moved(self, name: str, args: tuple[str, ...], target: Any, src: str, dest: str) -> Move[V | None]:
        bound, pops = checked(self, target, f"{name.lower()}()"), src == "LEFT"
        looks = self._read("LINDEX", "0" if pops else "-1", decode=as_text)
        pop = "LPOP" if pops else "RPOP"
        out = self._write(Computed(), pop, decode=self._reader.one, method=name.lower())
        to = bound._owner.identity
        return Move(name, args, looks, out, to, bound._schema(to), "LPUSH" if dest == "LEFT" else "RPUSH")


class ListField(Field[V]):
    """An ordered list; a value may stand in it several times."""

    kind = Kind.LIST
    bound: type[BoundList[V]] = BoundList
    bound_later: type[BoundList[V, V, Async]]

    if TYPE_CHECKING:

        @property
        def _in_rows(self) -> list[V]: ...

    def first_write(self, identity: Identity, schema: FieldSchema, value: Any) -> Write[Any]:
        """Return the RPUSH of one value or of many."""
        spelled = self.spell_all(self._listed(value))
        return Write(identity, schema.storage, schema, "RPUSH", spelled, Added(spelled))

    def _setter(self) -> str:
        return "rpush"
