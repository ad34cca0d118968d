"""What a model or a field was declared to be, as frozen facts (declare).

The planner knows these and nothing of models or fields: behaviour follows from facts, in the planner's rules.
"""

from __future__ import annotations

import enum
import importlib
import operator
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from uowredis.schema.index import EqualIndex, Index, IndexEntry
from uowredis.schema.joint import EqualIndexWith, Held, JointIndex
from uowredis.schema.keys import INSTANCE_HASH, RESERVED, Keys, word_of
from uowredis.schema.shards import shard_of
from uowredis.values import ValueType

if TYPE_CHECKING:
    from uowredis.schema.facets import Facets


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


#: What holds one value at most; what does in each of its entries.
_SINGLE = Kind.STRING, Kind.ENTRY
_ONE_EACH = *_SINGLE, Kind.HASH


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
        other_side: name of the collection on the other side, while there is one.
    """

    wanted: str
    on_delete: OnDelete = OnDelete.CLEAR
    check: bool = False
    to: ModelSchema | None = None
    other_side: str = ""


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
        declared: the kinds of its indexes, where it has some: the first that can answers a filter.
        none: whether objects that hold nothing are found by that.
        own: the type that was declared for its values.
        stored: its name in Redis: in keys, and as an entry of the instance's hash.
        storage: the last part of its key.
        indexes: those declared, bound to it.
        by_value: whether all there is are the sets of an EqualIndex, as it is.
        picky: whether there are values that its indexes cannot hold.
        lossy: whether two of its values may be one to an index, so that one must not take the entry of the other away.
        joint: those of its indexes that are of several fields.
        beside: the other fields of these.
        owners: the fields that have an index of several fields of which it is one.
        claiming: whether one of its indexes stands for what is unique.
    """

    name: str
    kind: Kind
    indexed: bool = False
    unique: bool = False
    lockable: bool = True
    relation: Relation | None = attrs.field(default=None, eq=False)
    declared: tuple[type[Index], ...] = attrs.field(default=(EqualIndex,), kw_only=True, eq=False)
    none: bool = attrs.field(default=False, kw_only=True)
    own: ValueType[Any] | None = attrs.field(default=None, kw_only=True, eq=False)
    stored: str = attrs.field(kw_only=True)
    storage: str = attrs.field(init=False)
    indexes: tuple[Index, ...] = attrs.field(init=False, eq=False, repr=False)
    by_value: bool = attrs.field(init=False)
    picky: bool = attrs.field(init=False)
    lossy: bool = attrs.field(init=False)
    joint: tuple[JointIndex, ...] = attrs.field(init=False, default=(), eq=False, repr=False)
    beside: tuple[FieldSchema, ...] = attrs.field(init=False, default=(), eq=False, repr=False)
    owners: tuple[FieldSchema, ...] = attrs.field(init=False, default=(), eq=False, repr=False)
    claiming: bool = attrs.field(init=False, eq=False, repr=False)

    @claiming.default
    def _claiming(self) -> bool:
        return self.unique

    @stored.default
    def _stored(self) -> str:
        return self.name

    @storage.default
    def _storage(self) -> str:
        return INSTANCE_HASH if self.kind is Kind.ENTRY else self.stored

    @indexes.default
    def _indexes(self) -> tuple[Index, ...]:
        bound = tuple(kind(self) for kind in self.declared) if self.indexed else ()
        for index in bound:
            if isinstance(index, EqualIndex):
                index.beside(bound)
        return bound

    @by_value.default
    def _by_value(self) -> bool:
        (first, *others) = self.indexes or (None,)
        return type(first) is EqualIndex and not others and not first.tail and not first.picky and not self.none

    @picky.default
    def _picky(self) -> bool:
        return any(index.picky for index in self.indexes)

    @lossy.default
    def _lossy(self) -> bool:
        many = self.kind in (Kind.SET, Kind.LIST, Kind.SORTED_SET)
        return many and any(index.spells_freely for index in self.indexes)

    def join(self, fields: Mapping[str, FieldSchema]) -> None:
        """Learn of the other *fields* of the model on which its indexes depend; they learn of it."""
        joint = tuple(index for index in self.indexes if isinstance(index, JointIndex))
        for index in joint:
            index.join(fields)
        beside = tuple(dict.fromkeys(name for index in joint for name in index.names_beside()))
        known = {
            "joint": joint,
            "beside": tuple(fields[name] for name in beside),
            "claiming": self.unique or any(isinstance(index, EqualIndexWith) and index.unique for index in joint),
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)
        for field in (self, *self.beside) if joint else ():
            owners = (*(owner for owner in field.owners if owner.name != self.name), self)
            object.__setattr__(field, "owners", owners)
            # Each change of one of them is a change of the index.
            object.__setattr__(field, "indexed", True)

    @property
    def relates(self) -> bool:
        """Whether its values, or those of fields beside it, refer to other objects."""
        return self.relation is not None or any(field.relation is not None for field in self.beside)

    @property
    def by_entry(self) -> bool:
        """Whether its values are those of entries of a hash, told apart by their names."""
        return self.kind is Kind.HASH

    @property
    def single(self) -> bool:
        """Whether it holds one value at most."""
        return self.kind in _SINGLE

    @property
    def one_each(self) -> bool:
        """Whether an object has one value at most in what an index entry is of: the field, or an entry of it."""
        return self.kind in _ONE_EACH

    def entries(self, keys: Keys, found: Iterable[tuple[str, str]], pk: str) -> set[IndexEntry]:
        """Return what its indexes hold of the object *pk* with what was *found*: (entry, value) pairs."""
        if self.by_value and not self.by_entry:
            stored = self.stored
            return {(keys.index(stored, value), pk, None) for _, value in found}
        held = list(found)
        if not held and self.none:
            return {(keys.none(self.stored), pk, None)}
        return {entry for index in self.indexes for entry in index.entries(keys, held, pk)}

    def joint_entries(self, keys: Keys, held: Held, pk: str) -> set[IndexEntry]:
        """Return what its indexes of several fields hold of the object *pk* with what each of these is *held* in."""
        return {entry for index in self.joint for entry in index.joint_entries(keys, held, pk)}

    def entries_of_one(self, keys: Keys, value: str | None, pk: str) -> Collection[IndexEntry]:
        """Same as :meth:`entries` of a field that holds one *value*, or None."""
        if self.by_value:
            return () if value is None else ((keys.index(self.stored, value), pk, None),)
        return self.entries(keys, () if value is None else (("", value),), pk)

    def index_of(self, keys: Keys, key: str) -> Index | None:
        """Return the index that *key*, one of those of the field, is of; None for that of what holds nothing.

        A key without a value in it is what it says; else the longest form counts.
        """
        if self.by_value:
            return self.indexes[0]
        found = [index for index in self.indexes if index.owns(keys, key)]
        return max(found, key=lambda index: (index.redis_type != "set", len(index.tail)), default=None)

    @property
    def words(self) -> tuple[str, ...]:
        """What fingerprints call its indexes, and that of what holds nothing."""
        return (*(index.word for index in self.indexes), *(("none",) if self.none else ()))

    def word_of(self, keys: Keys, key: str) -> str | None:
        """Return what fingerprints call the index of the field that *key* is of, None for any other key."""
        if keys.is_none(self.stored, key):
            return "none"
        index = self.index_of(keys, key) if keys.is_index(self.stored, key) else None
        return None if index is None else index.word

    def claims(self, keys: Keys, key: str) -> bool:
        """Return whether the index *key* stands for a unique value."""
        if not self.claiming or self.by_value:
            return self.claiming
        index = None if keys.is_none(self.stored, key) else self.index_of(keys, key)
        return index is not None and index.claims(keys, key)

    def claimed(self, keys: Keys, value: str) -> Iterator[str]:
        """Yield the index keys that stand for a unique *value*."""
        for index in self.indexes:
            for key, _, _ in index.entries(keys, (("", value),), "") if index.handle_uniqueness else ():
                if index.claims(keys, key):
                    yield key

    @property
    def holds(self) -> ValueType[Any] | None:
        """What its values are: of a reference what the primary keys are; None for text and numbers, as text."""
        if self.relation is None:
            return self.own
        return None if self.relation.to is None else self.relation.to.pk_holds


def _joined(fields: Mapping[str, FieldSchema]) -> Mapping[str, FieldSchema]:
    """Return *fields*, the fields of one model, which know of each other now where an index is of several."""
    for field in fields.values():
        field.join(fields)
    return fields


@attrs.frozen(eq=False)
class ModelSchema:
    """One declared model; two schemas are never equal, a model has exactly one.

    A sharded one has another for each shard, its *facets*, and is the *whole* to these: no object is of it.

    Attributes:
        name: the class name.
        keys: how its keys are spelled.
        pk_field: name of the primary key's field.
        auto: True where the pk is counted by Redis (AutoPKField).
        fields: the fields but the pk, by name, in the order of declaration.
        by_stored: the same by their names in Redis.
        indexed: those with an index, in the same order.
        unique: those whose values no two instances share, alone or together with others, in the same order.
        nones: those of which it is indexed that they hold nothing, in the same order.
        together: the indexes that answer filters on several fields, those of most fields first.
        related: those whose values refer to other objects, in the same order.
        path: where its class is, ``module:qualified.name``; a pickle says no more of it.
        pk_holds: what its primary keys are, None for text.
        referrers: the models and fields whose values refer to objects of this model.
        successor: of the class that was declared again at this path, None while this one is the last.
        absent: the class of the error for an object that is not there, None for the general one.
        storages: the keys an instance may have, as (last part, Redis type), sorted.
        plain: whether the instance's hash is what is read of it: no entry has a type, no field another name there.
        memory: what others have worked out of the model, once for all its objects; each knows its own keys there.
        facets: of a sharded model, None for one that is not sharded, and for a facet.
        shard: of a facet, None for any other.
        whole: the model that a facet is of, None for any other.
    """

    name: str
    keys: Keys
    pk_field: str
    auto: bool
    fields: Mapping[str, FieldSchema] = attrs.field(converter=_joined)
    path: str = ""
    pk_holds: ValueType[Any] | None = attrs.field(default=None, kw_only=True)
    absent: type[Exception] | None = attrs.field(default=None, kw_only=True)
    facets: Facets | None = attrs.field(default=None, kw_only=True, repr=False)
    shard: int | None = attrs.field(default=None, kw_only=True)
    whole: ModelSchema | None = attrs.field(default=None, kw_only=True, repr=False)
    referrers: list[tuple[ModelSchema, FieldSchema]] = attrs.field(init=False, factory=list, repr=False)
    successor: ModelSchema | None = attrs.field(init=False, default=None, repr=False)
    by_stored: Mapping[str, FieldSchema] = attrs.field(init=False, repr=False)
    indexed: tuple[FieldSchema, ...] = attrs.field(init=False)
    unique: tuple[FieldSchema, ...] = attrs.field(init=False)
    nones: tuple[FieldSchema, ...] = attrs.field(init=False)
    together: tuple[EqualIndexWith, ...] = attrs.field(init=False, repr=False)
    related: tuple[FieldSchema, ...] = attrs.field(init=False)
    storages: tuple[tuple[str, Kind], ...] = attrs.field(init=False)
    plain: bool = attrs.field(init=False)
    memory: dict[Any, Any] = attrs.field(init=False, factory=dict, repr=False)

    @by_stored.default
    def _by_stored(self) -> Mapping[str, FieldSchema]:
        return {field.stored: field for field in self.fields.values()}

    @indexed.default
    def _indexed(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.indexed)

    @unique.default
    def _unique(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.claiming)

    @nones.default
    def _nones(self) -> tuple[FieldSchema, ...]:
        return tuple(field for field in self.fields.values() if field.none)

    @together.default
    def _together(self) -> tuple[EqualIndexWith, ...]:
        joint = (index for field in self.fields.values() for index in field.joint)
        found = (index for index in joint if isinstance(index, EqualIndexWith))
        return tuple(sorted(found, key=lambda index: -len(index.fields)))

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
        """The schema of the class that was declared last at this path: this one, unless it was declared again."""
        schema = self
        while schema.successor is not None:
            schema = schema.successor
        return schema

    def give_way(self, successor: ModelSchema) -> None:
        """Be of a former declaration from now on: the one thing besides its referrers that is learned later."""
        object.__setattr__(self, "successor", successor)
        if self.facets is not None:
            self.facets.give_way(successor)

    # Of sharded models.

    @property
    def declared(self) -> ModelSchema:
        """The model as it was declared: that which a facet is of, or itself."""
        return self if self.whole is None else self.whole

    @property
    def shards(self) -> int | None:
        """In how many shards the objects of the model are, also of a facet; None where it is not sharded."""
        facets = self.declared.facets
        return None if facets is None else facets.count

    def facet(self, shard: int) -> ModelSchema:
        """Return what the model, which is sharded, is in *shard*."""
        assert self.facets is not None
        return self.facets.of(self, shard)

    def at(self, pk: str) -> ModelSchema:
        """Return what the object with *pk* is of: a facet of a sharded model, of any other itself."""
        return self if self.facets is None else self.facet(self.shard_of(pk))

    def spread(self, pks: Sequence[str]) -> Mapping[ModelSchema, Sequence[str]]:
        """Return *pks* by what :meth:`at` says."""
        if self.facets is None:
            return {self: pks}
        by_model: dict[ModelSchema, list[str]] = {}
        for pk in pks:
            by_model.setdefault(self.at(pk), []).append(pk)
        return by_model

    def shard_of(self, pk: str) -> int:
        """Return the shard in which the object with *pk* is; the model, or that which it is a facet of, is sharded."""
        shards = self.shards
        assert shards is not None
        return shard_of(pk, shards, auto=self.auto)

    def pk_of(self, number: int) -> str:
        """Return the primary key that Redis counts as *number*: in each shard there are others."""
        return str(number if self.shard is None else number * (self.shards or 1) + self.shard)

    def number_of(self, pk: str) -> int:
        """Return as which number Redis counts *pk*; the reverse of :meth:`pk_of`."""
        return int(pk) // (1 if self.shard is None else self.shards or 1)

    def of_key(self, key: str) -> ModelSchema | None:
        """Return this model, or the facet of it, where *key* is one of its keys; None for any other key."""
        if self.facets is not None:
            return self.facets.at(self, key)
        return self if self.keys.owns(key) else None

    def __copy__(self) -> ModelSchema:
        return self

    def __deepcopy__(self, memo: object) -> ModelSchema:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if "<locals>" in self.path or not self.path:
            raise TypeError(
                f"{self.name} cannot be pickled: nobody finds it inside a function. Way out: declare it in a module"
            )
        return _declared, (self.path, self.shard)

    def index_entries(self, field: FieldSchema, found: Iterable[tuple[str, str]], pk: str) -> set[IndexEntry]:
        """Return what the indexes of *field* hold of the object *pk* with what was *found*: (entry, value) pairs."""
        return field.entries(self.keys, found, pk)

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
        keys = self.keys
        return next(
            (field for field in self.indexed if keys.is_index(field.stored, key) or keys.is_none(field.stored, key)),
            None,
        )

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


def _declared(place: str, shard: int | None = None) -> ModelSchema:
    """Return the schema of the model at *place* in this process, or its facet in *shard*."""
    module, _, name = place.partition(":")
    schema: ModelSchema = operator.attrgetter(f"{name}._schema")(importlib.import_module(module))
    return schema if shard is None else schema.facet(shard)
