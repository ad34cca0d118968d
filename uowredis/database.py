"""``RedisDatabase``: where the data is, and the sessions on it (declare, say)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from uowredis.commands.arguments import span
from uowredis.exceptions import ArgumentError, ArgumentTypeError, Conflict, SessionError
from uowredis.executor.server import Server
from uowredis.session.commit import back_off
from uowredis.session.session import Session

if TYPE_CHECKING:
    from types import TracebackType

    from uowredis.plan.plan import Plan

__all__ = ["RedisDatabase"]

T = TypeVar("T")


class CommittedSession(Session):
    """A session that commits when its block is left without an exception."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None or self.has_failed or not self.has_something:
            super().__exit__(kind, error, trace)
            return
        try:
            self.commit()
        except BaseException as failure:
            super().__exit__(type(failure), failure, failure.__traceback__)
            raise
        super().__exit__(None, None, None)


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


class RedisDatabase(Server):
    """A Redis (or Valkey) database, the models in it, and the sessions on it.

    ``RedisDatabase()`` takes the arguments of ``redis.Redis`` and connects with the first command;
    ``RedisDatabase.embedded()`` is an in-process server; ``RedisDatabase.from_url("redis://...")``.

    Args:
        attempts: how often a commit is tried when others change what it stands on, 10 by default.
        on_pending: what leaving a session with unsent writes does: "raise" (the default), "warn" or "discard".
        watch_reads: whatever a session reads is watched until its commit.
        echo: log what sessions really send (logger ``uowredis``, level INFO).
        rehearsal_limit: members a key may hold for commands to be tried on it in a session, 10,000 by default.
        max_steps: steps a plan may have, 1,000,000 by default.
        retry_for: seconds for which a single command outside a session is tried again after conflicts, 30 by default.
        max_watched: watched keys above which a commit goes as a script, 1,000 by default.
        scripts: False where the server runs no scripts; larger commits are refused then.
        settings: the arguments of ``redis.Redis``: host, port, db, password, ssl ... Retries, health checks, decoding
            and the protocol's version are the library's own.

    Raises:
        ImplementationError: for arguments that ``redis.Redis`` does not have.
        ArgumentError: for options of sessions that cannot be.
    """

    def begin(self, **options: Any) -> CommittedSession:
        """Return a session that commits when its block is left without an exception: ``with db.begin() as s:``.

        Args:
            options: as for :class:`Session`.
        """
        return CommittedSession(self, **options)

    def run(
        self,
        function: Callable[[Session], T],
        *,
        attempts: int | None = None,
        retry_for: float | None = None,
        **options: Any,
    ) -> T:
        """Call ``function(session)``, commit, and return what it returned; call it again after a conflict.

        What the function reads is watched: where it has changed by the commit nothing is applied, and the function is
        called anew, after a pause of random length, in a new session. So it must do nothing that cannot be done twice;
        ``session.on_commit()`` is for that.

        Args:
            function: takes the session; its commit is ours.
            attempts: how many transactions are tried in all, 10 by default (the database's ``attempts``).
            retry_for: bound the attempts by seconds, not by their number.
            options: as for :class:`Session`, but ``dry_run``.

        Raises:
            Conflict: after the last attempt.
            ArgumentError: for options that cannot be.
            CommitError: where the commit was refused, or nobody knows.
        """
        if not callable(function):
            raise ArgumentTypeError(f"run() takes a function of a session, not {function!r}")
        if "dry_run" in options:
            raise ArgumentError("run() applies what the function says. Way out: Session(db, dry_run=True) as a block")
        most = self.options.changed("run", attempts=attempts).attempts
        deadline = None if retry_for is None else time.monotonic() + span(retry_for, "run(retry_for=...)")
        if options.get("watch_reads") is None:
            options["watch_reads"] = True
        tried = 0
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            session = RunSession(self, attempts=max(1, most - tried), retry_for=left, **options)
            finishing = False
            try:
                with session:
                    result = function(session)
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
            back_off(tried)
