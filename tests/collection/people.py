"""The documentation's persons, stored."""

from typing import Any

from tests.models import People
from tests.models import people as declare
from uowredis import RedisDatabase

#: First name, last name, year of birth, city; the first four are the documentation's.
DOCUMENTED = (
    ("John", "Smith", 1960, "New York"),
    ("John", "Doe", 1965, "New York"),
    ("Emily", "Smith", 1950, "New York"),
    ("Susan", "Doe", 1960, "Paris"),
)


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
