"""``db.begin()``: a session that commits when its block is left, or a part of the one that is open (say)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

from uowredis.exceptions import SessionError
from uowredis.session import context
from uowredis.session.later import at_once, check_called_at_once
from uowredis.session.session import Session

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Unpack

    from uowredis.session.options import RunOptions, SessionOptions
    from uowredis.session.record import Savepoint

P = ParamSpec("P")
T = TypeVar("T")

#: Who calls a decorated function, and what to do where it is run later.
_DECORATED = ("@db.begin()", "with db.begin(): inside the function")


class CommittedSession(Session):
    """A session that commits when its block is left without an exception."""

    _opened_by = "db.begin()"

    def __init__(self, database: context.Database, **options: Unpack[SessionOptions]) -> None:
        super().__init__(database, **options)
        self._given = options

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return *function* with each call in a session of its own.

        Raises:
            ArgumentTypeError: for a function that only returns what is run later, e.g. a coroutine.
        """
        self._is_not_needed()
        return _each_call_in(functools.partial(type(self), self.database, **self._given), function)

    def _finish(self) -> None:
        if self._has_something and not self._has_failed:
            self.commit()


class Joined:
    """A block that is a savepoint in the session that is open where it is entered, else a session of its own.

    Args:
        database: the models of this database take part.
        options: of the session of its own.
    """

    #: What a session of its own is.
    _session_class: ClassVar[type[CommittedSession]] = CommittedSession

    def __init__(self, database: context.Database, options: SessionOptions) -> None:
        self._database = database
        self._given = options
        self._own = self._session_class(database, **options)
        self._own._opened_by = "db.begin(join=True)"
        self._block: Savepoint | Session | None = None

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return *function* with each call in a block of its own.

        Raises:
            ArgumentTypeError: for a function that only returns what is run later, e.g. a coroutine.
        """
        self._own._is_not_needed()
        return _each_call_in(functools.partial(Joined, self._database, self._given), function)

    def __enter__(self) -> Session:
        check_is_new(self._block)
        session: Session | None = context.find(self._database)
        if session is None:
            self._block = self._own
            return self._own.__enter__()
        self._own._is_not_needed()
        self._block = joined(session, self._given, self._given.get("watch_reads"))
        self._block.__enter__()
        return session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._block is not None:
            self._block.__exit__(kind, error, trace)


def check_is_new(block: object) -> None:
    """Check that there is no *block* yet.

    Raises:
        SessionError: where there is.
    """
    if block is not None:
        raise SessionError("This block was entered already. Way out: take another, db.begin(join=True)")


def joined(session: Session, given: SessionOptions | RunOptions, watch_reads: bool | None) -> Savepoint:
    """Return a savepoint in *session* for what was *given* options.

    Those that bound or show the commit are of who opened the session, since the commit is.

    Raises:
        SessionError: where it cannot keep what was asked: that reads are watched, or that nothing is sent; and where it
            belongs to another thread or task.
    """
    if watch_reads and not session._options.watch_reads:
        raise SessionError(
            "What is read in this block is to be watched, and the open session does not watch. Way out: open that one "
            "with watch_reads=True, or by db.run(function); or join with watch_reads=False"
        )
    if given.get("dry_run") and not session._is_dry_run:
        raise SessionError(
            "This block is to be a dry run, and the open session sends what is said. Way out: leave its block first"
        )
    return session.savepoint()


def _each_call_in(block: Callable[[], Any], function: Callable[P, T]) -> Callable[P, T]:
    check_called_at_once(function, *_DECORATED)

    @functools.wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with block():
            return at_once(function, function(*args, **kwargs), *_DECORATED)

    return inside
