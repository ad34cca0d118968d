"""InstanceHashFields whose new values the arguments tell: by far most writes there are (decide).

What the index must forget is one read of the fields concerned, under watch; nothing is rehearsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands import Removed, Replaced
from uowredis.content import Call, read_call
from uowredis.keys import INSTANCE_HASH
from uowredis.planner.asking import Asking
from uowredis.planner.lives import Life, Said
from uowredis.schema import FieldSchema, Kind

#: A field of an object that moves from one index key to another, either of which may be missing.
Move = tuple[Life, FieldSchema, str | None, str | None]


@attrs.define
class Entries:
    """The rule: the index of an InstanceHashField says what the field says."""

    asking: Asking
    _asked: list[tuple[Life, Call, list[FieldSchema], dict[str, str | None]]] = attrs.field(factory=list)

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
        model = life.model
        indexed = [field for name in will if (field := model.fields[name]).indexed]
        if not indexed:
            return True
        pk = life.identity.pk
        assert pk is not None
        call = read_call(Kind.HASH, model.keys.storage(pk, INSTANCE_HASH), tuple(field.name for field in indexed))
        guarded = any(field.lockable for field in indexed)
        if guarded:
            self.asking.watch(call[1])
        why = f"before: {', '.join([f'{model.name}.{field.name}' for field in indexed])}"
        self.asking.read(call, why, guards=guarded)
        self._asked.append((life, call, indexed, will))
        return True

    def claims(self) -> Iterator[tuple[Life, FieldSchema, str]]:
        """Yield the index keys of unique values that are taken."""
        for life, _, indexed, will in self._asked:
            for field in indexed:
                value = will[field.name]
                if field.unique and value is not None:
                    yield life, field, life.model.keys.index(field.name, value)

    def moves(self, unknown: str | None) -> Iterator[Move]:
        """Yield what became of the indexed fields.

        Args:
            unknown: stands for every old value where nothing was read, in a symbolic plan.
        """
        for life, call, indexed, will in self._asked:
            index = life.model.keys.index
            reply: Any = unknown if unknown is not None else self.asking.reply(call)
            replies = reply if isinstance(reply, list) else [reply] * len(indexed)
            for field, was in zip(indexed, replies, strict=True):
                value = will[field.name]
                if was != value:
                    old = None if was is None else index(field.name, was)
                    yield life, field, old, None if value is None else index(field.name, value)
