"""Collections that are awaited, and the other sides of relations."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import (
    ArgumentTypeError,
    ImplementationError,
)
from uowredis.collection import CollectionManager


async def cities(on: Models) -> list[Any]:
    """Make five persons in two cities."""
    return [
        await on.Person.create(name=name, city=city, hits=hits)
        for name, city, hits in (("e", "x", 5), ("d", "y", 4), ("c", "x", 3), ("b", "y", 2), ("a", "x", 1))
    ]


async def test_lists_and_fields_are_intersected(on: Models) -> None:
    """Primary keys, instances, fields with many values, other collections; a field in a list would have to be read."""
    people = await cities(on)
    group = await on.Group.create(members=people[:2], owner=people[4])
    everybody = on.Person.collection
    assert await everybody(city="x").intersect([people[0], "3", people[1]]).sort()[0:5] == ["1", "3"]
    assert await everybody(city="x").intersect(group.members).list() == ["1"]
    assert await everybody().intersect(everybody(city="y")).count() == 2
    assert await everybody(name=people[1].name).list() == ["2"]
    with pytest.raises(ArgumentTypeError, match="await their values"):
        everybody().intersect([group.owner])


async def test_what_cannot_wait_is_refused(on: Models) -> None:
    """Python's own ways to look at a collection; printing one does not look at it."""
    found = on.Person.collection()
    for look in (len, list, bool, lambda each: "1" in each, lambda each: each == []):
        with pytest.raises(ArgumentTypeError, match="async for"):
            look(found)
    assert repr(found) == "<a collection of Person>"
    with pytest.raises(ArgumentTypeError, match="integers and slices"):
        await found["x"]
    with pytest.raises(IndexError):
        await found[0]
    with pytest.raises(ImplementationError, match="subclass of CollectionManager"):
        on.Person.collection(CollectionManager)


async def test_another_database_is_not_asked(on: Models) -> None:
    """What is on another database is awaited by the caller."""
    person = await on.Person.create(name="a")
    other = Models.on(on.server)
    elsewhere = other.Person.collection(name=person.name)
    with pytest.raises(ImplementationError, match="await it first"):
        await elsewhere.list()
    assert await other.Person.collection(name=await person.name.get()).list() == ["1"]
    await other.database.close()


async def test_an_object_is_found_or_made_once(on: Models) -> None:
    """However many tasks ask for it at once."""
    import asyncio

    found = await asyncio.gather(*(on.Person.get_or_connect(name="one", defaults={"city": "x"}) for _ in range(8)))
    assert sorted(itertools.chain(created for _, created in found)) == [False] * 7 + [True]
    assert await on.Person.collection().count() == 1
