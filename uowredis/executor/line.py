"""``Line``: how one session reaches the server (do)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from uowredis.commands.calls import Call
from uowredis.exceptions import OutcomeUnknown, PartiallyApplied, Unreachable, UowError
from uowredis.executor import transaction
from uowredis.executor.connection import Connection, Lent
from uowredis.executor.executor import PAUSE, Executor
from uowredis.plan.plan import Plan
from uowredis.plan.requests import (
    Again,
    Apply,
    Collation,
    Lost,
    Pause,
    Release,
    Request,
    Scripts,
    Send,
    Settle,
    Transact,
    TransactEach,
)
from uowredis.plan.steps import Fetch
from uowredis.plan.token import Token

T = TypeVar("T")


class Line:
    """Answers the requests of what decides.

    One connection is pinned from the first ``Fetch`` to ``Release``; it is never another one meanwhile. Whatever needs
    no watch, or a MULTI of its own, goes over any other: an EXEC, of a query too, lets go of all that is watched.

    Args:
        executor: gives that of the database.

    Attributes:
        pins: how many connections were pinned so far; a new one watches nothing of what the former did.
        loss: why the last pinned connection was lost.
        acknowledged: how many replicas had the last commit that waited for them, None where that is not known.
    """

    # Of the class: one whose making was interrupted is collected, too.
    _lent: Lent | None = None
    _connection: Connection | None = None
    _first: Sequence[Call] = ()

    def __init__(self, executor: Callable[[], Executor]) -> None:
        self.pins = 0
        self.loss = ""
        self.acknowledged: int | None = None
        self._executor = executor

    def answer(self, request: Request) -> Any:
        """Return the answer to *request*.

        Raises:
            CommitError: what became of it where it failed.
        """
        match request:
            case Send(calls):
                return self._executor().send(calls)
            case Fetch():
                return self._fetched(request)
            case Apply(plan):
                return self._applied(plan)
            case Settle(token):
                return self._executor().settle(token)
            case Transact(calls):
                return self._executor().transact(calls)
            case TransactEach(each):
                return self._executor().transact_each(each)
            case Collation(key):
                return self._executor().sorts_by_bytes(key)
            case Scripts():
                return self._executor().scripts
            case Release(spent):
                if spent is not None:
                    self._executor().note_spent(spent)
                self._release()
            case Pause(seconds):
                time.sleep(seconds)
            case Again(error, since):
                return not self._executor().lasts(error, since)
        return None

    @property
    def is_pinned(self) -> bool:
        """Whether a connection is pinned."""
        return self._lent is not None

    @property
    def released(self) -> int:
        """How often all that was watched on the pinned connection was let go of, by EXEC of whatever outcome."""
        return 0 if self._connection is None else self._connection.released

    def _fetched(self, fetch: Fetch) -> list[Any]:
        """Fetch on the pinned connection; where it is the first on it, and was refused at the wrong place, again."""
        since, pins, calls = time.monotonic(), not self.is_pinned, fetch.calls
        while True:
            try:
                return self._pinned(lambda connection: connection.fetch(fetch, calls), calls)
            except Unreachable as error:
                self.drop()
                if not pins or self._executor().lasts(error, since):
                    raise
            time.sleep(PAUSE)

    def _pinned(self, use: Callable[[Connection], T], calls: Sequence[Call]) -> T:
        lent, connection = self._lent, self._connection
        if lent is None or connection is None:
            lent, self._first = self._executor().pinned(calls), calls
            connection = lent.__enter__()
            self._lent, self._connection = lent, connection
            self.pins += 1
        self._executor().check_pinned(self._first, calls)
        try:
            return use(connection)
        except BaseException as error:
            harmless = isinstance(error, UowError) and not isinstance(error, OutcomeUnknown) and not connection.owes
            if not harmless:
                self._lose(error)
            raise

    def token(self, spelled: Callable[[str], str]) -> Token | None:
        """Return the token of a commit, whose key is *spelled* of a text that no other has; see the executor."""
        return self._executor().token(spelled)

    def node_of(self, slot: int) -> str | None:
        """Return which node of a cluster has *slot*, as far as is known; None on one server."""
        return self._executor().node_of(slot)

    def wait_for(self, replicas: int) -> Call | None:
        """Return the call that waits for *replicas*, None where there is nothing to wait for."""
        return self._executor().wait_for(replicas)

    def _applied(self, plan: Plan) -> list[Any] | Lost | None:
        """Send the transaction of *plan*; where its reply is lost, ask what became of it."""
        self.acknowledged = None
        try:
            replies: list[Any] | None = self._pinned(lambda connection: sent(connection, plan), plan.transaction)
        except OutcomeUnknown as lost:
            if plan.token is None:
                raise
            became = self._executor().settle(plan.token)
            if became == "partially applied":
                raise of_a_script(lost, plan) from lost
            return Lost(became)
        assert self._connection is not None
        self.acknowledged = self._connection.acknowledged
        return replies

    def _lose(self, error: BaseException) -> None:
        lent, self._lent, self._connection = self._lent, None, None
        self.loss = str(error) or type(error).__name__
        assert lent is not None
        lent.__exit__(type(error), error, error.__traceback__)

    def drop(self) -> None:
        """Close the pinned connection without waiting for anything, where one is left."""
        if self._lent is not None:
            with contextlib.suppress(UowError):
                self._lose(ConnectionError("the connection was given up"))

    def __del__(self) -> None:
        self.drop()

    def _release(self) -> None:
        lent, connection = self._lent, self._connection
        if lent is None or connection is None:
            return
        try:
            connection.unwatch()
        except BaseException as error:
            with contextlib.suppress(UowError):
                self._lose(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._lent = self._connection = None
            lent.__exit__(None, None, None)


def sent(connection: Connection, plan: Plan) -> Any:
    """Return what the transaction of *plan* is answered by *connection*, or what is awaited for it."""
    return connection.run(transaction.apply(connection, plan))


def of_a_script(lost: OutcomeUnknown, plan: Plan) -> PartiallyApplied:
    """Return the error for a script of which a command failed, and the replies were *lost*."""
    return PartiallyApplied(
        f"A command failed inside the script, the others before it were applied; their replies were lost ({lost}). Way "
        f"out: look at error.plan, read what is there, and mend by hand",
        [None] * len(plan.steps),
    )
