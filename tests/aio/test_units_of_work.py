"""``begin()`` and ``run()`` that are awaited, joined and decorated; a commit whose reply is lost is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.aio.conftest import held
from tests.aio.models import Models, database_on
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Command
from tests.tools.proxy import Proxy
from uowredis import (
    ArgumentTypeError,
    OutcomeUnknown,
    SessionError,
    Unreachable,
    aio,
)


async def test_a_function_is_decorated(on: Models) -> None:
    """Each call is in a session of its own; a plain function cannot be awaited."""

    @on.database.begin()
    async def make(name: str) -> Any:
        return await on.Person.create(name=name)

    @on.database.begin(join=True)
    async def both() -> None:
        await on.Person.create(name="a")
        await on.Person.create(name="b")

    assert await (await make("ann")).pk.get() == "1"
    await both()
    async with on.database.begin():
        await both_with_others(on)
    assert await on.Person.collection().count() == 5

    @on.database.begin()
    def plain() -> int:
        return 1

    with pytest.raises(ArgumentTypeError, match="async def"):
        await plain()


async def both_with_others(on: Models) -> None:
    """Take part in the open session."""
    async with on.database.begin(join=True) as joined:
        assert joined is on.database.session
        await on.Person.create(name="c")
    with pytest.raises(ZeroDivisionError):
        async with on.database.begin(join=True):
            await on.Person.create(name="never")
            raise ZeroDivisionError
    await on.Person.create(name="d")


async def test_run_decides_again_on_changed_values(on: Models) -> None:
    """What it read is watched; what others changed meanwhile is read again."""
    ann = await on.Person.create(name="ann", visits=0)
    seen: list[str | None] = []

    async def decide(s: aio.Session) -> str:
        seen.append(await ann.visits.get())
        if len(seen) == 1:
            on.server.client().set(":person:1:visits", "10")
        ann.visits.set(int(seen[-1] or 0) + 1)
        with pytest.raises(SessionError, match="commits itself"):
            s.commit()
        return "done"

    assert await on.database.run(decide) == "done"
    assert (seen, await ann.visits.get()) == (["0", "10"], "11")
    with pytest.raises(ArgumentTypeError, match="async def"):
        await on.database.run(lambda _: None)


async def test_many_tasks_count_exactly(on: Models) -> None:
    """Each has a session of its own on the one loop."""
    ann = await on.Person.create(name="ann", visits=0, hits=0)

    async def count(_: aio.Session) -> None:
        ann.visits.set(int(await ann.visits.get()) + 1)
        ann.hits.incr()

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(on.database.run(count, retry_for=60))
    assert (await ann.visits.get(), await ann.hits.get()) == ("30", "30")
    assert await on.Person.collection(hits=30).count() == 1
    assert on.server.client().keys(":person:hits:*") == [b":person:hits:30"]


async def test_who_waits_for_a_connection_gets_it(server: Backend) -> None:
    """More tasks than connections: they wait in turn; who holds all and waits for one more is told."""
    on = Models.on(server, database_on(server, **({"max_connections": 2, "timeout": 20} if server.real else {})))
    async with on.database:
        ann = await on.Person.create(name="ann", visits=0)
        await asyncio.gather(*(ann.visits.incr() for _ in range(50)))
        assert await ann.visits.get() == "50"
        assert held(on.database) == 0


@pytest.mark.parametrize("connections", [2, 3])
async def test_who_holds_a_connection_gets_a_second_one(real: Real, connections: int) -> None:
    """All that may are held by sessions that watch, and each asks a query in a transaction of its own."""
    on = Models.on(real, database_on(real, max_connections=connections, timeout=5))
    async with on.database:
        people = [await on.Person.create(name=f"n{at}", city="x", visits=0) for at in range(6)]

        async def visit(person: Any) -> list[Any]:
            async def decide(_: aio.Session) -> list[Any]:
                visits = int(await person.visits.get())
                for _ in range(10):
                    await asyncio.sleep(0)  # until others hold all there are
                found = on.Person.collection(city="x").sort("name", alpha=True).values_list("name", flat=True)
                person.visits.set(visits + 1)
                shown: list[Any] = await found[0:2]
                return shown

            found: list[Any] = await on.database.run(decide)
            return found

        assert await asyncio.gather(*(visit(person) for person in people)) == [["n0", "n1"]] * 6
        assert [await person.visits.get() for person in people] == ["1"] * 6
        assert held(on.database) == 0


@pytest.fixture
def through(proxy: Proxy, real: Real) -> Models:
    """The models by way of the proxy."""
    return Models.on(real, aio.RedisDatabase.from_url(proxy.url, settle_for=5))


def named(name: bytes) -> Callable[[Command], bool]:
    """Return whether a command is called so."""
    return lambda command: command[0] == name


async def say(on: Models) -> None:
    """Say what must happen once and whole."""
    say_of(await on.Person.get(name="ann"))


def say_of(ann: Any) -> None:
    """Say it of a person."""
    ann.visits.incr()
    ann.shelf.rpush("x")
    ann.city.set("here")


def happened(on: Models) -> int:
    """Return how often it was applied, and assert that all of it was, each time."""
    client = on.server.client(decode_responses=True)
    times = int(client.get(":person:1:visits") or 0)
    assert (client.llen(":person:1:shelf"), client.scard(":person:city:here")) == (times, min(times, 1))
    return times


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_lost_reply_is_settled(through: Models, proxy: Proxy, side: str) -> None:
    """EXEC that did not arrive is sent again, one that did is not; the session tells what it was."""
    await through.Person.create(name="ann")
    async with aio.Session(through.database) as s:
        await say(through)
        proxy.cut(**{side: named(b"EXEC")})
        await s.commit()
        assert (s.outcome, happened(through)) == ("applied", 1)
        assert s._tried == (1 if side == "after" else 2)
    await (await through.Person.get(name="ann")).name.get()


async def test_a_server_that_is_gone_leaves_the_outcome_unknown(proxy: Proxy, real: Real) -> None:
    """The token settles it when the server is there again, and the next commit asks first."""
    on = Models.on(real, aio.RedisDatabase.from_url(proxy.url, settle_for=0.2))
    async with on.database:
        await on.Person.create(name="ann")
        async with aio.Session(on.database) as s:
            await say(on)
            proxy.stall(before=named(b"EXEC"))
            task_of_the_proxy = asyncio.create_task(asyncio.to_thread(lambda: (proxy.wait_stalled(), proxy.down())))
            with pytest.raises(OutcomeUnknown) as caught:
                await s.commit()
            await task_of_the_proxy
            proxy.up()
            assert (s.outcome, s.token) == ("unknown", caught.value.token)
            assert await on.database.settle(caught.value.token) == "not applied"
            await s.commit()
        assert happened(on) == 1


async def test_a_connection_lost_before_exec_is_unreachable(through: Models, proxy: Proxy) -> None:
    """Nothing was applied, and the commit can be tried again."""
    await through.Person.create(name="ann")
    async with aio.Session(through.database) as s:
        await say(through)
        proxy.cut(before=named(b"WATCH"))
        with pytest.raises(Unreachable):
            await s.commit()
        assert (s.outcome, happened(through)) == ("not applied", 0)
        await s.commit()
    assert happened(through) == 1
