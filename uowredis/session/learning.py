"""``Learning``: reads the fingerprints that are wanted with the next answer (say; it stands before what waits)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Look
from uowredis.commands.replies import plain
from uowredis.plan.requests import Apply, Request, Send, Transact
from uowredis.plan.steps import Fetch, Question
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
        fingerprints = self.fingerprints
        if not fingerprints.are_looked_for or not isinstance(request, Send | Transact | Fetch | Apply):
            return self.inner(request)
        calls = reads_of(request)
        models = fingerprints.to_read(calls)
        if not models:
            return self.inner(request)
        if isinstance(request, Apply):
            self._learn(models, calls, self.inner(Send([read_of(model) for model in models])))
            return self.inner(request)
        extended = self.extended(request)
        replies = self.inner(extended)
        added = len(reads_of(extended)) - len(calls)
        own = replies[: len(replies) - added]
        by_call = dict(zip(reads_of(extended), replies[len(replies) - len(calls) - added :], strict=True))
        self._learn(models, calls, [by_call[read_of(model)] for model in models])
        return own

    def extended(self, request: Request) -> Request:
        """Return *request* with what is read in it besides."""
        calls = reads_of(request)
        reads = [call for model in self.fingerprints.to_read(calls) if (call := read_of(model)) not in calls]
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


def read_of(model: ModelSchema) -> Call:
    """Return the call that reads the fingerprint of *model*."""
    return ("HGETALL", model.keys.fingerprint)


def reads_of(request: Request) -> Sequence[Call]:
    """Return the calls of *request* that read, in the order of the replies."""
    if isinstance(request, Send | Transact):
        return request.calls
    if isinstance(request, Fetch):
        return [question.call for question in request.questions]
    if isinstance(request, Apply):
        return [step.call for step in request.plan.steps if isinstance(step.why, Look)]
    return ()
