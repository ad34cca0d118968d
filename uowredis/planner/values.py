"""Values: what indexed fields held before and will hold, and whether a command would fail (decide).

What is the same for all objects of which the same is said, their :class:`Form` has worked out; what is of one object is
filled in by its :class:`KeyPart`. What comes out is a ``Delta``: yielded where it is looked at once, kept where rules
must compare.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.journal import Life
from uowredis.planner.content import Content, Pairs
from uowredis.planner.form import form_of
from uowredis.planner.joint import Joint
from uowredis.planner.key import Delta, KeyPart
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal, Rewrite
from uowredis.schema.joint import EqualIndexWith
from uowredis.schema.models import FieldSchema


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
    _parts: list[KeyPart] = attrs.field(factory=list)
    _ending: dict[Life, None] = attrs.field(factory=dict)
    _joints: dict[tuple[Life, str], Joint] = attrs.field(factory=dict)
    _early: dict[Life, list[FieldSchema]] = attrs.field(factory=dict)
    _unsaid: list[tuple[Life, tuple[FieldSchema, ...]]] = attrs.field(factory=list)

    # What must be known.

    def ask(self, life: Life) -> None:
        """Ask for what the pending commands of *life* make it necessary to know."""
        model = life.model
        for epoch in life.epochs:
            form = form_of(model, epoch)
            for key in form.keys:
                if key.rehearsed or epoch is life:
                    part = KeyPart(life, epoch, key)
                    self._parts.append(part)
                    self.claims_late |= key.rehearsed and bool(model.unique)
                    if part.call is not None:
                        self._read(part.call, key.guarded, f"before: {key.label}")
            if form.unsaid and epoch is life and life.alive:
                self._unsaid.append((life, form.unsaid))
            if form.owners and epoch is life:
                for owner in form.owners:
                    self._ask_joint(life, owner, form.told)
        if life.from_server and life.deleted:
            self.ask_ending(life)
            self._ending[life] = None

    def _ask_joint(self, life: Life, owner: FieldSchema, told: Mapping[str, bool]) -> Joint:
        joint = self._joints[life, owner.name] = Joint(life, owner)
        for content in joint.ask(told):
            self._ask_for(life, content)
        if owner.claiming and any(index.unique for index in owner.joint if isinstance(index, EqualIndexWith)):
            # What was not said is not known before it was read.
            if joint.contents or not all(told.get(field.name, True) for field in joint.fields):
                self.claims_late = True
            else:
                self._early.setdefault(life, []).append(owner)
        return joint

    def ask_cleared(self, life: Life, field: FieldSchema) -> None:
        """Ask for what the indexes of several fields depend on, where *field* is to lose a reference."""
        for owner in field.owners:
            if (life, owner.name) not in self._joints:
                self._ask_joint(life, owner, {})

    def ask_ending(self, life: Life) -> None:
        """Ask for all that the indexes must forget of *life*, whose end it is."""
        for field in life.model.indexed:
            # Those beside a field are among them.
            self._ask_for(life, whole_field(life, field))

    def _ask_for(self, life: Life, content: Content) -> None:
        field = content.field
        self._read(content.call, field.lockable, f"before: {life.model.name}.{field.name}")

    def _read(self, call: Call, guarded: bool, why: str) -> None:
        if guarded:
            self.questions.watch(call[1])
        self.questions.read(call, why, guards=guarded)

    def claims(self) -> Iterator[tuple[Life, FieldSchema, str]]:
        """Yield the index keys of unique values that are known to be taken before anything was read."""
        for part in self._parts:
            if part.form.unique and not part.form.rehearsed and part.epoch is part.life and part.life.alive:
                for life, field, value in part.claims():
                    for key in field.claimed(life.model.keys, value):
                        yield life, field, key
        yield from self._claims_together()

    def _claims_together(self) -> Iterator[tuple[Life, FieldSchema, str]]:
        """Yield those of several fields, of which nothing must be read or tried."""
        will: dict[Life, dict[str, Pairs]] = {}
        for part in self._parts if self._early else ():
            if part.form.joint and part.life in self._early and part.epoch is part.life:
                will.setdefault(part.life, {}).update(part.will_hold())
        for life, owners in self._early.items():
            for owner in owners if life.alive else ():
                entries = owner.joint_entries(life.model.keys, will[life], life.reference)
                yield from ((life, owner, key) for key, _, _ in sorted(entries) if owner.claims(life.model.keys, key))

    # What becomes of it.

    def deltas(self) -> Iterator[tuple[Any, ...]]:
        """Yield what a ``Delta`` is made of, for each indexed field that something is said about.

        All questions are answered by now. Most deltas are looked at once, and a plain tuple costs a tenth.

        Raises:
            Rejected: where a command would fail on what it meets.
            ArgumentError: for a value that an index cannot hold.
        """
        again: dict[tuple[Life, str], Delta] = {}
        for each in self._said():
            if each[0] in self._ending:
                again[each[0], each[1].name] = Delta(*each)
            else:
                yield each
        for life in self._ending:
            for ending in self.ending(life):
                after = again[place].after if (place := (life, ending.field.name)) in again else ()
                yield ending._replace(before=set(ending.before).difference(after), after=after)

    def _said(self) -> Iterator[tuple[Any, ...]]:
        owned: dict[tuple[Life, str], Delta] = {}
        # Each is done with when it has told, before the steps are made.
        parts, self._parts = self._parts, []
        for part in parts:
            found = part.deltas(self.rehearsal, None if part.call is None else self.questions.reply(part.call))
            if not part.form.joint:
                yield from found
            else:
                yield from self._beside(part, found, owned)
            if part.form.rehearsed:
                self.rewrites |= part.rewrites
        for life, fields in self._unsaid:
            for field in fields:
                yield life, field, (), field.entries_of_one(life.model.keys, None, life.reference)
        for place, joint in self._joints.items():
            before, after = joint.delta(self.questions.reply)
            alone = owned.get(place)
            if alone is not None:
                before, after = before.union(alone.before), after.union(alone.after)
            if before or after or alone is not None:
                yield joint.life, joint.owner, before, after

    def _beside(
        self, part: KeyPart, found: Iterable[tuple[Any, ...]], owned: dict[tuple[Life, str], Delta]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield those *found* that have no more to come from other fields; keep the others in *owned*."""
        for each in found:
            if (each[0], each[1].name) in self._joints:
                owned[each[0], each[1].name] = Delta(*each)
            elif each[1].indexes:
                yield each
        if part.epoch is part.life:
            for field, was, will in part.held or ():
                for owner in field.owners:
                    self._joints[part.life, owner.name].learn(field, was, will)

    def cleared(
        self, life: Life, field: FieldSchema, pks: Container[str], deltas: dict[tuple[Life, str], Delta]
    ) -> None:
        """Note in *deltas* what becomes of indexes of several fields where *field* loses the references to *pks*."""
        for owner in field.owners:
            joint = self._joints[life, owner.name]
            if not joint.before:
                joint.delta(self.questions.reply)
            deltas[life, owner.name] = joint.without(field, pks, deltas.get((life, owner.name)))

    def ending(self, life: Life) -> Iterator[Delta]:
        """Yield what :meth:`ask_ending` found: all of it is left."""
        for field in life.model.indexed:
            yield Delta(life, field, whole_field(life, field).entries(self.questions.replies), ())

    def held(self, life: Life, field: FieldSchema) -> Pairs:
        """Return what all of *field* was found to hold."""
        whole = whole_field(life, field)
        return whole.pairs(self.questions.reply(whole.call))


def whole_field(life: Life, field: FieldSchema) -> Content:
    """Return all of *field* of an object on the server."""
    pk = life.identity.pk
    assert pk is not None
    return Content(life.model, field, pk)
