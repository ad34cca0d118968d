"""Models and fields that cannot work are refused where they are declared, naming the way out."""

import re
from typing import Any

import pytest

from uowredis import (
    AutoPKField,
    HashField,
    ImplementationError,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)

FIELDS = (StringField, InstanceHashField, HashField, SetField, ListField, SortedSetField)


def declare(**attributes: Any) -> type[RedisModel]:
    """Return a model ``Bike`` with these attributes."""
    with RedisDatabase.embedded() as database:
        return type("Bike", (RedisModel,), {"database": database} | attributes)


def refused(*words: str) -> Any:
    """Return the context of an ImplementationError, also a ValueError, that names all *words*."""
    pattern = "".join(f"(?=.*{re.escape(word)})" for word in words)
    return pytest.raises(ImplementationError, match=f"(?s){pattern}")


@pytest.mark.parametrize("kind", FIELDS)
def test_an_unknown_option_of_a_field(kind: type) -> None:
    """An option that the field does not have is named, with those it has."""
    with refused(kind.__name__, "'defaut'", "Way out", "indexable", "unique", "lockable"):
        kind(defaut=0)


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("option", ["indexable", "unique", "lockable"])
def test_an_option_that_is_neither_true_nor_false(kind: type, option: str) -> None:
    """A flag is True or False; anything else is a mistake."""
    with refused(kind.__name__, option, "'no'"):
        kind(**{option: "no"})


@pytest.mark.parametrize("kind", [HashField, SetField, ListField, SortedSetField])
def test_a_default_of_many_values(kind: type) -> None:
    """Only StringField and InstanceHashField have a default."""
    with refused(kind.__name__, "'default'"):
        kind(default="x")


@pytest.mark.parametrize("kind", [StringField, InstanceHashField])
def test_a_default_of_a_unique_field(kind: type) -> None:
    """A unique field cannot have a default, which two objects would share."""
    with refused(kind.__name__, "unique", "'x'"):
        kind(default="x", unique=True)


@pytest.mark.parametrize("kind", [StringField, InstanceHashField])
@pytest.mark.parametrize("default", [True, ["x"], object()])
def test_a_default_that_redis_cannot_store(kind: type, default: object) -> None:
    """A default is text or a number; what is neither is refused with the declaration, not with the first object."""
    with pytest.raises(ValueError, match=r"Bike\.color|default"):
        declare(color=kind(default=default))


def test_a_unique_hash() -> None:
    """A HashField cannot be unique: which of its entries would be?"""
    with refused("HashField", "unique", "Way out: indexable=True"):
        HashField(unique=True)


@pytest.mark.parametrize("kind", [PKField, AutoPKField])
@pytest.mark.parametrize("option", ["default", "indexable", "unique", "lockable", "defaut"])
def test_an_option_of_a_primary_key(kind: type, option: str) -> None:
    """A primary key takes no options."""
    with refused(kind.__name__, option):
        kind(**{option: True})


@pytest.mark.parametrize("kinds", [(PKField, PKField), (PKField, AutoPKField), (AutoPKField, AutoPKField)])
def test_two_primary_keys(kinds: tuple[type, type]) -> None:
    """A model has one primary key."""
    with refused("Bike", "first", "second", "Way out"):
        declare(first=kinds[0](), second=kinds[1]())


@pytest.mark.parametrize(
    "name",
    [
        *("hash", "collection", "max_pk", "database", "namespace", "abstract", "lockable"),
        *("get", "exists", "get_or_connect", "delete", "use_database", "DoesNotExist"),
        *("hmget", "hmset", "hgetall", "hkeys", "hvals", "hlen", "hdel"),
        *("a__b", "__collection__"),
    ],
)
def test_a_name_that_is_taken(name: str) -> None:
    """A field cannot have the name of a method or attribute of the model, of a key, or what filters cannot spell."""
    with refused("Bike", repr(name), "Way out"):
        if name == "database":
            type("Bike", (RedisModel,), {"database": StringField()})
        declare(**{name: StringField()})


def test_a_name_that_a_method_of_ones_own_has() -> None:
    """A method of a base is not taken away by a field."""

    class Base(RedisModel):
        database = RedisDatabase.embedded()
        abstract = True

        def ride(self) -> None:
            raise NotImplementedError

    with refused("Bike", "'ride'", "Base"):
        type("Bike", (Base,), {"ride": StringField()})


def test_a_field_named_pk_that_is_none() -> None:
    """``pk`` is the name of the primary key."""
    with refused("Bike", "'pk'"):
        declare(pk=StringField())


def test_a_model_without_database() -> None:
    """A concrete model needs a RedisDatabase."""
    with refused("Bike", "RedisDatabase", "abstract = True"):
        type("Bike", (RedisModel,), {})
    with refused("Bike", "'localhost'"):
        type("Bike", (RedisModel,), {"database": "localhost"})


def test_a_refused_model_leaves_its_name_free() -> None:
    """A class that was refused is not on the database."""
    with RedisDatabase.embedded() as database:
        with refused("Bike"):
            type("Bike", (RedisModel,), {"database": database, "hash": StringField()})
        assert "1" == type("Bike", (RedisModel,), {"database": database})().pk.get()


def declare_on(database: RedisDatabase, name: str, namespace: Any, **fields: Any) -> Any:
    attributes = {"database": database, "namespace": namespace, "title": StringField()}
    return type(name, (RedisModel,), attributes | fields)


@pytest.mark.parametrize("inner_first", [False, True])
@pytest.mark.parametrize(
    "fields",
    [{"key": PKField()}, {"wheel": StringField(indexable=True)}, {"wheel": InstanceHashField(unique=True)}],
    ids=["a chosen primary key", "an index", "a unique value"],
)
def test_a_namespace_that_goes_on_where_the_keys_of_a_model_do(fields: dict[str, Any], inner_first: bool) -> None:
    """``shop:bike`` + ``Wheel`` is also what begins the primary key ``wheel:...`` of a bike, or its index of wheels."""
    declarations: list[tuple[str, str, dict[str, Any]]] = [("Bike", "shop", fields), ("Wheel", "shop:bike", {})]
    with RedisDatabase.embedded() as database:
        first, second = reversed(declarations) if inner_first else declarations
        declare_on(database, first[0], first[1], **first[2])
        with refused("Bike", "Wheel", "'shop:bike'", "'shop:bike:wheel'", "Way out"):
            declare_on(database, second[0], second[1], **second[2])


def test_a_namespace_in_which_nothing_meets() -> None:
    """Where primary keys are counted, and no index has that name, each has its own keys."""
    with RedisDatabase.embedded() as database:
        bike, wheel = declare_on(database, "Bike", "shop"), declare_on(database, "Wheel", "shop:bike")
        bike(title="b"), wheel(title="w")
        assert ("b", "w") == (bike(1).title.get(), wheel(1).title.get())


def test_a_model_that_moves_to_where_keys_meet() -> None:
    """The same for ``use_database``; nothing is moved."""
    with RedisDatabase.embedded() as database, RedisDatabase.embedded() as other:
        declare_on(database, "Bike", "shop", key=PKField())
        wheel = declare_on(other, "Wheel", "shop:bike")
        with refused("Bike", "Wheel"):
            wheel.use_database(database)
        assert other is wheel.database


@pytest.mark.parametrize("namespace", [5, None, b"shop"])
def test_a_namespace_that_is_no_text(namespace: Any) -> None:
    """It would be spelled into all keys."""
    with RedisDatabase.embedded() as database, refused("namespace of Bike", type(namespace).__name__):
        declare_on(database, "Bike", namespace)
