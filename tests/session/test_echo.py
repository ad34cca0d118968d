"""Echo: what is really sent is logged, in sessions and outside of them, with what became of it and how long it took."""

import logging
import re
from typing import Any

import pytest

from tests.models import products
from tests.tools.backends import Backend, Real
from tests.tools.meanwhile import meanwhile
from tests.tools.proxy import Proxy
from tests.tools.servers import free_port
from uowredis import (
    Conflict,
    PartiallyApplied,
    RedisDatabase,
    Rejected,
    Session,
    UniquenessError,
    Unreachable,
)

KEY = ":product:1:visits"


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="uowredis")
    return caplog


def told(log: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged since the last time, without the numbers of the durations; there is one at each end."""
    messages = list(log.messages)
    log.clear()
    assert messages == [] or re.search(r"\[\d+\.\d ms(: .*)?\]\Z", messages[-1], re.S)
    return [re.sub(r"\[\d+\.\d ms", "[ms", message) for message in messages]


def bread_on(database: RedisDatabase, log: pytest.LogCaptureFixture) -> Any:
    """Return a product that is stored, with an empty log."""
    bread = products(database)(name="bread", visits=5)
    log.clear()
    return bread


def test_a_session_that_is_applied(server: Backend, log: pytest.LogCaptureFixture) -> None:
    """Each read as it is sent, then the plan that was applied."""
    database = server.database(echo=True)
    bread = bread_on(database, log)
    with Session(database) as session:
        bread.visits.get()
        bread.visits.incr()
        assert [f"GET {KEY}  [ms]"] == told(log)
        session.commit()
        assert [f"{session.last_plan}\n[ms: applied]"] == told(log)
        session.watch("a key")
        assert ['WATCH "a key"', 'DUMP "a key"  [ms]'] == told(log)


def test_a_plan_that_is_refused_before_it_is_sent(server: Backend, log: pytest.LogCaptureFixture) -> None:
    """What was asked, and the refusal; nothing that looks as if it had been applied."""
    database = server.database(echo=True)
    bread = bread_on(database, log)
    with Session(database, on_pending="discard") as session:
        type(bread)(name="bread")
        with pytest.raises(UniquenessError) as refused:
            session.commit()
    asked = told(log)
    # On a real server it watches its token, too.
    assert any(line.startswith("WATCH :product:name:bread") for line in asked)
    assert "INCRBY :product:max_pk 1" in asked
    assert asked[-1].endswith(f"  [ms: refused, UniquenessError: {refused.value}]")
    assert [] == [line for line in asked if "plan:" in line or "applied" in line]
    with Session(database, on_pending="discard") as session:
        bread.visits.incr()
        shown = session.plan()
        bread.visits.incr()
        with pytest.raises(Conflict, match="not the plan that was shown"):
            session.commit(shown)
    assert "refused, Conflict: What would be sent" in told(log)[-1]


def test_a_plan_that_the_server_refuses(server: Backend, log: pytest.LogCaptureFixture) -> None:
    """The plan, and what the server said."""
    database = server.database(echo=True)
    bread = bread_on(database, log)
    with server.client() as client:
        client.set(":product:1:shelf", "no list")
    with Session(database) as session:
        bread.visits.incr()
        bread.shelf.rpush("x")
        with pytest.raises(PartiallyApplied) as caught:
            session.commit()
        assert [f"{caught.value.plan}\n[ms: PartiallyApplied: {caught.value}]"] == told(log)
        session.rollback()


def test_each_attempt(real: Real, proxy: Proxy, log: pytest.LogCaptureFixture) -> None:
    """A plan that others overtook, and the one that was applied then."""
    with RedisDatabase.from_url(proxy.url, echo=True) as database, real.client() as other:
        bread = bread_on(database, log)
        with Session(database) as session:
            bread.name.hset("rye bread")
            with meanwhile(proxy, "WATCH", lambda client: client.hset(":product:1:hash", "price", 1), other):
                session.commit()
        first, second = told(log)
        assert first.endswith("\n[ms: not applied, others changed what it stands on]")
        assert f"{session.last_plan}\n[ms: applied]" == second


def test_single_calls(server: Backend, log: pytest.LogCaptureFixture) -> None:
    """Outside of sessions: a read, a write that goes as it is, one with an index, a search, a creation."""
    database = server.database(echo=True)
    bread = bread_on(database, log)
    bread.visits.get()
    bread.visits.incr()
    assert [f"GET {KEY}  [ms]", f"INCRBY {KEY} 1  [ms]"] == told(log)
    bread.code.set("x")
    (plan,) = told(log)
    assert "effect: index Product.code, new" in plan
    assert plan.endswith("[ms: applied]")
    type(bread).exists(name="bread")
    assert ["SCARD :product:name:bread  [ms]"] == told(log)
    with pytest.raises(UniquenessError):
        type(bread)(name="bread")
    assert "refused, UniquenessError" in told(log)[-1]


def test_single_calls_that_fail(server: Backend, log: pytest.LogCaptureFixture) -> None:
    """With what the server said, or why it could not be reached."""
    database = server.database(echo=True)
    bread = bread_on(database, log)
    for act, call in ((bread.visits.incr, f"INCRBY {KEY} 1"), (bread.visits.get, f"GET {KEY}")):
        with server.client() as client:
            client.delete(KEY)
            client.rpush(KEY, "foreign")
        with pytest.raises(Rejected) as refused:
            act()
        assert [f"{call}  [ms: Rejected: {refused.value}]"] == told(log)
    with RedisDatabase(port=free_port(), echo=True) as nowhere:
        with pytest.raises(Unreachable) as lost:
            products(nowhere)._handle("1").visits.get()
        read = [f"GET {KEY}", f"HGETALL :product:__fingerprint__  [ms: Unreachable: {lost.value}]"]
        assert read == told(log)


def test_nothing_is_said_where_nobody_asked(server: Backend, log: pytest.LogCaptureFixture) -> None:
    """The default, and a session of its own mind."""
    for options, of_session in (({}, {}), ({"echo": True}, {"echo": False})):
        database = server.database(**options)
        bread = bread_on(database, log) if not options else products(database)._handle("1")
        with Session(database, **of_session) as session:
            bread.visits.get()
            bread.visits.incr()
            session.commit()
        if not options:
            bread.visits.incr()
        assert [] == told(log)
