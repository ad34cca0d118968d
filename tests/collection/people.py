"""The documentation's persons, with the models that its chapters on collections speak of."""

from typing import Any

import attrs

from uowredis import InstanceHashField, ListField, PKField, RedisDatabase, RedisModel, SetField, SortedSetField
from uowredis.contrib.collection import ExtendedCollectionManager

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
        person: standard collections.
        extended: the same data, extended collections.
        user: an object with lists of persons.
    """

    person: type[Any]
    extended: type[Any]
    user: type[Any]


def declare(on: RedisDatabase) -> People:
    """Declare the models on a database; nothing is stored."""

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


def documented(on: RedisDatabase) -> People:
    """Declare the models and store the documented persons, pks 1 to 4."""
    people = declare(on)
    for firstname, lastname, birth_year, city in DOCUMENTED:
        people.person(firstname=firstname, lastname=lastname, birth_year=birth_year)
        people.extended(firstname=firstname, lastname=lastname, birth_year=birth_year, city=city)
    return people


def current_user(people: People) -> Any:
    """Return a user of New York who knows persons 1, 2 and 4, and met them in 1985, 1980 and 1990."""
    return people.user(
        login="me",
        city="New York",
        friends=["1", "2", "4"],
        history=["4", "2", "2"],
        met={"1": 1985, "2": 1980, "4": 1990},
    )
