"""How often a pipeline waits for the server, and what it sends, counted on the socket."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contrib.pipelines.models import People, declare
from tests.tools.proxy import Proxy
from uowredis import UniquenessError
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def database(proxy: Proxy) -> Iterator[PipelineDatabase]:
    """A database by way of the proxy."""
    with PipelineDatabase.from_url(proxy.url) as database:
        yield database


@pytest.fixture
def people(database: PipelineDatabase, proxy: Proxy) -> People:
    """Three persons; the connection is set up: it has made a transaction."""
    people = declare(database)
    people.three()
    proxy.reset()
    return people


def names(proxy: Proxy) -> list[str]:
    return [command[0].decode() for command in proxy.seen]


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("reads", [1, 100])
def test_reads_are_one_trip(proxy: Proxy, people: People, reads: int, transaction: bool) -> None:
    """However many: with MULTI and EXEC around them, or bare where no transaction is wanted."""
    person = people.Person("1")
    proxy.reset()
    with people.database.pipeline(transaction=transaction) as pipeline:
        for _ in range(reads):
            person.hits.get()
        assert (0, []) == (proxy.round_trips(), proxy.seen)
        assert ["3"] * reads == pipeline.execute()
    assert 1 == proxy.round_trips() == pipeline.last_plan.round_trips
    around = [] if not transaction else ["MULTI"], [] if not transaction else ["EXEC"]
    assert [*around[0], *["GET"] * reads, *around[1]] == names(proxy)


@pytest.mark.parametrize("transaction", [True, False])
def test_with_a_write_it_is_a_transaction_all_the_same(proxy: Proxy, people: People, transaction: bool) -> None:
    """``transaction=False`` is for what only reads."""
    person = people.Person("1")
    with people.database.pipeline(transaction=transaction) as pipeline:
        person.hits.get()
        person.hits.set(7)
        person.hits.get()
        proxy.reset()
        assert ["3", True, "7"] == pipeline.execute()
    assert ["MULTI", "GET", "SET", "GET", "SET", "EXEC"] == names(proxy)[-6:]


def test_a_query_without_a_transaction(proxy: Proxy, people: People) -> None:
    """A pipeline that only reads, queries of one call among it, is sent bare; one with a temporary key cannot be."""
    person = people.Person("1")
    proxy.reset()
    with people.database.pipeline(transaction=False) as pipeline:
        person.hits.get()
        people.Person.collection(city="Lyon")
        assert ["3", ["3"]] == pipeline.execute()
        assert ["GET", "SMEMBERS"] == names(proxy)
        proxy.reset()
        person.hits.get()
        people.Person.collection(city="Paris", tags="x").sort(by="hits")
        assert ["3", ["1"]] == pipeline.execute()
        assert ("MULTI", "EXEC") == (names(proxy)[0], names(proxy)[-1])
    assert 1 == proxy.round_trips()


def test_reads_and_writes_without_index(proxy: Proxy, people: People) -> None:
    """The guards in one trip, the transaction in another, reads and writes in the order said."""
    person = people.Person("1")
    with people.database.pipeline() as pipeline:
        for number in range(50):
            person.queue.rpush(number)
            person.queue.llen()
        proxy.reset()
        assert [count for number in range(3, 53) for count in (number, number)] == pipeline.execute()
    assert 2 == proxy.round_trips() == pipeline.last_plan.round_trips
    assert ["MULTI", *["RPUSH", "LLEN"] * 50, "SET", "EXEC"] == names(proxy)[-103:]


def test_reads_and_writes_with_an_index(proxy: Proxy, people: People) -> None:
    """What is there in one trip, the transaction in another, however many objects."""
    persons = [people.Person(pk) for pk in "123"]
    with people.database.pipeline() as pipeline:
        for number in range(99):
            person = persons[number % 3]
            person.city.set(f"city {number}")
            person.city.get()
            person.tags.sadd(f"tag {number}")
        proxy.reset()
        replies = pipeline.execute()
    assert [f"city {number}" for number in range(99)] == replies[1::3]
    assert 2 == proxy.round_trips() == pipeline.last_plan.round_trips


def test_queries_go_along(proxy: Proxy, people: People) -> None:
    """What one call answers costs no trip; what must be looked up asks when the rest is done."""
    person = people.Person("1")
    proxy.reset()
    with people.database.pipeline() as pipeline:
        person.hits.get()
        people.Person.collection(city="Paris")
        people.Person.collection(tags="y").sort(by="hits").values("name")
        people.Person.collection(city="Lyon").instances(lazy=True)
        assert ["3", {"1", "2"}] == [set(reply) if type(reply) is list else reply for reply in pipeline.execute()[:2]]
        assert 1 == proxy.round_trips()
        proxy.reset()
        people.Person.collection(city="Lyon").instances()
        assert [[people.Person._handle("3")]] == pipeline.execute()
        # The pks, and then which of them are there.
        assert ["SMEMBERS", "SMISMEMBER"] == names(proxy)


@pytest.mark.parametrize("count", [1_001, 3_500])
def test_the_head_tells_the_trips_of_chunks(proxy: Proxy, people: People, count: int) -> None:
    """Many reads go in chunks, and the plan says what the socket counts."""
    person = people.Person("1")
    with people.database.pipeline() as pipeline:
        for _ in range(count):
            person.hits.get()
        proxy.reset()
        assert ["3"] * count == pipeline.execute()
    assert pipeline.last_plan.round_trips == proxy.round_trips()


def test_what_is_known_is_not_asked(proxy: Proxy, people: People) -> None:
    """Reads of empty objects, and of no names, send nothing."""
    person = people.Person("1")
    with people.database.pipeline() as pipeline:
        empty = people.Person()
        proxy.reset()
        empty.hits.get()
        person.hmget()
        assert [None, []] == pipeline.execute()
    assert [] == proxy.seen


def test_a_transaction_is_four_trips(proxy: Proxy, people: People) -> None:
    """The watch, the function's read, the guards, and what is sent."""
    person = people.Person("1")

    def count(pipeline: Any) -> None:
        hits = int(person.hits.get())
        pipeline.multi()
        person.hits.set(hits + 1)
        person.hits.get()

    proxy.reset()
    assert [True, "4"] == people.database.transaction(count, person.hits)
    read, planned = ["WATCH", "DUMP", "GET"], ["WATCH", "SISMEMBER"]
    # A token that is spent is deleted, that of this commit watched before and set behind the steps.
    assert [*read, *planned, "DEL", "MULTI", "SET", "GET", "SET", "EXEC"] == names(proxy)
    assert 4 == proxy.round_trips()


def test_nothing_stays_watched(proxy: Proxy, people: People) -> None:
    """Whatever way a watching pipeline ends, its connection is given back without watches."""
    person = people.Person("1")
    database, ended = people.database, []
    with database.pipeline() as pipeline:
        pipeline.watch(person.hits)
        pipeline.reset()
        ended.append(names(proxy)[-1])
        pipeline.watch(person.hits)
        pipeline.execute()
        ended.append(names(proxy)[-1])
        pipeline.watch(person.hits)
    ended.append(names(proxy)[-1])
    with database.pipeline() as pipeline:
        pipeline.watch(person.hits)
        pipeline.multi()
        person.name.hset("b")
        with pytest.raises(UniquenessError):
            pipeline.execute()
        pipeline.reset()
        ended.append(names(proxy)[-1])
    assert ["UNWATCH"] * 4 == ended
