"""``begin()`` and ``run()``: blocks and functions that commit by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import Conflict, SessionError


async def test_a_block_commits_when_it_is_left(on: Models) -> None:
    """Without an exception; with one nothing of it is sent."""
    async with on.database.begin() as s:
        await on.Person.create(name="ann")
        assert on.database.session is s
    with pytest.raises(ZeroDivisionError):
        async with on.database.begin():
            await on.Person.create(name="bob")
            raise ZeroDivisionError
    assert await on.Person.collection().count() == 1


async def test_a_function_is_decorated(on: Models) -> None:
    """Each call is in a session of its own."""

    @on.database.begin()
    async def make(name: str) -> Any:
        return await on.Person.create(name=name)

    assert await (await make("ann")).pk.get() == "1"
    with pytest.raises(SessionError, match="open here already"):
        async with on.database.begin():
            await make("bob")
    assert await on.Person.collection().count() == 1


async def test_a_block_joins_the_session_that_is_open(on: Models) -> None:
    """As a savepoint in it; where none is open it is a session of its own."""
    async with on.database.begin() as s:
        async with on.database.begin(join=True) as joined:
            assert joined is s
            await on.Person.create(name="a")
        with pytest.raises(ZeroDivisionError):
            async with on.database.begin(join=True):
                await on.Person.create(name="never")
                raise ZeroDivisionError
        assert await on.Person.collection().count() == 1
    async with on.database.begin(join=True):
        await on.Person.create(name="b")
    assert sorted(await on.Person.collection().values_list("name", flat=True).list()) == ["a", "b"]


async def test_run_decides_again_on_changed_values(on: Models) -> None:
    """What it read is watched; what others changed meanwhile is read again."""
    ann = await on.Person.create(name="ann", visits=0)
    seen: list[Any] = []

    async def decide(s: Any) -> str:
        seen.append(await ann.visits.get())
        if len(seen) == 1:
            on.server.client().set(":person:1:visits", "10")
        ann.visits.set(int(seen[-1]) + 1)
        with pytest.raises(SessionError, match="commits itself"):
            await s.commit()
        return "done"

    assert await on.database.run(decide) == "done"
    assert (seen, await ann.visits.get()) == (["0", "10"], "11")


async def test_run_gives_up(on: Models) -> None:
    """After so many attempts, or where the function raises on values that still hold."""
    ann = await on.Person.create(name="ann", visits=0)
    calls: list[int] = []

    async def meets(_: Any) -> None:
        calls.append(int(await ann.visits.get()))
        on.server.client().incr(":person:1:visits")
        ann.city.set("x")

    async def fails(_: Any) -> None:
        assert int(await ann.visits.get()) == 3
        raise ZeroDivisionError

    with pytest.raises(Conflict, match="visits"):
        await on.database.run(meets, attempts=3)
    with pytest.raises(ZeroDivisionError):
        await on.database.run(fails)
    assert (calls, await ann.city.get()) == ([0, 1, 2], None)
