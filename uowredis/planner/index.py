"""Index: which entries come into which index, and which go (decide).

One subtraction per field and session, made on index entries, however many commands touched the field; merged per key.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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


_texts: Callable[[], dict[str, list[str]]] = functools.partial(defaultdict, list)


@attrs.define
class Index:
    """The effects on indexes."""

    # No entry is kept, only its texts: 10,000 tuples more are what the garbage collector would feel.
    _entering: dict[str, list[str]] = attrs.field(factory=_texts)
    _leaving: dict[str, list[str]] = attrs.field(factory=_texts)
    _of_key: dict[str, _Of] = attrs.field(factory=dict)
    _sorted: set[str] = attrs.field(factory=set)

    def take(
        self, model: ModelSchema, field: FieldSchema, before: Collection[IndexEntry], after: Collection[IndexEntry]
    ) -> None:
        """Note what a delta entails, of an object of *model*."""
        of = model.memory.get(("index", field.name)) or _called(model, field)
        for entry in after:
            if entry not in before:
                key, member, score = entry
                self._of_key[key] = of
                if score is not None:
                    self._sorted.add(key)
                    self._entering[key].append(score)
                self._entering[key].append(member)
        for entry in before:
            if entry not in after:
                key, member, score = entry
                self._of_key[key] = of
                if score is not None:
                    self._sorted.add(key)
                self._leaving[key].append(member)

    def steps(self, most_arguments: int) -> Iterator[Step]:
        """Yield the effects, merged and sorted by key; a call has at most so many arguments, an even number."""
        for noted, commands in ((self._leaving, _LEAVE), (self._entering, _ENTER)):
            for key in sorted(noted):
                of, members = self._of_key[key], noted[key]
                command, why = commands[key in self._sorted], of.old if commands is _LEAVE else of.new
                for arguments in in_parts(members, most_arguments):
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
