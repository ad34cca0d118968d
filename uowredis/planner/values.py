"""Values: what indexed fields held before and will hold, and whether a command would fail (decide).

A ``Work`` is all that happens to one key of one object in one epoch. Where every change can be told from its
arguments, nothing is rehearsed and nothing is read but what the index must forget. Else what the commands name is read
under watch, and the commands are tried in the rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from uowredis.commands import Added, Change, Computed, Opaque, Removed, Replaced, Write
from uowredis.content import Call, Pairs, Part, pairs, read_call
from uowredis.exceptions import Rejected
from uowredis.keys import INSTANCE_HASH
from uowredis.planner.asking import Asking
from uowredis.planner.lives import Epoch, Life, Said
from uowredis.rehearsal import KEY, Refused, Rehearsal, Rewrite, TooLarge
from uowredis.schema import FieldSchema, Kind, ModelSchema

#: Stands for a value that a symbolic plan cannot know.
UNKNOWN = "<unknown>"


@attrs.frozen(eq=False)
class Delta:
    """An indexed field before and after, as index keys.

    Attributes:
        before: keys that may hold the object now, as far as they have to be left.
        after: keys that will hold it.
    """

    life: Life
    field: FieldSchema
    before: set[str]
    after: set[str]


def named(change: Change) -> tuple[str, ...] | None:
    """Return the members that *change* names, None for the whole key."""
    match change:
        case Replaced(values):
            return tuple(entry for entry, _ in values)
        case Added(values):
            return values
        case Removed(members) | Computed(members) | Opaque(members):
            return members


def needs_content(change: Change) -> bool:
    """Return whether the result of *change* depends on what was there."""
    return isinstance(change, Computed | Opaque)


def touched_fields(model: ModelSchema, storage: str, entries: Iterable[str]) -> Iterator[FieldSchema]:
    """Yield the fields that a command on *storage* naming *entries* touches."""
    if storage != INSTANCE_HASH:
        yield model.fields[storage]
        return
    for entry in entries:
        if (field := model.fields.get(entry)) is not None:
            yield field


def matters(write: Write[Any]) -> bool:
    """Return whether *write* touches an indexed field."""
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


@attrs.define(eq=False)
class Work:
    """All that happens to one key of one object in one epoch.

    Attributes:
        given: the pairs that the constructor put there.
        said: the writes with their positions.
        rehearsed: the writes must be tried.
        part: what is read of the key: None for the whole, () for nothing.
        rewrites: what is sent in place of an opaque write, by position.
    """

    life: Life
    epoch: Epoch
    storage: str
    kind: Kind
    given: Pairs
    said: list[Said]
    rehearsed: bool
    part: Part = ()
    rewrites: dict[int, Rewrite] = attrs.field(factory=dict)

    @classmethod
    def of(cls, life: Life, epoch: Epoch, storage: str) -> Work:
        """Return the work on *storage* in *epoch*."""
        given = list(epoch.create.entries) if epoch.create is not None and storage == INSTANCE_HASH else []
        said = epoch.said(storage)
        kind = Kind.HASH if storage == INSTANCE_HASH else life.model.fields[storage].kind
        rehearsed = any(needs_content(write.change) and (matters(write) or may_fail(write)) for _, write in said)
        work = cls(life, epoch, storage, kind, given, said, rehearsed)
        work.part = () if epoch.from_nothing else work._part()
        return work

    def entries(self) -> list[str]:
        """Return the members that the constructor and the writes name, in order."""
        found = dict.fromkeys(entry for entry, _ in self.given)
        for _, write in self.said:
            found |= dict.fromkeys(named(write.change) or ())
        return list(found)

    def indexed(self) -> list[FieldSchema]:
        """Return the indexed fields that are touched."""
        return [field for field in touched_fields(self.life.model, self.storage, self.entries()) if field.indexed]

    def _part(self) -> Part:
        whole = any(named(write.change) is None for _, write in self.said)
        if self.rehearsed:
            return None if whole or self.kind in (Kind.LIST, Kind.STRING) else tuple(self.entries())
        if self.storage == INSTANCE_HASH:
            return tuple(field.name for field in self.indexed())
        if not self.life.model.fields[self.storage].indexed:
            return ()
        if whole or self.kind is Kind.STRING:
            return None
        return tuple(self.entries()) if self.kind is Kind.HASH else ()

    @property
    def call(self) -> Call:
        """The read that the work needs; its object has a pk."""
        assert self.life.identity.pk is not None
        return read_call(self.kind, self.life.model.keys.storage(self.life.identity.pk, self.storage), self.part)

    @property
    def guarded(self) -> bool:
        """Whether what is read must not change: not where all fields concerned are ``lockable=False``."""
        return any(field.lockable for field in touched_fields(self.life.model, self.storage, self.entries()))

    def simple_after(self) -> Pairs:
        """Return what will be there of what was named, where the changes tell it."""
        there: dict[str, str | None] = dict(self.given)
        single = self.kind in (Kind.STRING, Kind.HASH)
        for _, write in self.said:
            match write.change:
                case Replaced(values):
                    there |= dict(values)
                case Added(values):
                    there |= {value: value for value in values}
                case Removed(None):
                    there.clear()
                case Removed(members) if members is not None:
                    there |= dict.fromkeys(members)
        return [(entry if single else "", value) for entry, value in there.items() if value is not None]

    def simple_before(self, reply: Any) -> Pairs:
        """Return what the index must forget, where the changes tell what will be there."""
        if self.part != ():
            return pairs(self.kind, self.part, reply)
        if self.epoch.from_nothing or self.kind is Kind.HASH:
            return []
        kept = {value for _, value in self.simple_after()}
        return [("", value) for value in self.entries() if value not in kept]

    def rehearse(self, rehearsal: Rehearsal, reply: Any) -> Pairs:
        """Try the writes on what *reply* says was there; return what will be there.

        Raises:
            Rejected: where Redis would refuse one of them, or the key is too large to try it.
        """
        try:
            if self.epoch.from_nothing:
                rehearsal.clear()
            else:
                rehearsal.load(self.kind, self.part, reply)
        except TooLarge as error:
            raise Rejected(
                f"{self.said[-1][1]} depends on what is there, and {self.call[1]!r} holds {error} members, more than "
                f"are rehearsed; nothing was sent. Way out: Session(db, rehearsal_limit=...), or commit it alone"
            ) from None
        if self.given:
            rehearsal.run(("HSET", KEY, *(text for pair in self.given for text in pair)))
        for index, write in self.said:
            try:
                if isinstance(write.change, Opaque) and matters(write):
                    self.rewrites[index] = rehearsal.settle(write, index)
                else:
                    rehearsal.write(write)
            except Refused as error:
                raise Rejected(f"{write} would fail: {error}; nothing was sent") from None
        part = None if self.epoch.from_nothing else self.part
        return pairs(self.kind, part, rehearsal.content(self.kind, part))


@attrs.define
class Values:
    """The rule: every index says what its field says.

    Attributes:
        deltas: what became of the indexed fields, after :meth:`decide`.
        rewrites: what is sent in place of opaque writes, by position of the command.
    """

    asking: Asking
    rehearsal: Rehearsal
    symbolic: bool
    works: list[Work] = attrs.field(factory=list)
    deltas: list[Delta] = attrs.field(factory=list)
    rewrites: dict[int, Rewrite] = attrs.field(factory=dict)
    _endings: list[tuple[Life, FieldSchema, Call, Part]] = attrs.field(factory=list)

    def ask(self, life: Life) -> None:
        """Ask for what the pending commands of *life* make it necessary to know."""
        for epoch in life.epochs:
            for storage in epoch.storages():
                work = Work.of(life, epoch, storage)
                if work.rehearsed or epoch is life.last:
                    self.works.append(work)
                    if work.part != ():
                        self._read(work.call, work.guarded, f"before: {self._label(work)}")
        if life.from_server and life.deletions:
            for field in life.model.indexed:
                self._ask_ending(life, field)

    def _label(self, work: Work) -> str:
        fields = work.indexed() or list(touched_fields(work.life.model, work.storage, work.entries()))
        return ", ".join(f"{work.life.model.name}.{field.name}" for field in fields)

    def _ask_ending(self, life: Life, field: FieldSchema) -> None:
        pk = life.identity.pk
        assert pk is not None
        entry = field.kind is Kind.ENTRY
        part: Part = (field.name,) if entry else None
        kind = Kind.HASH if entry else field.kind
        call = read_call(kind, life.model.keys.storage(pk, field.storage), part)
        self._read(call, field.lockable, f"before: {life.model.name}.{field.name}")
        self._endings.append((life, field, call, part))

    def _read(self, call: Call, guarded: bool, why: str) -> None:
        if guarded:
            self.asking.watch(call[1])
        self.asking.read(call, why)

    def early_claims(self) -> Iterator[tuple[Life, FieldSchema, set[str]]]:
        """Yield the index keys of unique values that are known before anything was read."""
        for work in self.works:
            if not work.rehearsed and work.epoch is work.life.last and work.life.alive:
                for field, found in self._by_field(work, work.simple_after()):
                    if field.unique:
                        yield work.life, field, work.life.model.index_keys(field, found)

    def _by_field(self, work: Work, found: Pairs) -> Iterator[tuple[FieldSchema, Pairs]]:
        for field in work.indexed():
            if field.kind is Kind.ENTRY:
                yield field, [(entry, value) for entry, value in found if entry == field.name]
            else:
                yield field, found

    def decide(self) -> None:
        """Compute the deltas from the replies.

        Raises:
            Rejected: where a command would fail on what it meets.
        """
        changed: dict[tuple[Life, str], Delta] = {}
        for work in self.works:
            reply = self.asking.reply(work.call) if work.part != () else None
            before, after = self._of_work(work, reply)
            self.rewrites |= work.rewrites
            if work.epoch is not work.life.last:
                continue
            befores = dict(self._by_field(work, before))
            for field, found in self._by_field(work, after):
                keys = work.life.model.index_keys
                changed[work.life, field.name] = Delta(
                    work.life, field, keys(field, befores[field]), keys(field, found)
                )
        for life, field, call, part in self._endings:
            kind = Kind.HASH if field.kind is Kind.ENTRY else field.kind
            found = [("", UNKNOWN)] if self.symbolic else pairs(kind, part, self.asking.reply(call))
            delta = changed.get((life, field.name)) or Delta(life, field, set(), set())
            changed[life, field.name] = attrs.evolve(delta, before=life.model.index_keys(field, found))
        self.deltas += changed.values()

    def _of_work(self, work: Work, reply: Any) -> tuple[Pairs, Pairs]:
        if self.symbolic:
            unknown = [(field.name if field.kind is Kind.ENTRY else "", UNKNOWN) for field in work.indexed()]
            before = unknown if work.part != () else work.simple_before(None)
            return before, (unknown if work.rehearsed else work.simple_after())
        if not work.rehearsed:
            return work.simple_before(reply), work.simple_after()
        after = work.rehearse(self.rehearsal, reply)
        return pairs(work.kind, work.part, reply) if work.part != () else [], after
