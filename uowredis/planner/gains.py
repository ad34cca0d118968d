"""Members that are only added to sets, sorted sets and lists: nothing has to be read for their index (decide)."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from uowredis.commands.changes import Added
from uowredis.commands.journal import Life
from uowredis.planner.entries import Move
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema


@attrs.define
class Gains:
    """The rule: the index of a field with many values gains what the field gains."""

    _added: list[tuple[Life, FieldSchema, dict[str, None]]] = attrs.field(factory=list)

    def take(self, life: Life, storage: str) -> bool:
        """Note what *life* adds to *storage*; return False where something else is said about it, too."""
        if storage == INSTANCE_HASH:
            return False
        field = life.model.fields[storage]
        if field.unique or not field.indexed:
            return False
        values: dict[str, None] = {}
        for _, write in life.said(storage):
            change = write.change
            if type(change) is not Added:
                return False
            values.update(dict.fromkeys(change.values))
        self._added.append((life, field, values))
        return True

    def moves(self) -> Iterator[Move]:
        """Yield what became of the fields: objects that enter index keys."""
        for life, field, values in self._added:
            for value in values:
                yield life, field, None, life.model.keys.index(field.name, value)

    def by_field(self) -> Iterator[tuple[Life, FieldSchema, set[str]]]:
        """Yield the same, field by field."""
        for life, field, values in self._added:
            yield life, field, life.model.index_keys(field, [("", value) for value in values])
