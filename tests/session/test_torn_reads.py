"""An exception of the function of db.run() stands on what was read: on changed values it is called again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.session.doors import Planned, Stock, data, stocked
from tests.tools.backends import Backend, Real
from uowredis import Conflict, DoesNotExist, PendingWrites, Rejected, Session

STOCK, VISITS = ":product:1:stock", ":product:1:visits"


@pytest.fixture
def stock(server: Backend) -> Stock:
    stock = stocked(server)
    stock.Product("1").visits.set(5)
    return stock


class Torn:
    """Reads two values that are equal at any moment, and raises where they are not; another changes both in between.

    Args:
        server: where.
        stock: whose.
        error: what is raised.
        times: how many calls are overtaken.
    """

    def __init__(self, server: Backend, stock: Stock, error: Callable[[], BaseException], times: int = 1) -> None:
        self.bread = stock.Product("1")
        self.client = server.client()
        self.error, self.times, self.calls = error, times, 0

    def __call__(self, s: Session) -> str:
        """Read, say something, and look."""
        self.calls += 1
        first = self.bread.stock.get()
        self.bread.price.hset(self.calls)
        if self.calls <= self.times:
            with self.client.pipeline() as pipeline:
                pipeline.incr(STOCK).incr(VISITS).execute()
        if self.bread.visits.get() != first:
            raise self.error()
        return f"call {self.calls}"


ERRORS: dict[str, Callable[[], Exception]] = {
    "of the caller": Planned,
    "of Python": lambda: KeyError("x"),
    "DoesNotExist": lambda: DoesNotExist("x"),
    "Rejected": lambda: Rejected("x"),
    "PendingWrites": lambda: PendingWrites("x"),
    "a group": lambda: ExceptionGroup("x", [Planned()]),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_on_a_torn_reading_it_is_called_again(server: Backend, stock: Stock, error: Callable[[], Exception]) -> None:
    """A state that never was is no reason to give up; nothing of the call that raised is applied."""
    torn = Torn(server, stock, error, times=2)
    assert "call 3" == stock.database.run(torn)
    assert ("3", "7") == (stock.Product("1").price.hget(), stock.Product("1").stock.get())


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_on_a_consistent_reading_it_goes_on(server: Backend, stock: Stock, error: Callable[[], Exception]) -> None:
    """The very exception, after one call, whatever else has changed meanwhile."""
    client, raised, calls = server.client(), error(), []

    def function(s: Session) -> None:
        calls.append(stock.Product("1").stock.get())
        stock.Product("1").stock.incr()
        client.incr(VISITS)
        raise raised

    with pytest.raises(type(raised)) as caught:
        stock.database.run(function)
    assert caught.value is raised
    assert (["5"], None) == (calls, raised.__cause__)
    assert not hasattr(raised, "__notes__")
    assert b"5" == client.get(STOCK)


def test_errors_that_the_library_raises_on_changed_values(server: Backend, stock: Stock) -> None:
    """What was found, and is gone when it is used: the next call does not find it."""
    stock.Product(name="cake")
    calls = []

    def function(s: Session) -> str:
        found = list(stock.Product.collection(name="cake"))
        calls.append(found)
        if found == ["2"] and len(calls) == 1:
            Stock(server.database()).Product("2").delete()
        return str(stock.Product(found[0]).name.hget()) if found else "none"

    assert "none" == stock.database.run(function)
    assert [["2"], []] == calls


class Cancelled(BaseException):
    """As frameworks cancel tasks."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, Cancelled])
def test_what_ends_the_program_goes_on_at_once(server: Backend, stock: Stock, kind: type[BaseException]) -> None:
    """It is no answer to what was read."""
    torn = Torn(server, stock, kind)
    with pytest.raises(kind):
        stock.database.run(torn)
    assert 1 == torn.calls
    assert stock.Product("1").price.hget() is None
    assert stock.database.session is None


@pytest.mark.parametrize("attempts", [1, 3])
def test_after_the_last_attempt_it_is_a_conflict(server: Backend, stock: Stock, attempts: int) -> None:
    """It names what has changed, and comes from the last exception."""
    torn = Torn(server, stock, Planned, times=1_000)
    before = data(server)
    with pytest.raises(Conflict) as caught:
        stock.database.run(torn, attempts=attempts)
    assert attempts == torn.calls
    assert isinstance(caught.value.__cause__, Planned)
    assert [f"uowredis: db.run() tried {attempts} times"] == caught.value.__notes__
    assert "Product <1>.stock" in caught.value.fields
    changed = {key for key, value in data(server).items() if before[key] != value}
    assert {STOCK.encode(), VISITS.encode()} == changed


def test_a_function_that_read_nothing_is_called_once(server: Backend, stock: Stock) -> None:
    """And nothing is asked for its exception."""
    calls = []

    def function(s: Session) -> None:
        calls.append(server.client().incr(STOCK))
        raise Planned

    with pytest.raises(Planned):
        stock.database.run(function)
    assert [6] == calls


def test_unwatched_reads_are_not_compared(server: Backend, stock: Stock) -> None:
    """Whoever asks for no watch gets the exception."""
    torn = Torn(server, stock, Planned)
    with pytest.raises(Planned):
        stock.database.run(torn, watch_reads=False)
    assert 1 == torn.calls


def test_what_was_to_be_called_after_the_commit_is_not(server: Backend, stock: Stock) -> None:
    """Of the call that raised; that of the one which was committed is."""
    torn, called = Torn(server, stock, Planned), []

    def function(s: Session) -> None:
        at = torn.calls + 1
        s.on_commit(lambda: called.append(at))
        torn(s)

    stock.database.run(function)
    assert [2] == called


def test_an_error_of_a_callback_after_the_commit_is_not_of_the_function(server: Backend, stock: Stock) -> None:
    """The commit was applied; nothing is called again."""
    calls = []

    def late() -> None:
        server.client().incr(STOCK)
        raise Planned

    def function(s: Session) -> None:
        calls.append(stock.Product("1").stock.get())
        stock.Product("1").price.hset(1)
        s.on_commit(late)

    with pytest.raises(Planned):
        stock.database.run(function)
    assert ["5"] == calls


def test_joined_it_is_the_outer_one_that_looks(server: Backend, stock: Stock) -> None:
    """What a part raises may be caught; where it leaves the outer function that is called again."""
    torn, outer = Torn(server, stock, Planned), []

    def function(s: Session) -> Any:
        outer.append(1)
        return stock.database.run(torn, join=True)

    assert "call 2" == stock.database.run(function)
    assert 2 == len(outer)


def test_where_it_cannot_be_found_out_the_exception_goes_on(real: Real) -> None:
    """The connection that watched is lost: the exception has a note."""
    stock = stocked(real)
    calls = []

    def function(s: Session) -> None:
        calls.append(stock.Product("1").stock.get())
        real.client().client_kill_filter(_type="normal", skipme=True)
        raise Planned

    with pytest.raises(Planned) as caught:
        stock.database.run(function)
    assert 1 == len(calls)
    assert "uowredis: whether it stands on changed values could not be found out" in caught.value.__notes__[0]
