"""Replies that do not come in time, commands that arrive late, a server that dies: nothing is applied twice."""

import threading
from collections.abc import Iterator

import pytest

from tests.executor.shop import Shop, happened
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import OutcomeUnknown, RedisDatabase, Session, SessionError, Unreachable

#: Long enough to connect on a busy machine, since the same time bounds that, too.
TIMEOUT = 1.0


@pytest.fixture
def hasty(proxy: Proxy, real: Real) -> Iterator[Shop]:
    """A shop that does not wait long for a reply."""
    with RedisDatabase.from_url(proxy.url, socket_timeout=TIMEOUT) as database:
        yield Shop(database)


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_stalled_exec(hasty: Shop, proxy: Proxy, real: Real, side: str) -> None:
    """A reply to EXEC that is late is OutcomeUnknown; an EXEC that is late applies, once."""
    with Session(hasty.database) as session:
        hasty.say()
        proxy.stall(**{side: "EXEC"})
        with pytest.raises(OutcomeUnknown, match="around EXEC"):
            session.commit()
        assert int(side == "after") == happened(real)
        proxy.resume()
        assert ("unknown", 1) == (session.outcome, happened(real))
        with pytest.raises(SessionError, match="rollback"):
            session.commit()
        session.rollback()
    assert 1 == happened(real)
    assert 2 == hasty.bike.visits.incr()


def test_a_late_exec_does_not_overtake_a_commit_made_anew(hasty: Shop, proxy: Proxy, real: Real) -> None:
    """Who rolled back and said it again is not counted twice: what was committed meanwhile aborts the late EXEC."""
    with Session(hasty.database) as session:
        hasty.say()
        proxy.stall(before="EXEC")
        with pytest.raises(OutcomeUnknown):
            session.commit()
        session.rollback()
        hasty.say()
        session.commit()
    proxy.resume()
    assert 1 == happened(real)


@pytest.mark.parametrize("command", ["WATCH", "GET", "INCRBY"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_stall_while_planning(hasty: Shop, proxy: Proxy, real: Real, side: str, command: str) -> None:
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
def test_a_stalled_single_command(hasty: Shop, proxy: Proxy, real: Real, side: str) -> None:
    """A command sent as it is, whose reply is late, is OutcomeUnknown and arrives once."""
    hasty.bike.visits.set(0)
    proxy.stall(**{side: "INCRBY"})
    with pytest.raises(OutcomeUnknown, match="INCRBY :bike:1:visits 1"):
        hasty.bike.visits.incr()
    proxy.resume()
    assert "1" == hasty.bike.visits.get()
    assert b"1" == real.client().get(":bike:1:visits")


def test_a_late_reply_is_never_taken_for_another(hasty: Shop, proxy: Proxy) -> None:
    """The connection on which a reply is outstanding is not used again."""
    proxy.stall(after="GET")
    with pytest.raises(Unreachable):
        hasty.bike.hits.get()
    proxy.resume()
    assert ("old", "5", 0) == (hasty.bike.name.hget(), hasty.bike.hits.get(), hasty.bike.log.llen())


@pytest.mark.parametrize(("command", "error"), [("EXEC", OutcomeUnknown), ("GET", Unreachable)])
def test_a_server_that_dies(command: str, error: type[Exception]) -> None:
    """A server killed under a commit: unknown around EXEC, else not applied; then it is not there."""
    with RealServer.start() as server, Proxy(server) as proxy, RedisDatabase.from_url(proxy.url) as database:
        shop = Shop(database)
        proxy.stall(before=command)

        def kill() -> None:
            proxy.wait_stalled()
            server.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        with Session(database) as session:
            shop.say()
            with pytest.raises(error):
                session.commit()
            killer.join()
            session.rollback()
        with pytest.raises(Unreachable):
            shop.bike.visits.get()
