"""Uniqueness: no two instances hold one value of a unique field (decide).

Judged on the net result: two objects may swap a value in one plan. A claim watches the index key of its value, one key
per value, so that claims of different values never meet.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from uowredis.commands.journal import Journal, Life
from uowredis.exceptions import UniquenessError
from uowredis.plan.steps import UNKNOWN
from uowredis.planner.questions import Questions
from uowredis.planner.values import Delta
from uowredis.schema.models import FieldSchema


@attrs.define
class Unique:
    """The guard: unique values are claimed by one instance each."""

    questions: Questions
    journal: Journal
    _claims: dict[str, tuple[Life, FieldSchema]] = attrs.field(factory=dict)

    def claim(self, life: Life, field: FieldSchema, key: str) -> None:
        """Ask who holds the index *key* of a value that *life* is about to take.

        Raises:
            UniquenessError: where another object of the same plan takes it.
        """
        claimed = self._claims.get(key)
        if claimed is None:
            self._claims[key] = life, field
            if field.lockable:
                self.questions.watch(key)
            why, public = f"guard: {life.model.name}.{field.name} is unique", life.model.keys.index_opening(field.name)
            self.questions.read(("SMEMBERS", key), why, public, guards=field.lockable)
        elif claimed[0] is not life:
            raise _taken(life, field, key, claimed[0].identity.pk, f"{claimed[0]} of the same session")

    def judge(self, deltas: Iterable[Delta]) -> None:
        """Refuse the plan where a value claimed is held by an instance that keeps it.

        Raises:
            UniquenessError: naming the holder.
        """
        kept, released = {}, {}
        for delta in deltas:
            if delta.field.unique:
                after = {key for key, _, _ in delta.after}
                kept[delta.life, delta.field.name] = after
                released[delta.life, delta.field.name] = {key for key, _, _ in delta.before} - after
        for key, (life, field) in self._claims.items():
            holders = self.questions.reply(("SMEMBERS", key))
            if holders is UNKNOWN or key not in kept.get((life, field.name), {key}):
                continue
            for pk in holders:
                if pk == life.identity.pk and not life.fresh:
                    continue
                holder = self.journal.with_pk(life.model, pk)
                if holder is None or key not in released.get((holder, field.name), ()):
                    raise _taken(life, field, key, pk, f"instance {pk}")


def _taken(life: Life, field: FieldSchema, key: str, pk: str | None, holder: str) -> UniquenessError:
    value = life.model.keys.indexed_value(field.name, key)
    # The text is the documented one; the rest goes where a traceback shows it.
    error = UniquenessError(f"Key {key} already exists (for {holder})", field=field.name, value=value, key=key, pk=pk)
    error.add_note(
        f"{life.model.name}.{field.name} is unique and {life} claims {value!r}; nothing was written. Way out: another "
        f"value, or {life.model.name}.get({field.name}={value!r}) for the instance that has it"
    )
    return error
