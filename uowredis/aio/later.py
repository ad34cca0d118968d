"""Which functions can be called by what awaits them (say)."""

from __future__ import annotations

import inspect
from typing import Any

from uowredis.exceptions import ArgumentTypeError


def check_called_at_once(function: object, owner: str, way_out: str) -> None:
    """Check that *function*, given to *owner*, is one that can be awaited when it was called.

    Raises:
        ArgumentTypeError: where not.
    """
    if not callable(function):
        raise ArgumentTypeError(f"{owner} takes a function, not {function!r}")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise _not_awaited(function, owner, way_out)


async def at_once(function: object, result: Any, owner: str, way_out: str) -> Any:
    """Return what *result*, which *function* returned, gives when it is awaited.

    Raises:
        ArgumentTypeError: where it cannot be awaited.
    """
    if not inspect.isawaitable(result):
        raise _not_awaited(function, owner, way_out)
    return await result


def _not_awaited(function: object, owner: str, way_out: str) -> ArgumentTypeError:
    return ArgumentTypeError(f"{owner} takes a function that is awaited, not {function!r}. Way out: {way_out}")
