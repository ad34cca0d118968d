"""What is refused of commits and replies names a way out, and each is taken here as it is named."""

from typing import Any

import pytest

from tests.executor.test_interrupts import interrupted_at
from tests.executor.unit_of_work import Work, happened
from tests.session.doors import Stock
from tests.session.test_interrupted import Late
from tests.tools.backends import Backend, Real
from tests.tools.interruptions import interrupted
from tests.tools.meanwhile import meanwhile
from tests.tools.proxy import Proxy
from tests.tools.ways_out import Told, tries
from uowredis import (
    Conflict,
    NotCommitted,
    NotReplicated,
    OutcomeUnknown,
    PartiallyApplied,
    Plan,
    RedisDatabase,
    ReplyLost,
    Session,
    SessionError,
    Unreachable,
)


@tries("{} waits for the commit")
def test_a_reply_to_be(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        pending = stock.Product("1").stock.incr()
        with told(NotCommitted):
            pending.result
        session.commit()
    assert 6 == pending.result


@tries("{} is not the reply itself")
def test_a_reply_to_be_as_a_value(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with Session(stock.database) as session:
        before = int(bread.stock.get())
        pending = bread.stock.incr()
        with told(NotCommitted):
            pending + 1
        session.commit()
    assert 7 == pending.result + 1 == before + 2


@tries("Nothing was sent by this session yet")
def test_last_plan(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        stock.Product("1").stock.incr()
        with told(SessionError):
            session.last_plan
        shown = session.plan()
        session.commit()
        assert shown == session.last_plan


@tries("The session was interrupted while something was said")
def test_interrupted(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    for at in range(1, 200):
        with Session(stock.database) as session:
            try:
                with interrupted(Late(), at):
                    bread.stock.incr()
            except Late as late:
                late.__traceback__ = None
            if session._record.journal.whole:
                session.rollback()
                continue
            with told(SessionError):
                session.commit()
            session.rollback()
            pending = bread.stock.incr()
            session.commit()
            assert 5 + told.times == pending.result


@tries("What was read in the session has changed")
def test_what_was_read(told: Told, server: Backend, stock: Stock) -> None:
    bread = stock.Product("1")
    with server.client() as other:

        def decide(others: int) -> None:
            found = int(bread.visits.get() or 0)
            if others:
                other.set(":product:1:visits", others)
            bread.stock.set(found)

        with Session(stock.database, watch_reads=True) as session:
            decide(3)
            with told(Conflict):
                session.commit()
            session.rollback()
            decide(0)
            session.commit()
            assert "3" == bread.stock.get()
        calls: list[int] = []

        def function(_: Session) -> None:
            calls.append(1)
            decide(4 if len(calls) == 1 else 0)

        stock.database.run(function)
        assert (2, "4") == (len(calls), bread.stock.get())


@tries("Others changed what the commit stands on")
def test_others_change_it(told: Told, proxy: Proxy, real: Real) -> None:
    with RedisDatabase.from_url(proxy.url) as db, real.client() as other:
        work = Work(db)
        with Session(db, attempts=1) as session:
            work.bread.hits.incr()
            with meanwhile(proxy, "EXEC", lambda _: other.incr(":product:1:hits"), None), told(Conflict):
                session.commit()
            session.commit()
        with Session(db, attempts=2) as session:
            work.bread.hits.incr()
            with meanwhile(proxy, "EXEC", lambda _: other.incr(":product:1:hits"), None):
                session.commit()
        assert "9" == work.bread.hits.get()


# A connection is lost.


@pytest.fixture
def work(proxy: Proxy) -> Any:
    """Work by way of the proxy."""
    with RedisDatabase.from_url(proxy.url) as database:
        yield Work(database)


@pytest.fixture
def hasty(proxy: Proxy) -> Any:
    """The same; the server is asked for a moment only what became of a commit."""
    with RedisDatabase.from_url(proxy.url, settle_for=0.3) as database:
        yield Work(database)


@tries("The connection was lost around EXEC, {} times in a row")
def test_lost_again_and_again(told: Told, proxy: Proxy, real: Real, work: Work) -> None:
    with Session(work.database) as session:
        work.say()
        for _ in range(3):
            proxy.cut(before="EXEC")
        with told(Unreachable):
            session.commit()
        session.commit()
    assert 1 == happened(real)


@tries("{} was applied with its commit, but its reply was lost")
def test_a_lost_reply(told: Told, proxy: Proxy, work: Work) -> None:
    with Session(work.database) as session:
        pending = work.bread.shelf.rpush("x")
        proxy.cut(after="EXEC")
        session.commit()
        with told(ReplyLost):
            pending.result
    assert ["x"] == work.bread.shelf.lrange(0, -1)


@tries("A command failed inside the script, the others before it were applied; their replies were lost. Way")
def test_a_script_that_failed(told: Told, proxy: Proxy, real: Real) -> None:
    with RedisDatabase.from_url(proxy.url, max_watched=0, settle_for=0.3) as db:
        work = Work(db)
        client = real.client()
        client.delete(":product:1:stock")
        client.lpush(":product:1:stock", "no string")
        with Session(db) as session:
            work.bread.hits.incr()
            work.bread.stock.append("x")
            proxy.cut(after="EVAL", down=True)
            with pytest.raises(OutcomeUnknown):
                session.commit()
            proxy.up()
            with told(PartiallyApplied) as caught:
                session.commit()
            session.rollback()
        assert ("APPEND", ":product:1:stock", "x") in [step.call for step in caught.value.plan]
        assert "6" == work.bread.hits.get()
        client.delete(":product:1:stock")
        with Session(db) as session:
            work.bread.stock.append("x")
            session.commit()
        assert "x" == work.bread.stock.get()


@tries("What became of the last commit is not known yet ({})")
def test_in_doubt(told: Told, proxy: Proxy, real: Real, hasty: Work) -> None:
    for way in ("commit", "rollback"):
        with Session(hasty.database) as session:
            hasty.bread.visits.incr()
            proxy.cut(after="EXEC", down=True)
            with pytest.raises(OutcomeUnknown):
                session.commit()
            with told(SessionError):
                hasty.bread.visits.incr()
            proxy.up()
            getattr(session, way)()
            hasty.bread.price.hset(way)
            session.commit()
        assert way == hasty.bread.price.hget()
    assert b"2" == real.client().get(":product:1:visits")


@tries("What became of the last commit is not known yet, and this is not its plan")
def test_another_plan(told: Told, proxy: Proxy, real: Real, work: Work) -> None:
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, before="EXEC"):
            session.commit()
        proxy.resume()
        with told(SessionError):
            session.commit(Plan("nothing changes"))
        session.commit()
    assert 1 == happened(real)


@tries("The last commit did not end clean ({})")
def test_applied_in_part(told: Told, server: Backend, stock: Stock) -> None:
    bread = stock.Product("1")
    with server.client() as client, Session(stock.database) as session:
        client.set(":product:1:shelf", "no list")
        bread.stock.incr()
        bread.shelf.rpush("x")
        with pytest.raises(PartiallyApplied):
            session.commit()
        with told(SessionError):
            session.commit()
        session.rollback()
        bread.stock.incr()
        assert [7] == session.commit()


@tries("The commit was applied, but {} of {} replicas")
def test_no_replica_has_it(told: Told, real: Real) -> None:
    with real.database(replicas_for=0.01) as db:
        work = Work(db)
        with Session(db, replicas=1) as session:
            work.bread.visits.incr()
            with told(NotReplicated):
                session.commit()
            # It is not committed again; and somebody has seen to the replicas.
            session.rollback()
        assert "1" == work.bread.visits.get()
