"""One commit: planned, tried, and tried again as long as it is what the caller decided on (decide).

It asks for what it needs by requests (``uowredis.plan.requests``); the session drives it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from uowredis.commands.commands import Command, Create, Delete, Look, Read, Write, writes
from uowredis.commands.identity import Event, Identity
from uowredis.commands.replies import plain
from uowredis.exceptions import CommitError, Conflict, OutcomeUnknown, PartiallyApplied, Unreachable, UowError
from uowredis.executor.line import Line
from uowredis.executor.watched import WatchedReads
from uowredis.overlay.overlay import Overlay
from uowredis.plan.guards import Guards
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Again, Apply, Deciding, Lost, Pause, Release, Send, Settle
from uowredis.plan.steps import Question, with_order
from uowredis.plan.token import Outcome, Token
from uowredis.planner import Limits, Planner
from uowredis.planner.recalled import recalled
from uowredis.planner.rehearsal import Rewrite
from uowredis.session.fingerprints import Fingerprints
from uowredis.session.pending import Pending

#: How often in a row a commit is lost and sent again.
MOST_LOST = 3

#: Full-jitter backoff after a conflict, in seconds: up to BASE doubled with each attempt, at most MOST.
_BACKOFF_BASE, _BACKOFF_MOST = 0.001, 0.05


def back_off(attempt: int) -> float:
    """Return a random time that may be longer with each attempt, so that those in conflict part."""
    return random.uniform(0, min(_BACKOFF_MOST, _BACKOFF_BASE * 2 ** min(attempt, 10)))


@attrs.frozen
class Attempts:
    """How often a commit is tried when others change what it stands on.

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


@attrs.frozen
class Doubt:
    """A transaction that was sent, with all that its replies will be given to."""

    plan: Plan
    rewrites: Mapping[int, Rewrite]
    answers: list[Pending[Any] | object]
    gone: Collection[Identity]

    @property
    def token(self) -> Token:
        """By which it is settled."""
        assert self.plan.token is not None
        return self.plan.token


@attrs.define(eq=False)
class Committer:
    """Plans and applies what is pending in *overlay*.

    Attributes:
        watched: what the caller read under watch, None where nothing was.
        outcome: of the last commit; None before it, and while it has not come to EXEC.
        stuck: why nothing more may be committed before a rollback; None where it may.
        last_plan: what was sent last, by whatever attempt.
        tried: how many attempts the last commit took.
        replicas: how many replicas a commit waits for.
        acknowledged: how many had the last one in time, None where that is not known.
        fingerprints: what is known of them.
        doubt: what was sent last, where nobody has noted yet what became of it, and that can be asked.
    """

    overlay: Overlay
    line: Line
    guards: Guards
    attempts: Attempts
    fingerprints: Fingerprints
    watched: WatchedReads | None = None
    outcome: Outcome | None = None
    stuck: CommitError | None = None
    last_plan: Plan | None = None
    tried: int = 0
    replicas: int = 0
    acknowledged: int | None = None
    doubt: Doubt | None = None
    _tried_plan: Plan | None = None

    def planner(self, limits: Limits) -> Planner:
        """Return a planner of what is pending; each attempt has its own token."""
        watched = self.watched
        first = next(filter(writes, self.overlay.journal.commands), None)
        model = None if first is None else first.identity.model  # type: ignore[union-attr]  # whatever writes has one
        return Planner(
            self.overlay.journal,
            self.overlay.rehearsal,
            limits,
            standing=() if watched is None else tuple(watched.rounds),
            unwatched=watched is not None and watched.unwatched,
            # Beside the data, where a user has rights who may write that.
            token=None if model is None else self.line.token(model.keys.token),
            wait=self.line.wait_for(self.replicas) if self.replicas and model is not None else None,
            known=self.fingerprints,
            node_of=self.line.node_of,
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
        self.tried, self.outcome, self.acknowledged, self._tried_plan = 0, None, None, None
        try:
            lost, refused, since = 0, 0, None
            while True:
                # An attempt that failed may have stood on what the caller read; a script lets go of nothing to tell.
                yield from self.check_reads(again=self.tried + refused > 0)
                self.tried += 1
                since = self.attempts.now() if since is None else since
                try:
                    applied = yield from self._attempt(shown, limits, answers)
                except Unreachable as error:
                    if not (yield Again(error, since)):
                        raise
                    # What is watched is let go of: it is watched anew where it is by now.
                    self._watches_are_lost()
                    yield Release()
                    # It met no conflict, of which there may be so many.
                    self.tried, refused = self.tried - 1, refused + 1
                    yield Pause(back_off(refused))
                    continue
                since = None
                if isinstance(applied, Applied):
                    return applied
                if applied is Lost.VOID:
                    lost += 1
                    if lost == MOST_LOST:
                        raise self._lost(lost)
                elif self.attempts.are_over(self.tried):
                    raise (yield from self._conflict())
                else:
                    lost = 0
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
        self.tried, self.outcome, self.acknowledged, self._tried_plan = 0, None, None, None
        try:
            yield from self.check_reads(again=True)
        except UowError:
            self.outcome = "not applied"
            raise
        self.last_plan = Plan("nothing changes")
        yield from self.let_go()

    def let_go(self, spent: Token | None = None) -> Deciding[None]:
        """Watch nothing any more; nobody will ask for the token that is *spent*."""
        self.watched = None
        yield Release(spent)

    def settle(self) -> Deciding[Applied | None]:
        """Ask what became of what was sent last; return it where it was applied.

        Raises:
            OutcomeUnknown: where nobody can tell.
            PartiallyApplied: where a command failed inside the script.
        """
        doubt = self.doubt
        assert doubt is not None
        try:
            became: Outcome = yield Settle(doubt.token)
        except OutcomeUnknown as unknown:
            unknown.plan = doubt.plan
            raise
        if became == "partially applied":
            self.outcome, self.doubt = became, None
            self.stuck = PartiallyApplied(
                "A command failed inside the script, the others before it were applied; their replies were lost. Way "
                "out: look at error.plan, read what is there, and mend by hand",
                [None] * len(doubt.plan.steps),
            )
            self.stuck.plan = doubt.plan
            raise self.stuck
        self.outcome, self.doubt, self.acknowledged = became, None, None
        if became == "not applied":
            self.stuck = None
            self._watches_are_lost()
            return None
        # Stuck until what was said is taken note of: an interruption may come at any moment.
        yield from self.let_go()
        return self._made_of(doubt, Lost.APPLIED)

    def _watches_are_lost(self) -> None:
        if self.watched is not None:
            self.watched.are_lost = True

    def _made_of(self, doubt: Doubt, replies: list[Any] | Lost) -> Applied:
        """Return what was applied; replies that were lost are told again where that is exact."""
        plan, journal = doubt.plan, self.overlay.journal
        if isinstance(replies, Lost):
            known = recalled(plan, self.overlay.rehearsal)
            replies = [known.get(position, replies) for position in range(len(plan.steps))]
        return Applied(plan, replies, doubt.rewrites, journal.commands, doubt.answers, doubt.gone)

    def _attempt(
        self, shown: Plan | None, limits: Limits, answers: list[Pending[Any] | object]
    ) -> Deciding[Applied | Lost | None]:
        try:
            planner = self.planner(limits)
            plan = yield from self._planned(planner, shown)
            self.last_plan = self._tried_plan = plan
            sent = Doubt(plan, planner.rewrites, answers, _gone(self.overlay.journal, planner.cascaded))
            replies = (yield from self._apply(plan, sent)) if plan.steps else []
            if replies is Lost.VOID:
                self._watches_are_lost()
                return Lost.VOID
            if replies is not None:
                self.outcome = "applied"
                self.fingerprints.written(planner.declaration.written)
                self.acknowledged = self.line.acknowledged
                yield from self.let_go(plan.token)
                return self._made_of(sent, replies)
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
        if found := planner.declaration.found:
            self.fingerprints.learn(found, [question.call for question, _ in plan.asked()])
        if shown is not None and not plan.sends(shown):
            raise Conflict("What would be sent is not the plan that was shown: look at plan() again", (), plan.watched)
        return plan

    def _apply(self, plan: Plan, sent: Doubt) -> Deciding[list[Any] | Lost | None]:
        """Send the transaction. Until its outcome is known it is unknown: an interruption may come at any moment."""
        self.doubt = None if plan.token is None else sent
        self.outcome, self.stuck = "unknown", OutcomeUnknown("interrupted around EXEC", token=plan.token)
        try:
            replies: list[Any] | Lost | None = yield Apply(plan)
        except UowError as error:
            if isinstance(error, OutcomeUnknown) and not any(map(writes, self.overlay.journal.commands)):
                self.outcome, self.stuck = "not applied", None
                raise Unreachable(
                    "The connection was lost while the transaction was read; nothing was written"
                ) from error
            if not isinstance(error, OutcomeUnknown):
                self.doubt = None
            if isinstance(error, PartiallyApplied | OutcomeUnknown):
                self.stuck = error
                self.outcome = "unknown" if isinstance(error, OutcomeUnknown) else "partially applied"
            else:
                self.outcome, self.stuck = "not applied", None
            if isinstance(error, CommitError):
                error.plan = plan
            raise
        if replies is None or replies is Lost.VOID:
            self.outcome, self.stuck = "not applied", None
        self.doubt = None
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
        if not watched.are_lost:
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

    def _lost(self, times: int) -> Unreachable:
        error = Unreachable(
            f"The connection was lost around EXEC, {times} times in a row ({self.line.loss}); nothing was applied, and "
            f"what was sent never will be. Way out: commit() again"
        )
        error.plan = self._tried_plan
        return error

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
            if type(command) is Create or type(command) is Delete:
                command.identity.become(Event.COMMIT)
        for identity in self.gone:
            identity.become(Event.CASCADE)
        steps = zip(self.plan.steps, self.replies, strict=True)
        # Nobody waits for what a creation is answered.
        raw = {
            step.command: reply for step, reply in steps if step.command is not None and type(step.why) is not Create
        }
        results: list[Any] = []
        failure: Exception | None = None
        for position, (command, answer) in enumerate(zip(self.commands, self.answers, strict=True)):
            if isinstance(answer, Pending):
                assert not isinstance(command, Create | Delete)
                try:
                    if position not in self.rewrites and raw.get(position) is Lost.APPLIED:
                        answer._lose()
                        results.append(answer)
                        continue
                    results.append(self._answer(position, command, answer, raw))
                    answer._settle(results[-1])
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
