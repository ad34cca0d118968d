"""What is said of connections that are not to be had, and which connections are kept."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from tests.models import products
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.tools.refusing import raises
from uowredis import RedisDatabase, Rejected, Session, Unreachable
from uowredis.executor.connection import Lent


@contextmanager
def held(on: RedisDatabase, count: int) -> Iterator[None]:
    """Have *count* threads hold a connection each, as by a call that is not answered, until the block ends."""
    over, holding = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        with Lent(on._executor.pool, "nothing was written"):
            holding.release()
            over.wait()

    threads = [threading.Thread(target=hold) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert holding.acquire(timeout=30)
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def ping(on: RedisDatabase) -> None:
    """Take a connection, and give it back."""
    assert [b"PONG"] == on._executor.send((("PING",),))


@pytest.mark.parametrize("how", ["keyword", "URL"])
def test_threads_wait_for_a_connection(real: Real, how: str) -> None:
    """Twice as many threads as connections: nobody is refused, nothing is lost."""
    url, settings = real.server.url, {"max_connections": 4, "timeout": 60}
    if how == "URL":
        url, settings = f"{url}?max_connections=4&timeout=60", {}
    with RedisDatabase.from_url(url, client_name="waits", **settings) as on:
        bread = products(on)(name="bread", visits=0)
        start = threading.Barrier(8)

        def visit() -> None:
            start.wait()
            for number in range(50):
                if number % 10:
                    bread.visits.incr()
                else:
                    with on.begin(retry_for=60):  # the others change what it stands on
                        bread.visits.incr()

        with ThreadPoolExecutor(8) as threads:
            for done in [threads.submit(visit) for _ in range(8)]:
                done.result()
        assert "400" == bread.visits.get()
        assert len([client for client in real.client().client_list() if client["name"] == "waits"]) in range(2, 5)


def test_a_connection_that_comes_back_is_taken(real: Real) -> None:
    """Whoever waits goes on as soon as one is there, whatever became of it."""
    with RedisDatabase.from_url(real.server.url, max_connections=1, timeout=None) as on, ThreadPoolExecutor(1) as one:
        with held(on, 1):
            waiting = one.submit(ping, on)
            assert not waiting.done()
        waiting.result(timeout=30)
        with held(on, 1):
            waiting = one.submit(ping, on)
            on._executor.pool.connections.disconnect()
        waiting.result(timeout=30)


@pytest.mark.parametrize("timeout", [0, 0.3])
def test_an_exhausted_pool_says_so(real: Real, timeout: float) -> None:
    """After the time that was set, and neither sooner nor much later: how many there are, and the way out."""
    with RedisDatabase.from_url(real.server.url, max_connections=3, timeout=timeout) as on:
        with held(on, 2):
            ping(on)
        with held(on, 3):
            begun = time.monotonic()
            with raises(
                Unreachable,
                "All 3 connections of the pool",
                on._executor.address,
                "are in use by other threads",
                f"within {timeout:g} s",
                "timeout=...",
                "max_connections=...",
                "nothing was sent",
            ):
                ping(on)
            assert timeout <= time.monotonic() - begun < timeout + 5
            with Session(on, on_pending="discard") as session:
                products(on)(name="bread")
                with raises(Unreachable, "All 3 connections"):
                    session.commit()
                assert 1 == len(session.pending)
        ping(on)


def test_nobody_waits_for_himself(real: Real) -> None:
    """A thread that holds all connections is told so at once, whatever it would wait: nobody else could help it."""
    with RedisDatabase.from_url(real.server.url, max_connections=1, timeout=None) as on:
        bread = products(on)(name="bread", stock=1)
        with Session(on, watch_reads=True) as session:
            bread.stock.get()
            with raises(Unreachable, "All 1 connections of the pool", "by this thread itself", "max_connections"):
                ping(on)
            session.rollback()
        assert "1" == bread.stock.get()


def test_who_holds_one_and_wants_another_does_not_wait_for_ever(real: Real) -> None:
    """Of sessions that watch, all with one connection, none can have a second: each is told what it holds."""
    with RedisDatabase.from_url(real.server.url, max_connections=2, timeout=0.3) as on:
        bread = products(on)(name="bread", stock=1)
        with held(on, 1), Session(on, watch_reads=True) as session:
            bread.stock.get()
            with raises(Unreachable, "All 2 connections", "1 of them by this thread", "within 0.3 s"):
                ping(on)
            # It watches still.
            bread.stock.incr()
            session.commit()
        assert "2" == bread.stock.get()


def test_the_last_connection_is_not_held_by_a_session(real: Real) -> None:
    """Of three, two sessions may hold one each; the third session is told so, and a short call has its turn."""
    with RedisDatabase.from_url(real.server.url, max_connections=3, timeout=0.2) as on:
        executor = on._executor
        with executor.pinned(), ThreadPoolExecutor(1) as other:
            theirs = executor.pinned()
            other.submit(theirs.__enter__).result(30)
            with raises(
                Unreachable,
                "All 2 connections of the pool",
                "that a session may hold",
                "1 of them by this thread",
                "within 0.2 s",
                "max_connections=...",
            ):
                executor.pinned().__enter__()
            ping(on)
            theirs.__exit__(None, None, None)
            with executor.pinned(), raises(Unreachable, "All 2 connections", "may hold", "by this thread itself"):
                executor.pinned().__enter__()
        with executor.pinned():
            ping(on)


@pytest.mark.usefixtures("_bounded")
def test_sessions_that_watch_do_not_wait_for_each_other(real: Real) -> None:
    """Each needs a second connection for a sorted query; if they held all, none would ever have it."""
    with RedisDatabase.from_url(real.server.url, max_connections=2, timeout=None) as on:
        product = products(on)
        product(name="bread", kind="food", hits=0)
        meet, done = threading.Barrier(2), threading.Semaphore(0)

        def count() -> None:
            with Session(on, watch_reads=True) as session:
                product("1").hits.get()
                # Both hold one here, where they may: then each would wait for the other's.
                with suppress(threading.BrokenBarrierError):
                    meet.wait(0.3)
                assert [("bread",)] == list(
                    product.collection(kind="food").sort("name", alpha=True).values_list("name")
                )
                session.rollback()
            done.release()

        signal.alarm(20)
        for _ in range(2):
            threading.Thread(target=count, daemon=True).start()
        for _ in range(2):
            done.acquire()


def test_what_could_not_be_had_takes_no_connection_away(real: Real, proxy: Proxy) -> None:
    """Attempts that fail, and connections that were lost, leave as many as there were."""
    with RedisDatabase.from_url(proxy.url, max_connections=1, timeout=0) as on:
        ping(on)
        for _ in range(3):
            proxy.down()
            with raises(Unreachable, "nothing was"):
                ping(on)
            with raises(Unreachable, "cannot be reached"):
                ping(on)
            proxy.up()
            ping(on)


def test_a_process_has_turns_of_its_own(real: Real) -> None:
    """After a fork the child's pool begins anew; what its parent holds is not held there."""
    with RedisDatabase.from_url(real.server.url, max_connections=1, timeout=0) as on:
        with Session(on, watch_reads=True):
            products(on).exists("1")
            pid = os.fork()
            if pid == 0:
                code = 1
                with suppress(BaseException):
                    ping(on)
                    code = 0
                os._exit(code)
            assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ping(on)


def test_the_time_to_wait_has_a_default() -> None:
    """As redis-py's BlockingConnectionPool has: 20 seconds, on the embedded server too."""
    with RedisDatabase() as on, RedisDatabase.embedded() as embedded:
        assert [(100, 20.0)] * 2 == [
            (each._executor.pool.turns.most, each._executor.pool.turns.patience) for each in (on, embedded)
        ]


def test_a_refused_log_in_is_rejected(real: Real) -> None:
    """The server was reached, and said no."""
    with RedisDatabase.from_url(real.server.url, password="wrong") as on, pytest.raises(Rejected) as caught:
        products(on)(name="bread")
    assert not isinstance(caught.value, Unreachable)
    assert "refused the log-in" in str(caught.value)


def test_a_connect_timeout_in_the_url_has_its_effect() -> None:
    """As it has as an argument; without one the library's own holds."""
    found = [
        database._executor.pool.connections.connection_kwargs["socket_connect_timeout"]
        for database in (
            RedisDatabase.from_url("redis://localhost/0?socket_connect_timeout=7"),
            RedisDatabase(socket_connect_timeout=6),
            RedisDatabase.from_url("redis://localhost/0"),
            RedisDatabase(),
        )
    ]
    assert [7, 6, 1, 1] == found


@pytest.mark.parametrize("user", [["-exec"], ["-multi"]])
def test_a_connection_that_was_left_inside_of_a_transaction_is_closed(real: Real, user: list[str]) -> None:
    """Where EXEC (or MULTI) is refused the next command does not go into an open transaction."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", *user)
    try:
        with RedisDatabase.from_url(real.server.url, username="limited", password="secret") as on:
            product = products(on)
            with pytest.raises(Rejected):
                product(name="bread")
            assert not product.exists("1")
            assert [] == list(product.collection())
            assert on._executor.tell(("SET", "plain", "x")) == b"OK"
            assert [b"x"] == on._executor.send((("GET", "plain"),))
    finally:
        admin.execute_command("ACL", "DELUSER", "limited")
