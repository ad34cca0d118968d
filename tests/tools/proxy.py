"""A TCP proxy in front of the real server: it cuts and stalls connections where a test says, and counts round trips.

A thread moves the bytes; it takes the client's commands apart and puts them together again, so that it can act between
two of them, also where they were sent in one write. Rules act in a known state of the server: the commands before the
one they are about have been answered, and the answers delivered, before the rule acts.

How a round trip is counted: it begins with a command that a client sends while no reply is outstanding. A reply that
lies unread in the client's socket is outstanding too: who sends on without having looked at it did not wait for it.
The proxy cannot see a client read, but it can see what the kernel has queued for it. So the last two bytes of the last
reply are delivered one by one, each when all before it have been fetched from the socket: only who waits for that reply
gets them. Who sends on instead goes on in the same round trip, however fast the server was. (A client that reads
without need, as an asyncio loop between two writes may, counts as waiting.)
"""

import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

import attrs
import hiredis
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.tools.link import LONGEST_LOOK, Link, Rule, Which, pull
from tests.tools.monitor import SETUP, Command
from tests.tools.queues import Queues
from tests.tools.servers import LOOPBACK, RealServer

PATIENCE = 30.0


@attrs.define(eq=False)
class Proxy:
    """A proxy to *server* on a port of its own: ``with Proxy(real_server) as proxy: ...``.

    Connections are set up as by HELLO, CLIENT, AUTH and SELECT: these are forwarded, but not in `seen` and not counted.
    A rule named later than another is asked later; a command meets at most one rule.
    """

    _upstream: RealServer
    host: str = attrs.field(default=LOOPBACK, init=False)
    port: int = attrs.field(init=False)
    _lock: threading.Condition = attrs.field(factory=threading.Condition, init=False)
    _rules: list[Rule] = attrs.field(factory=list, init=False)
    _links: list[Link] = attrs.field(factory=list, init=False)
    _seen: list[Command] = attrs.field(factory=list, init=False)
    _trips: int = attrs.field(default=0, init=False)
    _accepted: int = attrs.field(default=0, init=False)
    _down: bool = attrs.field(default=False, init=False)
    _stopping: bool = attrs.field(default=False, init=False)
    _error: BaseException | None = attrs.field(default=None, init=False)
    _queues: Queues = attrs.field(init=False)
    _listener: socket.socket = attrs.field(init=False)
    _bell: socket.socket = attrs.field(init=False)
    _button: socket.socket = attrs.field(init=False)
    _thread: threading.Thread = attrs.field(init=False)

    def __enter__(self) -> Self:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=256)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._queues = Queues()
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._stopping = True
        self._button.send(b"!")
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the proxy's thread did not end"
        for end in (self._bell, self._button, self._queues):
            end.close()
        if self._error is not None and error is None:
            raise self._error

    @property
    def url(self) -> str:
        """The URL of the real server, by way of the proxy."""
        before, _, after = self._upstream.url.partition("://")
        place, slash, database = after.partition("/")
        login, at, _ = place.rpartition("@")
        return f"{before}://{login}{at}{self.host}:{self.port}{slash}{database}"

    def client(self, **kwargs: Any) -> redis.Redis:
        """Return a plain redis-py client by way of the proxy, which the caller closes.

        Without a ``retry=`` of its own it reports the first error instead of trying again.
        """
        return redis.Redis.from_url(self.url, **{"retry": Retry(NoBackoff(), 0)} | kwargs)

    def cut(
        self, before: Which | None = None, after: Which | None = None, *, times: int | None = 1, down: bool = False
    ) -> None:
        """Close the client's connection at a command.

        Args:
            before: at this one; neither it nor anything after it reaches the server.
            after: at this one; it reaches the server, nothing after it does, its reply is swallowed.
            times: how often; None for always.
            down: let no client connect from then on, as `down` does.
        """
        self._add("cut", before, after, times, down)

    def stall(self, before: Which | None = None, after: Which | None = None, *, times: int | None = 1) -> None:
        """Let a connection hang at a command until `resume`.

        Args:
            before: at this one; it and all after it are held back. They are kept when the client gives up: `resume`
                sends them late, as a network may.
            after: at this one; it reaches the server, its reply and all commands after it are held back.
            times: how often; None for always.
        """
        self._add("stall", before, after, times, False)

    def resume(self) -> None:
        """Let every stalled connection go on; return when the server has answered what was held back."""
        with self._lock:
            for link in self._links:
                if link.stalled:
                    link.stalled, link.lifted, link.resuming = False, True, True
            self._button.send(b"!")
            self._wait(lambda: not any(link.resuming for link in self._links))

    def wait_stalled(self) -> None:
        """Return when a connection hangs at a command (for tests with a client in another thread)."""
        with self._lock:
            self._wait(lambda: any(link.stalled for link in self._links))

    def down(self) -> None:
        """Close all connections of clients and let none connect, until `up`."""
        with self._lock:
            self._down = True
            for link in self._links:
                link.client_ends = link.server_ends = True
                # A client that does not read would keep its connection open.
                link.to_client.clear()
            self._button.send(b"!")
            self._wait(lambda: not self._links)

    def up(self) -> None:
        """Let clients connect again."""
        with self._lock:
            self._down = False

    def clear(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules.clear()

    @property
    def seen(self) -> list[Command]:
        """The commands forwarded to the server since the last `reset`, as sent but for names in capitals."""
        with self._lock:
            return list(self._seen)

    @property
    def connections(self) -> int:
        """The number of connections accepted, all in all."""
        with self._lock:
            return self._accepted

    def round_trips(self) -> int:
        """Return how many round trips clients have made since the last `reset`; the module says what one is."""
        with self._lock:
            return self._trips

    def reset(self) -> None:
        """Begin to count round trips and to collect `seen` anew; rules and connections stay."""
        with self._lock:
            self._trips = 0
            self._seen.clear()

    def _add(
        self, act: Literal["cut", "stall"], before: Which | None, after: Which | None, times: int | None, down: bool
    ) -> None:
        which = after if before is None else before
        if which is None or (before is not None and after is not None):
            raise ValueError("A rule says either before= or after=")
        with self._lock:
            self._rules.append(Rule(which, act, before is None, times, down))

    def _wait(self, reached: Callable[[], bool]) -> None:
        ended = self._lock.wait_for(lambda: reached() or self._error is not None, PATIENCE)
        if self._error is not None:
            raise self._error
        assert ended, f"the proxy waited {PATIENCE} s in vain"

    # From here on all is done by the proxy's thread, under its lock but for waiting.

    def _run(self) -> None:
        try:
            while not self._stopping:
                with self._lock:
                    reads, writes, pause = self._interests()
                readable, _, _ = select.select(reads, writes, [], pause)
                with self._lock:
                    self._turn(set(readable))
                    self._lock.notify_all()
        except BaseException as error:  # handed to the test's thread, which raises it
            with self._lock:
                self._error = error
                self._lock.notify_all()
        finally:
            self._listener.close()
            for link in self._links:
                link.close()

    def _interests(self) -> tuple[list[socket.socket], list[socket.socket], float | None]:
        reads, writes, pauses = [self._listener, self._bell], [], []
        for link in self._links:
            for end, output in ((link.client, link.to_client), (link.server, link.to_server)):
                if end is not None:
                    reads.append(end)
                    if output:
                        writes.append(end)
            if link.held:
                pauses.append(link.pause)
        return reads, writes, min(pauses, default=None)

    def _turn(self, readable: set[socket.socket]) -> None:
        if self._bell in readable:
            pull(self._bell)
        if self._listener in readable:
            self._accept()
        for link in self._links:
            if link.server in readable:
                self._from_server(link)
            if link.client in readable:
                self._from_client(link)
            elif link.held:
                self._look(link)
            self._advance(link)
            link.send()
            if link.resuming and (link.stalled or link.server is None or not (link.outstanding or link.waiting)):
                link.resuming = False
        self._links = [link for link in self._links if link.client is not None or link.server is not None]

    def _accept(self) -> None:
        try:
            client, address = self._listener.accept()
        except BlockingIOError:
            return
        if self._down:
            client.close()
            return
        try:
            server = socket.create_connection((self._upstream.host, self._upstream.port))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted += 1
        self._links.append(Link(client, server, address))

    def _from_client(self, link: Link) -> None:
        data, ended = pull(link.client)
        if data:
            if link.answered and not link.tail and not link.to_client:
                link.counted = False
            link.partial += len(data)
            link.commands.feed(data)
            while (command := link.commands.gets()) is not False:
                packed = hiredis.pack_command(tuple(command))
                link.partial -= len(packed)
                command[0] = command[0].upper()
                if not link.counted and command[0] not in SETUP:
                    link.counted = True
                    self._trips += 1
                link.waiting.append((tuple(command), packed))
            # There is more to answer now: what was held back ends nothing.
            link.deliver(b"")
        if ended and link.client is not None:
            link.client.close()
            link.client = None
            link.to_client.clear()

    def _from_server(self, link: Link) -> None:
        data, ended = pull(link.server)
        if data:
            link.replies.feed(data)
            while (reply := link.replies.gets()) is not False:
                if not isinstance(reply, hiredis.PushNotification):
                    link.outstanding -= 1
            if link.keeping:
                link.kept += data
            else:
                link.deliver(data)
        if ended:
            link.release(len(link.tail))
            link.client_ends = link.server_ends = True
            link.waiting.clear()
            link.to_server.clear()

    def _look(self, link: Link) -> None:
        """Release a byte of the tail once the client has fetched all before it."""
        # Where nobody knows what is unread, all is taken as fetched: who sends on without reading counts as waiting.
        if self._queues.unread(link.address, (self.host, self.port)):
            link.fetched, link.pause = False, min(2 * link.pause, LONGEST_LOOK)
        elif link.fetched:
            link.release(1)
        else:
            # Look twice: bytes that arrive while the client is inside a send are queued when that is over.
            link.fetched = True

    def _advance(self, link: Link) -> None:
        """Forward the commands that wait, up to one that a rule holds."""
        while not link.stalled:
            if link.rule is None:
                if not link.waiting:
                    break
                link.rule = self._rule(link.waiting[0][0])
                if link.rule is None:
                    self._forward(link)
                    continue
            if link.outstanding or not self._apply(link, link.rule):
                return
        if link.client is None and not (link.stalled or link.outstanding or link.server_ends):
            # The client is gone, and what it had sent before is answered.
            link.server_ends = True

    def _rule(self, command: Command) -> Rule | None:
        position = None if command[0] in SETUP else len(self._seen)
        for rule in self._rules:
            if rule.fits(command, position):
                if rule.left is not None:
                    rule.left -= 1
                return rule
        return None

    def _apply(self, link: Link, rule: Rule) -> bool:
        """Do what *rule* says now that all before it is answered; return whether the link goes on at once."""
        if rule.after and not link.keeping:
            link.keeping = True
            self._forward(link)
            return False
        if rule.act == "cut":
            self._down = self._down or rule.down
            link.waiting.clear()
            link.client_ends = link.server_ends = True
            link.rule, link.keeping = None, False
        elif link.lifted:
            link.rule, link.lifted = None, False
            if rule.after:
                link.keeping = False
                link.deliver(bytes(link.kept))
                link.kept.clear()
            else:
                self._forward(link)
            return True
        else:
            link.stalled = True
        return False

    def _forward(self, link: Link) -> None:
        command, packed = link.waiting.popleft()
        if command[0] not in SETUP:
            self._seen.append(command)
        link.outstanding += 1
        link.to_server += packed
