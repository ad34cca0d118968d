"""Units of work compose: db.session, and what joins the session that is open, or opens one of its own."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from tests.session.doors import Planned, Stock, data, stocked
from tests.tools.backends import Backend
from uowredis import ArgumentError, ArgumentTypeError, Conflict, RedisDatabase, Session, SessionError

KEY = ":product:1:stock"


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


@attrs.frozen
class Way:
    """A way to join: lets a function say what it says inside."""

    name: str
    through: Callable[..., Any]

    def __str__(self) -> str:
        return self.name


def _block(on: RedisDatabase, inside: Callable[[], Any], **options: Any) -> Any:
    with on.begin(join=True, **options):
        return inside()


def _decorator(on: RedisDatabase, inside: Callable[[], Any], **options: Any) -> Any:
    @on.begin(join=True, **options)
    def decorated() -> Any:
        return inside()

    return decorated()


def _run(on: RedisDatabase, inside: Callable[[], Any], **options: Any) -> Any:
    return on.run(lambda s: inside(), join=True, **{"watch_reads": False} | options)


WAYS = [Way("begin", _block), Way("decorator", _decorator), Way("run", _run)]
EACH_WAY = pytest.mark.parametrize("way", WAYS, ids=str)


# db.session


def test_the_open_session_of_this_context(stock: Stock) -> None:
    """It is the one that models find: of this database, in this context; None outside, and in a thread."""
    on = stock.database
    assert on.session is None
    with RedisDatabase.embedded() as other, Session(on) as s, other.begin() as second:
        assert (s, second) == (on.session, other.session)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: on.session).result() is None
        with s.savepoint():
            assert s is on.session
    assert on.session is None
    seen: list[Any] = []
    on.run(lambda s: s.on_commit(lambda: seen.append(on.session)))
    assert [None] == seen


# Joining.


@EACH_WAY
def test_alone_it_is_a_session_of_its_own(server: Backend, stock: Stock, way: Way) -> None:
    """It is committed when it is left, and forgotten where an exception leaves it."""
    way.through(stock.database, lambda: stock.Product("1").stock.incr())
    assert b"6" == server.client().get(KEY)
    before = data(server)

    def wrong() -> None:
        stock.Product("1").stock.incr()
        raise Planned

    with pytest.raises(Planned):
        way.through(stock.database, wrong)
    assert (before, None) == (data(server), stock.database.session)


@EACH_WAY
def test_inside_it_takes_part_in_the_open_one(server: Backend, stock: Stock, way: Way) -> None:
    """What is said in it waits for the commit of who opened the session, and sees what was said before."""
    on, before = stock.database, data(server)
    with on.begin() as s:
        stock.Product("1").stock.set(10)

        def inside() -> str:
            assert s is on.session
            stock.Product("1").stock.incr()
            return str(stock.Product("1").stock.get())

        assert "11" == way.through(on, inside)
        assert (before, 2) == (data(server), len(s.pending))
    assert b"11" == server.client().get(KEY)


@EACH_WAY
def test_an_exception_forgets_the_part_alone(server: Backend, stock: Stock, way: Way) -> None:
    """Whoever catches it goes on with the rest."""
    on = stock.database

    def wrong() -> None:
        stock.Product("1").stock.incr()
        stock.Product(name="pie")
        raise Planned

    with on.begin() as s:
        stock.Product("1").stock.set(10)
        with pytest.raises(Planned):
            way.through(on, wrong)
        assert 1 == len(s.pending)
    assert b"10" == server.client().get(KEY)
    assert not stock.Product.exists(name="pie")


@EACH_WAY
def test_they_nest(server: Backend, stock: Stock, way: Way) -> None:
    """One in one in one: a part of a part."""
    on = stock.database

    def innermost() -> None:
        stock.Product("1").stock.incr()
        raise Planned

    def middle() -> None:
        stock.Product("1").stock.incr()
        with pytest.raises(Planned):
            way.through(on, innermost)

    way.through(on, lambda: way.through(on, middle))
    assert b"6" == server.client().get(KEY)


@EACH_WAY
def test_the_session_of_another_thread_or_database_is_not_joined(server: Backend, stock: Stock, way: Way) -> None:
    """Each is of its own there; where the context was copied into another thread it is refused."""
    on = stock.database
    with RedisDatabase.embedded() as other, other.begin() as s:
        way.through(on, lambda: stock.Product("1").stock.incr())
        assert () == s.pending
    assert b"6" == server.client().get(KEY)

    async def handed() -> None:
        with on.begin(), pytest.raises(SessionError, match="another process, thread, task or greenlet"):
            await asyncio.to_thread(way.through, on, lambda: None)

    asyncio.run(handed())


@EACH_WAY
def test_a_commit_inside_is_refused(stock: Stock, way: Way) -> None:
    """It is of who opened the session; the message's way out, to leave the block first, is open."""
    on = stock.database
    with Session(on) as s:
        stock.Product("1").stock.incr()
        with pytest.raises(SessionError, match="Way out: leave its block first"):
            way.through(on, s.commit)
        assert [6] == s.commit()


@EACH_WAY
def test_options_are_checked_there_too(stock: Stock, way: Way) -> None:
    """What could not open a session is refused inside one, and outside."""
    for block in (stock.database.begin(), stock.database.begin(join=True)):
        with block, pytest.raises(ArgumentError):
            way.through(stock.database, lambda: None, attempts=0)
    with pytest.raises(ArgumentError):
        way.through(stock.database, lambda: None, attempts=0)


@EACH_WAY
def test_what_bounds_the_commit_is_of_who_opened_it(stock: Stock, way: Way) -> None:
    """Other attempts inside have nothing to bound."""
    with stock.database.begin(attempts=3) as s:
        way.through(stock.database, lambda: None, attempts=5, on_pending="discard", echo=True)
        assert (3, "raise", False) == (s._options.attempts, s._options.on_pending, s._options.echo)


@EACH_WAY
def test_reads_that_are_to_be_watched_are_not_joined_unwatched(server: Backend, stock: Stock, way: Way) -> None:
    """A promise is not broken silently; each way out of the message is open."""
    on, client = stock.database, server.client()

    def read() -> None:
        stock.Product("1").stock.get()

    with on.begin():
        with pytest.raises(SessionError, match=r"Way out: open that one with watch_reads=True, or by db.run"):
            way.through(on, read, watch_reads=True)
        way.through(on, read, watch_reads=False)
    with pytest.raises(Conflict), on.begin(watch_reads=True):
        way.through(on, read, watch_reads=True)
        client.incr(KEY)
        stock.Product("1").price.hset(1)
    calls: list[int] = []

    def function(s: Session) -> None:
        way.through(on, read, watch_reads=True)
        calls.append(client.incr(KEY) if not calls else 0)
        stock.Product("1").price.hset(1)

    on.run(function)
    assert 2 == len(calls), "the outer one called all of it again"


def test_run_watches_unless_it_is_told_not_to(stock: Stock) -> None:
    """So it joins no session that does not."""
    with stock.database.begin(), pytest.raises(SessionError, match="is to be watched"):
        stock.database.run(lambda s: None, join=True)
    stock.database.run(lambda s: stock.database.run(lambda inner: None, join=True))


def test_a_dry_run_does_not_join_what_is_sent(
    server: Backend, stock: Stock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its block alone would be sent with the rest; the way out of the message, after its block, is open."""
    before = data(server)
    with stock.database.begin(), pytest.raises(SessionError, match="Way out: leave its block first"):
        _block(stock.database, lambda: None, dry_run=True)
    _block(stock.database, lambda: stock.Product("1").stock.incr(), dry_run=True)
    assert before == data(server)
    assert "INCR" in capsys.readouterr().out


def test_a_session_inside_a_session_names_ways_that_are_open(stock: Stock) -> None:
    """Each of them: db.session, joining by a block or by run(), and leaving it first."""
    on = stock.database
    with pytest.raises(SessionError) as caught, on.begin(), on.begin():
        pass
    assert (
        "Way out: use it, it is db.session; take part in it, db.begin(join=True), or db.run(function, join=True) where "
        "it watches what is read; or leave its block first"
    ) in str(caught.value)
    with on.begin(watch_reads=True) as s:
        assert s is on.session
        with on.begin(join=True) as joined:
            assert s is joined
        assert s is on.run(lambda s: s, join=True)
    with on.begin() as second:
        assert second is not s


def test_a_block_is_entered_once(stock: Stock) -> None:
    """Another one is taken, as the message says."""
    on = stock.database
    for outer in (on.begin(), on.begin(join=True)):
        block = on.begin(join=True)
        with outer:
            with block:
                pass
            with pytest.raises(SessionError, match=r"Way out: take another, db.begin\(join=True\)"):
                block.__enter__()
            with on.begin(join=True):
                pass


def test_join_is_true_or_false(stock: Stock) -> None:
    """Anything else is refused."""
    wrong: Any = "yes"
    with pytest.raises(ArgumentTypeError):
        stock.database.begin(join=wrong)
    with pytest.raises(ArgumentTypeError):
        stock.database.run(lambda s: None, join=wrong)


# As decorators.


@pytest.mark.parametrize("join", [False, True])
def test_a_decorated_function_is_one_unit_of_work_each_time(server: Backend, stock: Stock, join: bool) -> None:
    """Arguments and what it returns go through; so do its name and its document."""

    @stock.database.begin(join=join)
    def sell(count: int, *, wrong: bool = False) -> int:
        """Sell."""
        stock.Product("1").stock.decr()
        stock.Product("1").sold.zincrby(count, "ann")
        if wrong:
            raise Planned
        return count

    assert [1, 2] == [sell(1), sell(2)]
    with pytest.raises(Planned):
        sell(1, wrong=True)
    assert b"3" == server.client().get(KEY)
    assert ("sell", "Sell.") == (sell.__name__, sell.__doc__)


def test_a_function_that_is_decorated_with_a_session_of_its_own_joins_none(stock: Stock) -> None:
    """Without join it is as the block is."""
    decorated = stock.database.begin()(lambda: None)
    with stock.database.begin(), pytest.raises(SessionError, match="open here already"):
        decorated()


async def _coroutine() -> None:
    pass


async def _asynchronous_generator() -> AsyncIterator[None]:
    yield


def _generator() -> Iterator[None]:
    yield


@pytest.mark.parametrize("join", [False, True])
def test_what_is_run_later_is_not_decorated(stock: Stock, join: bool) -> None:
    """The block would be left before it begins; a block inside the function, as the message says, is not."""
    for later in (_coroutine, _asynchronous_generator, _generator):
        with pytest.raises(ArgumentTypeError, match=r"Way out: with db.begin\(\): inside the function"):
            stock.database.begin(join=join)(later)
    with pytest.raises(ArgumentTypeError, match="run later"):
        stock.database.begin(join=join)(lambda: _coroutine())()

    async def inside() -> None:
        with stock.database.begin(join=join):
            stock.Product("1").stock.incr()

    asyncio.run(inside())
    assert "6" == stock.Product("1").stock.get()


def test_what_was_used_is_not_told_of(stock: Stock) -> None:
    """A decorator, and a block that joined, were what they were made for; one that was never entered was not."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stock.database.begin()(lambda: None)()
        _decorator(stock.database, lambda: None)
        with stock.database.begin():
            _block(stock.database, lambda: None)
            _run(stock.database, lambda: None)
        gc.collect()
    with pytest.warns(ResourceWarning, match="never entered"):
        stock.database.begin(join=True)
