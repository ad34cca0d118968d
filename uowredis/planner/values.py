"""Values: what indexed fields held before and will hold, and whether a command would fail (decide)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.journal import Life
from uowredis.planner.content import Pairs, Part, pairs, read_call
from uowredis.planner.entries import Entries, Move
from uowredis.planner.gains import Gains
from uowredis.planner.key import KeyPart
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal, Rewrite
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind


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


@attrs.define
class Values:
    """The rule: every index says what its field says.

    Attributes:
        deltas: what became of the indexed fields, after :meth:`decide`.
        rewrites: what is sent in place of opaque writes, by position of the command.
    """

    questions: Questions
    rehearsal: Rehearsal
    entries: Entries = attrs.field(init=False)
    gains: Gains = attrs.field(factory=Gains)
    works: list[KeyPart] = attrs.field(factory=list)
    deltas: list[Delta] = attrs.field(factory=list)
    rewrites: dict[int, Rewrite] = attrs.field(factory=dict)
    _endings: list[Life] = attrs.field(factory=list)

    @entries.default
    def _no_entries(self) -> Entries:
        return Entries(self.questions)

    def ask(self, life: Life) -> None:
        """Ask for what the pending commands of *life* make it necessary to know."""
        # By far most changes are of one object's hash.
        only_entries = life.from_server and not life.ended and life.writes.keys() == {INSTANCE_HASH}
        if only_entries and self.entries.take(life, life.writes[INSTANCE_HASH]):
            return
        for epoch in life.epochs:
            for storage in epoch.storages():
                on_server = storage == INSTANCE_HASH and not epoch.from_nothing and life.alive and epoch is life
                if on_server and self.entries.take(life, epoch.writes[storage]):
                    continue
                if epoch is life and life.alive and not life.ended and self.gains.take(life, storage):
                    continue
                work = KeyPart.of(life, epoch, storage)
                if work.rehearsed or epoch is life:
                    self.works.append(work)
                    if work.call is not None:
                        self._read(work.call, work.guarded, f"before: {work.label}")
        if life.from_server and life.deleted:
            self.ask_ending(life)
            self._endings.append(life)

    def ask_ending(self, life: Life) -> None:
        """Ask for all that the indexes must forget of *life*, whose end it is."""
        for field in life.model.indexed:
            call, _ = whole_field(life, field)
            self._read(call, field.lockable, f"before: {life.model.name}.{field.name}")

    def ending(self, life: Life) -> Iterator[Delta]:
        """Yield what :meth:`ask_ending` found: all of it is left."""
        for field in life.model.indexed:
            call, part = whole_field(life, field)
            kind = Kind.HASH if field.kind is Kind.ENTRY else field.kind
            found = pairs(kind, part, self.questions.reply(call))
            yield Delta(life, field, life.model.index_keys(field, found), set())

    def _read(self, call: Call, guarded: bool, why: str) -> None:
        if guarded:
            self.questions.watch(call[1])
        self.questions.read(call, why, guards=guarded)

    def early_claims(self) -> Iterator[tuple[Life, FieldSchema, set[str]]]:
        """Yield the index keys of unique values that are known before anything was read."""
        for life, field, key in self.entries.claims():
            yield life, field, {key}
        for work in self.works:
            unique = any(field.unique for field in work.indexed)
            if unique and not work.rehearsed and work.epoch is work.life and work.life.alive:
                for field, found in work.by_field(work.simple_after()):
                    if field.unique:
                        yield work.life, field, work.life.model.index_keys(field, found)

    def decide(self) -> None:
        """Compute the deltas from the replies.

        Raises:
            Rejected: where a command would fail on what it meets.
        """
        changed: dict[tuple[Life, str], Delta] = {}
        for work in self.works:
            reply = None if work.call is None else self.questions.reply(work.call)
            before, after = self._of_work(work, reply)
            if work.rewrites:
                self.rewrites |= work.rewrites
            if work.epoch is not work.life:
                continue
            index_keys = work.life.model.index_keys
            for (field, was), (_, will) in zip(work.by_field(before), work.by_field(after), strict=True):
                delta = Delta(work.life, field, index_keys(field, was), index_keys(field, will))
                changed[work.life, field.name] = delta
        for life in self._endings:
            for ending in self.ending(life):
                delta = changed.get((life, ending.field.name)) or ending
                changed[life, ending.field.name] = attrs.evolve(delta, before=ending.before)
        self.deltas += changed.values()
        for life, field, old, new in self._moves(unique=True):
            self.deltas.append(Delta(life, field, {old} if old else set(), {new} if new else set()))

    def _moves(self, *, unique: bool) -> Iterator[Move]:
        return self.entries.moves(unique=unique)

    def moves(self) -> Iterator[Move]:
        """Yield what became of the InstanceHashFields that are not unique and not among the deltas."""
        yield from self._moves(unique=False)
        yield from self.gains.moves()

    def all_deltas(self) -> Iterator[Delta]:
        """Yield what became of all indexed fields."""
        yield from self.deltas
        for life, field, old, new in self._moves(unique=False):
            yield Delta(life, field, {old} if old else set(), {new} if new else set())
        for life, field, keys in self.gains.by_field():
            yield Delta(life, field, set(), keys)

    def _of_work(self, work: KeyPart, reply: Any) -> tuple[Pairs, Pairs]:
        if not work.rehearsed:
            after = work.simple_after()
            return work.simple_before(reply, after), after
        after = work.rehearse(self.rehearsal, reply)
        return pairs(work.kind, work.part, reply) if work.call is not None else [], after


def whole_field(life: Life, field: FieldSchema) -> tuple[Call, Part]:
    """Return the call that reads all of *field* of an object on the server, and the part of its key that this is."""
    pk = life.identity.pk
    assert pk is not None
    entry = field.kind is Kind.ENTRY
    part: Part = (field.name,) if entry else None
    kind = Kind.HASH if entry else field.kind
    return read_call(kind, life.model.keys.storage(pk, field.storage), part), part
