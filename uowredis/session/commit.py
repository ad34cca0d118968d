"""One commit: planned, tried, and tried again as long as it is what the caller decided on (decide).

It asks for what it needs by requests (``uowredis.plan.requests``); the session drives it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias

import attrs

from uowredis.commands.commands import Command, Create, Delete, Look, Read, Write
from uowredis.commands.identity import Event, Identity
from uowredis.commands.replies import plain
from uowredis.exceptions import CommitError, Conflict, OutcomeUnknown, PartiallyApplied, UowError
from uowredis.executor.line import Line
from uowredis.executor.watched import WatchedReads
from uowredis.overlay.overlay import Overlay
from uowredis.plan.guards import Guards
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Apply, Deciding, Pause, Release, Send
from uowredis.plan.steps import Question, with_order
from uowredis.planner import Limits, Planner
from uowredis.planner.rehearsal import Rewrite
from uowredis.session.pending import Pending

Outcome: TypeAlias = Literal["applied", "not applied", "partially applied", "unknown"]

#: Full-jitter backoff after a conflict, in seconds: up to BASE doubled with each attempt, at most MOST.
_BACKOFF_BASE, _BACKOFF_MOST = 0.001, 0.05


def back_off(attempt: int) -> float:
    """Return a random time that may be longer with each attempt, so that those in conflict part."""
    return random.uniform(0, min(_BACKOFF_MOST, _BACKOFF_BASE * 2 ** min(attempt, 10)))


@attrs.frozen
class Attempts:
    """How often a commit is tried.

    Attributes:
        most: by number.
        deadline: by time instead (``time.monotonic``), None where the number counts.
        now: tells the time.
    """

    most: int
    deadline: float | None
    now: Any

    def are_over(self, tried: int) -> bool:
        """Return whether there is none left after *tried* ones."""
        return tried >= self.most if self.deadline is None else self.now() >= self.deadline


@attrs.define(eq=False)
class Committer:
    """Plans and applies what is pending in *overlay*.

    Attributes:
        watched: what the caller read under watch, None where nothing was.
        outcome: of the last commit; None before it, and while it has not come to EXEC.
        stuck: why nothing more may be committed before a rollback; None where it may.
        last_plan: what was sent last, by whatever attempt.
        tried: how many attempts the last commit took.
    """

    overlay: Overlay
    line: Line
    guards: Guards
    attempts: Attempts
    watched: WatchedReads | None = None
    outcome: Outcome | None = None
    stuck: CommitError | None = None
    last_plan: Plan | None = None
    tried: int = 0
    _tried_plan: Plan | None = None

    def planner(self, limits: Limits) -> Planner:
        """Return a planner of what is pending."""
        watched = self.watched
        return Planner(
            self.overlay.journal,
            self.overlay.rehearsal,
            limits,
            standing=() if watched is None else tuple(watched.rounds),
            unwatched=watched is not None and watched.unwatched,
        )

    def turns(self, shown: Plan | None, limits: Limits, answers: list[Pending[Any] | object]) -> Deciding[Applied]:
        """Apply what is pending, again after each conflict that does not touch what the caller read.

        Args:
            shown: apply exactly this plan.
            limits: what the plan may grow to.
            answers: what is to be settled, one for each command.

        Raises:
            CommitError: where it was not applied, or nobody knows.
        """
        self.tried, self.outcome, self._tried_plan = 0, None, None
        try:
            while True:
                # An attempt that failed may have stood on what the caller read; a script lets go of nothing to tell.
                yield from self.check_reads(again=self.tried > 0)
                self.tried += 1
                applied = yield from self._attempt(shown, limits, answers)
                if applied is not None:
                    return applied
                if self.attempts.are_over(self.tried):
                    raise (yield from self._conflict())
                yield Pause(back_off(self.tried))
        except UowError:
            if self.outcome is None:
                self.outcome = "not applied"
            raise

    def nothing(self) -> Deciding[None]:
        """Commit nothing: what the caller read must still hold.

        Raises:
            Conflict: where it does not.
        """
        self.tried, self.outcome, self._tried_plan = 0, None, None
        try:
            yield from self.check_reads(again=True)
        except UowError:
            self.outcome = "not applied"
            raise
        self.last_plan = Plan("nothing changes")
        yield from self.let_go()

    def let_go(self) -> Deciding[None]:
        """Watch nothing any more."""
        self.watched = None
        yield Release()

    def _attempt(
        self, shown: Plan | None, limits: Limits, answers: list[Pending[Any] | object]
    ) -> Deciding[Applied | None]:
        try:
            planner = self.planner(limits)
            plan = yield from self._planned(planner, shown)
            self.last_plan = self._tried_plan = plan
            replies = (yield from self._apply(plan)) if plan.steps else []
            if replies is not None:
                self.outcome = "applied"
                yield from self.let_go()
                journal = self.overlay.journal
                gone = _gone(journal, planner.cascaded)
                return Applied(plan, replies, planner.rewrites, journal.commands, answers, gone)
            if self.watched is None:
                yield Release()
            return None
        except UowError:
            if self.watched is None:
                yield Release()
            raise
        finally:
            # What an interruption left pinned.
            if self.watched is None:
                self.line.drop()

    def _planned(self, planner: Planner, shown: Plan | None) -> Deciding[Plan]:
        try:
            plan = yield from planner.turns()
        except UowError as error:
            if self.watched is not None and self.line.is_pinned:
                # What the caller read may have changed, and the refusal may stand on what is there now.
                yield from self._confirm(error)
            raise
        if shown is not None and not plan.sends(shown):
            raise Conflict("What would be sent is not the plan that was shown: look at plan() again", (), plan.watched)
        return plan

    def _apply(self, plan: Plan) -> Deciding[list[Any] | None]:
        """Send the transaction. Until its outcome is known it is unknown: an interruption may come at any moment."""
        self.outcome, self.stuck = "unknown", OutcomeUnknown("interrupted around EXEC")
        try:
            replies: list[Any] | None = yield Apply(plan)
        except UowError as error:
            if isinstance(error, PartiallyApplied | OutcomeUnknown):
                self.stuck = error
                self.outcome = "unknown" if isinstance(error, OutcomeUnknown) else "partially applied"
            else:
                self.outcome, self.stuck = "not applied", None
            if isinstance(error, CommitError):
                error.plan = plan
            raise
        if replies is None:
            self.outcome, self.stuck = "not applied", None
        return replies

    def check_reads(self, *, again: bool) -> Deciding[None]:
        """Check that what the caller read still holds, as far as is known.

        Args:
            again: read all of it again, though it is watched still.

        Raises:
            Conflict: where it does not.
            Rejected: where the connection that watched it was lost.
        """
        watched = self.watched
        if watched is None:
            return
        watched.check_pinned()
        if watched.differing:
            raise self._changed(watched.differing)
        if again or not watched.holds:
            yield from self._confirm()

    def _confirm(self, refusal: UowError | None = None) -> Deciding[None]:
        """Watch again what the caller read, after an attempt let go of it, or was refused.

        Raises:
            Conflict: where it is no longer what the caller decided on.
        """
        if self.watched is not None and (differing := (yield from self.watched.compare())):
            raise self._changed(differing) from refusal

    def _changed(self, differing: list[Question]) -> Conflict:
        return self._named(
            f"What was read in the session has changed: {self._shown(differing)}; nothing was applied. Way out: "
            f"rollback(), read again and decide anew; db.run() does that",
            differing,
        )

    def _conflict(self) -> Deciding[Conflict]:
        plan = self._tried_plan
        assert plan is not None
        asked = list(plan.asked())
        now = [plain(reply) for reply in (yield Send([question.call for question, _ in asked]))]
        differing = [
            question
            for (question, before), after in zip(asked, now, strict=True)
            if before != with_order(question.call, after)
        ]
        where = f" (now: {self._shown(differing)})" if differing else ""
        return self._named(
            f"Others changed what the commit stands on, {self.tried} times in a row{where}; nothing was applied. "
            f"Way out: commit() again, or Session(db, attempts=...)",
            differing,
        )

    def _shown(self, questions: list[Question]) -> str:
        found = dict.fromkeys(
            f"{self.guards.behind(each.call)} ({', '.join(self.guards.watched_for(each.call))})" for each in questions
        )
        return ", ".join(list(found)[:10])

    def _named(self, message: str, differing: list[Question]) -> Conflict:
        """Return the conflict, with what this commit tried (not one before) and watched."""
        plan, watched = self._tried_plan, () if self.watched is None else self.watched.watched
        keys = sorted({key for each in differing for key in self.guards.watched_for(each.call)})
        fields = sorted({name for each in differing for name in self.guards.names_behind(each.call)})
        conflict = Conflict(
            message, keys, tuple(dict.fromkeys((*watched, *(() if plan is None else plan.watched)))), fields
        )
        conflict.plan = plan
        return conflict


def _gone(journal: Any, cascaded: Collection[Any]) -> Collection[Identity]:
    """Return the objects of commands that are deleted though that was not said."""
    if not cascaded:
        return ()
    said = zip(journal.commands, journal.of_command, strict=True)
    return {command.identity for command, life in said if life in cascaded and not isinstance(command, Look)}


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
                command.identity.become(Event.COMMIT)
        for identity in self.gone:
            identity.become(Event.CASCADE)
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
