"""How a connection is made: TCP, TLS and the log-in have one bound together, however slowly they are answered (do).

redis-py bounds each wait by itself: each address of a name, the handshake, each byte of each reply of the log-in.
"""

from __future__ import annotations

import functools
import socket
import time
from typing import Any

import redis
from redis.connection import AbstractConnection


class Hurried:
    """A socket that gives up at a moment, whatever came until then.

    Args:
        real: the socket.
        left: gives the seconds that are left, or raises.
    """

    def __init__(self, real: Any, left: Any) -> None:
        self.real = real
        self._left = left

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def recv(self, *given: Any) -> Any:
        """Same as the socket's, but in time."""
        self.real.settimeout(self._left())
        return self.real.recv(*given)

    def recv_into(self, *given: Any) -> Any:
        """Same as the socket's, but in time."""
        self.real.settimeout(self._left())
        return self.real.recv_into(*given)

    def sendall(self, *given: Any) -> Any:
        """Same as the socket's, but in time."""
        self.real.settimeout(self._left())
        return self.real.sendall(*given)


class Bounded(AbstractConnection):
    """A connection of redis-py that is there, logged in, within its ``socket_connect_timeout``, or not at all."""

    _until: float | None = None
    _to_try: int = 1

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        """Connect and log in, where that is not so already.

        Raises:
            redis.TimeoutError: where it took too long.
        """
        if self._sock is not None:
            return
        assert self._socket_connect_timeout is not None
        bound = self._socket_connect_timeout
        self._until = time.monotonic() + bound
        try:
            super().connect_check_health(check_health, retry_socket_connect)
            hurried: Any = self._sock
            self._sock, self._until = hurried.real, None
            hurried.real.settimeout(self.socket_timeout)
            self._parser.on_connect(self)  # from now on it reads from the socket itself
        except BaseException as error:
            # redis-py keeps a socket that is not logged in where the error is none of its own.
            self.disconnect()  # type: ignore[no-untyped-call]
            if isinstance(error, redis.TimeoutError):
                raise redis.TimeoutError(
                    f"not connected and logged in within {bound:g} s (socket_connect_timeout)"
                ) from error
            raise
        finally:
            self._until = None

    def _connect(self) -> Any:
        family: int | None = getattr(self, "socket_type", None)  # redis-py's name for it; a Unix socket has none
        if family is not None:
            port: int = getattr(self, "port")  # noqa: B009  # of TCP, which this is then
            self._to_try = len(socket.getaddrinfo(self.host, port, family, socket.SOCK_STREAM))
        return Hurried(super()._connect(), self._left)  # type: ignore[safe-super, no-untyped-call]  # it stands before a class that has it

    def _left(self) -> float:
        assert self._until is not None
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    @property
    def socket_connect_timeout(self) -> float | None:
        """Seconds for the next address of the server: what is left is shared by those not tried yet."""
        if self._until is None:
            return self._socket_connect_timeout
        share = self._left() / self._to_try
        self._to_try = max(1, self._to_try - 1)
        return share

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: float | None) -> None:
        self._socket_connect_timeout = value

    @property
    def socket_timeout(self) -> float | None:
        """Seconds for one wait, also for the handshake of TLS, which redis-py gives it."""
        return self._socket_timeout if self._until is None else self._left()

    @socket_timeout.setter
    def socket_timeout(self, value: float | None) -> None:
        self._socket_timeout = value


@functools.cache
def bounded(kind: type) -> type:
    """Return the class of redis-py's connections *kind* with one bound for all that makes one."""
    return type(f"Bounded{kind.__name__}", (Bounded, kind), {})
