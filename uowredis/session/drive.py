"""Drives generators that decide to their end (do): the one place from which the server is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from uowredis.plan.requests import Deciding, Request

T = TypeVar("T")


def drive(turns: Deciding[T], answer: Callable[[Request], Any]) -> T:
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
