"""What was called in a session and is still to be awaited: no session is committed, or left, with it (say)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from uowredis.exceptions import SessionError
from uowredis.session import context

F = TypeVar("F", bound=Callable[..., Any])

#: Calls that are kept before those are let go of that were awaited.
_MANY = 64


class Unawaited:
    """The calls of one session, until they are awaited."""

    __slots__ = ("_calls", "_most")

    def __init__(self) -> None:
        self._calls: list[Coroutine[Any, Any, Any]] = []
        self._most = _MANY

    def note(self, call: Coroutine[Any, Any, Any]) -> None:
        """Take note of *call*, which nobody has awaited yet."""
        self._calls.append(call)
        if len(self._calls) >= self._most:
            self._calls = self._waiting()
            self._most = max(_MANY, 2 * len(self._calls))

    def _waiting(self) -> list[Any]:
        calls: list[Any] = self._calls
        # As inspect.getcoroutinestate() tells what was created only; those that are over are most.
        return [each for each in calls if each.cr_frame is not None and not (each.cr_running or each.cr_suspended)]

    def check(self) -> None:
        """Check that all were awaited; those that were not never will be.

        Raises:
            SessionError: where they were not.
        """
        waiting = self._waiting()
        self._calls = []
        if not waiting:
            return
        names = ", ".join(call.__qualname__ for call in waiting[:3]) + (" ..." if len(waiting) > 3 else "")
        for call in waiting:
            # Told here, and by Python not once more.
            call.close()
        raise SessionError(
            f"{names}: called in this session and never awaited, so that it did nothing; nothing was sent by this. Way "
            f"out: await it, before the commit"
        )


def noted(where: str, name: str = "") -> Callable[[F], F]:
    """Let the session that is open on the database *where*, an attribute, know of a method that is to be awaited.

    Args:
        where: the name of the attribute.
        name: what users call, where that is something else.
    """

    def decorate(function: F) -> F:
        said = f".{name or function.__name__}"

        @functools.wraps(function)
        def call(of: Any, *args: Any, **kwargs: Any) -> Any:
            called = function(of, *args, **kwargs)
            # What is named where nobody awaits it.
            called.__qualname__ = (of.__name__ if isinstance(of, type) else _name(of)) + said
            database = getattr(of, where)
            session = None if database is None else context.find(database)
            if session is not None:
                session._unawaited.note(called)
            return called

        return cast("F", call)

    return decorate


def _name(of: Any) -> str:
    # Not by what looks for an attribute that is not there, and says the way out.
    held = of.__dict__
    schema = held.get("_schema")
    if not held.keys().isdisjoint(("_identity", "_found_pk")):
        return str(of._identity)
    return type(of).__name__ if schema is None else f"{schema.name}.collection()"
