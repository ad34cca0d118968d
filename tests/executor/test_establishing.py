"""A connection is there within its bound, TLS and log-in included, however slowly the server answers, or not at all."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.models import things
from tests.tools.backends import Real
from tests.tools.servers import LOOPBACK
from uowredis import OutcomeUnknown, RedisDatabase, Session, Unreachable

#: TLS without certificates, which needs no file; OpenSSL has it up to TLS 1.2.
ANONYMOUS = "aNULL:@SECLEVEL=0"
TLS: dict[str, Any] = {"ssl": True, "ssl_cert_reqs": "none", "ssl_ciphers": ANONYMOUS}

#: What takes a peer, and an event that is set when the test is over.
Talk = Callable[[socket.socket, threading.Event], object]


def silent(peer: socket.socket, over: threading.Event) -> None:
    """Take the connection and say nothing."""
    over.wait()


def slowly(data: bytes) -> Talk:
    """Send *data* byte by byte, each well within any wait for one, and end it never."""

    def talk(peer: socket.socket, over: threading.Event) -> None:
        for place in range(len(data)):
            if over.wait(0.2):
                return
            peer.sendall(data[place : place + 1])
        over.wait()

    return talk


def in_tls(talk: Talk) -> Talk:
    """Shake hands as TLS wants it, then *talk*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ANONYMOUS)

    def shaken(peer: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(peer, server_side=True) as wrapped:
            talk(wrapped, over)

    return shaken


def to(host: str, port: int) -> Talk:
    """Carry bytes to the server at *host* and *port*, and back."""

    def talk(peer: socket.socket, over: threading.Event) -> None:
        with socket.create_connection((host, port)) as server:
            while asked := peer.recv(65_536):
                server.sendall(asked)
                peer.sendall(server.recv(65_536))

    return talk


@contextlib.contextmanager
def answering(talk: Talk, listener: socket.socket | None = None) -> Iterator[Any]:
    """Answer each connection by *talk*, in threads; yield the address."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    with listener or socket.create_server((LOOPBACK, 0)) as listening:

        def answer(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError):
                talk(peer, over)

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener is shut down
                while True:
                    threads.append(threading.Thread(target=answer, args=(listening.accept()[0],)))
                    threads[-1].start()

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield listening.getsockname()
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            for thread in (serving, *threads):
                thread.join()


def check_given_up(database: RedisDatabase, bound: float) -> None:
    """Check that whatever is said is Unreachable, says the bound, and comes in time."""
    thing = things(database)
    begun = time.monotonic()
    with pytest.raises(Unreachable, match=rf"within {bound:g} s \(socket_connect_timeout\).*nothing was sent"):
        thing.exists("1")
    # Any wait by itself would be longer.
    assert bound <= time.monotonic() - begun < 3
    with Session(database, on_pending="discard") as session:
        thing(string="x")
        with pytest.raises(Unreachable):
            session.commit()


ANSWERS: list[tuple[str, Talk, dict[str, Any]]] = [
    ("silent", silent, {}),
    ("silent to a password", silent, {"username": "ann", "password": "x"}),
    ("slow log-in", slowly(b"+OK\r\n" * 20), {"password": "x", "client_name": "x", "db": 3}),
    ("slow, one reply without end", slowly(b"+" + b"O" * 100), {}),
    ("silent where TLS begins", silent, TLS),
    ("slow handshake of TLS", slowly(b"\x16\x03\x03\x40\x00" + b"\x02" * 100), TLS),
    ("silent in TLS", in_tls(silent), TLS),
    ("slow log-in in TLS", in_tls(slowly(b"+OK\r\n" * 20)), TLS | {"password": "x", "db": 3}),
]


@pytest.mark.parametrize(("talk", "settings"), [answer[1:] for answer in ANSWERS], ids=[each[0] for each in ANSWERS])
def test_one_bound_for_the_whole_connection(talk: Talk, settings: dict[str, Any]) -> None:
    """TCP, the handshake of TLS and each reply of the log-in share it."""
    with (
        answering(talk) as (host, port),
        RedisDatabase(host=host, port=port, socket_connect_timeout=0.4, socket_timeout=5, **settings) as database,
    ):
        check_given_up(database, 0.4)


def test_the_bound_is_a_second_by_default() -> None:
    """As documented."""
    with answering(silent) as (host, port), RedisDatabase(host=host, port=port) as database:
        check_given_up(database, 1.0)


def test_one_bound_for_a_socket(tmp_path: Any) -> None:
    """A Unix socket too."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    with (
        answering(silent, listener) as path,
        RedisDatabase.from_url(f"unix://{path}?socket_connect_timeout=0.4") as database,
    ):
        check_given_up(database, 0.4)


def test_the_addresses_of_a_name_share_the_bound(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that does not answer leaves time for the next one."""
    with contextlib.ExitStack() as stack:
        dead = stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        for _ in range(8):  # its queue is full: nobody accepts, nobody refuses
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(dead.getsockname())
        alive = (real.server.host, real.server.port)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        found = [(*kind, dead.getsockname()), (*kind, alive)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
        settings = {
            name: value for name, value in redis.connection.parse_url(real.server.url).items() if name != "host"
        }
        database = stack.enter_context(RedisDatabase(host="example.org", socket_connect_timeout=1, **settings))
        assert "x" == things(database)(string="x").string.get()


def test_the_bound_ends_with_the_log_in(real: Real) -> None:
    """A reply may take longer than that, up to socket_timeout."""
    with RedisDatabase.from_url(real.server.url, socket_connect_timeout=1, socket_timeout=5) as database:
        assert None is database._executor.tell(("BLPOP", "nothing", "1.5"))
    with RedisDatabase.from_url(real.server.url, socket_connect_timeout=5, socket_timeout=0.3) as database:
        begun = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            database._executor.tell(("BLPOP", "nothing", "2"))
        assert time.monotonic() - begun < 1.5
    with RedisDatabase.from_url(real.server.url, socket_timeout=None) as database:
        assert None is database._executor.tell(("BLPOP", "nothing", "0.1"))


def test_redis_py_can_use_the_connection_itself(real: Real) -> None:
    """As it does to log in anew with credentials that are renewed."""
    with RedisDatabase.from_url(real.server.url) as database:
        pool = database._executor.pool.connections
        connection = pool.get_connection()
        connection.send_command("PING")
        assert b"PONG" == connection.read_response()
        pool.release(connection)


def test_a_connection_with_tls_is_one_like_others(real: Real) -> None:
    """Commits, conflicts of none, large replies: all in TLS."""
    carry = in_tls(to(real.server.host, real.server.port))
    known = ("db", "username", "password")
    settings = {k: v for k, v in redis.connection.parse_url(real.server.url).items() if k in known}
    with answering(carry) as (host, port), RedisDatabase(host=host, port=port, **TLS, **settings) as database:
        thing = things(database)
        with Session(database) as session:
            made = thing(indexed_string="x", string="long" * 2_000)
            session.commit()
        assert ("x", "long" * 2_000) == (made.indexed_string.get(), made.string.get())


class Broken(redis.CredentialProvider):
    """Credentials that are not to be had the first time."""

    asked = 0

    def get_credentials(self) -> tuple[str, ...]:
        """Return a user and password, but not at first."""
        self.asked += 1
        if self.asked == 1:
            raise KeyError("no credentials")
        return ("limited", "secret")


def test_a_connection_that_was_not_logged_in_is_not_used(real: Real) -> None:
    """Where what is called for the log-in raises something of its own, the next command logs in anew."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all")
    url = real.server.url.removeprefix("redis://").split("@")[-1]
    try:
        with RedisDatabase.from_url(f"redis://{url}", credential_provider=Broken()) as database:
            with pytest.raises(KeyError, match="no credentials"):
                database._executor.send((("PING",),))
            assert [b"limited"] == database._executor.send((("ACL", "WHOAMI"),))
    finally:
        admin.execute_command("ACL", "DELUSER", "limited")
