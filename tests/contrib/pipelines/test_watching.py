"""watch() and multi(): reads at once, then commands that wait; a Conflict where something watched has changed."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contrib.pipelines.people import SHAPES
from tests.contrib.related.wholeness import check_whole
from tests.models import Groups
from tests.tools.backends import Backend
from uowredis import ArgumentError, ArgumentTypeError, Conflict, ImplementationError, SessionError
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def person(people: Groups) -> Any:
    """Person 1 of three."""
    return people.three()[0]


def test_reads_are_answered_at_once(database: PipelineDatabase, people: Groups, person: Any) -> None:
    """Between watch() and multi() fields, objects and collections answer; they are no replies of the pipeline."""
    with database.pipeline() as pipeline:
        pipeline.watch(person.hits, "a key")
        assert ("3", {"name": "a", "age": "30"}) == (person.hits.get(), person.hgetall())
        assert ({"1", "2"}, 3) == (set(people.Person.collection(city="Paris")), len(people.Person.collection()))
        assert ["a", "30"] == people.Person.get(name="a").hmget("name", "age")
        assert people.Person("2").exists(city="Lyon")
        assert () == pipeline.pending
        pipeline.multi()
        person.hits.get()
        people.Person.collection(city="Lyon")
        assert ["3", ["3"]] == pipeline.execute()


def writes(people: Groups) -> dict[str, Callable[[], Any]]:
    person, empty = people.Person("1"), people.Person()
    return {
        "field": lambda: person.hits.set(9),
        "entry": lambda: person.hmset(age=1),
        "constructor": lambda: people.Person(name="z"),
        "chosen pk": lambda: people.Shelf(label="z"),
        "deletion": lambda: person.delete(),
        "first write": lambda: empty.hits.set(1),
        "first pk": lambda: empty.pk.get(),
    }


@pytest.mark.parametrize("what", ["field", "entry", "constructor", "chosen pk", "deletion", "first write", "first pk"])
def test_writes_are_refused_until_multi(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any, what: str
) -> None:
    """A write before multi() raises and leaves nothing behind; afterwards it waits like any other."""
    write = writes(people)[what]
    before = server.dump()
    with database.pipeline() as pipeline:
        pipeline.watch("a key")
        with pytest.raises(SessionError):
            write()
        assert ((), before) == (pipeline.pending, server.dump())
        pipeline.multi()
        write()
        assert () != pipeline.pending
        pipeline.execute()
    check_whole(server.dump(), SHAPES | {"shelf": {}})


def test_watch_comes_first(database: PipelineDatabase, person: Any) -> None:
    """After the first command, a read too, watch() and multi() are refused; what was said stays."""
    with database.pipeline() as pipeline:
        person.hits.get()
        with pytest.raises(SessionError):
            pipeline.watch(person.hits)
        with pytest.raises(SessionError):
            pipeline.multi()
        person.hits.incr()
        assert ["3", 4] == pipeline.execute()
        pipeline.watch(person.hits)
        assert "4" == person.hits.get()


def test_multi_without_watch(database: PipelineDatabase, person: Any) -> None:
    """It changes nothing: a pipeline is a transaction from its beginning."""
    with database.pipeline() as pipeline:
        pipeline.multi()
        person.hits.incr()
        person.hits.get()
        assert [4, "4"] == pipeline.execute()


def test_execute_and_reset_end_the_watch(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """From then on reads wait again, and changes of others are no conflict."""
    client = server.client()
    with database.pipeline() as pipeline:
        for end in (pipeline.execute, pipeline.reset):
            pipeline.watch(person.hits)
            assert person.hits.get() is not None
            end()
            client.incr(":person:1:hits")
            person.hits.incr()
            read = person.hits.get()
            assert read.waits
            pipeline.execute()
    assert "7" == person.hits.get()


def test_several_watches_add_up(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """watch() may be called again before multi(); what was watched first stays watched."""
    for key in (b":person:1:hits", b":person:1:queue", b"a key"):
        with database.pipeline() as pipeline:
            pipeline.watch(person.hits)
            person.age.get()
            pipeline.watch("a key", person.queue)
            client = server.client()
            client.delete(key)
            client.rpush(key, "changed")
            pipeline.multi()
            person.age.hset(99)
            with pytest.raises(Conflict) as caught:
                pipeline.execute()
            assert (key.decode(),) == caught.value.keys
            pipeline.reset()
    assert "30" == person.age.get()


@pytest.mark.parametrize("attempts", [1, 10])
def test_a_change_of_what_is_watched_is_a_conflict(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any, attempts: int
) -> None:
    """It names keys and fields; nothing is applied, and what was said is still there."""
    client = server.client()
    with database.pipeline(attempts=attempts) as pipeline:
        pipeline.watch(person.hits, person.age, ":person:city:Lyon", "a key")
        hits = int(person.hits.get())
        client.incr(":person:1:hits")
        client.set("a key", "x")
        before = server.dump()
        pipeline.multi()
        person.hits.set(hits + 1)
        person.city.set("Rome")
        people.Person.collection(city="Rome")
        with pytest.raises(Conflict) as caught:
            pipeline.execute()
        assert before == server.dump()
        assert (":person:1:hits", "a key") == caught.value.keys
        assert ("Person <1>.hits", "a key") == caught.value.fields
        assert {":person:1:hits", ":person:1:hash", ":person:city:Lyon", "a key"} <= set(caught.value.watched)
        assert (3, "not applied") == (len(pipeline.pending), pipeline.outcome)
        pipeline.reset()
        assert [] == pipeline.execute()
    assert "4" == person.hits.get()


def test_a_field_of_the_instance_hash_is_watched_with_its_neighbours(
    server: Backend, database: PipelineDatabase, person: Any
) -> None:
    """WATCH knows keys only: an entry is watched as the whole hash of its object."""
    with database.pipeline() as pipeline:
        pipeline.watch(person.age)
        server.client().hset(":person:1:hash", "name", "changed")
        pipeline.multi()
        person.age.hset(1)
        with pytest.raises(Conflict) as caught:
            pipeline.execute()
        assert (":person:1:hash",) == caught.value.keys
        pipeline.reset()


def test_a_value_that_was_restored_is_no_conflict(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """What is watched is kept by what it holds: changed and changed back, it is what was decided on."""
    client = server.client()
    with database.pipeline() as pipeline:
        pipeline.watch(person.hits)
        person.hits.get()
        client.set(":person:1:hits", "7")
        client.set(":person:1:hits", "3")
        pipeline.multi()
        person.hits.incr()
        assert [4] == pipeline.execute()


@pytest.mark.parametrize("what", [3, None, 2.5, object()])
def test_what_cannot_be_watched(database: PipelineDatabase, person: Any, what: Any) -> None:
    """Anything but fields and keys is refused; so is nothing at all, and a field without key."""
    with database.pipeline() as pipeline:
        with pytest.raises(ArgumentTypeError):
            pipeline.watch(person.hits, what)
        with pytest.raises(ArgumentError):
            pipeline.watch()
        with pytest.raises(ImplementationError):
            pipeline.watch(type(person)().hits)
        person.hits.get()
        assert ["3"] == pipeline.execute()
