"""Two collections put together: what is refused, what they give, and that each stays what it was."""

from typing import Any

import pytest

from tests.models import People, current_user, documented, groups
from tests.tools.backends import Backend
from uowredis import ArgumentError, ArgumentTypeError, ImplementationError, PendingWrites, Session


@pytest.fixture
def people(server: Backend) -> People:
    """The documented models with their data."""
    return documented(server.database())


def test_what_is_put_together_is_of_one_model(people: People) -> None:
    """The message says what to give; a list of primary keys is what intersect() takes."""
    persons = people.person.collection()
    for other in (people.extended.collection(), ["1"], {"1"}, "1", None):
        for combine in (lambda o: persons | o, lambda o: persons & o, lambda o: persons - o):
            with pytest.raises(ArgumentTypeError, match=r"a collection of Person, not .*intersect"):
                combine(other)


def test_exclude_takes_what_filters_take(people: People) -> None:
    """Nothing at all would leave out everything, or nothing."""
    with pytest.raises(ArgumentError, match="at least one filter"):
        people.person.collection().exclude()
    with pytest.raises(ImplementationError, match="'nothing'"):
        people.person.collection().exclude(nothing=1)
    collection = people.extended.collection()
    assert collection.exclude(pk=1) is collection
    assert {"2", "3", "4"} == collection
    assert {"4"} == collection.exclude(pk__in=["2", "3"])


def test_each_is_a_collection_of_its_own(people: People) -> None:
    """What one of them is told later does not change the other; order and shape are those of the first."""
    find = people.extended.collection
    johns, parisians = (
        find(firstname="John").sort(by="-birth_year").values_list("firstname", flat=True),
        find(city="Paris"),
    )
    both = johns | parisians.sort(by="lastname", alpha=True)
    johns.filter(lastname="Doe").primary_keys()
    parisians.exclude(firstname="Susan")
    assert ["John", "Susan", "John"] == both
    assert ["2"] == johns
    assert {"1", "2", "4"} == both.copy().sort().primary_keys()
    assert ["John", "John"] == (both - find(firstname="Susan"))
    assert 3 == len(both)
    assert "Susan" in both
    assert ["John"] == both[0:1]
    assert [("John",), ("Susan",)] == both.values_list("firstname")[:2]
    stored = both.primary_keys().store()
    assert ["2", "4", "1"] == stored
    assert {"2", "1"} == find().from_stored(stored.stored_key).exclude(city="Paris")
    assert {"2"} == (find(firstname="John") | find(firstname="Peter")).from_stored(johns.store().stored_key)
    everybody = find().primary_keys().store().stored_key
    assert {"2", "4", "1"} == both.primary_keys().from_stored(everybody)
    assert 3 == both.from_stored(everybody).count()


def test_what_they_stand_on_is_read_when_they_are_looked_at(people: People) -> None:
    """Fields, sets of fields, and new objects of the session, in what is left out, too."""
    extended, me = people.extended, current_user(people)
    there = extended.collection(city=me.city) - extended.collection().intersect(me.friends)
    apart = extended.collection().exclude(city=me.city)
    assert {"4"} == apart
    friends, city = set(me.friends.smembers()), me.city.hget()
    assert {pk for pk in "1234" if extended(pk).city.hget() == city} - friends == there
    me.city.hset("Paris")
    assert {"1", "2", "3"} == apart
    with Session(extended.database) as s:
        new = extended(firstname="New", city="Paris")
        me.friends.sadd("4")
        assert {new.pk.get()} == there - extended.collection(pk="4")
        with pytest.raises(PendingWrites, match="Extended"):
            there.store()
        s.rollback()


def test_what_is_no_longer_excluded_is_found(people: People) -> None:
    """By what the session changes, and deletes: of objects that the server does not find, and of those that it does."""
    find = people.extended.collection
    others, johns = find().exclude(firstname="John"), find(firstname="John")
    either = find(lastname="Smith") - johns | find(city="Paris")
    with Session(people.extended.database) as s:
        people.extended("1").firstname.hset("Jack")
        people.extended("3").firstname.hset("John")
        assert {"1", "4"} == others
        assert {"1", "4"} == either
        people.extended("4").firstname.hdel()
        people.extended("2").delete()
        assert {"1", "4"} == others == find() - johns
        s.commit()
    assert {"1", "4"} == others == either


def test_references_that_will_be_cleared(server: Backend) -> None:
    """Who refers to what the session deletes refers to nothing right after the commit, excluded or not."""
    here: Any = groups(server.database())
    ann, bob = here.person(name="Ann"), here.person(name="Bob")
    first, second = here.group(entry=ann), here.group(entry=bob)
    find = here.group.collection
    with Session(here.group.database) as s:
        ann.delete()
        assert {first.pk.get(), second.pk.get()} == find().exclude(entry="1")
        assert {first.pk.get()} == find().exclude(entry=bob)
        assert {second.pk.get()} == find(entry="1") | find(entry=bob)
        s.commit()
    assert {first.pk.get()} == find().exclude(entry=bob)
