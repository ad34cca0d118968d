"""InstanceHashFields whose new values the arguments tell: by far most writes there are (decide).

What the index must forget is one read of the fields concerned, under watch; nothing is rehearsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Removed, Replaced
from uowredis.commands.journal import Life, Said
from uowredis.planner.content import read_call
from uowredis.planner.questions import Questions
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: A field of an object that moves from one index key to another, either of which may be missing.
Move = tuple[Life, FieldSchema, str | None, str | None]


@attrs.frozen
class _Shape:
    """What objects of one model that change the same fields have in common."""

    indexed: tuple[FieldSchema, ...]
    names: tuple[str, ...]
    guarded: bool
    why: str
    unique: bool


@attrs.define
class Entries:
    """The rule: the index of an InstanceHashField says what the field says."""

    questions: Questions
    _asked: list[tuple[Life, Call, _Shape, dict[str, str | None]]] = attrs.field(factory=list)
    _shapes: dict[tuple[ModelSchema, tuple[str, ...]], _Shape] = attrs.field(factory=dict)

    def take(self, life: Life, said: list[Said]) -> bool:
        """Ask what the index must forget; return False where the arguments alone do not tell what will be there."""
        will: dict[str, str | None] = {}
        for _, write in said:
            change = write.change
            if type(change) is Replaced:
                will.update(change.values)
            elif type(change) is Removed and change.members is not None:
                will.update(dict.fromkeys(change.members))
            else:
                return False
        model, pk = life.model, life.identity.pk
        shape = self._shape(model, tuple(will))
        if not shape.indexed:
            return True
        assert pk is not None
        call = read_call(Kind.HASH, model.keys.storage(pk, INSTANCE_HASH), shape.names)
        if shape.guarded:
            self.questions.watch(call[1])
        self.questions.read(call, shape.why, guards=shape.guarded)
        self._asked.append((life, call, shape, will))
        return True

    def _shape(self, model: ModelSchema, names: tuple[str, ...]) -> _Shape:
        shape = self._shapes.get((model, names))
        if shape is None:
            indexed = tuple(field for name in names if (field := model.fields[name]).indexed)
            shape = self._shapes[model, names] = _Shape(
                indexed,
                tuple(field.name for field in indexed),
                any(field.lockable for field in indexed),
                f"before: {', '.join(f'{model.name}.{field.name}' for field in indexed)}",
                any(field.unique for field in indexed),
            )
        return shape

    def claims(self) -> Iterator[tuple[Life, FieldSchema, str]]:
        """Yield the index keys of unique values that are taken."""
        for life, _, shape, will in self._asked:
            if shape.unique:
                for field in shape.indexed:
                    value = will[field.name]
                    if field.unique and value is not None:
                        yield life, field, life.model.keys.index(field.name, value)

    def moves(self, *, unique: bool) -> Iterator[Move]:
        """Yield what became of the indexed fields: of unique ones, or of the others."""
        for life, call, shape, will in self._asked:
            if unique and not shape.unique:
                continue
            index = life.model.keys.index
            reply: Any = self.questions.reply(call)
            replies = reply if isinstance(reply, list) else [reply] * len(shape.indexed)
            for field, was in zip(shape.indexed, replies, strict=True):
                value = will[field.name]
                if was != value and field.unique is unique:
                    old = None if was is None else index(field.name, was)
                    yield life, field, old, None if value is None else index(field.name, value)
