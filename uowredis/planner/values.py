"""Values: what indexed fields held before and will hold, and whether a command would fail (decide).

What is the same for all objects of which the same is said, their :class:`Form` has worked out; what is of one object is
filled in by its :class:`KeyPart`. What comes out is a ``Delta``: yielded where it is looked at once, kept where rules
must compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.journal import Life
from uowredis.planner.content import Content, Pairs
from uowredis.planner.form import form_of
from uowredis.planner.key import Delta, KeyPart
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal, Rewrite
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
        if life.from_server and life.deleted:
            self.ask_ending(life)
            self._ending[life] = None

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
        for part in self._parts:
            if part.form.unique and not part.form.rehearsed and part.epoch is part.life and part.life.alive:
                yield from part.claims()

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
        for part in self._parts:
            yield from part.deltas(self.rehearsal, None if part.call is None else self.questions.reply(part.call))
            if part.form.rehearsed:
                self.rewrites |= part.rewrites
        for life, fields in self._unsaid:
            for field in fields:
                yield life, field, (), field.entries_of_one(life.model.keys, None, life.reference)

    def ending(self, life: Life) -> Iterator[Delta]:
        """Yield what :meth:`ask_ending` found: all of it is left."""
        for field in life.model.indexed:
            found = self.held(life, field)
            yield Delta(life, field, life.model.index_entries(field, found, life.reference), ())

    def held(self, life: Life, field: FieldSchema) -> Pairs:
        """Return what all of *field* was found to hold."""
        whole = whole_field(life, field)
        return whole.pairs(self.questions.reply(whole.call))


def whole_field(life: Life, field: FieldSchema) -> Content:
    """Return all of *field* of an object on the server."""
    pk = life.identity.pk
    assert pk is not None
    return Content(life.model, field, pk)
