"""Declaration: the data says by which declaration it was written, from its first object on (decide)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Protocol

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import writes
from uowredis.commands.journal import Journal, Life
from uowredis.plan.steps import UNKNOWN, Step
from uowredis.planner.questions import Questions
from uowredis.schema.fingerprint import Fingerprint, compared, declared, told
from uowredis.schema.models import ModelSchema


class Known(Protocol):
    """What is known of fingerprints before."""

    @property
    def settled(self) -> Container[ModelSchema]:
        """The models that have one, or have objects without one."""

    @property
    def owed(self) -> Mapping[ModelSchema, Fingerprint]:
        """What the fingerprint of a model must say before this declaration writes."""


class _All:
    def __contains__(self, model: object) -> bool:
        return True


@attrs.frozen
class _Nothing:
    settled: Container[ModelSchema] = _All()
    owed: Mapping[ModelSchema, Fingerprint] = attrs.field(factory=dict)


#: Every model has its fingerprint.
NOTHING_ASKED: Known = _Nothing()


@attrs.define
class Declaration:
    """The fingerprint: written with the first object, corrected by a declaration that says less.

    Attributes:
        found: the fingerprints that were read, as HGETALL tells them.
    """

    questions: Questions
    journal: Journal
    known: Known
    found: dict[ModelSchema, list[str]] = attrs.field(factory=dict)
    _asked: dict[ModelSchema, tuple[Call, Call]] = attrs.field(factory=dict)

    def ask(self, lives: Iterable[Life]) -> None:
        """Ask for the fingerprints of models with new objects, unless there is one, and whether there are others."""
        for life in lives:
            model = life.model
            if model in self.known.settled or model in self._asked or life.from_server or not life.alive:
                continue
            self._asked[model] = fingerprint, count = (
                ("HGETALL", model.keys.fingerprint),
                ("SCARD", model.keys.collection),
            )
            for call, what in ((fingerprint, "fingerprint"), (count, "number")):
                # Of two who create the first object, the second must find what the first has written.
                self.questions.watch(call[1])
                self.questions.read(call, f"before: {what} of {model.name}")

    def judge(self) -> None:
        """Take note of what was found."""
        for model, (fingerprint, _) in self._asked.items():
            if (reply := self.questions.reply(fingerprint)) is not UNKNOWN:
                self.found[model] = reply

    @property
    def written(self) -> Iterable[ModelSchema]:
        """The models whose fingerprint says what it must when the plan was applied."""
        return [*self.found, *self._owing()]

    def steps(self) -> Iterator[Step]:
        """Yield what makes the fingerprints right."""
        for model, reply in self.found.items():
            if not reply and self.questions.reply(self._asked[model][1]) == 0:
                yield _step(model, declared(model), "its first object")
            elif marks := compared(model, told(reply)).marks:
                yield _step(model, marks, "this declaration says less")
        for model in self._owing():
            yield _step(model, self.known.owed[model], "this declaration says less")

    def _owing(self) -> Iterable[ModelSchema]:
        if not self.known.owed:
            return ()
        said = dict.fromkeys(command.identity.model for command in self.journal.commands if writes(command))  # type: ignore[union-attr]
        return [model for model in said if model in self.known.owed and model not in self.found]


def _step(model: ModelSchema, entries: Fingerprint, why: str) -> Step:
    flat = [text for pair in entries.items() for text in pair]
    return Step(("HSET", model.keys.fingerprint, *flat), f"fingerprint of {model.name}: {why}")
