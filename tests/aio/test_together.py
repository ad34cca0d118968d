"""Reads that are started together go out in one write: each gets what is its own, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.aio.conftest import held
from tests.aio.models import Models, database_on
from tests.tools.backends import Real
from tests.tools.host import Cancelled
from tests.tools.proxy import Proxy
from uowredis import Rejected, Unreachable, aio

MANY = 10


@pytest.fixture
def through(proxy: Proxy, real: Real) -> Models:
    """The models by way of the proxy, which counts."""
    return Models.on(real, aio.RedisDatabase.from_url(proxy.url))


async def made(on: Models) -> list[Any]:
    """Make persons whose visits tell them apart, and connect."""
    people = [await on.Person.create(name=f"n{at}", city="here", visits=at) for at in range(MANY)]
    await people[0].visits.get()
    return people


async def test_they_take_one_round_trip(through: Models, proxy: Proxy) -> None:
    """Counted at the socket; replies come in the order of what was asked."""
    people = await made(through)
    connected = proxy.connections
    proxy.reset()
    assert await asyncio.gather(*(each.visits.get() for each in people)) == [str(at) for at in range(MANY)]
    assert (proxy.round_trips(), len(proxy.seen), proxy.connections) == (1, MANY, connected)


async def test_reads_of_each_kind_are_together(through: Models, proxy: Proxy) -> None:
    """Fields, objects by primary key, and what a collection asks that needs no transaction."""
    people = await made(through)
    proxy.reset()
    found = await asyncio.gather(
        people[1].visits.get(),
        people[2].hmget("name", "city"),
        through.Person.exists("3"),
        through.Person.get("4"),
        through.Person.collection(city="here").count(),
        through.Person.collection(city="here").list(),
        people[5].tags.smembers(),
    )
    assert found[:5] == ["1", ["n2", "here"], True, people[3], MANY]
    assert (sorted(found[5], key=int), found[6]) == ([str(at) for at in range(1, MANY + 1)], set())
    assert proxy.round_trips() == 1


async def test_one_after_the_other_are_not(through: Models, proxy: Proxy) -> None:
    """Who awaits one before the next waits for each."""
    people = await made(through)
    proxy.reset()
    assert [await each.visits.get() for each in people[:3]] == ["0", "1", "2"]
    assert proxy.round_trips() == 3


async def test_tasks_with_sessions_share_what_they_do_not_watch(through: Models, proxy: Proxy) -> None:
    """Each session reads over its own pending writes; what is watched goes over a connection of its own."""
    people = await made(through)
    ready = asyncio.Barrier(MANY)

    async def look(at: int, *, watched: bool) -> str | None:
        async with aio.Session(through.database, watch_reads=watched, on_pending="discard"):
            people[at].visits.incr(100)
            await ready.wait()
            found: str | None = await people[at].visits.get()
            return found

    for watched in (False, True):
        proxy.reset()
        found = await asyncio.gather(*(look(at, watched=watched) for at in range(MANY)))
        assert found == [str(at + 100) for at in range(MANY)]
        reading = [command[0] for command in proxy.seen if command[0] != b"UNWATCH"]
        assert reading == ([b"GET"] * MANY if not watched else reading)
        assert (proxy.round_trips() == 1) == (not watched)
        assert (b"WATCH" in reading) == watched


@pytest.mark.parametrize("late", [False, True], ids=["before it is sent", "while it is waited for"])
@pytest.mark.parametrize("which", [0, 1, MANY - 1])
async def test_one_that_is_cancelled_takes_none_with_it(
    through: Models, proxy: Proxy, which: int, *, late: bool
) -> None:
    """Also the one that sends for all: the others ask again, and no connection goes back half-read."""
    people = await made(through)
    proxy.reset()
    if late:
        proxy.stall(before="GET")
    tasks = [asyncio.create_task(each.visits.get()) for each in people]
    await asyncio.sleep(0)
    if late:
        await asyncio.to_thread(proxy.wait_stalled)
    tasks[which].cancel()
    await asyncio.sleep(0)
    if late:
        await asyncio.to_thread(proxy.resume)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[which], asyncio.CancelledError)
    if which and not late:
        assert len(proxy.seen) == MANY - 1
    assert [each for at, each in enumerate(found) if at != which] == [str(at) for at in range(MANY) if at != which]
    assert await asyncio.gather(*(each.visits.get() for each in people)) == [str(at) for at in range(MANY)]


async def test_all_may_be_cancelled(on: Models) -> None:
    """Nobody is waited for any more, nothing is held."""
    people = await made(on)
    tasks = [asyncio.create_task(each.visits.get()) for each in people]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in found)
    assert (held(on.database), on.database._executor._together._joining) == (0, {})
    assert await people[3].visits.get() == "3"


async def test_an_error_is_that_of_who_asked(on: Models) -> None:
    """The server refuses one, and answers the others."""
    people = await made(on)
    for at in (0, 4):
        on.server.client().delete(f":person:{at + 1}:visits")
        on.server.client().lpush(f":person:{at + 1}:visits", "x")
    found = await asyncio.gather(*(each.visits.get() for each in people), return_exceptions=True)
    assert [at for at, each in enumerate(found) if isinstance(each, Rejected)] == [0, 4]
    assert ":person:1:visits" in str(found[0])
    assert ":person:5:visits" in str(found[4])
    assert found[5:] == [str(at) for at in range(5, MANY)]


async def test_a_lost_connection_is_told_to_each(through: Models, proxy: Proxy) -> None:
    """Each gets an error of its own, as one that reads alone does; those answered before have their reply."""
    people = await made(through)
    proxy.cut(before="GET")
    found = await asyncio.gather(*(each.visits.get() for each in people), return_exceptions=True)
    assert {type(each) for each in found} == {Unreachable}
    assert len({id(each) for each in found}) == MANY
    assert "nothing was written" in str(found[-1])
    assert await asyncio.gather(*(each.visits.get() for each in people)) == [str(at) for at in range(MANY)]


async def test_who_brings_much_goes_alone(through: Models, proxy: Proxy) -> None:
    """The others do not wait for it, and what the server does not take is refused to it alone."""
    people = await made(through)
    proxy.reset()
    found = await asyncio.gather(*(people[0].tags.sismember("x" * 20_000) for _ in range(2)), people[1].visits.get())
    assert found == [False, False, "1"]
    assert proxy.round_trips() == 3


async def test_who_holds_the_last_connection_is_told_at_once(real: Real) -> None:
    """It waits for nobody else, who would wait for it."""
    on = Models.on(real, database_on(real, max_connections=1, timeout=30))
    async with on.database:
        people = await made(on)
        go = asyncio.Event()

        async def outside(at: int) -> str | None:
            await go.wait()
            found: str | None = await people[at].visits.get()
            return found

        # Made before the session is opened, which they would find in their context.
        others = [asyncio.create_task(outside(at)) for at in (1, 2)]
        async with aio.Session(on.database) as s:
            await s.watch(people[0].visits)
            go.set()
            await asyncio.sleep(0)
            assert len(on.database._executor._together._joining) == 1
            with pytest.raises(Unreachable, match="by this task itself"):
                await people[3].visits.get()
        assert await asyncio.gather(*others) == ["1", "2"]


async def test_who_comes_while_a_connection_is_waited_for_joins(proxy: Proxy, real: Real) -> None:
    """All are held: whatever is read meanwhile goes out together when one comes back."""
    on = Models.on(real, database_on(real, max_connections=1, timeout=30))
    async with on.database:
        people = await made(on)
        sent: list[int] = []
        exchange = on.database._executor.pool.turns.next()
        await exchange.take()

        async def read(at: int) -> None:
            sent.append(int(await people[at].visits.get()))

        async with asyncio.TaskGroup() as group:
            for at in range(3):
                group.create_task(read(at))
                for _ in range(5):
                    await asyncio.sleep(0)
            assert [len(each) for each in on.database._executor._together._joining.values()] == [2]
            exchange.give_back()
        assert sorted(sent) == [0, 1, 2]


async def test_a_read_that_is_alone_is_sent_at_once(on_real: Models) -> None:
    """It waits for its reply, and for others only where something else is ready to run."""
    ann = await on_real.Person.create(name="ann")
    await ann.visits.get()

    async def waits() -> int:
        read = Cancelled(ann.visits.get(), None)
        await read
        return read.waited

    assert await waits() == 1
    asyncio.get_running_loop().call_soon(int)
    assert await waits() == 2
