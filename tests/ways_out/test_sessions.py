"""What is refused of sessions and their blocks names a way out, and each is taken here as it is named."""

import asyncio
import contextvars
import gc
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.session.doors import Stock, stocked
from tests.tools.backends import Backend, Real
from tests.tools.ways_out import Told, tries
from uowredis import (
    RedisDatabase,
    Session,
    SessionError,
    UncommittedWrites,
)


def in_thread(call: Callable[[], Any]) -> Any:
    """Return what *call* gives in another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def incr(stock: Stock) -> Any:
    """Add to what is there of bread."""
    return stock.Product("1").stock.incr()


# Opening and leaving.


@tries("This session was never opened")
def test_never_opened(told: Told, stock: Stock) -> None:
    db = stock.database
    with told(SessionError):
        Session(db).commit()
    with Session(db) as s:
        incr(stock)
        assert [6] == s.commit()


@tries("{} was never entered")
@pytest.mark.parametrize("made", ["Session", "begin", "joined", "savepoint", "use"])
def test_never_entered(told: Told, stock: Stock, made: str) -> None:
    db = stock.database
    with Session(db) as s:
        ways = {
            "Session": (lambda: Session(db), "with Session(db) as s:"),
            "begin": (lambda: db.begin(), "with db.begin() as s:"),
            "joined": (lambda: db.begin(join=True), "with db.begin(join=True) as s:"),
            "savepoint": (s.savepoint, "with s.savepoint():"),
            "use": (s.use, "with s.use():"),
        }
        make, way = ways[made]
        with told(ResourceWarning) as caught:
            make()
            gc.collect()
        assert f"{caught[0].message}".endswith(f"Way out: {way}")
        if made in ("savepoint", "use", "joined"):
            with make():
                incr(stock)
            assert [6] == s.commit()
            return
    with make() as s:
        incr(stock)
        if made == "Session":
            s.commit()
    assert "6" == stock.Product("1").stock.get()


@tries("This session is open already")
def test_open_already(told: Told, stock: Stock) -> None:
    with Session(stock.database) as s, told(SessionError):
        s.__enter__()
    with Session(stock.database) as s:
        incr(stock)
        assert [6] == s.commit()


@tries("A session of this database is open here already")
def test_a_second_one(told: Told, stock: Stock) -> None:
    db = stock.database
    with Session(db) as s:
        with told(SessionError):
            Session(db).__enter__()
        assert s is db.session
        incr(stock)
        with db.begin(join=True):
            incr(stock)
        assert [6, 7] == s.commit()
    with Session(db, watch_reads=True) as s:
        with told(SessionError):
            db.run(lambda _: incr(stock))
        db.run(lambda _: incr(stock), join=True)
        assert [8] == s.commit()
    with Session(db) as s:  # behind its block
        incr(stock)
        assert [9] == s.commit()


@tries("The block of this session was left")
def test_it_was_left(told: Told, stock: Stock) -> None:
    db = stock.database
    with Session(db) as s:
        pass
    with told(SessionError):
        s.commit()
    with Session(db) as s:
        incr(stock)
        assert [6] == s.commit()


@tries("The session was left with writes that were never sent")
def test_left_with_writes(told: Told, stock: Stock) -> None:
    with told(UncommittedWrites), Session(stock.database):
        incr(stock)
    with told(UserWarning), Session(stock.database, on_pending="warn"):
        incr(stock)
    with Session(stock.database) as s:
        incr(stock)
        assert [6] == s.commit()
    with Session(stock.database) as s:
        incr(stock)
        s.rollback()
    assert "6" == stock.Product("1").stock.get()


@tries("The block of {} was left in a context in which it was not open")
def test_left_elsewhere(told: Told, stock: Stock) -> None:
    db = stock.database
    s = Session(db)
    contextvars.copy_context().run(s.__enter__)
    with told(SessionError):
        s.__exit__(None, None, None)

    def in_one_function() -> None:
        with Session(db) as s:
            incr(stock)
            s.commit()

    async def in_one_task() -> None:
        with Session(db) as s:
            incr(stock)
            await asyncio.sleep(0)
            s.commit()

    in_one_function()
    asyncio.run(in_one_task())
    s = contextvars.copy_context().run(Session(db, on_pending="discard").__enter__)
    with s.use():
        incr(stock)
        assert [8] == s.commit()
    contextvars.copy_context().run(s._close, finished=True)


@tries("The database was connected to another server")
def test_connected_elsewhere(told: Told, real: Real, twin: Real) -> None:
    with RedisDatabase(host=real.server.host, port=real.server.port) as db:
        stock = Stock(db)
        with Session(db) as s:
            stock.Product(name="here")
            db.connect(host=twin.server.host, port=twin.server.port)
            with told(SessionError):
                s.commit()
            s.rollback()
        with Session(db) as s:
            stock.Product(name="there")
            s.commit()
        assert stock.Product.exists(name="there")


@tries("{} cannot be pickled or copied: it belongs")
def test_pickled(told: Told, stock: Stock) -> None:
    with Session(stock.database) as s:
        incr(stock)
        with told(TypeError):
            pickle.dumps(s)
        assert s.plan() == pickle.loads(pickle.dumps(s.plan()))
        assert [6] == s.commit(pickle.loads(pickle.dumps(s.plan())))


@tries(" Way out: with db.begin() as s: around it")
@pytest.mark.parametrize("outside", ["warn", "refuse"])
def test_outside(told: Told, server: Backend, outside: Any) -> None:
    stock = stocked(server)
    with server.database(outside=outside) as db:
        there = Stock(db)
        with told(RuntimeWarning if outside == "warn" else SessionError):
            incr(there)
        with db.begin():
            incr(there)
        db.run(lambda _: incr(there))
    assert ("8" if outside == "warn" else "7") == stock.Product("1").stock.get()


# Whose it is.


@tries("The open session belongs to another process")
def test_of_another_thread(told: Told, stock: Stock) -> None:
    db = stock.database
    with Session(db) as s:

        def own() -> None:
            with Session(db) as mine:
                incr(stock)
                mine.commit()

        def used() -> None:
            with s.use():
                incr(stock)

        with told(SessionError):
            in_thread(s.rollback)
        in_thread(own)
        in_thread(used)
        assert [7] == s.commit()


@tries("The session is in use in another thread")
def test_in_use(told: Told, stock: Stock) -> None:
    db = stock.database
    with Session(db) as s:

        def there() -> None:
            with s.use():
                incr(stock)
                with told(SessionError):
                    in_thread(s.use().__enter__)
                in_thread(own)

        def own() -> None:
            with Session(db) as mine:
                incr(stock)
                mine.commit()

        in_thread(there)
        with s.use():  # when that one is done
            incr(stock)
        assert [7, 8] == s.commit()
