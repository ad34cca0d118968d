"""What a model or a field was declared to be, as frozen facts (declare).

The planner knows these and nothing of models or fields: behaviour follows from facts, in the planner's rules.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

import attrs

from uowredis.schema.keys import INSTANCE_HASH, RESERVED, Keys


class Kind(enum.Enum):
    """The Redis type under a field; ``ENTRY`` is one entry of the instance's hash, ``PK`` is no key at all."""

    STRING = "string"
    HASH = "hash"
    ENTRY = "entry"
    SET = "set"
    LIST = "list"
    SORTED_SET = "zset"
    PK = "pk"

    # A member is one of a kind; hashing its name each time is what the planner would feel.
    __hash__ = object.__hash__


class OnDelete(enum.Enum):
    """What becomes of an object that refers to a deleted one."""

    CLEAR = "it loses the reference"
    CASCADE = "it is deleted, too"
    RESTRICT = "it keeps the other from being deleted"


@attrs.define(eq=False)
class Relation:
    """Where the values of a field point: to primary keys of another model.

    Attributes:
        wanted: the other model as it was declared, in words.
        on_delete: what follows when an object referred to is deleted.
        check: only objects that are there may be referred to.
        to: the other model, None while it is not declared on the same database.
    """

    wanted: str
    on_delete: OnDelete = OnDelete.CLEAR
    check: bool = False
    to: ModelSchema | None = None


@attrs.frozen
class FieldSchema:
    """One declared field.

    Attributes:
        name: its attribute name, which is its name in keys too.
        kind: the Redis type under it.
        indexed: True where ``indexable`` or ``unique`` was declared.
        unique: no two instances share a value.
        lockable: False where its own watches were declared unnecessary.
        relation: where its values point, None where they are no references.
        storage: the last part of its key.
    """

    name: str
    kind: Kind
    indexed: bool = False
    unique: bool = False
    lockable: bool = True
    relation: Relation | None = None
    storage: str = attrs.field(init=False)

    @storage.default
    def _storage(self) -> str:
        return INSTANCE_HASH if self.kind is Kind.ENTRY else self.name


@attrs.frozen(eq=False)
class ModelSchema:
    """One declared model; two schemas are never equal, a model has exactly one.

    Attributes:
        name: the class name.
        keys: how its keys are spelled.
        pk_field: name of the primary key's field.
        auto: True where the pk is counted by Redis (AutoPKField).
        fields: the fields but the pk, by name, in the order of declaration.
        indexed: those with an index, in the same order.
        related: those whose values refer to other objects, in the same order.
        referrers: the models and fields whose values refer to objects of this model.
        storages: the keys an instance may have, as (last part, Redis type), sorted.
    """

    name: str
    keys: Keys
    pk_field: str
    auto: bool
    fields: Mapping[str, FieldSchema]
    referrers: list[tuple[ModelSchema, FieldSchema]] = attrs.field(init=False, factory=list, repr=False)
    indexed: tuple[FieldSchema, ...] = attrs.field(init=False)
    related: tuple[FieldSchema, ...] = attrs.field(init=False)
    storages: tuple[tuple[str, Kind], ...] = attrs.field(init=False)

    @indexed.default
    def _indexed(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.indexed)

    @related.default
    def _related(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.relation is not None)

    @storages.default
    def _storages(self) -> tuple[tuple[str, Kind], ...]:
        kinds = {f.storage: Kind.HASH if f.kind is Kind.ENTRY else f.kind for f in self.fields.values()}
        return tuple(sorted(kinds.items(), key=lambda item: item[0]))

    def index_key(self, field: FieldSchema, entry: str, value: str) -> str:
        """Return the index key of one *value*; the *entry* counts for a HashField only."""
        if field.kind is Kind.HASH:
            return self.keys.entry_index(field.name, entry, value)
        return self.keys.index(field.name, value)

    def index_keys(self, field: FieldSchema, values: Iterable[tuple[str, str]]) -> set[str]:
        """Return the index keys of *values*, pairs of (entry, value) where the entry counts for a HashField only."""
        if field.kind is Kind.HASH:
            return {self.keys.entry_index(field.name, entry, value) for entry, value in values}
        return {self.keys.index(field.name, value) for _, value in values}

    def behind(self, key: str, args: tuple[str, ...]) -> list[str]:
        """Return what a *key* of the model is of, in words; several entries of one hash one by one.

        Args:
            key: one that begins with the model's prefix.
            args: of the call on it: the entries of an instance's hash.
        """
        rest = key.removeprefix(f"{self.keys.prefix}:")
        first, _, others = rest.partition(":")
        if rest == "collection":
            return [f"pks of {self.name}"]
        if first == "__guard__":
            return [f"{self.name} <{others}>"]
        if first in self.fields and self.fields[first].indexed:
            return [f"index {self.name}.{first}"]
        pk, _, storage = rest.rpartition(":")
        names = [name for name in args if name in self.fields] if storage == INSTANCE_HASH else [storage]
        return [f"{self.name} <{pk}>.{name}" for name in names] or [f"{self.name} <{pk}>"]

    def public(self, key: str) -> str | None:
        """Return the part of a *key* of the model that holds no value, None: all of it."""
        first = key.removeprefix(f"{self.keys.prefix}:").partition(":")[0]
        return self.keys.index(first, "") if first in self.fields and self.fields[first].indexed else None

    def why_not_a_pk(self, pk: str) -> str | None:
        """Return why *pk* cannot be chosen for an instance in this layout, or None where it can."""
        if not pk:
            return "it is empty"
        word = pk.partition(":")[0]
        if word in RESERVED or any(field.name == word for field in self.indexed):
            return f"keys that begin with {self.keys.index(word, '')!r} are taken"
        return None
