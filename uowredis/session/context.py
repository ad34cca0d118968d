"""Which session is open here (say): the sessions of this context, and those shared among threads."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import sys
import weakref
from asyncio import _get_running_loop
from collections.abc import Iterator
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from uowredis.exceptions import SessionError

if TYPE_CHECKING:
    from uowredis.executor.executor import Executor
    from uowredis.plan.guards import Guards
    from uowredis.schema.models import ModelSchema
    from uowredis.session.fingerprints import Fingerprints
    from uowredis.session.options import Options
    from uowredis.session.reader import Reader

#: Process, thread, task, and greenlet.
Owner = tuple[int, int, Any, Any]


class Database:
    """What sessions know of the database they are on; ``RedisDatabase`` is one.

    Attributes:
        options: what its sessions do, unless they say otherwise.
        of_one_call: what a session of one call does.
        retry_for: seconds for which a single call is tried again after conflicts.
        certain: whether a single command can be settled where its reply is lost.
        guards: what the keys of its models mean.
        fingerprints: what is known of the declarations that the data was written with; anew with every ``connect()``.
        outside: what a write with no session open does: "send", "warn" or "refuse".
        entered: how often its sessions were entered for a call.
    """

    #: Whether it is of ``uowredis.aio``, where what waits is awaited.
    _is_awaited: ClassVar[bool] = False
    _entered = 0
    #: Answers questions where no session is open; made for the first one.
    _reader: Reader | None = None

    _options: Options
    _of_one_call: Options
    _retry_for: float
    _certain: bool
    _guards: Guards
    _fingerprints: Fingerprints
    _outside: str

    @property
    def _executor(self) -> Executor:
        """What sends the library's own commands."""
        raise NotImplementedError

    @property
    def _is_cluster(self) -> bool:
        """Whether it is a Redis Cluster."""
        raise NotImplementedError

    @property
    def _connected(self) -> object:
        """What changes with every ``connect()``, at once: a session holds on to it."""
        raise NotImplementedError

    def _check_placed(self, model: ModelSchema) -> None:
        """Check that *model* can be where this database is."""
        raise NotImplementedError


def face(is_awaited: bool) -> str:
    """Return which module what waits, or what *is_awaited*, is of."""
    return "uowredis.aio" if is_awaited else "uowredis"


class Opened(Protocol):
    """What the context knows of a session."""

    database: Database
    _belongs_to: Owner | None
    is_open: bool


class _Use(Protocol):
    """What the context knows of a block of ``use()``."""

    session: Any
    goes_on: bool


#: The sessions entered in this context, the innermost last; it keeps none alive that nobody else holds.
_open: contextvars.ContextVar[tuple[weakref.ref[Any], ...]] = contextvars.ContextVar("uowredis_sessions", default=())

#: Those that take no part just now.
_hidden: contextvars.ContextVar[tuple[Any, ...]] = contextvars.ContextVar("uowredis_hidden", default=())

#: The blocks of ``use()`` by which sessions were given to this context; it keeps none alive either.
_used: contextvars.ContextVar[tuple[weakref.ref[_Use], ...]] = contextvars.ContextVar("uowredis_used", default=())

#: Those that every thread may use, by the ``id()`` of their database; it keeps none alive either.
_shared: dict[int, weakref.ref[Any]] = {}


#: Whatever is open in this process, in whichever context.
_everywhere: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()

#: What is imported.
_modules: dict[str, Any] = sys.modules

#: This process. Asking for it each time is a system call; CPython itself relies on being told of a fork, too.
_process = os.getpid()


def _forked() -> None:
    global _process
    _process = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def find(database: Database) -> Any:
    """Return the open session of *database*, the innermost of this context first, None where there is none.

    One that was left is open nowhere, also in a context that was copied before; one of another process is not ours.

    Raises:
        SessionError: inside ``use()`` of one that was left meanwhile.
    """
    for entered in reversed(_open.get()):
        session = entered()
        if session is not None and session.database is database:
            if _takes_part(session):
                return session
            if not session.is_open and any(block.session is session for block in _used_here()):
                raise left_meanwhile()
    return _everybodys(database) if _shared else None


def _used_here() -> list[_Use]:
    """Return the blocks of ``use()`` that go on in this context; one that was copied knows of those that are over."""
    return [block for entered in _used.get() if (block := entered()) is not None and block.goes_on]


def left_meanwhile() -> SessionError:
    """Return the error for the use of a session that was left by who opened it."""
    return SessionError(
        "The session that is used here was left meanwhile by who opened it; what was said in it and not committed is "
        "forgotten. Way out: a session of its own, after the block of use()"
    )


def _everybodys(database: Database) -> Any:
    """Return the session of *database* that every thread may use, None where there is none."""
    shared = _shared.get(id(database))
    session = None if shared is None else shared()
    return session if session is not None and session.database is database and _takes_part(session) else None


def _takes_part(session: Opened) -> bool:
    # Who entered it is known of whatever is open.
    return session.is_open and session._belongs_to[0] == _process and session not in _hidden.get()  # type: ignore[index]


def owner() -> Owner:
    """Return which process, thread, task (of asyncio or trio) and greenlet this is: the one place that says it.

    It is asked for each call, and what nobody imported is not looked for.
    """
    # Weakly: a greenlet that is dropped is ended by that, unless what it runs holds it.
    where = weakref.ref(_modules["greenlet"].getcurrent()) if "greenlet" in _modules else None
    # Before asyncio, since trio may run as a guest of its loop.
    if "sniffio" in _modules and _modules["sniffio"].thread_local.name == "trio":
        return _process, get_ident(), _modules["trio"].lowlevel.current_task(), where
    # The running loop is looked up first because current_task() raises without one.
    loop = _get_running_loop()
    return _process, get_ident(), None if loop is None else asyncio.current_task(loop), where


def is_open(database: Database, whose: Owner) -> bool:
    """Return whether *whose* session of *database* is open in this context, or one is shared."""
    if _everybodys(database) is not None:
        return True
    return any(session.database is database and session._belongs_to == whose for session in opened_here())


def has(session: Opened) -> bool:
    """Return whether *session* was entered in this context, or in the one it was copied from."""
    return any(entered() is session for entered in _open.get())


def opened_here() -> list[Opened]:
    """Return what is open in this context, of every database."""
    return [session for entered in _open.get() if (session := entered()) is not None and _takes_part(session)]


def opened_anywhere(database: Database) -> list[Opened]:
    """Return what is open of *database* in this process, for those who look for it in vain here."""
    sessions = [session for entered in _everywhere.valuerefs() if (session := entered()) is not None]
    return [session for session in sessions if session.database is database and _takes_part(session)]


def enter(session: Opened) -> None:
    """Take *session* as the innermost of this context."""
    _open.set((*_open.get(), weakref.ref(session)))
    _everywhere[id(session)] = session


def leave(session: Opened) -> None:
    """Take *session* out of this context, and no other.

    Not the former value: sessions of other databases may have come and gone since, with generators.
    """
    _everywhere.pop(id(session), None)
    _open.set(tuple(entered for entered in _open.get() if entered() not in (session, None)))


def use(block: _Use) -> None:
    """Take the session of *block*, which was entered elsewhere, as the innermost of this context, or change nothing."""
    used, entered = _used.get(), _open.get()
    try:
        _used.set((*used, weakref.ref(block)))
        _open.set((*entered, weakref.ref(block.session)))
    except BaseException:
        _used.set(used)
        _open.set(entered)
        raise


def end_use(block: _Use) -> None:
    """Take back what :func:`use` did in this context, where it did."""
    used, entered = list(_used.get()), list(_open.get())
    if weakref.ref(block) not in used:
        return
    for places, place in ((used, weakref.ref(block)), (entered, weakref.ref(block.session))):
        if place in places:
            places.reverse()
            places.remove(place)
            places.reverse()
    _open.set(tuple(entered))
    _used.set(tuple(used))


def is_hidden(session: Opened) -> bool:
    """Return whether *session* takes no part here, though it is open: after its commit."""
    return session in _hidden.get()


def is_of_this_process(session: Opened) -> bool:
    """Return whether *session* was opened in this process, not in the one that it was forked from."""
    return session._belongs_to is not None and session._belongs_to[0] == _process


@contextlib.contextmanager
def hidden(session: object) -> Iterator[None]:
    """Let nobody find *session* in this context inside the block, where it is shared neither."""
    former = _hidden.get()
    _hidden.set((*former, session))
    try:
        yield
    finally:
        _hidden.set(former)


def share(session: Opened) -> None:
    """Let every thread find *session*."""
    _shared[id(session.database)] = weakref.ref(session)


def unshare(session: Opened) -> None:
    """Let only its own context find *session*."""
    shared = _shared.get(id(session.database))
    if shared is not None and shared() is session:
        del _shared[id(session.database)]
