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

    # No entry is kept, only its texts: 10,000 tuples more are what the garbage collector would feel.
    _entering: dict[str, list[str]] = attrs.field(factory=lambda: defaultdict(list))
    _leaving: dict[str, list[str]] = attrs.field(factory=lambda: defaultdict(list))
    _of_key: dict[str, tuple[ModelSchema, FieldSchema]] = attrs.field(factory=dict)

    def take(
        self, life: Life, field: FieldSchema, before: Collection[IndexEntry], after: Collection[IndexEntry]
    ) -> None:
        """Note what a delta entails."""
        for entry in after:
            if entry not in before:
                key, member, score = entry
                entering = self._entering[key]
                if not entering:
                    self._of_key[key] = life.model, field
                if score is not None:
                    entering.append(score)
                entering.append(member)
        for entry in before:
            if entry not in after:
                key, member, _ = entry
                leaving = self._leaving[key]
                if not leaving:
                    self._of_key[key] = life.model, field
                leaving.append(member)

    def steps(self, most_arguments: int) -> Iterator[Step]:
        """Yield the effects, merged and sorted by key; a call has at most so many arguments, an even number."""
        for noted, word in ((self._leaving, "old"), (self._entering, "new")):
            labels: dict[tuple[ModelSchema, FieldSchema], tuple[str, str]] = {}
            for key in sorted(noted):
                of = model, field = self._of_key[key]
                if of not in labels:
                    labels[of] = f"index {model.name}.{field.name}, {word}", model.keys.index_opening(field.name)
                why, public = labels[of]
                command = field.index.leave if word == "old" else field.index.enter
                for arguments in in_parts(noted[key], most_arguments):
                    yield Step((command, key, *arguments), why, None, "", public)


def in_parts(items: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    """Return *items* in parts of at most so many."""
    if len(items) <= most:
        return (items,)
    return [items[start : start + most] for start in range(0, len(items), most)]
