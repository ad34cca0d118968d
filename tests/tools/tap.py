"""A proxy that counts bytes: it cuts, swallows or holds back a connection after any one of them, in either direction.

`Proxy` acts between commands; a network does not know them. Faults are armed one after the other: the first connection
on which a client sends something then meets the first of them, the next connection the second, others none.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, Self

import attrs

from tests.tools.servers import LOOPBACK, RealServer

_MOST = 1 << 16


@attrs.frozen
class Fault:
    """What happens to one connection.

    Attributes:
        towards: which bytes are counted.
        after: how many of them still arrive.
        how: "cut" ends both ends; what arrived is executed all the same. "swallow" loses what comes then, without a
            word. "hold" keeps it until `Tap.release`, when the client has long given up: it arrives late.
        then: called when it happens, before anything is cut.
    """

    towards: Literal["server", "client"]
    after: int
    how: Literal["cut", "swallow", "hold"]
    then: Callable[[], None] | None = None


@attrs.define(eq=False)
class _Link:
    """One connection and its twin to the server."""

    client: socket.socket
    server: socket.socket
    round: int = 0
    fault: Fault | None = None
    sent: int = 0
    got: int = 0
    happened: bool = False
    held: bytearray = attrs.field(factory=bytearray)
    running: int = 2
    server_ended: threading.Event = attrs.field(factory=threading.Event)


def _shut(end: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(how)


class Tap:
    """``with Tap(server) as tap: ...``; clients connect to `url`."""

    def __init__(self, upstream: RealServer) -> None:
        self._upstream = upstream
        self._listener = socket.create_server((LOOPBACK, 0), backlog=64)
        self._lock = threading.Lock()
        self._links: list[_Link] = []
        self._faults: list[Fault] = []
        self._round = 0
        #: Bytes that the first connection of a round has sent, and got.
        self.counted = (0, 0)
        #: Something happened in this round.
        self.happened = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://{LOOPBACK}:{self._listener.getsockname()[1]}/0"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut(self._listener)
        self._listener.close()
        for link in self._links:
            for end in (link.client, link.server):
                _shut(end)
        for thread in self._threads:
            thread.join(10)

    def arm(self, faults: Sequence[Fault] = ()) -> None:
        """Begin a round: count anew, and let the connections that are used from now on meet *faults*."""
        with self._lock:
            self._links = [link for link in self._links if link.running]
            self._round += 1
            self._faults = list(faults)
            self.counted = (0, 0)
            self.happened.clear()

    def release(self) -> None:
        """Deliver what is held back, and end these connections; return when the server has executed it."""
        with self._lock:
            links = [link for link in self._links if link.happened and link.fault is not None]
        for link in links:
            if link.fault is not None and link.fault.how == "hold":
                with contextlib.suppress(OSError):
                    link.server.sendall(bytes(link.held))
            _shut(link.server, socket.SHUT_WR)
        for link in links:
            # A server that was killed has ended them, too.
            assert link.server_ended.wait(10), "the server did not end a connection"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection((self._upstream.host, self._upstream.port))
                except OSError:
                    client.close()
                    continue
                link = _Link(client, server)
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._links.append(link)
                for pump in (self._to_server, self._to_client):
                    thread = threading.Thread(target=pump, args=(link,), daemon=True)
                    self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
                    thread.start()

    def _begin(self, link: _Link) -> None:
        with self._lock:
            if link.round != self._round:
                link.round, link.sent, link.got = self._round, 0, 0
                link.fault = self._faults.pop(0) if self._faults else None

    def _to_server(self, link: _Link) -> None:
        with contextlib.suppress(OSError):
            while data := link.client.recv(_MOST):
                self._begin(link)
                fault = link.fault
                if link.happened:
                    link.held += data
                    continue
                left = len(data) if fault is None or fault.towards != "server" else fault.after - link.sent
                link.sent += len(data[:left])
                self._count(link)
                link.server.sendall(data[:left])
                if fault is not None and fault.towards == "server" and link.sent >= fault.after:
                    link.held += data[left:]
                    self._happen(link, fault)
        if not link.happened:
            _shut(link.server, socket.SHUT_WR)
        self._end(link)

    def _to_client(self, link: _Link) -> None:
        with contextlib.suppress(OSError):
            while data := link.server.recv(_MOST):
                fault = link.fault
                if link.happened and fault is not None and (fault.towards == "client" or fault.how == "cut"):
                    continue
                left = len(data) if fault is None or fault.towards != "client" else fault.after - link.got
                link.got += len(data[:left])
                self._count(link)
                # A client that is gone ends nothing: what the server says is read to its end.
                with contextlib.suppress(OSError):
                    link.client.sendall(data[:left])
                if fault is not None and fault.towards == "client" and link.got >= fault.after:
                    self._happen(link, fault)
        link.server_ended.set()
        if link.fault is None or link.fault.how == "cut" or link.fault.then is not None or not link.happened:
            _shut(link.client)
        self._end(link)

    def _end(self, link: _Link) -> None:
        """Close both ends when nothing more comes from either."""
        with self._lock:
            link.running -= 1
            if link.running:
                return
        link.client.close()
        link.server.close()

    def _count(self, link: _Link) -> None:
        self.counted = max(self.counted, (link.sent, link.got))

    def _happen(self, link: _Link, fault: Fault) -> None:
        link.happened = True
        self.happened.set()
        if fault.then is not None:
            fault.then()
        if fault.how == "cut":
            _shut(link.client)
            _shut(link.server, socket.SHUT_WR)
