"""Drives generators that decide to their end (do): the one place from which the server is waited for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

R = TypeVar("R")
T = TypeVar("T")


def drive(turns: Generator[R, Any, T], answer: Callable[[R], Any]) -> T:
    """Answer each request of *turns* by *answer*, throw its errors in, and return what *turns* return."""
    try:
        request = next(turns)
        while True:
            try:
                found = answer(request)
            except BaseException as error:
                request = turns.throw(error)
            else:
                request = turns.send(found)
    except StopIteration as end:
        result: T = end.value
        return result
