"""What a caller read and decides on, watched from the read to the commit (decide: it only asks for what it needs)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from uowredis.commands.calls import Call
from uowredis.commands.replies import plain
from uowredis.exceptions import Rejected, Unreachable
from uowredis.executor.executor import PAUSE
from uowredis.executor.line import Line
from uowredis.plan.guards import Guards
from uowredis.plan.requests import Again, Deciding, Pause
from uowredis.plan.steps import Fetch, Question, Round, with_order

#: Their answers differ from one time to the next; what they were made from is compared instead.
_VOLATILE = frozenset(
    ("HRANDFIELD", "HSCAN", "PTTL", "SRANDMEMBER", "SSCAN", "TTL", "ZRANDMEMBER", "ZSCAN"),
)  # what is left of an expiry shrinks by itself: only WATCH tells that another changed it


class WatchedReads:
    """The reads and watches of one caller, on the pinned connection of its line.

    Args:
        line: of the session.
        guards: which keys to watch for what is read.
        most_watched: keys that one connection should watch; None: any number.

    Attributes:
        rounds: what was watched and read, with the replies.
        are_lost: the watches went with a transaction that was not applied: what was read is compared anew.
        differing: the reads that are known to answer differently by now, or did when they were made twice.
    """

    def __init__(self, line: Line, guards: Guards, most_watched: int | None) -> None:
        self.rounds: list[Round] = []
        self.differing: list[Question] = []
        self._line = line
        self._guards = guards
        self._most_watched = most_watched
        self._watched: dict[str, None] = {}
        self._replies: dict[Call, Any] = {}
        self._pin = 0
        self._released = 0
        self.are_lost = False

    def read(self, calls: Sequence[Call]) -> Deciding[list[Any]]:
        """Watch what *calls* read, and send them, in one round trip; return their raw replies."""
        questions = [self._question(call) for call in calls]
        raw = yield from self._take([key for call in calls for key in self._guards.watched_for(call)], questions)
        # Creations whose pk Redis counts touch no guard key: who is missing is watched by the set of all of them.
        absent = [
            (question, key)
            for question, reply in zip(questions, raw, strict=True)
            if (key := self._guards.watched_for_absence(question.call, reply)) is not None and key not in self._watched
        ]
        if absent:
            yield from self._take([key for _, key in absent], [question for question, _ in absent])
        return raw

    def _question(self, call: Call) -> Question:
        return Question(call, f"read: {self._guards.behind(call)}", self._guards.public(call))

    def watch(self, keys: Sequence[str]) -> Deciding[None]:
        """Watch *keys*; what they hold is kept, to tell later whether it changed (DUMP)."""
        calls = [("DUMP", key) for key in keys]
        yield from self._take(keys, [Question(call, f"watched: {self._guards.behind(call)}") for call in calls])

    def _take(self, keys: Sequence[str], questions: Sequence[Question]) -> Deciding[list[Any]]:
        self.check_pinned()
        new = [key for key in dict.fromkeys(keys) if key not in self._watched]
        watch = () if self._too_many(len(self._watched) + len(new)) else tuple(new)
        volatile = [Question(("DUMP", each.call[1]), each.why) for each in questions if each.call[0] in _VOLATILE]
        sent = [*questions, *volatile]
        raw = yield from self._fetched(Fetch(watch, tuple(sent)))
        if not self._watched:
            self._pin, self._released = self._line.pins, self._line.released
        self._watched |= dict.fromkeys(new)
        kept: list[tuple[Question, Any]] = []
        for question, reply in zip(sent, raw, strict=True):
            if question.call[0] not in _VOLATILE:
                found = with_order(question.call, plain(reply))
                if question.call not in self._replies:
                    self._replies[question.call] = found
                    kept.append((question, found))
                elif self._replies[question.call] != found:
                    self.differing.append(question)
        if watch or kept:
            fetch = Fetch(watch, tuple(question for question, _ in kept))
            self.rounds.append(Round(fetch, [reply for _, reply in kept]))
        return raw[: len(questions)]

    def _fetched(self, fetch: Fetch) -> Deciding[list[Any]]:
        """Fetch; where it is served elsewhere by now, watch there what was watched before, and fetch then."""
        since = time.monotonic()
        while True:
            try:
                raw: list[Any] = yield fetch
            except Unreachable as error:
                # The first one was tried again already.
                if not self._watched or not (yield Again(error, since)):
                    raise
                self.are_lost = True
                yield Pause(PAUSE)
                # What differs there is a conflict of the commit, as it would be here.
                yield from self.compare()
            else:
                return raw

    def compare(self) -> Deciding[list[Question]]:
        """Watch and read everything again, after an EXEC let go of it; return the reads that answer differently."""
        if self.differing:
            return self.differing
        if not self.are_lost:
            self.check_pinned()
        watch = () if self.unwatched else tuple(self._watched)
        known = [(question, reply) for each in self.rounds for question, reply in each]
        raw = yield Fetch(watch, tuple(question for question, _ in known))
        self._pin, self._released, self.are_lost = self._line.pins, self._line.released, False
        # What has changed once stays a conflict, though it is watched anew now.
        self.differing = [
            question
            for (question, before), after in zip(known, raw, strict=True)
            if with_order(question.call, plain(after)) != before
        ]
        return self.differing

    def check_pinned(self) -> None:
        """Check that the connection that watches is the one it was.

        Raises:
            Rejected: where it was lost, and with it what was watched.
        """
        if self._watched and (self._line.pins != self._pin or not self._line.is_pinned):
            raise Rejected(
                f"The connection that watched what you read was lost ({self._line.loss}); nothing was applied. Way "
                f"out: rollback(), and read again"
            )

    @property
    def watched(self) -> tuple[str, ...]:
        """Every key that is watched, or would be where there were fewer."""
        return tuple(self._watched)

    @property
    def holds(self) -> bool:
        """Whether all is watched still, or is compared by a script: an EXEC of whatever outcome lets go of it."""
        if self.unwatched or not self._watched:
            return True
        return self._line.is_pinned and self._line.pins == self._pin and self._line.released == self._released

    @property
    def unwatched(self) -> bool:
        """Whether there are more keys than one connection should watch: the script of the commit compares replies."""
        return self._too_many(len(self._watched))

    def _too_many(self, keys: int) -> bool:
        return self._most_watched is not None and keys > self._most_watched
