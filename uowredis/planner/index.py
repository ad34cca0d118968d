"""Index: which entries come into which index, and which go (decide).

One subtraction per field and session, made on index entries, however many commands touched the field; merged per key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

import attrs

from uowredis.commands.journal import Life
from uowredis.plan.steps import Step
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, ModelSchema

T = TypeVar("T")


@attrs.define
class Index:
    """The effects on indexes."""

    _entering: dict[str, list[IndexEntry]] = attrs.field(factory=lambda: defaultdict(list))
    _leaving: dict[str, list[IndexEntry]] = attrs.field(factory=lambda: defaultdict(list))
    _of_key: dict[str, tuple[ModelSchema, FieldSchema]] = attrs.field(factory=dict)

    def take(
        self, life: Life, field: FieldSchema, before: Collection[IndexEntry], after: Collection[IndexEntry]
    ) -> None:
        """Note what a delta entails."""
        for entry in after:
            if entry not in before:
                entering = self._entering[entry[0]]
                if not entering:
                    self._of_key[entry[0]] = life.model, field
                entering.append(entry)
        for entry in before:
            if entry not in after:
                leaving = self._leaving[entry[0]]
                if not leaving:
                    self._of_key[entry[0]] = life.model, field
                leaving.append(entry)

    def steps(self, most_arguments: int) -> Iterator[Step]:
        """Yield the effects, merged and sorted by key; a call has at most so many arguments."""
        for noted, word in ((self._leaving, "old"), (self._entering, "new")):
            labels: dict[tuple[ModelSchema, FieldSchema], tuple[str, str]] = {}
            for key in sorted(noted):
                of = model, field = self._of_key[key]
                if of not in labels:
                    labels[of] = f"index {model.name}.{field.name}, {word}", model.keys.index_opening(field.name)
                why, public = labels[of]
                spell = field.index.leave if word == "old" else field.index.enter
                for entries in in_parts(noted[key], most_arguments):
                    yield Step(spell(key, entries), why, None, "", public)


def in_parts(items: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    """Return *items* in parts of at most so many."""
    if len(items) <= most:
        return (items,)
    return [items[start : start + most] for start in range(0, len(items), most)]
