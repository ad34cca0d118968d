"""An interruption while something is said or forgotten: said whole, not at all, or refused until a rollback."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.session.doors import Stock, stocked
from tests.tools.backends import Backend, Real
from tests.tools.interruptions import interrupted, points
from uowredis import DoesNotExist, Session, SessionError


class Late(BaseException):
    """What a signal handler raises."""


@pytest.fixture
def stock(embedded: Backend) -> Stock:
    return stocked(embedded)


def in_session(stock: Stock, act: Callable[[Session], Any]) -> None:
    """Call *act* in a session that forgets all."""
    with Session(stock.database, on_pending="discard") as s:
        act(s)


def met(stock: Stock, act: Callable[[Session], Any]) -> range:
    """Return the points of *act*, each number once."""
    count: list[int] = []
    for _ in range(2):
        in_session(stock, lambda s: count.append(points(lambda: act(s))))
    assert count[-1] > 20
    return range(1, count[-1] + 1)


def cut(at: int, act: Callable[[], object]) -> bool:
    """Interrupt *act* at a point; return whether it was."""
    try:
        with interrupted(Late(), at):
            act()
    except Late as late:
        late.__traceback__ = None
        return True
    return False


def test_what_is_interrupted_while_it_is_said(stock: Stock) -> None:
    """It is pending whole or not at all, or all is refused until a rollback; nothing is committed by halves."""
    bread = stock.Product("1")
    refusals = 0
    for at in met(stock, lambda _: bread.tags.sadd("a")):
        bread.tags.delete()
        with Session(stock.database) as s:
            cut(at, lambda: bread.tags.sadd("a"))
            try:
                visits = bread.visits.incr()
                replies = s.commit()
            except SessionError as error:
                refusals += "Way out: rollback()" in str(error)
                for use in (s.commit, bread.stock.get, bread.stock.incr, lambda: s.pending):
                    with pytest.raises(SessionError, match="interrupted"):
                        use()
                s.rollback()
                assert () == s.pending
                visits = bread.visits.incr()
                replies = s.commit()
            assert (visits.result, set(bread.tags.smembers())) in [(at, set()), (at, {"a"})]
            assert len(replies) == 1 + len(bread.tags.smembers())
        assert len(bread.tags.smembers()) == len(stock.Product.collection(tags="a"))
    assert refusals


def test_a_savepoint_whose_leaving_is_interrupted(stock: Stock) -> None:
    """What was said in it is forgotten, or nothing is committed before a rollback."""
    bread = stock.Product("1")
    refusals = 0

    def leave(s: Session) -> None:
        try:
            with s.savepoint():
                bread.stock.incr()
                stock.Product(name="dropped")
                sys.settrace(trace)
                raise KeyError
        except KeyError:
            pass
        finally:
            sys.settrace(None)

    trace: Any = None
    for at in range(1, 200):
        with Session(stock.database) as s:
            bread.price.hset(at)
            with interrupted(Late(), at) as interruption:
                trace = sys.gettrace()
                sys.settrace(None)
                try:
                    leave(s)
                except Late as late:
                    late.__traceback__ = late.__context__ = None
            try:
                s.commit()
            except SessionError as error:
                refusals += "rollback()" in str(error)
                s.rollback()
                bread.price.hset(at)
                s.commit()
        assert ("5", str(at)) == (bread.stock.get(), bread.price.hget())
        assert not stock.Product.exists(name="dropped")
        if interruption.place is None:
            break
    assert interruption.place is None
    assert refusals


def test_what_is_forgotten_stays_so_where_forgetting_is_interrupted(stock: Stock) -> None:
    """Whatever was made before an interrupted rollback is gone after the next one: nothing can be said of it."""
    at, met = 0, True
    while met:
        at += 1
        with Session(stock.database) as s:
            dropped, empty = stock.Product(name="dropped"), stock.Product()
            met = cut(at, s.rollback)
            s.rollback()
            for gone in (dropped, empty):
                with pytest.raises(DoesNotExist, match="rolled back"):
                    gone.stock.incr()
    assert at > 20


def test_a_connection_goes_back_wherever_it_is_interrupted(real: Real) -> None:
    """The pool of one connection serves the next call, over and over."""
    stock = Stock(real.database(max_connections=1))
    bread = stock.Product(name="bread", stock=0)
    for act in (bread.visits.incr, bread.hits.incr, bread.visits.get):
        for at in range(1, points(act) + 1, 3):
            cut(at, act)
            assert "0" == bread.stock.get()
