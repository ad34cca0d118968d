"""What pipelines and related models refuse names a way out, and each is taken here as it is named."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.session.doors import Stock
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import (
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisDatabase,
    RedisModel,
    SessionError,
    StringField,
    UowError,
)
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import FKInstanceHashField, FKStringField, M2MSetField, RelatedModel


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.fixture
def pipelined(server: Any) -> Iterator[Stock]:
    """Bread on a database with pipelines."""
    url = server.server.url if server.real else None
    with PipelineDatabase.embedded(server.server) if url is None else PipelineDatabase.from_url(url) as database:
        stock = Stock(database)
        stock.Product(name="bread", kind="food", stock=5)
        yield stock


# Pipelines.


@tries("This collection of {} is a reply of the open pipeline")
def test_a_collection_of_a_pipeline(told: Told, pipelined: Stock) -> None:
    with pipelined.database.pipeline() as pipeline:
        found = pipelined.Product.collection(kind="food")
        with told(UowError):
            list(found)
        assert [["1"]] == pipeline.execute()
        assert ["1"] == list(found)


@tries("db.transaction() executes the pipeline itself")
def test_executed_in_a_transaction(told: Told, pipelined: Stock) -> None:
    bread = pipelined.Product("1")

    def executes(pipeline: Any) -> None:
        pipeline.multi()
        bread.stock.incr()
        with told(SessionError):
            pipeline.execute()

    assert [6] == pipelined.database.transaction(executes, bread.stock)


@tries("{} comes before multi()")
def test_a_write_before_multi(told: Told, pipelined: Stock) -> None:
    bread = pipelined.Product("1")
    with pipelined.database.pipeline() as pipeline:
        pipeline.watch(bread.stock)
        with told(SessionError):
            bread.stock.incr()
        pipeline.multi()
        bread.stock.incr()
        assert [6] == pipeline.execute()


@tries("multi() comes before the first command")
def test_a_late_multi(told: Told, pipelined: Stock) -> None:
    bread = pipelined.Product("1")
    with pipelined.database.pipeline() as pipeline:
        bread.stock.incr()
        with told(SessionError):
            pipeline.multi()
        assert [6] == pipeline.execute()


@tries("watch() comes first")
def test_a_late_watch(told: Told, pipelined: Stock) -> None:
    bread = pipelined.Product("1")
    with pipelined.database.pipeline() as pipeline:
        for way in ("execute", "reset"):
            bread.stock.incr()
            with told(SessionError):
                pipeline.watch(bread.stock)
            getattr(pipeline, way)()
            pipeline.watch(bread.stock)
            pipeline.multi()
            bread.visits.incr()
            pipeline.execute()
    assert ("6", "2") == (bread.stock.get(), bread.visits.get())


# Related models.


@tries("{} refers to {}, which is not declared on the same database")
def test_a_relation_to_what_is_not_here(told: Told, server: Backend, on: RedisDatabase) -> None:
    there = server.database()

    class Person(RelatedModel):
        database = there
        name = StringField()

    class Group(RelatedModel):
        database = on
        owner = FKStringField("Person", related_name="owned")

    group = Group(owner="1")
    with told(ImplementationError):
        group.owner.instance()
    Person.use_database(on)
    assert Person(name="x") == group.owner.instance()

    class Club(RelatedModel):
        database = on
        member = FKStringField("Member", related_name="clubs")

    club = Club(member="1")
    with told(ImplementationError):
        club.member.instance()

    class Member(RelatedModel):
        database = on
        name = StringField()

    assert Member(name="x") == club.member.instance()


@tries("{} is always indexed")
def test_a_relation_without_index(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        FKStringField("Person", indexable=False)

    class Person(RelatedModel):
        database = on
        friend = FKStringField("self", related_name="friends")

    Person(friend="1")
    assert ["1"] == list(Person.collection(friend="1"))


@tries("{} holds primary keys of the other model")
def test_a_relation_with_a_type(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        FKStringField("Person", type=int)

    class Person(RelatedModel):
        database = on
        number = PKField(type=int)
        friend = FKStringField("self", related_name="friends")

    assert 7 == Person(number=1, friend=7).friend.get()


@tries("{} needs a RelatedModel to be connected")
def test_a_relation_of_a_plain_model(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):

        class Bike(RedisModel):
            database = on
            owner = FKStringField("self", related_name="owned")

    class Car(RelatedModel):
        database = on
        owner = FKStringField("self", related_name="owned")

    assert "1" == Car(owner="1").owner.get()


@tries("{}: related_name {} cannot be filled in")
def test_a_related_name(told: Told, on: RedisDatabase) -> None:
    def bike(related_name: str) -> Any:
        class Bike(RelatedModel):
            database = on
            owner = FKStringField("self", related_name=related_name)

        return Bike

    with told(ImplementationError):
        bike("%(app)s_owned")
    one = bike("%(namespace)s_%(model)s_owned")(owner="1")
    assert ["1"] == list(one._bike_owned())


@tries("{}.{} would be the collection of {} and of {}")
def test_a_related_name_twice(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):

        class Bike(RelatedModel):
            database = on
            owner = FKStringField("self", related_name="owned")
            former = FKStringField("self", related_name="owned")

    class Car(RelatedModel):
        database = on
        owner = FKStringField("self", related_name="owned")
        former = FKStringField("self", related_name="formerly_owned")

    assert ["1"] == list(Car(former="1").formerly_owned())


@tries("{} has {} already, and it would be the collection of {}")
def test_a_related_name_that_is_taken(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):

        class Bike(RelatedModel):
            database = on
            name = InstanceHashField()
            owner = M2MSetField("self", related_name="name")

    class Car(RelatedModel):
        database = on
        name = InstanceHashField()
        owner = FKInstanceHashField("self", related_name="owned")

    assert ["1"] == list(Car(owner="1").owned())
