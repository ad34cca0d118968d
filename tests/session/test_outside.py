"""RedisDatabase(outside=...): what a write with no session open does; reads are free."""

import asyncio
import contextvars
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import groups, products, words
from tests.session.doors import data
from tests.tools.backends import Backend
from uowredis import ArgumentError, ImplementationError, RedisDatabase, Session, SessionError
from uowredis.contrib.database import PipelineDatabase

Act = Callable[["World"], Any]


class World:
    """Bread, number 1, and a group, on a database that cares what is written outside."""

    def __init__(self, server: Backend, outside: Any) -> None:
        self.server = server
        self.on = on = server.database(outside=outside)
        self.Product, models = products(on), groups(on)
        self.Group, self.Person = models.group, models.person
        with on.begin():
            self.bread = self.Product(name="bread", kind="food", stock=5, tags=["a"], shelf=["x"], sold={"ann": 1})
            self.ann = self.Person(city="Bern")
            self.group = self.Group(name="n", members=[self.ann])
        self.empty = self.Person()

    def one(self) -> Any:
        """Return bread, not looked up."""
        return self.Product._handle("1", tested=True)


#: Each kind of write.
WRITES: dict[str, Act] = {
    "string": lambda w: w.bread.stock.incr(),
    "string, of one that is not looked up": lambda w: w.one().stock.incr(),
    "indexed entry": lambda w: w.bread.kind.hset("drink"),
    "unique entry": lambda w: w.bread.name.hset("rye"),
    "several entries": lambda w: w.bread.hmset(kind="drink", price=3),
    "set": lambda w: w.bread.tags.sadd("b"),
    "list": lambda w: w.bread.shelf.rpush("y"),
    "sorted set": lambda w: w.bread.sold.zincrby(1, "ann"),
    "hash": lambda w: w.bread.notes.hset("n", 1),
    "field deleted": lambda w: w.bread.tags.delete(),
    "relation": lambda w: w.group.members.srem(w.ann),
    "creation": lambda w: w.Product(name="cake"),
    "creation by a first write": lambda w: w.empty.age.set(1),
    "allocate": lambda w: w.empty.pk.get(),
    "get_or_connect, not there": lambda w: w.Product.get_or_connect(name="cake"),
    "deletion": lambda w: w.bread.delete(),
    "deletion, not looked up": lambda w: w.one().delete(),
    "deletion with relations": lambda w: w.ann.delete(),
}

READS: dict[str, Act] = {
    "get": lambda w: w.bread.stock.get(),
    "of one that is not looked up": lambda w: w.one().name.hget(),
    "pk": lambda w: w.bread.pk.get(),
    "members": lambda w: w.bread.tags.smembers(),
    "look-up": lambda w: w.Product("1"),
    "exists": lambda w: w.Product.exists(name="bread"),
    "collection": lambda w: list(w.Product.collection(kind="food").instances()),
    "relation": lambda w: list(w.group.members()),
    "get_or_connect, there": lambda w: w.Product.get_or_connect(name="bread"),
    "an empty instance": lambda w: w.Person(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_refuse(server: Backend, write: Act) -> None:
    """Nothing is written, and the way out is open: the same write in a session, and by run()."""
    w = World(server, "refuse")
    before = server.dump()
    with pytest.raises(SessionError, match=r"no session of .* Nothing was written. Way out: with db.begin\(\) as s:"):
        write(w)
    assert before == server.dump()
    with w.on.begin():
        write(w)
    assert before != server.dump()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_warn(server: Backend, write: Act) -> None:
    """It is sent at once all the same; the warning points at whoever wrote."""
    w = World(server, "warn")
    before = server.dump()
    with pytest.warns(RuntimeWarning, match=r"no session of .* It is sent at once. Way out:") as caught:
        write(w)
    assert [__file__] == [warning.filename for warning in caught]
    assert before != server.dump()


@pytest.mark.parametrize("outside", ["send", "refuse"])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reads_are_free(server: Backend, read: Act, outside: str) -> None:
    """Whatever only reads is answered as ever."""
    w = World(server, outside)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(w)


@pytest.mark.parametrize("outside", ["send", None])
def test_send_is_the_default(server: Backend, outside: str | None) -> None:
    """A write goes at once, without a word."""
    on = server.database() if outside is None else server.database(outside=outside)
    bread = products(on)(name="bread", stock=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 2 == bread.stock.incr()


def test_run_and_pipelines_are_sessions(server: Backend) -> None:
    """What is written in db.run(), which the message names, in a pipeline or in transaction() is refused nowhere."""
    w = World(server, "refuse")
    assert 6 == w.on.run(lambda s: w.bread.stock.incr()).result
    on = PipelineDatabase.embedded(outside="refuse")
    with on:
        Product = products(on)  # noqa: N806
        with on.pipeline() as pipeline:
            bread = Product(name="bread", stock=1)
            pipeline.execute()
        assert [2] == on.transaction(lambda pipeline: (pipeline.multi(), bread.stock.incr()))
        with pytest.raises(SessionError, match="no session of"):
            bread.stock.incr()


def test_store_is_free(server: Backend) -> None:
    """A stored collection is written at once also in a session, and belongs to no object."""
    on = server.database(outside="refuse")
    word = words(on)
    with on.begin():
        word(key="cat", kind="noun")
    assert ["cat"] == list(word.collection(kind="noun").store())


def test_a_callback_after_the_commit_writes_in_a_session_of_its_own(server: Backend) -> None:
    """The session takes no part in it, so that what is written there is outside."""
    w = World(server, "refuse")

    def directly() -> None:
        w.bread.stock.incr()

    def by_itself() -> None:
        with w.on.begin():
            w.bread.stock.incr()

    with pytest.raises(SessionError, match="no session of"), w.on.begin() as s:
        w.bread.price.hset(1)
        s.on_commit(directly)
    with w.on.begin() as s:
        w.bread.price.hset(2)
        s.on_commit(by_itself)
    assert ["6", "2"] == [w.bread.stock.get(), w.bread.price.hget()]


# What is open elsewhere.


def refused(act: Callable[[], Any]) -> str:
    """Return how *act* is refused."""
    with pytest.raises(SessionError) as caught:
        act()
    return str(caught.value)


def test_a_session_of_another_database_is_named(server: Backend) -> None:
    """The typical fixture: a session of a database that is not the models'."""
    w, other = World(server, "refuse"), RedisDatabase.embedded()
    with other, Session(other):
        assert f"One of another database is: {other!r}." in refused(w.bread.stock.incr)
    assert "another" not in refused(w.bread.stock.incr)


def test_a_session_in_another_thread_is_named(server: Backend) -> None:
    """A thread that was begun inside takes no part."""
    w, said = World(server, "refuse"), []
    with w.on.begin() as s:
        thread = threading.Thread(target=lambda: said.append(refused(w.bread.stock.incr)))
        thread.start()
        thread.join()
        assert () == s.pending
    assert "One of it is open in another thread, task or greenlet." in said[0]
    assert "is open in" not in refused(w.bread.stock.incr)


def test_a_session_in_another_context_is_named(server: Backend) -> None:
    """A dependency that yields, run in a copied context, opens nothing here."""
    w = World(server, "refuse")
    session, context = w.on.begin(), contextvars.copy_context()
    context.run(session.__enter__)
    assert "One of it is open in another context of this thread." in refused(w.bread.stock.incr)
    context.run(session.__exit__, None, None, None)
    assert "is open in" not in refused(w.bread.stock.incr)


def test_a_dependency_of_a_framework_is_caught(server: Backend) -> None:
    """Each of its steps in a worker thread, in a copy of the context: the first write is refused, nothing is stored."""
    w = World(server, "refuse")
    before = data(server)

    async def request() -> None:
        session = w.on.begin()
        await asyncio.to_thread(session.__enter__)
        try:
            await asyncio.to_thread(w.Product, name="cake")
        except SessionError as error:
            await asyncio.to_thread(session.__exit__, type(error), error, None)
            raise

    with pytest.warns(RuntimeWarning, match="was not open"), pytest.raises(SessionError, match="Nothing was written"):
        asyncio.run(request())
    assert before == data(server)


# How it is said.


def test_it_is_one_of_three() -> None:
    """Anything else is refused by name."""
    wrong: Any
    for wrong in ("raise", True, None):
        with pytest.raises(ArgumentError, match=r"outside=...\) takes 'send', 'warn' or 'refuse'"):
            RedisDatabase(outside=wrong)


def test_it_is_a_keyword_of_the_database() -> None:
    """Elsewhere the message says where it belongs."""
    with pytest.raises(ImplementationError, match=r"RedisDatabase\(outside=...\), as a keyword"):
        RedisDatabase.from_url("redis://localhost?outside=refuse")
