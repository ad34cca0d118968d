"""Connections of redis-py's asyncio: made, kept by loop while they are free, and closed (do)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import attrs
import redis

from uowredis.executor.aio.wire import Wire


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
    _is_over: bool = False

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
        if self._is_over:
            close(lent)
        elif lent._writer is not None:
            self._here().append(lent)

    def close_here(self) -> None:
        """Close those of this loop that are free."""
        free = self._here()
        while free:
            close(free.pop())

    def disconnect(self) -> None:
        """Close those that are free, on whichever loop, and each that is lent when it comes back: nobody asks again."""
        self._is_over = True
        self.close_here()
        for loop, free in list(self._free.items()):
            while free:
                lent = free.pop()
                # A loop may run in another thread, and end while this is said.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(close, lent)

    def _here(self) -> list[Any]:
        loop = asyncio.get_running_loop()
        free = self._free.get(loop)
        if free is None:
            # What was made on a loop holds it.
            for over in [each for each in self._free if each.is_closed()]:
                del self._free[over]
            free = self._free[loop] = []
        return free


async def connect(lent: Any) -> None:
    """Connect and log in, within one bound for all of it; what comes from then on is ours to read.

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
    if isinstance(lent._writer, asyncio.StreamWriter):
        transport = lent._writer.transport
        transport.set_protocol(Wire(transport))


def wire_of(lent: Any) -> Wire | None:
    """Return what reads from *lent*, None in process, and where it is not connected."""
    if not isinstance(lent._writer, asyncio.StreamWriter):
        return None
    wire = lent._writer.transport.get_protocol()
    assert isinstance(wire, Wire)
    return wire


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
    wire = wire_of(lent)
    return wire is None or wire.is_quiet
