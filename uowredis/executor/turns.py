"""Whose turn it is to hold a connection of the pool: so many at once, who comes late waits for a while (do).

redis-py's BlockingConnectionPool waits, too, but renews no credentials, and does not see who waits for himself.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue

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
        threads: an entry for each connection.
    """

    free: SimpleQueue[None] = attrs.field(factory=SimpleQueue)
    made: Iterator[int] = attrs.field(factory=itertools.count)
    threads: list[int] = attrs.field(factory=list)


@attrs.define(eq=False)
class Turns:
    """Who holds a connection, and who waits.

    Args:
        most: connections that are held at once.
        patience: seconds for which one is waited for; None for any time.
    """

    most: int
    patience: float | None
    _by_process: dict[int, Holders] = attrs.field(factory=dict)

    def take(self) -> Turn:
        """Wait for a turn, and return it.

        Raises:
            NoTurn: where none came in time, or could: the waiting thread itself holds all.
        """
        pid, me = os.getpid(), threading.get_ident()
        # What a parent process held is not held here, where redis-py's pool begins anew.
        holders = self._by_process.get(pid) or self._by_process.setdefault(pid, Holders())
        try:
            holders.free.get_nowait()
        except Empty:
            if next(holders.made) >= self.most:
                self._wait(holders, me)
        holders.threads.append(me)
        return Turn(holders, me)

    def _wait(self, holders: Holders, me: int) -> None:
        own = holders.threads.count(me)
        if own >= self.most:
            # Whoever would give one back is the one who would wait.
            raise NoTurn(own)
        try:
            holders.free.get(timeout=self.patience)
        except Empty:
            raise NoTurn(own) from None


@attrs.define(eq=False)
class Turn:
    """The right to one connection, until it is given back; giving it back twice is giving it back once."""

    _holders: Holders
    _thread: int
    _given: bool = False

    def give_back(self) -> None:
        """Let the next one have it."""
        if not self._given:
            self._given = True
            self._holders.threads.remove(self._thread)
            self._holders.free.put(None)
