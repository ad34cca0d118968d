"""What may be wrong with the data of a model, one class a fault (decide, pure).

A finding says which calls tell whether it holds, judges their replies, and knows what mends it. So it is looked at in
one way: by the check in one transaction, by a repair under watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.replies import printable
from uowredis.plan.steps import Step
from uowredis.planner.content import Part, pairs, read_call
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: The plain reply of each call.
Replies: TypeAlias = Mapping[Call, Any]

#: Characters of a value that a finding shows.
_MOST_SHOWN = 100


def cut(value: str) -> str:
    """Return *value* for eyes, quoted and cut where it is long."""
    shown = printable(value)
    return repr(shown) if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]!r}... ({len(value):,} characters)"


@attrs.frozen
class Policy:
    """What a repair may do beside what follows from the data itself.

    Attributes:
        orphans: what becomes of data without primary key: nothing, it gets one ("adopt"), or it is deleted.
        references: what becomes of references to missing objects: nothing, or they are taken away ("clear").
        forget: fields that are no longer declared, by name: what they left is deleted.
    """

    orphans: Literal["leave", "adopt", "delete"] = "leave"
    references: Literal["leave", "clear"] = "leave"
    forget: frozenset[str] = frozenset()


@attrs.frozen
class Mending:
    """What mends one finding.

    Attributes:
        leaving, entering: index entries of an object, each with its field.
        steps: what else is to be sent.
    """

    pk: str = ""
    leaving: tuple[tuple[FieldSchema, IndexEntry], ...] = ()
    entering: tuple[tuple[FieldSchema, IndexEntry], ...] = ()
    steps: tuple[Step, ...] = ()


@attrs.frozen
class Content:
    """What an object holds in one field, or in that part of it which an index entry is of.

    Attributes:
        call: what reads it.
    """

    model: ModelSchema
    field: FieldSchema
    pk: str
    part: Part = None
    call: Call = attrs.field(init=False)

    @call.default
    def _call(self) -> Call:
        kind, part = self._read()
        return read_call(kind, self.model.keys.storage(self.pk, self.field.storage), part)

    @property
    def key(self) -> str:
        """The key that holds it."""
        return self.call[1]

    def _read(self) -> tuple[Kind, Part]:
        return (Kind.HASH, (self.field.stored,)) if self.field.kind is Kind.ENTRY else (self.field.kind, self.part)

    def values(self, replies: Replies) -> list[tuple[str, str]]:
        """Return what is there, as (entry, value) pairs."""
        return pairs(*self._read(), replies[self.call])

    def entries(self, replies: Replies) -> dict[str, IndexEntry]:
        """Return the index entries that it gives, by key."""
        return {entry[0]: entry for entry in self.model.index_entries(self.field, self.values(replies), self.pk)}


def content_behind(model: ModelSchema, field: FieldSchema, pk: str, key: str) -> Content:
    """Return what must be read to tell whether the object *pk* belongs in the index *key*."""
    one_member = field.kind in (Kind.SET, Kind.SORTED_SET)
    return Content(model, field, pk, (model.keys.indexed_value(field.stored, key),) if one_member else None)


def there_call(model: ModelSchema, pk: str) -> Call:
    """Return the call that tells whether an object is there."""
    return "SISMEMBER", model.keys.collection, pk


@attrs.frozen(repr=False)
class Finding:
    """Something about the data of *model* that is not as it should be.

    Attributes:
        model: whose data it is.
        fault: the kind of fault, in words.
        is_note: it may well be meant so.
    """

    model: ModelSchema
    fault: ClassVar[str]
    is_note: ClassVar[bool] = False

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls whose replies tell whether it holds."""
        raise NotImplementedError

    @property
    def watched(self) -> tuple[str, ...]:
        """The keys of which none may change while it is mended."""
        raise NotImplementedError

    def holds(self, replies: Replies) -> bool:
        """Return whether it holds by the *replies* of its calls."""
        raise NotImplementedError

    def mended(self, policy: Policy, replies: Replies) -> Mending | None:
        """Return what mends it, None where that is nothing that *policy* allows.

        It leaves what nobody can decide from the data.
        """
        return None

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Return what is known of it, as plain values."""
        own = attrs.asdict(self, recurse=False) | {"model": self.model.name}
        plain = {
            name: value.name if isinstance(value, FieldSchema | ModelSchema) else value for name, value in own.items()
        }
        return {"fault": self.fault, "note": self.is_note, **plain}

    def __str__(self) -> str:
        return f"{self.fault}: {self.about}"

    def __repr__(self) -> str:
        return f"<{self}>"
