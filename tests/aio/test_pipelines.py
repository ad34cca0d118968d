"""Pipelines and transactions, as far as they are awaited otherwise than by the other face."""

from __future__ import annotations

import pytest

from tests.aio.models import Models
from uowredis import ArgumentTypeError, NotCommitted


async def test_what_is_said_can_be_awaited_after(on: Models) -> None:
    """Reads, writes and collections; before, they are refused."""
    ann = await on.Person.create(name="ann", visits=1)
    async with on.database.pipeline() as pipeline:
        before, added, names = ann.visits.get(), ann.visits.incr(), on.Person.collection()
        with pytest.raises(NotCommitted):
            await before
        with pytest.raises(NotCommitted):
            await names.list()
        assert await pipeline.execute() == ["1", 2, ["1"]]
    assert (await before, await added, await names.list()) == ("1", 2, ["1"])


async def test_a_plain_function_is_refused(on: Models) -> None:
    """What ``transaction()`` calls is awaited."""
    with pytest.raises(ArgumentTypeError, match="async def"):
        await on.database.transaction(lambda _: None)
