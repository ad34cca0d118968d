"""What an index holds (declare): a kind of index makes entries of values, and has its commands.

Equality is the one kind there is. Another one (numbers by range, say) is a class like it: the planner subtracts
entries, and merges those of one key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeAlias

import attrs

from uowredis.schema.keys import Keys

#: (key, member, score): the key of an index, what it holds of an object, and its score where the index is sorted.
#: A plain tuple of text, because the garbage collector does not walk those.
IndexEntry: TypeAlias = tuple[str, str, str | None]


@attrs.frozen
class Equality:
    """Finds objects by a value: a set of primary keys for each.

    Attributes:
        name: what it is called in fingerprints.
        enter: the command that puts members, each behind its score where it has one, into a key of the index.
        leave: the command that takes members out.
        by_entry: the values are those of entries of a hash, told apart by their names.
    """

    name: ClassVar[str] = "equal"
    enter: ClassVar[str] = "SADD"
    leave: ClassVar[str] = "SREM"
    by_entry: bool = False

    def key(self, keys: Keys, field: str, entry: str, value: str, pk: str = "") -> str:
        """Return the key that holds the objects with *value*."""
        return keys.entry_index(field, entry, value, pk) if self.by_entry else keys.index(field, value, pk)

    def entry(self, keys: Keys, field: str, entry: str, value: str, pk: str) -> IndexEntry:
        """Return what the index holds of the object *pk* for one *value* of its *field*."""
        return keys.entry_index(field, entry, value, pk) if self.by_entry else keys.index(field, value, pk), pk, None

    def entries(self, keys: Keys, field: str, found: Iterable[tuple[str, str]], pk: str) -> set[IndexEntry]:
        """Return what the index holds of the object *pk* whose *field* holds what was *found*: (entry, value) pairs."""
        return {self.entry(keys, field, entry, value, pk) for entry, value in found}

    def lookup(self, key: str, pk: str) -> tuple[str, ...]:
        """Return the call that tells whether the index *key* holds the object *pk*: nil or 0 where it does not."""
        return "SISMEMBER", key, pk
