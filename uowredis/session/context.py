"""Which session is open here (say): the sessions of this context, and those shared among threads."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from uowredis.executor.executor import Executor
    from uowredis.plan.guards import Guards
    from uowredis.session.options import Options

Owner = tuple[int, Any]


class Database:
    """What sessions know of the database they are on; ``RedisDatabase`` is one.

    Attributes:
        options: what its sessions do, unless they say otherwise.
        retry_for: seconds for which a single call is tried again after conflicts.
        guards: what the keys of its models mean.
        entered: how often its sessions were entered for a call.
    """

    entered = 0

    options: Options
    retry_for: float
    guards: Guards

    @property
    def executor(self) -> Executor:
        """What sends the library's own commands."""
        raise NotImplementedError

    @property
    def connected(self) -> object:
        """What changes with every ``connect()``: a session holds on to it."""
        raise NotImplementedError


class Opened(Protocol):
    """What the context knows of a session."""

    database: Database
    belongs_to: Owner | None


#: The open sessions of this context, the innermost last.
_open: contextvars.ContextVar[tuple[Any, ...]] = contextvars.ContextVar("uowredis_sessions", default=())

#: Those that take no part just now.
_hidden: contextvars.ContextVar[tuple[Any, ...]] = contextvars.ContextVar("uowredis_hidden", default=())

#: Those that every thread may use.
_shared: weakref.WeakKeyDictionary[Database, Any] = weakref.WeakKeyDictionary()


def find(database: Database) -> Any:
    """Return the open session of *database*, the innermost of this context first, None where there is none."""
    hidden_ones = _hidden.get()
    for session in reversed(_open.get()):
        if session.database is database and session not in hidden_ones:
            return session
    session = _shared.get(database) if _shared else None
    return None if session in hidden_ones else session


def owner() -> Owner:
    """Return which thread and task this is."""
    # The running loop is looked up first because current_task() raises without one.
    loop = asyncio._get_running_loop()
    return threading.get_ident(), None if loop is None else asyncio.current_task(loop)


def is_open(database: Database, whose: Owner) -> bool:
    """Return whether *whose* session of *database* is open in this context, or one is shared."""
    hidden_ones = _hidden.get()
    if database in _shared and _shared[database] not in hidden_ones:
        return True
    mine = (session for session in _open.get() if session.belongs_to == whose and session not in hidden_ones)
    return any(session.database is database for session in mine)


def enter(session: Opened) -> None:
    """Take *session* as the innermost of this context."""
    _open.set((*_open.get(), session))


def leave(session: Opened) -> None:
    """Take *session* out of this context, and no other.

    Not the former value: sessions of other databases may have come and gone since, with generators.
    """
    _open.set(tuple(other for other in _open.get() if other is not session))


@contextlib.contextmanager
def hidden(session: Opened) -> Iterator[None]:
    """Let nobody find *session* in this context inside the block, where it is shared neither."""
    former = _hidden.get()
    _hidden.set((*former, session))
    try:
        yield
    finally:
        _hidden.set(former)


def share(session: Opened) -> None:
    """Let every thread find *session*."""
    _shared[session.database] = session


def unshare(session: Opened) -> None:
    """Let only its own context find *session*."""
    if _shared.get(session.database) is session:
        del _shared[session.database]
