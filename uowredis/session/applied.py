"""A commit that was applied, until its replies have settled what was said (decide)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from uowredis.commands.commands import Command, Create, Delete, Look, Read, Write
from uowredis.commands.identity import Identity, State
from uowredis.plan.plan import Plan
from uowredis.planner.rehearsal import Rewrite
from uowredis.session.pending import Pending


@attrs.frozen
class Applied:
    """A commit that was applied: what was said, the replies that settle it, and what was deleted without being said."""

    plan: Plan
    replies: list[Any]
    rewrites: Mapping[int, Rewrite]
    commands: list[Command]
    answers: list[Pending[Any] | object]
    gone: Collection[Identity] = ()

    def settle(self) -> list[Any]:
        """Settle the pendings; return the replies in the order said.

        A reply that cannot be decoded is raised last, with a note that the commit was applied.
        """
        for command in self.commands:
            if isinstance(command, Create | Delete):
                command.identity.state = State.STORED if isinstance(command, Create) else State.DELETED
        for identity in self.gone:
            identity.state = State.DELETED
        steps = zip(self.plan.steps, self.replies, strict=True)
        raw = {step.command: reply for step, reply in steps if step.command is not None}
        results: list[Any] = []
        failure: Exception | None = None
        for position, (command, answer) in enumerate(zip(self.commands, self.answers, strict=True)):
            if isinstance(command, Write | Read | Look):
                assert isinstance(answer, Pending)
                try:
                    results.append(self._answer(position, command, answer, raw))
                    answer.settle(results[-1])
                except Exception as error:
                    failure = failure or error
            elif answer is not None or isinstance(command, Delete):
                results.append(answer)
        if failure is not None:
            failure.add_note("uowredis: the commit was applied; this reply could not be decoded")
            raise failure
        return results

    def _answer(
        self, position: int, command: Write[Any] | Read[Any] | Look, answer: Pending[Any], raw: Mapping[int, Any]
    ) -> Any:
        if position in self.rewrites:
            return command.decode(self.rewrites[position].reply)
        if position in raw:
            return command.decode(raw[position])
        # Nothing was asked: it was known before, or the collection asks now.
        return command.decode(None) if isinstance(command, Look) else answer.result
