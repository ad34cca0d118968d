"""Queries over what is pending: which objects will match right after the commit (decide).

The server answers for all objects that the session did not touch; those it touched on a field of the query are judged
on their pending values. Pending index entries are kept by index key, so that a query costs what concerns it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import attrs

from uowredis.commands import Added, Create, Delete, Identity, Replaced, Write
from uowredis.content import Call, Pairs
from uowredis.planner.asking import Asking
from uowredis.planner.lives import Life, Lives
from uowredis.planner.values import Values
from uowredis.planner.work import named, needs_content, touched_fields
from uowredis.rehearsal import Rehearsal
from uowredis.schema import FieldSchema, Kind, ModelSchema


@attrs.frozen
class Filter:
    """One condition of a query: *field* holds the value whose index key is *key*."""

    field: FieldSchema
    key: str


@attrs.define(eq=False)
class Touched:
    """Which objects the pending commands bring under an index key, or may."""

    _seen: int = 0
    _gains: dict[str, dict[Life, None]] = attrs.field(factory=dict)
    _uncertain: dict[tuple[ModelSchema, str], dict[Life, None]] = attrs.field(factory=dict)
    _fields: dict[Life, set[str]] = attrs.field(factory=dict)

    def catch_up(self, lives: Lives) -> None:
        """Take the commands said since the last query."""
        for command, life in zip(lives.commands[self._seen :], lives.of_command[self._seen :], strict=True):
            if isinstance(command, Delete):
                self._fields.setdefault(life, set()).update(field.name for field in life.model.indexed)
            elif isinstance(command, Create):
                self._fields.setdefault(life, set()).update(field.name for field in life.model.indexed)
                for name, value in command.entries:
                    self._gain(life, life.model.fields[name], [(name, value)])
                for write in command.writes:
                    self._take(life, write)
            else:
                self._take(life, command)
        self._seen = len(lives.commands)

    def _take(self, life: Life, write: Write[Any]) -> None:
        change = write.change
        for field in touched_fields(life.model, write.storage, named(change) or ()):
            if not field.indexed:
                continue
            self._fields.setdefault(life, set()).add(field.name)
            if needs_content(change):
                self._uncertain.setdefault((life.model, field.name), {})[life] = None
            elif isinstance(change, Replaced):
                entry = field.kind is Kind.ENTRY
                self._gain(life, field, [pair for pair in change.values if not entry or pair[0] == field.name])
            elif isinstance(change, Added):
                self._gain(life, field, [("", value) for value in change.values])

    def _gain(self, life: Life, field: FieldSchema, found: Pairs) -> None:
        if field.indexed:
            for key in life.model.index_keys(field, found):
                self._gains.setdefault(key, {})[life] = None

    def query(
        self, lives: Lives, rehearsal: Rehearsal, model: ModelSchema, filters: Sequence[Filter]
    ) -> Generator[Sequence[Call], Sequence[Any], list[Identity | str]]:
        """Yield the calls to ask, be sent their plain replies, return who matches all *filters*.

        Returns:
            Pks, and the identities of objects that have none yet.
        """
        names = {condition.field.name for condition in filters}
        candidates: dict[Life, None] = {}
        for condition in filters:
            candidates |= self._gains.get(condition.key, {})
            candidates |= self._uncertain.get((model, condition.field.name), {})
        asking = Asking(None)
        first: list[Call] = [("SINTER", *(condition.key for condition in filters))]
        values = Values(asking, rehearsal, False)
        judged = {life for life in candidates if life.alive}
        self._ask(values, asking, judged, filters)
        fetch = asking.fetch()
        found = yield first + ([] if fetch is None else [ask.call for ask in fetch.asks])
        if fetch is not None:
            asking.answered(fetch, list(found[1:]))
        matching: list[Identity | str] = []
        late: set[Life] = set()
        for pk in found[0]:
            life = lives.with_pk(model, pk)
            if life is None or names.isdisjoint(self._fields.get(life, ())):
                matching.append(pk)
            elif life.alive and life not in judged:
                late.add(life)
        self._ask(values, asking, late, filters)
        fetch = asking.fetch()
        if fetch is not None:
            asking.answered(fetch, list((yield [ask.call for ask in fetch.asks])))
        values.decide()
        deltas = {(delta.life, delta.field.name): delta for delta in values.deltas}
        for life in sorted(judged | late, key=lambda life: (life.identity.pk or "", life.identity.number)):
            if all(self._holds(life, condition, deltas, asking) for condition in filters):
                matching.append(life.identity if life.identity.pk is None else life.identity.pk)
        return matching

    def _ask(self, values: Values, asking: Asking, judged: set[Life], filters: Sequence[Filter]) -> None:
        for life in judged:
            values.ask(life)
            if life.from_server and not life.deletions:
                for condition in filters:
                    asking.read(_member(life, condition), "")

    def _holds(self, life: Life, condition: Filter, deltas: Any, asking: Asking) -> bool:
        delta = deltas.get((life, condition.field.name))
        if delta is not None and condition.key in delta.after:
            return True
        if (delta is not None and condition.key in delta.before) or not life.from_server or life.deletions:
            return False
        return bool(asking.reply(_member(life, condition)))


def _member(life: Life, condition: Filter) -> Call:
    assert life.identity.pk is not None
    return ("SISMEMBER", condition.key, life.identity.pk)
