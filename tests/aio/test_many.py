"""Several objects at once, and all that one holds, awaited: the same data and answers as on the blocking face."""

import asyncio
from typing import Any

import pytest

from tests.aio.models import Models
from tests.session.doors import data
from tests.tools.backends import Backend
from uowredis import ArgumentTypeError, DoesNotExist, SessionError, UniquenessError, aio

ROWS = [
    {"name": "ann", "city": "x", "tags": ["a", "b"], "sold": {"s": 2}},
    {"name": "bob", "city": "x", "shelf": ["r", "r"], "notes": {"n": "1"}},
    {"name": "cid", "city": "y"},
]


async def test_rows_become_the_same_data(server: Backend) -> None:
    """Objects created, changed and deleted in batches; each batch is told, also to a coroutine function."""
    blocking, told = Models.blocking(server), []
    blocking.Person.create_many(ROWS)
    blocking.Person.collection(city="x").update(city="z", tags=["c"])
    blocking.Person.collection(city="y").delete()
    expected = data(server)
    blocking.Person.collection().delete()
    blocking.database.connection.delete(":person:max_pk")

    async def progress(*counts: int) -> None:
        await asyncio.sleep(0)
        told.append(counts)

    on = Models.on(server)
    made = await on.Person.create_many(iter(ROWS), batch=2, progress=progress)
    assert ["1", "2", "3"] == [await each.pk.get() for each in made]
    assert 2 == await on.Person.collection(city="x").update(city="z", tags=["c"], batch=1, progress=progress)
    assert 1 == await on.Person.collection(city="y").delete(progress=lambda *counts: told.append(counts))
    assert expected == data(server)
    assert [(2, 3), (3, 3), (1, 2), (2, 2), (1, 1)] == told
    await on.database.close()


async def test_objects_by_their_primary_keys(on: Models) -> None:
    """In the order asked; who is missing is named, or left out; one is not looked up."""
    await on.Person.create_many(ROWS)
    assert ["cid", "ann"] == [await each.name.get() for each in await on.Person.get_many([3, "1"])]
    with pytest.raises(on.Person.DoesNotExist, match="with pk 7 "):
        await on.Person.get_many([7, 1])
    assert [await on.Person.get(1)] == await on.Person.get_many([7, 1], missing="skip")
    lazy = await on.Person.lazy_connect(7)
    assert None is await lazy.name.get()
    with pytest.raises(DoesNotExist):
        await lazy.name.set("x")


async def test_all_that_one_holds(server: Backend) -> None:
    """The same dict."""
    blocking = Models.blocking(server)
    blocking.Person.create_many(ROWS)
    on = Models.on(server)
    for pk in (1, 2, 3):
        assert blocking.Person(pk).to_dict() == await (await on.Person.get(pk)).to_dict()
    await on.database.close()


async def test_values_of_every_kind_and_what_is_loaded(on: Models) -> None:
    """Also of what is referred to, and over what is pending."""
    ann, bob, _ = await on.Person.create_many(ROWS)
    await on.Group.create(title="one", owner=ann, members=[ann, bob])
    names = ("title", "members", "owner__name", "owner__tags")
    expected: list[Any] = [("one", {"1", "2"}, "ann", {"a", "b"})]
    assert expected == await on.Group.collection().values_list(*names).list()
    async with aio.Session(on.database) as s:
        ann.tags.srem("a")
        expected = [("one", {"1", "2"}, "ann", {"b"})]
        assert expected == await on.Group.collection().values_list(*names).list()
        loaded = await on.Group.collection().instances(load=names).list()
        assert expected == [tuple(each.loaded.values()) for each in loaded]
        await s.commit()


async def test_in_a_session(server: Backend, on: Models) -> None:
    """All of it is part of the commit, or of what is forgotten."""
    await on.Person.create_many(ROWS)
    before = data(server)
    async with aio.Session(on.database, on_pending="discard") as s:
        made = await on.Person.create_many([{"name": "dan", "city": "x"}], batch=1)
        assert 3 == await on.Person.collection(city="x").update(city="q", batch=1)
        assert 1 == await on.Person.collection(city="y").delete()
        assert before == data(server)
        assert made == await on.Person.get_many([4])
        assert {"name": "dan", "city": "q"}.items() <= (await made[0].to_dict()).items()
        await s.rollback()
    assert before == data(server)


async def test_what_is_refused(server: Backend, on: Models) -> None:
    """With the batches before told; and where a write needs a session."""
    with pytest.raises(UniquenessError) as caught:
        await on.Person.create_many([{"name": "a"}, {"name": "b"}, {"name": "a"}], batch=2)
    assert "uowredis: create_many() has committed 2 of 3 before; these stay" in caught.value.__notes__
    with pytest.raises(ArgumentTypeError):
        await on.Person.create_many({"name": "x"})
    with pytest.raises(ArgumentTypeError):
        await on.Person.get_many("12")
    strict = Models.on(server, outside="refuse")
    with pytest.raises(SessionError, match="is written with no session"):
        await strict.Person.create_many([{"name": "c"}])
    await strict.database.close()


async def test_who_vanishes_between_batches_is_left_out(on: Models) -> None:
    """The others of its batch are done."""
    await on.Person.create_many([{"name": f"n{number}", "city": "x"} for number in range(4)])

    async def progress(done: int, _: int) -> None:
        if done == 2:
            await (await on.Person.get(3)).delete()

    assert 3 == await on.Person.collection(city="x").sort().update(city="y", batch=2, progress=progress)
