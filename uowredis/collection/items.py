"""``Items``: what a collection gives while it is iterated (say, pure)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Self, TypeVar

R = TypeVar("R")


class Items(itertools.chain[R]):
    """An iterator over what was *found*; the collection sees whether it was begun, and does not keep it alive."""

    _left: Any
    _count: int

    def __new__(cls, found: Sequence[R]) -> Self:
        """Return the iterator."""
        left = iter(found)
        items = super().__new__(cls, left)
        items._left, items._count = left, len(found)
        return items

    @property
    def is_whole(self) -> bool:
        """Whether nothing was taken from it."""
        return bool(self._left.__length_hint__() == self._count)
