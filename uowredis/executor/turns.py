"""Whose turn it is to hold a connection of the pool: so many at once, who comes late waits for a while (do).

redis-py's BlockingConnectionPool waits, too, but renews no credentials, and does not see who waits for himself.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import ClassVar

import attrs


class NoTurn(Exception):
    """No connection came back in time.

    Attributes:
        own: how many the waiting thread holds itself.
    """

    def __init__(self, own: int) -> None:
        super().__init__(own)
        self.own = own


@attrs.define(eq=False)
class Holders:
    """Who holds a connection in one process.

    Attributes:
        free: one item for each turn that was given back; the garbage collector may put one in while one is taken out.
        made: counts the turns that were never taken.
        turns: those that are taken, or waited for.
    """

    free: SimpleQueue[bool] = attrs.field(factory=SimpleQueue)
    made: Iterator[int] = attrs.field(factory=itertools.count)
    turns: set[Turn] = attrs.field(factory=set)


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
        pid = os.getpid()
        # What a parent process held is not held here, where redis-py's pool begins anew.
        holders = self._by_process.get(pid) or self._by_process.setdefault(pid, Holders())
        return Turn(holders, self.most, self.patience, threading.get_ident())


@attrs.define(eq=False)
class Turn:
    """The right to one connection, until it is given back; giving it back twice is giving it back once."""

    _holders: Holders
    _most: int
    _patience: float | None
    _thread: int
    _is_taken: bool = False

    def take(self) -> None:
        """Wait for it.

        Raises:
            NoTurn: where none came in time, or could: the waiting thread itself holds all.
        """
        self._holders.turns.add(self)
        # What is taken is noted in the same statement, lest an interruption comes between.
        try:
            self._is_taken = self._holders.free.get_nowait()
        except Empty:
            self._is_taken = next(self._holders.made) < self._most
        if not self._is_taken:
            own = sum(turn._thread == self._thread for turn in list(self._holders.turns)) - 1
            if own >= self._most:
                # Whoever would give one back is the one who would wait.
                raise NoTurn(own)
            try:
                self._is_taken = self._holders.free.get(timeout=self._patience)
            except Empty:
                raise NoTurn(own) from None

    def give_back(self) -> None:
        """Let the next one have it."""
        self._holders.turns.discard(self)
        if self._is_taken:
            _, self._is_taken = self._holders.free.put(True), False  # type: ignore[func-returns-value]
