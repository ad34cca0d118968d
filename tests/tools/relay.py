"""A relay before a real server that answers some commands itself, with an error, as a server in some state does."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import hiredis

from tests.tools.servers import RealServer


class Relay:
    """Forwards one command after the other; `error` is the answer to the *n*-th one of a name, from `refuse` to `stop`.

    Inside MULTI it does what Redis does: what was refused while it was queued aborts EXEC, and an EXEC that is refused
    discards the transaction, or, where *keeps* is said, leaves it open.
    """

    def __init__(self, upstream: RealServer) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._rule: tuple[bytes, int, bytes, bool] | None = None
        self._met = 0
        self.seen: list[bytes] = []
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def refuse(self, name: str, error: str, *, nth: int = 1, keeps: bool = False) -> None:
        """Answer the *nth* command *name* from now on, and all of that name after it, with *error*."""
        self.answer(name, f"-{error}\r\n".encode(), nth=nth, keeps=keeps)

    def answer(self, name: str, reply: bytes, *, nth: int = 1, keeps: bool = False) -> None:
        """Same as `refuse` with any *reply*, as it goes over the wire; what is no whole line ends the connection."""
        self._met = 0
        self.seen.clear()
        self._rule = name.encode(), nth, reply, keeps

    def stop(self) -> None:
        """Refuse nothing any more."""
        self._rule = None

    def _refused(self, name: bytes) -> bytes | None:
        rule = self._rule
        if rule is None or rule[0] != name:
            return None
        self._met += 1
        return rule[2] if self._met >= rule[1] else None

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._upstream.host, self._upstream.port))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._ends += client, server
                self._threads.append(threading.Thread(target=self._relay, args=(client, server)))
                self._threads[-1].start()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        commands = hiredis.Reader()
        in_multi = aborted = False
        with contextlib.suppress(OSError), client, server:
            while data := client.recv(65_536):
                commands.feed(data)
                while (command := commands.gets()) is not False:
                    name = command[0].upper()
                    self.seen.append(name)
                    error = self._refused(name)
                    if name == b"EXEC" and aborted and error is None:
                        error = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
                    if error is None:
                        reply = self._forwarded(server, command)
                        in_multi = name == b"MULTI" or (in_multi and name not in (b"EXEC", b"DISCARD"))
                    else:
                        reply = error
                        keeps = self._rule is not None and self._rule[3]
                        if name == b"EXEC" and in_multi and not keeps:
                            self._forwarded(server, [b"DISCARD"])
                            in_multi = aborted = False
                        aborted = aborted or (in_multi and name != b"EXEC")
                    if name in (b"EXEC", b"DISCARD") and not in_multi:
                        aborted = False
                    client.sendall(reply)
                    if not reply.endswith(b"\r\n"):
                        return

    @staticmethod
    def _forwarded(server: socket.socket, command: list[Any]) -> bytes:
        server.sendall(hiredis.pack_command(tuple(command)))
        replies, raw = hiredis.Reader(), b""
        while replies.gets() is False:
            data = server.recv(65_536)
            if not data:
                raise ConnectionError
            raw += data
            replies.feed(data)
        return raw
