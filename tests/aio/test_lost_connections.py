"""A connection lost, or a task cancelled, at any command of a commit: applied once and whole, or known not to be."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.aio.conftest import held
from tests.aio.models import Models
from tests.aio.test_units_of_work import happened, say
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.tools.relay import Relay
from tests.tools.servers import RealServer
from uowredis import Unreachable, UowError, aio

SIDES = ["before", "after"]


@pytest.fixture
def through(proxy: Proxy, real: Real) -> Models:
    """The models by way of the proxy."""
    return Models.on(real, aio.RedisDatabase.from_url(proxy.url, settle_for=5))


async def begun(on: Models, proxy: Proxy) -> int:
    """Make what is changed, commit once; return how many commands a commit sends."""
    on.server.flush()
    await on.Person.create(name="ann")
    async with aio.Session(on.database, on_pending="discard") as s:
        await say(on)
        proxy.reset()
        await s.plan()
        asked = len(proxy.seen)
        await s.commit()
        sent = len(proxy.seen) - asked
    on.server.flush()
    on.database._executor.pool.spent.clear()
    await on.Person.create(name="ann")
    assert sent > 10
    return sent


async def check_goes_on(on: Models, s: aio.Session, *, was_noted: bool) -> None:
    """What was said happens once in all, however often it is committed, and the next command finds all in order."""
    await s.commit()
    assert (s.outcome, happened(on)) == (None if was_noted else "applied", 1)
    assert await s.commit() == []
    ann = await on.Person.get(name="ann")
    assert [await ann.visits.get(), await ann.shelf.lrange(0, -1)] == ["1", ["x"]]


@pytest.mark.parametrize("side", SIDES)
async def test_a_connection_is_lost(through: Models, proxy: Proxy, side: str) -> None:
    """At each command: what the caller is told is true, and the next commit applies what was not."""
    outcomes: set[str | None] = set()
    for at in range(await begun(through, proxy)):
        through.server.flush()
        through.database._executor.pool.spent.clear()
        await through.Person.create(name="ann")
        async with aio.Session(through.database, on_pending="discard") as s:
            await say(through)
            proxy.reset()
            lost: dict[str, Any] = {side: at}
            proxy.cut(**lost)
            with contextlib.suppress(Unreachable):
                await s.commit()
            assert (s.outcome, happened(through)) in (("not applied", 0), ("applied", 1))
            outcomes.add(s.outcome)
            proxy.clear()
            await check_goes_on(through, s, was_noted=s.outcome == "applied")
        assert (through.database.session, held(through.database)) == (None, 0)
    assert outcomes == {"not applied", "applied"}


@pytest.mark.parametrize("side", SIDES)
async def test_a_task_is_cancelled_while_the_server_is_slow(through: Models, proxy: Proxy, side: str) -> None:
    """At each command, which the network delivers late: the session tells what it knows, and the server the rest."""
    outcomes: set[str | None] = set()
    for at in range(await begun(through, proxy)):
        through.server.flush()
        through.database._executor.pool.spent.clear()
        await through.Person.create(name="ann")
        async with aio.Session(through.database, on_pending="discard") as s:
            await say(through)
            proxy.reset()
            late: dict[str, Any] = {side: at}
            proxy.stall(**late)
            task = asyncio.current_task()
            assert task is not None
            loop = asyncio.get_running_loop()
            stalled = asyncio.create_task(asyncio.to_thread(proxy.wait_stalled))
            stalled.add_done_callback(lambda _: loop.call_soon(task.cancel))  # noqa: B023
            with pytest.raises(asyncio.CancelledError):
                await s.commit()
            task.uncancel()
            outcomes.add(s.outcome)
            await asyncio.to_thread(proxy.resume)
            proxy.clear()
            if s.outcome == "unknown":
                assert s.token is not None
                assert await through.database.settle(s.token) == ("applied" if happened(through) else "not applied")
            else:
                assert happened(through) == 0
            await check_goes_on(through, s, was_noted=False)
        assert (through.database.session, held(through.database)) == (None, 0)
    assert {None, "unknown"} <= outcomes


@pytest.mark.parametrize("reply", [b":7\r\n:7\r\n", b"$1\r\n7\r\n$1\r\n7\r\n"], ids=["numbers", "texts"])
async def test_a_reply_too_many_is_nobodys(real: Real, real_server: RealServer, reply: bytes) -> None:
    """Who asks next gets the own one, by another connection."""
    with Relay(real_server) as relay:
        async with aio.RedisDatabase.from_url(relay.url) as database:
            on = Models.on(real, database)
            ann = await on.Person.create(name="ann")
            for name, ask in {"GET": ann.visits.get, "SCARD": ann.tags.scard}.items():
                relay.answer(name, reply)
                with contextlib.suppress(UowError):
                    await ask()
                relay.stop()
                assert (None, "ann", 0) == (await ann.visits.get(), await ann.name.hget(), await ann.tags.scard())
