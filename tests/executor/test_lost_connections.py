"""A connection lost at any point of a commit: it is applied once, or it is known that it was not.

The commit of `Work.say` sends ``CALLS``; it is cut before and after each. What follows MULTI is one write with EXEC
(but on a connection's first transaction, and in plans of many chunks): lost there, the token is asked.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.executor.unit_of_work import STUBBORN, Work, happened
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from uowredis import CommitError, OutcomeUnknown, RedisDatabase, Rejected, ReplyLost, Session, Unreachable
from uowredis.executor import transaction

PLANNING = ["WATCH", "SCARD", "INCRBY", "GET", "GET", "SMEMBERS", "SISMEMBER"]
STEPS = ["MULTI", "HSET", "SET", "INCRBY", "INCRBY", "RPUSH", "SREM", "SADD", "SADD", "SADD"]
APPLYING = [*STEPS, "SET", "EXEC"]
#: Where a token is spent it is deleted on the way.
CALLS = [*PLANNING, "DEL", *APPLYING]
EXEC = len(CALLS) - 1
COLD = PLANNING + APPLYING
SIDES = ["before", "after"]


def lose(proxy: Proxy, side: str, position: int | str) -> None:
    proxy.reset()
    proxy.cut(**{side: position})


def check_not_applied(session: Session, real: Real, error: CommitError) -> None:
    """Nothing was applied, what was said is still there, and a second commit applies it once."""
    assert isinstance(error, Rejected)
    assert "nothing was applied" in str(error)
    assert ("not applied", 0) == (session.outcome, happened(real, length(session)))
    said = session.pending
    assert 4 <= len(said)
    replies = session.commit()
    assert len(said) == len(replies)
    assert ("applied", 1, ()) == (session.outcome, happened(real, len(said) - 3), session.pending)


def length(session: Session) -> int:
    return len(session.pending) - 3


def check_applied(session: Session, real: Real, replies: list[Any], *, lost: bool) -> None:
    """It was applied once; of replies that were lost those are told that follow from what was read under watch."""
    many = len(replies) - 3
    assert ("applied", 1, ()) == (session.outcome, happened(real, many), session.pending)
    assert session.token is None
    created, hits, visits, *lengths = replies
    assert ("2", 6, 1) == (created.pk.get(), hits, visits)
    for number, pending in enumerate(lengths, 1):
        if lost:
            with pytest.raises(ReplyLost, match=r"Product <1>\.shelf\.rpush was applied .* do not say it again"):
                pending.result
        else:
            assert number == pending
    assert [] == session.commit()
    assert 1 == happened(real, many)


def check_next_command(work: Work, real: Real) -> None:
    """The next commands work: no connection was put back half-read."""
    assert happened(real, work.bread.shelf.llen() or 1) == int(work.bread.visits.get() or 0)
    assert "old" == work.bread.name.hget()
    assert 0 < work.bread.shelf.rpush("next")


def test_no_point_is_left_out(work: Work, proxy: Proxy, real: Real) -> None:
    """The points at which connections are cut below are all commands of the commit; it makes no other."""
    with Session(work.database) as session:
        work.say()
        session.commit()
    assert CALLS == [command[0].decode() for command in proxy.seen]
    assert CALLS == [call[0] for call in session.last_plan.calls()]
    assert (1, 1) == (happened(real), proxy.connections)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("position", range(len(PLANNING)), ids=PLANNING)
def test_lost_while_planning(work: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """Before EXEC is sent the loss is Unreachable: nothing was applied, and the commit can be tried again."""
    with Session(work.database) as session:
        work.say()
        lose(proxy, side, position)
        with pytest.raises(Unreachable, match="EXEC was not sent") as caught:
            session.commit()
        assert position + (side == "after") == len(proxy.seen)
        check_not_applied(session, real, caught.value)
    check_next_command(work, real)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("position", range(len(PLANNING), len(CALLS)), ids=CALLS[len(PLANNING) :])
def test_lost_around_exec(work: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """Once EXEC was sent the token tells: applied where it arrived; else it is forbidden, and the commit sent again."""
    with Session(work.database) as session:
        work.say()
        lose(proxy, side, position)
        replies = session.commit()
        arrived = (side, position) == ("after", EXEC)
        assert (1 if arrived else 2, 2 if arrived else 3) == (session._tried, proxy.connections)
        check_applied(session, real, replies, lost=arrived)
    check_next_command(work, real)


@pytest.fixture(params=["default", "stubborn"])
def cold(request: pytest.FixtureRequest, proxy: Proxy, real: Real) -> Iterator[Work]:
    """Work whose next connection has made no transaction yet."""
    settings = STUBBORN if request.param == "stubborn" else {}
    with RedisDatabase.from_url(proxy.url, **settings) as database:
        work = Work(database)
        database.close()
        yield work


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("position", range(len(COLD)), ids=COLD)
def test_lost_on_the_first_transaction(cold: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """On a connection's first transaction MULTI goes alone: lost there, nothing was applied."""
    with Session(cold.database) as session:
        cold.say()
        lose(proxy, side, position)
        if position <= len(PLANNING):
            with pytest.raises(Unreachable) as caught:
                session.commit()
            check_not_applied(session, real, caught.value)
        else:
            replies = session.commit()
            check_applied(session, real, replies, lost=(side, position) == ("after", len(COLD) - 1))
    check_next_command(cold, real)


MANY = 2_100
LARGE = len(CALLS) + MANY - 1


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("position", [7, 8, 900, 1_500, LARGE - 2, LARGE - 1])
def test_lost_in_a_large_plan(work: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """Where EXEC goes alone at the end, only around it the token must tell."""
    with Session(work.database) as session:
        work.say(MANY)
        lose(proxy, side, position)
        if position < LARGE - 1:
            with pytest.raises(Unreachable) as caught:
                session.commit()
            check_not_applied(session, real, caught.value)
            assert b"EXEC" == proxy.seen[-1][0]
        else:
            check_applied(session, real, session.commit(), lost=side == "after")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("command", ["SMISMEMBER", "INCRBY", "EVAL"])
def test_lost_around_a_script(proxy: Proxy, real: Real, side: str, command: str) -> None:
    """Guards that go as a script: before it Unreachable, around it applied once."""
    with RedisDatabase.from_url(proxy.url, max_watched=1, **STUBBORN) as database:
        work = Work(database)
        with Session(database) as session:
            work.say()
            lose(proxy, side, command if command != "SMISMEMBER" else "SISMEMBER")
            if command == "EVAL":
                check_applied(session, real, session.commit(), lost=side == "after")
            else:
                with pytest.raises(Unreachable) as caught:
                    session.commit()
                check_not_applied(session, real, caught.value)
                assert b"EVAL" == proxy.seen[-1][0]
        check_next_command(work, real)


@pytest.mark.parametrize("side", SIDES)
def test_a_single_command(work: Work, proxy: Proxy, real: Real, side: str) -> None:
    """A command sent as it is, outside a session, is never sent again: INCR counts once, or not."""
    lose(proxy, side, "INCRBY")
    with pytest.raises(OutcomeUnknown, match="INCRBY :product:1:visits 1"):
        work.bread.visits.incr()
    assert int(side == "after") == int(real.client().get(":product:1:visits") or 0)
    assert 1 + int(side == "after") == work.bread.visits.incr()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("command", ["INCRBY", "EXEC"])
def test_a_single_indexed_command(work: Work, proxy: Proxy, real: Real, side: str, command: str) -> None:
    """An indexed command outside a session is a session of its own, with the same outcomes and replies."""
    lose(proxy, side, command)
    assert 6 == work.bread.hits.incr()
    client = real.client(decode_responses=True)
    assert ("6", [":product:hits:6"]) == (client.get(":product:1:hits"), client.keys(":product:hits:*"))
    assert 7 == work.bread.hits.incr()


@pytest.mark.parametrize("side", SIDES)
def test_a_single_indexed_command_that_is_not_sent(work: Work, proxy: Proxy, real: Real, side: str) -> None:
    """What was lost while it was planned is Unreachable."""
    lose(proxy, side, "GET")
    with pytest.raises(Unreachable, match="nothing was applied"):
        work.bread.hits.incr()
    assert b"5" == real.client().get(":product:1:hits")


@pytest.mark.parametrize("side", SIDES)
def test_a_read(work: Work, proxy: Proxy, side: str) -> None:
    """A lost read is Unreachable, also in a session, which can go on."""
    with Session(work.database) as session:
        work.bread.visits.incr()
        lose(proxy, side, "GET")
        with pytest.raises(Unreachable, match="nothing was written"):
            work.bread.hits.get()
        assert "5" == work.bread.hits.get()
        assert [1] == session.commit()


def test_no_health_check_on_the_way(work: Work, proxy: Proxy, real: Real) -> None:
    """Between the first WATCH and EXEC nothing is sent but the plan, whatever settings redis-py was given."""
    with Session(work.database) as session:
        work.say()
        session.commit()
    assert [] == [command for command in proxy.seen if command[0] == b"PING"]
    assert (len(CALLS), 1) == (len(proxy.seen), proxy.connections)
    assert 1 == happened(real)


@pytest.mark.parametrize("between", ["watches", "MULTI"])
def test_a_connection_never_gets_a_new_socket(work: Work, proxy: Proxy, real: Real, between: str) -> None:
    """Lost between WATCH and EXEC while no reply is awaited, the watches are gone: nothing is sent elsewhere."""
    with Session(work.database, on_pending="discard") as session:
        work.say()
        plan = session.plan()
        fetches = [round_.fetch for round_ in plan.rounds]
        with pytest.raises(CommitError), work.database._executor.pinned() as link:
            for fetch in fetches:
                link.fetch(fetch, fetch.calls)
            if between == "MULTI":
                link.send([("MULTI",)])
                link.replies(1)
            proxy.down()
            proxy.up()
            link.run(transaction.apply(link, plan))
        assert (0, 1) == (happened(real), proxy.connections)
        assert 4 == len(session.commit())
    assert (1, 2) == (happened(real), proxy.connections)


def test_a_connection_closed_while_idle_is_opened_again(work: Work, proxy: Proxy, real: Real) -> None:
    """What was closed before the first WATCH costs nothing but a new connection."""
    proxy.down()
    proxy.up()
    with Session(work.database) as session:
        work.say()
        session.commit()
    assert (1, 2) == (happened(real), proxy.connections)


def test_a_server_that_is_not_there(work: Work, proxy: Proxy, real: Real) -> None:
    """No connection at all is Unreachable, a ConnectionError; the session goes on when the server is back."""
    with Session(work.database) as session:
        work.say()
        proxy.down()
        with pytest.raises(ConnectionError, match="nothing was sent"):
            session.commit()
        with pytest.raises(Unreachable):
            work.bread.visits.get()
        with pytest.raises(Unreachable):
            session.plan()
        proxy.up()
        assert 4 == len(session.commit())
    assert 1 == happened(real)
