"""What a model tells of its fields: what was declared, and nothing that can be changed."""

from datetime import date
from typing import Any

import attrs
import pytest

from uowredis import (
    FieldFacts,
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
from uowredis.contrib.related import CASCADE, CLEAR, FKInstanceHashField, FKStringField, M2MSetField, RelatedModel
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex


@pytest.fixture
def on() -> RedisDatabase:
    return RedisDatabase.embedded()


def differing(fact: FieldFacts) -> dict[str, Any]:
    """Return what a fact says beside its name, its kind, and what most fields are."""
    usual = {"stored": fact.name, "type": None, "indexes": (), "unique": False, "none": False, "lockable": True}
    usual |= dict.fromkeys(("default", "to", "target", "on_delete"))
    told = attrs.asdict(fact, recurse=False)
    return {name: told[name] for name, value in usual.items() if told[name] != value}


def test_every_fact(on: RedisDatabase) -> None:
    """Of every kind of field, in the order of the declaration."""

    class Place(RelatedModel):
        database = on
        number = PKField(type=int)
        name = InstanceHashField(indexable=True, unique=True, stored_as="called")
        seen = StringField(type=date, indexable="range", none=True, lockable=False, default=date.today)
        wheels = StringField(default=2)
        size = InstanceHashField(indexable=True, indexes=[EqualIndex, NumberRangeIndex])
        tags = SetField()
        rows = ListField(type=int)
        ranks = SortedSetField()
        notes = HashField()
        near = FKStringField("self", related_name="around", on_delete=CASCADE)
        owners = M2MSetField("Nobody", related_name="owned")

    facts = Place.fields
    assert list(facts) == list(Place._fields)
    kinds = {"number": "pk", "name": "entry", "seen": "string", "tags": "set", "rows": "list", "ranks": "zset"}
    assert kinds | {"notes": "hash", "near": "string"} == {name: facts[name].kind for name in [*kinds, "notes", "near"]}
    assert {
        "number": {"type": int, "unique": True},
        "name": {"stored": "called", "indexes": (EqualIndex,), "unique": True},
        "seen": {
            "type": date,
            "indexes": (EqualIndex, TextRangeIndex),
            "none": True,
            "lockable": False,
            "default": date.today,
        },
        "wheels": {"default": 2},
        "size": {"indexes": (EqualIndex, NumberRangeIndex)},
        "tags": {},
        "rows": {"type": int},
        "ranks": {},
        "notes": {},
        "near": {"type": int, "indexes": (EqualIndex,), "to": "Place", "target": Place, "on_delete": CASCADE},
        "owners": {"indexes": (EqualIndex,), "to": "Nobody", "on_delete": CLEAR},
    } == {name: differing(fact) for name, fact in facts.items()}


def test_it_is_told_as_it_is_now(on: RedisDatabase) -> None:
    """What is declared later is there later; what a subclass inherits is its own."""

    class Book(RelatedModel):
        database = on
        author = FKInstanceHashField("Author", related_name="books")

    before = Book.fields["author"]

    class Author(RelatedModel):
        database = on
        login = PKField(type=int)

    assert (None, None) == (before.target, before.type)
    assert (Author, int) == (Book.fields["author"].target, Book.fields["author"].type)
    assert {"pk": "pk", "author": "entry"} == {name: fact.kind for name, fact in Book.fields.items()}


def test_an_abstract_model_tells_too(on: RedisDatabase) -> None:
    """And its models with what they say of all their fields."""

    class Base(RedisModel):
        abstract = True
        lockable = False
        name = InstanceHashField(indexable=True)

    class Thing(Base):
        database = on
        default_indexes = (TextRangeIndex,)
        count = StringField()

    assert {"name": (EqualIndex,)} == {name: fact.indexes for name, fact in Base.fields.items()}
    assert {"pk": (), "name": (TextRangeIndex,), "count": ()} == {
        name: fact.indexes for name, fact in Thing.fields.items()
    }
    assert {"pk": True, "name": False, "count": False} == {name: fact.lockable for name, fact in Thing.fields.items()}


def test_nothing_of_it_changes(on: RedisDatabase) -> None:
    """Neither the mapping nor a fact; and no field takes its name."""

    class Thing(RedisModel):
        database = on
        name = InstanceHashField()

    facts: Any = Thing.fields
    with pytest.raises(TypeError):
        facts["name"] = None
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        facts["name"].unique = True
    with pytest.raises(AttributeError):
        Thing.fields = {}  # type: ignore[misc, assignment]
    with pytest.raises(ImplementationError, match="RedisModel has a method or attribute of that name"):

        class Other(RedisModel):
            database = on
            fields = InstanceHashField()
