"""What connections and servers refuse, or lose, names a way out, and each is taken here as it is named."""

import time
from collections.abc import Iterator

import pytest

from tests.executor.test_pool import held, ping
from tests.executor.unit_of_work import Work, happened
from tests.session.test_watching_connections import kill_all
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.tools.relay import Relay
from tests.tools.servers import RealServer
from tests.tools.ways_out import Told, tries
from uowredis import (
    OutcomeUnknown,
    PartiallyApplied,
    RedisDatabase,
    Rejected,
    Session,
    Token,
    Unreachable,
    UowError,
)


@pytest.fixture
def work(proxy: Proxy) -> Iterator[Work]:
    """Work by way of the proxy."""
    with RedisDatabase.from_url(proxy.url) as database:
        yield Work(database)


@pytest.fixture
def hasty(proxy: Proxy) -> Iterator[Work]:
    """The same; the server is asked for a moment only what became of a commit."""
    with RedisDatabase.from_url(proxy.url, settle_for=0.3) as database:
        yield Work(database)


# The pool.


@tries("by this {} itself, which would wait for ever")
def test_a_pool_of_one(told: Told, real: Real) -> None:
    with real.database(max_connections=1, timeout=None) as on:
        bread = Work(on).bread
        with Session(on, watch_reads=True):
            bread.hits.get()
            with told(Unreachable):
                ping(on)
        ping(on)


@tries("{}, and none came back within {} s")
def test_a_pool_that_is_exhausted(told: Told, real: Real) -> None:
    with RedisDatabase.from_url(real.server.url, max_connections=1, timeout=0) as on, held(on, 1), told(Unreachable):
        ping(on)
    with RedisDatabase.from_url(real.server.url, max_connections=1, timeout=30) as on:
        with held(on, 1):
            pass  # it comes back
        ping(on)


@tries("Redis at {} takes arguments of {} bytes")
def test_a_value_that_is_too_large(told: Told, real: Real) -> None:
    client = real.client()
    usual = client.config_get("proto-max-bulk-len")["proto-max-bulk-len"]
    client.config_set("proto-max-bulk-len", 1 << 20)
    try:
        bread = Work(real.database()).bread
        value = "x" * ((1 << 20) + 1)
        with told(Rejected):
            bread.shelf.rpush(value)
        assert 2 == bread.shelf.rpush(value[: 1 << 19], value[1 << 19 :])
        assert value == "".join(bread.shelf.lrange(0, -1))
    finally:
        client.config_set("proto-max-bulk-len", usual)


# A connection is lost.


@tries("Redis keeps what {} says for {} s")
def test_a_token_that_is_over(told: Told, proxy: Proxy, real: Real) -> None:
    with told(OutcomeUnknown):
        real.database().settle(Token(":product:__commit__:a", time.time() - 60, 60))
    with RedisDatabase.from_url(proxy.url, settle_for=0.3, token_lifetime=7_200) as on:
        work = Work(on)
        with Session(on) as session:
            work.say()
            proxy.cut(after="EXEC", down=True)
            with pytest.raises(OutcomeUnknown) as caught:
                session.commit()
            session.rollback()
            proxy.up()
            # It is read what matters: all of it is there, and not committed anew.
            assert "1" == work.bread.visits.get()
            assert "applied" == on.settle(caught.value.token)
        assert 7_000 < real.client().ttl(caught.value.token.key) <= 7_200


@tries("The connection to {} was lost ({}) around {}: it was applied, or not")
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_single_command(told: Told, proxy: Proxy, work: Work, side: str) -> None:
    work.bread.visits.set(1)
    before = int(work.bread.visits.get())
    proxy.cut(**{side: "INCRBY"})
    with told(OutcomeUnknown):
        work.bread.visits.incr()
    if int(work.bread.visits.get()) == before:
        work.bread.visits.incr()
    assert "2" == work.bread.visits.get()


@tries("The connection to {} was lost around EXEC, and the server cannot be asked since")
@pytest.mark.parametrize("way", ["settle", "commit"])
def test_a_commit(told: Told, proxy: Proxy, real: Real, hasty: Work, way: str) -> None:
    with Session(hasty.database) as session:
        hasty.say()
        proxy.cut(before="EXEC", down=True)
        with told(OutcomeUnknown) as caught:
            session.commit()
        proxy.up()
        if way == "settle":
            assert "not applied" == hasty.database.settle(caught.value.token)
        session.commit()
    assert 1 == happened(real)


@tries("A command failed inside the script, the others before it were applied; their replies were lost ({})")
def test_a_script_that_failed(told: Told, proxy: Proxy, real: Real) -> None:
    with RedisDatabase.from_url(proxy.url, max_watched=0) as on:
        work, client = Work(on), real.client()
        client.set(":product:1:shelf", "no list")
        with Session(on) as session:
            work.bread.hits.incr()
            work.bread.shelf.rpush("x")
            proxy.cut(after="EVAL")
            with told(PartiallyApplied) as caught:
                session.commit()
            session.rollback()
        assert ("RPUSH", ":product:1:shelf", "x") in [step.call for step in caught.value.plan]
        assert "6" == work.bread.hits.get()
        client.delete(":product:1:shelf")
        assert 1 == work.bread.shelf.rpush("x")


@tries("The connection that watched what you read was lost")
def test_a_watch_that_is_lost(told: Told, real: Real) -> None:
    work = Work(real.database())
    with Session(work.database, watch_reads=True) as session:
        found = int(work.bread.hits.get())
        kill_all(real.client())
        work.bread.visits.set(found)
        with pytest.raises(Rejected, match="EXEC was not sent"):
            session.commit()
        with told(Rejected):
            session.commit()
        session.rollback()
        work.bread.visits.set(int(work.bread.hits.get()))
        session.commit()
    assert "5" == work.bread.visits.get()


# What the server answers.


@tries("Redis refused MULTI ({}), which it took before")
def test_multi_is_refused(told: Told, real_server: RealServer, real: Real) -> None:
    with Relay(real_server) as relay, RedisDatabase.from_url(relay.url) as on:
        work = Work(on)
        with Session(on) as session:
            work.bread.visits.incr()
            work.bread.hits.incr()
            relay.refuse("MULTI", "NOPERM", keeps=True)
            with told(PartiallyApplied) as caught:
                session.commit()
            relay.stop()
            session.rollback()
        error = caught.value
        assert len(error.plan.steps) == len(error.results)
        for step, result in zip(error.plan.steps, error.results, strict=True):
            if isinstance(result, Exception):
                real.client().execute_command(*step.call)
        assert ("1", "6", ["1"]) == (
            work.bread.visits.get(),
            work.bread.hits.get(),
            list(work.Product.collection(hits=6)),
        )


@tries("{} failed inside EXEC: {}; the other commands")
def test_a_command_that_failed(told: Told, real: Real) -> None:
    work, client = Work(real.database()), real.client()
    client.set(":product:1:shelf", "no list")
    with Session(work.database) as session:
        work.say()
        with told(PartiallyApplied) as caught:
            session.commit()
        session.rollback()
    client.delete(":product:1:shelf")
    for step, result in zip(caught.value.plan.steps, caught.value.results, strict=True):
        if isinstance(result, Exception):
            client.execute_command(*step.call)
    assert 1 == happened(real)


@tries("Redis refused the script: {}")
def test_the_script_is_refused(told: Told, real: Real) -> None:
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "app", "reset", "on", ">secret", "~*", "&*", "+@all", "-eval")
    try:
        url = real.server.url.replace("redis://", "redis://app:secret@")
        with RedisDatabase.from_url(url, max_watched=4) as on:
            work = Work(on)
            products = [work.Product(name=name) for name in "abc"]
            with Session(on) as session:
                for product in products:
                    product.color.hset("red")
                with told(UowError):
                    session.commit()
                session.rollback()
                for product in products:
                    product.color.hset("red")
                    session.commit()
            assert 3 == len(work.Product.collection(color="red"))
    finally:
        admin.execute_command("ACL", "DELUSER", "app")
