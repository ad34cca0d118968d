"""``OpensSessions``: the doors by which users open sessions on a database (say)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from uowredis.commands.arguments import flag
from uowredis.session.begin import CommittedSession, Joined
from uowredis.session.context import Database, find
from uowredis.session.pipeline import Pipeline, transact
from uowredis.session.run import run
from uowredis.session.session import Session

if TYPE_CHECKING:
    from typing import Unpack

    from uowredis.session.options import RunOptions, SessionOptions

T = TypeVar("T")


class OpensSessions(Database):
    """A database with ``begin()``, ``run()``, ``pipeline()`` and ``transaction()``."""

    @property
    def session(self) -> Session | None:
        """The session of this database that is open in this context, None where none is."""
        found: Session | None = find(self)
        return found

    @overload
    def begin(self, *, join: Literal[False] = False, **options: Unpack[SessionOptions]) -> CommittedSession: ...

    @overload
    def begin(self, *, join: Literal[True], **options: Unpack[SessionOptions]) -> Joined: ...

    @overload
    def begin(self, *, join: bool, **options: Unpack[SessionOptions]) -> CommittedSession | Joined: ...

    def begin(self, *, join: bool = False, **options: Unpack[SessionOptions]) -> CommittedSession | Joined:
        """Return a session that commits when its block is left without an exception: ``with db.begin() as s:``.

        As a decorator, ``@db.begin()``, it gives each call of a function a session of its own.

        Args:
            join: where a session is open already, the block is a savepoint in it, and ``s`` is that session; it is
                committed by who opened it. As a decorator, too.
            options: as for :class:`Session`. With ``join`` they are those of a session of its own: in an open one, what
                bounds or shows the commit is as it was opened with.

        Raises:
            SessionError: on entering, where a session is open already; with ``join``, where that one does not keep what
                ``watch_reads`` or ``dry_run`` asks.
            ArgumentTypeError: as a decorator, of a function that only returns what is run later, e.g. a coroutine.
        """
        return Joined(self, options) if flag(join, "begin(join=...)") else CommittedSession(self, **options)

    def run(
        self,
        function: Callable[[Session], T],
        *,
        attempts: int | None = None,
        retry_for: float | None = None,
        join: bool = False,
        **options: Unpack[RunOptions],
    ) -> T:
        """Call ``function(session)``, commit, and return what it returned; call it again after a conflict.

        What the function reads is watched: where it has changed by the commit nothing is applied, and the function is
        called anew, after a pause of random length, in a new session. So it must do nothing that cannot be done twice;
        ``session.on_commit()`` is for that. An exception of the function stands on what was read, too: where that has
        changed the function is called anew, else the exception goes on. KeyboardInterrupt, SystemExit and GeneratorExit
        go on at once.

        Args:
            function: takes the session; its commit is ours.
            attempts: how many transactions are tried in all, 10 by default (the database's ``attempts``).
            retry_for: bound the attempts by seconds, not by their number.
            join: where a session is open already, call the function once, in a savepoint of it. It must watch what is
                read, unless ``watch_reads=False``; where that has changed, its commit raises, and whoever opened it
                decides what to do: the outer ``run()`` calls all of it again.
            options: as for :class:`Session`, but ``dry_run``.

        Raises:
            SessionError: where a session is open already; with ``join``, where that one does not watch what is read.
            Conflict: after the last attempt, from the exception of the function, if it had one.
            ArgumentTypeError: for a function that only returns what is run later, e.g. a coroutine.
            ArgumentError: for options that cannot be.
            CommitError: where the commit was refused, or nobody knows.
        """
        return run(self, function, attempts, retry_for, join, options)

    def pipeline(
        self, transaction: bool = True, share_in_threads: bool = False, **options: Unpack[SessionOptions]
    ) -> Pipeline:
        """Return a pipeline, a session in which reads wait, too: ``with db.pipeline() as pipeline:``.

        Args:
            transaction: False sends what only reads without MULTI and EXEC.
            share_in_threads: every thread may use it while it is open, one call at a time.
            options: as for :class:`Session`.
        """
        return Pipeline(self, transaction=transaction, share_in_threads=share_in_threads, **options)

    @overload
    def transaction(
        self,
        function: Callable[[Pipeline], object],
        *watches: Any,
        value_from_callable: Literal[False] = False,
        retry_for: float | None = None,
    ) -> list[Any]: ...

    @overload
    def transaction(
        self,
        function: Callable[[Pipeline], T],
        *watches: Any,
        value_from_callable: Literal[True],
        retry_for: float | None = None,
    ) -> T: ...

    def transaction(
        self,
        function: Callable[[Pipeline], Any],
        *watches: Any,
        value_from_callable: bool = False,
        retry_for: float | None = None,
    ) -> Any:
        """Call ``function(pipeline)`` and execute the pipeline; call it again where something watched has changed.

        Until the function calls ``pipeline.multi()`` reads are answered at once; from then on commands wait.

        Args:
            function: takes the pipeline.
            watches: fields of instances, or keys as text.
            value_from_callable: return what the function returned.
            retry_for: seconds for which it is tried again, the database's ``retry_for`` (30) by default.

        Returns:
            The replies of the pipeline.

        Raises:
            Conflict: where others kept changing what is watched; nothing was applied.
            ArgumentTypeError: for what cannot be called, or only returns what is run later.
            SessionError: for a write before ``multi()``, and for ``execute()`` in the function.
        """
        return transact(self, function, watches, value_from_callable, retry_for)
