"""A connection lost at any point of a commit: what is known of the outcome is raised, nothing is sent again.

The commit of `Work.say` sends ``CALLS``; it is cut before and after each. What follows MULTI is one write with EXEC
(but on a connection's first transaction, and in plans of many chunks): lost there, nobody knows.
"""

from collections.abc import Iterator

import pytest

from tests.executor.unit_of_work import STUBBORN, Work, happened
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from uowredis import CommitError, OutcomeUnknown, RedisDatabase, Rejected, Session, SessionError, Unreachable
from uowredis.executor import transaction

PLANNING = ["WATCH", "SCARD", "INCRBY", "GET", "GET", "SMEMBERS", "SISMEMBER"]
APPLYING = ["MULTI", "HSET", "SET", "INCRBY", "INCRBY", "RPUSH", "SREM", "SADD", "SADD", "SADD", "EXEC"]
CALLS = PLANNING + APPLYING
EXEC = len(CALLS) - 1
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


def check_unknown(session: Session, real: Real, times: int) -> None:
    """It was applied so many times; the session accepts no second commit until it is rolled back."""
    many = length(session)
    assert ("unknown", times) == (session.outcome, happened(real, many))
    said = session.pending
    with pytest.raises(SessionError, match="rollback"):
        session.commit()
    assert (said, times) == (session.pending, happened(real, many))
    session.rollback()
    assert [] == session.commit()
    assert times == happened(real, many)


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
@pytest.mark.parametrize("position", range(len(PLANNING), len(CALLS)), ids=APPLYING)
def test_lost_around_exec(work: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """Once EXEC was sent the loss is OutcomeUnknown: applied once where EXEC arrived, else not at all."""
    with Session(work.database) as session:
        work.say()
        lose(proxy, side, position)
        with pytest.raises(OutcomeUnknown, match="around EXEC") as caught:
            session.commit()
        assert session.last_plan == caught.value.plan
        assert position + (side == "after") == len(proxy.seen)
        check_unknown(session, real, int((side, position) == ("after", EXEC)))
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
@pytest.mark.parametrize("position", range(len(CALLS)), ids=CALLS)
def test_lost_on_the_first_transaction(cold: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """On a connection's first transaction MULTI goes alone: lost there, nothing was applied."""
    with Session(cold.database) as session:
        cold.say()
        lose(proxy, side, position)
        with pytest.raises(CommitError) as caught:
            session.commit()
        if position <= len(PLANNING):
            assert Unreachable is type(caught.value)
            check_not_applied(session, real, caught.value)
        else:
            assert OutcomeUnknown is type(caught.value)
            check_unknown(session, real, int((side, position) == ("after", EXEC)))
    check_next_command(cold, real)


MANY = 2_100
LARGE = len(PLANNING) + MANY + len(APPLYING) - 1


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("position", [7, 8, 900, 1_500, LARGE - 2, LARGE - 1])
def test_lost_in_a_large_plan(work: Work, proxy: Proxy, real: Real, side: str, position: int) -> None:
    """Where EXEC goes alone at the end, only a loss around it is unknown."""
    with Session(work.database) as session:
        work.say(MANY)
        lose(proxy, side, position)
        with pytest.raises(CommitError) as caught:
            session.commit()
        if position < LARGE - 1:
            assert Unreachable is type(caught.value)
            check_not_applied(session, real, caught.value)
            assert b"EXEC" == proxy.seen[-1][0]
        else:
            assert OutcomeUnknown is type(caught.value)
            check_unknown(session, real, int(side == "after"))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("command", ["SMISMEMBER", "INCRBY", "EVAL"])
def test_lost_around_a_script(proxy: Proxy, real: Real, side: str, command: str) -> None:
    """Guards that go as a script: before it Unreachable, around it unknown and applied at most once."""
    with RedisDatabase.from_url(proxy.url, max_watched=1, **STUBBORN) as database:
        work = Work(database)
        with Session(database) as session:
            work.say()
            lose(proxy, side, command if command != "SMISMEMBER" else "SISMEMBER")
            with pytest.raises(CommitError) as caught:
                session.commit()
            if command == "EVAL":
                assert OutcomeUnknown is type(caught.value)
                check_unknown(session, real, int(side == "after"))
            else:
                assert Unreachable is type(caught.value)
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
@pytest.mark.parametrize("command", ["GET", "INCRBY", "EXEC"])
def test_a_single_indexed_command(work: Work, proxy: Proxy, real: Real, side: str, command: str) -> None:
    """An indexed command outside a session is a session of its own, with the same outcomes."""
    lose(proxy, side, command)
    with pytest.raises(CommitError) as caught:
        work.bread.hits.incr()
    assert (Unreachable if command == "GET" else OutcomeUnknown) is type(caught.value)
    client = real.client(decode_responses=True)
    hits = "6" if (command, side) == ("EXEC", "after") else "5"
    assert (hits, [f":product:hits:{hits}"]) == (client.get(":product:1:hits"), client.keys(":product:hits:*"))
    assert int(hits) + 1 == work.bread.hits.incr()


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
        with pytest.raises(CommitError), work.database.executor.pinned() as link:
            for fetch in fetches:
                link.fetch(fetch)
            if between == "MULTI":
                link.send([("MULTI",)])
                link.replies(1)
            proxy.down()
            proxy.up()
            transaction.apply(link, plan)
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
