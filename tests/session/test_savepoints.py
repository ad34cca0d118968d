"""Savepoints: what an exception, or rollback() on purpose, forgets, and what it leaves as it was."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.session.doors import DOORS, SESSION, Door, Planned, Stock, data, stocked
from tests.tools.backends import Backend
from tests.whole.walks.programs import Graph
from uowredis import (
    CommitError,
    DoesNotExist,
    NotCommitted,
    Session,
    SessionError,
    UniquenessError,
)


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


@pytest.fixture
def graph(server: Backend) -> Graph:
    graph = Graph(server.database())
    graph.fill()
    return graph


def said(s: Session) -> list[str]:
    """Return what is pending, in words."""
    return [str(command) for command in s.pending]


def forget(s: Session, inside: Callable[[], object]) -> None:
    """Say something in a savepoint that an exception leaves."""
    with pytest.raises(Planned), s.savepoint():
        inside()
        raise Planned


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_nested(stock: Stock, door: Door) -> None:
    """The inner one forgets its own alone, the outer one what was kept in the inner one, too."""
    bread = stock.Product("1")

    def inside(s: Session) -> None:
        bread.stock.incr(1)
        with s.savepoint():
            bread.stock.incr(10)
            forget(s, lambda: bread.stock.incr(100))
            with s.savepoint():
                bread.stock.incr(1_000)
            assert "1016" == bread.stock.get()
        with s.savepoint() as outer:
            with s.savepoint():
                bread.stock.incr(10_000)
            outer.rollback()
            with s.savepoint() as inner:
                bread.stock.incr(100_000)
                inner.rollback()
                bread.stock.incr(2)
        assert "1018" == bread.stock.get()
        if door is SESSION:
            s.commit()

    door.through(stock.database, inside)
    assert "1018" == bread.stock.get()


def test_the_outer_rolls_back_inside_the_inner(stock: Stock) -> None:
    """What is forgotten of the outer one is forgotten of the inner one; both go on, and forget what is said after."""
    bread = stock.Product("1")
    with Session(stock.database) as s:
        bread.stock.incr(1)
        with s.savepoint() as outer:
            bread.stock.incr(10)
            with s.savepoint() as inner:
                bread.stock.incr(100)
                outer.rollback()
                assert "6" == bread.stock.get()
                bread.stock.incr(1_000)
                inner.rollback()
                bread.stock.incr(2)
            assert "8" == bread.stock.get()
            forget(s, lambda: bread.stock.incr(7))
        assert [6, 8] == s.commit()


def test_it_goes_on_after_rollback(stock: Stock) -> None:
    """rollback() may be said often; what is said after it is kept, or forgotten by the next one or an exception."""
    bread = stock.Product("1")
    with Session(stock.database) as s:
        bread.price.hset(1)
        with s.savepoint() as savepoint:
            for number in range(3):
                bread.shelf.rpush(number)
                savepoint.rollback()
            bread.shelf.rpush("kept")
        with pytest.raises(Planned), s.savepoint() as savepoint:
            bread.shelf.rpush("x")
            savepoint.rollback()
            bread.shelf.rpush("y")
            raise Planned
        s.commit()
    assert ["kept"] == bread.shelf.lrange(0, -1)


@pytest.mark.parametrize("error", [Planned, KeyboardInterrupt, GeneratorExit, UniquenessError])
def test_any_exception_forgets_and_goes_on(stock: Stock, error: type[BaseException]) -> None:
    """The very exception goes on; where nobody takes it, it leaves the session as well."""
    raised = error("x", field="", value="", key="", pk=None) if error is UniquenessError else error("x")
    with pytest.raises(error) as caught, Session(stock.database) as s:
        stock.Product("1").stock.incr()
        with s.savepoint():
            raise raised
    assert caught.value is raised
    assert "5" == stock.Product("1").stock.get()


def test_commit_inside_is_refused(server: Backend, stock: Stock) -> None:
    """Also with a plan, in nested ones, and of a dry run; plan() may be looked at; afterwards commit() works."""
    before = server.dump()
    with Session(stock.database) as s:
        stock.Product("1").stock.incr()
        with s.savepoint(), s.savepoint():
            plan = s.plan()
            for commit in (s.commit, lambda: s.commit(plan)):
                with pytest.raises(SessionError, match="A savepoint is open"):
                    commit()
            assert ["Product <1>.stock.incr"] == said(s)
        assert before == server.dump()
        s.commit(plan)
    refused = pytest.raises(SessionError, match="A savepoint is open")
    with Session(stock.database, dry_run=True) as s, s.savepoint(), refused:
        s.commit()


def test_rollback_of_the_session_inside(stock: Stock) -> None:
    """All is forgotten, what was said before the savepoint too; the block goes on as if the session had just begun."""
    bread = stock.Product("1")
    with Session(stock.database) as s:
        cake = stock.Product(name="cake")
        with pytest.raises(Planned), s.savepoint():
            bread.stock.incr(10)
            s.rollback()
            assert [] == said(s)
            bread.stock.incr(100)
            raise Planned
        with s.savepoint():
            s.rollback()
            stock.Product(name="pie")
            with s.savepoint() as inner:
                bread.stock.incr(1_000)
                inner.rollback()
            bread.stock.incr(1)
        assert ["<Product 1> created", "Product <1>.stock.incr"] == said(s)
        s.commit()
        with pytest.raises(DoesNotExist):
            cake.stock.get()
    assert "6" == bread.stock.get()


def test_it_is_used_in_its_block_alone(stock: Stock) -> None:
    """rollback() before and after the block, and a second block, are refused; nothing is forgotten by that."""
    with Session(stock.database) as s:
        savepoint = s.savepoint()
        with pytest.raises(SessionError, match="not open"):
            savepoint.rollback()
        with savepoint:
            stock.Product("1").stock.incr()
            with pytest.raises(SessionError, match="entered already"):
                savepoint.__enter__()
        with pytest.raises(SessionError, match="not open"):
            savepoint.rollback()
        with pytest.raises(SessionError, match="entered already"):
            savepoint.__enter__()
        assert [6] == s.commit()


def test_another_thread_cannot_enter_it(stock: Stock) -> None:
    """As it cannot say anything in the session, but by ``use()``."""
    bread = stock.Product("1")
    with Session(stock.database) as s, ThreadPoolExecutor(1) as pool:
        savepoint = s.savepoint()
        with pytest.raises(SessionError, match=r"belongs to another process, thread.*Way out: .* with s.use\(\):"):
            pool.submit(savepoint.__enter__).result()
        bread.stock.incr()

        def there() -> None:
            with s.use(), savepoint:
                bread.stock.incr()
                savepoint.rollback()

        pool.submit(there).result()
        assert [6] == s.commit()


def test_it_cannot_be_entered_when_its_session_was_left(stock: Stock) -> None:
    """It would keep nothing of what is said in it."""
    with Session(stock.database) as s:
        savepoint = s.savepoint()
    with pytest.raises(SessionError, match=r"block of this session was left.*Way out: a new Session"):
        savepoint.__enter__()


def test_an_object_made_inside_no_longer_exists(server: Backend, stock: Stock) -> None:
    """Whatever it is used for raises DoesNotExist, before the commit and after it; empty ones too."""
    made: list[Any] = []
    with Session(stock.database) as s:
        stock.Product("1").stock.incr()
        forget(s, lambda: made.extend([stock.Product(name="cake", kind="food"), stock.Product(), stock.Product()]))
        for committed in (False, True):
            for lost in made:
                for use in (
                    lost.stock.get,
                    lambda lost=lost: lost.stock.set(1),
                    lost.delete,
                    lost.pk.get,
                    lost.hgetall,
                ):
                    with pytest.raises(DoesNotExist, match="rolled back"):
                        use()
            assert not stock.Product.exists(name="cake")
            assert ["1"] == list(stock.Product.collection(kind="food"))
            if not committed:
                s.commit()
    assert 1 == len([key for key in server.dump() if key.endswith(b":hash")])


def test_an_empty_object_made_before_is_empty_again(stock: Stock) -> None:
    """Its first write inside is forgotten: it is not there, and its next first write creates it."""
    with Session(stock.database) as s:
        pie = stock.Product(name="pie")
        empty = Graph(stock.database).Item()
        forget(s, lambda: empty.label.hset("a"))
        assert None is empty.label.hget()
        assert ["<Product 1> created"] == said(s)
        empty.label.hset("b")
        assert "<Item 1> created" in said(s)
        s.commit()
    assert ("b", "pie") == (empty.label.hget(), pie.name.hget())


def test_an_empty_object_made_outside_any_session(stock: Stock) -> None:
    """The same for one that was there before the session began: after the session it is still empty."""
    graph = Graph(stock.database)
    empty = graph.Item()
    with Session(stock.database) as s:
        forget(s, lambda: empty.label.hset("a"))
        assert [] == s.commit()
    assert ([], None) == (list(graph.Item.collection()), empty.label.hget())
    empty.label.hset("c")
    assert "1" == empty.pk.get()


def test_an_object_deleted_inside_is_there(graph: Graph) -> None:
    """With all that refers to it, whether it is stored or pending; and may be deleted again."""
    stored = graph.Item("1")
    with Session(graph.database) as s:
        new = graph.Item(label="new", friend=stored)
        mark = graph.Mark("x")

        def delete_all() -> None:
            stored.delete(), new.delete(), mark.delete()
            with pytest.raises(DoesNotExist):
                new.label.hget()
            assert not graph.Mark.exists(key="x")
            graph.Mark(key="x", label="another")

        forget(s, delete_all)
        forget(s, delete_all)
        assert ("a", "new", "b") == (stored.label.hget(), new.label.hget(), mark.label.hget())
        assert "1" == new.friend.hget()
        assert {"x", "y"} == set(stored.marks_of())
        new.label.hset("newer")
        mark.delete()
        s.commit()
    assert ("newer", "1") == (new.label.hget(), new.friend.hget())
    assert ["y"] == list(stored.marks_of())


def test_changes_inside_are_forgotten(stock: Stock) -> None:
    """Values, index entries and unique values are as before the savepoint, those said before it too."""
    bread = stock.Product("1")
    with Session(stock.database) as s:
        bread.kind.hset("drink")
        bread.tags.sadd("a")

        def change() -> None:
            bread.kind.hset("tool")
            bread.name.hset("saw")
            bread.tags.srem("a")
            bread.tags.sadd("z")
            assert ["1"] == list(stock.Product.collection(kind="tool", tags="z"))

        forget(s, change)
        assert ("drink", "bread", {"a"}) == (bread.kind.hget(), bread.name.hget(), bread.tags.smembers())
        assert [] == list(stock.Product.collection(kind="tool"))
        assert ["1"] == list(stock.Product.collection(kind="drink", tags="a"))
        stock.Product(name="saw")
        s.commit()
    assert "2" == stock.Product.get(name="saw").pk.get()


def test_a_claim_inside_is_released(graph: Graph) -> None:
    """A unique value and a chosen pk that were said inside may be taken after it, by another object."""
    with Session(graph.database) as s:
        for _ in range(3):
            forget(s, lambda: (graph.Item(code="new"), graph.Mark(key="new", label="lost")))
        graph.Item(code="new")
        graph.Mark(key="new", label="kept")
        with pytest.raises(UniquenessError):
            graph.Mark(key="new")
        s.commit()
    assert "kept" == graph.Mark("new").label.hget()


def test_numbers_are_as_if_it_was_never_said(stock: Stock) -> None:
    """The next new object is called as the forgotten one was: in what is pending, in plans and in messages."""
    with Session(stock.database) as s:
        stock.Product(name="one")
        for _ in range(2):
            forget(s, lambda: (stock.Product(name="lost"), stock.Product(name="lost too")))
        two = stock.Product(name="two")
        assert ["<Product 1> created", "<Product 2> created"] == said(s)
        assert "<Product 2>" in repr(two.stock.incr())
        assert "<Product 3>" not in str(s.plan())
        s.commit()
    assert "3" == two.pk.get()


def test_a_pk_that_was_asked_for_is_kept(stock: Stock) -> None:
    """Of an object made before the savepoint; those of forgotten objects leave a gap."""
    with Session(stock.database) as s:
        one = stock.Product(name="one")
        forget(s, lambda: (one.pk.get(), stock.Product(name="lost").pk.get()))
        two = stock.Product(name="two")
        assert "2" == one.pk.get()
        assert "one" == stock.Product("2").name.hget()
        s.commit()
    assert ("2", "4") == (one.pk.get(), two.pk.get())
    assert {"1", "2", "4"} == set(stock.Product.collection())


def test_a_read_that_is_no_reference_counts_no_pk(graph: Graph) -> None:
    """What stands beside a reference to a new object is read without giving that object its pk."""
    with Session(graph.database) as s:
        first = graph.Item(label="first")
        second = graph.Item(label="second", friend=first)
        forget(s, lambda: (second.label.hget(), second.hmget("label"), graph.Item.exists(label="second")))
        assert ["<Item 1> created", "<Item 2> created"] == said(s)
        s.commit()
    assert ("3", "4") == (first.pk.get(), second.pk.get())


def test_replies_inside_are_dropped(stock: Stock) -> None:
    """A Pending of what was forgotten never has a reply, those around it have theirs, and commit() gives only these."""
    bread, inside = stock.Product("1"), []
    with Session(stock.database) as s:
        before = bread.stock.incr()
        forget(s, lambda: inside.append(bread.stock.incr()))
        after = bread.stock.incr()
        with pytest.raises(NotCommitted, match="was rolled back"):
            inside[0].result
        with pytest.raises(NotCommitted, match="waits for the commit"):
            before.result
        assert [6, 7] == s.commit()
    assert (6, 7) == (before.result, after.result)
    with pytest.raises(NotCommitted, match="was rolled back"):
        inside[0].result


def test_callbacks_inside_are_dropped(stock: Stock) -> None:
    """What was to be called after the commit is forgotten with the rest, in nested ones too."""
    called: list[str] = []
    with Session(stock.database) as s:
        stock.Product("1").stock.incr()
        s.on_commit(lambda: called.append("before"))
        forget(s, lambda: s.on_commit(lambda: called.append("lost")))
        with s.savepoint() as savepoint:
            with s.savepoint():
                s.on_commit(lambda: called.append("lost, too"))
            savepoint.rollback()
            s.on_commit(lambda: called.append("after"))
        s.commit()
    assert ["before", "after"] == called


def test_a_session_with_all_forgotten_is_empty(server: Backend, stock: Stock) -> None:
    """It is left quietly, and its commit sends nothing."""
    before = data(server)
    with Session(stock.database) as s:
        forget(s, lambda: (stock.Product(name="cake"), stock.Product("1").delete()))
    with Session(stock.database) as s:
        forget(s, lambda: stock.Product("1").stock.incr())
        assert [] == s.commit()
        assert 0 == s.last_plan.round_trips
    assert before == data(server)


def test_after_a_refused_commit(stock: Stock) -> None:
    """What is still pending then can be forgotten by a rollback only; savepoints work on what is said next."""
    with Session(stock.database) as s:
        stock.Product(name="bread")
        with pytest.raises(CommitError):
            s.commit()
        forget(s, lambda: stock.Product("1").stock.incr())
        assert ["Product <2> created"] == said(s)
        s.rollback()
        stock.Product("1").stock.incr()
        assert [6] == s.commit()
