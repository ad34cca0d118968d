"""The families of models that tests share: declared on the database of each test, with no data.

``kinds``: one field of every kind, with counted and with chosen primary keys. ``people``: the documentation's persons.
``groups``: persons and groups that refer to them. ``products``: stock, counters, notes.
"""

from __future__ import annotations

from typing import Any

import attrs

from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.contrib import related
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.database import PipelineDatabase


@attrs.frozen
class Kinds:
    """The models as one client has them: ``Thing`` counts its pks, those of ``Named`` are chosen."""

    database: RedisDatabase
    thing: type[Any]
    named: type[Any]

    def all(self) -> tuple[type[Any], type[Any]]:
        return self.thing, self.named


def kinds(database: RedisDatabase, *, indexed: bool = True, unique: bool = True) -> Kinds:
    """Declare on *database* one model with a field of every kind, and the same with chosen primary keys.

    Args:
        database: where they live.
        indexed: whether the fields have an index.
        unique: whether ``code``, ``email`` and ``badges`` are unique; else they are indexed as the others.
    """
    options = {"indexable": True} if indexed else {}
    sole = {"unique": True} if indexed and unique else options

    class Base(RedisModel):
        abstract = True
        title = StringField(**options)
        code = StringField(**sole)
        name = InstanceHashField(**options)
        email = InstanceHashField(**sole)
        note = InstanceHashField()
        headers = HashField(**options)
        tags = SetField(**options)
        badges = SetField(**sole)
        rows = ListField(**options)
        ranks = SortedSetField(**options)

    base: type[RedisModel] = Base
    base.database = database

    class Thing(base):  # type: ignore[misc, valid-type]  # a base made at run time
        pass

    class Named(base):  # type: ignore[misc, valid-type]
        key = PKField()

    return Kinds(database, Thing, Named)


@attrs.frozen
class People:
    """The models on one database.

    Attributes:
        person: standard collections.
        extended: the same data, extended collections.
        user: an object with lists of persons.
    """

    person: type[Any]
    extended: type[Any]
    user: type[Any]


def people(on: RedisDatabase) -> People:
    """Declare on a database the persons that the documentation's chapters on collections speak of."""

    class Person(RedisModel):
        database = on
        firstname = InstanceHashField(indexable=True)
        lastname = InstanceHashField(indexable=True)
        birth_year = InstanceHashField(indexable=True)

        def __repr__(self) -> str:
            values = self.hmget("firstname", "lastname", "birth_year")
            return "<[{}] {} {} ({})>".format(self.pk.get(), *values)

    class Extended(RedisModel):
        database = on
        collection_manager = ExtendedCollectionManager
        firstname = InstanceHashField(indexable=True)
        lastname = InstanceHashField(indexable=True)
        birth_year = InstanceHashField(indexable=True)
        city = InstanceHashField(indexable=True)

    class User(RedisModel):
        database = on
        login = PKField()
        city = InstanceHashField()
        name = InstanceHashField()
        friends = SetField()
        history = ListField()
        met = SortedSetField()

    return People(Person, Extended, User)


@attrs.frozen
class Groups:
    """The models on one database."""

    database: PipelineDatabase
    Person: Any
    Group: Any
    Shelf: Any

    def three(self) -> tuple[Any, Any, Any]:
        """Store and return persons 1 to 3: a and b of Paris, c of Lyon."""
        a = self.Person(name="a", city="Paris", hits=3, age=30, tags=["x", "y"], queue=["1", "2"])
        b = self.Person(name="b", city="Paris", hits=1, age=20, tags=["y"])
        c = self.Person(name="c", city="Lyon", hits=2, age=10)
        return a, b, c


def groups(on: PipelineDatabase) -> Groups:
    """Declare on a database persons with fields of every type, groups that refer to them, and shelves."""

    class Person(related.RelatedModel):
        database = on
        collection_manager = ExtendedCollectionManager
        name = InstanceHashField(unique=True)
        city = StringField(indexable=True)
        tags = SetField(indexable=True)
        rows = ListField(indexable=True)
        scores = SortedSetField(indexable=True)
        age = InstanceHashField()
        hits = StringField()
        queue = ListField()
        headers = HashField()

    class Group(related.RelatedModel):
        database = on
        title = InstanceHashField(indexable=True)
        owner = related.FKInstanceHashField("Person", related_name="owned")
        members = related.M2MSetField("Person", related_name="membership")

    class Shelf(related.RelatedModel):
        database = on
        label = PKField()
        town = InstanceHashField()
        chosen = SetField()
        seen = ListField()
        marks = SortedSetField()

    return Groups(on, Person, Group, Shelf)


def products(on: RedisDatabase) -> type[Any]:
    """Declare on a database products: every type of field, a unique one, indexed ones, a counter; return the model."""

    class Product(RedisModel):
        database = on
        name = InstanceHashField(unique=True)
        kind = InstanceHashField(indexable=True)
        price = InstanceHashField()
        stock = StringField(default=0)
        code = StringField(indexable=True)
        tags = SetField(indexable=True)
        shelf = ListField()
        sold = SortedSetField()
        notes = HashField()

    return Product
