"""Which functions have done nothing yet when they have been called, so that nothing of them would be committed."""

from __future__ import annotations

import inspect
from typing import TypeVar

from uowredis.exceptions import ArgumentTypeError

T = TypeVar("T")

#: What tells functions that, called, have done nothing yet.
_LATER = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)


def check_called_at_once(function: object, owner: str, way_out: str) -> None:
    """Check that *function*, given to *owner*, can be called, and does something then.

    Raises:
        ArgumentTypeError: where not.
    """
    if not callable(function):
        raise ArgumentTypeError(f"{owner} takes a function, not {function!r}")
    if any(is_later(function) for is_later in _LATER):
        raise _later(function, owner, way_out)


def at_once(function: object, result: T, owner: str, way_out: str) -> T:
    """Return *result*, which *function* returned.

    Raises:
        ArgumentTypeError: where it must be awaited, or is a generator that was not begun: nothing of it was run yet.
    """
    was_run(function, result, owner, way_out)
    not_begun = inspect.isgenerator(result) and inspect.getgeneratorstate(result) == inspect.GEN_CREATED
    if inspect.isawaitable(result) or not_begun:
        raise _later(function, owner, way_out)
    return result


def was_run(function: object, result: object, owner: str, way_out: str) -> None:
    """Check that what *function* returned is not the function itself, yet to be run; a task runs by itself.

    Raises:
        ArgumentTypeError: where it is.
    """
    if inspect.iscoroutine(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()
        raise _later(function, owner, way_out)


def _later(function: object, owner: str, way_out: str) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{owner} takes a function that has done its work when it returns; {function!r} returns what is run later, so "
        f"that nothing of it would be done. Way out: {way_out}"
    )
