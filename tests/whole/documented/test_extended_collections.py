"""Every example of the documentation's chapters on extended collections (2.6.3 to 2.6.4.4)."""

from typing import Any

import pytest

from tests.models import People, current_user, documented, every_kind
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Monitor
from tests.tools.servers import RealServer
from uowredis.contrib.collection import SORTED_SCORE, ExtendedCollectionManager

SMITH = {"pk": "1", "firstname": "John", "lastname": "Smith", "birth_year": "1960"}
DOE = {"pk": "2", "firstname": "John", "lastname": "Doe", "birth_year": "1965"}


@pytest.fixture
def people(server: Backend) -> People:
    """The documented models with their data."""
    return documented(server.database())


@pytest.fixture
def extended(people: People) -> Any:
    """Persons with a city."""
    return people.extended


def test_values(people: People) -> None:
    """Dicts of the fields asked for, of all simple ones by default; the primary key is one."""
    assert [SMITH, DOE] == people.person.collection(firstname="John").sort().values()
    expected = [{"pk": "1", "lastname": "Smith"}, {"pk": "2", "lastname": "Doe"}]
    assert expected == people.person.collection(firstname="John").values("pk", "lastname").sort()


def test_values_list(people: People) -> None:
    """Tuples in the order asked for, of all simple fields in the order of the model by default; flat for one field."""
    collection = people.person.collection
    everything = [("1", "John", "Smith", "1960"), ("2", "John", "Doe", "1965")]
    assert everything == collection(firstname="John").sort().values_list()
    assert [("1", "Smith"), ("2", "Doe")] == collection(firstname="John").sort().values_list("pk", "lastname")
    assert [("Smith",), ("Doe",)] == collection(firstname="John").sort().values_list("lastname")
    assert ["Smith", "Doe"] == collection(firstname="John").sort().values_list("lastname", flat=True)
    assert ["1", "2"] == collection(firstname="John").sort().values_list("pk", flat=True)


def test_primary_keys_cancels_values(people: People) -> None:
    """``primary_keys`` gives primary keys again, after each of them."""
    johns = people.person.collection(firstname="John").sort()
    assert ["1", "2"] == johns.values().primary_keys()
    assert ["1", "2"] == johns.values_list().primary_keys()
    assert ["1", "2"] == johns.values_list("lastname", flat=True).primary_keys()


def test_only_simple_fields_are_values(server: Backend) -> None:
    """By default the pk, StringFields and InstanceHashFields; a value that is not there is None."""
    thing = every_kind(server.database()).Thing
    thing(title="first", tags=["a"], rows=["x"], headers={"from": "me"})
    simple = {"pk": "1", "title": "first", "code": None, "count": None, "name": None, "email": None, "note": None}
    assert [simple] == thing.collection(tags="a").values()
    assert [tuple(simple.values())] == thing.collection(title="first").values_list()


def test_entries_of_a_hash_and_members_are_filters(server: Backend) -> None:
    """A HashField is filtered by entry, a field with many values by each of them."""
    thing = every_kind(server.database()).Thing
    thing(headers={"from": "ann@example.com", "to": "bob"}, tags=["new", "red"])
    thing(headers={"from": "ann@example.com", "to": "eve"}, tags=["new"])
    assert {"1", "2"} == set(thing.collection(headers__from="ann@example.com"))
    assert {"2"} == set(thing.collection(headers__from="ann@example.com", headers__to="eve"))
    assert {"1"} == set(thing.collection(headers__from="ann@example.com", tags="red"))
    collection = thing.collection(tags="red", manager=ExtendedCollectionManager)
    assert {"1"} == set(collection.filter(tags="new"))


def test_chaining_filters(extended: Any) -> None:
    """Filters are added after the call; all are ANDed, also two on one field."""
    collection = extended.collection(firstname="John")
    assert collection.filter(city="New York") is collection
    assert {"1", "2"} == set(collection)
    assert {"2"} == set(collection.filter(lastname="Doe"))
    assert set() == set(extended.collection(firstname="John").filter(firstname="Emily"))
    assert {"1", "2"} == set(extended.collection(firstname="John").filter(firstname="John"))
    assert {"2"} == set(extended.collection(firstname="John").filter(pk=2))
    assert set() == set(extended.collection(pk=1).filter(pk=2))


def test_intersections(extended: Any) -> None:
    """The documented example: two lists of primary keys in one call."""
    my_friends = [1, 2, 3]
    john_people = list(extended.collection(firstname="John"))
    assert {"1", "2"} == set(extended.collection(city="New York").intersect(john_people, my_friends))
    assert {"2"} == set(extended.collection(city="New York").intersect(john_people).intersect([3, 2]))


@pytest.mark.parametrize(
    "given", [[1, "4"], {1, "4"}, (1, "4"), frozenset({"1", "4"}), [b"1", b"4", "77"], ["1", 1, 4]]
)
def test_intersecting_python_s_lists_sets_and_tuples(extended: Any, given: Any) -> None:
    """Each holds primary keys in any spelling; those that are not there are not found."""
    assert {"1", "4"} == set(extended.collection().intersect(given))
    assert {"1"} == set(extended.collection(city="New York").intersect(given))
    assert ["4", "1"] == extended.collection().intersect(given).sort(desc=True)


def test_intersecting_instances_and_a_collection(extended: Any) -> None:
    """A list of instances and another collection count by their primary keys."""
    johns = extended.collection(firstname="John")
    assert {"1"} == set(extended.collection(birth_year=1960).intersect(johns))
    assert {"1"} == set(extended.collection(birth_year=1960).intersect(list(johns.instances())))
    assert {"1"} == set(extended.collection(birth_year=1960).intersect(extended.collection(firstname="John").values()))


@pytest.mark.parametrize("nothing", [[], (), set(), frozenset()])
def test_intersecting_nothing_finds_nothing(extended: Any, nothing: Any) -> None:
    """An empty list is a list: the intersection with it is empty."""
    empty = extended.collection(city="New York").intersect(nothing)
    assert [] == list(empty)
    assert [] == empty.sort(by="birth_year").values("firstname")
    assert 0 == len(empty)
    assert not empty
    assert "1" not in empty
    assert [] == empty[0:2]


def test_intersecting_keys(server: Backend, extended: Any) -> None:
    """A text is the key of a set, a sorted set or a list; one that is not there is empty."""
    client = server.client()
    client.sadd("a:set", "1", "4")
    client.zadd("a:sorted:set", {"1": 0, "4": 2.5})
    client.rpush("a:list", "4", "1", "1")
    for key in ("a:set", "a:sorted:set", "a:list"):
        assert {"1", "4"} == set(extended.collection().intersect(key))
        assert {"1"} == set(extended.collection(city="New York").intersect(key))
        assert ["4", "1"] == extended.collection().intersect(key).sort(desc=True)
        assert ["Susan"] == extended.collection(city="Paris").intersect(key).values_list("firstname", flat=True)
    assert {"1"} == set(extended.collection(city="New York").intersect("a:set", "a:sorted:set", "a:list", [1, 3]))
    assert [] == list(extended.collection().intersect("no:key"))


@pytest.mark.parametrize(("field", "found"), [("friends", {"1", "2"}), ("history", {"2"}), ("met", {"1", "2"})])
def test_intersecting_fields(people: People, field: str, found: set[str]) -> None:
    """A SetField, ListField and SortedSetField of an instance are lists, too."""
    me = current_user(people)
    mine = people.extended.collection(city="New York").intersect(getattr(me, field))
    assert found == set(mine)
    assert sorted(found) == mine.sort()
    assert sorted(found, reverse=True) == mine.sort(desc=True)[:]
    assert len(found) == len(mine)


def test_a_member_with_score_0_is_in_a_sorted_set(people: People) -> None:
    """A score of 0 is a score, however the sorted set is asked."""
    me = people.user(login="me", met={"1": 0, "2": 1})
    collection = people.extended.collection().intersect(me.met)
    assert {"1", "2"} == set(collection)
    assert {"1"} == set(collection.copy().intersect([1, 3]))
    assert "1" in collection


def test_fields_are_read_when_the_collection_runs(real: Real, real_server: RealServer) -> None:
    """Saying a field asks nothing; what it holds when the collection is looked at counts, at every look anew."""
    people = documented(real.database())
    me = current_user(people)
    with Monitor(real_server) as seen:
        collection = people.extended.collection(city=me.city).intersect(me.history)
        collection.sort(by_score=me.met).values("pk", SORTED_SCORE)
    assert [] == seen
    assert [{"pk": "2", SORTED_SCORE: "1980"}] == collection
    me.city.hset("Paris")
    assert [{"pk": "4", SORTED_SCORE: "1990"}] == collection
    me.met.zadd({"4": 1991})
    assert [{"pk": "4", SORTED_SCORE: "1991"}] == collection
    me.city.delete()
    assert [] == collection


def test_sort_by_score(people: People) -> None:
    """The documented example: friends of one's city by the date one met them."""
    me = current_user(people)
    collection = people.extended.collection(city=me.city.get())
    collection.intersect(me.friends)
    collection.sort(by_score=me.met)
    assert ["2", "1"] == collection
    assert ["1", "2"] == collection.sort(by_score=me.met, desc=True)
    assert ["2", "1"] == collection.sort(by_score=":user:me:met")
    assert ["1"] == collection[1:2]


def test_sorted_score_is_a_value(people: People) -> None:
    """``SORTED_SCORE`` stands among the fields of values; scores read as Redis gives them."""
    me = current_user(people)
    collection = people.extended.collection(city="New York").intersect(me.met).sort(by_score=me.met)
    assert "sorted_score" == SORTED_SCORE
    assert [
        {"firstname": "John", "sorted_score": "1980"},
        {"firstname": "John", "sorted_score": "1985"},
    ] == collection.values("firstname", SORTED_SCORE)
    assert [("1980", "Doe"), ("1985", "Smith")] == collection.values_list(SORTED_SCORE, "lastname")
    assert ["1980", "1985"] == collection.values_list(SORTED_SCORE, flat=True)
    assert [{"sorted_score": "1985"}] == collection.values(SORTED_SCORE)[1:]
    assert ["2", "1"] == collection.primary_keys()


def test_scores_as_redis_gives_them(server: Backend, people: People) -> None:
    """A score is the text of ZRANGE ... WITHSCORES, whatever its size."""
    scores = {"1": 0.1, "2": 1e20, "3": float("inf"), "4": -2.5}
    me = people.user(login="me", met=scores)
    client = server.client(protocol=2)
    client.set_response_callback("ZRANGE", lambda reply, **options: reply)
    raw = [item.decode() for item in client.execute_command("ZRANGE", ":user:me:met", 0, -1, "WITHSCORES")]
    order = ["4", "1", "2", "3"]
    assert order == people.extended.collection().sort(by_score=me.met)
    by_score = people.extended.collection().sort(by_score=me.met).values_list("pk", SORTED_SCORE)
    assert list(zip(raw[::2], raw[1::2], strict=True)) == by_score


def test_what_has_no_score_counts_as_0(people: People) -> None:
    """An object that is not in the sorted set sorts as 0, and its score is None."""
    me = people.user(login="me", met={"1": -1, "2": 1})
    collection = people.extended.collection().sort(by_score=me.met)
    assert ["1", "3", "4", "2"] == collection
    assert ["-1", None, None, "1"] == collection.values_list(SORTED_SCORE, flat=True)


def test_sort_by_a_field_object(people: People) -> None:
    """``by`` is a field of the model, or of one of its instances."""
    extended = people.extended
    assert ["3", "1", "4", "2"] == extended.collection().sort(by=extended.birth_year)
    assert ["2", "4", "1", "3"] == extended.collection().sort(by=extended.birth_year, desc=True)
    assert ["3", "1", "4", "2"] == extended.collection().sort(by=extended("1").birth_year)
    assert ["1", "2", "3", "4"] == extended.collection().sort(by=extended.pk)
    assert [("Smith",)] == extended.collection(pk=1).values_list(extended.lastname)


def test_instances_and_fields_are_values_of_filters(people: People) -> None:
    """The right side of a filter is a value, a field with one value, or an instance, which stands for its pk."""
    extended, first = people.extended, people.extended("1")
    assert {"1", "4"} == set(extended.collection(birth_year=first.birth_year))
    assert {"1"} == set(extended.collection(birth_year=first.birth_year).filter(city=first.city))
    assert {"1"} == set(extended.collection(pk=first))
    assert {"1"} == set(extended.collection(pk=first.pk))
    extended(firstname="1", lastname="by reference")
    assert {"5"} == set(extended.collection(firstname=first))


@pytest.mark.parametrize("shape", ["values", "values_list", "instances", "primary_keys"])
def test_chaining_in_any_order(people: People, shape: str) -> None:
    """What is asked for and how it is found are said in any order."""
    me = current_user(people)
    steps = {
        "filter": lambda c: c.filter(lastname="Smith"),
        "intersect": lambda c: c.intersect(me.friends, [1, 3]),
        "sort": lambda c: c.sort(by="birth_year"),
        "shape": lambda c: getattr(c, shape)(),
    }
    results = []
    for order in (list(steps), list(reversed(steps)), ["shape", "filter", "sort", "intersect"]):
        collection = people.extended.collection(city="New York")
        for step in order:
            assert steps[step](collection) is collection
        results.append(list(collection))
    assert results[0] == results[1] == results[2]
    assert 1 == len(results[0])
