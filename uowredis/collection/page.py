"""``Page``: a part of what a collection finds, and how many there are in all (say, pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

R = TypeVar("R")


class Page(list[R]):
    """What ``collection.page(...)`` gives: a list.

    Attributes:
        total: how many match in all.
    """

    def __init__(self, items: Iterable[R], total: int) -> None:
        super().__init__(items)
        self.total = total
