"""One commit: planned, tried, and tried again as long as it is what the caller decided on (drive the others)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from uowredis.commands.replies import plain
from uowredis.exceptions import CommitError, Conflict, UowError
from uowredis.executor.executor import Link
from uowredis.executor.server import Options, Server
from uowredis.overlay.overlay import Overlay
from uowredis.plan.plan import Plan
from uowredis.plan.steps import UNKNOWN, Fetch, Question, with_order
from uowredis.planner import Limits, Planner
from uowredis.planner.planner import Turns

T = TypeVar("T")

#: What takes note of a commit that was applied: the plan, the raw replies, and the planner that made it.
Note = Callable[[Plan, list[Any], Planner], T]

#: Full-jitter backoff after a conflict, in seconds: up to BASE doubled with each attempt, at most MOST.
_BACKOFF_BASE, _BACKOFF_MOST = 0.001, 0.05


def back_off(attempt: int) -> None:
    """Wait a random time that may be longer with each attempt, so that those in conflict part."""
    time.sleep(random.uniform(0, min(_BACKOFF_MOST, _BACKOFF_BASE * 2 ** min(attempt, 10))))


def _driven(turns: Turns[T], answer: Callable[[Fetch], list[Any]]) -> T:
    """Answer the fetches of *turns* until it returns; return what it returns."""
    try:
        fetch = next(turns)
        while True:
            fetch = turns.send(answer(fetch))
    except StopIteration as end:
        found: T = end.value
        return found


@attrs.define(eq=False)
class Committer:
    """Plans and sends what is pending in *overlay*.

    Attributes:
        deadline: bounds the attempts by time, None: by their number.
        bare: reads need no transaction where there is nothing else.
        last_plan: what was sent last, by whatever attempt.
        tried: how many attempts the last commit took.
        in_doubt: an interruption came around EXEC.
    """

    server: Server
    overlay: Overlay
    options: Options
    deadline: float | None = None
    bare: bool = False
    last_plan: Plan | None = None
    tried: int = 0
    in_doubt: bool = False

    def plan(self, *, symbolic: bool = False) -> Plan:
        """Return the plan as it stands, made with reads only."""

        def answer(fetch: Fetch) -> list[Any]:
            calls = [question.call for question in fetch.questions]
            replies = [UNKNOWN] * len(calls) if symbolic else self.overlay.peek(calls)
            return [None] * len(fetch.counters) + replies

        return _driven(self._planner().turns(), answer)

    def commit(self, shown: Plan | None, note: Note[T]) -> T:
        """Send what is pending, again after each conflict that does not touch what the caller read.

        Args:
            shown: send exactly this plan.
            note: called as soon as it is applied; its answer is returned.

        Raises:
            CommitError: where it was not applied, or nobody knows.
        """
        self.tried = 0
        while True:
            self.check_reads(again=False)
            self.tried += 1
            applied = self._attempt(shown, note)
            if applied is not None:
                return applied
            if self.tried >= self.options.attempts if self.deadline is None else time.monotonic() >= self.deadline:
                raise self._conflict()
            back_off(self.tried)

    def _attempt(self, shown: Plan | None, note: Note[T]) -> T | None:
        standing = self.overlay.standing
        lent = self.server.executor.pinned() if standing is None else standing.pinned()
        with lent as link:
            try:
                plan, planner = self._planned(link, shown)
            except UowError as error:
                if standing is None:
                    link.unwatch()
                elif not isinstance(error, Conflict) and not link.owes:
                    # What the caller read may have changed, and the refusal may stand on what is there now.
                    self._confirm(error)
                raise
            self.last_plan = plan
            if not plan.steps:
                link.unwatch()
                return note(plan, [], planner)
            try:
                replies = link.apply(plan)
                applied = None if replies is None else note(plan, replies, planner)
                link.in_doubt = False
            except UowError as error:
                if isinstance(error, CommitError):
                    error.plan = plan
                raise
            except BaseException:
                self.in_doubt = link.in_doubt
                raise
        return applied

    def check_reads(self, *, again: bool) -> None:
        """Check that what the caller read still holds, as far as is known.

        Args:
            again: read all of it again, though it is watched still.

        Raises:
            Conflict: where it does not.
        """
        standing = self.overlay.standing
        if standing is None:
            return
        if standing.torn:
            raise self._changed(standing.torn)
        if again or not standing.holds:
            self._confirm()

    def _confirm(self, refusal: UowError | None = None) -> None:
        """Watch again what the caller read, after an attempt let go of it, or was refused.

        Raises:
            Conflict: where it is no longer what the caller decided on.
        """
        standing = self.overlay.standing
        if standing is not None and (differing := standing.differing()):
            raise self._changed(differing) from refusal

    def _changed(self, differing: list[Question]) -> Conflict:
        return self._named(
            f"What was read in the session has changed: {self._shown(differing)}; nothing was applied. Way out: "
            f"rollback(), read again and decide anew; db.run() does that",
            differing,
        )

    def _planned(self, link: Link, shown: Plan | None) -> tuple[Plan, Planner]:
        planner = self._planner()
        plan = _driven(planner.turns(), link.look)
        if shown is not None and not plan.sends(shown):
            raise Conflict("What would be sent is not the plan that was shown: look at plan() again", (), plan.watched)
        return plan, planner

    def _planner(self) -> Planner:
        executor, standing = self.server.executor, self.overlay.standing
        limits = Limits(executor.most_watched, executor.scripts, self.options.max_steps, self.bare)
        return Planner(
            self.overlay.journal,
            self.overlay.rehearsal,
            limits,
            standing=() if standing is None else tuple(standing.rounds),
            unwatched=standing is not None and standing.unwatched,
        )

    def _conflict(self) -> Conflict:
        plan = self.last_plan
        assert plan is not None
        asked = list(plan.asked())
        now = [plain(reply) for reply in self.overlay.peek([ask.call for ask, _ in asked])]
        differing = [
            ask for (ask, before), after in zip(asked, now, strict=True) if before != with_order(ask.call, after)
        ]
        where = f" (now: {self._shown(differing)})" if differing else ""
        return self._named(
            f"Others changed what the commit stands on, {self.tried} times in a row{where}; nothing was applied. "
            f"Way out: commit() again, or Session(db, attempts=...)",
            differing,
        )

    def _shown(self, asks: list[Question]) -> str:
        found = dict.fromkeys(
            f"{self.server.behind(ask.call)} ({', '.join(self.server.watched_for(ask.call))})" for ask in asks
        )
        return ", ".join(list(found)[:10])

    def _named(self, message: str, differing: list[Question]) -> Conflict:
        plan, standing = self.last_plan, self.overlay.standing
        keys = sorted({key for ask in differing for key in self.server.watched_for(ask.call)})
        fields = sorted({name for ask in differing for name in self.server.names_behind(ask.call)})
        watched = () if standing is None else standing.watched
        watched = tuple(dict.fromkeys((*watched, *(() if plan is None else plan.watched))))
        conflict = Conflict(message, keys, watched, fields)
        conflict.plan = plan
        return conflict
