"""The models of the tests, in five families, each declared for a database, since each test has a server of its own.

==================  ===================================================================================
:func:`things`      a field of every kind, plain and indexed, and unique ones; :func:`every_kind` has each once, with
                    an index or without, and counted or chosen primary keys
:func:`people`      the persons of the documentation's chapters on collections, and a user who knows them
:func:`groups`      persons and groups that refer to each other by a field of every kind of relation
:func:`products`    what is in stock: unique, indexed, counted
:func:`words`       primary keys that are chosen
==================  ===================================================================================

A model is declared beside its test only where the declaration itself is tested, or printed in the documentation.
"""

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
    aio,
)
from uowredis.contrib.related import (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedModel,
)
from uowredis.fields import Field


def base_on(on: RedisDatabase | aio.RedisDatabase, *, related: bool = False) -> Any:
    """Return what models are derived from that live on the database *on*, of either face."""
    if isinstance(on, aio.RedisDatabase):
        return aio.RelatedModel if related else aio.RedisModel
    return RelatedModel if related else RedisModel


# A field of every kind

#: The fields of a thing by name; each is there with an index too, as ``indexed_...``.
KINDS = {
    "string": StringField,
    "entry": InstanceHashField,
    "headers": HashField,
    "set": SetField,
    "list": ListField,
    "zset": SortedSetField,
}
#: A value for each of them.
CONTENT: dict[str, Any] = {
    "string": "5",
    "entry": "5",
    "headers": {"a": "1", "b": "x"},
    "set": ["a", "b", "c"],
    "list": ["a", "b", "a", "c"],
    "zset": {"a": 1, "b": 2, "c": 3},
}
#: A value for every field but the unique ones.
FULL = {index + name: value for index in ("", "indexed_") for name, value in CONTENT.items()}


def things(on: RedisDatabase | aio.RedisDatabase) -> Any:
    """Declare ``Thing``: every kind of field, plain and indexed; ``code`` and ``serial`` are unique."""

    class Thing(base_on(on)):  # type: ignore[misc]
        database = on
        string = StringField()
        entry = InstanceHashField()
        headers = HashField()
        set = SetField()
        list = ListField()
        zset = SortedSetField()
        indexed_string = StringField(indexable=True)
        indexed_entry = InstanceHashField(indexable=True)
        indexed_headers = HashField(indexable=True)
        indexed_set = SetField(indexable=True)
        indexed_list = ListField(indexable=True)
        indexed_zset = SortedSetField(indexable=True)
        code = InstanceHashField(unique=True)
        serial = StringField(unique=True)

    return Thing


@attrs.frozen
class EveryKind:
    """A field of every kind: ``Thing`` counts its primary keys, those of ``Named`` are chosen."""

    database: RedisDatabase | aio.RedisDatabase
    Thing: type[Any]
    Named: type[Any]


def every_kind(
    on: RedisDatabase | aio.RedisDatabase, *, indexed: bool = True, unique: bool = True, renamed: bool = False
) -> EveryKind:
    """Declare models with a field of every kind; ``count`` and ``note`` are plain.

    Args:
        on: where they live: a database of either face.
        indexed: whether the others have an index.
        unique: whether ``code``, ``email`` and ``badges`` are unique; else they are indexed as the others.
        renamed: whether ``Named`` is stored under another name, and its fields, too: those with ``was-`` before them.
    """
    options = {"indexable": True} if indexed else {}
    sole = {"unique": True} if indexed and unique else options

    class Base(base_on(on)):  # type: ignore[misc]
        abstract = True
        database = on
        title = StringField(**options)
        code = StringField(**sole)
        count = StringField()
        name = InstanceHashField(**options)
        email = InstanceHashField(**sole)
        note = InstanceHashField()
        headers = HashField(**options)
        tags = SetField(**options)
        badges = SetField(**sole)
        rows = ListField(**options)
        ranks = SortedSetField(**options)

    class Thing(Base):
        pass

    renaming = {name: _renamed(field) for name, field in vars(Base).items() if isinstance(field, Field)}
    declared = {"key": PKField(), **(renaming | {"stored_as": "Was.Named"} if renamed else {})}
    return EveryKind(on, Thing, type(Base)("Named", (Base,), declared))


def _renamed(field: Any) -> Any:
    options = {"indexable": field.indexable, "unique": field.unique}
    return type(field)(**options, stored_as=f"was-{field.name}")


# People, as documented

#: First name, last name, year of birth, city; the first four are the documentation's.
DOCUMENTED = (
    ("John", "Smith", 1960, "New York"),
    ("John", "Doe", 1965, "New York"),
    ("Emily", "Smith", 1950, "New York"),
    ("Susan", "Doe", 1960, "Paris"),
)


@attrs.frozen
class People:
    """The models on one database.

    Attributes:
        person: without a city.
        extended: the same data, and a city.
        user: an object with lists of persons.
    """

    person: type[Any]
    extended: type[Any]
    user: type[Any]


def people(on: RedisDatabase | aio.RedisDatabase) -> People:
    """Declare the documented models; nothing is stored."""

    class Person(base_on(on)):  # type: ignore[misc]
        database = on
        firstname = InstanceHashField(indexable=True)
        lastname = InstanceHashField(indexable=True)
        birth_year = InstanceHashField(indexable=True)

        def __repr__(self) -> str:
            values = self.hmget("firstname", "lastname", "birth_year")
            return "<[{}] {} {} ({})>".format(self.pk.get(), *values)

    class Extended(base_on(on)):  # type: ignore[misc]
        database = on
        firstname = InstanceHashField(indexable=True)
        lastname = InstanceHashField(indexable=True)
        birth_year = InstanceHashField(indexable=True)
        city = InstanceHashField(indexable=True)

    class User(base_on(on)):  # type: ignore[misc]
        database = on
        login = PKField()
        city = InstanceHashField()
        name = InstanceHashField()
        friends = SetField()
        history = ListField()
        met = SortedSetField()

    return People(Person, Extended, User)


def documented(on: RedisDatabase) -> People:
    """Declare the models and store the documented persons, pks 1 to 4."""
    models = people(on)
    for firstname, lastname, birth_year, city in DOCUMENTED:
        models.person(firstname=firstname, lastname=lastname, birth_year=birth_year)
        models.extended(firstname=firstname, lastname=lastname, birth_year=birth_year, city=city)
    return models


def current_user(people: People) -> Any:
    """Return a user of New York who knows persons 1, 2 and 4, and met them in 1985, 1980 and 1990."""
    return people.user(
        login="me",
        city="New York",
        friends=["1", "2", "4"],
        history=["4", "2", "2"],
        met={"1": 1985, "2": 1980, "4": 1990},
    )


# Groups and persons


@attrs.frozen
class Groups:
    """Persons who refer to persons and to a group; groups that refer to persons by every kind of field."""

    database: RedisDatabase | aio.RedisDatabase
    person: type[Any]
    group: type[Any]


def groups(on: RedisDatabase | aio.RedisDatabase, *, chosen: bool = False) -> Groups:
    """Declare persons, with counted primary keys or *chosen* ones (``login``), and groups, with counted ones."""

    class Person(base_on(on, related=True)):  # type: ignore[misc]
        database = on
        if chosen:
            login = PKField()
        name = InstanceHashField(indexable=True)
        city = InstanceHashField(indexable=True)
        age = StringField()
        nicknames = SetField()
        friend = FKStringField("self", related_name="befriended")
        partner = FKInstanceHashField("self", related_name="partnered")
        boss = FKStringField("Group", related_name="%(model)s_bossed")

    class Group(base_on(on, related=True)):  # type: ignore[misc]
        database = on
        title = InstanceHashField(unique=True)
        name = InstanceHashField(indexable=True)
        key = FKStringField("Person", related_name="by_key")
        entry = FKInstanceHashField("Person", related_name="by_entry")
        members = M2MSetField("Person", related_name="by_members")
        history = M2MListField("Person", related_name="by_history")
        scores = M2MSortedSetField("Person", related_name="by_scores")

    return Groups(on, Person, Group)


# Products


def products(on: RedisDatabase | aio.RedisDatabase) -> Any:
    """Declare ``Product``: a unique name, indexed fields, stock with a default, an indexed counter and a plain one."""

    class Product(base_on(on)):  # type: ignore[misc]
        database = on
        name = InstanceHashField(unique=True)
        kind = InstanceHashField(indexable=True)
        color = InstanceHashField(indexable=True)
        price = InstanceHashField()
        stock = StringField(default=0)
        code = StringField(indexable=True)
        hits = StringField(indexable=True)
        visits = StringField()
        tags = SetField(indexable=True)
        shelf = ListField()
        sold = SortedSetField()
        notes = HashField()

    return Product


# Chosen keys


def words(on: RedisDatabase | aio.RedisDatabase) -> Any:
    """Declare ``Word``, whose primary key is chosen; indexed, unique and plain fields."""

    class Word(base_on(on)):  # type: ignore[misc]
        database = on
        key = PKField()
        kind = InstanceHashField(indexable=True)
        rank = StringField(indexable=True)
        sense = InstanceHashField(unique=True)
        plain = StringField()

    return Word
