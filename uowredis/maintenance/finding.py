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
from uowredis.planner.content import Content
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, ModelSchema

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

    leaving: tuple[tuple[FieldSchema, IndexEntry], ...] = ()
    entering: tuple[tuple[FieldSchema, IndexEntry], ...] = ()
    steps: tuple[Step, ...] = ()


def entries_by_key(content: Content, replies: Replies) -> dict[str, IndexEntry]:
    """Return the index entries of what *content* was found to be, by key."""
    return {entry[0]: entry for entry in content.entries(replies)}


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
