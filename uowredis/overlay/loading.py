"""Reads values of objects that were found, of every kind, and of what they refer to (decide).

What lies one foreign key further is read in one round trip more, for all objects together, however many these are. An
object to which several refer is read once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity, State
from uowredis.commands.paths import Path
from uowredis.commands.replies import as_is, as_maybe_texts, as_text
from uowredis.commands.whole import whole_read
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.recorder import SHOWN_PK
from uowredis.plan.requests import Deciding
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: An object, by its model and its primary key.
_Object: TypeAlias = tuple[ModelSchema, str]


@attrs.define
class Loading:
    """What is read of some objects of one model.

    Attributes:
        paths: the values wanted of each.
    """

    overlay: Overlay
    model: ModelSchema
    paths: Sequence[Path]
    _held: dict[_Object, dict[str, Any]] = attrs.field(init=False, factory=dict)

    def columns(
        self, pks: Sequence[str], known: Mapping[str, Sequence[str | None]], beside: Sequence[Call] = ()
    ) -> Deciding[tuple[list[list[Any]], list[Any]]]:
        """Return the values of the objects *pks*, and the raw replies to what is asked *beside* the first of them.

        Args:
            pks: of the objects.
            known: what some fields of them are known to hold, by their names.
            beside: calls to be answered in the same round trip.

        Returns:
            A column for each path: single values as they are stored, others by their types; None for all behind a
            reference that is not there.
        """
        for name, column in known.items():
            for pk, value in zip(pks, column, strict=True):
                self._held.setdefault((self.model, pk), {})[name] = value
        replies = yield from self._read(self._wanted(pks), beside)
        while wanted := self._wanted(pks):
            yield from self._read(wanted)
        return [[self._own(path, self._follow(path, pk)[0]) for pk in pks] for path in self.paths], replies

    def _follow(self, path: Path, pk: str) -> tuple[Any, tuple[_Object, FieldSchema] | None]:
        """Return what *path* leads to from the object *pk*, and what must be read before that is known."""
        found: Any = pk
        for place, (model, field) in enumerate(path.stops):
            if found is None or field is None:
                break
            held = self._held.get((model, found), {})
            if field.name not in held:
                return None, ((model, found), field)
            leads_on = place < len(path.stops) - 1
            found = SHOWN_PK if leads_on and self.overlay.is_recorded else held[field.name]
        return found, None

    def _own(self, path: Path, found: Any) -> Any:
        """Return what was *found* as a row's own: several may refer to one object."""
        return found if path.single or len(path.stops) == 1 else copy.copy(found)

    def _wanted(self, pks: Sequence[str]) -> dict[_Object, dict[str, FieldSchema]]:
        """Return what must be read next, by object."""
        wanted: dict[_Object, dict[str, FieldSchema]] = {}
        for path in self.paths:
            for pk in pks:
                if (missing := self._follow(path, pk)[1]) is not None:
                    of, field = missing
                    wanted.setdefault(of, {})[field.name] = field
        return wanted

    def _read(
        self, wanted: Mapping[_Object, Mapping[str, FieldSchema]], beside: Sequence[Call] = ()
    ) -> Deciding[list[Any]]:
        """Read what is *wanted*, in one round trip; return the raw replies to the other calls."""
        reads: list[Read[Any]] = []
        of: list[tuple[_Object, tuple[str, ...]]] = []
        for (model, pk), fields in wanted.items():
            identity = self.overlay.created(model, pk) or Identity(model, pk, State.STORED)
            for names, read in self._reads(identity, fields):
                reads.append(read)
                of.append(((model, pk), names))
        answers, replies = yield from self.overlay.read_beside(reads, beside)
        for (key, names), answer in zip(of, answers, strict=True):
            self._held.setdefault(key, {}).update(zip(names, answer if len(names) > 1 else (answer,), strict=True))
        return replies

    def _reads(
        self, identity: Identity, fields: Mapping[str, FieldSchema]
    ) -> Iterator[tuple[tuple[str, ...], Read[Any]]]:
        """Yield what reads *fields* of an object, each with the names of what it answers; those of its hash as one."""
        entries = {name: field for name, field in fields.items() if field.kind is Kind.ENTRY}
        if len(entries) > 1:
            stored = tuple([field.stored for field in entries.values()])
            yield tuple(entries), Read(identity, INSTANCE_HASH, None, "HMGET", stored, as_maybe_texts, stored)
        for name, field in fields.items():
            if len(entries) < 2 or name not in entries:
                yield (name,), whole_read(identity, field, self._decode(field))

    def _decode(self, field: FieldSchema) -> Callable[[Any], Any] | None:
        if self.overlay.is_recorded:
            return as_is
        return as_text if field.single else None
