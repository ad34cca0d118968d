"""``db.run()``: calls a function with a session, commits it, and calls again what decided on changed values (say)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

from uowredis.commands.arguments import flag, span
from uowredis.exceptions import ArgumentError, Conflict, SessionError, UowError
from uowredis.executor.drive import drive
from uowredis.session import context
from uowredis.session.begin import joined
from uowredis.session.commit import back_off
from uowredis.session.later import at_once, check_called_at_once
from uowredis.session.session import Session

if TYPE_CHECKING:
    from uowredis.plan.plan import Plan
    from uowredis.session.options import RunOptions

T = TypeVar("T")

#: Who calls a function, and what to do where it is run later.
_RUN = ("db.run()", "a plain function; in an async def: await asyncio.to_thread(db.run, function)")


class RunSession(Session):
    """The session of :meth:`RedisDatabase.run`, which alone commits it."""

    def commit(self, plan: Plan | None = None) -> NoReturn:
        """Refuse: what is committed here could not be taken back when the function is called again.

        Raises:
            SessionError: always.
        """
        raise SessionError("db.run() commits itself, when the function returns. Way out: leave commit() out")

    def _commit_all(self) -> None:
        """Commit (for ``run()``)."""
        super().commit()

    def _torn(self, error: Exception) -> Conflict | None:
        """Return the conflict where what was read has changed since, so that *error* stands on no state there was.

        Where that cannot be found out *error* gets a note.
        """
        try:
            drive(self._committer.check_reads(again=True), self._reader.answer)
        except Conflict as conflict:
            return conflict
        except UowError as failure:
            error.add_note(f"uowredis: whether it stands on changed values could not be found out: {failure}")
        return None


def bounds(
    database: context.Database, attempts: int | None, retry_for: float | None, options: RunOptions
) -> tuple[int, float | None]:
    """Return how often and until when ``run()`` tries; *options* watch what is read, unless they say otherwise.

    Raises:
        ArgumentError: for options that cannot be.
    """
    if "dry_run" in options:
        raise ArgumentError("run() applies what the function says. Way out: Session(db, dry_run=True) as a block")
    most = database._options.changed("run", attempts=attempts).attempts
    deadline = None if retry_for is None else time.monotonic() + span(retry_for, "run(retry_for=...)")
    if options.get("watch_reads") is None:
        options["watch_reads"] = True
    return most, deadline


def run(
    database: context.Database,
    function: Callable[[Session], T],
    attempts: int | None,
    retry_for: float | None,
    join: bool,
    options: RunOptions,
) -> T:
    """Same as :meth:`RedisDatabase.run`."""
    check_called_at_once(function, *_RUN)
    most, deadline = bounds(database, attempts, retry_for, options)
    if flag(join, "run(join=...)") and (opened := context.find(database)) is not None:
        RunSession(database, **options)._is_not_needed()  # but checked
        with joined(opened, options, options["watch_reads"]):
            return at_once(function, function(opened), *_RUN)
    tried = 0
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        session = RunSession(database, attempts=max(1, most - tried), retry_for=left, **options)
        torn = None
        try:
            with session:
                try:
                    result = at_once(function, function(session), *_RUN)
                except Exception as error:
                    if (torn := session._torn(error)) is None:
                        raise
                    raise torn from error
                session._commit_all()
                return result
        except Conflict as conflict:
            # A commit that met one was not applied; any other is of something that was called, then or after it.
            if conflict is not torn and session.outcome != "not applied":
                raise
            tried += max(1, session._tried)
            if tried >= most if deadline is None else time.monotonic() >= deadline:
                conflict.add_note(f"uowredis: db.run() tried {tried} times")
                raise
        time.sleep(back_off(tried))
