"""What a caller read and decides on, watched from the read to the commit (do).

One connection is pinned from the first watch on. Whatever needs a MULTI of its own goes over another, because an EXEC,
of a query too, lets go of all that is watched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from uowredis.commands.calls import Call
from uowredis.commands.replies import plain
from uowredis.exceptions import OutcomeUnknown, Rejected, UowError
from uowredis.executor.executor import Lent, Link
from uowredis.executor.server import Server
from uowredis.plan.steps import Fetch, Question, Round, with_order

#: Their answers differ from one time to the next; what they were made from is compared instead.
_VOLATILE = frozenset(("SRANDMEMBER",))


class WatchedReads:
    """The reads and watches of one caller.

    Attributes:
        rounds: what was watched and read, with the replies.
    """

    def __init__(self, server: Server) -> None:
        self.rounds: list[Round] = []
        self._server = server
        self._watched: dict[str, None] = {}
        self._replies: dict[Call, Any] = {}
        self._torn: list[Question] = []
        self._lent: Lent | None = None
        self._link: Link | None = None
        self._lost = ""
        self._released = 0

    @contextlib.contextmanager
    def pinned(self) -> Iterator[Link]:
        """Lend the pinned connection.

        Raises:
            Rejected: where it was lost, and with it what was watched.
        """
        if self._lost:
            raise Rejected(
                f"The connection that watched what you read was lost ({self._lost}); nothing was applied. Way out: "
                f"rollback(), and read again"
            )
        if self._link is None:
            self._lent = self._server.executor.pinned()
            self._link = self._lent.__enter__()
            self._released = self._link.released
        lent, link = self._lent, self._link
        assert lent is not None
        try:
            yield link
        except BaseException as error:
            harmless = isinstance(error, UowError) and not isinstance(error, OutcomeUnknown) and not link.owes
            # After an applied commit it was given back already.
            if not harmless and self._lent is lent:
                self._lost = str(error) or type(error).__name__
                self._lent = self._link = None
                lent.__exit__(type(error), error, error.__traceback__)
            raise

    def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Watch what *calls* read, and send them, in one round trip; return their raw replies."""
        asks = [self._asked(call) for call in calls]
        raw = self._take([key for call in calls for key in self._server.watched_for(call)], asks)
        # Creations whose pk Redis counts touch no guard key: who is missing is watched by the set of all of them.
        absent = [
            (ask, key)
            for ask, reply in zip(asks, raw, strict=True)
            if (key := self._server.watched_for_absence(ask.call, reply)) is not None and key not in self._watched
        ]
        if absent:
            self._take([key for _, key in absent], [ask for ask, _ in absent])
        return raw

    def _asked(self, call: Call) -> Question:
        return Question(call, f"read: {self._server.behind(call)}", self._server.public(call))

    def watch(self, keys: Sequence[str]) -> None:
        """Watch *keys*; what they hold is kept, to tell later whether it changed (DUMP)."""
        calls = [("DUMP", key) for key in keys]
        self._take(keys, [Question(call, f"watched: {self._server.behind(call)}") for call in calls])

    def _take(self, keys: Sequence[str], asks: Sequence[Question]) -> list[Any]:
        new = [key for key in dict.fromkeys(keys) if key not in self._watched]
        self._watched |= dict.fromkeys(new)
        watch = () if self.unwatched else tuple(new)
        sent = [*asks, *(Question(("DUMP", ask.call[1]), ask.why) for ask in asks if ask.call[0] in _VOLATILE)]
        with self.pinned() as link:
            raw = link.look(Fetch(watch, tuple(sent)))
        kept: list[tuple[Question, Any]] = []
        for ask, reply in zip(sent, raw, strict=True):
            if ask.call[0] not in _VOLATILE:
                found = with_order(ask.call, plain(reply))
                if ask.call not in self._replies:
                    self._replies[ask.call] = found
                    kept.append((ask, found))
                elif self._replies[ask.call] != found:
                    self._torn.append(ask)
        if watch or kept:
            self.rounds.append(Round(Fetch(watch, tuple(ask for ask, _ in kept)), [reply for _, reply in kept]))
        return raw[: len(asks)]

    def differing(self) -> list[Question]:
        """Watch and read everything again, after an EXEC let go of it; return the reads that answer differently."""
        if self._torn:
            return self._torn
        watch = () if self.unwatched else tuple(self._watched)
        known = [(ask, reply) for each in self.rounds for ask, reply in each]
        with self.pinned() as link:
            replies = link.find(Fetch(watch, tuple(ask for ask, _ in known)))
            self._released = link.released
        # What has changed once stays a conflict, though it is watched anew now.
        self._torn = [
            ask for (ask, before), after in zip(known, replies, strict=True) if with_order(ask.call, after) != before
        ]
        return self._torn

    @property
    def watched(self) -> tuple[str, ...]:
        """Every key that is watched, or would be where there were fewer."""
        return tuple(self._watched)

    @property
    def torn(self) -> list[Question]:
        """The reads that are known to answer differently by now, or did when they were made twice."""
        return self._torn

    @property
    def holds(self) -> bool:
        """Whether all is watched still, or is compared by a script: an EXEC of whatever outcome lets go of it."""
        if self.unwatched or not self._watched:
            return True
        return self._link is not None and self._link.released == self._released

    @property
    def unwatched(self) -> bool:
        """Whether there are more keys than one connection should watch: the script of the commit compares replies."""
        most = self._server.executor.most_watched
        return most is not None and len(self._watched) > most

    def close(self) -> None:
        """Let go of everything."""
        lent, link, self._lent, self._link = self._lent, self._link, None, None
        self.rounds, self._watched, self._replies, self._torn, self._lost = [], {}, {}, [], ""
        if lent is None or link is None:
            return
        try:
            link.unwatch()
        except BaseException as error:
            with contextlib.suppress(UowError):
                lent.__exit__(type(error), error, error.__traceback__)
            if not isinstance(error, Exception):
                raise
        else:
            lent.__exit__(None, None, None)
