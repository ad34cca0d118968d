"""Connections to an in-process Redis that no interruption can leave locked (do).

fakeredis hands replies over by ``queue.Queue`` and ``threading.Event``. Their locks are taken by methods written in
Python: an exception of a signal handler that comes between such a method's taking of the lock and its return, or before
the one that gives it back, leaves it taken for ever, and even closing the connection hangs. A ``SimpleQueue`` is one
call into the interpreter, which no signal breaks in two. The lock of the server itself is a plain one, taken by
``with``, and safe.
"""

from __future__ import annotations

import queue
from typing import Any

import fakeredis


class Ready:
    """Tells that a reply is there, as ``threading.Event`` does."""

    def __init__(self) -> None:
        self._said: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Wake who waits."""
        if self._said.empty():
            self._said.put(None)

    def clear(self) -> None:
        """Let the next one wait."""
        try:
            while True:
                self._said.get_nowait()
        except queue.Empty:
            pass

    def wait(self, timeout: float | None = None) -> bool:
        """Return whether a reply is there, within *timeout* seconds."""
        try:
            self._said.get(timeout=timeout)
        except queue.Empty:
            return False
        self.set()
        return True


class EmbeddedConnection(fakeredis.FakeRedisConnection):
    """A connection of redis-py to a ``FakeServer`` of this process."""

    def _connect(self) -> Any:
        sock: Any = super()._connect()
        sock.responses = queue.SimpleQueue()
        sock.response_ready = Ready()
        return sock
