"""``Line``: how one session reaches the server on the loop of asyncio (do)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, attr-defined, arg-type"

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from uowredis.commands.calls import Call
from uowredis.exceptions import OutcomeUnknown, Unreachable, UowError
from uowredis.executor import line as blocking
from uowredis.executor.aio.connection import Connection
from uowredis.executor.executor import PAUSE
from uowredis.executor.line import of_a_script, sent
from uowredis.plan.plan import Plan
from uowredis.plan.requests import (
    Again,
    Apply,
    Collation,
    Lost,
    Pause,
    Release,
    Request,
    Scripts,
    Send,
    Settle,
    Transact,
    TransactEach,
)
from uowredis.plan.steps import Fetch

T = TypeVar("T")


class Line(blocking.Line):
    """Answers the requests of what decides."""

    async def answer(self, request: Request) -> Any:
        """Same as the blocking one."""
        match request:
            case Send(calls):
                return await self._executor().send(calls)
            case Fetch():
                return await self._fetched(request)
            case Apply(plan):
                return await self._applied(plan)
            case Settle(token):
                return await self._executor().settle(token)
            case Transact(calls):
                return await self._executor().transact(calls)
            case TransactEach(each):
                return await self._executor().transact_each(each)
            case Collation(key):
                return await self._executor().sorts_by_bytes(key)
            case Scripts():
                return self._executor().scripts
            case Release(spent):
                if spent is not None:
                    self._executor().note_spent(spent)
                await self._release()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Again(error, since):
                return not self._executor().lasts(error, since)
        return None

    async def _fetched(self, fetch: Fetch) -> list[Any]:
        """Same as the blocking one."""
        since, pins, calls = time.monotonic(), not self.is_pinned, fetch.calls
        while True:
            try:
                return await self._pinned(lambda connection: connection.fetch(fetch, calls), calls)
            except Unreachable as error:
                self.drop()
                if not pins or self._executor().lasts(error, since):
                    raise
            await asyncio.sleep(PAUSE)

    async def _pinned(self, use: Callable[[Connection], Awaitable[T]], calls: Sequence[Call]) -> T:
        lent, connection = self._lent, self._connection
        if lent is None or connection is None:
            lent, self._first = self._executor().pinned(calls), calls
            connection = await lent.__aenter__()
            self._lent, self._connection = lent, connection
            self.pins += 1
        self._executor().check_pinned(self._first, calls)
        try:
            return await use(connection)
        except BaseException as error:
            harmless = isinstance(error, UowError) and not isinstance(error, OutcomeUnknown) and not connection.owes
            if not harmless:
                self._lose(error)
            raise

    async def _applied(self, plan: Plan) -> list[Any] | Lost | None:
        """Same as the blocking one."""
        self.acknowledged = None
        try:
            replies: list[Any] | None = await self._pinned(lambda connection: sent(connection, plan), plan.transaction)
        except OutcomeUnknown as lost:
            if plan.token is None:
                raise
            became = await self._executor().settle(plan.token)
            if became == "partially applied":
                raise of_a_script(lost, plan) from lost
            return Lost(became)
        assert self._connection is not None
        self.acknowledged = self._connection.acknowledged
        return replies

    async def _release(self) -> None:
        lent, connection = self._lent, self._connection
        if lent is None or connection is None:
            return
        try:
            await connection.unwatch()
        except BaseException as error:
            with contextlib.suppress(UowError):
                self._lose(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._lent = self._connection = None
            lent.__exit__(None, None, None)
