"""Whose turn it is to hold a connection on one loop: so many at once, who comes late waits for a while (do).

Whoever holds one for long, from a watch to EXEC, may need a second one meanwhile, for a query in a transaction of its
own. So the last one is never held for long: else all who hold one could wait for another, each for the others.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import attrs

from uowredis.executor.turns import Holders, Lasting, NoTurn, for_long


class Supply(asyncio.Semaphore):
    """So many turns of one kind; who waits for one that is given back, or is cancelled, takes none from others."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


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
        return self._next(lasting=False)

    @property
    def lasting(self) -> Lasting:
        """The same for who holds a connection for long."""
        return Lasting(self)

    def _next(self, *, lasting: bool) -> Turn:
        loop = asyncio.get_running_loop()
        holders = self._by_loop.get(loop)
        if holders is None:
            # What was waited for on a loop holds it.
            for over in [each for each in self._by_loop if each.is_closed()]:
                del self._by_loop[over]
            holders = self._by_loop[loop] = Holders(Supply(self.most), Supply(for_long(self.most)))
        needs = (holders.lasting, holders.any) if lasting else (holders.any,)
        return Turn(holders, needs, self.patience, asyncio.current_task())

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
    _needs: tuple[Supply, ...]
    _patience: float | None
    _task: Any
    _taken: list[Supply] = attrs.field(factory=list)

    async def take(self) -> None:
        """Wait for it.

        Raises:
            NoTurn: where none came in time, or could: the waiting task itself holds all.
        """
        self._holders.turns.add(self)
        until = None
        for supply in self._needs:
            if supply.locked():
                # A bound costs more than a turn that is free, and begins with the first wait.
                if until is None and self._patience is not None:
                    until = asyncio.get_running_loop().time() + self._patience
                await self._wait_for(supply, until)
            else:
                await supply.acquire()
            self._taken.append(supply)

    async def _wait_for(self, supply: Supply, until: float | None) -> None:
        others = [turn for turn in self._holders.turns if turn is not self and supply in turn._needs]
        own = sum(turn._task is self._task for turn in others)
        if own >= supply.most:
            # Whoever would give one back is the one who would wait.
            raise NoTurn(own, supply.most)
        try:
            async with asyncio.timeout_at(until):
                await supply.acquire()
        except TimeoutError:
            raise NoTurn(own, supply.most) from None

    def give_back(self) -> None:
        """Let the next one have it."""
        self._holders.turns.discard(self)
        while self._taken:
            self._taken.pop().release()
