"""A session that is none says so: it was left astray, or never entered, or what was to be run in it runs later."""

import asyncio
import contextlib
import contextvars
import functools
import gc
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.session.doors import Planned, Stock, data, stocked
from tests.tools.backends import Backend
from uowredis import ArgumentError, RedisDatabase, Session, SessionError

ASTRAY = "left in a context in which it was not open.* Way out: open and leave it in one context"


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


@contextlib.contextmanager
def dependency(on: RedisDatabase) -> Iterator[Session]:
    """A dependency that yields, as frameworks have them."""
    with on.begin() as s:
        yield s


def copied(call: Callable[..., Any], *args: Any) -> Any:
    """Return what *call* gives in a copy of this context, in this thread."""
    return contextvars.copy_context().run(call, *args)


def in_a_worker(call: Callable[..., Any], *args: Any) -> Any:
    """Return what *call* gives in a worker thread, as asyncio runs it."""

    async def run() -> Any:
        return await asyncio.to_thread(call, *args)

    return asyncio.run(run())


ELSEWHERE = pytest.mark.parametrize("elsewhere", [copied, in_a_worker], ids=["copied", "worker"])


@ELSEWHERE
def test_a_dependency_that_is_run_in_copied_contexts(
    server: Backend, stock: Stock, elsewhere: Callable[..., Any]
) -> None:
    """Each step has a copy of the context, so that the models in between found no session: leaving it raises."""
    manager = dependency(stock.database)
    session = elsewhere(manager.__enter__)
    assert 6 == stock.Product("1").stock.incr(), "sent at once"
    before = data(server)
    with pytest.raises(SessionError, match=ASTRAY):
        elsewhere(manager.__exit__, None, None, None)
    assert (before, False) == (data(server), session.is_open)


def test_what_was_said_in_it_is_forgotten(server: Backend, stock: Stock) -> None:
    """What the dependency itself said is not sent: the rest of its unit of work went another way."""

    def said() -> Iterator[None]:
        with stock.database.begin():
            stock.Product("1").stock.incr()
            yield

    before, generator = data(server), said()
    copied(next, generator)
    with pytest.raises(SessionError, match=ASTRAY):
        next(generator)
    assert before == data(server)
    with Session(stock.database) as s:
        assert () == s.pending


@ELSEWHERE
def test_an_exception_that_leaves_it_goes_on(stock: Stock, elsewhere: Callable[..., Any]) -> None:
    """It may be what the framework waits for; it has a note, and a warning tells of it."""
    manager, error = dependency(stock.database), Planned("no")
    elsewhere(manager.__enter__)
    with pytest.warns(RuntimeWarning, match=ASTRAY) as caught:
        assert not elsewhere(manager.__exit__, Planned, error, None)
    assert [__file__] == [warning.filename for warning in caught]
    (note,) = error.__notes__
    assert note == f"uowredis: {caught[0].message}"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_goes_on_with_a_note_alone(stock: Stock, kind: type[BaseException]) -> None:
    """No warning, which a filter may make an error of, comes in its place."""
    manager, error = dependency(stock.database), kind()
    copied(manager.__enter__)
    with pytest.raises(kind) as caught:
        raise_into(manager, error)
    assert caught.value is error
    assert "was not open" in error.__notes__[0]


def raise_into(manager: Any, error: BaseException) -> None:
    """Leave the block of *manager* by *error*."""
    if not manager.__exit__(type(error), error, None):
        raise error


def test_a_generator_that_is_closed_elsewhere_is_forgotten(server: Backend, stock: Stock) -> None:
    """Nobody finished it, and nobody waits for what it tells."""

    def rows() -> Iterator[int]:
        with Session(stock.database):
            stock.Product("1").stock.incr()
            yield 1

    def in_a_thread() -> None:
        generator = rows()
        next(generator)
        closer = threading.Thread(target=generator.close)
        closer.start()
        closer.join()

    before = data(server)
    copied(in_a_thread)
    assert before == data(server)


def test_one_that_is_left_in_a_copy_of_its_context_is_left(stock: Stock) -> None:
    """Where models found it, it commits: also in a copy of the context in which it was opened."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(stock.database.begin())
        stock.Product("1").stock.incr()
        copied(stack.close)
    assert "6" == stock.Product("1").stock.get()


def test_an_asynchronous_dependency_in_one_task_is_one_unit_of_work(server: Backend, stock: Stock) -> None:
    """The way out that the message names: opened and left in one task, the models in between take part."""

    @contextlib.asynccontextmanager
    async def unit_of_work() -> AsyncIterator[Session]:
        with stock.database.begin() as s:
            yield s

    async def request(error: Exception | None) -> None:
        async with unit_of_work():
            stock.Product("1").stock.incr()
            if error is not None:
                raise error

    before = data(server)
    with pytest.raises(Planned):
        asyncio.run(request(Planned()))
    assert before == data(server)
    asyncio.run(request(None))
    assert "6" == stock.Product("1").stock.get()


# Never entered.


@pytest.mark.parametrize(
    ("make", "way_out"),
    [
        (lambda on: Session(on), r"A Session was never entered.*Way out: with Session\(db\) as s:"),
        (lambda on: on.begin(), r"A CommittedSession was never entered.*Way out: with db.begin\(\) as s:"),
    ],
    ids=["Session", "begin"],
)
def test_one_that_was_never_entered_warns_when_it_is_collected(
    stock: Stock, make: Callable[[RedisDatabase], Session], way_out: str
) -> None:
    """``s = db.begin()`` without ``with`` opens nothing: what follows is sent at once."""
    with pytest.warns(ResourceWarning, match=way_out):
        make(stock.database)


def test_a_savepoint_that_was_never_entered_warns(stock: Stock) -> None:
    """``s.savepoint()`` without ``with`` keeps nothing apart."""
    with Session(stock.database) as s, pytest.warns(ResourceWarning, match="savepoint was never entered"):
        s.savepoint()


def test_whoever_knows_of_it_is_not_warned(stock: Stock) -> None:
    """One that was entered, in vain too, was none that somebody forgot; nor one that could not be made."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Session(stock.database):
            with pytest.raises(SessionError, match="open here already"), Session(stock.database):
                pass
            with pytest.raises(ArgumentError):
                Session(stock.database, attempts=0)
        gc.collect()


# Run later.


async def _coroutine(s: Session) -> None:
    raise AssertionError("never called")


async def _asynchronous_generator(s: Session) -> AsyncIterator[None]:
    yield


def _generator(s: Session) -> Iterator[None]:
    yield


class _Asynchronous:
    async def __call__(self, s: Session) -> None:
        raise AssertionError("never called")

    async def method(self, s: Session) -> None:
        raise AssertionError("never called")


LATER = {
    "a coroutine function": _coroutine,
    "an asynchronous generator": _asynchronous_generator,
    "a generator": _generator,
    "a partial of a generator": functools.partial(_generator),
    "a partial": functools.partial(functools.partial(_coroutine)),
    "an object": _Asynchronous(),
    "a partial of an object": functools.partial(_Asynchronous()),
    "a method": _Asynchronous().method,
    "what returns a coroutine": lambda s: _coroutine(s),
    "what returns an asynchronous generator": lambda s: _asynchronous_generator(s),
}


@pytest.mark.parametrize("function", LATER.values(), ids=LATER)
def test_run_refuses_what_is_run_later(server: Backend, stock: Stock, function: Callable[[Session], Any]) -> None:
    """Called, it has done nothing yet, and nothing of it would be committed."""
    before = data(server)
    with pytest.raises(TypeError, match=r"returns what is run later.*Way out: a plain function"):
        stock.database.run(function)
    assert before == data(server)


def test_what_was_said_before_an_awaitable_was_returned_is_forgotten(server: Backend, stock: Stock) -> None:
    """The half that ran is not committed without the other."""

    def half(s: Session) -> Any:
        stock.Product("1").stock.incr()
        return _coroutine(s)

    before = data(server)
    with pytest.raises(TypeError, match="run later"):
        stock.database.run(half)
    assert before == data(server)


def test_run_in_a_worker_thread_is_the_way_of_a_coroutine(stock: Stock) -> None:
    """The way out that the message names."""

    async def request() -> Any:
        return await asyncio.to_thread(stock.database.run, lambda s: stock.Product("1").stock.incr())

    assert 6 == asyncio.run(request()).result


def test_a_class_may_be_run(stock: Stock) -> None:
    """It is called here and now, whatever its instances are."""
    assert isinstance(stock.database.run(lambda s: _Asynchronous()), _Asynchronous)
    assert isinstance(stock.database.run(functools.partial(Given)), Given)
    assert isinstance(stock.database.run(Given), Given)


class Given:
    """Made of a session; its instances are called asynchronously."""

    def __init__(self, s: Session) -> None:
        self.session = s

    async def __call__(self) -> None:
        raise AssertionError("never called")
