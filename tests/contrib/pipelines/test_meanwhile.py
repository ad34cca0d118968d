"""Another client writes between the guards of a pipeline and its EXEC, exactly there."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.contrib.pipelines.models import SHAPES, People, declare
from tests.tools.backends import Real
from tests.tools.meanwhile import meanwhile
from tests.tools.proxy import Proxy
from tests.tools.wholeness import check_whole
from uowredis import Conflict
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def ours(proxy: Proxy, how: str) -> Iterator[People]:
    """Three persons, by way of the proxy, on a connection that is set up."""
    with PipelineDatabase.from_url(proxy.url, max_watched=0 if how == "script" else 1_000) as database:
        people = declare(database)
        people.three()
        proxy.reset()
        yield people


@pytest.fixture
def client(real: Real) -> redis.Redis:
    return real.client(decode_responses=True)


def move(client: redis.Redis) -> None:
    """Move person 1 to Oslo, with its index entries."""
    with client.pipeline() as pipeline:
        pipeline.set(":person:1:city", "Oslo").srem(":person:city:Paris", 1).sadd(":person:city:Oslo", 1).execute()


def test_a_change_elsewhere_is_planned_again(
    proxy: Proxy, how: str, ours: People, client: redis.Redis, real: Real
) -> None:
    """Where only what the library reads has changed, the pipeline is applied: watched keys are as they were."""
    person = ours.Person("1")
    with ours.database.pipeline() as pipeline:
        pipeline.watch(person.hits, "a key")
        hits = int(person.hits.get())
        pipeline.multi()
        person.city.get()
        person.city.set("Rome")
        person.hits.set(hits + 1)
        ours.Person.collection(city="Oslo")
        with meanwhile(proxy, how, move, client):
            assert ["Oslo", True, True, []] == pipeline.execute()
        assert 2 == pipeline._tried
    check_whole(real.dump(), SHAPES)


def test_a_change_of_both_is_a_conflict(proxy: Proxy, how: str, ours: People, client: redis.Redis, real: Real) -> None:
    """What the caller watched counts: it is named, and nothing is applied."""
    person = ours.Person("1")

    def act(client: redis.Redis) -> None:
        move(client)
        client.set("a key", "x")

    with ours.database.pipeline() as pipeline:
        pipeline.watch(person.hits, "a key")
        pipeline.multi()
        person.city.set("Rome")
        person.city.get()
        with meanwhile(proxy, how, act, client), pytest.raises(Conflict) as caught:
            pipeline.execute()
        assert ("a key",) == caught.value.keys
        assert "Oslo" == client.get(":person:1:city")
        pipeline.reset()
    check_whole({key: held for key, held in real.dump().items() if key != b"a key"}, SHAPES)


def test_a_pipeline_without_watches_is_planned_again(
    proxy: Proxy, how: str, ours: People, client: redis.Redis, real: Real
) -> None:
    """Its reads answer as it is when it is applied, not as it was when it was planned."""
    person = ours.Person("1")
    with ours.database.pipeline() as pipeline:
        person.city.get()
        person.city.append("!")
        person.city.get()
        ours.Person.collection(city="Oslo!").values("name")
        with meanwhile(proxy, how, move, client):
            assert ["Oslo", 5, "Oslo!", [{"name": "a"}]] == pipeline.execute()
    check_whole(real.dump(), SHAPES)


def test_a_transaction_calls_again(proxy: Proxy, how: str, ours: People, client: redis.Redis, real: Real) -> None:
    """After either kind of change the function is called again, and no update is lost."""
    person, seen = ours.Person("1"), []

    def count(pipeline: Any) -> None:
        seen.append(hits := int(person.hits.get()))
        pipeline.multi()
        person.city.append("!")
        person.hits.set(hits + 1)

    def act(client: redis.Redis) -> None:
        if client.incr(":person:1:hits") == 5:
            move(client)

    with meanwhile(proxy, how, act, client, times=3):
        assert [5, True] == ours.database.transaction(count, person.hits)
    assert (3, "7") == (seen[0], person.hits.get())
    assert "Oslo!" == person.city.get()
    check_whole(real.dump(), SHAPES)
