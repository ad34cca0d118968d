"""Commands with no session open, on each type of field: replies, what is stored, indexes, errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import ArgumentError, ArgumentTypeError, DoesNotExist, UniquenessError


async def test_strings(on: Models) -> None:
    """Each command gives Redis' reply; the index follows."""
    ann = await on.Person.create(name="ann")
    assert await ann.visits.get() is None
    assert [await ann.visits.set("1"), await ann.visits.incr(4), await ann.visits.append("0")] == [True, 5, 2]
    assert (await ann.visits.get(), await ann.visits.strlen(), await ann.visits.getrange(0, 0)) == ("50", 2, "5")
    assert await ann.hits.set("7") is True
    assert await ann.hits.getset("8") == "7"
    assert on.server.client().keys(":person:hits:*") == [b":person:hits:8"]
    assert [await ann.hits.delete(), await ann.hits.exists()] == [1, False]
    assert on.server.client().keys(":person:hits:*") == []


async def test_entries(on: Models) -> None:
    """One by one and several at once; unique values are guarded."""
    ann, bob = await on.Person.create(name="ann"), await on.Person.create(name="bob", city="x")
    assert await ann.hmset(city="y", name="carl") is True
    assert await ann.hmget("name", "city") == ["carl", "y"]
    assert await ann.hgetall() == {"name": "carl", "city": "y"}
    with pytest.raises(UniquenessError, match="bob"):
        await ann.name.set("bob")
    with pytest.raises(UniquenessError, match="carl"):
        await on.Person.create(name="carl")
    assert await bob.hdel("city") == 1
    assert sorted(on.server.client().keys(":person:city:*")) == [b":person:city:y"]
    assert await on.Person.get(name="carl") == ann


async def test_sets_lists_hashes_and_sorted_sets(on: Models) -> None:
    """What is added is there, in Redis' order."""
    ann = await on.Person.create(tags=["a", "b"], shelf=["x"], notes={"k": "v"}, sold={"m": 2})
    assert [await ann.tags.sadd("b", "c"), await ann.tags.srem("a")] == [1, 1]
    assert (await ann.tags.smembers(), await ann.tags.scard(), await ann.tags.sismember("c")) == ({"b", "c"}, 2, True)
    assert sorted(on.server.client().keys(":person:tags:*")) == [b":person:tags:b", b":person:tags:c"]
    assert [await ann.shelf.rpush("y", "z"), await ann.shelf.lpop(), await ann.shelf.llen()] == [3, "x", 2]
    assert await ann.shelf.lrange(0, -1) == ["y", "z"]
    assert [await ann.notes.hset("l", "w"), await ann.notes.hgetall()] == [1, {"k": "v", "l": "w"}]
    assert [await ann.sold.zadd({"n": 1}), await ann.sold.zrange(0, -1), await ann.sold.zscore("m")] == [
        1,
        ["n", "m"],
        2.0,
    ]


async def test_what_cannot_be_is_refused(on: Models) -> None:
    """Nothing is sent; the error names the value."""
    ann = await on.Person.create(name="ann")
    before = on.server.dump()
    for wrong in (None, object(), ["x"]):
        with pytest.raises(ArgumentTypeError):
            await ann.visits.set(wrong)
    with pytest.raises(ArgumentError, match="nothing"):
        await on.Person.create(nothing="x")
    with pytest.raises(ArgumentError, match="nothing"):
        await ann.hmget("nothing")
    assert on.server.dump() == before


async def test_what_is_deleted_is_gone(on: Models) -> None:
    """With its keys and indexes; a handle of it is refused."""
    before = on.server.dump()
    ann = await on.Person.create(name="ann", tags=["a"], hits=1, shelf=["x"])
    again = await on.Person.get(await ann.pk.get())
    await ann.delete()
    left = {key: value for key, value in on.server.dump().items() if not key.endswith(b":max_pk")}
    assert left == before
    for handle in (ann, again):
        with pytest.raises(DoesNotExist):
            await handle.tags.sadd("b")
    assert await on.Person.exists("1") is False
    with pytest.raises(DoesNotExist):
        await on.Person.get("1")


async def test_an_object_is_found_or_made(on: Models) -> None:
    """By what it is asked for; what is not asked comes from the defaults."""
    ann, created = await on.Person.get_or_connect(name="ann", defaults={"city": "x"})
    again, found = await on.Person.get_or_connect(name="ann", defaults={"city": "y"})
    assert (created, found, again == ann, await again.city.get()) == (True, False, True, "x")
    assert await on.Person.collection().count() == 1


async def test_an_empty_object_is_made_by_its_first_write(on: Models) -> None:
    """Until then nothing is there."""
    empty = await on.Person.create()
    assert on.server.dump() == {}
    assert [await empty.visits.get(), await empty.tags.smembers()] == [None, set()]
    assert await empty.visits.incr() == 1
    assert await on.Person.exists(await empty.pk.get())


async def test_faces_print_alike(on: Models) -> None:
    """What is printed names the object and the field, and asks nobody."""
    ann: Any = await on.Person.create(name="ann")
    assert "1" in repr(ann)
    assert "visits" in repr(ann.visits)
