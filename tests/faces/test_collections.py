"""Collections, and the other sides of relations: each way of asking, over what is pending too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import InstanceHashField, PendingWrites, StringField, UniquenessError, aio
from uowredis.contrib.indexes import EqualIndexWith


async def cities(on: Models) -> list[Any]:
    """Make five persons in two cities; the session, where one is open, sees them."""
    return [
        await on.Person.create(name=name, city=city, hits=hits)
        for name, city, hits in (("e", "x", 5), ("d", "y", 4), ("c", "x", 3), ("b", "y", 2), ("a", "x", 1))
    ]


async def asked(on: Models) -> list[Any]:
    """Ask in each way there is."""
    everybody = on.Person.collection
    with_tag = await everybody(hits__in=[3, 4]).sort("name", alpha=True).values_list("name", flat=True).list()
    return [
        sorted(await everybody(city="x").values_list("name", flat=True).list()),
        sorted([row["name"] async for row in everybody(city="y").values("name", "city")]),
        await everybody().count(),
        await everybody(city="x").count(),
        await everybody(city="z").list(),
        await everybody(city="x").contains(await everybody(name="a").instances()[0]),
        [await each.name.get() for each in await everybody().sort("name", alpha=True).instances()[1:3]],
        await (await everybody(name="c").instances()[0]).hits.get(),
        [await each.name.get() for each in (await everybody().sort("-name", alpha=True).instances()[0:10:2])],
        await (await everybody().sort("name", alpha=True).instances()[-1]).name.get(),
        with_tag,
        await (everybody(city="x") | everybody(name="b"))
        .sort("name", alpha=True)
        .values_list("name", flat=True)
        .list(),
        await (everybody(city="x") - everybody(name="a")).count(),
        await everybody().exclude(city="x").count(),
        [
            (page, page.total)
            for page in [await everybody().sort("-name", alpha=True).values_list("name", flat=True).page(1, 2)]
        ],
        await on.Person.exists(city="x"),
        await everybody(city="z").exists() or await everybody(city="x").exists(),
        await (await everybody(city="y").sort("name", alpha=True).instances().first()).name.get(),
        len([pk async for pk in everybody(city="x").iter(chunk=1)]),
    ]


ANSWERS = [
    ["a", "c", "e"],
    ["b", "d"],
    5,
    3,
    [],
    True,
    ["b", "c"],
    "3",
    ["e", "c", "a"],
    "e",
    ["c", "d"],
    ["a", "b", "c", "e"],
    2,
    2,
    [(["d", "c"], 5)],
    True,
    True,
    "b",
    3,
]


async def test_collections_answer(on: Models) -> None:
    """Each way of asking, with no session open."""
    await cities(on)
    assert await asked(on) == ANSWERS


async def test_collections_answer_over_pending_writes(on: Models) -> None:
    """The same in a session before its commit, and after it."""
    async with aio.Session(on.database) as s:
        await cities(on)
        assert await asked(on) == ANSWERS
        assert on.server.dump() == {} or not on.server.client().exists(":person:collection")
        await s.commit()
        assert await asked(on) == ANSWERS


async def test_what_follows_a_place(on: Models) -> None:
    """Each from the place where the one before ended, over pending writes, too."""

    class Score(aio.RedisModel):
        database = on.database
        points = StringField(type=int, indexable="range")
        name = InstanceHashField(
            indexable=True, indexes=[EqualIndexWith.configure(other_fields=["points"], unique=True)]
        )

    for name, points in (("a", 3), ("b", 1), ("c", 3)):
        await Score.create(name=name, points=points)
    ranking = Score.collection().sort("-points")
    first = await ranking.values_list("name", flat=True).after(None, 2)
    assert (["c", "a"], (3, "1")) == (first, first.last)
    assert ["b"] == await ranking.after(first.last, 2)
    assert ["1"] == await Score.collection(name="a", points=3).list()
    async with aio.Session(on.database) as s:
        await Score.create(name="b", points=2)
        assert ["4", "2"] == await ranking.primary_keys().after((2.5, 1), 2)
        with pytest.raises(UniquenessError):
            await Score.create(name="a", points=3)
            await s.commit()
        await s.rollback()


async def test_what_is_stored_is_a_collection(on: Models) -> None:
    """Its key is found again; in a session that has touched the model it is refused."""
    await cities(on)
    stored = await on.Person.collection(city="x").store(ttl=60)
    assert sorted(await stored.list()) == ["1", "3", "5"]
    assert await on.Person.collection().from_stored(stored.stored_key).count() == 3
    async with aio.Session(on.database) as s:
        (await on.Person.get("1")).city.set("y")
        with pytest.raises(PendingWrites):
            await on.Person.collection().store()
        await s.rollback()


async def test_explaining_sends_nothing(on: Models) -> None:
    """The very calls are shown."""
    assert "SMEMBERS :person:city:x" in str(on.Person.collection(city="x").explain())
