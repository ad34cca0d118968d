"""The ways out of what the asyncio face alone says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.aio.models import Models, database_on
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import ArgumentTypeError, ImplementationError, RedisModel, Session, SessionError, StringField, aio
from uowredis.maintenance import check
from uowredis.model.misnamed import AWAITED_OF_A_MODEL, AWAITED_OF_AN_INSTANCE, OF_A_MODEL, OF_AN_INSTANCE

T = TypeVar("T")


def on_a_loop(server: Backend, test: Callable[[Models], Coroutine[Any, Any, None]]) -> None:
    """Run *test* with the models of the asyncio face."""

    async def run() -> None:
        async with database_on(server) as database:
            await test(Models.on(server, database))

    asyncio.run(run())


@tries("The block of {} is entered by async with on this face")
def test_with(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        with told(SessionError), on.database.begin():
            pass
        async with on.database.begin() as s:
            with told(SessionError), s.savepoint():
                pass
            async with s.savepoint():
                await on.Person.create(name="ann")

    on_a_loop(server, test)


@tries("{}: called in this session and never awaited, so that it did nothing; nothing was sent by this")
def test_a_forgotten_await(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        async with aio.Session(on.database) as s:
            on.Person.create(name="ann")
            with told(SessionError):
                await s.commit()
            await on.Person.create(name="ann")
            await s.commit()
        assert await on.Person.exists(name="ann")

    on_a_loop(server, test)


@tries("{}(...) would have to wait, and a constructor cannot")
def test_a_constructor(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        with told(ArgumentTypeError):
            on.Person(name="ann")
        ann = await on.Person.create(name="ann")
        assert await on.Person.get(await ann.pk.get()) == ann

    on_a_loop(server, test)


@tries("{} takes a function that is awaited, not {}")
def test_a_plain_function(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        with told(ArgumentTypeError):
            await on.database.run(lambda _: None)

        async def make(_: aio.Session) -> Any:
            return await on.Person.create(name="ann")

        assert await (await on.database.run(make)).name.get() == "ann"

    on_a_loop(server, test)


@tries("A collection of {} is looked at by awaiting")
def test_a_collection_is_not_awaited(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        await on.Person.create(name="ann")
        found = on.Person.collection()
        with told(ArgumentTypeError):
            len(found)
        assert (await found.list(), await found.count(), await found.contains("1"), await found[:1]) == (
            ["1"],
            1,
            True,
            ["1"],
        )
        assert [pk async for pk in found] == ["1"]

    on_a_loop(server, test)


@tries("intersect() reads no fields, and no objects without primary key, that stand in a list")
def test_a_field_in_a_list(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        ann = await on.Person.create(name="ann")
        group = await on.Group.create(owner=ann)
        with told(ArgumentTypeError):
            on.Person.collection().intersect([group.owner])
        assert await on.Person.collection().intersect([await group.owner.get()]).list() == ["1"]

    on_a_loop(server, test)


@tries("{} is not on {}, and is not asked from here")
def test_another_database(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        ann = await on.Person.create(name="ann")
        async with database_on(server) as database:
            other = Models.on(server, database)
            with told(ImplementationError):
                await other.Person.collection(name=ann.name).list()
            assert await other.Person.collection(name=await ann.name.get()).list() == ["1"]

    on_a_loop(server, test)


@tries("{} is a model of {}, and {} of {}. Way out: both of one")
def test_a_model_of_the_other_face(told: Told, server: Backend) -> None:
    class Fields:
        name = StringField()

    async def test(on: Models) -> None:
        with told(ImplementationError):
            type("Thing", (Fields, RedisModel), {"database": on.database})
        awaited: Any = type("Thing", (Fields, aio.RedisModel), {"database": on.database})
        blocking: Any = type("Thing", (Fields, RedisModel), {"database": server.database()})
        blocking(name="x")
        assert await (await awaited.get("1")).name.get() == "x"

    on_a_loop(server, test)


@tries("{} is of {}, and this Session of {}")
def test_a_session_of_the_other_face(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        with told(ArgumentTypeError):
            Session(on.database)
        async with aio.Session(on.database) as s:
            await on.Person.create(name="ann")
            await s.commit()

    on_a_loop(server, test)


@tries("{} is of uowredis.aio, and {}() takes models")
def test_upkeep(told: Told, server: Backend) -> None:
    async def test(on: Models) -> None:
        await on.Person.create(name="ann")
        with told(ArgumentTypeError):
            list(check(on.Person))
        blocking = Models.blocking(server)
        assert [] == list(check(blocking.Person, blocking.Group))

    on_a_loop(server, test)


#: What each way of another mapper's name gives on this face, where it is not the blocking one's.
AWAITED: dict[str, Callable[[Models, Any], Coroutine[Any, Any, Any]]] = {
    "first": lambda on, ann: on.Person.collection().first(),
    "last": lambda on, ann: on.Person.collection().sort(desc=True).first(),
    "load": lambda on, ann: on.Person.get("1"),
    "get_or_create": lambda on, ann: on.Person.get_or_connect(name="ann"),
    "get_or_none": lambda on, ann: on.Person.exists(name="ann"),
    "count": lambda on, ann: on.Person.collection().count(),
    "save": lambda on, ann: ann.name.hset("ann"),
    "id": lambda on, ann: ann.pk.get(),
    "dict": lambda on, ann: ann.to_dict(),
    "model_dump": lambda on, ann: ann.to_dict(),
}


@tries(". Way out: {}")
def test_names_of_other_mappers(told: Told, server: Backend) -> None:
    """Each leads to something that this face has."""

    async def test(on: Models) -> None:
        ann = await on.Person.create(name="ann")
        given = {}
        for name, way in AWAITED.items():
            table, owner = (
                (AWAITED_OF_AN_INSTANCE, ann) if name in AWAITED_OF_AN_INSTANCE else (AWAITED_OF_A_MODEL, on.Person)
            )
            with told(AttributeError) as caught:
                getattr(owner, name)
            assert str(caught.value).endswith(f"Way out: {table[name]}")
            given[name] = await way(on, ann)
        assert ("1", "1", ann, (ann, False), True, 1) == tuple(given[name] for name in list(AWAITED)[:6])
        assert ("1", "ann") == (given["id"], given["dict"]["name"])
        for name in ("bulk_create", "insert_many"):
            with told(AttributeError) as caught:
                getattr(on.Person, name)
            assert "Way out: await Model.create_many([{...}, ...])" in str(caught.value)
        assert 2 == len(await on.Person.create_many([{"name": "bob"}, {"name": "cid"}]))

    on_a_loop(server, test)


def test_no_other_name_of_the_asyncio_face_is_its_own() -> None:
    """What is said here otherwise than on the blocking face is tried above."""
    own = {name for name, way in AWAITED_OF_A_MODEL.items() if OF_A_MODEL[name] != way}
    own |= {name for name, way in AWAITED_OF_AN_INSTANCE.items() if OF_AN_INSTANCE[name] != way}
    assert own == AWAITED.keys() | {"bulk_create", "insert_many"}
