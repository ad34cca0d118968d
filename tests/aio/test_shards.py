"""Sharded models on the asyncio face: the same places, and collections over all of them, on one server."""

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import CrossPlace, InstanceHashField, SetField, aio
from uowredis.contrib.related import FKInstanceHashField


def declare(on: Models) -> tuple[Any, Any]:
    """Declare tenants, and persons near them."""

    class Tenant(aio.RelatedModel):
        database = on.database
        namespace = "spread"
        shards = 8
        name = InstanceHashField(indexable=True)

    class Person(aio.RelatedModel):
        database = on.database
        namespace = "spread"
        near = "tenant"
        tenant = FKInstanceHashField(Tenant)
        name = InstanceHashField(indexable=True)
        age = InstanceHashField(type=int, indexable="range")
        tags = SetField(indexable=True)

    return Tenant, Person


async def test_objects_are_near_and_found(on: Models) -> None:
    """Created alone, in a session and many at once; asked in one place, and in all."""
    tenants, people = declare(on)
    made = await tenants.create_many([{"name": f"t{number}"} for number in range(20)], batch=1)
    async with on.database.begin():
        tenant = await tenants.create(name="new")
        first = await people.create(tenant=tenant, name="ann", age=0)
    rows = [{"tenant": made[number % 20], "name": "ann", "age": number, "tags": ["a"]} for number in range(1, 30)]
    await people.create_many(rows, batch=3)
    for person in [first, *await people.collection().instances()[:5]]:
        owner = await person.tenant.instance()
        assert int(await owner.pk.get()) % 8 == int(await person.pk.get()) % 8
    everybody = people.collection(name="ann")
    assert await everybody.count() == 30
    assert await everybody.sort(by="age").values_list("age", flat=True)[3:7] == [3, 4, 5, 6]
    assert [row["age"] async for row in people.collection(name="ann", tags="a").sort(by="-age").values("age")] == [
        *range(29, 0, -1)
    ]
    some = await people.collection().sort(by="age").after(None, 4)
    assert [await people.get(pk) for pk in some] == await people.collection(age__lt=4).sort(by="age").instances()[:]
    assert await people.collection(tenant=tenant).list() == [await first.pk.get()]
    assert len({pk async for pk in people.collection().iter(chunk=5)}) == 30
    assert await people.collection(age__gte=20).update(name="old") == 10
    assert await people.collection(name="old").delete() == 10
    assert await people.exists(await first.pk.get())
    assert await people.get_many([await first.pk.get(), "7"], missing="skip") == [first]


async def test_what_is_in_two_places_is_refused(on: Models) -> None:
    tenants, people = declare(on)
    made = await tenants.create_many([{"name": f"t{number}"} for number in range(20)], batch=1)
    first = made[0]
    other = next(each for each in made if int(each._pk) % 8 != int(first._pk) % 8)
    person = await people.create(tenant=first)
    with pytest.raises(CrossPlace):
        await person.tenant.hset(other)
    with pytest.raises(CrossPlace):
        async with on.database.begin():
            first.name.hset("a")
            other.name.hset("b")
    assert await tenants.collection(name="a").count() == 0
