"""What a read answers while writes are pending: what it will answer right after the commit (decide).

Three kinds of answer, each with the calls that it asks and a way to settle it on their replies: ``Known`` (the changes
tell it), ``Rehearsed`` (the pending writes on which it depends are tried, on only what they and the read name of the
key) and ``Counted`` (a number on the server, and by how much the writes change it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.arguments import Placeholder
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Opaque, Removed, Replaced, named
from uowredis.commands.commands import Read, kind_of_key, matters
from uowredis.commands.identity import Identity
from uowredis.commands.journal import Journal, Life, Placed
from uowredis.commands.replies import encode, plain
from uowredis.exceptions import PendingWrites
from uowredis.overlay.deletions import Dead
from uowredis.planner.content import Pairs, Part, count_call, pairs, read_call
from uowredis.planner.rehearsal import KEY, Refused, Rehearsal, TooLarge
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import Kind

#: The references that a key loses, by field.
Cleared: TypeAlias = Mapping[str, Dead]

#: Reads whose replies follow from what their members hold: of one, or of each in order.
_OF_ONE: Mapping[str, Callable[[str], Any]] = {
    "GET": encode,
    "HGET": encode,
    "HEXISTS": lambda _: 1,
    "SISMEMBER": lambda _: 1,
}
_OF_EACH: Mapping[str, Callable[[str], Any]] = {"HMGET": encode, "SMISMEMBER": lambda _: 1}
#: What the rehearsal does not know: how long a key lasts.
_LASTING = frozenset(("EXPIRETIME", "PEXPIRETIME", "PTTL", "TTL"))
_YES_OR_NO = frozenset(("HEXISTS", "SISMEMBER", "SMISMEMBER"))


@attrs.define(eq=False)
class Known:
    """An answer that the pending changes tell.

    Attributes:
        values: what the members named will hold, None for nothing.
    """

    read: Read[Any]
    values: Sequence[str | None]
    calls: tuple[Call, ...] = ()

    def settle(self, rehearsal: Rehearsal, replies: list[Any]) -> Any:
        """Return the answer."""
        name = self.read.name
        nothing = 0 if name in _YES_OR_NO else None
        reply = (_OF_ONE.get(name) or _OF_EACH[name]) if self.values else None
        found = [nothing if value is None or reply is None else reply(value) for value in self.values]
        return self.read.decode(found[0] if name in _OF_ONE else found)

    def refers_to(self) -> list[Identity]:
        """Return the new objects that the answer names and that have no pk yet."""
        return _new(self.values)


@attrs.frozen
class Replay:
    """What trying the first pending writes of a key gave; the next read goes on from there.

    Attributes:
        stands_on: what was loaded, and the replies that said what is there.
        last: position of the last write that was tried.
        tried: how many were.
        content: what they left, as the reply of a read of the same part.
    """

    stands_on: tuple[Part, Any, int]
    last: int
    tried: int
    content: Any


@attrs.define(eq=False)
class Rehearsed:
    """An answer that is found by trying what is pending.

    Attributes:
        calls: the reads to send, at once; none for what begins with nothing.
    """

    read: Read[Any]
    calls: tuple[Call, ...]
    _kind: Kind
    _part: Part
    _given: Pairs
    _said: list[Placed]
    _cleared: Cleared
    _replays: Replays
    _place: tuple[Life, str, int]

    def refers_to(self) -> list[Identity]:
        """Return the new objects that the answer may name and that have no pk yet."""
        values: list[str | None] = [value for name, value in self._given if self._part is None or name in self._part]
        return _new([*values, *(argument for _, write in self._said for argument in write.args)])

    def settle(self, rehearsal: Rehearsal, replies: list[Any]) -> Any:
        """Return the answer, given the plain *replies* to the calls.

        Raises:
            PendingWrites: where a pending write would fail, or the key is too large to rehearse it.
        """
        try:
            return self._tried(rehearsal, replies)
        except Refused as error:
            raise PendingWrites(f"{self.read} cannot be answered: of {self._named()} one would fail: {error}") from None
        except TooLarge as error:
            raise PendingWrites(
                f"{self.read} cannot be answered before the commit: its key holds {error} members, more than are "
                f"rehearsed, and {self._named()} is pending. Way out: commit first, or Session(db, rehearsal_limit=...)"
            ) from None

    def _tried(self, rehearsal: Rehearsal, replies: list[Any]) -> Any:
        life, storage, version = self._place
        stands_on = (self._part, replies, version)
        before = self._replays.get((life, storage))
        if before is not None and before.stands_on == stands_on and self._goes_on_from(before):
            rehearsal.load(self._kind, self._part, before.content)
            self._run(rehearsal, before.tried)
        else:
            self._load(rehearsal, replies)
            self._run(rehearsal)
        if self._said:
            content = rehearsal.content(self._kind, self._part)
            self._replays[life, storage] = Replay(stands_on, self._said[-1][0], len(self._said), content)
        self._clear(rehearsal)
        return self.read.decode(rehearsal.read(self.read.name, self.read.args))

    def _goes_on_from(self, before: Replay) -> bool:
        return before.tried <= len(self._said) and self._said[before.tried - 1][0] == before.last

    def _load(self, rehearsal: Rehearsal, replies: list[Any]) -> None:
        if self.calls and self._part != ():
            rehearsal.load(self._kind, self._part, replies[-1])
        else:
            rehearsal.clear()
        if self._given:
            rehearsal.run(("HSET", KEY, *(text for pair in self._given for text in pair)))

    def _run(self, rehearsal: Rehearsal, tried: int = 0) -> None:
        for index, write in self._said[tried:]:
            if isinstance(write.change, Opaque):
                rehearsal.rewrite(write, index)
            else:
                rehearsal.write(write)

    def _clear(self, rehearsal: Rehearsal) -> None:
        """Take away the references to what is deleted."""
        for name, pks in self._cleared.items():
            if self._kind is Kind.HASH:
                if plain(rehearsal.run(("HGET", KEY, name))) in pks:
                    rehearsal.run(("HDEL", KEY, name))
            elif self._kind is Kind.STRING:
                if plain(rehearsal.run(("GET", KEY))) in pks:
                    rehearsal.clear()
            elif self._kind is Kind.LIST:
                for pk in {value for value in rehearsal.content(Kind.LIST, None) if value in pks}:
                    rehearsal.run(("LREM", KEY, "0", pk))
            elif gone := [
                member for _, member in pairs(self._kind, None, rehearsal.content(self._kind, None)) if member in pks
            ]:
                rehearsal.run(("SREM" if self._kind is Kind.SET else "ZREM", KEY, *gone))

    def _named(self) -> str:
        return ", ".join(str(write) for _, write in self._said[:5])


@attrs.define(eq=False)
class Counted(Rehearsed):
    """An answer that is a number on the server, and by how much the pending writes change it."""

    def _tried(self, rehearsal: Rehearsal, replies: list[Any]) -> int:
        gained = None if self._cleared else self._gained(replies)
        if gained is None:
            count = count_call(self._kind, KEY)
            self._load(rehearsal, replies if len(self.calls) > 1 else [None])
            before = rehearsal.run(count)
            self._run(rehearsal)
            self._clear(rehearsal)
            gained = rehearsal.run(count) - before
        found: int = replies[0] + gained
        return found

    def _gained(self, replies: list[Any]) -> int | None:
        """Return by how much the number grows where the changes tell it, None where they do not."""
        if self._kind is Kind.LIST:
            return sum(len(write.args) for _, write in self._said)
        will: dict[str, bool] = {}
        for _, write in self._said:
            match write.change:
                case Replaced(values):
                    will |= dict.fromkeys([entry for entry, _ in values], True)
                case Added(values):
                    will |= dict.fromkeys(values, True)
                case Removed(some) if some is not None:
                    will |= dict.fromkeys(some, False)
                case _:
                    return None
        by_entry = self._kind is Kind.HASH
        there = {entry if by_entry else value for entry, value in pairs(self._kind, self._part, replies[-1])}
        return sum(will.values()) - len(there & will.keys())


Answer: TypeAlias = Known | Rehearsed

#: What was tried, by object and key.
Replays: TypeAlias = dict[tuple[Life, str], Replay]


def answer_over(
    read: Read[Any], life: Life | None, cleared: Cleared, replays: Replays, version: int = 0
) -> Answer | None:
    """Return how to answer *read* over what is pending, None where nothing pending concerns it.

    Args:
        read: what is asked.
        life: what is pending for its object.
        cleared: references that the key loses because of deletions, by field.
        replays: what reads before have tried.
        version: grows when a command that was said is spelled anew.

    Raises:
        PendingWrites: where only the server can know the result of a pending write.
    """
    kind = kind_of_key(read)
    if life is None:
        if not cleared:
            return None
        life = Journal.untouched(read.identity)
    given = list(life.create.pairs) if life.create is not None and read.storage == INSTANCE_HASH else []
    emptied, said = _since_emptied(kind, life.said(read.storage))
    from_nothing = emptied or life.from_nothing
    if not cleared and (known := _known(read, kind, given, said, from_nothing)) is not None:
        return known
    members: set[str] | None = None if read.members is None or kind is Kind.LIST else set(read.members)
    if members is not None:
        said, members = _concerned(said, members)
        if kind is Kind.HASH:
            cleared = {name: pks for name, pks in cleared.items() if members is None or name in members}
    if not from_nothing and not said and not cleared:
        return None
    if opaque := [
        str(write)
        for _, write in said
        if read.name in _LASTING or (isinstance(write.change, Opaque) and not matters(write))
    ]:
        raise PendingWrites(
            f"{read} cannot be answered before the commit: only Redis can know the result of {', '.join(opaque)}. "
            f"Way out: commit first, or read before you write"
        )
    part: Part = None if members is None else tuple(sorted(members))
    place = (life, read.storage, version)
    if from_nothing:
        return Rehearsed(read, (), kind, part, given, said, cleared, replays, place)
    assert life.identity.pk is not None
    key = life.model.keys.storage(life.identity.pk, read.storage)
    if not (read.counts and _countable(kind, said) and not (cleared and kind is Kind.LIST)):
        return Rehearsed(read, (read_call(kind, key, part),), kind, part, given, said, cleared, replays, place)
    counted = dict.fromkeys(member for _, write in said for member in named(write.change) or ())
    # What is pushed on a list need not be read to be counted.
    seen = () if kind is Kind.LIST else tuple(counted | dict.fromkeys(_members_cleared(kind, cleared)))
    extra = (read_call(kind, key, seen),) if seen else ()
    return Counted(read, (count_call(kind, key), *extra), kind, seen, given, said, cleared, replays, place)


def _new(values: Sequence[str | None]) -> list[Identity]:
    return [value.identity for value in values if type(value) is Placeholder and value.identity.pk is None]


def _known(read: Read[Any], kind: Kind, given: Pairs, said: list[Placed], from_nothing: bool) -> Known | None:
    """Return the answer where the changes tell all that *read* names, None where they do not."""
    if read.name not in _OF_ONE and read.name not in _OF_EACH:
        return None
    members = ("",) if kind is Kind.STRING else read.members
    if members is None or not (given or said or from_nothing):
        return None
    told: dict[str, str | None] = dict.fromkeys(members) if from_nothing else {}
    told |= dict(given)
    for _, write in said:
        match write.change:
            case Replaced(values):
                told |= dict(values)
            case Added(values):
                told |= {value: value for value in values}
            case Removed(None):
                told = dict.fromkeys(members)
            case Removed(some) if some is not None:
                told |= dict.fromkeys(some)
            case change:
                for member in members if (touched := named(change)) is None else touched:
                    told.pop(member, None)
    return Known(read, [told[member] for member in members]) if told.keys() >= set(members) else None


def _members_cleared(kind: Kind, cleared: Cleared) -> Iterator[str]:
    """Yield the members of a key that may go, or the entries of a hash."""
    for name, pks in cleared.items():
        yield from (name,) if kind is Kind.HASH else sorted(pks)


def _since_emptied(kind: Kind, said: list[Placed]) -> tuple[bool, list[Placed]]:
    """Return whether the writes empty the key at some point, and those from there on."""
    for position in range(len(said) - 1, -1, -1):
        change = said[position][1].change
        if (isinstance(change, Removed) and change.members is None) or (
            kind is Kind.STRING and isinstance(change, Replaced)
        ):
            return True, said[position:]
    return False, said


def _concerned(said: list[Placed], members: set[str]) -> tuple[list[Placed], set[str] | None]:
    """Return the writes on which *members* depend, and all members to know; None: the whole key."""
    known = set(members)
    growing = True
    while growing:
        growing = False
        for _, write in said:
            touched = named(write.change)
            if touched is None:
                return said, None
            if not known.isdisjoint(touched) and not known.issuperset(touched):
                known.update(touched)
                growing = True
    return [(index, write) for index, write in said if not known.isdisjoint(named(write.change) or ())], known


def _countable(kind: Kind, said: list[Placed]) -> bool:
    if kind is Kind.STRING:
        return False
    if kind is Kind.LIST:
        return all(write.name in ("LPUSH", "RPUSH") for _, write in said)
    return all(named(write.change) is not None for _, write in said)
