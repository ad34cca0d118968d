"""``db.run()``: calls a function with a session, commits it, and calls again what decided on changed values (say)."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from uowredis.commands.arguments import span
from uowredis.exceptions import ArgumentError, ArgumentTypeError, Conflict, SessionError
from uowredis.session.commit import back_off
from uowredis.session.session import Session

if TYPE_CHECKING:
    from uowredis.plan.plan import Plan
    from uowredis.session.context import Database

T = TypeVar("T")

#: What tells functions that, called, have done nothing yet.
_LATER = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)


class RunSession(Session):
    """The session of :meth:`RedisDatabase.run`, which alone commits it."""

    def commit(self, plan: Plan | None = None) -> NoReturn:
        """Refuse: what is committed here could not be taken back when the function is called again.

        Raises:
            SessionError: always.
        """
        raise SessionError("db.run() commits itself, when the function returns. Way out: leave commit() out")

    def finish(self) -> None:
        """Commit (for ``run()``)."""
        super().commit()


def run(
    database: Database,
    function: Callable[[Session], T],
    attempts: int | None,
    retry_for: float | None,
    options: dict[str, Any],
) -> T:
    """Same as :meth:`RedisDatabase.run`."""
    _check_called_at_once(function)
    if "dry_run" in options:
        raise ArgumentError("run() applies what the function says. Way out: Session(db, dry_run=True) as a block")
    most = database.options.changed("run", attempts=attempts).attempts
    deadline = None if retry_for is None else time.monotonic() + span(retry_for, "run(retry_for=...)")
    if options.get("watch_reads") is None:
        options["watch_reads"] = True
    tried = 0
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        session = RunSession(database, attempts=max(1, most - tried), retry_for=left, **options)
        finishing = False
        try:
            with session:
                result = _called(function, session)
                finishing = True
                session.finish()
                return result
        except Conflict as conflict:
            if not finishing or session.outcome == "applied":
                raise  # of something that the function called, then or after the commit
            tried += max(1, session.tried)
            if tried >= most if deadline is None else time.monotonic() >= deadline:
                conflict.add_note(f"uowredis: db.run() tried {tried} times")
                raise
        time.sleep(back_off(tried))


def _check_called_at_once(function: Any) -> None:
    """Check that calling *function* is all that there is to do.

    Raises:
        ArgumentTypeError: for what cannot be called, or only returns what somebody must run later.
    """
    if not callable(function):
        raise ArgumentTypeError(f"run() takes a function of a session, not {function!r}")
    if any(is_later(function) for is_later in _LATER):
        raise _later(function)


def _called(function: Callable[[Session], T], session: Session) -> T:
    """Return what *function* returns.

    Raises:
        ArgumentTypeError: where that must be awaited: nothing of it was said yet.
    """
    result = function(session)
    if inspect.isawaitable(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()
        raise _later(function)
    return result


def _later(function: object) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"db.run() calls a function and commits when it returns; {function!r} returns what is run later, so that "
        f"nothing would be committed. Way out: a plain function; in an async def: await "
        f"asyncio.to_thread(db.run, function)"
    )
