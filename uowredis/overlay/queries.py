"""Queries over what is pending: which objects will match right after the commit (decide).

The server answers for all objects that the session did not touch; those it touched on a field of the query are judged
on their pending values. Pending index entries are kept by index key, so that a query costs what concerns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Replaced, named, needs_content
from uowredis.commands.commands import Create, Delete, Look, Read, Write, touched_fields
from uowredis.commands.journal import Journal, Life
from uowredis.commands.query import Filter
from uowredis.exceptions import PendingWrites, Rejected
from uowredis.plan.requests import Deciding
from uowredis.planner.content import Pairs
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal
from uowredis.planner.values import Values
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: Stands among the touched fields of what is created or deleted.
_ALL = "*"


@attrs.define(eq=False)
class Touched:
    """Which objects the pending commands bring under an index key, or may."""

    _seen: int = 0
    _resolved: int = 0
    _gains: dict[str, dict[Life, None]] = attrs.field(factory=dict)
    _uncertain: dict[tuple[ModelSchema, str], dict[Life, None]] = attrs.field(factory=dict)
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
        for name, value in create.entries:
            self._gain(life, life.model.by_stored[name], [(name, value)])
        for write in create.calls:
            self._take(life, write)

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
            if needs_content(change):
                self._uncertain.setdefault((life.model, field.name), {})[life] = None
            elif isinstance(change, Replaced):
                entry = field.kind is Kind.ENTRY
                self._gain(life, field, [pair for pair in change.values if not entry or pair[0] == field.stored])
            elif isinstance(change, Added):
                self._gain(life, field, [("", value) for value in change.values])

    def _gain(self, life: Life, field: FieldSchema, found: Pairs) -> None:
        if field.indexed:
            for key, _, _ in life.model.index_entries(field, found, life.reference):
                self._gains.setdefault(key, {})[life] = None

    def any_of(self, model: ModelSchema) -> bool:
        """Return whether the session touched objects of *model*."""
        return model in self._models

    def merge(
        self,
        journal: Journal,
        rehearsal: Rehearsal,
        model: ModelSchema,
        filters: Sequence[Filter],
        names: frozenset[str],
        found: Sequence[str],
    ) -> Deciding[tuple[list[str], list[Life]]]:
        """Judge what the session touched.

        Args:
            journal: what is pending.
            rehearsal: where commands are tried.
            model: of the objects wanted.
            filters: the conditions.
            names: the fields on which the answer depends, those of the filters among them.
            found: the pks that the server finds.

        Returns:
            The pks of *found* that hold as they are, and the touched objects that match.
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
        for condition in filters:
            judged |= self._gains.get(condition.key, {})
            judged |= self._uncertain.get((model, condition.field.name), {})
        if not filters:
            judged |= self._born.get(model, {})
        alive = [life for life in judged if life.alive]
        questions = Questions(None)
        values = Values(questions, rehearsal)
        if filters:
            self._ask(values, questions, alive, filters)
        fetch = questions.fetch()
        if fetch is not None:
            questions.answered(fetch, (yield fetch))
        try:
            deltas = {(life, field.name): (before, after) for life, field, before, after in values.deltas()}
        except Rejected as error:
            raise PendingWrites(f"The query cannot be answered before the commit: {error}") from error
        matching = [
            life for life in alive if all(self._holds(life, condition, deltas, questions) for condition in filters)
        ]
        return kept, matching

    def _ask(self, values: Values, questions: Questions, judged: Sequence[Life], filters: Sequence[Filter]) -> None:
        for life in judged:
            values.ask(life)
            if life.from_server and not life.deleted:
                for condition in filters:
                    questions.read(_member(life, condition), "")

    def _holds(self, life: Life, condition: Filter, deltas: Any, questions: Questions) -> bool:
        before, after = deltas.get((life, condition.field.name), ((), ()))
        if condition.holds(after):
            return True
        if condition.holds(before) or not life.from_server or life.deleted:
            return False
        return bool(questions.reply(_member(life, condition)))


def _member(life: Life, condition: Filter) -> Call:
    assert life.identity.pk is not None
    return ("SISMEMBER", condition.key, life.identity.pk)
