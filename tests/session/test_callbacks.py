"""What s.on_commit() was given is called after the commit: once, and only when it was applied."""

import asyncio
import functools
from typing import Any

import pytest

from tests.session.doors import BEGIN, DOORS, RUN, SESSION, Door, Planned, Stock, stocked
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import (
    ArgumentTypeError,
    Conflict,
    OutcomeUnknown,
    PartiallyApplied,
    Rejected,
    Session,
    SessionError,
    UniquenessError,
)
from uowredis.contrib.database import PipelineDatabase
from uowredis.session.run import RunSession

NOTE = "uowredis: the commit was applied; something called after it raised this"


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


@pytest.fixture
def called() -> list[Any]:
    """What the callbacks have seen."""
    return []


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_called_when_the_replies_are_in(server: Backend, stock: Stock, called: list[Any], door: Door) -> None:
    """In the order said, without arguments; then all is stored, replies are there, and nothing is pending."""
    client = server.client()

    def inside(s: Session) -> None:
        pending = stock.Product("1").stock.incr()
        s.on_commit(lambda: called.append((client.get(":product:1:stock"), pending.result, s.outcome, s.pending)))
        s.on_commit(lambda: called.append("second"))
        assert [] == called
        if door is SESSION:
            s.commit()

    door.through(stock.database, inside)
    assert [(b"6", 6, "applied", ()), "second"] == called


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_called_with_nothing_pending(stock: Stock, called: list[Any], door: Door) -> None:
    """A commit of nothing is a commit: what waited for it is called."""

    def inside(s: Session) -> None:
        s.on_commit(lambda: called.append(1))
        if door is SESSION:
            s.commit()

    door.through(stock.database, inside)
    assert [1] == called


def test_called_once(stock: Stock, called: list[Any]) -> None:
    """The next commit calls only what was said for it; what was said twice is called twice."""
    with Session(stock.database) as s:

        def note() -> None:
            called.append(len(called))

        s.on_commit(note)
        s.on_commit(note)
        stock.Product("1").stock.incr()
        s.commit()
        assert [0, 1] == called
        stock.Product("1").stock.incr()
        s.commit()
        s.on_commit(note)
        s.commit()
    assert [0, 1, 2] == called


def test_not_called_without_a_commit(stock: Stock, called: list[Any]) -> None:
    """Neither by plan(), nor by leaving the session in whatever way, nor after rollback()."""

    def say(s: Session) -> None:
        s.on_commit(lambda: called.append(1))
        stock.Product("1").stock.incr()

    with Session(stock.database, on_pending="discard") as s:
        say(s)
        s.plan()
    with Session(stock.database) as s:
        say(s)
        s.rollback()
        s.commit()
    for door in DOORS:
        with pytest.raises(Planned):
            door.through(stock.database, lambda s: (say(s), raising(Planned())))
    for door in DOORS:
        door.through(stock.database, lambda s: (say(s), s.rollback()))
    assert [] == called


def raising(error: BaseException) -> None:
    """Raise *error*."""
    raise error


@pytest.mark.parametrize("door", [SESSION, BEGIN], ids=str)
def test_not_called_by_a_dry_run(
    stock: Stock, called: list[Any], door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    """However often it is committed."""

    def inside(s: Session) -> None:
        s.on_commit(lambda: called.append(1))
        stock.Product("1").stock.incr()
        s.commit()
        s.commit()

    door.through(stock.database, inside, dry_run=True)
    assert [] == called
    assert capsys.readouterr().out


def test_not_called_after_a_refusal(stock: Stock, called: list[Any]) -> None:
    """It waits on, as the commands do: the next commit that is applied calls it, rollback() forgets it."""
    with Session(stock.database) as s:
        s.on_commit(lambda: called.append("first"))
        stock.Product(name="bread")
        for _ in range(2):
            with pytest.raises(UniquenessError):
                s.commit()
        assert [] == called
        stock.Product("1").name.hset("rye")
        s.commit()
        assert ["first"] == called
        s.on_commit(lambda: called.append("second"))
        stock.Product(name="bread")
        with pytest.raises(UniquenessError):
            s.commit()
        s.rollback()
        s.commit()
    assert ["first"] == called


def test_not_called_after_a_conflict(server: Backend, stock: Stock, called: list[Any]) -> None:
    """Nor by begin(), nor by run's calls that were in conflict."""
    client = server.client()

    def inside(s: Session) -> None:
        stock.Product("1").stock.get()
        client.incr(":product:1:stock")
        s.on_commit(lambda: called.append(1))
        stock.Product("1").price.hset(1)

    with pytest.raises(Conflict):
        BEGIN.through(stock.database, inside, watch_reads=True)
    with pytest.raises(Conflict):
        RUN.through(stock.database, inside, attempts=3)
    assert [] == called


def test_not_called_after_a_partial_commit(server: Backend, stock: Stock, called: list[Any]) -> None:
    """A command that fails inside EXEC leaves the others applied: that is not what was waited for."""
    client = server.client()
    client.set(":product:1:shelf", "text")
    with Session(stock.database) as s:
        s.on_commit(lambda: called.append(1))
        stock.Product("1").price.hset(1)
        stock.Product("1").shelf.rpush("a")
        with pytest.raises((PartiallyApplied, Rejected)):
            s.commit()
        s.rollback()
        s.commit()
    assert [] == called


def test_not_called_after_an_unknown_outcome(real: Real, real_server: RealServer, called: list[Any]) -> None:
    """Nobody knows whether it was applied: it is not called, also where it was, until a later commit has asked."""
    stocked(real)
    with Proxy(real_server) as proxy, real.database().__class__.from_url(proxy.url, settle_for=0) as database:
        bread = Stock(database).Product("1")

        def inside(s: Session) -> None:
            s.on_commit(lambda: called.append(1))
            bread.stock.incr()
            if isinstance(s, RunSession):
                return
            with pytest.raises(OutcomeUnknown):
                s.commit()
            assert [] == called
            proxy.up()
            assert [6 + len(done)] == s.commit()
            assert [1] == called
            called.clear()
            done.append(s)

        done: list[Session] = []
        for door in (SESSION, BEGIN):
            proxy.cut(after="EXEC", down=True)
            door.through(database, inside)
        proxy.cut(after="EXEC", down=True)
        with pytest.raises(OutcomeUnknown):
            RUN.through(database, inside)
    assert ([], 2) == (called, len(done))
    assert b"8" == real.client().get(":product:1:stock")


def test_called_where_the_reply_was_lost(real: Real, real_server: RealServer, called: list[Any]) -> None:
    """A commit that was applied, or sent again, calls once, as any other."""
    stocked(real)
    with Proxy(real_server) as proxy, real.database().__class__.from_url(proxy.url) as database:
        bread = Stock(database).Product("1")
        for point in ({"after": "EXEC"}, {"before": "EXEC"}):
            for door in (BEGIN, RUN):
                proxy.cut(**point)
                door.through(database, lambda s: (s.on_commit(lambda: called.append(s)), bread.stock.incr()))
    assert 4 == len(set(map(id, called))) == len(called)
    assert {"applied"} == {s.outcome for s in called}
    assert b"9" == real.client().get(":product:1:stock")


@pytest.mark.parametrize("error", [Planned, Conflict, Rejected])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_one_raises(stock: Stock, called: list[Any], door: Door, error: type[Exception]) -> None:
    """The others are called all the same; the first error is raised then, with a note; what was applied stays."""
    first, second = error("first"), Planned("second")
    sessions: list[Session] = []

    def inside(s: Session) -> None:
        sessions.append(s)
        stock.Product("1").stock.incr()
        s.on_commit(lambda: called.append(1))
        s.on_commit(lambda: raising(first))
        s.on_commit(lambda: called.append(2))
        s.on_commit(lambda: raising(second))
        s.on_commit(lambda: called.append(3))
        if door is SESSION:
            s.commit()

    with pytest.raises(error) as caught:
        door.through(stock.database, inside)
    assert caught.value is first
    assert [NOTE] == first.__notes__
    assert [1, 2, 3] == called
    assert (1, "applied", ()) == (len(sessions), sessions[0].outcome, sessions[0].pending)
    assert "6" == stock.Product("1").stock.get()


def test_an_interrupt_is_not_held_back(stock: Stock, called: list[Any]) -> None:
    """It goes on at once, whatever still waits to be called; what was applied stays, and is not sent again."""
    with Session(stock.database) as s:
        stock.Product("1").stock.incr()
        s.on_commit(lambda: called.append(1))
        s.on_commit(lambda: raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            s.commit()
        assert ("applied", ()) == (s.outcome, s.pending)
        assert [] == s.commit()
    assert [1] == called
    assert "6" == stock.Product("1").stock.get()


def test_after_one_raised_the_session_goes_on(stock: Stock, called: list[Any]) -> None:
    """Nothing of that commit is pending, its replies are there, and the next commit calls nothing of it again."""
    with Session(stock.database) as s:
        pending = stock.Product("1").stock.incr()
        s.on_commit(lambda: called.append(1))
        s.on_commit(lambda: raising(Planned()))
        with pytest.raises(Planned):
            s.commit()
        assert 6 == pending.result
        stock.Product("1").stock.incr()
        assert [7] == s.commit()
    assert [1] == called


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_the_session_takes_no_part_in_a_callback(server: Backend, stock: Stock, called: list[Any], door: Door) -> None:
    """What is said in one is sent at once, or in a session of its own; nothing of it is pending afterwards."""
    client = server.client()

    def follow() -> None:
        called.append(stock.Product("1").shelf.rpush("at once"))
        called.append(client.lrange(":product:1:shelf", 0, -1))
        with Session(stock.database) as own:
            stock.Product("1").price.hset(2)
            own.commit()
        stock.database.run(lambda own: stock.Product("1").tags.sadd("a"))

    def inside(s: Session) -> None:
        stock.Product("1").stock.incr()
        s.on_commit(follow)
        s.on_commit(lambda: called.append(s.pending))
        if door is SESSION:
            s.commit()
            with pytest.raises(SessionError), Session(stock.database):
                pass

    door.through(stock.database, inside)
    assert [1, [b"at once"], ()] == called
    assert ("6", "2", {"a"}) == (
        stock.Product("1").stock.get(),
        stock.Product("1").price.hget(),
        stock.Product("1").tags.smembers(),
    )


@pytest.mark.parametrize("what", [None, 1, "print", []])
def test_only_what_can_be_called(stock: Stock, what: Any) -> None:
    """Anything else is refused when it is said."""
    with Session(stock.database) as s:
        with pytest.raises(ArgumentTypeError, match="on_commit"):
            s.on_commit(what)
        stock.Product("1").stock.incr()
        assert [6] == s.commit()


async def later() -> None:
    """Do nothing when called."""


def test_what_would_only_be_run_later_is_refused(server: Backend) -> None:
    """By name where that can be told, else when it was called: the commit was applied."""
    Product = stocked(server).Product  # noqa: N806
    with Session(Product.database) as session:
        for call in (later, functools.partial(later)):
            with pytest.raises(ArgumentTypeError, match=r"on_commit\(\) takes a function that .* Way out: a plain"):
                session.on_commit(call)
        Product(name="cake")
        session.on_commit(lambda: later())
        with pytest.raises(ArgumentTypeError, match="returns what is run later") as caught:
            session.commit()
    assert "the commit was applied" in " ".join(caught.value.__notes__)
    assert Product.exists(name="cake")


def test_a_task_is_run_by_itself(server: Backend) -> None:
    """What a callback starts goes on."""
    Product = stocked(server).Product  # noqa: N806
    done: list[str] = []

    async def tell() -> None:
        done.append("told")

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []
        with Session(Product.database) as session:
            Product(name="cake")
            session.on_commit(lambda: tasks.append(asyncio.create_task(tell())))
            session.commit()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert ["told"] == done


@pytest.mark.parametrize("how", ["run", "transaction"])
def test_a_conflict_of_a_callback_is_not_the_commit_s(how: str) -> None:
    """Also where there was nothing to commit: the function is not called again for it."""
    database = PipelineDatabase.embedded()
    called: list[str] = []

    def function(unit: Any) -> None:
        called.append(how)
        unit.on_commit(conflict)

    def conflict() -> None:
        raise Conflict("of something else")

    with pytest.raises(Conflict, match="of something else"):
        getattr(database, how)(function)
    assert [how] == called


def test_a_transaction_refuses_what_is_run_later() -> None:
    """As run() does."""
    database = PipelineDatabase.embedded()

    async def function(pipeline: Any) -> None:
        pass

    for each in (function, lambda pipeline: function(pipeline)):
        with pytest.raises(ArgumentTypeError, match=r"db.transaction\(\) takes a function that has done its work"):
            database.transaction(each)
