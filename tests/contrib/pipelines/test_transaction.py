"""transaction(): the function is called again where something watched has changed, until it succeeds or time is up."""

import itertools
import time
from typing import Any

import pytest

from tests.contrib.pipelines.people import SHAPES, on
from tests.contrib.related.wholeness import check_whole
from tests.models import Groups, groups
from tests.tools.backends import Backend
from uowredis import ArgumentTypeError, Conflict, DoesNotExist, SessionError, UniquenessError
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def person(people: Groups) -> Any:
    """Person 1 of three."""
    return people.three()[0]


def test_it_returns_the_replies(database: PipelineDatabase, people: Groups, person: Any) -> None:
    """Those of the pipeline, in the order said; what was read before multi() is none."""

    def double(pipeline: Any) -> str:
        hits = int(person.hits.get())
        pipeline.multi()
        person.hits.set(2 * hits)
        person.hits.get()
        people.Person.collection(city="Lyon")
        return "returned"

    assert [True, "6", ["3"]] == database.transaction(double, person.hits)
    assert "returned" == database.transaction(double, person.hits, value_from_callable=True)
    assert "12" == person.hits.get()


def test_it_calls_again_until_it_succeeds(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """Every call reads anew; what was said by those before it is forgotten."""
    client, seen = server.client(), []

    def double(pipeline: Any) -> None:
        seen.append(hits := int(person.hits.get()))
        if len(seen) < 5:
            client.incr(":person:1:hits")
        pipeline.multi()
        person.hits.set(2 * hits)
        person.queue.rpush(len(seen))

    assert [True, 3] == database.transaction(double, person.hits)
    assert ([3, 4, 5, 6, 7], "14") == (seen, person.hits.get())
    assert ["1", "2", "5"] == person.queue.lrange(0, -1)


def test_it_stops_when_time_is_up(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """``retry_for`` seconds are for calling again, not for the first call; the Conflict names what keeps changing."""
    client, calls = server.client(), itertools.count(1)

    def never(pipeline: Any) -> None:
        client.incr(":person:1:hits")
        pipeline.multi()
        person.city.set(f"attempt {next(calls)}")

    begun = time.monotonic()
    with pytest.raises(Conflict) as caught:
        database.transaction(never, person.hits, retry_for=0.2)
    assert 0.2 <= time.monotonic() - begun
    assert ("Person <1>.hits",) == caught.value.fields
    assert 2 < next(calls)
    assert "Paris" == person.city.get()
    calls = itertools.count(1)
    with pytest.raises(Conflict):
        database.transaction(never, person.hits, retry_for=0)
    assert 2 == next(calls)


def test_the_database_says_for_how_long(server: Backend) -> None:
    """Without ``retry_for`` it is the database's."""
    with on(server, retry_for=0) as database:
        (person, _, _), calls = groups(database).three(), []

        def never(pipeline: Any) -> None:
            calls.append(server.client().incr(":person:1:hits"))
            pipeline.multi()
            person.city.set("Rome")

        with pytest.raises(Conflict):
            database.transaction(never, person.hits)
        assert 1 == len(calls)


def test_a_change_that_is_not_watched_is_lost(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """It guards what it is told to watch, nothing else that the function reads."""
    client, calls = server.client(), []

    def double(pipeline: Any) -> None:
        calls.append(hits := int(person.hits.get()))
        client.set(":person:1:hits", 100)
        pipeline.multi()
        person.hits.set(2 * hits)

    assert [True] == database.transaction(double, person.age, "another key")
    assert ([3], "6") == (calls, person.hits.get())


def test_it_may_watch_nothing(database: PipelineDatabase, person: Any) -> None:
    """Reads are answered at once all the same until multi(), and writes refused."""

    def double(pipeline: Any) -> None:
        hits = int(person.hits.get())
        with pytest.raises(SessionError):
            person.hits.set(0)
        pipeline.multi()
        person.hits.set(2 * hits)

    assert [True] == database.transaction(double)
    assert "6" == person.hits.get()


def test_indexed_fields_are_kept(server: Backend, database: PipelineDatabase, people: Groups, person: Any) -> None:
    """An indexed field, a unique one and an object may be changed in it, whatever was read before."""

    def swap(pipeline: Any) -> None:
        other = people.Person("2")
        first, second = person.name.hget(), other.name.hget()
        pipeline.multi()
        person.name.hset(second)
        other.name.hset(first)
        person.city.set("Rome")
        people.Person(name="d", city="Rome")
        people.Person("3").delete()

    replies = database.transaction(swap, person.name, people.Person("2").name)
    assert [0, 0, True, people.Person("4"), None] == replies
    assert {"1", "4"} == set(people.Person.collection(city="Rome"))
    check_whole(server.dump(), SHAPES)


def test_an_exception_of_the_function_ends_it(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """It goes through as it is, at once, and nothing is applied; the function is not called again."""
    before, calls = server.dump(), []

    def fail(pipeline: Any) -> None:
        calls.append(1)
        pipeline.multi()
        person.hits.set(9)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        database.transaction(fail, person.hits)
    assert ([1], before) == (calls, server.dump())
    assert True is person.hits.set(4)


@pytest.mark.parametrize("taken", ["unique value", "gone"])
def test_a_refusal_ends_it(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any, taken: str
) -> None:
    """What cannot be is no conflict: it is raised at once."""
    calls = []

    def attempt(pipeline: Any) -> None:
        calls.append(1)
        pipeline.multi()
        if taken == "unique value":
            person.name.hset("b")
        else:
            people.Person._handle("99").hits.set(1)

    before = server.dump()
    with pytest.raises(UniquenessError if taken == "unique value" else DoesNotExist):
        database.transaction(attempt, person.hits)
    assert ([1], before) == (calls, server.dump())


def test_a_function_that_forgets_multi(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """Its write is refused with the way out; one that only reads has no replies."""
    before = server.dump()
    with pytest.raises(SessionError, match="multi"):
        database.transaction(lambda pipeline: person.hits.incr(), person.hits)
    assert before == server.dump()
    assert [] == database.transaction(lambda pipeline: person.hits.get(), person.hits)
    assert "3" == database.transaction(lambda pipeline: person.hits.get(), person.hits, value_from_callable=True)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda pipeline: {}["nothing"], KeyError),
        (lambda pipeline: pipeline.watch(3), ArgumentTypeError),
        (lambda pipeline, more: None, TypeError),
        (lambda pipeline: pipeline.multi(), None),
        (lambda pipeline: pipeline.execute(), SessionError),
        (lambda pipeline: pipeline.reset(), None),
    ],
)
def test_it_leaves_no_pipeline_open(
    server: Backend, database: PipelineDatabase, person: Any, function: Any, error: Any
) -> None:
    """However it ended, calls are sent at once again, and nothing is watched."""
    if error is None:
        assert [] == database.transaction(function, person.hits)
    else:
        with pytest.raises(error):
            database.transaction(function, person.hits)
    server.client().incr(":person:1:hits")
    assert (4, "4") == (int(person.hits.get()), person.hits.get())
    assert 5 == person.hits.incr()


def test_watches_are_fields_and_keys(database: PipelineDatabase, person: Any) -> None:
    """Anything else is refused before the function is called."""
    with pytest.raises(ArgumentTypeError):
        database.transaction(lambda pipeline: pytest.fail("called"), person.hits, 3)
    assert 4 == person.hits.incr()
