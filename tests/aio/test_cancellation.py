"""A task may be cancelled wherever it waits: a commit is whole or not there, no connection goes back half-read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.aio.conftest import held
from tests.aio.models import Models
from tests.aio.test_units_of_work import happened, say
from tests.tools.host import Cancelled
from uowredis import aio

Doing = Callable[[Models], Awaitable[None]]


async def in_a_session(on: Models) -> None:
    """Read under watch, say, commit."""
    async with aio.Session(on.database, watch_reads=True, on_pending="discard") as s:
        await say(on)
        await s.commit()


async def in_a_run(on: Models) -> None:
    """The same as a function that is called again."""

    async def function(_: aio.Session) -> None:
        await say(on)

    await on.database.run(function)


async def at_once(on: Models) -> None:
    """Commands with no session open, one of them a unit of work of its own."""
    ann = await on.Person.get(name="ann")
    await ann.city.set("here")
    await ann.shelf.rpush("x")
    await ann.visits.incr()


async def look(on: Models) -> None:
    """Queries in several round trips, and transactions of their own."""
    assert await on.Person.collection(name="ann").sort("name", alpha=True).values("name")[0:3]
    assert [pk async for pk in on.Person.collection()]


async def waits(on: Models, doing: Doing, at: int | None) -> tuple[int, bool]:
    """Return how often *doing* waited, and whether it was cancelled where it waited for the time *at*."""
    cancelled = Cancelled(doing(on), at)

    async def run() -> None:
        await cancelled

    try:
        await asyncio.create_task(run())
    except asyncio.CancelledError:
        return cancelled.waited, True
    return cancelled.waited, False


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connecting"])
@pytest.mark.parametrize("doing", [in_a_session, in_a_run, at_once, look], ids=lambda each: each.__name__)
async def test_cancelled_wherever_it_waits(on_real: Models, doing: Doing, *, connected: bool) -> None:
    """Nothing is left held or open, what was written is whole, and the next one finds all in order."""
    on, at, goes_on = on_real, 0, True
    while goes_on:
        on.server.flush()
        on.database._executor.pool.spent.clear()
        await on.Person.create(name="ann")
        if not connected:
            await on.database.close()
        waited, goes_on = await waits(on, doing, at)
        assert goes_on == (waited > at), "a cancellation was swallowed"
        assert (on.database.session, held(on.database)) == (None, 0)
        if doing not in (at_once, look):
            assert happened(on) in ((0, 1) if goes_on else (1,))
        ann = await on.Person.get(name="ann")
        assert [await ann.name.get(), await ann.tags.smembers()] == ["ann", set()]
        assert await ann.tags.sadd("x", "y") == 2
        at += 1
    assert at > 2


async def test_a_cancelled_commit_is_settled_by_the_next(on_real: Models) -> None:
    """Around EXEC the outcome is unknown; the next commit asks, and what was said happens once."""
    on, at, goes_on, outcomes = on_real, 0, True, set()
    while goes_on:
        on.server.flush()
        await on.Person.create(name="ann")
        async with aio.Session(on.database, on_pending="discard") as s:
            await say(on)
            cancelled = Cancelled(s.commit(), at)
            task = asyncio.current_task()
            assert task is not None
            try:
                await cancelled
            except asyncio.CancelledError:
                task.uncancel()
            goes_on = cancelled.waited > at
            outcomes.add(s.outcome)
            if s.outcome == "unknown":
                assert s.token is not None
                assert await on.database.settle(s.token) == ("applied" if happened(on) else "not applied")
            was_noted = s.outcome == "applied"
            await s.commit()
            assert (s.outcome, happened(on)) == (None if was_noted else "applied", 1)
        at += 1
    assert {None, "unknown", "applied"} <= outcomes


async def test_a_bound_ends_what_waits(on_real: Models) -> None:
    """``asyncio.timeout`` is a cancellation like any other."""
    on = on_real
    blocked = on.server.client()
    blocked.client_pause(200)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await on.Person.create(name="ann")
    blocked.client_unpause()
    assert held(on.database) == 0
    await on.Person.create(name="bob")
    assert await on.Person.exists(name="bob")
