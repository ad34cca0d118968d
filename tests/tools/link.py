"""One client's connection through the proxy, and the rules that hold it: state and buffers; the proxy decides."""

import socket
from collections import deque
from collections.abc import Callable
from typing import Literal

import attrs
import hiredis

from tests.tools.monitor import Command
from tests.tools.queues import Address

#: Which command a rule is about: its name, its position in `Proxy.seen`, or any test of its arguments.
Which = str | int | Callable[[Command], bool]

CHUNK = 1 << 18
#: Bytes held back at the end of a round trip. One is not enough: a client that reads the replies of an earlier write
#: takes with them all else that has arrived, and would be given the last byte without having waited for it.
TAIL = 2
#: Seconds between two looks at what the kernel has queued; a matter of speed, not of the result.
LOOK = 0.00005
LONGEST_LOOK = 0.002


@attrs.define(eq=False)
class Rule:
    """What happens at a command, and how often it still will (None: always)."""

    which: Which
    act: Literal["cut", "stall"]
    after: bool
    left: int | None
    down: bool = False

    def fits(self, command: Command, position: int | None) -> bool:
        if self.left == 0:
            return False
        if isinstance(self.which, str):
            return command[0].upper() == self.which.upper().encode()
        if isinstance(self.which, int):
            return position == self.which
        return self.which(command)


@attrs.define(eq=False)
class Link:
    """One client's connection and its twin to the server."""

    client: socket.socket | None
    server: socket.socket | None
    #: Where the client's end is.
    address: Address
    to_client: bytearray = attrs.field(factory=bytearray)
    to_server: bytearray = attrs.field(factory=bytearray)
    commands: hiredis.Reader = attrs.field(factory=hiredis.Reader)
    replies: hiredis.Reader = attrs.field(factory=hiredis.Reader)
    #: Commands taken apart but not forwarded, each with its bytes: a rule holds the first of them.
    waiting: deque[tuple[Command, bytes]] = attrs.field(factory=deque)
    rule: Rule | None = None
    stalled: bool = False
    #: The rule is lifted, but the link did not go on yet.
    lifted: bool = False
    #: The link goes on, but the server did not answer yet what was held back.
    resuming: bool = False
    #: The reply of a command that a rule is about comes next; it is kept here.
    keeping: bool = False
    kept: bytearray = attrs.field(factory=bytearray)
    #: Bytes received of a command that is not complete.
    partial: int = 0
    outstanding: int = 0
    #: The open round trip has been counted.
    counted: bool = False
    tail: bytearray = attrs.field(factory=bytearray)
    #: All that was delivered was fetched when last looked at.
    fetched: bool = False
    pause: float = LOOK
    client_ends: bool = False
    server_ends: bool = False

    @property
    def answered(self) -> bool:
        """Whether all that the client has sent is answered, as far as the proxy knows."""
        return not (self.outstanding or self.waiting or self.partial)

    @property
    def held(self) -> bool:
        """Whether all is delivered but the bytes that only who waits for them gets."""
        return bool(self.tail) and self.answered and not self.to_client

    def deliver(self, data: bytes) -> None:
        """Pass on what the server sent, holding the end back while it may end a round trip."""
        self.tail += data
        ends = self.answered and self.counted
        # The two last bytes must not come apart: a reply never ends in the first of them.
        half = self.tail.endswith(b"\r")
        self.release(len(self.tail) - (TAIL if ends else int(half)))

    def release(self, size: int) -> None:
        if size > 0:
            if self.client is not None:
                self.to_client += self.tail[:size]
            del self.tail[:size]
            self.fetched, self.pause = False, LOOK

    def send(self) -> None:
        """Send what the kernel takes, and close the ends that have nothing more to come."""
        if self.client is not None and self.to_client and not push(self.client, self.to_client):
            self.client_ends = True
            self.to_client.clear()
        if self.server is not None and self.to_server and not push(self.server, self.to_server):
            self.server_ends = True
            self.to_server.clear()
        if self.client is not None and self.client_ends and not self.to_client:
            # Unread input would turn the end into a reset, which may overtake what was delivered.
            pull(self.client)
            self.client.close()
            self.client = None
        if self.server is not None and self.server_ends and not self.to_server:
            self.server.close()
            self.server = None

    def close(self) -> None:
        for end in (self.client, self.server):
            if end is not None:
                end.close()
        self.client = self.server = None


def push(end: socket.socket, output: bytearray) -> bool:
    """Send of *output* what the kernel takes now; return False if the other side is gone."""
    try:
        while output:
            sent = end.send(memoryview(output)[:CHUNK])
            del output[:sent]
    except BlockingIOError:
        pass
    except OSError:
        return False
    return True


def pull(end: socket.socket | None) -> tuple[bytes, bool]:
    """Return what the kernel has received for *end*, and whether the other side is gone."""
    assert end is not None
    try:
        data = end.recv(CHUNK)
    except BlockingIOError:
        return b"", False
    except OSError:
        return b"", True
    return data, not data
