"""Index: which entries come into which index, and which go (decide).

One subtraction per field and session, made on index entries, however many commands touched the field; merged per key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

import attrs

from uowredis.plan.steps import Step
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, ModelSchema

T = TypeVar("T")


@attrs.frozen
class _Of:
    """What the index of one field is called in plans."""

    old: str
    new: str
    public: str


#: The commands that put into a key of an index, and take out: of a set, and of a sorted set.
_ENTER, _LEAVE = ("SADD", "ZADD"), ("SREM", "ZREM")


@attrs.define
class Index:
    """The effects on indexes."""

    # No entry is kept, only its texts: 10,000 tuples more are what the garbage collector would feel.
    _entering: dict[str, list[str]] = attrs.field(factory=dict)
    _leaving: dict[str, list[str]] = attrs.field(factory=dict)
    _of_key: dict[str, _Of] = attrs.field(factory=dict)
    _sorted: set[str] = attrs.field(factory=set)

    def take(
        self, model: ModelSchema, field: FieldSchema, before: Collection[IndexEntry], after: Collection[IndexEntry]
    ) -> None:
        """Note what a delta entails, of an object of *model*."""
        for entry in after:
            if entry not in before:
                key, member, score = entry
                entering = self._entering.get(key)
                if entering is None:
                    entering = self._begun(self._entering, model, field, key, score)
                if score is not None:
                    entering.append(score)
                entering.append(member)
        for entry in before:
            if entry not in after:
                key, member, score = entry
                leaving = self._leaving.get(key)
                if leaving is None:
                    leaving = self._begun(self._leaving, model, field, key, score)
                leaving.append(member)

    def _begun(
        self, noted: dict[str, list[str]], model: ModelSchema, field: FieldSchema, key: str, score: str | None
    ) -> list[str]:
        """Return where to note what enters *key*, or leaves it."""
        self._of_key[key] = model.memory.get(("index", field.name)) or _called(model, field)
        if score is not None:
            self._sorted.add(key)
        texts = noted[key] = []
        return texts

    def steps(self, most_arguments: int) -> Iterator[Step]:
        """Yield the effects, merged and sorted by key; a call has at most so many arguments, an even number."""
        for noted, commands in ((self._leaving, _LEAVE), (self._entering, _ENTER)):
            for key in sorted(noted):
                of, members = self._of_key[key], noted[key]
                command, why = commands[key in self._sorted], of.old if commands is _LEAVE else of.new
                parts = (members,) if len(members) <= most_arguments else in_parts(members, most_arguments)
                for arguments in parts:
                    yield Step((command, key, *arguments), why, None, "", of.public)


def _called(model: ModelSchema, field: FieldSchema) -> _Of:
    name = f"index {model.name}.{field.name}"
    of = model.memory["index", field.name] = _Of(f"{name}, old", f"{name}, new", model.keys.index_opening(field.stored))
    return of


def in_parts(items: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    """Return *items* in parts of at most so many."""
    if len(items) <= most:
        return (items,)
    return [items[start : start + most] for start in range(0, len(items), most)]
