"""Every example of the documentation's chapter on pipelines (2.6.2)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contrib.pipelines.models import on
from tests.tools.backends import Backend
from uowredis import RedisDatabase, RedisModel, StringField
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def database(server: Backend) -> Iterator[PipelineDatabase]:
    """A database with pipelines on each kind of server in turn, empty."""
    with on(server) as database:
        yield database


@pytest.fixture
def person(database: PipelineDatabase) -> Any:
    """The documentation's model with its five persons."""
    main_database = database

    class Person(RedisModel):
        database = main_database
        namespace = "foo"
        name = StringField()
        city = StringField(indexable=True)

    Person(name="Jean Dupond", city="Paris")
    Person(name="Francois Martin", city="Paris")
    Person(name="John Smith", city="New York")
    Person(name="John Doe", city="San Franciso")
    Person(name="Paul Durand", city="Paris")
    return Person


@pytest.fixture
def page(database: PipelineDatabase) -> Any:
    """The documentation's model that counts hits."""
    main_database = database

    class Page(RedisModel):
        database = main_database
        url = StringField(indexable=True)
        hits = StringField()

        def incr_hits(self, *, meanwhile: Any = None) -> Any:
            """Increment the number of hits without race condition; call *meanwhile* between the read and the write."""

            def do_incr(pipeline: Any) -> None:
                previous_value = self.hits.get()
                if meanwhile is not None:
                    meanwhile()
                pipeline.multi()
                self.hits.set(int(previous_value) + 1)

            return main_database.transaction(do_incr, *[self.hits])

    return Page


def test_every_database_has_pipelines(server: Backend) -> None:
    """``PipelineDatabase`` is another name of ``RedisDatabase``, with its arguments."""
    assert PipelineDatabase is RedisDatabase
    with on(server, attempts=3) as database:
        assert 3 == database._options.attempts


def test_all_names_in_one_call(database: PipelineDatabase, person: Any) -> None:
    """The replies come in the order said, all of them in one round trip."""
    persons = list(person.collection(city="Paris").sort().instances())
    with database.pipeline() as pipeline:
        for one in persons:
            one.name.get()
        names = pipeline.execute()
    assert ["Jean Dupond", "Francois Martin", "Paul Durand"] == names
    assert 1 == pipeline.last_plan.round_trips


def test_fields_are_set_in_one_call(database: PipelineDatabase, person: Any) -> None:
    """Many fields may be set in one pipeline, one with an index among them."""
    jean = person("1")
    with database.pipeline() as pipeline:
        jean.name.set("Jean 1")
        jean.city.set("Lyon")
        assert [True, True] == pipeline.execute()
    assert ("Jean 1", ["1"]) == (jean.name.get(), list(person.collection(city="Lyon")))


def test_hits_are_counted_without_race_condition(page: Any) -> None:
    """The transaction returns the replies of its pipeline: ``[True]``."""
    index = page(url="/", hits=0)
    assert [[True], [True]] == [index.incr_hits(), index.incr_hits()]
    assert "2" == index.hits.get()


def test_the_function_is_executed_again_where_the_field_was_updated_elsewhere(server: Backend, page: Any) -> None:
    """No update of others is lost: what was read before it is read again."""
    index, client, others = page(url="/", hits=0), server.client(), [10, 100]
    assert [True] == index.incr_hits(meanwhile=lambda: client.incrby(":page:1:hits", others.pop()) if others else None)
    assert "111" == index.hits.get()


@pytest.mark.parametrize("spelled", ["field", "key"])
def test_keys_to_watch_are_fields_or_text(server: Backend, database: PipelineDatabase, page: Any, spelled: str) -> None:
    """A key as text is watched like the field that is stored there."""
    index, client, calls = page(url="/", hits=0), server.client(), []

    def double(pipeline: Any) -> None:
        calls.append(hits := int(index.hits.get()))
        if len(calls) == 1:
            client.set(":page:1:hits", 7)
        pipeline.multi()
        index.hits.set(2 * hits)

    database.transaction(double, index.hits if spelled == "field" else ":page:1:hits")
    assert ([0, 7], "14") == (calls, index.hits.get())
