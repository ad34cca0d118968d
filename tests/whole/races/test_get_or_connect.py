"""``get_or_connect()``: whoever else creates the same at the same time, there is one object, or a conflict."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import redis

from tests.contrib.pipelines.models import on as pipelines
from tests.models import products
from tests.tools.backends import Backend, Real
from tests.tools.meanwhile import applied, meanwhile
from tests.tools.proxy import Proxy
from tests.whole.races import workers
from tests.whole.races.exactness import check_exact
from tests.whole.races.workers import WORKERS, Models
from uowredis import Conflict, InstanceHashField, RedisDatabase, RedisModel, Session, UniquenessError


@pytest.fixture
def ours(proxy: Proxy, how: str, other: Models) -> Iterator[Models]:
    """Our models, by way of the proxy, on a connection that is set up."""
    with RedisDatabase.from_url(proxy.url, max_watched=0 if how == "script" else 1_000) as database:
        models = Models(database)
        models.Product(name="one", color="red", tags=["a"])
        proxy.reset()
        yield models


#: What is asked for, and how the other brings it there in between; each names the index key that then has one member.
RACES: dict[str, tuple[dict[str, Any], Callable[[Models], Any], str]] = {
    "created": ({"color": "new"}, lambda other: other.Product(color="new"), ":product:color:new"),
    "connected": ({"color": "new"}, lambda other: other.Product.get_or_connect(color="new"), ":product:color:new"),
    "changed": ({"color": "new"}, lambda other: other.Product("1").color.hset("new"), ":product:color:new"),
    "unique": ({"name": "new"}, lambda other: other.Product(name="new"), ":product:name:new"),
}


@pytest.mark.parametrize("case", RACES)
def test_what_comes_in_between_is_found(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis, case: str
) -> None:
    """Between our look and our EXEC the other has it: ours is not created, theirs is given."""
    filters, act, key = RACES[case]
    with meanwhile(proxy, how, act, other):
        found, created = ours.Product.get_or_connect(**filters)
    assert (False, {found.pk.get()}) == (created, client.smembers(key))
    assert (found, False) == ours.Product.get_or_connect(**filters)
    assert 1 == applied(proxy)
    check_exact(client)


def test_all_filters_are_watched(proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis) -> None:
    """Where several are combined, an object that had one of them may get the other."""
    with meanwhile(proxy, how, lambda other: other.Product("1").hits.set(7), other):
        found, created = ours.Product.get_or_connect(color="red", hits=7)
    assert (ours.Product("1"), False) == (found, created)
    assert {"1"} == client.smembers(":product:hits:7")
    check_exact(client)


def test_what_came_and_went_is_created(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """What the look found holds again: it is created, once."""
    with meanwhile(proxy, how, lambda other: other.Product(color="new").delete(), other):
        made, created = ours.Product.get_or_connect(color="new")
    assert (True, {made.pk.get()}) == (created, client.smembers(":product:color:new"))
    check_exact(client)


def test_a_chosen_primary_key(proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis) -> None:
    """The same by a primary key."""
    with meanwhile(proxy, how, lambda other: other.Word(key="new", kind="Rome"), other):
        found, created = ours.Word.get_or_connect(key="new", defaults={"kind": "Bern"})
    assert ("new", False, "Rome") == (found.pk.get(), created, client.hget(":word:new:hash", "kind"))
    check_exact(client)


def test_another_value_does_not_disturb(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """Who creates another value meets nobody: one attempt is enough, with a session and without."""
    with meanwhile(proxy, how, lambda other: other.Product.get_or_connect(color="blue"), other):
        assert ours.Product.get_or_connect(color="new")[1]
    with Session(ours.database, attempts=1) as session:
        assert ours.Product.get_or_connect(color="newer")[1]
        with meanwhile(proxy, how, lambda other: other.Product.get_or_connect(color="pink"), other):
            session.commit()
    assert 2 == applied(proxy)
    check_exact(client)


@pytest.mark.parametrize("case", RACES)
def test_a_session_is_in_conflict(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis, case: str
) -> None:
    """From the look to the commit: where it comes up, nothing of the session is applied; said again it is found."""
    filters, act, key = RACES[case]
    with Session(ours.database) as session:
        _, created = ours.Product.get_or_connect(**filters)
        assert created
        with meanwhile(proxy, how, act, other), pytest.raises(Conflict, match=key):
            session.commit()
        check_exact(client)
        with pytest.raises(Conflict):
            session.commit()
        session.rollback()
        found, created = ours.Product.get_or_connect(**filters)
        assert (False, {found.pk.get()}) == (created, client.smembers(key))
        session.commit()


def test_a_session_is_in_conflict_with_what_came_before_its_commit(
    how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """Not only around EXEC: from the moment when it was looked for."""
    with Session(ours.database, on_pending="discard") as session:
        ours.Product.get_or_connect(color="new")
        theirs = other.Product(color="new").pk.get()
        with pytest.raises(Conflict):
            session.commit()
    assert {theirs} == client.smembers(":product:color:new")
    check_exact(client)


def test_run_calls_again(how: str, ours: Models, other: Models, client: redis.Redis) -> None:
    """``db.run()`` finds it the second time."""
    rounds = []

    def connect(_: Session) -> tuple[str, bool]:
        product, created = ours.Product.get_or_connect(color="new")
        if not rounds:
            other.Product(color="new")
        rounds.append(created)
        return product.pk.get(), created

    pk, created = ours.database.run(connect)
    assert ([True, False], False, {pk}) == (rounds, created, client.smembers(":product:color:new"))
    check_exact(client)


def test_what_is_found_is_not_watched(proxy: Proxy, ours: Models, other: Models) -> None:
    """A session in which it was there goes on whatever becomes of it; it took one read."""
    with Session(ours.database) as session:
        found, created = ours.Product.get_or_connect(color="red")
        assert not created
        assert 1 == proxy.round_trips()
        assert b"WATCH" not in [command[0] for command in proxy.seen]
        other.Product(color="red")
        found.price.hset(5)
        session.commit()


def test_an_index_of_a_field_without_lock_is_watched_too(real: Real, proxy: Proxy) -> None:
    """``lockable=False`` plans no watch for writes; here the answer itself is what must hold."""

    def declare(on: RedisDatabase) -> Any:
        class Queue(RedisModel):
            database = on
            name = InstanceHashField(indexable=True, lockable=False)

        return Queue

    theirs = declare(real.database())
    with RedisDatabase.from_url(proxy.url) as on:
        queue = declare(on)
        with meanwhile(proxy, "WATCH", lambda theirs: theirs(name="mail"), theirs):
            found, created = queue.get_or_connect(name="mail")
    assert (False, [found.pk.get()]) == (created, list(theirs.collection(name="mail")))


def test_over_what_is_pending(server: Backend) -> None:
    """What the session deletes or changes is not there: created anew; what it creates is found."""
    product = products(server.database())
    old, changed = product(color="red"), product(color="blue")
    with Session(product.database) as session:
        old.delete()
        changed.color.hset("green")
        new, created = product.get_or_connect(color="red")
        newer, created_too = product.get_or_connect(color="blue")
        assert (True, True) == (created, created_too)
        assert [(new, False), (newer, False)] == [product.get_or_connect(color=each) for each in ("red", "blue")]
        assert (changed, False) == product.get_or_connect(color="green")
        session.commit()
    assert [[new.pk.get()], [newer.pk.get()]] == [product.collection(color=each) for each in ("red", "blue")]
    check_exact(server.client(decode_responses=True))


def test_forgotten_with_its_savepoint(server: Backend) -> None:
    """What was rolled back is not there, and can be created again."""
    product = products(server.database())
    with Session(product.database) as session:
        with session.savepoint() as savepoint:
            gone, _ = product.get_or_connect(color="red")
            savepoint.rollback()
        new, created = product.get_or_connect(color="red")
        assert created
        session.commit()
    assert [new.pk.get()] == product.collection(color="red")
    with pytest.raises(LookupError):
        gone.color.hget()


def test_in_transactions(server: Backend) -> None:
    """A pipeline is a session: what comes until it is executed is a conflict, and ``transaction()`` tries again."""
    database = pipelines(server)
    ours, other = products(database), products(server.database())
    with pytest.raises(Conflict), database.pipeline(on_pending="discard") as pipeline:
        ours.get_or_connect(color="red")
        other(color="red")
        pipeline.execute()
    rounds = []

    def connect(pipeline: Any) -> None:
        pipeline.multi()
        rounds.append(ours.get_or_connect(color="blue")[1])
        if len(rounds) == 1:
            other(color="blue")

    database.transaction(connect)
    assert [True, False] == rounds
    assert [1, 1] == [len(other.collection(color=each)) for each in ("red", "blue")]
    database.close()


def test_another_unique_value_that_is_taken(server: Backend) -> None:
    """Of several values given one may be another object's: that is refused, not tried for ever."""
    product = products(server.database())
    product(name="one", color="red")
    with pytest.raises(UniquenessError, match=":product:name:one"):
        product.get_or_connect(name="one", color="blue")
    with pytest.raises(UniquenessError, match=":product:name:one"):
        product.get_or_connect(color="blue", defaults={"name": "one"})
    assert 1 == len(product.collection())


def test_eight_processes(real: Real, client: redis.Redis) -> None:
    """Of those who want one value at the same time one creates it, and all get it."""
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(workers.connect, real.server.url, worker, 40) for worker in range(WORKERS)]
        rounds = zip(*[future.result(timeout=60) for future in running], strict=True)
    for number, found in enumerate(rounds):
        (pk,) = client.smembers(f":product:color:new {number}")
        assert {f"created {pk}": 1, f"found {pk}": WORKERS - 1} == dict(Counter(found))
    check_exact(client)
