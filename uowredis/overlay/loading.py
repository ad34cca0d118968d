"""Reads values of objects that were found, of every kind, and of what they refer to or are referred to by (decide).

What lies one reference further is read in one round trip more, for all objects together, however many these are. An
object to which several refer is read once.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

import attrs

from uowredis.commands.arguments import Placeholder
from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity, State
from uowredis.commands.paths import OtherSide, Path, leaves, with_leaves
from uowredis.commands.replies import as_is, as_maybe_texts, as_text, as_texts, read_by
from uowredis.commands.values import pk_value
from uowredis.commands.whole import whole_command, whole_read, whole_reader
from uowredis.overlay.order import by_pk
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

#: What is to be read of an object, by name.
_Stops: TypeAlias = dict[str, FieldSchema | OtherSide]
_Fields: TypeAlias = Mapping[str, FieldSchema]


@attrs.define
class Loading:
    """What is read of some objects of one model.

    Attributes:
        paths: the values wanted of each.
    """

    overlay: Overlay
    model: ModelSchema
    paths: Sequence[Path]
    # Of a field of many that leads on: the whole of it, and in order whom it refers to. Of another side: who, in order.
    _held: dict[_Object, dict[str, Any]] = attrs.field(init=False, factory=dict)
    _leading: frozenset[tuple[ModelSchema, str]] = attrs.field(init=False)

    @_leading.default
    def _of_many(self) -> frozenset[tuple[ModelSchema, str]]:
        """Return the fields of many that lead on, each by its model and name."""
        stops = [stop for path in self.paths for stop in path.stops[:-1]]
        return frozenset((model, to.name) for model, to in stops if isinstance(to, FieldSchema) and not to.single)

    @functools.cached_property
    def _has_sides(self) -> bool:
        return any(isinstance(stop, OtherSide) for path in self.paths for _, stop in path.stops)

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
        # How far each path is followed, what was found there, and in how many lists.
        found: list[tuple[int, Sequence[Any], int]] = [(0, pks, 0) for _ in self.paths]
        replies = yield from self._read(self._follow(found), beside)
        while wanted := self._follow(found):
            yield from self._read(wanted)
        return [self._own(path, column) for path, (_, column, _) in zip(self.paths, found, strict=True)], replies

    def _follow(self, found: list[tuple[int, Sequence[Any], int]]) -> dict[_Object, _Stops]:
        """Follow each path as far as is known; return what must be read to go on, by object."""
        wanted: dict[_Object, _Stops] = {}
        for place, path in enumerate(self.paths):
            depth, column, lists = found[place]
            while depth < len(path.stops) and (stop := path.stops[depth][1]) is not None:
                model, name, held = path.stops[depth][0], stop.name, self._held
                pks = leaves(column, lists)
                missing = [pk for pk in pks if pk is not None and name not in held.get((model, pk), ())]
                if missing:
                    for pk in missing:
                        wanted.setdefault((model, pk), {})[name] = stop
                    break
                depth += 1
                leads = depth < len(path.stops)
                column = with_leaves(column, lists, self._beyond(model, stop, pks, leads=leads))
                lists += leads and not stop.single
            found[place] = depth, column, lists
        return wanted

    def _beyond(
        self, model: ModelSchema, stop: FieldSchema | OtherSide, pks: Sequence[str | None], *, leads: bool
    ) -> list[Any]:
        """Return what *stop* holds of each of *pks*, None for none; where it *leads* on, whom: one, or a list."""
        held, name, recorded = self._held, stop.name, self.overlay.is_recorded
        if leads and recorded:
            return [None if pk is None else SHOWN_PK if stop.single else [SHOWN_PK] for pk in pks]
        found = [None if pk is None else held[model, pk][name] for pk in pks]
        if (model, name) in self._leading:
            part = 1 if leads else 0
            return [None if each is None else each[part] for each in found]
        if not isinstance(stop, OtherSide) or leads:
            return found
        read = as_is if recorded else functools.partial(pk_value, stop.model)
        return [None if each is None else set(map(read, each)) for each in found]

    def _own(self, path: Path, column: Sequence[Any]) -> Sequence[Any]:
        """Return a *column* in which each row has its own, though several may refer to one object."""
        if path.single or len(path.stops) == 1:
            return column
        return with_leaves(column, path.lists, map(copy.copy, leaves(column, path.lists)))

    def _read(self, wanted: Mapping[_Object, _Stops], beside: Sequence[Call] = ()) -> Deciding[list[Any]]:
        """Read what is *wanted*, in one round trip; return the raw replies to the other calls.

        Over pending writes who refers to an object is judged in one more.
        """
        fields, sides = _parted(wanted) if self._has_sides else (cast("Mapping[_Object, _Fields]", wanted), {})
        # What has no primary key yet, in a dry run, is nowhere on the server.
        asked = [(side, pk) for side, pks in sides.items() for pk in pks if not isinstance(pk, Placeholder)]
        calls = [*beside, *(side.call(pk) for side, pk in asked)]
        read = self._read_plainly if self.overlay.is_empty else self._read_over_pending
        replies = yield from read(fields, calls)
        for (side, pk), reply in zip(asked, replies[len(beside) :], strict=True):
            sides[side][pk] = as_texts(reply)
        if sides and not self.overlay.is_empty:
            sides = yield from self.overlay.referring(sides)
        for side, found in sides.items():
            for pk, pks in found.items():
                held = sorted(pks, key=functools.partial(by_pk, model=side.model))
                self._held.setdefault((side.to, pk), {})[side.name] = held
        return replies[: len(beside)]

    def _read_over_pending(self, wanted: Mapping[_Object, _Fields], beside: Sequence[Call]) -> Deciding[list[Any]]:
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

    def _read_plainly(self, wanted: Mapping[_Object, _Fields], beside: Sequence[Call]) -> Deciding[list[Any]]:
        """Same as :meth:`_read_over_pending` where nothing is: by the very calls, of which no commands need be made."""
        calls: list[Call] = []
        of: list[tuple[_Object, tuple[str, ...], Callable[[Any], Any]]] = []
        # What is wanted is the same for most objects.
        parts: dict[tuple[ModelSchema, tuple[str, ...]], list[_Part]] = {}
        for key, fields in wanted.items():
            model, pk = key
            alike = model, tuple(fields)
            if alike not in parts:
                parts[alike] = [self._part(model, *part) for part in _together(fields)]
            for names, field, name, args, decode in parts[alike]:
                calls.append((name, model.keys.storage(pk, field.storage), *args))
                of.append((key, names, decode or self._decode(Identity(model, pk, State.STORED), field)))
        replies = yield from self.overlay.ask([*calls, *beside])
        for call, (key, names, read), reply in zip(calls, of, replies, strict=False):
            try:
                answer = read(reply)
            except (TypeError, ValueError):
                answer = read_by(read, reply, " ".join(call[:2]))
            self._keep(key, names, answer)
        return replies[len(calls) :]

    def _part(self, model: ModelSchema, names: tuple[str, ...], field: FieldSchema, entries: tuple[str, ...]) -> _Part:
        if entries:
            return names, field, "HMGET", entries, as_maybe_texts
        # Without a type no error names the object.
        alike = field.single or field.holds is None or self.overlay.is_recorded
        return names, field, *whole_command(field), self._decode(Identity(model), field) if alike else None

    def _reads(
        self, identity: Identity, fields: Mapping[str, FieldSchema]
    ) -> Iterator[tuple[tuple[str, ...], Read[Any]]]:
        """Yield what reads *fields* of an object, each with the names of what it answers."""
        for names, field, entries in _together(fields):
            if entries:
                yield names, Read(identity, INSTANCE_HASH, None, "HMGET", entries, as_maybe_texts, entries)
            else:
                yield names, whole_read(identity, field, self._decode(identity, field))

    def _decode(self, identity: Identity, field: FieldSchema) -> Callable[[Any], Any]:
        """Return what makes of a reply what is held of a *field*."""
        whole = as_is if self.overlay.is_recorded else as_text if field.single else whole_reader(identity, field)
        if (identity.model, field.name) not in self._leading:
            return whole
        return lambda reply: (whole(reply), _referred(field, reply))


def _parted(
    wanted: Mapping[_Object, _Stops],
) -> tuple[Mapping[_Object, _Fields], dict[OtherSide, dict[str, list[str]]]]:
    """Return what fields are wanted of which objects, and of which ones who refers to them: nobody as yet."""
    fields: dict[_Object, dict[str, FieldSchema]] = {}
    sides: dict[OtherSide, dict[str, list[str]]] = {}
    for key, stops in wanted.items():
        for name, stop in stops.items():
            if isinstance(stop, OtherSide):
                sides.setdefault(stop, {})[key[1]] = []
            else:
                fields.setdefault(key, {})[name] = stop
    return fields, sides


def _referred(field: FieldSchema, reply: Sequence[bytes]) -> list[str]:
    """Return whom a *field* of many refers to, by the *reply* to all it holds: a set by primary key, else in order."""
    if field.kind is Kind.SORTED_SET:
        return as_texts(reply[::2])
    pks, to = as_texts(reply), None if field.relation is None else field.relation.to
    return pks if field.kind is Kind.LIST or to is None else sorted(pks, key=functools.partial(by_pk, model=to))


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
