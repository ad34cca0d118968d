"""What is called and never awaited is told: by an error where a session is open, by Python's warning elsewhere."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import SessionError, UncommittedWrites, aio

#: What may be forgotten, by the name that is told.
FORGOTTEN: dict[str, Callable[[Models, Any, aio.Session], Any]] = {
    "Person <1>.name.hget": lambda on, ann, s: ann.name.get(),
    "Person <1>.hmget": lambda on, ann, s: ann.hmget("name"),
    "Person <1>.pk.get": lambda on, ann, s: ann.pk.get(),
    "Group <1>.instance": lambda on, ann, s: on.Group._handle("1", tested=True).owner.instance(),
    "Person <1>.delete": lambda on, ann, s: ann.delete(),
    "Person.create": lambda on, ann, s: on.Person.create(name="bob"),
    "Person.get": lambda on, ann, s: on.Person.get("1"),
    "Person.exists": lambda on, ann, s: on.Person.exists("1"),
    "Person.get_or_connect": lambda on, ann, s: on.Person.get_or_connect(name="ann"),
    "Person.collection().count": lambda on, ann, s: on.Person.collection().count(),
    "Person.collection().list": lambda on, ann, s: on.Person.collection().list(),
    "Person.collection().first": lambda on, ann, s: on.Person.collection().first(),
    "Person.collection().exists": lambda on, ann, s: on.Person.collection().exists(),
    "Person.collection().contains": lambda on, ann, s: on.Person.collection().contains("1"),
    "Person.collection().store": lambda on, ann, s: on.Person.collection().store(),
    "Person.collection().__getitem__": lambda on, ann, s: on.Person.collection()[0:5],
    "Person.get_many": lambda on, ann, s: on.Person.get_many(["1"]),
    "Person.create_many": lambda on, ann, s: on.Person.create_many([{"name": "bob"}]),
    "Person <1>.to_dict": lambda on, ann, s: ann.to_dict(),
    "Person.collection().page": lambda on, ann, s: on.Person.collection().page(0, 5),
    "Person.collection().update": lambda on, ann, s: on.Person.collection().update(city="x"),
    "Person.collection().delete": lambda on, ann, s: on.Person.collection().delete(),
    "Session.watch": lambda on, ann, s: s.watch(ann.name),
}


def told_by_python(forget: Callable[[], object]) -> list[str]:
    """Return what Python tells of coroutines while *forget* runs, and what it made is collected."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        forget()
        gc.collect()
    return [str(each.message) for each in told if each.category is RuntimeWarning]


@pytest.mark.parametrize("name", FORGOTTEN)
async def test_a_session_is_not_committed_with_it(on: Models, name: str) -> None:
    """Nothing was sent, the call is named, and it is told once; a second commit goes on."""
    ann = await on.Person.create(name="ann")
    async with aio.Session(on.database) as s:
        ann.visits.incr()
        FORGOTTEN[name](on, ann, s)
        with pytest.raises(SessionError, match=r"^" + name.replace("(", r"\(").replace(")", r"\)") + ": called"):
            await s.commit()
        assert (s.outcome, on.server.client().get(":person:1:visits")) == (None, None)
        assert told_by_python(gc.collect) == []
        assert await s.commit() == [1]


async def test_an_object_that_was_found_among_many_is_named(on: Models) -> None:
    """Also where nobody asked for anything of it before."""
    await on.Person.create(name="ann")
    (ann,) = await on.Person.get_many(["1"])
    async with aio.Session(on.database) as s:
        ann.delete()
        with pytest.raises(SessionError, match=r"^Person <1>\.delete: called"):
            await s.commit()


@pytest.mark.parametrize("name", FORGOTTEN)
async def test_a_session_is_not_left_with_it(on: Models, name: str) -> None:
    """The block raises at its clean end, and the session has left its context."""
    ann = await on.Person.create(name="ann")
    with pytest.raises(SessionError, match="never awaited"):
        async with aio.Session(on.database) as s:
            FORGOTTEN[name](on, ann, s)
    assert on.database.session is None


async def test_what_commits_by_itself_does_not(on: Models) -> None:
    """``begin()``, ``run()`` and pipelines send nothing."""
    ann = await on.Person.create(name="ann")

    async def function(_: aio.Session) -> None:
        ann.visits.incr()
        ann.name.get()

    with pytest.raises(SessionError, match="never awaited"):
        async with on.database.begin() as s:
            await function(s)
    with pytest.raises(SessionError, match="never awaited"):
        await on.database.run(function)
    async with on.database.pipeline() as pipeline:
        ann.visits.incr()
        on.Person.create(name="bob")
        with pytest.raises(SessionError, match=r"Person\.create"):
            await pipeline.execute()
        await pipeline.reset()
    assert on.server.client().get(":person:1:visits") is None


async def test_unsent_writes_are_told_first(on: Models) -> None:
    """Where both are left, ``UncommittedWrites`` is what matters, and Python tells of the other."""
    ann = await on.Person.create(name="ann")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(UncommittedWrites):
            async with aio.Session(on.database):
                ann.visits.incr()
                ann.visits.get()
    assert [str(each.message) for each in told] == ["coroutine 'Person <1>.visits.get' was never awaited"]


async def test_python_tells_where_no_error_can(on: Models) -> None:
    """With no session open, after a rollback, and where an exception leaves the block; the call is named."""
    ann = await on.Person.create(name="ann")
    assert told_by_python(lambda: on.Person.get(name="ann")) == ["coroutine 'Person.get' was never awaited"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(ZeroDivisionError):
            async with aio.Session(on.database):
                ann.visits.get()
                raise ZeroDivisionError
        async with aio.Session(on.database) as s:
            ann.visits.get()
            await s.rollback()
    assert [str(each.message) for each in told] == ["coroutine 'Person <1>.visits.get' was never awaited"] * 2


async def test_what_was_awaited_is_let_go_of(on: Models) -> None:
    """A long session keeps few calls; what is awaited late, or failed, was awaited."""
    ann = await on.Person.create(name="ann")
    async with aio.Session(on.database) as s:
        late = ann.name.get()
        for _ in range(500):
            await ann.name.get()
            assert len(s._unawaited._calls) <= 64
        assert await late == "ann"
        with pytest.raises(IndexError):
            await on.Person.collection()[7]
        await s.commit()
