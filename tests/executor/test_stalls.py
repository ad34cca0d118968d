"""Replies that do not come in time, commands that arrive late, a server that dies: nothing is applied twice."""

import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.executor.unit_of_work import Work, happened
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import OutcomeUnknown, RedisDatabase, Session, Unreachable

#: Long enough to connect on a busy machine, since the same time bounds that, too.
TIMEOUT = 1.0


@pytest.fixture
def hasty(proxy: Proxy, real: Real) -> Iterator[Work]:
    """Work that does not wait long for a reply."""
    with RedisDatabase.from_url(proxy.url, socket_timeout=TIMEOUT) as database:
        yield Work(database)


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_stalled_exec(hasty: Work, proxy: Proxy, real: Real, side: str) -> None:
    """Where the reply to EXEC is late it was applied; an EXEC that is late is forbidden, and sent again."""
    with Session(hasty.database) as session:
        hasty.say()
        proxy.stall(**{side: "EXEC"})
        session.commit()
        assert (1 if side == "after" else 2, "applied", 1) == (session._tried, session.outcome, happened(real))
        proxy.resume()
    assert 1 == happened(real)
    assert 2 == hasty.bread.visits.incr()


@pytest.mark.parametrize("late", ["MULTI", "SET", "EXEC"])
def test_a_late_exec_of_what_may_be_done_twice(hasty: Work, proxy: Proxy, real: Real, late: str) -> None:
    """A plan that leaves the same data when it is sent twice does not come late over what others wrote since.

    Nothing but its token is watched that they would have changed, and all from MULTI on arrives after it was claimed.
    """
    with Session(hasty.database) as session:
        hasty.bread.visits.set(1)
        proxy.stall(before=late)
        session.commit()
        assert session.last_plan.idempotent
        assert 2 == session._tried
    real.client().set(":product:1:visits", 7)
    proxy.resume()
    assert b"7" == real.client().get(":product:1:visits")


@pytest.mark.parametrize("scripted", [False, True], ids=["WATCH", "script"])
def test_what_comes_late_after_a_rollback(proxy: Proxy, real: Real, scripted: bool) -> None:
    """What was claimed never happens, whoever claims it: here what may be asked is asked with ``db.settle()``."""
    options: dict[str, Any] = {"socket_timeout": TIMEOUT, "settle_for": 0, "max_watched": 0 if scripted else 1_000}
    with RedisDatabase.from_url(proxy.url, **options) as database, RedisDatabase.from_url(real.server.url) as beside:
        work = Work(database)
        with Session(database) as session:
            work.say()
            proxy.stall(before="EVAL" if scripted else "EXEC")
            proxy.stall(before=lambda command: b"void" in command)
            with pytest.raises(OutcomeUnknown, match=r"db\.settle") as caught:
                session.commit()
            assert session.token == caught.value.token
            session.rollback()
        token = pickle.loads(pickle.dumps(caught.value)).token
        assert "not applied" == beside.settle(token) == beside.settle(token)
        proxy.resume()
        assert 0 == happened(real)


@pytest.mark.parametrize("command", ["WATCH", "GET", "INCRBY"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_stall_while_planning(hasty: Work, proxy: Proxy, real: Real, side: str, command: str) -> None:
    """Before EXEC is sent a time-out is Unreachable; what arrives late is a read or a gap in the primary keys."""
    with Session(hasty.database) as session:
        hasty.say()
        proxy.stall(**{side: command})
        with pytest.raises(Unreachable, match="nothing was applied"):
            session.commit()
        proxy.resume()
        assert 0 == happened(real)
        session.commit()
    assert 1 == happened(real)


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_stalled_single_command(hasty: Work, proxy: Proxy, real: Real, side: str) -> None:
    """A command sent as it is, whose reply is late, is OutcomeUnknown and arrives once."""
    hasty.bread.visits.set(0)
    proxy.stall(**{side: "INCRBY"})
    with pytest.raises(OutcomeUnknown, match="INCRBY :product:1:visits 1"):
        hasty.bread.visits.incr()
    proxy.resume()
    assert "1" == hasty.bread.visits.get()
    assert b"1" == real.client().get(":product:1:visits")


def test_a_late_reply_is_never_taken_for_another(hasty: Work, proxy: Proxy) -> None:
    """The connection on which a reply is outstanding is not used again."""
    proxy.stall(after="GET")
    with pytest.raises(Unreachable):
        hasty.bread.hits.get()
    proxy.resume()
    assert ("old", "5", 0) == (hasty.bread.name.hget(), hasty.bread.hits.get(), hasty.bread.shelf.llen())


@pytest.mark.parametrize(("command", "error"), [("EXEC", OutcomeUnknown), ("GET", Unreachable)])
def test_a_server_that_dies(command: str, error: type[Exception]) -> None:
    """A server killed under a commit: unknown around EXEC, else not applied; then it is not there."""
    with (
        RealServer.start() as server,
        Proxy(server) as proxy,
        RedisDatabase.from_url(proxy.url, settle_for=0.1) as database,
    ):
        work = Work(database)
        proxy.stall(before=command)

        def kill() -> None:
            proxy.wait_stalled()
            server.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        with Session(database) as session:
            work.say()
            with pytest.raises(error):
                session.commit()
            killer.join()
            session.rollback()
        with pytest.raises(Unreachable):
            work.bread.visits.get()
