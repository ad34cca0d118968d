"""Relations: both sides, and what becomes of references when an object is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import DoesNotExist, aio


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a session"])
async def test_relations_are_followed(on: Models, *, inside: bool) -> None:
    """Both sides; what refers to an object that is deleted follows."""
    block: Any = aio.Session(on.database, on_pending="discard") if inside else on.database
    async with block:
        ann, bob = await on.Person.create(name="ann"), await on.Person.create(name="bob")
        group = await on.Group.create(owner=ann, members=[ann, bob], title="t")
        empty = await on.Group.create(title="none")
        assert await group.owner.instance() == ann
        assert await empty.owner.instance() is None
        assert sorted([await each.name.get() for each in await group.members().instances().list()]) == ["ann", "bob"]
        assert await ann.group_set().instances().list() == [group]
        assert await bob.groups(title="t").count() == 1
        await bob.delete()
        assert await group.members().count() == 1
        await ann.delete()
        assert await on.Group.collection().count() == 1
        if inside:
            await block.commit()
    with pytest.raises(DoesNotExist):
        await group.title.set("x")


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a session"])
async def test_rows_follow_relations_over_many(on: Models, *, inside: bool) -> None:
    """From both sides, in lists, and beside instances."""
    block: Any = aio.Session(on.database, on_pending="discard") if inside else on.database
    async with block:
        ann, bob = await on.Person.create(name="ann"), await on.Person.create(name="bob")
        await on.Group.create(owner=ann, members=[ann, bob], title="one")
        await on.Group.create(owner=ann, members=[bob], title="two")
        groups = on.Group.collection().sort("title", alpha=True).values_list("title", "members__name")
        assert await groups.list() == [("one", ["ann", "bob"]), ("two", ["bob"])]
        names = ("name", "group_set", "groups__title", "groups__owner__name")
        loaded = await on.Person.collection().sort("name", alpha=True).instances(load=names).list()
        assert [tuple(each.loaded.values()) for each in loaded] == [
            ("ann", {"1", "2"}, ["one"], ["ann"]),
            ("bob", set(), ["one", "two"], ["ann", "ann"]),
        ]


async def test_new_objects_refer_to_each_other(on: Models) -> None:
    """Before they have a primary key; the plan has placeholders, and what is sent has keys."""
    async with on.database.begin() as s:
        ann = await on.Person.create(name="ann")
        group = await on.Group.create(owner=ann, title="t")
        group.members.sadd(ann, await on.Person.create(name="bob"))
        assert "<Person 1>" in str(await s.plan(symbolic=True))
        assert await ann.group_set().instances().list() == [group]
    assert await group.owner.instance() == await on.Person.get(name="ann")
    assert on.server.client().smembers(":group:1:members") == {b"1", b"2"}


async def test_what_is_deleted_is_planned_alike(on: Models) -> None:
    """The cascade is shown step by step, and leaves nothing behind."""
    ann, bob = await on.Person.create(name="ann"), await on.Person.create(name="bob")
    for title in ("a", "b"):
        await on.Group.create(owner=ann, members=[ann, bob], title=title)
    kept = await on.Group.create(owner=bob, members=[ann, bob], title="kept")
    async with aio.Session(on.database) as s:
        await ann.delete()
        shown = await s.plan()
        assert [await each.title.get() for each in await on.Group.collection().instances().list()] == ["kept"]
        await s.commit(shown)
    assert "deleted" in str(shown)
    assert await kept.members().instances().list() == [bob]
    assert [key for key in on.server.dump() if key.startswith((b":person:1:", b":group:1:", b":group:2:"))] == []


async def test_a_reference_is_filtered_by(on: Models) -> None:
    """By the object, its primary key, and in a list; over what is pending, too."""
    ann, bob = await on.Person.create(name="ann"), await on.Person.create(name="bob")
    async with aio.Session(on.database, on_pending="discard"):
        first = await on.Group.create(owner=ann, title="a")
        await on.Group.create(owner=bob, title="b")
        assert await on.Group.collection(owner=ann).instances().list() == [first]
        assert await on.Group.collection(owner="2").count() == 1
        assert await on.Group.collection(owner__in=[ann, bob]).count() == 2
        first.owner.set(bob)
        assert await bob.group_set().count() == 2
