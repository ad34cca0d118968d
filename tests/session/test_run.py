"""db.run(function): called, committed, and called again after a conflict of what the function read."""

import inspect
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.session.stock import Planned, Stock, data, stocked
from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    Conflict,
    DoesNotExist,
    NotCommitted,
    Rejected,
    Session,
    SessionError,
    UniquenessError,
)

KEY = ":product:1:stock"


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


class Buying:
    """Takes one from the stock; *meanwhile* happens between the read and the commit, the first *times* calls."""

    def __init__(self, stock: Stock, meanwhile: Callable[[], object], times: int = 1) -> None:
        self.bread = stock.Product("1")
        self.meanwhile, self.times = meanwhile, times
        self.seen: list[str] = []
        self.sessions: list[Session] = []

    def __call__(self, s: Session) -> str:
        """Buy."""
        found = self.bread.stock.get()
        self.seen.append(found)
        self.sessions.append(s)
        if len(self.seen) <= self.times:
            self.meanwhile()
        self.bread.stock.set(int(found) - 1)
        return f"call {len(self.seen)}"


def test_the_value_is_returned_after_the_commit(server: Backend, stock: Stock) -> None:
    """Whatever the function returns comes back, None too, and a Pending with its result."""
    bread = stock.Product("1")
    pending = stock.database.run(lambda s: bread.stock.incr())
    assert 6 == pending.result
    cake = stock.database.run(lambda s: stock.Product(name="cake"))
    assert ("2", "cake") == (cake.pk.get(), cake.name.hget())
    assert None is stock.database.run(lambda s: None)
    marker = object()
    assert marker is stock.database.run(lambda s: marker)


def test_the_session_is_the_open_one(stock: Stock) -> None:
    """The function is given the session in which its models take part; afterwards none is open."""
    sessions = []

    def function(s: Session) -> None:
        sessions.append(s)
        stock.Product("1").stock.incr()
        assert ["Product <1>.stock.incr"] == [str(command) for command in s.pending]

    stock.database.run(function)
    assert isinstance(sessions[0], Session)
    assert 7 == stock.Product("1").stock.incr()


def test_it_is_called_again_with_fresh_reads(server: Backend, stock: Stock) -> None:
    """What has changed since it was read is read anew, in a new session; nothing of the first call is applied."""
    client = server.client()
    buying = Buying(stock, lambda: client.incrby(KEY, 100), times=2)
    assert "call 3" == stock.database.run(buying)
    assert ["5", "105", "205"] == buying.seen
    assert 3 == len(set(map(id, buying.sessions)))
    assert b"204" == client.get(KEY)


def test_what_the_first_call_made_does_not_exist(server: Backend, stock: Stock) -> None:
    """Objects and replies of a call that was in conflict are gone, those of the last are there."""
    client = server.client()
    made: list[Any] = []

    def function(s: Session) -> None:
        stock.Product("1").stock.get()
        made.append((stock.Product(name="cake"), stock.Product("1").shelf.rpush("a")))
        if len(made) == 1:
            client.incr(KEY)

    stock.database.run(function)
    (lost, dropped), (cake, pending) = made
    with pytest.raises(DoesNotExist):
        lost.name.hget()
    with pytest.raises(NotCommitted):
        dropped.result
    assert ("cake", 1) == (cake.name.hget(), pending.result)
    assert [cake.pk.get()] == list(stock.Product.collection(name="cake"))


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_attempts_bound_the_calls(server: Backend, stock: Stock, attempts: int) -> None:
    """After so many attempts the Conflict goes on, and says how often it was tried; nothing is applied."""
    client = server.client()
    buying = Buying(stock, lambda: client.incr(KEY), times=1_000)
    with pytest.raises(Conflict) as caught:
        stock.database.run(buying, attempts=attempts)
    assert attempts == len(buying.seen)
    assert [f"uowredis: db.run() tried {attempts} times"] == caught.value.__notes__
    assert str(5 + attempts).encode() == client.get(KEY)


def test_ten_attempts_or_those_of_the_database(server: Backend, stock: Stock) -> None:
    """Where none are said there are 10, or as many as the database says."""
    client = server.client()
    for database, expected in ((stock.database, 10), (server.database(attempts=3), 3)):
        buying = Buying(Stock(database) if database is not stock.database else stock, lambda: client.incr(KEY), 1_000)
        with pytest.raises(Conflict):
            database.run(buying)
        assert expected == len(buying.seen)


def test_seconds_bound_the_calls(server: Backend, stock: Stock) -> None:
    """With retry_for the number does not matter, only the time."""
    client = server.client()
    buying = Buying(stock, lambda: client.incr(KEY), times=30)
    assert "call 31" == stock.database.run(buying, attempts=2, retry_for=60)
    lasting = Buying(stock, lambda: client.incr(KEY), times=1_000_000)
    begin = time.monotonic()
    with pytest.raises(Conflict):
        stock.database.run(lasting, retry_for=0.1)
    assert 0.1 <= time.monotonic() - begin < 5
    assert len(lasting.seen) > 1


def test_a_conflict_names_what_differs(server: Backend, stock: Stock) -> None:
    """Keys and fields are those that changed, watched are all that were read or guarded."""
    client = server.client()
    bread = stock.Product("1")

    def function(s: Session) -> None:
        bread.stock.get(), bread.tags.smembers(), bread.price.hget(), stock.Product.exists(kind="drink")
        client.incr(KEY)
        client.sadd(":product:1:tags", "fresh")
        client.sadd(":product:kind:drink", "1")
        bread.shelf.rpush("a")

    with pytest.raises(Conflict) as caught:
        stock.database.run(function, attempts=1)
    conflict = caught.value
    assert (":product:1:stock", ":product:1:tags", ":product:kind:drink") == conflict.keys
    assert ("Product <1>.stock", "Product <1>.tags", "index Product.kind") == conflict.fields
    assert {*conflict.keys, ":product:1:hash"} <= set(conflict.watched)
    for named in (*conflict.keys, *conflict.fields, "nothing was applied", "Way out"):
        assert named in str(conflict)
    assert conflict.plan.watched == conflict.watched


def test_commit_inside_is_refused(server: Backend, stock: Stock) -> None:
    """Also with a plan, and with nothing pending; what was said is not sent."""
    before = server.dump()
    for commit in (lambda s: s.commit(), lambda s: s.commit(s.plan())):

        def function(s: Session, commit: Callable[[Session], object] = commit) -> None:
            stock.Product("1").stock.incr()
            commit(s)

        with pytest.raises(SessionError, match=r"db.run\(\) commits itself"):
            stock.database.run(function)
    with pytest.raises(SessionError, match="commits itself"):
        stock.database.run(lambda s: s.commit())
    assert before == server.dump()


@pytest.mark.parametrize("error", [Planned, ValueError, Rejected, SessionError, KeyboardInterrupt])
def test_an_exception_passes(server: Backend, stock: Stock, error: type[BaseException]) -> None:
    """It is the function's own; it is not called again, and nothing is applied."""
    before, calls, raised = server.dump(), [], error("mine")

    def function(s: Session) -> None:
        calls.append(1)
        stock.Product(name="cake")
        raise raised

    with pytest.raises(error) as caught:
        stock.database.run(function)
    assert caught.value is raised
    assert ([1], before) == (calls, server.dump())


def test_a_refused_commit_passes(server: Backend, stock: Stock) -> None:
    """What would be refused however often it is called is raised at once; only a primary key is burnt."""
    calls: list[int] = []
    before = server.dump() | {b":product:max_pk": ("string", b"2")}

    def function(s: Session) -> None:
        calls.append(1)
        stock.Product(name="bread")

    with pytest.raises(UniquenessError):
        stock.database.run(function)
    assert ([1], before) == (calls, server.dump())


def test_get_or_create(server: Backend, stock: Stock) -> None:
    """Where another made meanwhile what the function did not find, it is called again and finds it: no error."""
    other = Stock(server.database())
    calls = []

    def function(s: Session) -> Any:
        calls.append(1)
        if stock.Product.exists(name="cake"):
            return stock.Product.get(name="cake")
        if len(calls) == 1:
            other.Product(name="cake", stock=3)
        return stock.Product(name="cake", stock=1)

    assert "3" == stock.database.run(function).stock.get()
    assert [1, 1] == calls


def test_what_was_read_is_deleted(server: Backend, stock: Stock) -> None:
    """An object that goes between the read and the commit is a conflict, not an error of the first call."""
    other = Stock(server.database())
    calls = []

    def function(s: Session) -> str:
        calls.append(1)
        found = stock.Product.collection(name="bread").instances()[:]
        if not found:
            return "gone"
        if len(calls) == 1:
            other.Product("1").delete()
        found[0].stock.incr()
        return "there"

    assert "gone" == stock.database.run(function)
    assert [1, 1] == calls


def test_callbacks_are_called_once(server: Backend, stock: Stock) -> None:
    """However often the function runs, only what the applied call has said is called, when it is applied."""
    client = server.client()
    called = []

    def meanwhile() -> None:
        client.incrby(KEY, 100)

    buying = Buying(stock, meanwhile, times=2)

    def function(s: Session) -> str:
        found = buying(s)
        s.on_commit(lambda: called.append((found, client.get(KEY))))
        return found

    assert "call 3" == stock.database.run(function)
    assert [("call 3", b"204")] == called


def test_an_error_of_a_callback_is_no_conflict(stock: Stock) -> None:
    """What was applied is not applied again, whatever a callback raises, be it a Conflict of its own."""
    bread = stock.Product("1")

    def fail() -> None:
        raise Conflict("of another database")

    def function(s: Session) -> None:
        bread.stock.incr()
        s.on_commit(fail)

    with pytest.raises(Conflict, match="of another database") as caught:
        stock.database.run(function)
    assert ["uowredis: the commit was applied; something called after it raised this"] == caught.value.__notes__
    assert "6" == bread.stock.get()


def test_options_are_those_of_a_session(server: Backend, stock: Stock, caplog: pytest.LogCaptureFixture) -> None:
    """Echo logs what is sent, watch_reads=False decides on stale reads, max_steps refuses."""
    client = server.client()
    with caplog.at_level(logging.INFO, logger="uowredis"):
        stock.database.run(lambda s: stock.Product("1").stock.incr(), echo=True)
    assert "said: Product <1>.stock.incr" in caplog.text
    buying = Buying(stock, lambda: client.set(KEY, 100))
    assert "call 1" == stock.database.run(buying, watch_reads=False)
    assert b"5" == client.get(KEY)
    with pytest.raises(Rejected, match="steps"):
        stock.database.run(lambda s: stock.Product(name="cake", tags=["a", "b"]), max_steps=1)
    before = data(server)
    assert None is stock.database.run(lambda s: None, on_pending="warn", rehearsal_limit=0)
    assert before == data(server)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("attempts", 0),
        ("attempts", "many"),
        ("attempts", True),
        ("retry_for", "long"),
        ("retry_for", float("nan")),
        ("retry_for", True),
        ("on_pending", "ignore"),
        ("watch_reads", 1),
        ("echo", "yes"),
        ("max_steps", 0),
        ("rehearsal_limit", -1),
        ("dry_run", True),
    ],
)
def test_bad_options_are_refused_by_name(stock: Stock, option: str, value: Any) -> None:
    """The function is not called."""
    calls: list[Session] = []
    options: dict[str, Any] = {option: value}
    with pytest.raises(ArgumentError, match=option):
        stock.database.run(calls.append, **options)
    assert [] == calls


def test_every_option_of_a_session_can_be_given(stock: Stock) -> None:
    """None stands for what the database says."""
    options = [name for name in inspect.signature(Session).parameters if name not in ("database", "dry_run")]
    given: dict[str, Any] = dict.fromkeys(options)
    assert "done" == stock.database.run(lambda s: "done", **given)


def test_run_needs_something_to_call(stock: Stock) -> None:
    """What cannot be called is a TypeError, and no session stays open."""
    nothing: Any = None
    with pytest.raises(TypeError):
        stock.database.run(nothing)
    with Session(stock.database) as s:
        assert () == s.pending


def test_run_inside_run(stock: Stock) -> None:
    """It is refused; the outer one is not called again for it, and applies nothing."""
    calls = []

    def function(s: Session) -> None:
        calls.append(1)
        stock.Product("1").stock.incr()
        stock.database.run(lambda s: None)

    with pytest.raises(SessionError, match="open here already"):
        stock.database.run(function)
    assert [1] == calls
    assert "5" == stock.Product("1").stock.get()


def test_reads_without_writes_are_compared(server: Backend, stock: Stock) -> None:
    """A function that says nothing is called again, too, where what it read has changed: its value is of one moment."""
    client = server.client()
    calls: list[str] = []

    def function(s: Session) -> list[str]:
        calls.append(stock.Product("1").stock.get())
        if len(calls) == 1:
            client.incr(KEY)
        return [calls[-1], *stock.Product("1").tags.smembers()]

    assert ["6"] == stock.database.run(function)
    assert ["5", "6"] == calls
    assert 7 == stock.Product("1").stock.incr()
