"""Whose turn it is to hold a connection on one loop: so many at once, who comes late waits for a while (do)."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import attrs

from uowredis.executor.turns import NoTurn


@attrs.define(eq=False)
class Holders:
    """Who holds a connection on one loop.

    Attributes:
        free: as many as may be held; who waits for one that is given back, or is cancelled, takes none from others.
        turns: those that are taken, or waited for.
    """

    free: asyncio.Semaphore
    turns: set[Turn] = attrs.field(factory=set)


@attrs.define(eq=False)
class Turns:
    """Who holds a connection, and who waits.

    Args:
        most: connections that are held at once on one loop.
        patience: seconds for which one is waited for; None for any time.
    """

    #: Who holds connections.
    who: ClassVar[str] = "task"

    most: int
    patience: float | None
    _by_loop: dict[Any, Holders] = attrs.field(factory=dict)

    def next(self) -> Turn:
        """Return a turn that is not taken yet."""
        loop = asyncio.get_running_loop()
        holders = self._by_loop.get(loop)
        if holders is None:
            # What was waited for on a loop holds it.
            for over in [each for each in self._by_loop if each.is_closed()]:
                del self._by_loop[over]
            holders = self._by_loop[loop] = Holders(asyncio.Semaphore(self.most))
        return Turn(holders, self.most, self.patience, asyncio.current_task())

    def is_holder(self) -> bool:
        """Return whether this task holds a connection, or waits for one."""
        holders = self._by_loop.get(asyncio.get_running_loop())
        if holders is None or not holders.turns:
            return False
        task = asyncio.current_task()
        return any(turn._task is task for turn in holders.turns)


@attrs.define(eq=False)
class Turn:
    """The right to one connection, until it is given back; giving it back twice is giving it back once."""

    _holders: Holders
    _most: int
    _patience: float | None
    _task: Any
    _is_taken: bool = False

    async def take(self) -> None:
        """Wait for it.

        Raises:
            NoTurn: where none came in time, or could: the waiting task itself holds all.
        """
        own = sum(turn._task is self._task for turn in self._holders.turns)
        if own >= self._most:
            # Whoever would give one back is the one who would wait.
            raise NoTurn(own)
        self._holders.turns.add(self)
        if not self._holders.free.locked():
            # A bound costs more than a turn that is free.
            self._is_taken = await self._holders.free.acquire()
            return
        try:
            async with asyncio.timeout(self._patience):
                self._is_taken = await self._holders.free.acquire()
        except TimeoutError:
            raise NoTurn(own) from None

    def give_back(self) -> None:
        """Let the next one have it."""
        self._holders.turns.discard(self)
        if self._is_taken:
            self._is_taken = False
            self._holders.free.release()
