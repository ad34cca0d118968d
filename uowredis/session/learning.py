"""``Learning``: reads the fingerprints that are wanted with the next answer (say; it stands before what waits)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Look, Read
from uowredis.commands.replies import plain
from uowredis.executor.drive import drive
from uowredis.plan.requests import Apply, Deciding, Request, Send, Transact, TransactEach
from uowredis.plan.steps import Fetch, Question, Step
from uowredis.schema.models import ModelSchema
from uowredis.session.fingerprints import Fingerprints


@attrs.frozen
class Learning:
    """Answers requests as *answer* does, and reads the fingerprints that are wanted with them."""

    fingerprints: Fingerprints
    inner: Callable[[Request], Any]

    def answer(self, request: Request) -> Any:
        """Return the answer to *request*, whose reads stand on indexes that are ready.

        Raises:
            DeclarationChanged: same as :meth:`Fingerprints.learn`.
            CommitError: what became of it where it failed.
        """
        if self._may_learn(request):
            return drive(self._turns(request), self.inner)
        return self.inner(request)

    def _may_learn(self, request: Request) -> bool:
        return self.fingerprints.are_looked_for and isinstance(request, Send | Transact | TransactEach | Fetch | Apply)

    def _turns(self, request: Request) -> Deciding[Any]:
        calls = _reads(request)
        if self.fingerprints.layouts.wanted:
            writing = isinstance(request, Apply) and any(map(_writes, request.plan.steps))
            yield from self.fingerprints.layouts.turns(writing=writing)
        models = self.fingerprints.to_read(calls)
        if not models:
            return (yield request)
        if isinstance(request, Apply | TransactEach):
            # What is read beside is of several places; it is read before.
            self._learn(models, calls, (yield Send([_read(model) for model in models])))
            return (yield request)
        extended = self.extended(request)
        replies = yield extended
        sent = _reads(extended)
        # The replies of counters come before those of reads, and what was added comes last.
        by_call = dict(zip(sent, replies[len(replies) - len(sent) :], strict=True))
        self._learn(models, calls, [by_call[_read(model)] for model in models])
        return replies[: len(replies) - len(sent) + len(calls)]

    def extended(self, request: Request) -> Request:
        """Return *request* with what is read in it besides."""
        calls = _reads(request)
        models = self.fingerprints.to_read(calls)
        said = frozenset(calls) if models else ()
        reads = [call for model in models if (call := _read(model)) not in said]
        if not reads:
            return request
        if isinstance(request, Fetch):
            why = "fingerprint of a declaration"
            return attrs.evolve(request, questions=(*request.questions, *(Question(call, why) for call in reads)))
        if isinstance(request, Send | Transact):
            return attrs.evolve(request, calls=[*request.calls, *reads])
        return request

    def _learn(self, models: Sequence[ModelSchema], calls: Sequence[Call], replies: Sequence[Any]) -> None:
        self.fingerprints.learn(dict(zip(models, map(plain, replies), strict=True)), calls)


def _writes(step: Step) -> bool:
    return not isinstance(step.why, Look | Read)


def _read(model: ModelSchema) -> Call:
    """Return the call that reads the fingerprint of *model*."""
    return ("HGETALL", model.keys.fingerprint)


def _reads(request: Request) -> Sequence[Call]:
    """Return the calls of *request* that read, in the order of the replies."""
    if isinstance(request, Send | Transact | TransactEach):
        return request.calls
    if isinstance(request, Fetch):
        return [question.call for question in request.questions]
    if isinstance(request, Apply):
        return [step.call for step in request.plan.steps if isinstance(step.why, Look)]
    return ()
