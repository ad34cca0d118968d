"""Sessions that are awaited: what is said, seen, planned, committed and forgotten; nothing is outside of one."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import pytest

from tests.aio.models import Models, database_on
from tests.tools.backends import Backend
from uowredis import (
    ArgumentTypeError,
    DoesNotExist,
    ImplementationError,
    NotCommitted,
    RedisDatabase,
    RedisModel,
    Session,
    SessionError,
    UniquenessError,
    aio,
)


async def test_outside_of_a_session_a_command_is_sent_when_it_is_awaited(on: Models) -> None:
    """Its reply is that of the blocking face; indexes are kept."""
    ann = await on.Person.create(name="ann", tags=["a", "b"])
    assert (await ann.pk.get(), await ann.name.get(), await ann.tags.smembers()) == ("1", "ann", {"a", "b"})
    assert [await ann.visits.incr(), await ann.visits.incr()] == [1, 2]
    assert await ann.name.set("bob") == 0
    assert await ann.hmget("name", "city") == ["bob", None]
    assert (await on.Person.exists(name="ann"), await on.Person.exists(name="bob")) == (False, True)
    assert await on.Person.get(name="bob") == ann
    with pytest.raises(UniquenessError):
        await on.Person.create(name="bob")
    await ann.delete()
    with pytest.raises(DoesNotExist):
        await on.Person.get("1")


async def test_a_write_is_said_without_await(on: Models) -> None:
    """It waits for the commit; reads and queries see it; awaited before, its reply is refused, after, it is given."""
    ann = await on.Person.create(name="ann", visits=1)
    async with aio.Session(on.database) as s:
        visits, added = ann.visits.incr(), ann.tags.sadd("x")
        new = await on.Person.create(name="new", city="here")
        assert (await ann.visits.get(), await ann.tags.smembers()) == ("2", {"x"})
        assert await on.Person.collection(city="here").instances().list() == [new]
        with pytest.raises(NotCommitted, match="commit"):
            await visits
        assert on.server.client().get(":person:1:visits") == b"1"
        assert await s.commit() == [2, 1, new]
        assert (await visits, added.result) == (2, 1)
    assert on.server.client().get(":person:1:visits") == b"2"
    assert on.server.client().smembers(":person:city:here") == {b"2"}


async def test_a_forgotten_await_is_named(on: Models) -> None:
    """Outside of a session a write that nobody awaits is not sent, and Python's warning names it."""
    ann = await on.Person.create(name="ann")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ann.visits.incr()
        gc.collect()
    assert ["coroutine 'Person <1>.visits.incr' was never awaited"] == [str(each.message) for each in told]
    assert await ann.visits.get() is None


async def test_callbacks_of_both_kinds_are_called_after_the_commit(on: Models) -> None:
    """What they return is awaited; the session takes no part; the first error is raised when all were called."""
    ann = await on.Person.create(name="ann")
    called: list[Any] = []

    async def later() -> None:
        await asyncio.sleep(0)
        called.append((on.database.session, await ann.visits.get()))

    async def fails() -> None:
        raise ZeroDivisionError

    async with aio.Session(on.database) as s:
        ann.visits.incr()
        s.on_commit(fails)
        s.on_commit(lambda: called.append("plain"))
        s.on_commit(later)
        with pytest.raises(ZeroDivisionError) as caught:
            await s.commit()
        assert s.outcome == "applied"
    assert ["plain", (None, "1")] == called
    assert "the commit was applied" in caught.value.__notes__[0]


async def test_a_session_is_its_tasks(on: Models) -> None:
    """Another task is refused as another thread is, until it is given the session."""
    ann = await on.Person.create(name="ann")

    async def child() -> Any:
        return ann.visits.incr()

    async def given(s: aio.Session) -> Any:
        async with s.use():
            return ann.visits.incr()

    async with aio.Session(on.database) as s:
        with pytest.raises(SessionError, match="another process, thread, task"):
            await asyncio.create_task(child())
        with pytest.raises(SessionError, match="another process, thread, task"):
            await asyncio.gather(ann.visits.get(), ann.name.get())
        await asyncio.create_task(given(s))
        assert [1] == await s.commit()


async def test_each_face_refuses_what_is_of_the_other(on: Models, server: Backend) -> None:
    """Sessions, blocks and models; nothing is half one and half the other."""
    blocking = server.database()
    with pytest.raises(ArgumentTypeError, match="both of one"):
        Session(on.database)
    with pytest.raises(ArgumentTypeError, match="both of one"):
        aio.Session(blocking)
    with pytest.raises(SessionError, match=r"async with Session\(db\)"):
        aio.Session(on.database).__enter__()
    with pytest.raises(SessionError, match="async with db"):
        on.database.__enter__()
    with pytest.raises(ImplementationError, match="plain class that both models derive from"):
        type("Lost", (RedisModel,), {"database": on.database})
    with pytest.raises(ImplementationError, match="plain class that both models derive from"):
        type("Lost", (aio.RedisModel,), {"database": blocking})
    with pytest.raises(ArgumentTypeError, match=r"await Person\.create"):
        on.Person(name="x")


def story_of(models: Models) -> None:
    """What the blocking face does."""
    ann, bob = models.Person(name="ann", tags=["a", "b"], hits=1), models.Person(name="bob", city="x")
    group = models.Group(owner=ann, members=[ann, bob], title="t")
    with models.database.begin():
        ann.hits.incr()
        ann.tags.srem("a")
        bob.name.set("carl")
        carl = models.Person(name="dora", notes={"k": "v"}, sold={"m": 2}, shelf=["x", "y"])
        group.members.sadd(carl)
    bob.delete()


async def awaited_story_of(models: Models) -> None:
    """The same, awaited."""
    ann = await models.Person.create(name="ann", tags=["a", "b"], hits=1)
    bob = await models.Person.create(name="bob", city="x")
    group = await models.Group.create(owner=ann, members=[ann, bob], title="t")
    async with models.database.begin():
        ann.hits.incr()
        ann.tags.srem("a")
        bob.name.set("carl")
        carl = await models.Person.create(name="dora", notes={"k": "v"}, sold={"m": 2}, shelf=["x", "y"])
        group.members.sadd(carl)
    await bob.delete()


async def test_both_faces_leave_the_same_data(on: Models, server: Backend) -> None:
    """Keys and values, indexes and relations: byte by byte."""
    await awaited_story_of(on)
    awaited = server.dump()
    server.flush()
    await asyncio.to_thread(story_of, Models.blocking(server))
    assert awaited
    assert server.dump() == awaited


async def test_both_faces_work_on_one_server(on: Models, server: Backend) -> None:
    """A blocking worker beside an asyncio service: each sees the other's writes, and conflicts with them."""
    worker = Models.blocking(server)
    ann = await on.Person.create(name="ann", visits=0)

    def count() -> None:
        for _ in range(20):
            worker.database.run(
                lambda _: worker.Person("1").visits.set(int(worker.Person("1").visits.get()) + 1), retry_for=30
            )

    async def counted(_: aio.Session) -> None:
        ann.visits.set(int(await ann.visits.get()) + 1)

    thread = asyncio.create_task(asyncio.to_thread(count))
    for _ in range(20):
        await on.database.run(counted, retry_for=30)
    await thread
    assert await ann.visits.get() == "40"


def test_a_database_serves_one_loop_after_the_other(server: Backend) -> None:
    """Connections belong to the loop on which they were made; another loop makes its own."""
    models = Models.on(server, database_on(server))

    async def add() -> int:
        async with models.database:
            ann, _ = await models.Person.get_or_connect(name="ann")
            found: int = await ann.visits.incr()
            return found

    assert [asyncio.run(add()), asyncio.run(add())] == [1, 2]


def test_the_embedded_server_of_both_faces_is_shared() -> None:
    """One in-process server may be given to both."""
    import fakeredis

    shared = fakeredis.FakeServer()
    blocking, awaited = RedisDatabase.embedded(server=shared), aio.RedisDatabase.embedded(server=shared)

    async def told() -> Any:
        async with awaited:
            return await awaited.connection.get("k")

    blocking.connection.set("k", "v")
    assert asyncio.run(told()) == "v"
