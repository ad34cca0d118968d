"""Where the replies of one connection come in: a protocol of asyncio in the place of redis-py's stream (do).

A stream copies what came, wakes its reader, and is read within a bound of asyncio each time; here the loop feeds the
parser, and wakes who waits. redis-py has connected and logged in before.
"""

from __future__ import annotations

import asyncio
import select
from typing import Any

import hiredis
import redis

from uowredis.executor.connection import NOT_YET


class Wire(asyncio.Protocol):
    """Takes what comes on *transport*, which is connected.

    Attributes:
        reader: parses replies.
        lost: why there is no connection any more, None where there is.
    """

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.reader = hiredis.Reader(replyError=redis.ResponseError, notEnoughData=NOT_YET)
        self.lost: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._came: asyncio.Future[None] | None = None
        self._since = 0.0
        self._late: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def send(self, data: bytes) -> asyncio.Future[None] | None:
        """Send *data*; return what is awaited before more is sent, None where it need not be.

        Raises:
            ConnectionError: where there is no connection any more.
        """
        if self.lost is not None or self.transport.is_closing():
            raise redis.ConnectionError(str(self.lost or "the connection was closed"))
        self.transport.write(data)
        return self._drained

    def more(self, within: float | None) -> asyncio.Future[None]:
        """Return what is done when more has come.

        Its errors: ConnectionError where nothing can come any more; TimeoutError after *within* seconds.
        """
        came = self._came = self._loop.create_future()
        if self.lost is not None:
            self._wake(self.lost)
        elif within is not None:
            self._since = self._loop.time()
            # One timer serves all that is waited for until it rings.
            if self._late is None:
                self._late = self._loop.call_later(within, self._ring, within)
        return came

    def _ring(self, within: float) -> None:
        self._late = None
        if self._came is None:
            return
        left = self._since + within - self._loop.time()
        if left > 0:
            self._late = self._loop.call_later(left, self._ring, within)
        else:
            self._wake(TimeoutError(f"no reply within {within:g} s (socket_timeout)"))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came that nobody asked for, such as the end of the connection."""
        return not (self.lost or self.transport.is_closing() or self.reader.has_data() or self._poll.poll(0))

    def _wake(self, error: Exception | None) -> None:
        came, self._came = self._came, None
        if came is not None and not came.done():
            if error is None:
                came.set_result(None)
            else:
                came.set_exception(error)

    # What the loop calls.

    def data_received(self, data: bytes) -> None:
        """Take *data*."""
        self.reader.feed(data)
        self._wake(None)

    def eof_received(self) -> None:
        """Take note that nothing comes any more; the transport closes itself."""
        self._end(redis.ConnectionError("closed by the server"))

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that there is no connection any more."""
        self._end(error or redis.ConnectionError("the connection was closed"))

    def _end(self, error: Exception) -> None:
        self.lost = self.lost or error
        if self._late is not None:
            self._late.cancel()
        self._wake(self.lost)
        self.resume_writing()

    def pause_writing(self) -> None:
        """Take note that enough is on its way."""
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let those go on who wait to send."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
