"""What part of what is found a slice asks for (pure)."""

from __future__ import annotations

import operator

from uowredis.exceptions import ArgumentTypeError

#: Redis counts in 64 bits; no collection is longer.
FURTHEST = 2**62


def span(wanted: slice) -> tuple[int, int | None] | None:
    """Return from where on, and how many (None: all that follow); None where a bound counts from the end.

    Raises:
        ArgumentTypeError: for bounds that are no integers.
        ValueError: for a step of zero, as lists do.
    """
    if wanted.step == 0:
        raise ValueError("slice step cannot be zero")
    parts = (wanted.start, wanted.stop, wanted.step)
    try:
        start, stop, step = [None if part is None else min(operator.index(part), FURTHEST) for part in parts]
    except TypeError:
        raise ArgumentTypeError(f"a collection takes slices of integers, not {parts!r}") from None
    start = start or 0
    if (step or 1) < 0 or start < 0 or (stop is not None and stop < 0):
        return None
    return start, None if stop is None else max(stop - start, 0)
