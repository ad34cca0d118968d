"""A task may be cancelled wherever it waits: a commit is whole or not there, no connection goes back half-read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from tests.aio.conftest import held
from tests.aio.models import Models
from tests.aio.test_units_of_work import happened, say, say_of
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


async def in_a_pipeline(on: Models) -> None:
    """What is read under watch, what is said then, and what is called after."""
    async with on.database.pipeline() as pipeline:
        ann = await on.Person.get(name="ann")
        await pipeline.watch(ann.visits)
        assert await ann.visits.get() is None
        pipeline.multi()
        say_of(ann)
        on.Person.collection(name="ann")
        await pipeline.execute()


async def in_a_transaction(on: Models) -> None:
    """The same as a function that is called again."""
    ann = await on.Person.get(name="ann")

    async def function(pipeline: Any) -> None:
        assert await ann.visits.get() is None
        pipeline.multi()
        say_of(ann)

    await on.database.transaction(function, ann.visits)


async def in_savepoints(on: Models) -> None:
    """One that is kept, one that is forgotten, and a plan that is shown."""
    async with on.database.begin():
        async with on.database.begin(join=True) as s:
            await say(on)
        with pytest.raises(ZeroDivisionError):
            async with s.savepoint():
                await on.Person.create(name="never")
                raise ZeroDivisionError
        await s.plan()


async def found_or_made(on: Models) -> None:
    """One that is there, and one that is not."""
    assert (await on.Person.get_or_connect(name="ann"))[1] is False
    assert (await on.Person.get_or_connect(name="bob"))[1] is True


async def stored_and_followed(on: Models) -> None:
    """A collection that is stored, a relation from both sides, a deletion with what refers to it."""
    bob = await on.Person.create(name="bob")
    group = await on.Group.create(owner=bob, members=[bob, await on.Person.get(name="ann")])
    stored = await on.Person.collection().store(ttl=10)
    assert await stored.count() == 2
    assert await group.owner.instance() == bob
    assert await bob.group_set().count() == 1
    await bob.delete()


async def together(on: Models) -> None:
    """Reads in tasks, all of which are awaited."""
    ann = await on.Person.get(name="ann")
    reads = [asyncio.create_task(read()) for read in (ann.name.get, ann.visits.get, on.Person.collection().count)]
    try:
        assert await asyncio.gather(*reads) == ["ann", None, 1]
    finally:
        for read in reads:
            read.cancel()
        await asyncio.wait(reads)


def check_indexes(on: Models) -> None:
    """Check by plain redis-py that indexes are what the fields entail, and that nothing is there by half."""
    client = on.server.client(decode_responses=True)
    for model, fields in (("person", ("name", "city")), ("group", ("title",))):
        pks = client.smembers(f":{model}:collection")
        hashes = {pk: client.hgetall(f":{model}:{pk}:hash") for pk in pks}
        told: dict[str, set[str]] = {}
        for pk, entries in hashes.items():
            for field in fields:
                if field in entries:
                    told.setdefault(f":{model}:{field}:{entries[field]}", set()).add(pk)
        keys = [key for field in fields for key in client.keys(f":{model}:{field}:*")]
        assert told == {key: client.smembers(key) for key in keys}
        assert {key.split(":")[2] for key in client.keys(f":{model}:[0-9]*:*")} <= pks
    owners = {pk: client.get(f":group:{pk}:owner") for pk in client.smembers(":group:collection")}
    assert set(owners.values()) - {None} <= client.smembers(":person:collection")
    assert client.keys("*__guard__*") == []


async def waits(on: Models, doing: Doing, at: int | None) -> tuple[int, bool]:
    """Return how often *doing* waited, and whether it was cancelled where it waited for the time *at*."""
    cancelled = Cancelled(doing(on), at)

    async def run() -> None:
        try:
            await cancelled
        finally:
            assert on.database.session is None, "it is open still in the context of the task"

    try:
        await asyncio.create_task(run())
    except asyncio.CancelledError:
        return cancelled.waited, True
    return cancelled.waited, False


#: What says what must happen once and whole; and what waits in several places, and leaves the indexes right.
WHOLE = [in_a_session, in_a_run, in_a_pipeline, in_a_transaction, in_savepoints]
BY_PARTS = [at_once, look, found_or_made, stored_and_followed, together]


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "connecting"])
@pytest.mark.parametrize("doing", [*WHOLE, *BY_PARTS], ids=lambda each: each.__name__)
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
        if doing in WHOLE:
            assert happened(on) in ((0, 1) if goes_on else (1,))
        check_indexes(on)
        ann = await on.Person.get(name="ann")
        assert [await ann.name.get(), await ann.tags.smembers()] == ["ann", set()]
        assert await ann.tags.sadd("x", "y") == 2
        at += 1
    assert at > 2


@pytest.mark.parametrize("doing", [in_a_session, in_a_run, in_a_transaction, in_savepoints], ids=lambda d: d.__name__)
async def test_a_scope_of_anyio_cancels_again_and_again(on_real: Models, doing: Doing) -> None:
    """At each await until it is left, so also where a connection is let go of; nothing is held or open then."""
    on, at, goes_on = on_real, 0, True
    while goes_on:
        on.server.flush()
        on.database._executor.pool.spent.clear()
        await on.Person.create(name="ann")
        with anyio.CancelScope() as scope:
            cancelled = Cancelled(doing(on), at, scope.cancel)
            await cancelled
        goes_on = cancelled.waited > at
        assert (on.database.session, held(on.database)) == (None, 0)
        assert happened(on) in ((0, 1) if goes_on else (1,))
        check_indexes(on)
        assert await (await on.Person.get(name="ann")).tags.sadd("x", "y") == 2
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
