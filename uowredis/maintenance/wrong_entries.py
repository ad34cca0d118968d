"""What may be wrong with the indexes of a model: one entry, or who holds a unique value (decide, pure)."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import called
from uowredis.commands.replies import printable
from uowredis.maintenance.finding import Finding, Mending, Policy, Replies, cut, entries_by_key, there_call
from uowredis.planner.content import Content, content_behind
from uowredis.schema.index import IndexEntry
from uowredis.schema.joint import JointIndex
from uowredis.schema.models import FieldSchema


@attrs.frozen(repr=False)
class OfEntry(Finding):
    """A fault of one index entry; unless it is missing, it is taken out.

    Attributes:
        field: whose index it is.
        pk: of the object.
        key: of the index.
        member: what the index holds of the object.
        score: with which, where the index is a sorted set.
        state: whether the object is there, whether it holds the value, whether it has the entry.
    """

    field: FieldSchema
    pk: str
    key: str
    member: str
    score: str | None
    state: ClassVar[tuple[bool, bool, bool]]

    @property
    def value(self) -> str:
        """The value that the entry is of, as far as it tells; of a HashField with the name of its entry before."""
        keys = self.model.keys
        if self.score is None or isinstance(self.field.index_of(keys, self.key), JointIndex):
            return keys.indexed_value(self.field.stored, self.key)
        return self.score if self.member == self.pk else self.member

    @property
    def entry(self) -> IndexEntry:
        """The entry."""
        return self.key, self.member, self.score

    @property
    def content(self) -> Content:
        """What tells whether the entry is right."""
        return content_behind(self.model, self.field, self.pk, self.key)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether the object is there, what it holds, whether it has the entry."""
        return there_call(self.model, self.pk), *self.content.calls, lookup(self.entry)

    @property
    def watched(self) -> tuple[str, ...]:
        """What holds the values: who creates or deletes an object with them touches it. Not the index: all share it."""
        return tuple(dict.fromkeys(self.content.keys))

    def holds(self, replies: Replies) -> bool:
        """Return whether the object is there, holds the value, and has the entry, just as it should not be."""
        there, *_, has = self.calls
        held = self.entry in self.content.entries(replies)
        return self.state == (bool(replies[there]), held, has_entry(self.entry, replies[has]))

    def mended(self, policy: Policy, replies: Replies) -> Mending:
        """Take the entry out."""
        return Mending(leaving=((self.field, self.entry),))

    @property
    def where(self) -> str:
        """The field of the object, in words."""
        return f"{called(self.model, self.pk)}.{self.field.name}"


def lookup(entry: IndexEntry) -> Call:
    """Return the call that tells whether an index has *entry*."""
    key, member, score = entry
    return "SISMEMBER" if score is None else "ZSCORE", key, member


def has_entry(entry: IndexEntry, reply: Any) -> bool:
    """Return what the *reply* to the :func:`lookup` of *entry* says: another score is another entry."""
    *_, score = entry
    return bool(reply) if score is None else reply is not None and float(reply) == float(score)


@attrs.frozen(repr=False)
class MissingEntry(OfEntry):
    """An object holds a value, and its index does not know."""

    fault = "missing entry"
    state = (True, True, False)

    def mended(self, policy: Policy, replies: Replies) -> Mending:
        """Enter it: beside another holder of a unique value, too, since the index says what the fields say."""
        return Mending(entering=((self.field, self.entry),))

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{self.where} holds {cut(self.value)}, which is not in its index {cut(self.key)}"


@attrs.frozen(repr=False)
class StaleEntry(OfEntry):
    """The index says that an object holds a value, and it does not."""

    fault = "stale entry"
    state = (True, False, True)

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{self.where} does not hold {cut(self.value)}, as its index {cut(self.key)} says"


@attrs.frozen(repr=False)
class VanishedEntry(OfEntry):
    """The index knows an object that is not there; what still has the value in its data is an orphan, another fault."""

    fault = "entry of a vanished object"
    state = (False, False, True)

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{called(self.model, self.pk)} is not there, and is in the index {cut(self.key)}"


@attrs.frozen(repr=False)
class TwoHolders(Finding):
    """Two objects or more hold one value of a unique field; nobody but the owner of the data can say whose it is."""

    fault = "two holders of a unique value"
    field: FieldSchema
    key: str
    pks: tuple[str, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether each of them is there and holds the value."""
        contents = [content_behind(self.model, self.field, pk, self.key) for pk in self.pks]
        return (*(there_call(self.model, pk) for pk in self.pks), *(call for each in contents for call in each.calls))

    @property
    def watched(self) -> tuple[str, ...]:
        """Nothing: it is not mended."""
        return ()

    def holders(self, replies: Replies) -> tuple[str, ...]:
        """Return those that are there and hold the value."""
        return tuple(
            pk
            for pk in self.pks
            if replies[there_call(self.model, pk)]
            and self.key in entries_by_key(content_behind(self.model, self.field, pk, self.key), replies)
        )

    def holds(self, replies: Replies) -> bool:
        """Return whether at least two hold it."""
        return len(self.holders(replies)) > 1

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        value = cut(self.model.keys.indexed_value(self.field.stored, self.key))
        return f"{value} of {self.model.name}.{self.field.name} is held by {', '.join(map(printable, self.pks))}"
