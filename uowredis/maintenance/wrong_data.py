"""What may be wrong with the data of a model beside its indexes (decide, pure)."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import called
from uowredis.maintenance.finding import Finding, Mending, Policy, Replies, cut, there_call
from uowredis.plan.steps import Step
from uowredis.planner.content import Content, content_behind
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, Kind, ModelSchema


@attrs.frozen(repr=False)
class Orphan(Finding):
    """Data without primary key: stored under an object's keys, of an object that is not there.

    Attributes:
        pk: under which it is stored.
        types: the Redis type of each of its storages.
        claims: the index keys of its unique values.
    """

    fault = "data without primary key"
    pk: str
    types: tuple[tuple[str, str], ...]
    claims: tuple[str, ...] = ()

    @property
    def contents(self) -> list[Content]:
        """What its indexes would be made of."""
        kinds = {storage: kind.value for storage, kind in self.model.storages}
        right = {storage for storage, found in self.types if found == kinds[storage]}
        wrong = {storage for storage, _ in self.types} - right
        contents = [Content(self.model, field, self.pk) for field in self.model.indexed if field.storage in right]
        return [each for each in contents if wrong.isdisjoint(beside.field.storage for beside in each.beside)]

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether it is there, what there is, and who holds its unique values."""
        claims = (("SMEMBERS", key) for key in self.claims)
        return there_call(self.model, self.pk), *self._types(), *self._reads(), *claims

    def _reads(self) -> Iterable[Call]:
        return dict.fromkeys(call for each in self.contents for call in each.calls)

    def _types(self) -> Iterable[Call]:
        return (("TYPE", self.model.keys.storage(self.pk, storage)) for storage, _ in self.model.storages)

    @property
    def watched(self) -> tuple[str, ...]:
        """All that it may have, who else may claim its unique values, and what a creation touches."""
        keys = self.model.keys
        return (
            *(keys.storage(self.pk, storage) for storage, _ in self.model.storages),
            keys.guard(self.pk),
            *self.claims,
        )

    def holds(self, replies: Replies) -> bool:
        """Return whether it is still what was found."""
        there, *_ = self.calls
        now = {call[1]: replies[call] for call in self._types()}
        before = {self.model.keys.storage(self.pk, storage): found for storage, found in self.types}
        return not replies[there] and {key: found for key, found in now.items() if found != "none"} == before

    def mended(self, policy: Policy, replies: Replies) -> Mending | None:
        """Adopt it with all its entries, unless another holds a unique value of it; or delete it; or leave it."""
        if policy.orphans == "leave":
            return None
        keys, why = self.model.keys, f"{called(self.model, self.pk)} without primary key"
        entries = tuple((content.field, entry) for content in self.contents for entry in content.entries(replies))
        if policy.orphans == "delete":
            stored = tuple(keys.storage(self.pk, storage) for storage, _ in self.types)
            return Mending(leaving=entries, steps=(Step(("DEL", *stored), why),))
        if {key for field, (key, _, _) in entries if field.claims(keys, key)} - set(self.claims):
            return None
        if any(pk != self.pk for key in self.claims for pk in replies["SMEMBERS", key]):
            return None
        # As a creation does: who counts on its absence learns of it.
        calls: tuple[Call, ...] = (
            ("SADD", keys.collection, self.pk),
            ("SET", keys.guard(self.pk), ""),
            ("DEL", keys.guard(self.pk)),
        )
        return Mending(entering=entries, steps=tuple(Step(call, why) for call in calls))

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        stored = ", ".join(storage for storage, _ in self.types)
        return f"{called(self.model, self.pk)} is not among the objects, and has {stored}"


@attrs.frozen(repr=False)
class Dangling(Finding):
    """A reference to an object that is not there.

    Attributes:
        field: which refers.
        pk: of the object whose it is.
        value: the primary key to which it refers.
    """

    fault = "reference to a missing object"
    field: FieldSchema
    pk: str
    value: str

    @property
    def to(self) -> ModelSchema:
        """The model referred to."""
        assert self.field.relation is not None
        assert self.field.relation.to is not None
        return self.field.relation.to

    @property
    def content(self) -> Content:
        """What refers."""
        return content_behind(self.model, self.field, self.pk, self.model.keys.index(self.field.stored, self.value))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether the object is there and refers, and whether the other is."""
        owned = (call for each in self._owned for call in each.calls)
        return there_call(self.model, self.pk), self.content.call, there_call(self.to, self.value), *owned

    @property
    def _owned(self) -> list[Content]:
        """What indexes of several fields are made of that depend on the reference."""
        return [Content(self.model, owner, self.pk) for owner in self.field.owners]

    @property
    def watched(self) -> tuple[str, ...]:
        """What refers, and what creations and deletions of both objects touch."""
        owned = (key for each in self._owned for key in each.keys)
        guards = self.model.keys.guard(self.pk), self.to.keys.guard(self.value)
        return tuple(dict.fromkeys((self.content.key, *guards, *owned)))

    def holds(self, replies: Replies) -> bool:
        """Return whether it refers, and to nothing."""
        there, _, other, *_ = self.calls
        refers = self.value in (value for _, value in self.content.pairs(replies[self.content.call]))
        return bool(replies[there]) and refers and not replies[other]

    def mended(self, policy: Policy, replies: Replies) -> Mending | None:
        """Take the reference away, or leave it."""
        if policy.references == "leave":
            return None
        key, why = self.content.key, f"{self.model.name}.{self.field.name} refers to nothing"
        match self.field.kind:
            case Kind.ENTRY:
                call: Call = ("HDEL", key, self.field.stored)
            case Kind.SET:
                call = ("SREM", key, self.value)
            case Kind.SORTED_SET:
                call = ("ZREM", key, self.value)
            case Kind.LIST:
                call = ("LREM", key, "0", self.value)
            case _:
                call = ("DEL", key)
        entry = self.model.keys.index(self.field.stored, self.value), self.pk, None
        left = self.field.entries(self.model.keys, (), self.pk) if self.field.single else ()
        entering = tuple((self.field, each) for each in left)
        owned = tuple((each.field, left) for each in self._owned for left in self._lost(each, replies))
        return Mending(leaving=((self.field, entry), *owned), entering=entering, steps=(Step(call, why),))

    def _lost(self, content: Content, replies: Replies) -> set[IndexEntry]:
        """Return the entries of several fields that *content* has while the reference is there."""
        held = {each.field.name: each.pairs(replies[each.call]) for each in (content, *content.beside)}
        left = held | {self.field.name: [pair for pair in held[self.field.name] if pair[1] != self.value]}
        before, after = (content.field.joint_entries(self.model.keys, each, self.pk) for each in (held, left))
        return before - after

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        where = f"{called(self.model, self.pk)}.{self.field.name}"
        return f"{where} refers to {called(self.to, self.value)}, which is not there"


@attrs.frozen(repr=False)
class CounterBehind(Finding):
    """The counter of primary keys says less than the highest one, so that it would be given again."""

    fault = "counter of primary keys behind"
    highest: int

    @property
    def calls(self) -> tuple[Call, ...]:
        """To what it counted."""
        return (("GET", self.model.keys.counter),)

    @property
    def watched(self) -> tuple[str, ...]:
        """The counter."""
        return (self.model.keys.counter,)

    def holds(self, replies: Replies) -> bool:
        """Return whether it is behind, or no number."""
        counted = replies[self.calls[0]]
        try:
            return int(counted or 0) < self.model.number_of(str(self.highest))
        except ValueError:
            return True

    def mended(self, policy: Policy, replies: Replies) -> Mending:
        """Set it to the highest primary key, or to the number of that among those of its shard."""
        call = ("SET", self.model.keys.counter, str(self.model.number_of(str(self.highest))))
        return Mending(steps=(Step(call, f"counter of {self.model.name}"),))

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{cut(self.model.keys.counter)} is behind {self.highest}, a primary key of {self.model.name}"


@attrs.frozen(repr=False)
class UndeclaredIndex(Finding):
    """An index of a field that is not declared, or has no index any more: nobody keeps it right.

    Attributes:
        word: name of the field.
        key: of the index, a set or a sorted set.
    """

    fault = "index not declared"
    word: str
    key: str

    @property
    def calls(self) -> tuple[Call, ...]:
        """What the key is."""
        return (("TYPE", self.key),)

    @property
    def watched(self) -> tuple[str, ...]:
        """The key."""
        return (self.key,)

    def holds(self, replies: Replies) -> bool:
        """Return whether it is there."""
        return replies[self.calls[0]] in ("set", "zset")

    def mended(self, policy: Policy, replies: Replies) -> Mending | None:
        """Delete it where its field is to be forgotten."""
        if self.word not in policy.forget:
            return None
        return Mending(steps=(Step(("UNLINK", self.key), f"{self.model.name}.{self.word} is not declared"),))

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{cut(self.key)} is of no index of {self.model.name}"


@attrs.frozen(repr=False)
class UndeclaredField(Finding):
    """Data of a field that is not declared.

    Attributes:
        pk: of the object.
        storage: the last part of its key.
        entry: its name in the hash of all InstanceHashFields, None where it is a key of its own.
    """

    fault = "field not declared"
    pk: str
    storage: str
    entry: str | None = None

    @property
    def key(self) -> str:
        """The key."""
        return self.model.keys.storage(self.pk, self.storage)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether it is there."""
        return (("EXISTS", self.key) if self.entry is None else ("HEXISTS", self.key, self.entry),)

    @property
    def watched(self) -> tuple[str, ...]:
        """The key."""
        return (self.key,)

    def holds(self, replies: Replies) -> bool:
        """Return whether it is there."""
        return bool(replies[self.calls[0]])

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.storage if self.entry is None else self.entry

    def mended(self, policy: Policy, replies: Replies) -> Mending | None:
        """Delete it where its field is to be forgotten."""
        if self.name not in policy.forget:
            return None
        call: Call = ("UNLINK", self.key) if self.entry is None else ("HDEL", self.key, self.entry)
        return Mending(steps=(Step(call, f"{self.model.name}.{self.name} is not declared"),))

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        where = cut(self.key) if self.entry is None else f"entry {cut(self.entry)} of {cut(self.key)}"
        return f"{where} is of no field of {self.model.name}"


@attrs.frozen(repr=False)
class WrongType(Finding):
    """A key holds another Redis type than its field or index does."""

    fault = "key of another type"
    key: str
    expected: str

    @property
    def calls(self) -> tuple[Call, ...]:
        """What the key is."""
        return (("TYPE", self.key),)

    @property
    def watched(self) -> tuple[str, ...]:
        """Nothing: it is not mended."""
        return ()

    def holds(self, replies: Replies) -> bool:
        """Return whether it is of another type."""
        return replies[self.calls[0]] not in (self.expected, "none")

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{cut(self.key)} is no {self.expected}"


@attrs.frozen(repr=False)
class Empty(Finding):
    """A primary key without data; an object may well be empty."""

    fault = "object without data"
    is_note = True
    pk: str

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether it is there, and has anything."""
        return there_call(self.model, self.pk), self.stored

    @property
    def stored(self) -> Call:
        """The call that counts its keys."""
        return "EXISTS", *(self.model.keys.storage(self.pk, storage) for storage, _ in self.model.storages)

    @property
    def watched(self) -> tuple[str, ...]:
        """Nothing: it is not mended."""
        return ()

    def holds(self, replies: Replies) -> bool:
        """Return whether it is there, and has nothing."""
        there, stored = self.calls
        return bool(replies[there]) and not replies[stored]

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{called(self.model, self.pk)} has nothing stored"
