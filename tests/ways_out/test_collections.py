"""What collections refuse names a way out, and each is taken here as it is named."""

from typing import Any

import pytest

from tests.models import groups
from tests.session.doors import Stock
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    HashField,
    ImplementationError,
    PendingWrites,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    StringField,
    UowError,
    rebuild,
)
from uowredis.contrib.collection import SORTED_SCORE
from uowredis.contrib.related import FKStringField, RelatedModel
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.fixture
def related(on: RedisDatabase) -> Any:
    """Ann and Bob, who is her friend, and a group of both."""
    both = groups(on)
    bob = both.person(name="bob", city="Bern", nicknames=["b"], age=30)
    ann = both.person(name="ann", city="Bern", friend=bob, age=40)
    both.group(title="t", name="n", entry=ann, members=[ann, bob], scores={ann: 2, bob: 1})
    return both


# Filters.


@tries("{} cannot be filtered on {}: filters ask whether a primary key is equal")
def test_another_comparison_of_primary_keys(told: Told, stock: Stock) -> None:
    with told(ImplementationError) as caught:
        stock.Product.collection(pk__gte=1)
    assert str(caught.value).endswith("Way out: pk=... for one, pk__in=[...] for several")
    assert ["1"] == list(stock.Product.collection(pk=1)) == list(stock.Product.collection(pk__in=[1, 2]))


@tries("{} takes a collection of {}, not {}")
def test_a_collection_with_something_else(told: Told, stock: Stock) -> None:
    product = stock.Product
    with told(ArgumentError):
        product.collection() | {"1"}  # type: ignore[operator]
    assert ["1"] == list(product.collection() & product.collection(pk=1)) == list(product.collection().intersect(["1"]))


@tries("{} refers to {}{}, and cannot be {}")
def test_a_filter_on_another_model(told: Told, related: Any) -> None:
    group, ann = related.group("1"), related.person("2")
    with told(UowError):
        list(related.group.collection(entry=group))
    assert ["1"] == list(related.group.collection(entry=ann)) == list(related.group.collection(entry=ann.pk.get()))


@tries("{} has no field {} to filter on")
def test_a_filter_on_no_field(told: Told, stock: Stock) -> None:
    with told(ImplementationError) as caught:
        stock.Product.collection(knid="food")
    for name in ("pk", "name", "kind"):
        assert name in str(caught.value).partition("Way out: it has ")[2].split(", ")
    assert ["1"] == list(stock.Product.collection(pk=1, name="bread", kind="food"))


@tries("{}.{} has no index and cannot be filtered on")
def test_a_filter_without_index(told: Told, on: RedisDatabase) -> None:
    def bike(**options: Any) -> Any:
        class Bike(RedisModel):
            database = on
            size = StringField(**options)

        return Bike

    with told(ImplementationError):
        bike().collection(size="28")
    later = bike(indexable=True)
    later(size="28")
    assert ["1"] == list(later.collection(size="28"))


@tries("{}.{} is a HashField, and is filtered on")
def test_a_filter_on_a_hash(told: Told, on: RedisDatabase) -> None:
    class Bike(RedisModel):
        database = on
        parts = HashField(indexable=True)

    Bike(parts={"bell": "gold"})
    with told(UowError) as caught:
        Bike.collection(parts="gold")
    assert "Way out: parts__entry=..." in str(caught.value)
    assert ["1"] == list(Bike.collection(parts__bell="gold"))


@tries("{} cannot be filtered on {}: filters do not follow references")
def test_a_filter_through_a_reference(told: Told, related: Any) -> None:
    with told(ImplementationError):
        related.group.collection(entry__name="ann")
    for found in (related.person.collection(name="ann"), related.person.collection(name="ann").instances()):
        assert ["1"] == [pk for ann in found for pk in related.group.collection(entry=ann)]


# Sorting, values, intersections, stores.


@tries("{} is on {}, and this collection on {}")
def test_an_intersection_of_another_server(told: Told, server: Backend, twin: Any, stock: Stock) -> None:
    there = twin.database()

    class Shelf(RedisModel):
        database = there
        numbers = SetField()

    shelf = Shelf(numbers=["1", "2"])
    with told(UowError):
        list(stock.Product.collection().intersect(shelf.numbers))
    assert ["1"] == list(stock.Product.collection().intersect(shelf.numbers.smembers()))


@tries("store() cannot write {}: keys of {} begin so")
def test_stored_among_keys(told: Told, stock: Stock) -> None:
    with told(ArgumentError):
        stock.Product.collection(kind="food").store(":product:all")
    assert ["1"] == list(stock.Product.collection(kind="food").store("all products"))


@tries("{} has no single value {}")
def test_sorted_by_many(told: Told, stock: Stock) -> None:
    with told(ImplementationError) as caught:
        stock.Product.collection().sort(by="tags")
    for name in str(caught.value).partition("Way out: one of ")[2].split(", "):
        assert ["1"] == list(stock.Product.collection().sort(by=name, alpha=True))


@tries("{} is no field of {}")
def test_sorted_by_the_field_of_another(told: Told, stock: Stock, on: RedisDatabase) -> None:
    class Bike(RedisModel):
        database = on
        size = StringField()

    with told(UowError):
        stock.Product.collection().sort(by=Bike.size)
    assert ["1"] == list(stock.Product.collection().sort(by="stock"))


@tries("{} has no field {} to give")
def test_a_value_of_no_field(told: Told, related: Any) -> None:
    with told(ImplementationError) as caught:
        related.group.collection().values("entry__nmae")
    for name in str(caught.value).partition("Way out: one of ")[2].split(", "):
        assert 1 == len(list(related.group.collection().values(f"entry__{name}")))


@tries("{} cannot be given: {} refers to no other object")
def test_a_value_behind_no_reference(told: Told, related: Any) -> None:
    with told(ImplementationError) as caught:
        related.group.collection().values("name__length")
    assert str(caught.value).endswith("Way out: 'name' for all it holds")
    assert ["n"] == list(related.group.collection().values_list("name", flat=True))


@tries("{} cannot be given: {} refers to {}, which is not declared on the same database", "commands/paths.py")
def test_a_value_of_a_model_that_is_not_there(told: Told, on: RedisDatabase) -> None:
    class Shelf(RelatedModel):
        database = on
        room = FKStringField("Room", related_name="shelves")

    with told(ImplementationError):
        Shelf.collection().values("room__name")

    class Room(RelatedModel):
        database = on
        name = StringField()

    Shelf(room=Room(name="den"))
    assert ["den"] == list(Shelf.collection().values_list("room__name", flat=True))


@tries("instances(load=...) takes several fields or names, not {}")
def test_one_name_to_load(told: Told, stock: Stock) -> None:
    with told(ArgumentError):
        stock.Product.collection().instances(load="name")
    assert [{"name": "bread"}] == [dict(each.loaded) for each in stock.Product.collection().instances(load=["name"])]


@tries("instances(load=...) takes fields, and SORTED_SCORE is none")
def test_a_score_to_load(told: Told, related: Any) -> None:
    found = related.person.collection().sort(by_score=related.group("1").scores)
    with told(ArgumentError):
        found.instances(load=(SORTED_SCORE,))
    assert ["1", "2"] == list(found.values_list(SORTED_SCORE, flat=True))


@tries("{} was not loaded, but {}")
def test_what_was_not_loaded(told: Told, related: Any) -> None:
    (group,) = related.group.collection().instances(load=("title",))
    with told(KeyError) as caught:
        group.loaded["entry__name"]
    assert "instances(load=('entry__name',)), or a command of the field" in caught.value.args[0]
    (again,) = related.group.collection().instances(load=("entry__name",))
    assert ("ann", "t") == (again.loaded["entry__name"], group.title.hget())


@tries("intersect() takes fields of an instance")
def test_an_intersection_with_a_declared_field(told: Told, related: Any) -> None:
    with told(ImplementationError) as caught:
        related.person.collection().intersect(related.group.members)
    assert "Way out: instance.members" in str(caught.value)
    instance = related.group("1")
    assert {"1", "2"} == set(related.person.collection().intersect(instance.members))


@tries("store() cannot be exact while writes on {} are pending")
def test_stored_over_pending_writes(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        stock.Product("1").kind.hset("drink")
        with told(PendingWrites):
            stock.Product.collection(kind="drink").store()
        session.commit()
        assert ["1"] == list(stock.Product.collection(kind="drink").store())


@tries("A query on {} cannot be exact")
def test_a_query_on_a_key_that_is_pending(told: Told, related: Any) -> None:
    group, person = related.group("1"), related.person
    with Session(related.database) as session:
        group.members.srem("1")
        with told(PendingWrites):
            list(person.collection().intersect(group.members.key))
        session.commit()
        assert ["2"] == list(person.collection().intersect(group.members.key))


@tries("The stored collection {} has expired or was never stored")
def test_a_store_that_is_gone(told: Told, server: Backend, stock: Stock) -> None:
    stored = stock.Product.collection(kind="food").store("kept")
    with server.client() as client:
        client.delete("kept")
    with told(UowError):
        list(stored)
    assert ["1"] == list(stock.Product.collection(kind="food").store("kept"))


@tries("SORTED_SCORE needs a sort by scores")
def test_scores_without_a_sort(told: Told, related: Any) -> None:
    scores = related.group("1").scores
    with told(UowError):
        list(related.person.collection().values("pk", SORTED_SCORE))
    found = related.person.collection().sort(by_score=scores).values_list("pk", SORTED_SCORE)
    assert [("1", "1"), ("2", "2")] == list(found)


# Many at once.


@tries("{} has no field {} that could be changed. Way out: one of {}")
def test_update_of_no_field(told: Told, stock: Stock) -> None:
    with told(ArgumentError) as caught:
        stock.Product.collection().update(colour="red")
    assert "color" in str(caught.value).rpartition("Way out: one of ")[2].split(", ")
    assert 1 == stock.Product.collection().update(color="red")
    assert "red" == stock.Product("1").color.hget()


# What follows a place.


def aged(on: RedisDatabase, **options: Any) -> Any:
    class Person(RedisModel):
        database = on
        age = StringField(indexable=True, **options)

    return Person


@tries("after() of {} goes by the index of one field")
def test_after_in_no_order(told: Told, on: RedisDatabase) -> None:
    person = aged(on, indexes=[EqualIndex, NumberRangeIndex])
    person(age=20), person(age=10)
    for sort in (None, {}, {"by": ("age", "pk")}, {"by_score": "a:key"}):
        with told(ImplementationError):
            (person.collection() if sort is None else person.collection().sort(**sort)).after(None, 1)
    assert ["2"] == person.collection().sort(by="age").after(None, 1)
    assert ["1"] == person.collection().sort(by=("age", "pk"))[1:2]


@tries("after() of {} goes by an index that orders {} as sort() does")
def test_after_without_an_index_in_that_order(told: Told, on: RedisDatabase) -> None:
    for kind, other, sort in (
        (NumberRangeIndex, TextRangeIndex, {"by": "age"}),
        (TextRangeIndex, NumberRangeIndex, {"by": "age", "alpha": True}),
    ):
        person = aged(on, indexes=[EqualIndex, other])
        pks = [person(age=age).pk.get() for age in (20, 3)]
        with told(ImplementationError) as caught:
            person.collection().sort(**sort).after(None, 1)
        assert f"indexes=[EqualIndex, {kind.__name__}] on Person.age" in str(caught.value)
        assert (pks if sort.get("alpha") else pks[::-1]) == person.collection().sort(**sort)[:2]
        mended = aged(on, indexes=[EqualIndex, kind])
        list(rebuild(mended, "age"))
        expected = pks if sort.get("alpha") else pks[::-1]
        assert expected == mended.collection().sort(**sort).after(None, 2)
        for pk in pks:
            mended(pk).delete()


@tries("after() takes a value of {}.{} and a primary key, not {}")
def test_after_from_no_place(told: Told, on: RedisDatabase) -> None:
    person = aged(on, indexes=[EqualIndex, NumberRangeIndex])
    person(age=20), person(age=30)
    ordered = person.collection().sort(by="age")
    for wrong in (20, (20,), "20"):
        with told(ArgumentError):
            ordered.after(wrong, 1)  # type: ignore[arg-type]
    assert ["2"] == ordered.after(ordered.after(None, 1).last, 1)


@tries("{} is a number, not {}")
def test_after_from_no_number(told: Told, on: RedisDatabase) -> None:
    person = aged(on, indexes=[EqualIndex, NumberRangeIndex])
    person(age="much"), person(age=30)
    ordered = person.collection().sort(by="age")
    with told(ArgumentError):
        ordered.after(("much", 1), 1)
    assert ["2"] == ordered.after(ordered.after(None, 1).last, 1)
