"""What indexes refuse, when declared and when asked, names a way out, and each is taken here as it is named."""

from typing import Any

import pytest

from tests.models import groups
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    HashField,
    ImplementationError,
    RedisDatabase,
    RedisModel,
    SetField,
    StringField,
    rebuild,
)
from uowredis.contrib.indexes import EqualIndexWith, ScoredEqualIndex
from uowredis.contrib.related import FKStringField, M2MSetField, RelatedModel
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


def bikes(on: RedisDatabase, **fields: Any) -> Any:
    return type(RedisModel)("Bike", (RedisModel,), {"database": on, **fields})


# Asked.


@tries("{} cannot be filtered on {}: {}. Way out")
def test_what_no_index_answers(told: Told, on: RedisDatabase) -> None:
    plain = bikes(on, name=StringField(indexable=True), size=StringField(), price=StringField(indexable=True))
    for size in "123":
        plain(name=f"n{size}", size=size, price=size)

    def way(**condition: Any) -> str:
        with told(ImplementationError) as caught:
            plain.collection(**condition)
        return str(caught.value).partition("Way out: ")[2]

    ranged = "indexes=[EqualIndex, NumberRangeIndex] on Bike.price for numbers, [EqualIndex, TextRangeIndex] for text"
    assert way(price__gt=1).startswith(ranged)
    assert way(price__gt=1).endswith("or with a type indexable=\"range\"; and rebuild(Bike, 'price') for what is there")
    assert "none=True on Bike.name, and rebuild(Bike, 'name') for what is there" == way(name__isnull=True)
    assert "indexable=True on Bike.size" == way(size__in=["1"])
    assert "name=, name__eq=, name__in=" == way(name__like="n")
    bike = bikes(
        on,
        name=StringField(indexable=True, indexes=[EqualIndex, TextRangeIndex], none=True),
        size=StringField(indexable=True),
        price=StringField(type=int, indexable="range"),
    )
    for field in ("name", "size", "price"):
        list(rebuild(bike, field))
    assert ["2"] == list(
        bike.collection(price__gt=1, price__lt=3, name__gt="n", name__isnull=False, size__in=["1", "2"])
    )


@tries("{}.get_or_connect() finds by equal values, which a new object gets")
def test_what_says_not_which_value_is_created(told: Told, on: RedisDatabase) -> None:
    kinds = [EqualIndex, TextRangeIndex]
    parts = HashField(indexable=True, indexes=kinds)
    bike = bikes(on, name=StringField(indexable=True, indexes=kinds, none=True), parts=parts)
    for asked in ("name__startswith", "name__eq", "name__in", "name__isnull"):
        with told(ImplementationError) as caught:
            bike.get_or_connect(**{asked: "a"})
        assert str(caught.value).endswith("Way out: name=...")
    with told(ImplementationError) as caught:
        bike.get_or_connect(parts__bell__gt="a")
    assert str(caught.value).endswith("Way out: parts__bell=...")
    assert (True, False) == tuple(bike.get_or_connect(name="a", parts__bell="b")[1] for _ in range(2))


@tries("{} cannot be None: it is not indexed which objects have no {}")
def test_no_value_that_is_not_indexed(told: Told, on: RedisDatabase) -> None:
    plain = bikes(on, name=StringField(indexable=True), size=StringField())
    plain(size=1)
    with told(ArgumentError):
        plain.collection(name=None)
    bike = bikes(on, name=StringField(indexable=True, none=True), size=StringField())
    list(rebuild(bike, "name"))
    assert ["1"] == list(bike.collection(name=None))


@tries("{} takes values, not {}. Way out: read it first")
def test_a_field_among_several_values(told: Told, on: RedisDatabase) -> None:
    bike = bikes(on, name=StringField(indexable=True))
    one = bike(name="a")
    with told(ArgumentError):
        bike.collection(name__in=[one.name, "b"])
    assert ["1"] == list(bike.collection(name__in=[one.name.get(), "b"]))


@tries("{}.{} is indexed and cannot hold {}: {}; nothing was written")
def test_a_value_that_cannot_be_indexed(told: Told, on: RedisDatabase) -> None:
    bike = bikes(on, name=StringField(indexable=True, indexes=[EqualIndex, TextRangeIndex]))
    with told(ArgumentError):
        bike(name="text-range")
    bike(name="text range")
    assert 1 == len(bike.collection(name="text range"))


# Declared.


@tries("{}.configure() has no {}. Way out: it takes name")
def test_what_configure_does_not_know(told: Told, on: RedisDatabase) -> None:
    with told(TypeError) as caught:
        NumberRangeIndex.configure(transforms=len)
    taken = str(caught.value).partition("it takes ")[2].split(", ")
    given = {
        "name": "Long",
        "prefix": "long",
        "transform": len,
        "handle_uniqueness": False,
        "key": "k",
        "of_text": True,
    }
    assert [*given, "raise_if_not_float"] == taken
    bike = bikes(
        on, name=StringField(indexable=True, indexes=[NumberRangeIndex.configure(raise_if_not_float=True, **given)])
    )
    bike(name="abc")
    assert ["1"] == list(bike.collection(name__long__gt=2))


@tries("{}: none=True takes a field that is indexable")
def test_no_value_of_a_field_without_index(told: Told, on: RedisDatabase) -> None:
    for kind in (StringField, SetField, HashField):
        with told(ImplementationError):
            kind(none=True)
        bikes(on, name=kind(indexable=True, none=True))


@tries("{} refers to many objects, and who refers to none is not indexed")
def test_no_value_of_many_references(told: Told, on: RedisDatabase) -> None:
    person = groups(on).person

    def declared(**options: Any) -> Any:
        return type(RelatedModel)("Car", (RelatedModel,), {"database": on, "owners": M2MSetField(person, **options)})

    with told(ImplementationError):
        declared(none=True)
    car, ann = declared(), person(name="ann")
    car(owners=[ann]), car(owners=[person(name="bob")])
    assert ["2"] == list(car.collection().exclude(owners__in=[ann]))


@tries("{} has indexes and is not indexable")
def test_indexes_of_what_is_not_indexable(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        StringField(indexes=[EqualIndex])
    bikes(on, name=StringField(indexable=True, indexes=[EqualIndex]))


@tries("{}: indexes takes a list of kinds of index, not {}")
def test_indexes_that_are_none(told: Told, on: RedisDatabase) -> None:
    for wrong in ([], [EqualIndex, "name"], EqualIndex):
        with told(ImplementationError):
            StringField(indexable=True, indexes=wrong)  # type: ignore[arg-type]
    bikes(on, name=StringField(indexable=True, indexes=[EqualIndex]))


@tries('{}: indexable="range" takes the index that fits the type')
def test_a_range_of_no_type(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        StringField(indexable="range")
    typed = StringField(type=int, indexable="range")
    bike = bikes(on, size=typed, other=StringField(indexable=True, indexes=[EqualIndex, NumberRangeIndex]))
    bike(size=5, other=5)
    assert ["1"] == list(bike.collection(size__gt=4, other__gt=4))


@tries("{}: {} and {} would have the same keys")
def test_two_indexes_with_the_same_keys(told: Told, on: RedisDatabase) -> None:
    upper = EqualIndex.configure(transform=str.upper)
    with told(ImplementationError):
        bikes(on, name=StringField(indexable=True, indexes=[EqualIndex, upper]))
    kinds = [EqualIndex, upper.configure(prefix="upper"), upper.configure(key="also", prefix="also")]
    bike = bikes(on, name=StringField(indexable=True, indexes=kinds))
    bike(name="a")
    assert ["1"] == list(bike.collection(name="a", name__upper="A", name__also="A"))


@tries("{}: {} and {} both answer {}=")
def test_two_indexes_that_answer_the_same(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        bikes(on, name=StringField(indexable=True, indexes=[NumberRangeIndex, TextRangeIndex]))
    kinds = [NumberRangeIndex.configure(prefix="number"), TextRangeIndex]
    bike = bikes(on, name=StringField(indexable=True, indexes=kinds))
    bike(name="10")
    assert ["1"] == list(bike.collection(name__number__gt=9, name__lt="9"))


@tries("{} is unique, and none of its indexes handles that")
def test_unique_by_no_index(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        bikes(on, name=StringField(unique=True, indexes=[TextRangeIndex]))
    bike = bikes(on, name=StringField(unique=True, indexes=[EqualIndex, TextRangeIndex]))
    bike(name="a")
    assert ["1"] == list(bike.collection(name__gte="a"))


@tries("{} refers to other objects, which are found by equal primary keys")
def test_indexes_of_references(told: Told, on: RedisDatabase) -> None:
    person = groups(on).person
    with told(ImplementationError):
        type(RelatedModel)(
            "Car", (RelatedModel,), {"database": on, "owner": FKStringField(person, indexes=[EqualIndex])}
        )
    car = type(RelatedModel)("Car", (RelatedModel,), {"database": on, "owner": FKStringField(person)})
    ann = person(name="ann")
    car(owner=ann)
    assert ["1"] == list(car.collection(owner=ann))


# Of several fields.


@tries("{} cannot be filtered on {} alone")
def test_one_field_of_an_index_of_several(told: Told, on: RedisDatabase) -> None:
    together = EqualIndexWith.configure(other_fields=["size"])
    bike = bikes(on, name=StringField(indexable=True, indexes=[together]), size=StringField())
    bike(name="a", size=1)
    with told(ImplementationError) as caught:
        bike.collection(size=1)
    assert "Way out: collection(name=..., size=...), all in one call; or indexable=True on Bike.size" in str(
        caught.value
    )
    assert ["1"] == list(bike.collection(name="a", size=1))
    indexed = bikes(on, name=StringField(indexable=True, indexes=[together]), size=StringField(indexable=True))
    list(rebuild(indexed))
    assert ["1"] == list(indexed.collection(size=1))


def others(index: Any) -> dict[str, Any]:
    return {"name": StringField(indexable=True, indexes=[index]), "size": StringField(), "parts": HashField()}


@tries("{} names no other field")
def test_an_index_of_several_fields_that_names_none(told: Told, on: RedisDatabase) -> None:
    for kind, way in ((EqualIndexWith, "other_fields"), (ScoredEqualIndex, "score_field")):
        with told(ImplementationError) as caught:
            bikes(on, **others(kind))
        assert str(caught.value).endswith(f"Way out: size, parts in configure({way}=...)")
    bike = bikes(on, **others(EqualIndexWith.configure(other_fields=["size", "parts"])))
    bike(name="a", size=1, parts={"bell": "x"})
    assert ["1"] == list(bike.collection(name="a", size=1, parts__bell="x"))


@tries("{} names {}, which {}")
def test_an_index_of_several_fields_that_names_another(told: Told, on: RedisDatabase) -> None:
    for wrong in ("name", "color", "pk"):
        with told(ImplementationError) as caught:
            bikes(on, **others(EqualIndexWith.configure(other_fields=[wrong])))
        assert str(caught.value).endswith("Way out: size, parts in configure(other_fields=...)")
    bike = bikes(on, **others(EqualIndexWith.configure(other_fields=["size"])))
    bike(name="a", size=1)
    assert ["1"] == list(bike.collection(name="a", size=1))


@tries("{} takes its scores from {}, which has many values")
def test_scores_of_many_values(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        bikes(on, **others(ScoredEqualIndex.configure(score_field="parts")))
    bike = bikes(on, **others(ScoredEqualIndex.configure(score_field="size")))
    bike(name="a", size=2), bike(name="a", size=1)
    assert ["2", "1"] == list(bike.collection(name="a"))


@tries("{} cannot make {} unique")
def test_a_hash_that_is_unique_together(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        bikes(on, **others(EqualIndexWith.configure(other_fields=["parts"], unique=True)))
    bike = bikes(on, **others(EqualIndexWith.configure(other_fields=["parts"])))
    bike(name="a", parts={"bell": "x"}), bike(name="a", parts={"bell": "x"})
    assert {"1", "2"} == bike.collection(name="a", parts__bell="x")
    bike = bikes(on, **others(EqualIndexWith.configure(other_fields=["size"], unique=True)))
    list(rebuild(bike))
    assert "3" == bike(name="a", size=1).pk.get()


@tries("{} answers {} together, and so does {}")
def test_two_that_answer_the_same_together(told: Told, on: RedisDatabase) -> None:
    by_size, by_name = (EqualIndexWith.configure(other_fields=[name]) for name in ("size", "name"))
    lower = by_size.configure(prefix="low", key="low", transform=str.lower)

    def declared(*indexes: Any, **options: Any) -> Any:
        return bikes(on, name=StringField(indexable=True, indexes=list(indexes)), size=StringField(**options))

    with told(ImplementationError):
        declared(by_size, indexable=True, indexes=[by_name])
    with told(ImplementationError):
        declared(by_size, by_size.configure(key="again"))
    bike = declared(by_size, lower)
    bike(name="A", size=1)
    assert ["1"] == list(bike.collection(name="A", size=1)) == list(bike.collection(name__low="a", size=1))


@tries("{}.{}; nothing was written. Way out: a number")
def test_a_score_that_is_no_number(told: Told, on: RedisDatabase) -> None:
    bike = bikes(on, **others(ScoredEqualIndex.configure(score_field="size")))
    one = bike(name="a")
    with told(ArgumentError):
        one.size.set("large")
    one.size.set(5)
    assert ["1"] == list(bike.collection(name="a"))


# By their keys.


@tries("{}.get_field() has no {}")
def test_no_field_of_that_name(told: Told, on: RedisDatabase) -> None:
    bike = bikes(on, name=StringField(indexable=True))
    with told(ImplementationError) as caught:
        bike.get_field("nmae")
    assert str(caught.value).endswith("Way out: one of pk, name")
    assert [bike.pk, bike.name] == [bike.get_field(name) for name in ("pk", "name")]


@tries("{} has no such index. Way out: of its indexes")
def test_no_such_index(told: Told, on: RedisDatabase) -> None:
    upper = EqualIndex.configure(prefix="upper", transform=str.upper)
    bike = bikes(on, name=StringField(indexable=True, indexes=[EqualIndex, upper]), size=StringField())
    for wrong in (
        lambda: bike.size.get_index(),
        lambda: bike.pk.get_index(),
        lambda: bike.name.get_index(TextRangeIndex),
        lambda: bike.name.get_index(EqualIndex, prefix="lower"),
    ):
        with told(ImplementationError):
            wrong()
    bike(name="a")
    for index in (bike.name.get_index(), bike.name.get_index(prefix="upper"), bike.name.get_index(upper)):
        assert {"1"} == on.connection.smembers(index.get_storage_key("a"))
