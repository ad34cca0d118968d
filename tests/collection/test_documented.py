"""Every example of the documentation's chapter on collections (2.5)."""

from typing import Any

import pytest

from tests.collection.people import documented
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Monitor
from tests.tools.servers import RealServer
from uowredis import DoesNotExist, InstanceHashField, RedisModel
from uowredis.collection import CollectionManager
from uowredis.contrib.collection import ExtendedCollectionManager


@pytest.fixture
def person(server: Backend) -> Any:
    """The documentation's model with its four persons."""
    return documented(server.database()).person


def test_the_persons_print_as_documented(person: Any) -> None:
    """The data of the chapter."""
    assert [
        "<[1] John Smith (1960)>",
        "<[2] John Doe (1965)>",
        "<[3] Emily Smith (1950)>",
        "<[4] Susan Doe (1960)>",
    ] == [repr(person(pk)) for pk in "1234"]


def test_a_collection_is_of_primary_keys(person: Any) -> None:
    """Without a filter all are found; a set has no order."""
    assert {"1", "2", "3", "4"} == set(person.collection())


def test_instances_without_the_existence_test(person: Any) -> None:
    """``skip_exist_test=True``, and its later name ``lazy=True``, give all instances."""
    everyone = {person(pk) for pk in "1234"}
    assert everyone == set(person.collection().instances(skip_exist_test=True))
    assert everyone == set(person.collection().instances(lazy=True))
    assert everyone == set(person.collection().instances())


def test_an_instance_without_the_existence_test_is_tested_before_its_first_write(server: Backend, person: Any) -> None:
    """A pk that the index names but that is not there: reading answers what Redis answers, writing raises."""
    server.client().sadd(":person:firstname:Nobody", "99")
    (nobody,) = person.collection(firstname="Nobody").instances(skip_exist_test=True)
    assert None is nobody.lastname.hget()
    with pytest.raises(DoesNotExist):
        nobody.lastname.hset("Smith")
    assert [] == list(person.collection(firstname="Nobody").instances())


def test_primary_keys_cancels_instances(person: Any) -> None:
    """``instances().primary_keys()`` gives primary keys."""
    assert {"1", "2"} == set(person.collection(firstname="John").instances().primary_keys())


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"firstname": "John"}, {"1", "2"}),
        ({"firstname": "John", "lastname": "Smith"}, {"1"}),
        ({"birth_year": 1965}, {"2"}),
        ({"birth_year": 1965, "lastname": "Smith"}, set()),
        ({"pk": 2}, {"2"}),
        ({"pk": 2, "firstname": "John"}, {"2"}),
        ({"pk": 2, "firstname": "Emily"}, set()),
        ({"pk": 99}, set()),
        ({"firstname": "Nobody"}, set()),
    ],
)
def test_filtering(person: Any, filters: dict[str, Any], found: set[str]) -> None:
    """All filters are ANDed; the primary key is one."""
    assert found == set(person.collection(**filters))


def test_a_filter_twice_in_one_call_is_python_s_own_error(person: Any) -> None:
    """Two filters with the same name cannot be written."""
    with pytest.raises(SyntaxError):
        compile("Person.collection(firstname='John', firstname='Emily')", "example", "eval")


def test_slicing(person: Any) -> None:
    """A slice of a collection is one of the list."""
    johns = person.collection(firstname="John").sort()
    assert ["1", "2"] == johns
    assert ["2"] == johns[1:2]
    assert ["2"] == person.collection(firstname="John")[1:2]


def test_sorting(person: Any) -> None:
    """``sort`` by a field, numeric or as text; a slice of it."""
    assert ["1", "2"] == person.collection(firstname="John").sort()
    assert ["2", "1"] == person.collection(firstname="John").sort(by="lastname", alpha=True)
    assert ["1"] == person.collection(firstname="John").sort(by="lastname", alpha=True)[1:2]
    assert ["3", "1", "4", "2"] == person.collection().sort(by="birth_year")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ({"by": "-birth_year"}, ["2", "4", "1", "3"]),
        ({"by": "birth_year", "desc": True}, ["2", "4", "1", "3"]),
        ({"by": "-birth_year", "desc": True}, ["3", "1", "4", "2"]),
        ({}, ["1", "2", "3", "4"]),
        ({"desc": True}, ["4", "3", "2", "1"]),
        ({"by": "pk"}, ["1", "2", "3", "4"]),
        ({"by": "-pk"}, ["4", "3", "2", "1"]),
    ],
)
def test_sorting_downwards(person: Any, sort: dict[str, Any], expected: list[str]) -> None:
    """``desc=True`` and a minus before the name turn the order, both together turn it back; pks sort too."""
    assert expected == person.collection().sort(**sort)


def test_sorting_text_downwards(person: Any) -> None:
    """Text goes from Z to A; which of two equal values comes first is Redis' own."""
    downwards = person.collection().sort(by="-lastname", alpha=True)
    assert ["Smith", "Smith", "Doe", "Doe"] == downwards.values_list("lastname", flat=True)
    assert ({"1", "3"}, {"2", "4"}) == (set(downwards.primary_keys()[:2]), set(downwards[2:]))


def test_sort_refines_in_place(person: Any) -> None:
    """A method changes the collection and returns it: the result need not be assigned."""
    everyone = person.collection()
    assert everyone.sort(by="-birth_year") is everyone
    assert everyone.instances() is everyone
    assert everyone.primary_keys() is everyone
    assert ["2", "4", "1", "3"] == everyone


def test_instantiating(person: Any) -> None:
    """``instances`` and ``sort`` are chained in any order."""
    john_smith, john_doe = "<[1] John Smith (1960)>", "<[2] John Doe (1965)>"
    assert f"[{john_smith}, {john_doe}]" == repr(person.collection(firstname="John").instances().sort())
    by_lastname = {"by": "lastname", "alpha": True}
    assert f"[{john_doe}, {john_smith}]" == repr(person.collection(firstname="John").instances().sort(**by_lastname))
    assert f"[{john_doe}, {john_smith}]" == repr(person.collection(firstname="John").sort(**by_lastname).instances())
    assert f"[{john_doe}]" == repr(person.collection(firstname="John").sort(**by_lastname).instances()[:1])


def test_instances_that_have_vanished_are_left_out(server: Backend, person: Any) -> None:
    """A pk that an index still names is no instance: it is skipped, also in the length and in slices."""
    server.client().sadd(":person:firstname:John", "99")
    johns = person.collection(firstname="John").instances().sort()
    assert [person("1"), person("2")] == list(johns)
    assert 2 == len(johns)
    assert [person("2")] == johns[1:5]
    assert [person("2")] == johns[-1:]


def test_lazyness(real: Real, real_server: RealServer) -> None:
    """Nothing is sent until a result is looked at; each look asks anew."""
    person = documented(real.database()).person
    with Monitor(real_server) as seen:
        results = person.collection(firstname="John").instances().sort(by="lastname", alpha=True)
    assert [] == seen
    assert 2 == len(list(results))
    person(firstname="John", lastname="Coltrane")
    assert ["5", "2", "1"] == results.primary_keys()


def test_a_manager_of_one_s_own(server: Backend) -> None:
    """``collection_manager`` of the model, or ``manager=`` of the call, is the class of the collection."""
    on = server.database()

    class MyOwnCollectionManager(CollectionManager):
        def johns(self) -> "MyOwnCollectionManager":
            return self._filter({"firstname": "John"})

    class Person(RedisModel):
        database = on
        collection_manager = MyOwnCollectionManager
        firstname = InstanceHashField(indexable=True)
        lastname = InstanceHashField(indexable=True)

    class Plain(RedisModel):
        database = on
        firstname = InstanceHashField(indexable=True)

    Person(firstname="John", lastname="Smith")
    Person(firstname="Emily", lastname="Smith")
    assert ["1"] == Person.collection(lastname="Smith").johns()
    assert type(Person.collection()) is MyOwnCollectionManager
    assert type(Person.collection().copy()) is MyOwnCollectionManager
    assert type(Person.collection(manager=ExtendedCollectionManager)) is ExtendedCollectionManager
    Plain(firstname="John")
    assert type(Plain.collection()) is CollectionManager
    assert ["1"] == Plain.collection(manager=MyOwnCollectionManager).johns()
    assert ["1"] == Plain.collection(firstname="John", manager=MyOwnCollectionManager)
