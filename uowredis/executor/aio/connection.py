"""One connection of redis-py's asyncio while it is lent: sends, awaits replies, never gets a new socket (do)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value"

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import attrs
import redis

from uowredis.commands.calls import Call
from uowredis.exceptions import Unreachable
from uowredis.executor import connection as blocking
from uowredis.executor.aio.connections import close, connect, wire_of
from uowredis.executor.aio.drive import drive
from uowredis.executor.aio.wire import Wire
from uowredis.executor.connection import (
    ASK_LONGEST,
    LOST,
    NOT_YET,
    SURE,
    USUAL,
    Exchanging,
    Pool,
    chunks,
    exhausted,
    longest,
    packed,
)
from uowredis.executor.turns import NoTurn
from uowredis.plan.plan import CHUNK
from uowredis.plan.steps import Fetch

T = TypeVar("T")


@attrs.define(eq=False)
class Lent(blocking.Lent):
    """A connection of the pool for one ``async with`` block; leaving it waits for nothing."""

    async def __aenter__(self) -> Connection:
        try:
            self._turn = self.pool.turns.next()
            await self._turn.take()
            await self._lend()
            self._connection = Connection(self.pool, self._lent)
        except NoTurn as none:
            self._give_up()
            raise Unreachable(exhausted(self.pool, none)) from None
        except BaseException:
            self._give_up()
            raise
        return self._connection

    async def _lend(self) -> None:
        try:
            self._lent = await self.pool.connections.get_connection()
        except (redis.RedisError, *LOST, TypeError, ValueError) as error:
            raise self._not_lent(error) from error

    async def __aexit__(self, *error: Any) -> None:
        self.__exit__(*error)

    def _disconnect(self) -> None:
        close(self._lent)


@attrs.define(eq=False)
class Connection(blocking.Connection):
    """One connection while it is lent; it never gets a new socket under way."""

    _wire: Wire | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._socket = self._its_socket
        self._wire = wire_of(self.lent)
        if self._wire is not None:
            self._reader = self._wire.reader

    @property
    def _its_socket(self) -> Any:
        return self.lent._writer

    async def send(self, calls: Sequence[Call]) -> None:
        """Same as the blocking one."""
        for chunk in (calls,) if len(calls) <= CHUNK else chunks(calls):
            data = packed(chunk)
            if len(data) > SURE:
                await self._check_lengths(chunk)
            self._owed += len(chunk)
            await self._send(data)

    async def _check_lengths(self, calls: Iterable[Call]) -> None:
        length, call = longest(calls)
        if length > SURE and length > (most := await self._longest_argument()):
            raise self._too_long(most, call, length)

    async def _longest_argument(self) -> int:
        try:
            (reply,) = await asked_beside(self.pool, (ASK_LONGEST,))
        except (redis.RedisError, *LOST):
            return USUAL
        return int(reply[1]) if isinstance(reply, list) and len(reply) == 2 else USUAL  # not everybody may ask

    async def _send(self, data: bytes) -> None:
        if self._its_socket is not self._socket or self._socket is None:
            raise redis.ConnectionError("the connection was closed")
        # Not by redis-py, which would connect anew.
        if self._wire is None:
            self._socket.writelines((data,))
        elif (drained := self._wire.send(data)) is not None:
            async with asyncio.timeout(self.lent.socket_timeout):
                await drained

    async def replies(self, count: int) -> list[Any]:
        """Same as the blocking one."""
        found = await self._read_in_process(count) if self._reader is None else await self._read(count)
        self._owed -= count
        return found

    async def _read_in_process(self, count: int) -> list[Any]:
        read = self.lent.read_response
        found: list[Any] = []
        for _ in range(count):
            try:
                found.append(await read(disable_decoding=True))
            except redis.ResponseError as error:
                found.append(error)
        return found

    async def _read(self, count: int) -> list[Any]:
        reader, wire = self._reader, self._wire
        assert wire is not None
        found: list[Any] = []
        while True:
            while len(found) < count and (reply := reader.gets()) is not NOT_YET:
                found.append(reply)
            if len(found) == count:
                return found
            await wire.more(self.lent.socket_timeout)

    async def fetch(self, fetch: Fetch, calls: Sequence[Call]) -> list[Any]:
        """Same as the blocking one."""
        watches = bool(fetch.watch or fetch.token)
        self.watching = self.watching or watches
        return self.checked(calls, await self.exchange(calls))[watches:]

    async def unwatch(self) -> None:
        """Same as the blocking one."""
        if self.watching:
            await self.exchange((("UNWATCH",),))
            self.watching = False
            self.released += 1

    async def exchange(self, calls: Sequence[Call]) -> list[Any]:
        """Same as the blocking one."""
        await self.send(calls)
        return await self.replies(len(calls))

    async def run(self, turns: Exchanging[T]) -> T:
        """Same as the blocking one."""
        return await drive(turns, self.exchange)


async def asked_beside(pool: Pool, calls: Sequence[Call], **settings: Any) -> list[Any]:
    """Return the raw replies to *calls* on a new connection beside the pool, which is closed then.

    Args:
        pool: how to connect.
        calls: what is asked.
        settings: of redis-py's connection, where they differ.

    Raises:
        RedisError: where the server is not there, or does not let us in; and whatever else is in ``LOST``.
    """
    lent = pool.connections.connection_class(**{**pool.connections.connection_kwargs, **settings})
    try:
        await connect(lent)
        return await Connection(pool, lent).exchange(calls)
    finally:
        close(lent)
