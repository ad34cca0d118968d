"""Queries over what is pending: which objects will match right after the commit (decide).

The server answers for all objects that the session did not touch; those it touched on a field of the query are judged
on their pending values. Pending index entries are kept by index key, so that a query costs what concerns it.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Removed, Replaced, named, needs_content
from uowredis.commands.commands import Create, Delete, Look, Read, Write, touched_fields
from uowredis.commands.journal import Journal, Life
from uowredis.commands.paths import OtherSide
from uowredis.commands.where import (
    All,
    Condition,
    Either,
    Everything,
    Filter,
    Given,
    Leaf,
    Members,
    Without,
    filters,
    fulfils,
    leaves,
)
from uowredis.exceptions import ArgumentError, PendingWrites, Rejected
from uowredis.plan.requests import Deciding
from uowredis.planner.content import Pairs
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal
from uowredis.planner.values import Values
from uowredis.schema.index import IndexEntry
from uowredis.schema.lookup import Among, Span
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

T = TypeVar("T")

#: Who refers to objects, by side and primary key.
_Referring: TypeAlias = Mapping[OtherSide, Mapping[str, Sequence[T]]]

#: Stands among the touched fields of what is created or deleted.
_ALL = "*"


@attrs.define(eq=False)
class Touched:
    """Which objects the pending commands bring under an index key, or may, or take from under one."""

    _seen: int = 0
    _resolved: int = 0
    _gains: dict[str, dict[Life, None]] = attrs.field(factory=dict)
    _uncertain: dict[tuple[ModelSchema, str], dict[Life, None]] = attrs.field(factory=dict)
    _touching: dict[tuple[ModelSchema, str], dict[Life, None]] = attrs.field(factory=dict)
    _fields: dict[Life, set[str]] = attrs.field(factory=dict)
    _born: dict[ModelSchema, dict[Life, None]] = attrs.field(factory=dict)
    _models: set[ModelSchema] = attrs.field(factory=set)

    def of(self, journal: Journal) -> Touched:
        """Take the commands of *journal* said since the last query; return self."""
        for command, life in zip(journal.commands[self._seen :], journal.of_command[self._seen :], strict=True):
            if life is None or isinstance(command, Read | Look):
                continue
            self._models.add(life.model)
            if isinstance(command, Delete):
                self._fields.setdefault(life, set()).add(_ALL)
            elif isinstance(command, Create):
                self._fields.setdefault(life, set()).add(_ALL)
                self._born.setdefault(life.model, {})[life] = None
                self._take_values(life, command)
            else:
                assert isinstance(command, Write)
                self._take(life, command)
        for position in journal.resolved[self._resolved :]:
            # The former gains, by what stood for a pk, are of no harm: nobody asks for them any more.
            command, life = journal.commands[position], journal.of_command[position]
            if life is not None and isinstance(command, Create):
                self._take_values(life, command)
            elif life is not None and isinstance(command, Write):
                self._take(life, command)
        self._seen, self._resolved = len(journal.commands), len(journal.resolved)
        return self

    def _take_values(self, life: Life, create: Create) -> None:
        for name, value in create.pairs:
            self._gain(life, life.model.by_stored[name], [(name, value)])
            self._beside(life, life.model.by_stored[name])
        for write in create.calls:
            self._take(life, write)
        for field in life.model.nones:
            self._uncertain.setdefault((life.model, field.name), {})[life] = None

    def may_change(self, life: Life, key: str) -> bool:
        """Return whether what is pending for *life* may change *key*: one of its own, an index, or the set of pks."""
        keys, fields = life.model.keys, self._fields.get(life, set())
        named = [field for field in life.model.fields.values() if _ALL in fields or field.name in fields]
        if life.model.index_of(key) in named:
            return True
        if life.identity.pk is not None and key in [keys.storage(life.identity.pk, field.storage) for field in named]:
            return True
        return _ALL in fields and key == keys.collection

    def _take(self, life: Life, write: Write[Any]) -> None:
        change = write.change
        for field in touched_fields(life.model, write.storage, named(change) or ()):
            self._fields.setdefault(life, set()).add(field.name)
            if not field.indexed:
                continue
            self._touching.setdefault((life.model, field.name), {})[life] = None
            self._beside(life, field)
            if needs_content(change) or (field.none and isinstance(change, Removed)):
                self._uncertain.setdefault((life.model, field.name), {})[life] = None
            elif isinstance(change, Replaced):
                entry = field.kind is Kind.ENTRY
                self._gain(life, field, [pair for pair in change.values if not entry or pair[0] == field.stored])
            elif isinstance(change, Added):
                self._gain(life, field, [("", value) for value in change.values])

    def _beside(self, life: Life, field: FieldSchema) -> None:
        """Note that *field* is changed: what its indexes of several fields hold, nobody knows without the others."""
        for owner in field.owners:
            self._fields.setdefault(life, set()).add(owner.name)
            self._touching.setdefault((life.model, owner.name), {})[life] = None
            self._uncertain.setdefault((life.model, owner.name), {})[life] = None

    def _gain(self, life: Life, field: FieldSchema, found: Pairs) -> None:
        if field.indexed:
            for key, _, _ in life.model.index_entries(field, found, life.reference):
                self._gains.setdefault(key, {})[life] = None

    @property
    def models(self) -> Collection[ModelSchema]:
        """The models of which the session touched objects."""
        return self._models

    def any_of(self, model: ModelSchema) -> bool:
        """Return whether the session touched objects of *model*."""
        return model in self._models

    def pks(self, model: ModelSchema, names: frozenset[str]) -> list[str]:
        """Return the objects of *model* with a primary key that are touched on one of the fields *names*, or whole."""
        return [
            life.reference
            for life, fields in self._fields.items()
            if life.model is model and life.identity.pk is not None and (_ALL in fields or not names.isdisjoint(fields))
        ]

    def judged(
        self, journal: Journal, model: ModelSchema, where: Condition, names: frozenset[str], found: Sequence[str]
    ) -> tuple[list[str], list[Life]]:
        """Tell what the server found for certain from what is to be judged.

        Args:
            journal: what is pending.
            model: of the objects wanted.
            where: what is wanted.
            names: the fields on which the answer depends, those of filters among them.
            found: the pks that the server finds.

        Returns:
            The pks of *found* that hold as they are, and the touched objects that may be wanted.
        """
        kept: list[str] = []
        judged: dict[Life, None] = {}
        for pk in found:
            life = journal.with_pk(model, pk)
            fields = None if life is None else self._fields.get(life)
            if life is None or fields is None or (_ALL not in fields and names.isdisjoint(fields)):
                kept.append(pk)
            else:
                judged[life] = None
        judged |= self._brought(model, where)
        return kept, [life for life in judged if life.alive]

    def _brought(self, model: ModelSchema, where: Condition) -> dict[Life, None]:
        """Return the objects that what is pending may bring among those that are wanted."""
        brought: dict[Life, None] = {}
        match where:
            case Filter(field, lookup):
                for key in lookup.keys if isinstance(lookup, Among) else (lookup.key,):
                    brought |= self._gains.get(key, {})
                brought |= self._uncertain.get((model, field.name), {})
            case All(parts):
                # One that tells what it brings is enough; of the others nobody knows.
                telling = [part for part in parts if not isinstance(part, Members | Given | Everything)]
                for part in telling or parts:
                    brought |= self._brought(model, part)
            case Either(parts):
                for part in parts:
                    brought |= self._brought(model, part)
            case Without(wanted, unwanted):
                brought |= self._brought(model, wanted)
                for leaf in filters(unwanted):
                    brought |= self._touching.get((model, leaf.field.name), {})
            case _:
                brought |= self._born.get(model, {})
        return brought

    def matching(self, rehearsal: Rehearsal, where: Condition, judged: Sequence[Life]) -> Deciding[list[Life]]:
        """Return those of *judged*, objects that the session touched, that are wanted.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        questions = Questions(None)
        for life in judged:
            for leaf in leaves(where):
                for call in _members(life, leaf):
                    questions.read(call, "")
        deltas = yield from _deltas(rehearsal, questions, judged if filters(where) else ())

        def wanted(life: Life) -> bool:
            return fulfils(where, lambda leaf: _fulfilled(life, leaf, deltas, questions))

        return [life for life in judged if wanted(life)]

    def referring(
        self, rehearsal: Rehearsal, found: _Referring[str], judged: Mapping[OtherSide, Sequence[Life]]
    ) -> Deciding[_Referring[Life]]:
        """Return who of *judged*, objects that the session touched, will refer to each object that is asked about.

        Args:
            rehearsal: where pending commands are tried.
            found: whom the server finds, by primary key of the object that is referred to.
            judged: who may refer by each side.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        lives = dict.fromkeys(itertools.chain.from_iterable(judged.values()))
        deltas = yield from _deltas(rehearsal, Questions(None), lives)
        referring: dict[OtherSide, dict[str, list[Life]]] = {}
        for side, by_pk in found.items():
            of_key: dict[str, list[Life]] = {side.key(pk): [] for pk in by_pk}
            stored = {life.reference: life for life in judged[side] if _is_stored(life)}
            moved: set[tuple[str, str]] = set()
            for life in judged[side]:
                before, after = deltas.get((life, side.field.name), ((), ()))
                for key, _, _ in after:
                    if key in of_key:
                        of_key[key].append(life)
                moved.update((key, member) for key, member, _ in (*before, *after))
            for (key, refer), pks in zip(of_key.items(), by_pk.values(), strict=True):
                refer += [stored[pk] for pk in pks if pk in stored and (key, pk) not in moved]
            referring[side] = dict(zip(by_pk, of_key.values(), strict=True))
        return referring


def _is_stored(life: Life) -> bool:
    """Return whether what indexes hold on the server may be of the object as it is."""
    return life.from_server and not life.deleted


#: What becomes of the index entries of a field of an object: those before, and those after.
_Deltas: TypeAlias = Mapping[tuple[Life, str], tuple[Collection[IndexEntry], Collection[IndexEntry]]]


def _deltas(rehearsal: Rehearsal, questions: Questions, lives: Iterable[Life]) -> Deciding[_Deltas]:
    """Return what becomes of the index entries of *lives*; *questions* are asked in the same round trip.

    Raises:
        PendingWrites: where that cannot be known exactly.
    """
    values = Values(questions, rehearsal)
    for life in lives:
        values.ask(life)
    fetch = questions.fetch()
    if fetch is not None:
        questions.answered(fetch, (yield fetch))
    try:
        return {(life, field.name): (before, after) for life, field, before, after in values.deltas()}
    except (ArgumentError, Rejected) as error:
        raise PendingWrites(f"The query cannot be answered before the commit: {error}") from error


def _fulfilled(life: Life, leaf: Leaf, deltas: Any, questions: Questions) -> bool:
    match leaf:
        case Everything():
            return True
        case Given(pks):
            return life.reference in pks
        case Members():
            return any(questions.reply(call) not in (None, 0) for call in _members(life, leaf))
    before, after = deltas.get((life, leaf.field.name), ((), ()))
    if leaf.holds(after):
        return True
    # What was there before leaves, and what will be there has another score now.
    moved = {(key, member) for key, member, _ in (*before, *after)}
    if isinstance(leaf.lookup, Span):
        assert leaf.read is not None  # over pending writes it is read first
        held = leaf.read.get(life.reference, ()) if _is_stored(life) else ()
        return any((leaf.lookup.key, member) not in moved for member in held)
    calls = [call for call in _members(life, leaf) if call[1:] not in moved]
    return any(questions.reply(call) not in (None, 0) for call in calls)


def _members(life: Life, leaf: Leaf) -> Iterator[Call]:
    """Yield the calls that tell whether the server has what is asked for of the object."""
    pk = life.identity.pk
    if pk is None:
        return
    if isinstance(leaf, Members):
        yield ("ZSCORE" if leaf.scored else "SISMEMBER", leaf.key, pk)
    elif isinstance(leaf, Filter) and isinstance(leaf.lookup, Among) and _is_stored(life):
        for key in leaf.lookup.keys:
            yield "ZSCORE" if leaf.lookup.is_scored else "SISMEMBER", key, pk
