"""The executor of one server on the loop of asyncio (do)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override"

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import attrs
import redis

from uowredis.commands.calls import Call
from uowredis.exceptions import Rejected, UowError
from uowredis.executor import executor as blocking
from uowredis.executor import transaction
from uowredis.executor.aio.connection import Lent, asked_beside
from uowredis.executor.aio.together import Together
from uowredis.executor.connection import LOST
from uowredis.executor.executor import LONGEST_PAUSE, PAUSE
from uowredis.plan.token import Outcome, Token


@attrs.define(eq=False)
class Executor(blocking.Executor):
    """Sends calls to one server; reads that are started together share a write."""

    _together: Together = attrs.field(
        init=False, default=attrs.Factory(lambda self: Together(self.pool), takes_self=True)
    )

    async def send(self, calls: Sequence[Call]) -> list[Any]:
        """Same as the blocking one."""
        if not self._read_only:
            try:
                return await self._sent(calls)
            except Rejected as error:
                if self._is_replaced or "READONLY" not in str(error) or not any(call[0] == "SORT" for call in calls):
                    raise
            self._read_only = True
        # A read-only replica takes SORT for a write: SORT_RO (Redis 7.0).
        return await self._sent([("SORT_RO", *call[1:]) if call[0] == "SORT" else call for call in calls])

    def _sent(self, calls: Sequence[Call]) -> Awaitable[list[Any]]:
        return self._together.read(calls)

    async def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Same as the blocking one."""
        async with Lent(self.pool, "a query was not answered") as connection:
            return await connection.run(transaction.transact(connection, calls))

    async def transact_each(self, each: Sequence[Sequence[Call]]) -> list[list[Any]]:
        """Same as the blocking one."""
        async with Lent(self.pool, "a query was not answered") as connection:
            return await connection.run(transaction.transact_each(connection, each))

    async def sorts_by_bytes(self, key: str) -> bool:
        """Same as the blocking one."""
        if self._sorts_by_bytes is None:
            self._sorts_by_bytes = (await self.transact(self.collation_calls(key)))[1] == [b"B", b"a"]
        return self._sorts_by_bytes

    async def tell(self, call: Call) -> Any:
        """Same as the blocking one."""
        async with Lent(self.pool, "nothing was written") as connection:
            try:
                return connection.checked((call,), await connection.exchange((call,)))[0]
            except (redis.exceptions.BusyLoadingError, UowError):
                raise
            except LOST as error:
                raise self._lost(error, call) from error

    async def settle(self, token: Token) -> Outcome:
        """Same as the blocking one."""
        deadline = time.monotonic() + self._patience
        pause = PAUSE
        while True:
            self._check_kept(token)
            left = deadline - time.monotonic()
            try:
                return await self._claimed(token, max(left, PAUSE))
            except (redis.RedisError, *LOST) as error:
                if left <= 0:
                    raise self._unknown(error, token) from error
            await asyncio.sleep(min(pause, max(0.0, left)))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _claimed(self, token: Token, within: float) -> Outcome:
        return self._said(token, *await asked_beside(self.pool, token.claim, socket_timeout=self._bound(within)))

    def pinned(self, calls: Sequence[Call] = ()) -> Lent:
        """Same as the blocking one."""
        return Lent(self._pinning, "EXEC was not sent, nothing was applied")
