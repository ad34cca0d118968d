"""A collection in a pipeline is one reply, as it is refined by then, and answers as it is after all commands."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.models import Groups
from tests.tools.backends import Backend
from uowredis import NotCommitted, PartiallyApplied, PendingWrites, Rejected
from uowredis.contrib.collection import SORTED_SCORE
from uowredis.contrib.database import PipelineDatabase

Make = Callable[[Groups, Any], Any]

#: Each collection that is made of the models and the one shelf.
SHAPES: dict[str, Make] = {
    "pks": lambda m, shelf: m.Person.collection(),
    "filtered": lambda m, shelf: m.Person.collection(city="Paris"),
    "filtered twice": lambda m, shelf: m.Person.collection(city="Paris", tags="y"),
    "filtered later": lambda m, shelf: m.Person.collection().filter(city="Paris").filter(tags="x"),
    "filtered by pk": lambda m, shelf: m.Person.collection(pk="1", city="Paris"),
    "of nothing": lambda m, shelf: m.Person.collection(city="Nowhere"),
    "values": lambda m, shelf: m.Person.collection(city="Paris").values(),
    "some values": lambda m, shelf: m.Person.collection().values("name", "hits"),
    "tuples": lambda m, shelf: m.Person.collection(city="Paris").values_list("pk", "hits", "age"),
    "flat": lambda m, shelf: m.Person.collection(city="Paris").values_list("name", flat=True),
    "flat of two filters": lambda m, shelf: m.Person.collection(city="Paris", tags="y").values_list("name", flat=True),
    "instances": lambda m, shelf: m.Person.collection(city="Paris").instances(),
    "all instances": lambda m, shelf: m.Person.collection().instances(),
    "lazy instances": lambda m, shelf: m.Person.collection(city="Paris").instances(lazy=True),
    "sorted": lambda m, shelf: m.Person.collection().sort(by="hits"),
    "sorted backwards": lambda m, shelf: m.Person.collection(city="Paris").sort(by="-age"),
    "sorted as text": lambda m, shelf: m.Person.collection().sort(by="name", alpha=True, desc=True),
    "sorted by pk": lambda m, shelf: m.Person.collection(tags="y").sort(),
    "sorted values": lambda m, shelf: (
        m.Person.collection(city="Paris", tags="y").sort(by="hits").values("name", "hits")
    ),
    "sorted flat": lambda m, shelf: m.Person.collection().sort(by="age").values_list("name", flat=True),
    "sorted instances": lambda m, shelf: m.Person.collection().sort(by="age").instances(),
    "sorted lazy instances": lambda m, shelf: m.Person.collection().sort(by="-age").instances(lazy=True),
    "text pks": lambda m, shelf: m.Shelf.collection().sort(),
    "text pks as text": lambda m, shelf: m.Shelf.collection().sort(alpha=True).values("label", "town"),
    "in a list": lambda m, shelf: m.Person.collection().intersect(["1", "3", "9"]),
    "in a set": lambda m, shelf: m.Person.collection().intersect(shelf.chosen),
    "in an empty object's set": lambda m, shelf: m.Person.collection().intersect(m.Person().tags),
    "by an empty object's scores": lambda m, shelf: m.Person.collection(pk="2").sort(by_score=m.Person().scores),
    "in a list field": lambda m, shelf: m.Person.collection().intersect(shelf.seen),
    "in a scored set": lambda m, shelf: m.Person.collection(city="Paris").intersect(shelf.marks).values("name"),
    "in a key": lambda m, shelf: m.Person.collection().intersect(":shelf:s:chosen"),
    "in the key of a list": lambda m, shelf: m.Person.collection().intersect(":shelf:s:seen"),
    "by scores": lambda m, shelf: m.Person.collection().sort(by_score=shelf.marks),
    "by scores of a key": lambda m, shelf: m.Person.collection().sort(by_score=":shelf:s:marks", desc=True),
    "by scores, instances": lambda m, shelf: m.Person.collection().sort(by_score=shelf.marks).instances(),
    "with scores": lambda m, shelf: (
        m.Person.collection(city="Paris").sort(by_score=shelf.marks).values_list("name", SORTED_SCORE)
    ),
    "by a field": lambda m, shelf: m.Person.collection(city=shelf.town),
    "by a field, values": lambda m, shelf: m.Person.collection(city=shelf.town).sort(by="hits").values("name"),
    "owned": lambda m, shelf: m.Person("1").owned(),
    "owned instances": lambda m, shelf: m.Person("1").owned().instances(),
    "membership": lambda m, shelf: m.Person("2").membership(title="g").values("title"),
    "owned by": lambda m, shelf: m.Group.collection(owner=m.Person("1")),
}

ORDERED = ("sorted", "scores", "text pks")


@pytest.fixture
def shelf(people: Groups) -> Any:
    """Three persons, what lists them, and a group of them."""
    a, b, _ = people.three()
    people.Group(title="g", owner=a, members=[a, b])
    people.Group(title="h", owner=b, members=[b])
    people.Shelf(label="r", town="Rome")
    return people.Shelf(label="s", town="Paris", chosen=["1", "2"], seen=["3", "1", "1"], marks={"2": 1, "1": 5.5})


def items(name: str, found: Iterable[Any]) -> list[Any]:
    """Return what was *found*, by its text where Redis promises no order."""
    return list(found) if any(word in name for word in ORDERED) else sorted(found, key=repr)


@pytest.mark.parametrize("name", SHAPES)
def test_a_collection_is_one_reply(people: Groups, shelf: Any, name: str) -> None:
    """Every shape is one reply at its place, equal to what it answers outside; afterwards nothing is pending."""
    expected = items(name, SHAPES[name](people, shelf))
    person = people.Person("3")
    with people.database.pipeline() as pipeline:
        person.hits.get()
        said = len(pipeline.pending)
        collection = SHAPES[name](people, shelf)
        assert said + 1 == len(pipeline.pending)
        person.age.get()
        first, reply, last = pipeline.execute()
        assert ("2", expected, "10") == (first, items(name, reply), last)
        assert expected == items(name, collection)
        assert () == pipeline.pending
        assert [] == pipeline.execute()
    assert expected == items(name, collection)


@pytest.mark.parametrize("name", SHAPES)
def test_a_collection_answers_as_it_is_after_all_commands(people: Groups, shelf: Any, name: str) -> None:
    """Writes before it and behind it are in its answer, also those on what the query stands on."""
    a, b, c = (people.Person(pk) for pk in "123")
    before = items(name, SHAPES[name](people, shelf))
    with people.database.pipeline() as pipeline:
        a.city.set("Lyon")
        c.tags.sadd("y", "x")
        shelf.town.hset("Lyon")
        collection = SHAPES[name](people, shelf)
        people.Person(name="d", city="Paris", tags=["y"], hits=0, age=5)
        c.hits.set(-4)
        b.name.hset("bb")
        shelf.chosen.sadd("3")
        shelf.seen.rpush("2")
        shelf.marks.zadd({"3": 9, "1": 0})
        people.Group("1").owner.hset(b)
        people.Shelf(label="t", town="Bonn")
        replies = pipeline.execute()
    right_after = items(name, SHAPES[name](people, shelf))
    assert right_after == items(name, replies[3])
    assert right_after == items(name, collection)
    assert [True, 2, 0] == replies[:3]
    if name not in ("of nothing", "filtered by pk", "in a list", "membership") and "empty" not in name:
        assert before != right_after


def test_it_is_refined_until_it_is_executed(people: Groups, shelf: Any) -> None:
    """What is said of it later in the pipeline belongs to its reply."""
    with people.database.pipeline() as pipeline:
        collection = people.Person.collection()
        people.Person("1").hits.get()
        collection.filter(city="Paris")
        collection.sort(by="hits").values_list("name", flat=True)
        assert [["b", "a"], "3"] == pipeline.execute()


@pytest.mark.parametrize("name", SHAPES)
def test_a_copy_is_looked_at_on_its_own(people: Groups, shelf: Any, name: str) -> None:
    """``copy()`` is no reply: it asks when it is looked at, and answers as after the commit, or cannot know it."""
    with people.database.pipeline() as pipeline:
        people.Person("3").city.set("Paris")
        shelf.town.hset("Lyon")
        shelf.chosen.sadd("3")
        shelf.seen.rpush("2")
        shelf.marks.zadd({"3": 9, "1": 0})
        if "key" in name:
            with pytest.raises(PendingWrites):
                list(SHAPES[name](people, shelf).copy())
            seen = None
        else:
            seen = items(name, SHAPES[name](people, shelf).copy())
        replies = pipeline.execute()
    assert 6 == len(replies)
    if seen is not None:
        assert items(name, SHAPES[name](people, shelf)) == items(name, replies[5]) == seen


@pytest.mark.parametrize(
    "look",
    [
        list,
        len,
        bool,
        set,
        repr,
        lambda one: one[0],
        lambda one: one[:2],
        lambda one: "1" in one,
        lambda one: one == [],
    ],
)
def test_it_is_not_looked_at_before(people: Groups, shelf: Any, look: Callable[[Any], Any]) -> None:
    """Before execute() it has no items; only its text tells what it waits for."""
    with people.database.pipeline() as pipeline:
        collection = people.Person.collection(city="Paris")
        if look is repr:
            assert "<a collection of Person that waits for the pipeline>" == repr(collection)
        else:
            with pytest.raises(NotCommitted):
                look(collection)
        assert [["1", "2"]] == [sorted(reply) for reply in pipeline.execute()]
        look(collection)


def test_it_is_looked_at_after_a_rollback(people: Groups, shelf: Any) -> None:
    """What was forgotten is no reply any more; the collection asks like any other."""
    with people.database.pipeline() as pipeline:
        collection = people.Person.collection(city="Lyon")
        pipeline.reset()
        assert ["3"] == collection
        assert [] == pipeline.execute()


@pytest.mark.parametrize("way", ["store", "from_stored"])
def test_a_stored_collection(people: Groups, shelf: Any, way: str) -> None:
    """A stored collection in a pipeline gives what was stored, as outside."""
    people.Person.collection(city="Lyon").store("kept")
    with people.database.pipeline() as pipeline:
        if way == "store":
            stored = people.Person.collection(city="Lyon").store("again")
        else:
            stored = people.Person.collection().from_stored("kept")
        people.Person("1").hits.get()
        assert [["3"], "3"] == pipeline.execute()
    assert ["3"] == list(stored)


def test_values_that_are_no_numbers(server: Backend, people: Groups, shelf: Any) -> None:
    """A sort by text without alpha is refused where there are only reads, and partial where writes were applied."""
    with people.database.pipeline() as pipeline:
        people.Person.collection().sort(by="name")
        with pytest.raises(Rejected):
            pipeline.execute()
        pipeline.reset()
        people.Person("1").hits.set(77)
        people.Person.collection().sort(by="name")
        with pytest.raises(PartiallyApplied):
            pipeline.execute()
    assert "77" == people.Person("1").hits.get()


@pytest.mark.parametrize("name", SHAPES)
def test_it_is_planned_with_reads_only(
    server: Backend, database: PipelineDatabase, people: Groups, shelf: Any, name: str
) -> None:
    """plan() changes nothing, and what it shows is what is sent."""
    before = server.dump()
    with database.pipeline() as pipeline:
        people.Person("1").hits.set(5)
        SHAPES[name](people, shelf)
        plan = pipeline.plan()
        assert plan == pipeline.plan()
        assert before == server.dump()
        replies = pipeline.commit(plan)
        assert plan == pipeline.last_plan
    assert items(name, SHAPES[name](people, shelf)) == items(name, replies[1])
    after = server.dump()
    assert {**before, b":person:1:hits": ("string", b"5")} == after
