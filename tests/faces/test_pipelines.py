"""Pipelines and transactions: reads are said, too, and answered by ``execute()``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import Conflict, NotCommitted, SessionError


async def test_all_replies_come_in_the_order_said(on: Models) -> None:
    """Of reads, writes, objects and collections, in one transaction."""
    ann = await on.Person.create(name="ann", city="x", visits=1)
    await on.Person.create(name="bob", city="x")
    async with on.database.pipeline() as pipeline:
        before = ann.visits.get()
        added = ann.visits.incr()
        nothing = (await on.Person.create()).tags.smembers()
        names = on.Person.collection(city="x").sort("name", alpha=True).values_list("name", flat=True)
        instances = on.Person.collection(city="x").instances()
        new = await on.Person.create(name="new", city="y")
        with pytest.raises(NotCommitted):
            before.result
        with pytest.raises(NotCommitted):
            await names.list()
        replies = await pipeline.execute()
    assert replies[:4] == ["1", 2, set(), ["ann", "bob"]]
    assert {await each.name.get() for each in replies[4]} == {"ann", "bob"}
    assert replies[5] == new
    assert (before.result, added.result, nothing.result, await names.list()) == ("1", 2, set(), ["ann", "bob"])
    assert await instances.count() == 2


async def test_what_only_reads_may_go_without_a_transaction(on: Models) -> None:
    """In one round trip, without MULTI."""
    ann = await on.Person.create(name="ann")
    async with on.database.pipeline(transaction=False) as pipeline:
        ann.name.get()
        ann.hmget("name", "city")
        assert await pipeline.execute() == ["ann", ["ann", None]]
        assert "MULTI" not in [call[0] for call in pipeline.last_plan.calls()]


async def test_a_pipeline_watches_and_begins(on: Models) -> None:
    """Between ``watch()`` and ``multi()`` reads are awaited, and writes refused; what has changed is a Conflict."""
    ann = await on.Person.create(name="ann", visits=1)
    async with on.database.pipeline() as pipeline:
        await pipeline.watch(ann.visits)
        seen = await ann.visits.get()
        assert await on.Person.collection(name="ann").count() == 1
        with pytest.raises(SessionError, match="multi"):
            ann.visits.set(5)
        with pytest.raises(SessionError, match="multi"):
            await on.Person.create(name="x")
        pipeline.multi()
        ann.visits.set(int(seen) + 1)
        assert await pipeline.execute() == [True]
        await pipeline.watch(ann.visits)
        on.server.client().set(":person:1:visits", "7")
        pipeline.multi()
        ann.visits.set(8)
        with pytest.raises(Conflict):
            await pipeline.execute()
        await pipeline.reset()
    assert await ann.visits.get() == "7"


async def test_a_transaction_is_called_again(on: Models) -> None:
    """Where something watched has changed; it alone executes."""
    ann = await on.Person.create(name="ann", visits=1)
    calls: list[Any] = []

    async def double(pipeline: Any) -> str:
        calls.append(await ann.visits.get())
        if len(calls) == 1:
            on.server.client().set(":person:1:visits", "10")
        pipeline.multi()
        with pytest.raises(SessionError, match="executes the pipeline itself"):
            await pipeline.execute()
        ann.visits.set(2 * int(calls[-1]))
        return "value"

    assert await on.database.transaction(double, ann.visits) == [True]
    assert (calls, await ann.visits.get()) == (["1", "10"], "20")
    assert await on.database.transaction(double, ann.visits, value_from_callable=True) == "value"
