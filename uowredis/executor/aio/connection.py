"""One connection of redis-py's asyncio while it is lent: sends, awaits replies, never gets a new socket (do)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, attr-defined, arg-type"

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import attrs
import redis

from uowredis.commands.calls import Call
from uowredis.exceptions import Unreachable
from uowredis.executor import connection as blocking
from uowredis.executor.aio.drive import drive
from uowredis.executor.connection import (
    ASK_LONGEST,
    BUFFER,
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
class Connections:
    """Connections of redis-py that are free, by the loop on which they were made: none can be used on another one.

    Attributes:
        connection_class: of redis-py's asyncio, or of fakeredis'.
        connection_kwargs: what one is made with.
    """

    connection_class: Any
    connection_kwargs: dict[str, Any]
    _free: dict[Any, list[Any]] = attrs.field(factory=dict)

    async def get_connection(self) -> Any:
        """Return one that is connected: the one used last, or a new one.

        Raises:
            RedisError: where the server is not there, or refuses.
        """
        free = self._here()
        while free:
            lent = free.pop()
            if _is_idle(lent):
                return lent
            close(lent)
        lent = self.connection_class(**self.connection_kwargs)
        try:
            await connect(lent)
        except BaseException:
            close(lent)
            raise
        return lent

    def release(self, lent: Any) -> None:
        """Take *lent* back; the next one gets it where it is connected still."""
        if lent._writer is not None:
            self._here().append(lent)

    def disconnect(self) -> None:
        """Close those that are free, on whichever loop."""
        for loop, free in list(self._free.items()):
            while free:
                lent = free.pop()
                if not loop.is_closed():
                    close(lent)

    def _here(self) -> list[Any]:
        loop = asyncio.get_running_loop()
        if loop not in self._free:
            # What was made on a loop holds it.
            for over in [each for each in self._free if each.is_closed()]:
                del self._free[over]
            self._free[loop] = []
        return self._free[loop]


async def connect(lent: Any) -> None:
    """Connect and log in, within one bound for all of it.

    Raises:
        redis.TimeoutError: where it took too long.
    """
    bound, task = lent.socket_connect_timeout, asyncio.current_task()
    cancelled = 0 if task is None else task.cancelling()
    try:
        async with asyncio.timeout(bound):
            await lent.connect()
    except TimeoutError as error:
        raise redis.TimeoutError(f"not connected and logged in within {bound:g} s (socket_connect_timeout)") from error
    if task is not None and task.cancelling() > cancelled:
        # redis-py sends by asyncio.wait_for(), which may swallow a cancellation before Python 3.12.
        raise asyncio.CancelledError


def close(lent: Any) -> None:
    """Close *lent* without waiting for anything: also while a task is cancelled, or there is none."""
    writer, lent._reader, lent._writer = lent._writer, None, None
    lent._parser.on_disconnect()
    if writer is not None:
        writer.close()
    if hasattr(lent, "_sock"):  # of fakeredis
        lent._sock = None


def _is_idle(lent: Any) -> bool:
    """Return whether *lent* is connected and nothing came on it that nobody asked for, such as its end."""
    if lent._writer is None or lent._writer.transport.is_closing():
        return False
    wire = lent._writer.get_extra_info("socket")
    if wire is None:
        return True
    poll = select.poll()
    poll.register(wire.fileno(), select.POLLIN)
    return not (lent._reader.at_eof() or poll.poll(0))


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
            raise Unreachable(exhausted(self.pool, none.own)) from None
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

    @property
    def _its_socket(self) -> Any:
        return self.lent._writer

    @property
    def _is_wired(self) -> bool:
        return isinstance(self._socket, asyncio.StreamWriter)

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
        self._socket.writelines((data,))
        async with asyncio.timeout(self.lent.socket_timeout):
            await self._socket.drain()

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
        reader, received = self._reader, self.lent._reader.read
        found: list[Any] = []
        while True:
            while len(found) < count and (reply := reader.gets()) is not NOT_YET:
                found.append(reply)
            if len(found) == count:
                return found
            async with asyncio.timeout(self.lent.socket_timeout):
                data = await received(BUFFER)
            if not data:
                raise redis.ConnectionError("closed by the server")
            reader.feed(data)

    async def fetch(self, fetch: Fetch) -> list[Any]:
        """Same as the blocking one."""
        calls = fetch.calls
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
