"""A collection looks like a list of what it gives: equality, membership, truth, text; and what each of them asks."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import current_user, documented, people, products
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Monitor
from tests.tools.servers import RealServer
from uowredis import Session
from uowredis.collection import SORTED_SCORE


@pytest.fixture
def person(server: Backend) -> Any:
    """The documentation's model with its four persons."""
    return documented(server.database()).extended


def many(server: Backend, count: int) -> Any:
    """Return a model with *count* objects."""
    product = products(server.database())
    with Session(product.database) as session:
        for _ in range(count):
            product(kind="same")
        session.commit()
    return product


def test_equality_with_lists(person: Any) -> None:
    """Equal to a list with the same items in the same order, from either side; not to a tuple or a text."""
    johns = person.collection(firstname="John").sort()
    assert johns == ["1", "2"]
    assert ["1", "2"] == johns
    assert johns != ["2", "1"]
    assert johns != ["1"]
    assert johns != []
    assert johns != ("1", "2")
    assert johns != "12"
    assert johns is not None
    assert johns != 2


def test_equality_with_sets_and_collections(person: Any) -> None:
    """Equal to a set with the same items in any order, and to a collection with an equal list."""
    johns = person.collection(firstname="John").sort(desc=True)
    assert {"1", "2"} == johns
    assert frozenset({"1", "2"}) == johns
    assert {"1"} != johns
    assert person.collection(firstname="John").sort(by="-pk") == johns
    assert person.collection(firstname="John").sort() != johns


def test_a_collection_has_no_hash(person: Any) -> None:
    """It equals lists and changes, so it is no key of a dict."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(person.collection())


def test_truth_and_length(person: Any) -> None:
    """True where something is found; the length is the number of items."""
    assert person.collection()
    assert not person.collection(firstname="Nobody")
    assert (4, 2, 1, 0) == (
        len(person.collection()),
        len(person.collection(firstname="John")),
        len(person.collection(firstname="John", lastname="Doe")),
        len(person.collection(firstname="Nobody")),
    )


def test_membership(person: Any) -> None:
    """A primary key in any spelling, or an instance, is in the collection that finds it."""
    johns = person.collection(firstname="John")
    assert "1" in johns
    assert 1 in johns
    assert b"1" in johns
    assert person("1") in johns
    assert "3" not in johns
    assert person("3") not in johns
    assert "nobody" not in johns
    assert None not in johns


@pytest.mark.parametrize(
    "shape",
    [
        lambda c: c,
        lambda c: c.instances(),
        lambda c: c.values(),
        lambda c: c.values("lastname"),
        lambda c: c.values_list(),
        lambda c: c.values_list("lastname", "pk"),
        lambda c: c.values_list("lastname", flat=True),
    ],
    ids=["pks", "instances", "values", "one value", "tuples", "pairs", "flat"],
)
def test_every_item_of_a_collection_is_in_it(person: Any, shape: Callable[[Any], Any]) -> None:
    """What ``list`` gives is ``in`` the collection, and an item of others is not."""
    johns, emily = shape(person.collection(firstname="John")), shape(person.collection(firstname="Emily").filter(pk=3))
    items = list(johns)
    assert 2 == len(items)
    assert [True, True] == [item in johns for item in items]
    (other,) = emily
    assert (other in items) == (other in johns)


def test_flat_values_are_not_primary_keys(person: Any) -> None:
    """Where values are given, a primary key that is no value is not in the collection."""
    assert "Smith" in person.collection(firstname="John").values_list("lastname", flat=True)
    assert "1" not in person.collection(firstname="John").values_list("lastname", flat=True)


def test_representation(server: Backend) -> None:
    """It prints like the list, and is cut after 20 items with their number."""
    thing = many(server, 21)
    assert "[]" == repr(thing.collection(kind="other"))
    assert "['1']" == repr(thing.collection(pk=1))
    everything = thing.collection().sort()
    shown = ", ".join(repr(str(pk)) for pk in range(1, 21))
    assert f"[{shown}, ... (21 items)]" == repr(everything)
    thing("21").delete()
    assert f"[{shown}]" == repr(everything)
    assert repr(list(everything.values())) == repr(everything)


def test_copies_go_their_own_way(person: Any) -> None:
    """``copy`` branches: what is said to one does not change the other."""
    base = person.collection(firstname="John").intersect([1, 2])
    branch = base.copy().filter(lastname="Doe").intersect([2, 3]).sort(desc=True).values("lastname")
    assert {"1", "2"} == set(base)
    assert [{"lastname": "Doe"}] == branch
    base.filter(lastname="Smith")
    assert [{"lastname": "Doe"}] == branch
    assert ["1"] == base


def test_a_fresh_collection_each_time(person: Any) -> None:
    """``Model.collection()`` starts anew."""
    person.collection().sort(desc=True).values()
    assert {"1", "2", "3", "4"} == set(person.collection())


def names(seen: list[tuple[bytes, ...]]) -> list[str]:
    """Return the names of the commands that the server saw."""
    return [command[0].decode() for command in seen]


@pytest.mark.parametrize(
    ("look", "commands"),
    [
        (list, ["SMEMBERS"]),
        (tuple, ["SMEMBERS"]),
        (set, ["SMEMBERS"]),
        (sorted, ["SMEMBERS"]),
        (lambda c: [*c], ["SMEMBERS"]),
        (lambda c: dict.fromkeys(c), ["SMEMBERS"]),
        (lambda c: "1" in c, ["SMISMEMBER"]),
        (len, ["SCARD"]),
        (bool, ["SCARD"]),
        (repr, ["SMEMBERS"]),
        (lambda c: c == ["1", "2"], ["SMEMBERS"]),
        (lambda c: c == {"1", "2"}, ["SMEMBERS"]),
        (lambda c: c[0], ["SORT"]),
        (lambda c: c[0:2], ["SORT"]),
        (lambda c: list(c.iter()), ["SSCAN"]),
        (lambda c: list(c.values()), ["SORT"]),
        (lambda c: list(c.sort(by="birth_year")), ["SORT"]),
        (lambda c: list(c.instances()), ["SMEMBERS", "SMISMEMBER"]),
        (lambda c: list(c.instances(lazy=True)), ["SMEMBERS"]),
    ],
)
def test_a_look_is_one_query(
    real: Real, real_server: RealServer, look: Callable[[Any], Any], commands: list[str]
) -> None:
    """Each look at a collection of one filter is one command; ``list`` asks for the length, too, and gets it free."""
    collection = documented(real.database()).extended.collection(firstname="John")
    with Monitor(real_server) as seen:
        look(collection)
    assert commands == names(seen)


def test_every_look_asks_anew(real: Real, real_server: RealServer) -> None:
    """Nothing is kept between two looks."""
    person = documented(real.database()).extended
    johns = person.collection(firstname="John")
    with Monitor(real_server) as seen:
        assert 2 == len(list(johns))
        assert 2 == len(johns)
        assert 2 == len(list(johns))
    assert ["SMEMBERS", "SCARD", "SMEMBERS"] == names(seen)
    for _ in johns:
        person(firstname="John", lastname="Coltrane")
        assert len(list(johns)) == len(johns)
    assert 4 == len(johns)


def test_the_length_of_an_iterator_does_not_stay(person: Any) -> None:
    """An iterator that was begun and left says nothing about a later length."""
    johns = person.collection(firstname="John")
    left = iter(johns)
    person(firstname="John", lastname="Coltrane")
    assert 3 == len(johns)
    assert 2 <= len(list(left))


def test_an_iterator_that_found_nothing_says_nothing_later(server: Backend) -> None:
    """The length is asked for anew behind it, also where another client created what is found meanwhile."""
    johns = documented(server.database()).extended.collection(firstname="Nobody")
    left = iter(johns)
    assert [] == list(left)
    elsewhere = people(server.database()).extended
    elsewhere(firstname="Nobody")
    assert 1 == len(johns)
    assert [] == list(left)


def test_streaming_asks_chunk_by_chunk(real: Real, real_server: RealServer) -> None:
    """One filter, unsorted: SSCAN, a chunk a time, and every primary key comes."""
    thing = many(real, 2_000)
    # More than fits a set's compact encoding, which Redis scans as one.
    with Monitor(real_server) as seen:
        first = next(iter(thing.collection(kind="same").iter(chunk=100)))
    assert ["SSCAN"] == names(seen)
    assert (b"COUNT", b"100") == seen[0][-2:]
    with Monitor(real_server) as seen:
        pks = set(thing.collection(kind="same").iter(chunk=100))
    assert {str(pk) for pk in range(1, 2_001)} == pks
    assert first in pks
    assert {"SSCAN"} == set(names(seen))
    assert len(seen) >= 10


def test_streaming_anything(person: Any) -> None:
    """What cannot be scanned is given by ``iter`` all the same."""
    assert ["3", "1", "4", "2"] == list(person.collection().sort(by="birth_year").iter())
    assert {"2"} == set(person.collection(firstname="John", lastname="Doe").iter(chunk=1))
    assert ["Emily"] == list(person.collection(pk=3).values_list("firstname", flat=True).iter())
    assert {person("1"), person("2")} == set(person.collection(firstname="John").instances().iter())
    assert {"1"} == set(person.collection(firstname="John").intersect([1]).iter())
    assert set() == set(person.collection(firstname="Nobody").iter())
    with Session(person.database) as session:
        person("1").firstname.hset("Jack")
        assert {"2"} == set(person.collection(firstname="John").iter())
        session.rollback()


@pytest.mark.parametrize("chunk", [0, -1, "many", None, 1.5])
def test_a_chunk_is_a_positive_integer(person: Any, chunk: Any) -> None:
    """Others are refused, as arguments of commands are."""
    with pytest.raises(ValueError, match="chunk"):
        list(person.collection(firstname="John").iter(chunk=chunk))


def test_every_collection_is_filtered_and_counted(server: Backend) -> None:
    """``filter()`` and ``count()``, in a session, too; each count asks anew."""
    person = documented(server.database()).person
    johns = person.collection(firstname="John")
    assert (2, ["2"], 1) == (johns.count(), johns.copy().filter(lastname="Doe"), person.collection(pk=2).count())
    assert johns.filter(firstname="Emily") is johns
    assert 0 == johns.count()
    everybody = person.collection()
    walk = iter(everybody)
    with server.client() as client:
        client.sadd(":person:collection", 9)
    assert 5 == everybody.count()
    assert 4 == len(list(walk))
    with Session(person.database) as s:
        person(firstname="Max")
        assert [1, 6] == [person.collection(firstname="Max").count(), everybody.count()]
        s.rollback()


def test_every_collection_is_intersected_scored_and_stored(server: Backend) -> None:
    """A model that says nothing of its collections has all of it, and over pending writes, too."""
    people = documented(server.database())
    person, me = people.person, current_user(people)
    assert "collection_manager" not in vars(person)
    johns = person.collection(firstname="John").intersect(me.friends, [1, 2, 3])
    by_date = johns.copy().sort(by_score=me.met).values(person.lastname, SORTED_SCORE)
    rows = [{"lastname": "Doe", "sorted_score": "1980"}, {"lastname": "Smith", "sorted_score": "1985"}]
    assert rows == by_date
    stored = by_date.store()
    assert [b"2", b"1"] == server.client().lrange(stored.stored_key, 0, -1)
    assert ["1"] == person.collection(lastname="Smith").from_stored(stored.stored_key)
    with Session(person.database, on_pending="discard"):
        person("2").firstname.hset("Jack")
        assert {"1"} == set(johns)
        assert ["Smith"] == [row["lastname"] for row in johns.copy().sort(by_score=me.met).values("lastname")]
