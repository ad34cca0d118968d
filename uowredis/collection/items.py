"""``Items``: what a collection gives while it is iterated (say, pure)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Self, TypeVar

R = TypeVar("R")


class Items(itertools.chain[R]):
    """An iterator over what was *found*; the collection sees whether it was begun, and does not keep it alive."""

    _source: Any

    def __new__(cls, found: Sequence[R]) -> Self:
        """Return the iterator."""
        # Taken from it as a whole with the first look, which tells that also where nothing was found.
        source = iter((found,))
        items: Self = super().from_iterable(source)  # type: ignore[assignment]  # it makes one of its own class
        items._source = source
        return items

    @property
    def is_whole(self) -> bool:
        """Whether nobody looked at it yet."""
        return bool(self._source.__length_hint__())
