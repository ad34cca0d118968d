"""Stored collections (2.6.4.5): results kept in Redis for a while, and told from those that have expired."""

from typing import Any

import pytest

from tests.models import People, current_user, documented
from tests.tools.backends import Backend
from uowredis import ArgumentError, DoesNotExist, ImplementationError, Rejected
from uowredis.contrib.collection import DEFAULT_STORE_TTL, SORTED_SCORE, ExtendedCollectionManager


@pytest.fixture
def people(server: Backend) -> People:
    """The documented models with their data."""
    return documented(server.database())


@pytest.fixture
def extended(people: People) -> Any:
    """Persons with a city."""
    return people.extended


def test_the_documented_example(server: Backend, people: People) -> None:
    """A heavy collection is stored, paged through, and found again by its key."""
    me = current_user(people)
    collection = people.extended.collection(city=me.city.get())
    collection.intersect(me.friends)
    collection.sort(by_score=me.met)
    stored_collection = collection.store(ttl=3600)
    assert [{"pk": "2", "firstname": "John"}] == stored_collection.values("pk", "firstname")[0:1]
    stored_key = stored_collection.stored_key
    again = people.extended.collection().from_stored(stored_key)
    assert [{"pk": "1", "firstname": "John"}] == again.values("pk", "firstname")[1:20]
    connection = people.extended.database.connection
    assert 3590 < connection.ttl(stored_key) <= 3600
    assert connection.expire(stored_key, 36000)
    assert 3600 < connection.ttl(stored_key) <= 36000
    assert connection.persist(stored_key)
    assert -1 == connection.ttl(stored_key)
    assert ["2", "1"] == again.primary_keys()


def test_the_key_is_random_or_given(server: Backend, extended: Any) -> None:
    """By default a new key under the model's prefix; a given one is replaced."""
    client = server.client()
    first, second = extended.collection().store(), extended.collection().store()
    assert first.stored_key != second.stored_key
    assert first.stored_key.startswith(":extended:__collection__:store:")
    client.set("page:1", "something else")
    given = extended.collection(firstname="John").sort().store("page:1")
    assert "page:1" == given.stored_key
    assert [b"1", b"2"] == client.lrange("page:1", 0, -1)
    assert [b"2", b"1"] == (
        extended.collection().sort(by="-pk").filter(firstname="John").store("page:1") and client.lrange("page:1", 0, -1)
    )
    assert None is extended.collection().stored_key


def test_time_to_live(server: Backend, extended: Any) -> None:
    """60 seconds by default, any number, or for ever."""
    client = server.client()
    assert 60 == DEFAULT_STORE_TTL
    assert 50 < client.ttl(extended.collection().store().stored_key) <= 60
    assert 3590 < client.ttl(extended.collection().store(ttl=3600).stored_key) <= 3600
    assert -1 == client.ttl(extended.collection().store(ttl=None).stored_key)
    assert 50 < client.ttl(extended.collection().store("key").stored_key) <= 60


def test_storing_leaves_the_collection_as_it_was(extended: Any) -> None:
    """``store`` runs the collection and returns a new one of the same class; the first one asks Redis anew."""
    collection = extended.collection(firstname="John").sort()
    stored = collection.store()
    assert stored is not collection
    assert type(stored) is ExtendedCollectionManager
    assert None is collection.stored_key
    extended(firstname="John", lastname="Coltrane")
    assert ["1", "2", "5"] == collection
    assert ["1", "2"] == stored


def test_the_new_collection_gives_what_the_old_one_gave(extended: Any) -> None:
    """Only primary keys are stored; values, tuples, instances are asked for as before, until ``primary_keys``."""
    johns = extended.collection(firstname="John").sort(by="lastname", alpha=True)
    assert [{"lastname": "Doe"}, {"lastname": "Smith"}] == johns.values("lastname").store()
    assert [("Doe",), ("Smith",)] == johns.values_list("lastname").store()
    assert ["Doe", "Smith"] == johns.values_list("lastname", flat=True).store()
    assert [extended("2"), extended("1")] == johns.instances().store()
    assert ["2", "1"] == johns.store().primary_keys()
    assert ["2", "1"] == johns.primary_keys().store()


def test_scores_are_not_stored(people: People) -> None:
    """A list has none: they are asked of what is sorted by them, as in any collection, and never another value."""
    me = current_user(people)
    johns = people.extended.collection(firstname="John").sort(by_score=me.met)
    stored = johns.values_list("lastname", SORTED_SCORE).store()
    for look in (list, len, lambda c: c[0]):
        with pytest.raises(ImplementationError, match=r"Way out: sort\(by_score=\.\.\.\)"):
            look(stored)
    assert [("Doe",), ("Smith",)] == stored.copy().values_list("lastname")
    assert [("Doe", "1980"), ("Smith", "1985")] == stored.sort(by_score=me.met)


def test_values_of_a_stored_collection_are_fresh(extended: Any) -> None:
    """The list is as it was stored, the values are those of now; an instance that is gone is left out."""
    stored = extended.collection(firstname="John").sort().store()
    extended("1").lastname.hset("Changed")
    assert ["Changed", "Doe"] == stored.values_list("lastname", flat=True)
    extended("2").delete()
    assert [extended("1")] == stored.instances()
    assert ["1", "2"] == stored.primary_keys()


def test_the_order_is_kept(extended: Any) -> None:
    """Items, slices, length and membership are those of the list that was stored."""
    stored = extended.collection().sort(by="-birth_year").store()
    assert ["2", "4", "1", "3"] == stored
    assert ["4", "1"] == stored[1:3]
    assert "3" == stored[-1]
    assert "2" == stored[0]
    assert ["3", "1", "4", "2"] == stored[::-1]
    assert 4 == len(stored)
    assert "4" in stored
    assert "9" not in stored
    assert stored


def test_a_stored_collection_is_refined(people: People) -> None:
    """Filters, intersections and sorts are said on it as on any collection, and it can be stored again."""
    me = current_user(people)
    stored = people.extended.collection().sort(by="-birth_year").store()
    assert {"1", "2"} == set(stored.copy().filter(firstname="John"))
    assert {"2", "4"} == set(stored.copy().filter(lastname="Doe"))
    assert {"4"} == set(stored.copy().filter(lastname="Doe").intersect([4, 1]))
    assert ["1", "2", "3", "4"] == stored.copy().sort()
    assert ["3", "1", "4", "2"] == stored.copy().sort(by="birth_year")
    assert ["2", "1", "4"] == stored.copy().intersect(me.friends).sort(by_score=me.met)
    again = stored.copy().filter(firstname="John").sort(desc=True).store()
    assert ["2", "1"] == again
    assert ["2", "4", "1", "3"] == stored


def test_filters_said_before_from_stored_are_not_lost(extended: Any) -> None:
    """What was said of the collection holds on the stored list, too."""
    key = extended.collection().sort().store().stored_key
    assert {"3"} == set(extended.collection(firstname="Emily").from_stored(key))


def test_an_expired_key_does_not_exist(server: Backend, extended: Any) -> None:
    """Looking at what has expired raises, whatever is asked of it; saying so does not."""
    client = server.client()
    gone = extended.collection().store()
    client.delete(gone.stored_key)
    expired = extended.collection().store()
    # A time in the past expires a key at once.
    client.expireat(expired.stored_key, 1)
    never = extended.collection().from_stored("never:stored")
    for stored in (gone, expired, never):
        looks: dict[str, Any] = {
            "list": list,
            "len": len,
            "bool": bool,
            "in": lambda c: "1" in c,
            "slice": lambda c: c[0:2],
            "item": lambda c: c[0],
            "last": lambda c: c[-1],
            "repr": repr,
            "values": lambda c: list(c.values()),
            "instances": lambda c: list(c.instances()),
            "filter": lambda c: list(c.filter(firstname="John")),
            "sort": lambda c: list(c.sort(by="birth_year")),
            "iter": lambda c: list(c.iter()),
            "store": lambda c: c.store(),
        }
        for name, look in looks.items():
            with pytest.raises(DoesNotExist, match="expired"):
                pytest.fail(f"{name} gave {look(stored.copy())!r}")


def test_an_empty_result_is_told_from_an_expired_one(server: Backend, extended: Any) -> None:
    """Nothing found is stored with a marker that no reader sees, and lives as long as any other."""
    empty = extended.collection(firstname="Nobody").store()
    assert [] == list(empty)
    assert 0 == len(empty)
    assert not empty
    assert [] == empty[0:5]
    assert [] == empty.values()
    assert [] == empty.instances()
    assert "[]" == repr(empty)
    assert [] == list(empty.primary_keys().filter(firstname="John"))
    assert "__uowredis_empty__" not in extended.collection().from_stored(empty.stored_key)
    client = server.client()
    assert 1 == client.llen(empty.stored_key)
    assert 50 < client.ttl(empty.stored_key) <= 60
    assert [] == list(extended.collection().from_stored(empty.stored_key))


@pytest.mark.parametrize("ttl", [0, -1, 1.5, "soon", True])
def test_a_time_to_live_is_a_positive_integer(server: Backend, extended: Any, ttl: Any) -> None:
    """Others are refused before anything is sent."""
    before = server.dump()
    with pytest.raises(ArgumentError):
        extended.collection().store(ttl=ttl)
    assert before == server.dump()


@pytest.mark.parametrize("key", [None, 5.5, ["a"], True])
def test_a_key_is_text(extended: Any, key: Any) -> None:
    """``from_stored`` takes a key; no other object is one, and a number is one as Redis spells it."""
    if key == 5.5:
        assert "5.5" == extended.collection().from_stored(key).stored_key
        return
    with pytest.raises(ArgumentError):
        extended.collection().from_stored(key)


def test_a_key_of_another_type_is_refused(server: Backend, extended: Any) -> None:
    """What is under the key of a stored collection must be a list."""
    server.client().set("text", "x")
    with pytest.raises(Rejected, match="text"):
        list(extended.collection().from_stored("text"))


def test_no_key_of_any_model_is_overwritten(server: Backend) -> None:
    """Also not that of another model of the database; keys of stored collections may be, and others."""
    people = documented(server.database())
    johns = people.extended.collection(firstname="John")
    before = server.dump()
    for key in (":person:collection", ":person:1:hash", ":extended:firstname:John", ":user:max_pk"):
        with pytest.raises(ArgumentError, match=r"keys of .* begin so"):
            johns.store(key)
    assert before == server.dump()
    assert 2 == len(johns.store("elsewhere"))
    assert 2 == len(johns.store(":person:__collection__:store:mine"))
