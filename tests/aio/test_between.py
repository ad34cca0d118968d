"""Commands of two fields on the asyncio face: awaited everywhere, with the indexes of both sides right."""

from __future__ import annotations

import pytest

from tests.aio.models import Models
from uowredis import Conflict, aio


async def test_what_two_fields_say_is_awaited(on: Models) -> None:
    """Alone it gives the reply; in a session what is awaited for it after the commit, over what is pending."""
    ann = await on.Person.create(name="ann", tags=["a", "b"], shelf=["x", "y"])
    bob = await on.Person.create(name="bob", tags=["b"])
    assert {"b"} == await ann.tags.sinter(bob.tags)
    assert await ann.tags.smove(bob.tags, "a") is True
    assert "x" == await ann.shelf.lmove(bob.shelf)
    assert bob == await on.Person.get(tags="a")
    async with aio.Session(on.database) as s:
        bob.tags.srem("b")
        moved = await bob.tags.smove(ann.tags, "a")
        last = await ann.shelf.rpoplpush(bob.shelf)
        assert {"a", "b"} == await ann.tags.sunion(bob.tags)
        assert ann == await on.Person.get(tags="a")
        assert [1, True, "y"] == await s.commit()
    assert (True, "y") == (await moved, await last)
    assert ["y", "x"] == await bob.shelf.lrange(0, -1)


async def test_in_a_pipeline_it_is_awaited_too(on: Models) -> None:
    """It looks at once; its reply is among those of execute()."""
    ann = await on.Person.create(name="ann", tags=["a", "b"])
    bob = await on.Person.create(name="bob")
    async with on.database.pipeline() as pipeline:
        await ann.tags.smove(bob.tags, "a")
        bob.tags.smembers()
        assert {"b"} == await ann.tags.sdiff(bob.tags)
        assert [True, {"a"}] == await pipeline.execute()


async def test_what_another_takes_is_a_conflict(on: Models) -> None:
    """What goes is watched until the commit."""
    ann = await on.Person.create(name="ann", tags=["a", "b"])
    bob = await on.Person.create(name="bob")
    async with aio.Session(on.database) as s:
        await ann.tags.smove(bob.tags, "a")
        await on.database.connection.srem(ann.tags.key, "a")
        with pytest.raises(Conflict, match="tags"):
            await s.commit()
        await s.rollback()
    assert await ann.tags.smove(bob.tags, "a") is False
