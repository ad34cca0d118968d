"""A server that is not there or takes no writes, a foreign type at a field's key: a clear error, nothing written."""

import contextlib
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.models import things
from tests.tools.backends import Backend
from tests.tools.proxy import Proxy
from tests.tools.refusing import refused
from tests.tools.servers import LOOPBACK, RealServer, free_port, server_binary
from uowredis import (
    OutcomeUnknown,
    PartiallyApplied,
    RedisDatabase,
    Rejected,
    Session,
    SessionError,
    Unreachable,
)
from uowredis.model.declaration import schema_of

# A server that is not there


def test_a_server_that_is_not_there() -> None:
    """Nobody listens: an error that names the address, soon, for every kind of command; also a ConnectionError."""
    port = free_port()
    with RedisDatabase(host=LOOPBACK, port=port) as database:
        thing = things(database)
        empty = thing()
        begun = time.monotonic()
        for act in (
            lambda: thing(indexed_string="x"),
            lambda: thing(1),
            lambda: thing.exists(indexed_string="x"),
            lambda: empty.indexed_string.set("x"),
        ):
            with pytest.raises(Unreachable, match=f"{LOOPBACK}:{port}"):
                act()
        with Session(database) as s:
            made = thing(indexed_string="x")
            with pytest.raises(ConnectionError, match=f"{LOOPBACK}:{port}"):
                s.commit()
            # Nothing is lost: it can be committed when the server is back.
            assert (1, "x") == (len(s.pending), made.indexed_string.get())
            s.rollback()
        assert time.monotonic() - begun < 10


def test_a_server_that_comes_back() -> None:
    """What could not be committed is committed later, by the same session."""
    with RealServer.start() as real, Proxy(real) as proxy, RedisDatabase.from_url(proxy.url) as database:
        thing = things(database)
        first = thing(indexed_string="x")
        proxy.down()
        with pytest.raises(Unreachable):
            first.indexed_string.get()
        with Session(database) as s:
            made = thing(indexed_string="y")
            with pytest.raises(Unreachable):
                s.commit()
            proxy.up()
            assert [made] == s.commit()
            assert "y" == made.indexed_string.get()


def test_a_session_does_not_move_to_another_server(server: Backend) -> None:
    """Keys and counters of one server mean nothing on another: a commit after connect() is refused."""
    with RealServer.start() as other, server.database() as database:
        thing = things(database)
        with Session(database, on_pending="discard") as s:
            thing(indexed_string="y")
            database.connect(host=other.host, port=other.port)
            with pytest.raises(SessionError, match="another server"):
                s.commit()
        with other.client() as client:
            assert 0 == client.dbsize()


def test_an_address_that_does_not_answer() -> None:
    """A connection that is neither made nor refused is given up after about a second, not after minutes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        host, port = listener.getsockname()
        # Nobody accepts: when its queue is full, the system answers no more attempts to connect.
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        database = stack.enter_context(RedisDatabase(host=host, port=port))
        begun = time.monotonic()
        with pytest.raises(Unreachable, match=f"{host}:{port}"):
            things(database)(indexed_string="x")
        assert time.monotonic() - begun < 10


# A server that takes no writes


@pytest.fixture(scope="module")
def read_only() -> Iterator[RealServer]:
    """A replica of a server that is not there: it answers reads, and refuses writes."""
    with RealServer.start("--replicaof", LOOPBACK, "1") as server:
        yield server


def test_a_server_that_is_read_only(read_only: RealServer) -> None:
    """Every write is Rejected with Redis' own words; reads answer; what a session holds is still there."""
    with RedisDatabase.from_url(read_only.url) as database, read_only.client() as client:
        thing = things(database)
        assert False is thing.exists(indexed_string="x")
        for act in (lambda: thing(indexed_string="x"), lambda: thing(string="x"), lambda: thing().string.incr()):
            with pytest.raises(Rejected, match=r"(?i)read.?only"):
                act()
        with Session(database) as s:
            made = thing(indexed_string="x")
            with pytest.raises(Rejected, match=r"(?i)read.?only"):
                s.commit()
            assert (1, "x") == (len(s.pending), made.indexed_string.get())
            s.rollback()
        assert [] == client.keys()


def test_a_script_that_is_read_only(read_only: RealServer) -> None:
    """It is told as of a transaction, and the connection, behind which another may be by then, is left."""
    with RedisDatabase.from_url(read_only.url, max_watched=0) as database, read_only.client() as client:
        client.execute_command("REPLICAOF", "NO", "ONE")
        thing = things(database)(indexed_string="x")
        client.replicaof(read_only.host, 1)
        with Session(database, on_pending="discard") as s:
            thing.indexed_string.set("y")
            assert "EVAL" in str(s.plan())
            before = client.info("stats")["total_connections_received"]
            with pytest.raises(Unreachable, match=r"(?i)read.?only.*nothing was applied"):
                s.commit()
        assert "x" == thing.indexed_string.get()
        assert before < client.info("stats")["total_connections_received"]
        client.execute_command("REPLICAOF", "NO", "ONE")
        client.flushall()
        client.replicaof(read_only.host, 1)


# A foreign type at a key


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("indexed_string", lambda f: f.set("y")),
        ("indexed_string", lambda f: f.append("y")),
        ("indexed_headers", lambda f: f.hset("a", "y")),
        ("indexed_set", lambda f: f.spop()),
        ("indexed_list", lambda f: f.lset(0, "y")),
        ("indexed_list", lambda f: f.ltrim(0, 0)),
        ("indexed_zset", lambda f: f.zremrangebyrank(0, 0)),
    ],
)
def test_a_foreign_type_that_planning_meets(server: Backend, name: str, act: Callable[[Any], Any]) -> None:
    """A value of another type at a field's key refuses the plan: the key is named and nothing of it is applied."""
    thing = things(server.database())
    made = thing(entry="x")
    key = f":thing:{made.pk.get()}:{name}"
    with server.client() as client:
        foreign(client, name, key)
    with refused(server, Rejected, key, "WRONGTYPE"):
        act(getattr(made, name))
    with Session(thing.database) as s:
        made.entry.hset("never")
        act(getattr(made, name))
        with refused(server, Rejected, key, "WRONGTYPE"):
            s.commit()
        with refused(server, Rejected, key, "WRONGTYPE"):
            s.plan()
        s.rollback()
    assert "x" == made.entry.hget()


def foreign(client: Any, name: str, key: str) -> None:
    """Store something at *key* that is of another type than the field *name*."""
    if name.endswith("list"):
        client.sadd(key, "foreign")
    else:
        client.rpush(key, "foreign")


def test_a_foreign_type_that_a_read_meets(server: Backend) -> None:
    """A read of a key of another type is Rejected with the command and Redis' own words, in a session too."""
    thing = things(server.database())
    made = thing(entry="x")
    with server.client() as client:
        client.rpush(f":thing:{made.pk.get()}:string", "foreign")
    with refused(server, Rejected, "GET", ":thing:1:string", "WRONGTYPE"):
        made.string.get()
    with Session(thing.database), refused(server, Rejected, "GET", ":thing:1:string", "WRONGTYPE"):
        made.string.get()


def test_a_foreign_type_at_an_index_key(server: Backend) -> None:
    """A unique index key of another type refuses the claim."""
    thing = things(server.database())
    with server.client() as client:
        client.set(":thing:serial:1", "foreign")
    with refused(server, Rejected, ":thing:serial:1", "WRONGTYPE", burnt=1):
        thing(string="x", serial="1")


def test_a_foreign_type_that_no_read_met(server: Backend) -> None:
    """Where a plan needs no read of the key, Redis meets the foreign type inside EXEC: it is told what was applied."""
    thing = things(server.database())
    made = thing(entry="x")
    key = f":thing:{made.pk.get()}:set"
    with server.client() as client:
        client.rpush(key, "foreign")
    with refused(server, Rejected, key, "WRONGTYPE"):
        made.set.sadd("y")
    with Session(thing.database) as s:
        made.entry.hset("new")
        made.set.sadd("y")
        with pytest.raises(PartiallyApplied, match=f"(?s)SADD {key} .*WRONGTYPE.*Way out") as error:
            s.commit()
        assert [int, True] == [type(error.value.results[0]), isinstance(error.value.results[1], Exception)]
        assert len(error.value.results) == len(error.value.plan.steps)
        with pytest.raises(SessionError, match="rollback"):
            s.commit()
        s.rollback()
    assert "new" == made.entry.hget()


@contextlib.contextmanager
def loading_server(directory: pathlib.Path) -> Iterator[int]:
    """Start a server that loads its data so slowly that it is still at it when asked; yield its port."""
    # Redis 6.2 looks for clients each 2 MB that it has loaded, which cannot be set before Redis 7: here each second.
    with RealServer.start("--dir", str(directory), "--rdbcompression", "no") as real, real.client() as client:
        for number in range(200):
            client.set(f"key {number}", 100_000 * "x")
        client.save()
    port = free_port()
    slowly = ("--key-load-delay", "50000")
    started = (str(server_binary()), "--bind", LOOPBACK, "--port", str(port), "--dir", str(directory), *slowly)
    with subprocess.Popen(started, stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 10
            while time.monotonic() < until:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection((LOOPBACK, port)):
                    break
            yield port
        finally:
            process.kill()


def test_a_server_that_is_loading(tmp_path: pathlib.Path) -> None:
    """It answers, but takes no command yet: the same error as for a server that is not there, with Redis' words."""
    # It looks for clients each second, which is as long as a connection may take by default.
    with (
        loading_server(tmp_path) as port,
        RedisDatabase(host=LOOPBACK, port=port, socket_connect_timeout=5) as database,
    ):
        thing = things(database)
        for act in (lambda: thing(indexed_string="x"), lambda: thing.exists(indexed_string="x")):
            with pytest.raises(Unreachable, match="LOADING"):
                act()


# A server that is another one


@contextlib.contextmanager
def between() -> Iterator[int]:
    """Stand between as a balancer does that lost its server: take the log-in, then answer HTTP; yield the port."""
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            # Ends as the listener is shut down.
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(listener.accept()[0],)).start()

        def answer(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError):
                while asked := peer.recv(65536):
                    greets = asked.count(b"SETINFO")
                    peer.sendall(b"+OK\r\n" * greets or b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()


def test_replies_that_are_none() -> None:
    """The connection is given up: nothing is known of a command that was sent, all of one that was not."""
    with between() as port, RedisDatabase(host=LOOPBACK, port=port, socket_timeout=5) as database:
        thing = things(database)
        string = thing._handle("1").string
        with pytest.raises(Unreachable, match=r"(?s)Protocol error.*nothing was written"):
            string.get()
        # Once its fingerprint was read a single command goes as it is.
        database._fingerprints.learn({schema_of(thing): []}, ())
        with pytest.raises(Unreachable, match=r"(?s)Protocol error.*nothing was written"):
            string.get()
        with pytest.raises(OutcomeUnknown, match=r"(?s)SET :thing:1:string x: it was applied, or not"):
            string.set("x")
        with Session(database, on_pending="discard") as session:
            string.set("x")
            with pytest.raises(Unreachable, match=r"(?s)EXEC was not sent, nothing was applied"):
                session.commit()


@pytest.mark.parametrize("in_a_session", [False, True], ids=["alone", "in a session"])
def test_a_master_that_became_a_replica_is_left(in_a_session: bool) -> None:
    """A name leads to the new master by then: the write is refused once, the next one goes there."""
    with (
        tempfile.TemporaryDirectory() as directory,
        RealServer.start("--unixsocket", f"{directory}/old") as old,
        RealServer.start("--unixsocket", f"{directory}/new") as new,
        RedisDatabase(unix_socket_path=f"{directory}/master") as database,
        old.client() as here,
        new.client() as there,
    ):
        name = pathlib.Path(directory, "master")
        name.symlink_to(f"{directory}/old")
        thing = things(database)(indexed_string="x")
        for key in here.scan_iter():
            there.restore(key, 0, here.dump(key))

        def write() -> None:
            if in_a_session:
                with Session(database, on_pending="discard") as session:
                    thing.indexed_string.set("y")
                    session.commit()
            else:
                thing.indexed_string.set("y")

        here.replicaof(LOOPBACK, 1)
        pathlib.Path(directory, "new").replace(name)
        with pytest.raises(Rejected, match="READONLY"):
            write()
        write()
        key = thing.indexed_string.key
        assert (b"x", b"y") == (here.get(key), there.get(key))
        assert {b"1"} == there.smembers(":thing:indexed_string:y")
