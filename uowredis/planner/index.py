"""Index: who enters and who leaves which set of pks (decide).

One subtraction per field and session, made on index keys, however many commands touched the field; merged per key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.journal import Life
from uowredis.plan.steps import Step, index_public
from uowredis.planner.entries import Move
from uowredis.planner.values import Delta
from uowredis.schema.models import FieldSchema, ModelSchema


@attrs.define
class Index:
    """The effects on sets of pks: index keys, and the collection of all pks of a model."""

    enters: dict[str, list[Life]] = attrs.field(factory=dict)
    leaves: dict[str, list[Life]] = attrs.field(factory=dict)
    _of_key: dict[str, tuple[ModelSchema, FieldSchema]] = attrs.field(factory=dict)

    def enter(self, life: Life, field: FieldSchema, key: str) -> None:
        """Note that *key* of the index of *field* will hold *life*."""
        lives = self.enters.get(key)
        if lives is None:
            self.enters[key] = [life]
            self._of_key[key] = life.model, field
        else:
            lives.append(life)

    def take(self, deltas: Iterable[Delta]) -> None:
        """Note what *deltas* entail."""
        for delta in deltas:
            for key in delta.after - delta.before:
                self.enter(delta.life, delta.field, key)
            for key in delta.before - delta.after:
                self.leave(delta.life, delta.field, key)

    def move(self, moves: Iterable[Move]) -> None:
        """Note what *moves* entail."""
        for life, field, old, new in moves:
            if new is not None:
                self.enter(life, field, new)
            if old is not None:
                self.leave(life, field, old)

    def leave(self, life: Life, field: FieldSchema, key: str) -> None:
        """Note that *key* of the index of *field* will hold *life* no more."""
        lives = self.leaves.get(key)
        if lives is None:
            self.leaves[key] = [life]
            self._of_key[key] = life.model, field
        else:
            lives.append(life)

    def steps(self, most_members: int) -> Iterator[Step]:
        """Yield the effects, merged and sorted by key; a call has at most so many members."""
        for command, noted, word in (("SREM", self.leaves, "old"), ("SADD", self.enters, "new")):
            labels: dict[tuple[ModelSchema, FieldSchema], tuple[str, str]] = {}
            for key in sorted(noted):
                of = self._of_key[key]
                if of not in labels:
                    model, field = of
                    labels[of] = f"index {model.name}.{field.name}, {word}", index_public(model, field)
                why, public = labels[of]
                lives = noted[key]
                if len(lives) == 1:
                    yield Step((command, key, lives[0].identity.reference), why, None, "", public)
                    continue
                for call in in_parts(command, key, [life.identity.reference for life in lives], most_members):
                    yield Step(call, why, None, "", public)


def in_parts(command: str, key: str, members: list[str], most: int) -> Iterator[Call]:
    """Yield the calls of *command* on *key* for all *members*, at most so many a call."""
    for start in range(0, len(members), most):
        yield (command, key, *members[start : start + most])
