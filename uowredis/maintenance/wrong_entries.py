"""What may be wrong with the indexes of a model: one entry, or who holds a unique value (decide, pure)."""

from __future__ import annotations

from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import called
from uowredis.commands.replies import printable
from uowredis.maintenance.finding import Content, Finding, Mending, Policy, Replies, content_behind, cut, there_call
from uowredis.schema.models import FieldSchema


@attrs.frozen(repr=False)
class OfEntry(Finding):
    """A fault of one index entry.

    Attributes:
        field: whose index it is.
        pk: of the object.
        key: of the index.
    """

    field: FieldSchema
    pk: str
    key: str

    @property
    def value(self) -> str:
        """The value that the entry is of; of a HashField with the name of its entry before."""
        return self.model.keys.indexed_value(self.field.stored, self.key)

    @property
    def content(self) -> Content:
        """What tells whether the entry is right."""
        return content_behind(self.model, self.field, self.pk, self.key)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether the object is there, what it holds, whether it has the entry."""
        return there_call(self.model, self.pk), self.content.call, self.field.index.lookup(self.key, self.pk)

    @property
    def watched(self) -> tuple[str, ...]:
        """What holds the value: who creates or deletes an object with it touches that. Not the index: all share it."""
        return (self.content.key,)

    def state(self, replies: Replies) -> tuple[bool, bool, bool]:
        """Return whether the object is there, whether it holds the value, whether it has the entry."""
        there, _, has = self.calls
        return bool(replies[there]), self.key in self.content.entries(replies), has_entry(replies[has])

    @property
    def where(self) -> str:
        """The field of the object, in words."""
        return f"{called(self.model, self.pk)}.{self.field.name}"

    def leaving(self) -> Mending:
        """Return what takes the entry out."""
        return Mending(self.pk, leaving=((self.field, (self.key, self.pk, None)),))


def has_entry(reply: Any) -> bool:
    """Return what the *reply* to the look-up of an index entry says."""
    return reply not in (None, 0)


@attrs.frozen(repr=False)
class MissingEntry(OfEntry):
    """An object holds a value, and its index does not know."""

    fault = "missing entry"

    def holds(self, replies: Replies) -> bool:
        """Return whether it holds."""
        return self.state(replies) == (True, True, False)

    def mended(self, policy: Policy, replies: Replies) -> Mending:
        """Enter it: beside another holder of a unique value, too, since the index says what the fields say."""
        return Mending(self.pk, entering=((self.field, self.content.entries(replies)[self.key]),))

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{self.where} holds {cut(self.value)}, which is not in its index {cut(self.key)}"


@attrs.frozen(repr=False)
class StaleEntry(OfEntry):
    """The index says that an object holds a value, and it does not."""

    fault = "stale entry"

    def holds(self, replies: Replies) -> bool:
        """Return whether it holds."""
        return self.state(replies) == (True, False, True)

    def mended(self, policy: Policy, replies: Replies) -> Mending:
        """Take it out."""
        return self.leaving()

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{self.where} does not hold {cut(self.value)}, as its index {cut(self.key)} says"


@attrs.frozen(repr=False)
class VanishedEntry(OfEntry):
    """The index knows an object that is not there."""

    fault = "entry of a vanished object"

    def holds(self, replies: Replies) -> bool:
        """Return whether it holds; what still has the value in its data is an orphan, and that is another fault."""
        return self.state(replies) == (False, False, True)

    def mended(self, policy: Policy, replies: Replies) -> Mending:
        """Take it out."""
        return self.leaving()

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
        contents = [content_behind(self.model, self.field, pk, self.key).call for pk in self.pks]
        return (*(there_call(self.model, pk) for pk in self.pks), *contents)

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
            and self.key in content_behind(self.model, self.field, pk, self.key).entries(replies)
        )

    def holds(self, replies: Replies) -> bool:
        """Return whether at least two hold it."""
        return len(self.holders(replies)) > 1

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        value = cut(self.model.keys.indexed_value(self.field.stored, self.key))
        return f"{value} of {self.model.name}.{self.field.name} is held by {', '.join(map(printable, self.pks))}"
