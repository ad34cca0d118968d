"""Uniqueness: no two instances hold one value of a unique field (decide).

Judged on the net result: two objects may swap a value in one plan. A claim watches the index key of its value, one key
per value, so that claims of different values never meet. Who stands in the way is asked itself, under watch: an entry
of an object that is not there, or says otherwise, came from outside; it leaves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity, State
from uowredis.commands.journal import Journal, Life
from uowredis.exceptions import UniquenessError
from uowredis.plan.steps import UNKNOWN
from uowredis.planner.content import Content, content_behind
from uowredis.planner.key import Delta
from uowredis.planner.questions import Questions
from uowredis.schema.joint import JointIndex
from uowredis.schema.models import FieldSchema, ModelSchema


@attrs.frozen
class _Holder:
    """Who holds a value that is claimed, as its index *key* says.

    Attributes:
        there: the call that tells whether it is there.
        content: what is read of its fields.
    """

    key: str
    life: Life
    there: Call
    content: Content


@attrs.define
class Unique:
    """The guard: unique values are claimed by one instance each.

    Attributes:
        claims: who claims which index key.
    """

    questions: Questions
    journal: Journal
    claims: dict[str, tuple[Life, FieldSchema]] = attrs.field(factory=dict)
    _holders: list[_Holder] = attrs.field(factory=list)

    def claim(self, life: Life, field: FieldSchema, key: str) -> None:
        """Ask who holds the index *key* of a value that *life* is about to take.

        Raises:
            UniquenessError: where another object of the same plan takes it.
        """
        claimed = self.claims.get(key)
        if claimed is None:
            self.claims[key] = life, field
            if field.lockable:
                self.questions.watch(key)
            why, public = (
                f"guard: {life.model.name}.{field.name} is unique",
                life.model.keys.index_opening(field.stored),
            )
            self.questions.read(("SMEMBERS", key), why, public, guards=field.lockable)
        elif claimed[0] is not life:
            raise _taken(life, field, key, claimed[0].identity.pk, f"{claimed[0]} of the same session")

    def ask_holders(self, deltas: Iterable[Delta]) -> None:
        """Ask those who stand in the way of a claim whether they are there and hold its value.

        Raises:
            UniquenessError: for one that is spoken of, and keeps it.
        """
        kept, released = {}, {}
        for delta in deltas:
            if delta.field.claiming:
                after = {key for key, _, _ in delta.after}
                kept[delta.life, delta.field.name] = after
                released[delta.life, delta.field.name] = {key for key, _, _ in delta.before} - after
        for key, (life, field) in self.claims.items():
            holders = self.questions.reply(("SMEMBERS", key))
            if holders is UNKNOWN or key not in kept.get((life, field.name), {key}):
                continue
            for pk in holders:
                if pk == life.identity.pk and not life.fresh:
                    continue
                holder = self.journal.with_pk(life.model, pk)
                if holder is None:
                    self._ask_holder(key, life.model, field, pk)
                elif key not in released.get((holder, field.name), ()):
                    raise _taken(life, field, key, pk, f"instance {pk}")

    def _ask_holder(self, key: str, model: ModelSchema, field: FieldSchema, pk: str) -> None:
        life = Journal.untouched(Identity(model, pk, State.STORED))
        why = f"guard: {life} holds its {model.name}.{field.name}"
        content = content_behind(model, field, pk, key)
        for watched in content.keys:
            self.questions.watch(watched)
        for call in content.calls:
            self.questions.read(call, why)
        # Not watched: whoever creates it anew touches its keys.
        there = "SISMEMBER", model.keys.collection, pk
        self.questions.read(there, why)
        self._holders.append(_Holder(key, life, there, content))

    def judge(self) -> Iterator[Delta]:
        """Refuse the plan where a value claimed is held by an instance that keeps it.

        Yields:
            The entries of those that do not hold it: they leave.

        Raises:
            UniquenessError: naming the holder.
        """
        for holder in self._holders:
            life, field = self.claims[holder.key]
            pk, held = holder.life.reference, holder.content.entries(self.questions.replies)
            if self.questions.reply(holder.there) and holder.key in (key for key, _, _ in held):
                raise _taken(life, field, holder.key, pk, f"instance {pk}")
            yield Delta(holder.life, field, ((holder.key, pk, None),), ())


def _taken(life: Life, field: FieldSchema, key: str, pk: str | None, holder: str) -> UniquenessError:
    model, index = life.model, field.index_of(life.model.keys, key)
    names, value, shown = field.name, *_read(field, model.keys.indexed_value(field.stored, key))
    found, claimed = f"{field.name}={value!r}", f"{model.name}.{field.name} is unique"
    if isinstance(index, JointIndex):
        values = index.values_in(model.keys, key)
        read = {name: _read(model.fields[name], stored) for name, stored in values.items()}
        found = ", ".join(f"{name}={each!r}" for name, (each, _) in read.items())
        shown = ", ".join(each for _, each in read.values())
        if len(read) > 1:
            names, value = ", ".join(read), tuple(each for each, _ in read.values())
            claimed = f"{' and '.join(f'{model.name}.{name}' for name in read)} are unique together"
        else:
            (value,) = (each for each, _ in read.values())
    # The text is the documented one; the rest goes where a traceback shows it.
    error = UniquenessError(f"Key {key} already exists (for {holder})", field=names, value=value, key=key, pk=pk)
    error.add_note(
        f"{claimed} and {life} claims {shown}; nothing was written. Way out: another value, or "
        f"{model.name}.get({found}) for the instance that has it"
    )
    return error


def _read(field: FieldSchema, stored: str) -> tuple[Any, str]:
    """Return what is *stored* of *field* as a value, and that for eyes."""
    value: Any = stored
    if (holds := field.holds) is not None:
        # What computed it may have left something else.
        with contextlib.suppress(Exception):
            value = holds.read(stored)
    return value, repr(value) if value is stored else f"{value!r} (stored as {stored!r})"
