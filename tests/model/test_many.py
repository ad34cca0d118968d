"""Several objects at once by their primary keys, and one that is not looked up."""

import copy
import sys
import threading
from typing import Any

import pytest

from tests.models import products, things, words
from tests.tools.backends import Backend
from tests.tools.proxy import Proxy
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    Conflict,
    DoesNotExist,
    ImplementationError,
    RedisDatabase,
    Session,
)
from uowredis.commands.identity import State


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.fixture
def product(on: RedisDatabase) -> Any:
    """Three products, of which the second one is gone."""
    product = products(on)
    for name in ("bread", "cake", "roll"):
        product(name=name)
    product("2").delete()
    return product


# get_many()


@pytest.mark.parametrize(
    ("find", "state"),
    [
        (lambda product: product.get_many(["1"]), State.STORED),
        (lambda product: list(product.collection(pk="1").instances()), State.STORED),
        (lambda product: list(product.collection(pk="1").instances(lazy=True)), State.UNTESTED),
    ],
)
def test_what_was_found_is_one_object(product: Any, find: Any, state: State) -> None:
    """Whoever asks first, and whatever is copied before somebody does: copies share its fate."""
    ((found,),) = [find(product)]
    copied = copy.copy(found)
    assert copied.identity is found.identity
    assert (state, "1", "bread") == (found.identity.state, found.pk.get(), found.name.hget())
    found.delete()
    with pytest.raises(DoesNotExist, match="was deleted"):
        copied.name.hset("cake")


def test_threads_that_ask_first_together_find_one_object(product: Any) -> None:
    """What one of them says of it holds for all."""
    together, interval = threading.Barrier(4), sys.getswitchinterval()
    handles = product.get_many(["1"] * 3_000)
    told: list[list[int]] = [[] for _ in range(4)]

    def ask(mine: list[int]) -> None:
        together.wait()
        mine += [id(handle.identity) for handle in handles]

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in told]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert told == [[id(handle.identity) for handle in handles]] * 4


def test_what_was_found_of_a_former_class_is_of_it(on: RedisDatabase) -> None:
    """Also where nobody asked before it was declared again."""
    former = products(on)
    former(name="bread")
    (found,) = former.get_many(["1"])
    latest = products(on)
    assert (former._schema, latest(1)) == (found.identity.model, found)
    with pytest.raises(ImplementationError, match="of a former class"):
        found.name.hset("cake")


def test_they_come_in_the_order_asked(product: Any) -> None:
    """Each as often as it was asked for; whatever says a primary key is taken."""
    assert ["3", "1", "3"] == [each.pk.get() for each in product.get_many([3, "1", product("3")])]
    assert ["1", "3"] == [each.pk.get() for each in product.get_many(each for each in (1, 3))]
    assert ["1", "3"] == sorted(each.pk.get() for each in product.get_many(product.collection()))
    assert [] == product.get_many([])


def test_who_is_missing_is_named(product: Any) -> None:
    """All of them, up to ten; or left out."""
    with pytest.raises(product.DoesNotExist, match=r"with pk 2, '9' \(not in ':.*:collection'\)"):
        product.get_many([1, 2, 3, "9"])
    with pytest.raises(DoesNotExist, match=r"13 and 2 more \(not"):
        product.get_many(range(3, 16))
    assert ["1", "3"] == [each.pk.get() for each in product.get_many(range(5), missing="skip")]
    assert [] == product.get_many([2], missing="skip")


@pytest.mark.parametrize(
    ("pk", "reason"), [("\ud800", "no UTF-8 form"), (10**5_000, "an integer so long")], ids=("surrogate", "long")
)
def test_a_primary_key_without_spelling_is_refused_by_name(product: Any, pk: Any, reason: str) -> None:
    """Also among many that are plain text and integers."""
    with pytest.raises(ArgumentError, match=rf"primary key of Product in get_many\(\) cannot be .*{reason}"):
        product.get_many(["1", 3, pk])


def test_one_round_trip(proxy: Proxy) -> None:
    """Of however many."""
    with RedisDatabase.from_url(proxy.url) as on:
        word = words(on)
        with on.begin():
            for number in range(2_500):
                word(key=f"w{number}", kind="a")
        proxy.reset()
        assert 2_500 == len(word.get_many([f"w{number}" for number in range(2_500)]))
        assert 1 == proxy.round_trips()


def test_over_what_is_pending(on: RedisDatabase, product: Any) -> None:
    """Who is deleted is missing, who is created is there and shares the fate of the object made."""
    with Session(on, on_pending="discard") as s:
        tart = product(name="tart")
        product("1").delete()
        product("3").name.hset("bun")
        with pytest.raises(DoesNotExist, match="with pk 1 "):
            product.get_many([3, 1, 4])
        found = product.get_many([1, 4, 3], missing="skip")
        assert [tart, product("3")] == found
        assert ["tart", "bun"] == [each.name.hget() for each in found]
        s.rollback()
        with pytest.raises(DoesNotExist):
            found[0].name.hget()
    with Session(on, on_pending="discard"):
        named = words(on)(key="new", kind="a")
        assert [named] == type(named).get_many(["new"])
        named.delete()
        assert [] == type(named).get_many(["new"], missing="skip")


def test_a_changed_object_that_is_not_there_is_missing(on: RedisDatabase, product: Any) -> None:
    """That something was said of it does not make it be there."""
    ghost = copy.copy(product("1"))
    product("1").delete()
    with Session(on, on_pending="discard"):
        ghost.name.hset("x")
        assert [] == product.get_many([1], missing="skip")


def test_under_watch(on: RedisDatabase, product: Any) -> None:
    """Who is there, and who is not, holds until the commit."""
    for asked, meanwhile in (([1, 3], lambda: product.get(1).delete()), ([3, 4], lambda: product(name="new"))):
        with Session(on, watch_reads=True, on_pending="discard") as s:
            found = product.get_many(asked, missing="skip")
            found[-1].name.hset("bun")
            _elsewhere(on, meanwhile)
            with pytest.raises(Conflict):
                s.commit()


def _elsewhere(on: RedisDatabase, act: Any) -> None:
    """Call *act* with no session open, in a thread of its own."""
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def test_what_is_not_several(product: Any) -> None:
    """Text is several letters to Python; nothing is asked."""
    for given in ("12", b"12", 1, None, {"1": 2}):
        with pytest.raises(ArgumentTypeError, match="takes several primary keys"):
            product.get_many(given)
    with pytest.raises(ArgumentTypeError, match=r"in get_many\(\)"):
        product.get_many([1, None])
    with pytest.raises(ArgumentError, match="'raise' or 'skip'"):
        product.get_many([1], missing="ignore")


# lazy_connect()


def test_nothing_is_sent(proxy: Proxy) -> None:
    """Its first write looks it up."""
    with RedisDatabase.from_url(proxy.url) as on:
        product = products(on)
        product(name="bread")
        proxy.reset()
        bread = product.lazy_connect(1)
        assert [] == proxy.seen
        bread.visits.incr()
        assert [b"SISMEMBER", b"INCRBY"] == [command[0] for command in proxy.seen]


def test_one_that_is_not_there(on: RedisDatabase, product: Any, server: Backend) -> None:
    """It reads nothing, and nothing is written."""
    before = server.dump()
    assert None is product.lazy_connect(2).name.hget()
    writes = (lambda gone: gone.name.hset("x"), lambda gone: gone.visits.incr(), lambda gone: gone.delete())
    for write in writes:
        with pytest.raises(product.DoesNotExist):
            write(product.lazy_connect(2))
    with Session(on, on_pending="discard") as s:
        product.lazy_connect(2).visits.incr()
        product.lazy_connect(3).visits.incr()
        with pytest.raises(DoesNotExist):
            s.commit()
        s.rollback()
    assert before == server.dump()


def test_many_are_changed_by_one_commit(on: RedisDatabase, product: Any) -> None:
    """Without a round trip for each."""
    with on.begin():
        for pk in (1, 3):
            product.lazy_connect(pk).name.hset(f"new {pk}")
    assert ["1"] == product.collection(name="new 1")
    with on.begin():
        product.lazy_connect(1).delete()
    assert ["3"] == product.collection()


def test_over_pending_creations_and_deletions(on: RedisDatabase, product: Any) -> None:
    """It is the object that the session creates; what it deletes reads nothing, and takes nothing."""
    with Session(on, on_pending="discard") as s:
        tart = product(name="tart")
        lazy = product.lazy_connect(tart.pk.get())
        lazy.visits.set(5)
        assert "5" == tart.visits.get()
        product("3").delete()
        assert None is product.lazy_connect(3).name.hget()
        with pytest.raises(DoesNotExist, match="deleted in this session"):
            product.lazy_connect(3).visits.incr()
        s.rollback()
        with pytest.raises(DoesNotExist):
            lazy.visits.get()
        assert "roll" == product.lazy_connect(3).name.hget()


def test_what_can_be_no_primary_key(on: RedisDatabase, product: Any) -> None:
    """Since nobody looks it up, it is refused by its spelling."""
    word, thing = words(on), things(on)
    for given, reason in (("", "it is empty"), ("kind:x", "are taken"), ("collection", "are taken")):
        with pytest.raises(ArgumentError, match=reason):
            word.lazy_connect(given)
    with pytest.raises(ArgumentError, match="there is none yet"):
        thing.lazy_connect(thing())
    with pytest.raises(ArgumentTypeError, match="another model"):
        word.lazy_connect(product("1"))
