"""Upkeep works on models of the blocking face (say)."""

from __future__ import annotations

from typing import Any

from uowredis.exceptions import ArgumentTypeError


def check_blocks(model: Any, of: str) -> None:
    """Check that *model*, given to *of*, waits where it asks.

    Raises:
        ArgumentTypeError: where it is of the asyncio face.
    """
    if model._is_awaited:
        raise ArgumentTypeError(
            f"{model.__name__} is of uowredis.aio, and {of}() takes models of uowredis. Way out: a model of uowredis "
            f"with the same fields on the same data"
        )
