"""What may be wrong with the texts that are stored in fields with a type (decide, pure).

Neither is mended: what a text was meant to say nobody can tell from it, and to spell a value anew is to write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import called
from uowredis.maintenance.finding import Finding, Replies, cut, there_call
from uowredis.planner.content import Content
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.values import ValueType

#: Fields whose values are found by their text, with an index or without.
_TOLD_APART = (Kind.SET, Kind.SORTED_SET, Kind.LIST, Kind.PK)


@attrs.frozen(repr=False)
class OfText(Finding):
    """A fault of one stored text.

    Attributes:
        field: which holds it; a primary key is one, too.
        pk: of the object.
        text: what is stored, whole.
        entry: its name in the hash, '' where there is none.
    """

    field: FieldSchema
    pk: str
    text: str
    entry: str = ""

    @property
    def content(self) -> Content:
        """What holds it, unless it is a primary key."""
        match self.field.kind:
            case Kind.SET | Kind.SORTED_SET:
                return Content(self.model, self.field, self.pk, (self.text,))
            case Kind.HASH:
                return Content(self.model, self.field, self.pk, (self.entry,))
            case _:
                return Content(self.model, self.field, self.pk)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether the object is there, and what it holds."""
        there = there_call(self.model, self.pk)
        return (there,) if self.field.kind is Kind.PK else (there, self.content.call)

    @property
    def watched(self) -> tuple[str, ...]:
        """Nothing: it is not mended."""
        return ()

    def holds(self, replies: Replies) -> bool:
        """Return whether the object is there and holds the text still; what the text is does not change."""
        there, *contents = self.calls
        return bool(replies[there]) and all(
            (self.entry, self.text) in self.content.pairs(replies[call]) for call in contents
        )

    @property
    def where(self) -> str:
        """What holds the text, in words."""
        entry = f" in {cut(self.entry)}" if self.field.kind is Kind.HASH else ""
        return f"{called(self.model, self.pk)}.{self.field.name}{entry}"

    @property
    def wanted(self) -> str:
        """The name of the type."""
        return "text" if self.field.holds is None else self.field.holds.name


@attrs.frozen(repr=False)
class Unreadable(OfText):
    """A text that the type of its field cannot read: whoever reads it gets an error."""

    fault = "unreadable value"

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{self.where} holds {self.wanted}, and {cut(self.text)} is stored, which cannot be read"


@attrs.frozen(repr=False)
class Misspelled(OfText):
    """A text that the type of its field reads and would spell otherwise, where values are found by their spelling."""

    fault = "value of another spelling"

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return (
            f"{self.where} holds {cut(self.text)}, which {self.wanted} spells otherwise: it is not found by its value"
        )


def wrong_texts(model: ModelSchema, field: FieldSchema, pk: str, found: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Yield what is wrong with the texts that were *found* in a *field*, as (entry, text) pairs."""
    holds = field.holds
    if holds is None:
        return
    is_found_by_text = field.indexed or field.kind in _TOLD_APART
    for entry, text in dict.fromkeys(found):
        # A codec is code of others, and refuses by whatever exception.
        try:
            value = holds.read(text)
        except Exception:
            yield Unreadable(model, field, pk, text, entry)
            continue
        if is_found_by_text and _spelled(holds, value) != text:
            yield Misspelled(model, field, pk, text, entry)


def wrong_pk(model: ModelSchema, pk: str) -> Iterator[Finding]:
    """Yield what is wrong with the text of a primary key."""
    if model.pk_holds is not None:
        yield from wrong_texts(model, FieldSchema(model.pk_field, Kind.PK, own=model.pk_holds), pk, [("", pk)])


def _spelled(holds: ValueType[Any], value: Any) -> str | None:
    """Return how *holds* spells a *value* that it read, None where it takes more than it gives."""
    try:
        return holds.spell(value)
    except Exception:
        return None
