"""Ctrl-C under way: it goes on as itself; around EXEC the next commit asks, before it nothing happened."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.executor.unit_of_work import Work, happened
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from uowredis import RedisModel, Session, SessionError, StringField, Write
from uowredis.commands.changes import Computed
from uowredis.fields import BoundString, writes


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts() -> Iterator[None]:
    """A shell starts its background jobs with SIGINT ignored; here it interrupts."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@contextmanager
def interrupted_at(proxy: Proxy, **point: str) -> Iterator[None]:
    """Interrupt this thread, as Ctrl-C does, when its connection hangs at *point*; then let the connection go on."""
    target = threading.get_ident()
    proxy.stall(**point)

    def interrupt() -> None:
        proxy.wait_stalled()
        signal.pthread_kill(target, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            yield
    finally:
        interrupter.join()
    notes = " ".join(getattr(caught.value, "__notes__", []))
    assert ("EXEC" in point.values() or "EVAL" in point.values()) == ("applied, or nothing" in notes)


@pytest.mark.parametrize("side", ["before", "after"])
def test_around_exec(work: Work, proxy: Proxy, real: Real, side: str) -> None:
    """The interrupt goes on with a note; nothing more is said before the next commit has asked what became of it."""
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, **{side: "EXEC"}):
            session.commit()
        assert "unknown" == session.outcome
        assert int(side == "after") == happened(real)
        with pytest.raises(SessionError, match=r"not known yet .* commit\(\) asks the server first"):
            work.bread.visits.incr()
        called: list[int] = []
        session.on_commit(lambda: called.append(happened(real)))
        replies = session.commit()
        proxy.resume()
        assert ([6, 1], [1], "applied") == (replies[1:3], called, session.outcome)
        work.bread.name.hset("later")
        session.commit()
        work.bread.name.hset("old")
        session.commit()
    assert (1, "old") == (happened(real), work.bread.name.hget())


def test_forgotten_after_an_interrupt(work: Work, proxy: Proxy, real: Real) -> None:
    """A rollback forgets it here and asks nothing; who has kept the token can ask later."""
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, before="EXEC"):
            session.commit()
        token = session.token
        session.rollback()
        assert ("unknown", token) == (session.outcome, session.token)
        assert token is not None
        assert "not applied" == work.database.settle(token)
        proxy.resume()
    assert 0 == happened(real)


def test_leaving_after_an_interrupt(work: Work, proxy: Proxy, real: Real) -> None:
    """An interrupt that leaves the session leaves it as itself, and takes what was said with it."""
    with interrupted_at(proxy, after="EXEC"), Session(work.database) as session:
        work.say()
        session.commit()
    assert ("unknown", ()) == (session.outcome, session.pending)
    proxy.resume()
    assert 1 == happened(real)


@pytest.mark.parametrize("command", ["WATCH", "GET", "SISMEMBER"])
def test_while_planning(work: Work, proxy: Proxy, real: Real, command: str) -> None:
    """Before EXEC is sent nothing is applied; what was said is still there and can be committed."""
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, before=command):
            session.commit()
        proxy.resume()
        assert (4, 0) == (len(session.pending), happened(real))
        assert "unknown" != session.outcome
        assert 4 == len(session.commit())
    assert 1 == happened(real)


def test_a_single_command(work: Work, proxy: Proxy, real: Real) -> None:
    """The interrupt goes on as itself; the reply that comes late is nobody's."""
    with interrupted_at(proxy, after="INCRBY"):
        work.bread.visits.incr()
    proxy.resume()
    assert ("1", "old", 0) == (work.bread.visits.get(), work.bread.name.hget(), work.bread.shelf.llen())


class Interrupting(StringField):
    """A field whose command is interrupted when its reply is read."""

    class bound(BoundString):  # noqa: N801  # the name that a field looks for
        @writes
        def count(self) -> Write[int]:
            return self._write(Computed(fallible=True), "INCRBY", "1", decode=interrupting)


def interrupting(reply: int) -> int:
    signal.raise_signal(signal.SIGINT)
    return reply


def test_while_replies_are_settled(real: Real) -> None:
    """Once EXEC has answered it is applied, whatever interrupts the rest: a second commit sends nothing."""
    on = real.database()

    class Counter(RedisModel):
        database = on
        visits = StringField()
        hits = Interrupting()

    counter = Counter(visits=0)
    with Session(on) as session:
        first = counter.visits.incr()
        counter.hits.count()
        counter.visits.incr()
        with pytest.raises(KeyboardInterrupt):
            session.commit()
        assert ("applied", ()) == (session.outcome, session.pending)
        assert [] == session.commit()
    assert (b"2", b"1") == tuple(real.client().mget(":counter:1:visits", ":counter:1:hits"))
    assert 1 == first.result


def test_the_outcome_of_one_commit_does_not_cling_to_the_next(work: Work, proxy: Proxy) -> None:
    """After one commit was interrupted around EXEC, one that is interrupted before it sent nothing, and can go on."""
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, after="EXEC"):
            session.commit()
        assert "unknown" == session.outcome
        proxy.resume()
        session.rollback()
        work.bread.name.hset("later")
        with interrupted_at(proxy, before="WATCH"):
            session.commit()
        assert session.outcome is None
        proxy.resume()
        assert [0] == session.commit()
        assert "applied" == session.outcome
