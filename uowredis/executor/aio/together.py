"""Reads that tasks of one loop start together go out in one write, on one connection (do).

The first one waits for one turn of the loop, where others are ready to run, and for a connection; whoever comes
meanwhile joins. It then sends all of it, and tells each of the others what came for it, in the order in which it was
sent.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.exceptions import Rejected, Unreachable, UowError
from uowredis.executor.aio.connection import Connection, Lent
from uowredis.executor.connection import Pool

#: What loses a connection means for who only reads.
NOTHING_WRITTEN = "nothing was written"

#: Characters that one may bring along; who has more goes alone, since the others would wait for it.
MOST = 16_384


@attrs.define(eq=False)
class Share:
    """What one of those who joined reads.

    Attributes:
        calls: its own.
        told: their raw replies, the error in their place, or None where whoever sent for it was cancelled.
    """

    calls: Sequence[Call]
    told: asyncio.Future[list[Any] | UowError | None]

    def tell(self, what: list[Any] | UowError | None) -> None:
        """Tell *what* came, unless it was told, or waits no more."""
        if not self.told.done():
            self.told.set_result(what)


@attrs.define(eq=False)
class Together:
    """Who reads together, loop by loop.

    Args:
        pool: where the connections come from.
    """

    pool: Pool
    _joining: dict[Any, list[Share]] = attrs.field(factory=dict)

    async def read(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls*, with those of others where it can be; return their raw replies.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        if self._goes_alone(calls):
            async with Lent(self.pool, NOTHING_WRITTEN) as connection:
                return connection.checked(calls, await connection.exchange(calls))
        loop = asyncio.get_running_loop()
        while (joining := self._joining.get(loop)) is not None:
            share = Share(calls, loop.create_future())
            joining.append(share)
            told = await share.told
            if isinstance(told, UowError):
                raise told
            if told is not None:
                return told
        return await self._lead(loop, calls)

    def _goes_alone(self, calls: Sequence[Call]) -> bool:
        turns: Any = self.pool.turns
        # Whoever is first may have to wait for a connection, and the one that this task holds may be the last.
        return sum(len(part) for call in calls for part in call) > MOST or turns.is_holder()

    async def _lead(self, loop: Any, calls: Sequence[Call]) -> list[Any]:
        others = self._joining[loop] = []
        try:
            # Where nothing else is ready to run, nobody can join. Loops that do not tell are given the turn.
            if getattr(loop, "_ready", True):
                await asyncio.sleep(0)
            async with Lent(self.pool, NOTHING_WRITTEN) as connection:
                del self._joining[loop]
                return await _read_for_all(connection, calls, others)
        except UowError as error:
            for share in others:
                share.tell(copy.copy(error))
            raise
        finally:
            if self._joining.get(loop) is others:
                del self._joining[loop]
            if not loop.is_closed():
                for share in others:
                    share.tell(None)


async def _read_for_all(connection: Connection, calls: Sequence[Call], others: Sequence[Share]) -> list[Any]:
    shares = [share for share in others if not share.told.done()]
    await connection.send([*calls, *(call for share in shares for call in share.calls)] if shares else calls)
    own = await connection.replies(len(calls))
    for share in shares:
        replies = await connection.replies(len(share.calls))
        try:
            share.tell(connection.checked(share.calls, replies))
        except (Rejected, Unreachable) as refused:
            share.tell(refused)
    return connection.checked(calls, own)
