"""Drives generators that decide to their end, on the loop of asyncio (do)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

R = TypeVar("R")
T = TypeVar("T")


async def drive(turns: Generator[R, Any, T], answer: Callable[[R], Awaitable[Any]]) -> T:
    """Answer each request of *turns* by *answer*, throw its errors in, and return what *turns* return."""
    try:
        request = next(turns)
        while True:
            try:
                found = await answer(request)
            except BaseException as error:
                request = turns.throw(error)
            else:
                request = turns.send(found)
    except StopIteration as end:
        result: T = end.value
        return result
