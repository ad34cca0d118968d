"""What a model or a field was declared to be, as frozen facts (declare).

The planner knows these and nothing of models or fields: behaviour follows from facts, in the planner's rules.
"""

from __future__ import annotations

import enum
import importlib
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from uowredis.schema.index import Equality, IndexEntry
from uowredis.schema.keys import INSTANCE_HASH, RESERVED, Keys, word_of
from uowredis.values import ValueType


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
        name: its attribute name, by which it is called everywhere but in Redis.
        kind: the Redis type under it.
        indexed: True where ``indexable`` or ``unique`` was declared.
        unique: no two instances share a value.
        lockable: False where its own watches were declared unnecessary.
        relation: where its values point, None where they are no references.
        index: the kind of its index, where it has one.
        own: the type that was declared for its values.
        stored: its name in Redis: in keys, and as an entry of the instance's hash.
        storage: the last part of its key.
    """

    name: str
    kind: Kind
    indexed: bool = False
    unique: bool = False
    lockable: bool = True
    relation: Relation | None = attrs.field(default=None, eq=False)
    index: Equality = attrs.field(kw_only=True, eq=False)
    own: ValueType[Any] | None = attrs.field(default=None, kw_only=True, eq=False)
    stored: str = attrs.field(kw_only=True)
    storage: str = attrs.field(init=False)

    @stored.default
    def _stored(self) -> str:
        return self.name

    @storage.default
    def _storage(self) -> str:
        return INSTANCE_HASH if self.kind is Kind.ENTRY else self.stored

    @index.default
    def _index(self) -> Equality:
        return Equality(by_entry=self.kind is Kind.HASH)

    @property
    def holds(self) -> ValueType[Any] | None:
        """What its values are: of a reference what the primary keys are; None for text and numbers, as text."""
        if self.relation is None:
            return self.own
        return None if self.relation.to is None else self.relation.to.pk_holds


@attrs.frozen(eq=False)
class ModelSchema:
    """One declared model; two schemas are never equal, a model has exactly one.

    Attributes:
        name: the class name.
        keys: how its keys are spelled.
        pk_field: name of the primary key's field.
        auto: True where the pk is counted by Redis (AutoPKField).
        fields: the fields but the pk, by name, in the order of declaration.
        by_stored: the same by their names in Redis.
        indexed: those with an index, in the same order.
        unique: those whose values no two instances share, in the same order.
        related: those whose values refer to other objects, in the same order.
        place: where its class is, ``module:qualified.name``; a pickle says no more of it.
        pk_holds: what its primary keys are, None for text.
        referrers: the models and fields whose values refer to objects of this model.
        successor: of the class that was declared again at this place, None while this one is the last.
        storages: the keys an instance may have, as (last part, Redis type), sorted.
        plain: whether the instance's hash is what is read of it: no entry has a type, no field another name there.
    """

    name: str
    keys: Keys
    pk_field: str
    auto: bool
    fields: Mapping[str, FieldSchema]
    place: str = ""
    pk_holds: ValueType[Any] | None = attrs.field(default=None, kw_only=True)
    referrers: list[tuple[ModelSchema, FieldSchema]] = attrs.field(init=False, factory=list, repr=False)
    successor: ModelSchema | None = attrs.field(init=False, default=None, repr=False)
    by_stored: Mapping[str, FieldSchema] = attrs.field(init=False, repr=False)
    indexed: tuple[FieldSchema, ...] = attrs.field(init=False)
    unique: tuple[FieldSchema, ...] = attrs.field(init=False)
    related: tuple[FieldSchema, ...] = attrs.field(init=False)
    storages: tuple[tuple[str, Kind], ...] = attrs.field(init=False)
    plain: bool = attrs.field(init=False)

    @by_stored.default
    def _by_stored(self) -> Mapping[str, FieldSchema]:
        return {field.stored: field for field in self.fields.values()}

    @indexed.default
    def _indexed(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.indexed)

    @unique.default
    def _unique(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.unique)

    @related.default
    def _related(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.relation is not None)

    @storages.default
    def _storages(self) -> tuple[tuple[str, Kind], ...]:
        kinds = {f.storage: Kind.HASH if f.kind is Kind.ENTRY else f.kind for f in self.fields.values()}
        return tuple(sorted(kinds.items(), key=lambda item: item[0]))

    @plain.default
    def _plain(self) -> bool:
        fields = self.fields.values()
        typed = any(each.kind is Kind.ENTRY and (each.own is not None or each.relation is not None) for each in fields)
        return not typed and all(each.stored == each.name for each in fields)

    @property
    def latest(self) -> ModelSchema:
        """The schema of the class that was declared last at this place: this one, unless it was declared again."""
        schema = self
        while schema.successor is not None:
            schema = schema.successor
        return schema

    def give_way(self, successor: ModelSchema) -> None:
        """Be of a former declaration from now on: the one thing besides its referrers that is learned later."""
        object.__setattr__(self, "successor", successor)

    def __copy__(self) -> ModelSchema:
        return self

    def __deepcopy__(self, memo: object) -> ModelSchema:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if "<locals>" in self.place or not self.place:
            raise TypeError(
                f"{self.name} cannot be pickled: nobody finds it inside a function. Way out: declare it in a module"
            )
        return _declared, (self.place,)

    def index_key(self, field: FieldSchema, entry: str, value: str) -> str:
        """Return the index key of one *value*; the *entry* counts for a HashField only."""
        return field.index.key(self.keys, field.stored, entry, value)

    def index_entries(self, field: FieldSchema, found: Iterable[tuple[str, str]], pk: str) -> set[IndexEntry]:
        """Return what the index of *field* holds of the object *pk* with what was *found*: (entry, value) pairs."""
        return field.index.entries(self.keys, field.stored, found, pk)

    def entry_shown(self, entry: str) -> str | None:
        """Return what an *entry* of the instance's hash is called: its field, or itself where nobody declares it.

        None for one that nobody declares and that is called like a field that is stored under another name.
        """
        field = self.by_stored.get(entry)
        if field is not None and field.kind is Kind.ENTRY:
            return field.name
        return None if entry in self.fields and field is not self.fields[entry] else entry

    def behind(self, key: str, args: tuple[str, ...]) -> list[str]:
        """Return what a *key* of the model is of, in words; several entries of one hash one by one.

        Args:
            key: one that begins with the model's prefix.
            args: of the call on it: the entries of an instance's hash.
        """
        guarded = self.keys.guarded_pk(key)
        if key == self.keys.collection:
            return [f"pks of {self.name}"]
        if key == self.keys.fingerprint:
            return [f"fingerprint of {self.name}"]
        if guarded is not None:
            return [f"{self.name} <{guarded}>"]
        if self.keys.is_token(key):
            return ["token of a commit"]
        if (field := self.index_of(key)) is not None:
            return [f"index {self.name}.{field.name}"]
        pk, storage = self.keys.stored_at(key)
        stored = args if storage == INSTANCE_HASH else (storage,)
        names = [self.by_stored[name].name for name in stored if name in self.by_stored]
        if storage != INSTANCE_HASH and not names:
            names = [storage]
        return [f"{self.name} <{pk}>.{name}" for name in names] or [f"{self.name} <{pk}>"]

    def index_of(self, key: str) -> FieldSchema | None:
        """Return the field to whose index *key* belongs, None for any other key."""
        return next((field for field in self.indexed if self.keys.is_index(field.stored, key)), None)

    def public(self, key: str) -> str | None:
        """Return the part of a *key* of the model that holds no value, None: all of it."""
        field = self.index_of(key)
        return None if field is None else self.keys.index_opening(field.stored)

    def may_share(self, other: ModelSchema) -> bool:
        """Return whether a key of this model may be one of *other*, whose prefix begins with all of this one's."""
        if not self.keys.owns(other.keys.prefix):
            return False
        word = self.keys.word_in(other.keys.prefix)
        return not self.auto or word in RESERVED or any(field.stored == word for field in self.indexed)

    def why_not_a_pk(self, pk: str) -> str | None:
        """Return why *pk* cannot be chosen for an instance in this layout, or None where it can."""
        if not pk:
            return "it is empty"
        word = word_of(pk)
        if word in RESERVED or any(field.stored == word for field in self.indexed):
            return f"keys that begin with {self.keys.index_opening(word)!r} are taken"
        return None


def _declared(place: str) -> ModelSchema:
    """Return the schema of the model at *place* in this process."""
    module, _, name = place.partition(":")
    schema: ModelSchema = operator.attrgetter(f"{name}._schema")(importlib.import_module(module))
    return schema
