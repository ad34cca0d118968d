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
from uowredis.commands.replies import as_is, as_maybe_texts, as_text, read_by
from uowredis.commands.whole import whole_command, whole_read, whole_reader
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.recorder import SHOWN_PK
from uowredis.plan.requests import Deciding
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: What one call reads: the names of fields, one of them, the command and its arguments without the key, and what makes
#: the answer of the reply, None where that depends on the object.
_Part: TypeAlias = tuple[tuple[str, ...], FieldSchema, str, tuple[str, ...], Callable[[Any], Any] | None]

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
    ) -> Deciding[tuple[list[Sequence[Any]], list[Any]]]:
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
        # How far each path is followed, and what was found there.
        found: list[tuple[int, Sequence[Any]]] = [(0, pks) for _ in self.paths]
        replies = yield from self._read(self._follow(found), beside)
        while wanted := self._follow(found):
            yield from self._read(wanted)
        return [self._own(path, column) for path, (_, column) in zip(self.paths, found, strict=True)], replies

    def _follow(self, found: list[tuple[int, Sequence[Any]]]) -> dict[_Object, dict[str, FieldSchema]]:
        """Follow each path as far as is known; return what must be read to go on, by object."""
        wanted: dict[_Object, dict[str, FieldSchema]] = {}
        for place, path in enumerate(self.paths):
            depth, column = found[place]
            while depth < len(path.stops) and (field := path.stops[depth][1]) is not None:
                model, name, held = path.stops[depth][0], field.name, self._held
                missing = [pk for pk in column if pk is not None and name not in held.get((model, pk), ())]
                if missing:
                    for pk in missing:
                        wanted.setdefault((model, pk), {})[name] = field
                    break
                column = [None if pk is None else held[model, pk][name] for pk in column]
                depth += 1
                if self.overlay.is_recorded and depth < len(path.stops):
                    column = [SHOWN_PK] * len(column)
            found[place] = depth, column
        return wanted

    def _own(self, path: Path, column: Sequence[Any]) -> Sequence[Any]:
        """Return a *column* in which each row has its own, though several may refer to one object."""
        return column if path.single or len(path.stops) == 1 else [copy.copy(each) for each in column]

    def _read(
        self, wanted: Mapping[_Object, Mapping[str, FieldSchema]], beside: Sequence[Call] = ()
    ) -> Deciding[list[Any]]:
        """Read what is *wanted*, in one round trip; return the raw replies to the other calls."""
        if self.overlay.is_empty:
            return (yield from self._read_plainly(wanted, beside))
        reads: list[Read[Any]] = []
        of: list[tuple[_Object, tuple[str, ...]]] = []
        for (model, pk), fields in wanted.items():
            identity = self.overlay.created(model, pk) or Identity(model, pk, State.STORED)
            for names, read in self._reads(identity, fields):
                reads.append(read)
                of.append(((model, pk), names))
        answers, replies = yield from self.overlay.read_beside(reads, beside)
        for (key, names), answer in zip(of, answers, strict=True):
            self._keep(key, names, answer)
        return replies

    def _keep(self, of: _Object, names: Sequence[str], answer: Any) -> None:
        held = self._held.setdefault(of, {})
        if len(names) == 1:
            held[names[0]] = answer
        else:
            held.update(zip(names, answer, strict=True))

    def _read_plainly(
        self, wanted: Mapping[_Object, Mapping[str, FieldSchema]], beside: Sequence[Call]
    ) -> Deciding[list[Any]]:
        """Same as :meth:`_read` where nothing is pending: by the very calls, of which no commands need be made."""
        calls: list[Call] = []
        of: list[tuple[_Object, tuple[str, ...], Callable[[Any], Any]]] = []
        # What is wanted is the same for most objects.
        parts: dict[tuple[ModelSchema, tuple[str, ...]], list[_Part]] = {}
        for key, fields in wanted.items():
            model, pk = key
            alike = model, tuple(fields)
            if alike not in parts:
                parts[alike] = [self._part(*part) for part in _together(fields)]
            for names, field, name, args, decode in parts[alike]:
                calls.append((name, model.keys.storage(pk, field.storage), *args))
                of.append((key, names, decode or whole_reader(Identity(model, pk, State.STORED), field)))
        replies = yield from self.overlay.ask([*calls, *beside])
        for call, (key, names, read), reply in zip(calls, of, replies, strict=False):
            try:
                answer = read(reply)
            except (TypeError, ValueError):
                answer = read_by(read, reply, " ".join(call[:2]))
            self._keep(key, names, answer)
        return replies[len(calls) :]

    def _part(self, names: tuple[str, ...], field: FieldSchema, entries: tuple[str, ...]) -> _Part:
        if entries:
            return names, field, "HMGET", entries, as_maybe_texts
        decode = self._decode(field)
        if decode is None and field.holds is None:
            # Without a type no error names the object.
            decode = whole_reader(Identity(self.model), field)
        return names, field, *whole_command(field), decode

    def _reads(
        self, identity: Identity, fields: Mapping[str, FieldSchema]
    ) -> Iterator[tuple[tuple[str, ...], Read[Any]]]:
        """Yield what reads *fields* of an object, each with the names of what it answers."""
        for names, field, entries in _together(fields):
            if entries:
                yield names, Read(identity, INSTANCE_HASH, None, "HMGET", entries, as_maybe_texts, entries)
            else:
                yield names, whole_read(identity, field, self._decode(field))

    def _decode(self, field: FieldSchema) -> Callable[[Any], Any] | None:
        if self.overlay.is_recorded:
            return as_is
        return as_text if field.single else None


def _together(
    fields: Mapping[str, FieldSchema],
) -> Iterator[tuple[tuple[str, ...], FieldSchema, tuple[str, ...]]]:
    """Yield what one call reads of *fields* of an object: their names, one of them, and several entries of its hash."""
    entries = {name: field for name, field in fields.items() if field.kind is Kind.ENTRY}
    if len(entries) > 1:
        yield tuple(entries), next(iter(entries.values())), tuple([field.stored for field in entries.values()])
    for name, field in fields.items():
        if len(entries) < 2 or name not in entries:
            yield (name,), field, ()
