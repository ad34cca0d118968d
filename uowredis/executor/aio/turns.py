"""Whose turn it is to hold a connection on one loop: so many at once, who comes late waits for a while (do).

Whoever holds one for long, from a watch to EXEC, may need a second one meanwhile, for a query in a transaction of its
own. So the last one is never held for long: else all who hold one could wait for another, each for the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, ClassVar

import attrs

from uowredis.executor.turns import NoTurn


@attrs.define(eq=False)
class Holders:
    """Who holds a connection on one loop.

    Attributes:
        free: as many as may be held; who waits for one that is given back, or is cancelled, takes none from others.
        lasting: as many of these as may be held for long.
        turns: those that are taken, or waited for.
    """

    free: asyncio.Semaphore
    lasting: asyncio.Semaphore
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
            most = asyncio.Semaphore(self.most), asyncio.Semaphore(max(1, self.most - 1))
            holders = self._by_loop[loop] = Holders(*most)
        needs = (holders.lasting, holders.free) if lasting else (holders.free,)
        return Turn(holders, needs, self.most, self.patience, asyncio.current_task())

    def is_holder(self) -> bool:
        """Return whether this task holds a connection, or waits for one."""
        holders = self._by_loop.get(asyncio.get_running_loop())
        if holders is None or not holders.turns:
            return False
        task = asyncio.current_task()
        return any(turn._task is task for turn in holders.turns)


@attrs.frozen(eq=False)
class Lasting:
    """Who holds a connection for long, and who waits."""

    of: Turns

    def next(self) -> Turn:
        """Return a turn that is not taken yet."""
        return self.of._next(lasting=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


@attrs.define(eq=False)
class Turn:
    """The right to one connection, until it is given back; giving it back twice is giving it back once."""

    _holders: Holders
    _needs: tuple[asyncio.Semaphore, ...]
    _most: int
    _patience: float | None
    _task: Any
    _taken: list[asyncio.Semaphore] = attrs.field(factory=list)

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
        try:
            # A bound costs more than a turn that is free.
            async with asyncio.timeout(self._patience) if any(each.locked() for each in self._needs) else _AT_ONCE:
                for each in self._needs:
                    await each.acquire()
                    self._taken.append(each)
        except TimeoutError:
            raise NoTurn(own) from None

    def give_back(self) -> None:
        """Let the next one have it."""
        self._holders.turns.discard(self)
        while self._taken:
            self._taken.pop().release()


#: What bounds nothing.
_AT_ONCE = contextlib.nullcontext()
