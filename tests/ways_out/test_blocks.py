"""What is refused of blocks inside sessions, and of what they call, names a way out that is taken here."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.session.doors import Stock, stocked
from tests.session.test_whose import in_child
from tests.tools.backends import Backend, Real
from tests.tools.ways_out import Told, tries
from tests.ways_out.test_sessions import in_thread, incr
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    Session,
    SessionError,
)
from uowredis.contrib.database import PipelineDatabase


def left_while_used(stock: Stock, leave: Callable[[Session], Any], then: Callable[[], Any]) -> None:
    """Leave a session while another thread uses it, which says *then* something in it."""
    db, inside, left = stock.database, threading.Event(), threading.Event()
    session = Session(db)
    session.__enter__()

    def there() -> None:
        with pytest.raises(SessionError, match="left meanwhile"), session.use():
            inside.set()
            assert left.wait(20)
            then()
        with Session(db) as mine:
            incr(stock)
            mine.commit()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(there)
        assert inside.wait(20)
        leave(session)
        left.set()
        done.result()


@tries("The session that is used here was left meanwhile")
def test_left_meanwhile(told: Told, stock: Stock) -> None:
    def leave(session: Session) -> None:
        with pytest.raises(SessionError, match="while it was in use"):
            session.__exit__(None, None, None)

    def then() -> None:
        with told(SessionError):
            incr(stock)

    left_while_used(stock, leave, then)
    assert "6" == stock.Product("1").stock.get()


@tries("The block of {} was left while it was in use")
def test_left_while_it_is_used(told: Told, stock: Stock) -> None:
    def leave(session: Session) -> None:
        with told(SessionError):
            session.__exit__(None, None, None)

    left_while_used(stock, leave, lambda: None)
    with Session(stock.database) as s:

        def there() -> None:
            with s.use():
                incr(stock)

        in_thread(there)  # which is waited for
        assert [7] == s.commit()


@tries("This block was entered already. Way out: take another, s.use()")
def test_used_twice(told: Told, stock: Stock) -> None:
    with Session(stock.database) as s:
        block = s.use()
        with block, told(SessionError):
            block.__enter__()
        with s.use():
            incr(stock)
        assert [6] == s.commit()


@tries("This session is every thread's already")
def test_use_of_a_shared_one(told: Told, embedded: Any) -> None:
    with PipelineDatabase.embedded(embedded.server) as db:
        stock = Stock(db)
        bread = stock.Product(name="bread", stock=5)
        with db.pipeline(share_in_threads=True) as pipeline:
            with told(SessionError):
                in_thread(pipeline.use().__enter__)
            in_thread(bread.stock.incr)
            assert [6] == pipeline.execute()


@tries("This session is of another process")
def test_use_in_a_child(told: Told, real: Real) -> None:
    stock = stocked(real)
    with Session(stock.database) as s:

        def child() -> str:
            with told(SessionError):
                s.use().__enter__()
            with Session(stock.database) as mine:
                incr(stock)
                return f"{told.times} {mine.commit()}"

        assert "1 [6]" == in_child(child)
        told.times += 1  # there
        incr(stock)
        assert [7] == s.commit()


@tries("The session takes no part in what is called after its commit")
def test_use_after_its_commit(told: Told, stock: Stock) -> None:
    def after() -> None:
        with told(SessionError):
            s.use().__enter__()
        with Session(stock.database) as mine:
            incr(stock)
            mine.commit()

    with Session(stock.database) as s:
        incr(stock)
        s.on_commit(after)
        assert [6] == s.commit()
    assert "7" == stock.Product("1").stock.get()


@tries("Another session of this database is open here")
def test_use_beside_another(told: Told, stock: Stock) -> None:
    with Session(stock.database) as s:

        def there() -> None:
            with Session(stock.database) as mine:
                with told(SessionError):
                    s.use().__enter__()
                incr(stock)  # that one is used
                mine.commit()
            with s.use():  # its block is left
                incr(stock)

        in_thread(there)
        assert [7] == s.commit()


# Blocks within.


@tries("This savepoint was entered already")
def test_savepoint_twice(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        savepoint = session.savepoint()
        with savepoint, told(SessionError):
            savepoint.__enter__()
        with session.savepoint():
            incr(stock)
        assert [6] == session.commit()


@tries("This savepoint is not open")
def test_savepoint_outside(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        incr(stock)
        savepoint = session.savepoint()
        with told(SessionError):
            savepoint.rollback()
        with savepoint:
            incr(stock)
            savepoint.rollback()
        assert [6] == session.commit()


@tries("A savepoint is open")
def test_commit_in_a_savepoint(told: Told, stock: Stock) -> None:
    with Session(stock.database) as s:
        with s.savepoint():
            incr(stock)
            with told(SessionError):
                s.commit()
        assert [6] == s.commit()
        savepoint = s.savepoint()
        savepoint.__enter__()  # and its leaving was interrupted
        incr(stock)
        del savepoint
        with told(SessionError):
            s.commit()
        s.rollback()
        incr(stock)
        assert [7] == s.commit()


@tries("This block was entered already. Way out: take another, db.begin(join=True)")
def test_joined_twice(told: Told, stock: Stock) -> None:
    db = stock.database
    block = db.begin(join=True)
    with block, told(SessionError):
        block.__enter__()
    with db.begin(join=True):
        incr(stock)
    assert "6" == stock.Product("1").stock.get()


@tries("What is read in this block is to be watched")
def test_join_to_watch(told: Told, stock: Stock) -> None:
    db = stock.database
    with Session(db) as s:
        with told(SessionError), db.begin(join=True, watch_reads=True):
            pass
        with db.begin(join=True, watch_reads=False):
            incr(stock)
        assert [6] == s.commit()
    with Session(db, watch_reads=True) as s:
        with db.begin(join=True, watch_reads=True):
            incr(stock)
        assert [7] == s.commit()

    def joins(_: Session) -> None:
        with db.begin(join=True, watch_reads=True):
            incr(stock)

    db.run(joins)
    assert "8" == stock.Product("1").stock.get()


@tries("This block is to be a dry run")
def test_join_a_dry_run(told: Told, stock: Stock, capsys: Any) -> None:
    db = stock.database
    with Session(db), told(SessionError), db.begin(join=True, dry_run=True):
        pass
    with db.begin(join=True, dry_run=True):
        incr(stock)
    assert "INCRBY :product:1:stock 1" in capsys.readouterr().out
    assert "5" == stock.Product("1").stock.get()


# What is called.


@tries("{} takes a function that has done its work")
def test_run_later(told: Told, stock: Stock) -> None:
    db = stock.database

    async def later(_: Session) -> None:
        raise AssertionError

    with told(ArgumentTypeError) as caught:
        db.run(later)
    assert str(caught.value).endswith(
        "Way out: a plain function; in an async def: await asyncio.to_thread(db.run, function)"
    )
    db.run(lambda _: incr(stock))

    async def asks() -> None:
        await asyncio.to_thread(db.run, lambda _: incr(stock))

    asyncio.run(asks())
    assert "7" == stock.Product("1").stock.get()


@tries("db.run() commits itself")
def test_commit_in_run(told: Told, stock: Stock) -> None:
    db = stock.database

    def commits(s: Session) -> None:
        incr(stock)
        with told(SessionError):
            s.commit()

    db.run(commits)
    db.run(lambda _: incr(stock))
    assert "7" == stock.Product("1").stock.get()


@tries("run() applies what the function says")
def test_run_dry(told: Told, stock: Stock, capsys: Any) -> None:
    db = stock.database
    with told(ArgumentError):
        db.run(lambda _: incr(stock), dry_run=True)
    with Session(db, dry_run=True) as s:
        incr(stock)
        s.commit()
    assert "INCRBY :product:1:stock 1" in capsys.readouterr().out


@tries("later() takes what a write in a session returned")
def test_later_of_an_answer(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with Session(stock.database) as s:
        with told(ArgumentTypeError):
            s.later(bread.stock.get())
        assert "5" == bread.stock.get()
        visits = s.later(bread.visits.incr())
        s.commit()
    assert 1 == visits.result


@tries("{} is on {}, and this session on {}: its key there")
def test_watch_of_another_database(told: Told, server: Backend, stock: Stock) -> None:
    there = Stock(server.database())
    with Session(stock.database) as s, told(ArgumentError):
        s.watch(there.Product("1").stock)
    with Session(there.database) as s:
        s.watch(there.Product("1").stock)
        incr(there)
        assert [6] == s.commit()
