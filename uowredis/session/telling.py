"""What is told where there is no unit of work: a session left astray, or unsent, or never entered; none open (say)."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from uowredis.exceptions import SessionError, UncommittedWrites
from uowredis.session import context

if TYPE_CHECKING:
    from uowredis.commands.commands import Command


def tell_astray(what: object, error: BaseException | None) -> None:
    """Tell that the block of *what* was left where models did not find it.

    An exception that leaves the block goes on, since it may be what the caller waits for: it gets a note, and a warning
    says the same. What ends a program, or a generator that nobody finished, gets the note alone.

    Raises:
        SessionError: where the block was left without an exception.
    """
    _tell_left(
        f"The block of {what} was left in a context in which it was not open: what models wrote there was not said in "
        f"it, and may have been sent at once. What was said in it is forgotten. Way out: open and leave it in one "
        f"context: in one function, or an async def in one task; or s.use()",
        error,
    )


def tell_used(what: object, error: BaseException | None) -> None:
    """Tell that the block of *what* was left while another thread, task or context used it; as :func:`tell_astray`.

    Raises:
        SessionError: where the block was left without an exception.
    """
    _tell_left(
        f"The block of {what} was left while it was in use in another thread, task or context: nothing was sent by "
        f"leaving it, and what was said in it and not committed is forgotten. Way out: wait for that one before",
        error,
    )


def _tell_left(message: str, error: BaseException | None) -> None:
    if error is None:
        raise SessionError(message)
    error.add_note(f"uowredis: {message}")
    if isinstance(error, Exception):
        warnings.warn(message, RuntimeWarning, stacklevel=_frames_of_ours())


def tell_unsent(pending: Sequence[Command], on_pending: str) -> None:
    """Tell that a session was left with *pending* writes, as *on_pending* says.

    Raises:
        UncommittedWrites: where it says "raise".
    """
    if on_pending == "discard":
        return
    shown = ", ".join(map(str, pending[:10])) + (f" and {len(pending) - 10} more" if len(pending) > 10 else "")
    message = f"The session was left with writes that were never sent: {shown}. Way out: commit() or rollback()"
    if on_pending == "warn":
        warnings.warn(message, stacklevel=_frames_of_ours())
        return
    raise UncommittedWrites(message)


def tell_changed(message: str) -> None:
    """Warn by *message* that a model is declared with more than its data was written with."""
    warnings.warn(message, RuntimeWarning, stacklevel=_frames_of_ours())


def tell_never_entered(what: str, way_out: str, source: Any) -> None:
    """Warn that *source* is collected without ever having been entered: whatever was to be said in it was not."""
    warnings.warn(
        f"{what} was never entered, so nothing was said in it. Way out: {way_out}", ResourceWarning, 2, source=source
    )


def tell_outside(what: object, database: context.Database, outside: str) -> None:
    """Tell that *what* is written with no session of *database* open, as *outside* says.

    Raises:
        SessionError: where it says "refuse".
    """
    message = f"{what} is written with no session of {database!r} open here.{_open_elsewhere(database)}"
    way_out = " Way out: with db.begin() as s: around it, or db.run(function), where db is the database of the model"
    if outside == "refuse":
        raise SessionError(f"{message} Nothing was written.{way_out}")
    warnings.warn(f"{message} It is sent at once.{way_out}", RuntimeWarning, stacklevel=_frames_of_ours())


def _open_elsewhere(database: context.Database) -> str:
    """Return which sessions are open that may have been meant."""
    others = {repr(session.database): None for session in context.opened_here() if session.database is not database}
    said = f" One of another database is: {', '.join(others)}." if others else ""
    own = [session._belongs_to for session in context.opened_anywhere(database)]
    if not own:
        return said
    me = context.owner()
    where = "another context of this thread" if me in own else "another thread, task or greenlet"
    return f"{said} One of it is open in {where}."


def _frames_of_ours() -> int:
    """Return how many frames up whoever called the library is, for warnings."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("uowredis."):
        frame, level = frame.f_back, level + 1
    return level
