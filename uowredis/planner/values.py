"""Values: what indexed fields held before and will hold, and whether a command would fail (decide).

By far most writes are one of three that their arguments tell all about; these go by shapes of their own, in which
nothing is made of an object but what is read. All else is a :class:`KeyPart`. What comes out is a ``Delta``, whatever
the way: yielded where it is looked at once, kept where rules must compare.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Removed, Replaced
from uowredis.commands.journal import Life
from uowredis.exceptions import ArgumentError
from uowredis.planner.content import Content, Pairs, pairs, read_call
from uowredis.planner.key import KeyPart
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal, Rewrite
from uowredis.schema.index import IndexEntry
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema


class Delta(NamedTuple):
    """An indexed field before and after, as index entries.

    Attributes:
        before: entries that may be in the index now: those that leave it, and those that nobody says anything about.
        after: entries that will be in it; what was said enters, also where it should be there, for it may not be.
    """

    life: Life
    field: FieldSchema
    before: Collection[IndexEntry]
    after: Collection[IndexEntry]


@attrs.frozen
class _SameFields:
    """What objects of one model that change the same InstanceHashFields have in common."""

    indexed: tuple[FieldSchema, ...]
    names: tuple[str, ...]
    guarded: bool
    why: str
    unique: bool


@attrs.define
class Values:
    """The rule: every index says what its field says.

    Attributes:
        rewrites: what is sent in place of opaque writes, by position of the command, after :meth:`deltas`.
        claims_late: which unique values are taken is not known whole before :meth:`deltas`.
    """

    questions: Questions
    rehearsal: Rehearsal
    rewrites: dict[int, Rewrite] = attrs.field(factory=dict)
    claims_late: bool = False
    _created: list[Life] = attrs.field(factory=list)
    _changed: list[tuple[Life, Call, _SameFields, dict[str, str | None]]] = attrs.field(factory=list)
    _added: list[tuple[Life, FieldSchema, dict[str, None]]] = attrs.field(factory=list)
    _parts: list[KeyPart] = attrs.field(factory=list)
    _ending: list[Life] = attrs.field(factory=list)
    _born: list[Life] = attrs.field(factory=list)
    _same_fields: dict[tuple[ModelSchema, tuple[str, ...]], _SameFields] = attrs.field(factory=dict)

    # What must be known.

    def ask(self, life: Life) -> None:
        """Ask for what the pending commands of *life* make it necessary to know."""
        if not life.ended and self._takes_whole(life):
            return
        if life.create is not None and life.alive and life.model.nones:
            self._born.append(life)
        for epoch in life.epochs:
            last = epoch is life and life.alive
            for storage in epoch.storages():
                if last and not epoch.from_nothing and self._takes_entries(life, storage):
                    continue
                if last and not life.ended and self._takes_added(life, storage):
                    continue
                part = KeyPart.of(life, epoch, storage)
                if part.rehearsed or epoch is life:
                    self._parts.append(part)
                    self.claims_late |= part.rehearsed and bool(life.model.unique)
                    if part.call is not None:
                        self._read(part.call, part.guarded, f"before: {part.label}")
        if life.from_server and life.deleted:
            self.ask_ending(life)
            self._ending.append(life)

    def _takes_whole(self, life: Life) -> bool:
        """Take all that is said of *life* where it is but a constructor's call, or changes of one object's hash."""
        create = life.create
        if create is None:
            return life.writes.keys() == {INSTANCE_HASH} and self._takes_entries(life, INSTANCE_HASH)
        if life.writes or any(write.field is not None and write.field.indexed for write in create.writes):
            return False
        self._created.append(life)
        return True

    def _takes_entries(self, life: Life, storage: str) -> bool:
        """Ask what the index of InstanceHashFields must forget, where the arguments tell what will be there."""
        if storage != INSTANCE_HASH:
            return False
        will: dict[str, str | None] = {}
        for _, write in life.writes[storage]:
            change = write.change
            if type(change) is Replaced:
                will.update(change.values)
            elif type(change) is Removed and change.members is not None:
                will.update(dict.fromkeys(change.members))
            else:
                return False
        model, pk = life.model, life.identity.pk
        same = self._same(model, tuple(will))
        if same.indexed:
            assert pk is not None
            call = read_call(Kind.HASH, model.keys.storage(pk, INSTANCE_HASH), same.names)
            self._read(call, same.guarded, same.why)
            self._changed.append((life, call, same, will))
        return True

    def _same(self, model: ModelSchema, names: tuple[str, ...]) -> _SameFields:
        same = self._same_fields.get((model, names))
        if same is None:
            indexed = tuple(field for name in names if (field := model.by_stored[name]).indexed)
            same = self._same_fields[model, names] = _SameFields(
                indexed,
                tuple(field.stored for field in indexed),
                any(field.lockable for field in indexed),
                f"before: {', '.join(f'{model.name}.{field.name}' for field in indexed)}",
                any(field.unique for field in indexed),
            )
        return same

    def _takes_added(self, life: Life, storage: str) -> bool:
        """Note what is added to a set, sorted set or list, where nothing else is said of it: nothing is read."""
        if storage == INSTANCE_HASH:
            return False
        field = life.model.by_stored[storage]
        if field.unique or not field.indexed:
            return False
        values: dict[str, None] = {}
        for _, write in life.said(storage):
            if type(write.change) is not Added:
                return False
            values.update(dict.fromkeys(write.change.values))
        self._added.append((life, field, values))
        return True

    def ask_ending(self, life: Life) -> None:
        """Ask for all that the indexes must forget of *life*, whose end it is."""
        for field in life.model.indexed:
            self._read(whole_field(life, field).call, field.lockable, f"before: {life.model.name}.{field.name}")

    def _read(self, call: Call, guarded: bool, why: str) -> None:
        if guarded:
            self.questions.watch(call[1])
        self.questions.read(call, why, guards=guarded)

    def claims(self) -> Iterator[tuple[Life, FieldSchema, str]]:
        """Yield the unique values that are known to be taken before anything was read."""
        for life in self._created:
            if life.model.unique and life.create is not None:
                for name, value in (*life.create.entries, *life.create.strings):
                    if (field := life.model.by_stored[name]).unique:
                        yield life, field, value
        for life, _, same, will in self._changed:
            if same.unique:
                for field in same.indexed:
                    now = will[field.stored]
                    if field.unique and now is not None:
                        yield life, field, now
        for part in self._parts:
            unique = any(field.unique for field in part.indexed)
            if unique and not part.rehearsed and part.epoch is part.life and part.life.alive:
                for field, found in part.by_field(part.simple_after()):
                    if field.unique:
                        yield from ((part.life, field, value) for _, value in sorted(found))

    # What becomes of it.

    def deltas(self) -> Iterator[tuple[Life, FieldSchema, Collection[IndexEntry], Collection[IndexEntry]]]:
        """Yield what a ``Delta`` is made of, for each indexed field that something is said about.

        All questions are answered by now. Most deltas are looked at once, and a plain tuple costs a tenth.

        Raises:
            Rejected: where a command would fail on what it meets.
        """
        for life in self._created:
            pk, keys, fields = life.reference, life.model.keys, life.model.by_stored
            assert life.create is not None
            for given in (life.create.entries, life.create.strings):
                for name, value in given:
                    field = fields[name]
                    if field.indexed:
                        if field.picky:
                            _check(life, field, [("", value)])
                        yield life, field, (), field.entries_of_one(keys, value, pk)
            if life.model.nones:
                named = {name for name, _ in (*life.create.entries, *life.create.strings)}
                for field in life.model.nones:
                    if field.stored not in named:
                        yield life, field, (), field.entries_of_one(keys, None, pk)
        for life, call, same, will in self._changed:
            pk, keys = life.reference, life.model.keys
            reply: Any = self.questions.reply(call)
            replies = reply if isinstance(reply, list) else [reply] * len(same.indexed)
            for field, was in zip(same.indexed, replies, strict=True):
                now, entries = will[field.stored], field.entries_of_one
                if field.picky and now is not None:
                    _check(life, field, [("", now)])
                if was is not None or now is not None or field.none:
                    before = () if was == now else entries(keys, was, pk)
                    yield life, field, before, entries(keys, now, pk)
        for life, field, values in self._added:
            found = [("", value) for value in values]
            if field.picky:
                _check(life, field, found)
            yield life, field, (), life.model.index_entries(field, found, life.reference)
        yield from self._of_parts()

    def _of_parts(self) -> Iterator[Delta]:
        changed: dict[tuple[Life, str], Delta] = {}
        for part in self._parts:
            was, will = self._of_part(part)
            self.rewrites |= part.rewrites
            if part.epoch is not part.life:
                continue
            life, pk = part.life, part.life.reference
            for (field, was_there), (_, will_be) in zip(part.by_field(was), part.by_field(will), strict=True):
                restated = part.restated(field, will_be)
                if field.picky:
                    _check(life, field, restated)
                before, after, said = [
                    life.model.index_entries(field, found, pk) for found in (was_there, will_be, restated)
                ]
                if part.epoch.from_nothing:
                    # Of what was not there nothing is in the index.
                    before = set()
                changed[life, field.name] = Delta(life, field, before - said, after)
        for life in self._born:
            for field in life.model.nones:
                if (life, field.name) not in changed:
                    after = field.entries(life.model.keys, (), life.reference)
                    changed[life, field.name] = Delta(life, field, (), after)
        for life in self._ending:
            for ending in self.ending(life):
                place = life, ending.field.name
                again: Collection[IndexEntry] = changed[place].after if place in changed else ()
                changed[place] = ending._replace(before=set(ending.before).difference(again), after=again)
        yield from changed.values()

    def ending(self, life: Life) -> Iterator[Delta]:
        """Yield what :meth:`ask_ending` found: all of it is left."""
        for field in life.model.indexed:
            found = self.held(life, field)
            yield Delta(life, field, life.model.index_entries(field, found, life.reference), ())

    def held(self, life: Life, field: FieldSchema) -> Pairs:
        """Return what all of *field* was found to hold."""
        whole = whole_field(life, field)
        return whole.pairs(self.questions.reply(whole.call))

    def _of_part(self, part: KeyPart) -> tuple[Pairs, Pairs]:
        reply = None if part.call is None else self.questions.reply(part.call)
        if not part.rehearsed:
            after = part.simple_after()
            return part.simple_before(reply, after), after
        after = part.rehearse(self.rehearsal, reply)
        return pairs(part.kind, part.part, reply) if part.call is not None else [], after


def _check(life: Life, field: FieldSchema, found: Pairs) -> None:
    """Check that what is *found* can be indexed.

    Raises:
        ArgumentError: where it cannot.
    """
    keys = life.model.keys
    for entry, value in found:
        for index in field.indexes:
            try:
                index.check(keys, entry, value)
            except ValueError as error:
                shown = value if len(value) <= 100 else f"{value[:100]}..."
                raise ArgumentError(
                    f"{life}.{field.name} is indexed and cannot hold {shown!r}: {error}; nothing was written. Way out: "
                    f"another value"
                ) from error


def whole_field(life: Life, field: FieldSchema) -> Content:
    """Return all of *field* of an object on the server."""
    pk = life.identity.pk
    assert pk is not None
    return Content(life.model, field, pk)
