"""Whose turn it is to hold a connection of the pool: so many at once, who comes late waits for a while (do).

redis-py's BlockingConnectionPool waits, too, but renews no credentials, and does not see who waits for himself.

Whoever holds one for long, from a watch to EXEC, may need a second one meanwhile, for a query in a transaction of its
own. So the last one is never held for long: else all who hold one could wait for another, each for the others.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any, ClassVar

import attrs


class NoTurn(Exception):
    """No connection came back in time.

    Attributes:
        own: how many the waiting thread holds itself, of those that it may.
        most: how many may be held so.
    """

    def __init__(self, own: int, most: int) -> None:
        super().__init__(own, most)
        self.own, self.most = own, most


def for_long(most: int) -> int:
    """Return how many of *most* connections may be held for long."""
    return max(1, most - 1)


@attrs.define(eq=False)
class Supply:
    """So many turns of one kind.

    Attributes:
        most: how many are taken at once.
        free: one item for each turn that was given back; the garbage collector may put one in while one is taken out.
        made: counts the turns that were never taken.
    """

    most: int
    free: SimpleQueue[bool] = attrs.field(factory=SimpleQueue)
    made: Iterator[int] = attrs.field(factory=itertools.count)


@attrs.define(eq=False)
class Holders:
    """Who holds a connection in one process, or on one loop.

    Attributes:
        any: as many as may be held.
        lasting: as many of these as may be held for long.
        turns: those that are taken, or waited for.
    """

    any: Any
    lasting: Any
    turns: set[Any] = attrs.field(factory=set)


@attrs.define(eq=False)
class Turns:
    """Who holds a connection, and who waits.

    Args:
        most: connections that are held at once.
        patience: seconds for which one is waited for; None for any time.
    """

    #: Who holds connections.
    who: ClassVar[str] = "thread"

    most: int
    patience: float | None
    _by_process: dict[int, Holders] = attrs.field(factory=dict)

    def next(self) -> Turn:
        """Return a turn that is not taken yet: whoever is interrupted in taking it can give it back."""
        return self._next(lasting=False)

    @property
    def lasting(self) -> Lasting:
        """The same for who holds a connection for long."""
        return Lasting(self)

    def _next(self, *, lasting: bool) -> Turn:
        pid = os.getpid()
        holders = self._by_process.get(pid)
        if holders is None:
            # What a parent process held is not held here, where redis-py's pool begins anew.
            holders = self._by_process.setdefault(pid, Holders(Supply(self.most), Supply(for_long(self.most))))
        needs = (holders.lasting, holders.any) if lasting else (holders.any,)
        return Turn(holders, needs, self.patience, threading.get_ident())


@attrs.frozen(eq=False)
class Lasting:
    """Who holds a connection for long, and who waits.

    Attributes:
        of: all who hold one.
    """

    of: Any

    def next(self) -> Any:
        """Return a turn that is not taken yet."""
        return self.of._next(lasting=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


@attrs.define(eq=False)
class Turn:
    """The right to one connection, until it is given back; giving it back twice is giving it back once."""

    _holders: Holders
    _needs: tuple[Supply, ...]
    _patience: float | None
    _thread: int
    _taken: dict[Supply, bool] = attrs.field(factory=dict)

    def take(self) -> None:
        """Wait for it.

        Raises:
            NoTurn: where none came in time, or could: the waiting thread itself holds all.
        """
        self._holders.turns.add(self)
        until = None if self._patience is None else time.monotonic() + self._patience
        for supply in self._needs:
            # What is taken is noted in the same statement, lest an interruption comes between.
            try:
                self._taken[supply] = supply.free.get_nowait()
            except Empty:
                self._taken[supply] = next(supply.made) < supply.most
            if not self._taken[supply]:
                self._wait_for(supply, until)

    def _wait_for(self, supply: Supply, until: float | None) -> None:
        others = [turn for turn in list(self._holders.turns) if turn is not self and supply in turn._needs]
        own = sum(turn._thread == self._thread for turn in others)
        if own >= supply.most:
            # Whoever would give one back is the one who would wait.
            raise NoTurn(own, supply.most)
        left = None if until is None else max(0.0, until - time.monotonic())
        try:
            self._taken[supply] = supply.free.get(timeout=left)
        except Empty:
            raise NoTurn(own, supply.most) from None

    def give_back(self) -> None:
        """Let the next one have it."""
        self._holders.turns.discard(self)
        for supply, is_taken in self._taken.items():
            if is_taken:
                _, self._taken[supply] = supply.free.put(True), False  # type: ignore[func-returns-value]
