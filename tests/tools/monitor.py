"""What the real server saw: every command of a block, argument for argument, by MONITOR on a connection of its own.

MONITOR shows what is executed, in the order of execution: a queued command appears when EXEC runs it, between MULTI and
EXEC. It does not show what the server refuses before running it (an unknown command, a missing permission, the commands
and the EXEC of an aborted transaction), nor administration (CONFIG, ACL ...); the proxy sees all that is sent.
"""

import re
import uuid
from types import TracebackType

import attrs
import redis

from tests.tools.servers import RealServer

Command = tuple[bytes, ...]

#: What clients send when they connect.
SETUP = frozenset({b"HELLO", b"CLIENT", b"AUTH", b"SELECT"})

LINE = re.compile(rb"[0-9.]+ \[\d+ ([^\]]*(?:\[[^\]]*\][^\]]*)?)\] (.*)", re.DOTALL)
ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


@attrs.define(eq=False)
class Monitor:
    """Collect the commands of other clients: ``with Monitor(server) as seen: ...`` fills the list *seen* at its end.

    Left out are commands run by scripts and the set-up of connections (HELLO, CLIENT, AUTH, SELECT). The name of a
    command is in capitals, its arguments are as sent.
    """

    _server: RealServer
    _seen: list[Command] = attrs.field(factory=list, init=False)
    _connection: redis.Connection | None = attrs.field(default=None, init=False)

    def __enter__(self) -> list[Command]:
        with self._server.client() as client:
            # A connection of the pool's settings, but outside of the pool: nobody else gets it.
            self._connection = client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
        self._connection.connect()
        self._connection.send_command("MONITOR")
        self._connection.read_response()
        return self._seen

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection is not None
        try:
            if kind is None:
                self._seen += self._read()
        finally:
            self._connection.disconnect()

    def _read(self) -> list[Command]:
        """Return the commands up to one that we send ourselves, which comes after all others."""
        token = uuid.uuid4().hex.encode()
        with self._server.client() as client:
            client.echo(token)
        seen = []
        while True:
            source, command = parse(self._connection.read_response(disable_decoding=True))
            if command == (b"ECHO", token):
                return seen
            if source != b"lua" and command[0] not in SETUP:
                seen.append(command)


def parse(line: bytes) -> tuple[bytes, Command]:
    r"""Take a line of MONITOR apart: ``1700000000.123456 [0 127.0.0.1:5000] "set" "a\x00"``.

    Returns:
        The source (an address, or ``lua``), and the command with its name in capitals.
    """
    found = LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"not a line of MONITOR: {line!r}")
    source, quoted = found.groups()
    name, *arguments = [ESCAPE.sub(unescape, argument) for argument in ARGUMENT.findall(quoted)]
    return source, (name.upper(), *arguments)


def unescape(escape: re.Match[bytes]) -> bytes:
    """Return the byte that an escape of Redis' sdscatrepr stands for."""
    code, letter = escape.groups()
    return bytes([int(code, 16)]) if code else LETTERS.get(letter, letter)
