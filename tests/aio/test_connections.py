"""How bytes go and come on the loop: much of them, none in time, an end that nobody asked for."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from tests.aio.conftest import held
from tests.aio.models import Models, database_on
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from uowredis import Rejected, Unreachable, aio


async def test_large_values_go_and_come(on: Models) -> None:
    """More than the kernel takes at once, beside small ones that are read together with them."""
    large = "x" * 9_000_000
    ann = await on.Person.create(name="ann", visits=large)
    many = [await on.Person.create(visits=str(at) * 100_000) for at in range(10)]
    assert await ann.visits.get() == large
    found = await asyncio.gather(ann.visits.get(), *(each.visits.get() for each in many))
    assert [len(each) for each in found] == [9_000_000, *[100_000] * 10]
    async with on.database.begin():
        for each in (ann, *many):
            each.shelf.rpush(*["y" * 100_000] * 20)
    assert [await each.shelf.llen() for each in (ann, *many)] == [20] * 11


async def test_many_commands_go_in_one_session(on: Models) -> None:
    """Parts of a transaction are sent while the server answers the former ones."""
    async with on.database.begin():
        for at in range(3_000):
            await on.Person.create(name=f"n{at}", tags=["a", "b"])
    assert await on.Person.collection(tags="a").count() == 3_000
    people = await on.Person.collection().instances().list()
    assert len(set(await asyncio.gather(*(each.name.get() for each in people)))) == 3_000


async def test_a_reply_that_does_not_come_is_not_waited_for_for_ever(proxy: Proxy, real: Real) -> None:
    """``socket_timeout`` bounds each wait, also the second one on a connection; then the connection is closed."""
    on = Models.on(real, aio.RedisDatabase.from_url(proxy.url, socket_timeout=0.2))
    async with on.database:
        ann = await on.Person.create(name="ann")
        for _ in range(2):
            assert await ann.visits.get() is None
            proxy.stall(before="GET")
            with pytest.raises(Unreachable, match=r"no reply within 0\.2 s \(socket_timeout\)"):
                await ann.visits.get()
            await asyncio.to_thread(proxy.resume)
            assert held(on.database) == 0
        await asyncio.sleep(0.25)  # the timer rings while nobody waits
        assert await ann.visits.get() is None


async def test_a_connection_that_ended_is_not_lent(on_real: Models) -> None:
    """Closed by the server while it was free, whether the loop was told by now or not."""
    on, killer = on_real, on_real.server.client()
    ann = await on.Person.create(name="ann")
    for turns in (0, 3):
        killer.client_kill_filter(_type="normal", skipme=True)
        for _ in range(turns):
            await asyncio.sleep(0)
        assert await ann.visits.incr() >= 1
    assert on.server.client().get(":person:1:visits") == b"2"


async def test_nothing_is_complained_of(proxy: Proxy, real: Real, caplog: pytest.LogCaptureFixture) -> None:
    """The loop logs what nobody saw; of connections that are lost while tasks are cancelled there is nothing to see."""
    on = Models.on(real, aio.RedisDatabase.from_url(proxy.url))
    with caplog.at_level(logging.ERROR):
        async with on.database:
            ann = await on.Person.create(name="ann")
            for side in ("before", "after"):
                proxy.stall(**{side: "GET"})
                tasks = [asyncio.create_task(ann.visits.get()) for _ in range(5)]
                await asyncio.to_thread(proxy.wait_stalled)
                proxy.down()
                for task in tasks[::2]:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                proxy.up()
                proxy.clear()
            assert await ann.visits.get() is None
        await asyncio.sleep(0)
    assert caplog.records == []


async def test_a_server_that_is_not_there_is_unreachable(real: Real) -> None:
    """Each of those who read together is told."""
    on = Models.on(real, aio.RedisDatabase(host="127.0.0.1", port=1, socket_connect_timeout=1))
    async with on.database:
        found: list[Any] = await asyncio.gather(*(on.Person.get("1") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [Unreachable] * 3
    assert "nothing was sent" in str(found[2])


async def test_an_argument_that_is_too_long_is_refused_alone(real: Real) -> None:
    """It never goes with others, and the connection stays."""
    client = real.client()
    client.config_set("proto-max-bulk-len", 1_048_576)
    try:
        on = Models.on(real, database_on(real))
        async with on.database:
            ann = await on.Person.create(name="ann")
            found: list[Any] = await asyncio.gather(
                ann.tags.sismember("x" * 1_100_000), ann.name.get(), return_exceptions=True
            )
        assert (type(found[0]), found[1]) == (Rejected, "ann")
        assert "proto-max-bulk-len" in str(found[0])
    finally:
        client.config_set("proto-max-bulk-len", 536_870_912)


def test_sessions_of_two_loops_do_not_share(server: Backend) -> None:
    """What was started together on one loop goes out on it; the next loop begins anew."""
    on = Models.on(server, database_on(server))

    async def reading(name: str) -> list[Any]:
        async with on.database:
            ann, _ = await on.Person.get_or_connect(name=name)
            return await asyncio.gather(*(ann.name.get() for _ in range(3)))

    assert [asyncio.run(reading(name)) for name in "ab"] == [["a"] * 3, ["b"] * 3]


def test_another_loop_keeps_its_connections(real: Real) -> None:
    """Closing is for the loop on which it is said; other settings are for all, once they look."""
    url, client = real.server.url, real.client(decode_responses=True)
    on = Models.on(real, aio.RedisDatabase.from_url(url, client_name="kept"))

    def there() -> list[str]:
        return [each["id"] for each in client.client_list() if each["name"] == "kept"]

    async def count() -> list[str]:
        await (await on.Person.get("1")).visits.incr()
        return there()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(on.Person.create(name="ann"))
        (of_first,) = there()
        assert 2 == len(second.run(count()))
        second.run(on.database.close())
        assert [of_first] == first.run(count())
        first.run(on.database.connect(host=real.server.host, port=real.server.port, client_name="other"))
        assert [] == first.run(count())
        second.run(count())
        first.run(on.database.close())
        second.run(on.database.close())
    assert b"4" == real.client().get(":person:1:visits")
