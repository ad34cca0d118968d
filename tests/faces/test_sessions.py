"""Sessions: what is said, seen, planned, committed and forgotten, by either face in the same words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aio.models import Models
from uowredis import (
    Conflict,
    DoesNotExist,
    NotCommitted,
    PendingWrites,
    Rejected,
    SessionError,
    UncommittedWrites,
    UniquenessError,
    aio,
)


async def test_writes_wait_and_reads_see_them(on: Models) -> None:
    """Nothing is sent before the commit; replies come in the order said."""
    ann = await on.Person.create(name="ann", visits=1)
    before = on.server.dump()
    async with aio.Session(on.database) as s:
        visits, added = ann.visits.incr(), ann.tags.sadd("x")
        new = await on.Person.create(name="new", city="here")
        assert (await ann.visits.get(), await ann.tags.smembers()) == ("2", {"x"})
        assert await on.Person.collection(city="here").instances().list() == [new]
        assert (await on.Person.get(name="new"), await on.Person.exists(name="no")) == (new, False)
        with pytest.raises(NotCommitted, match="commit"):
            visits.result
        left = {key: value for key, value in on.server.dump().items() if not key.endswith(b":max_pk")}
        assert left == {key: value for key, value in before.items() if not key.endswith(b":max_pk")}
        assert await s.commit() == [2, 1, new]
        assert (visits.result, added.result, s.outcome, s.pending) == (2, 1, "applied", ())
    assert on.server.client().get(":person:1:visits") == b"2"
    assert on.server.client().smembers(":person:city:here") == {b"2"}


async def test_a_plan_is_shown_and_sent_exactly(on: Models) -> None:
    """What is shown is what is sent, or Conflict."""
    ann = await on.Person.create(name="ann")
    async with aio.Session(on.database) as s:
        ann.name.set("bob")
        symbolic, shown = await s.plan(symbolic=True), await s.plan()
        assert [step.call[0] for step in shown] == ["HSET", "SREM", "SADD"]
        assert symbolic.steps[0].call[0] == "HSET"
        assert await s.commit(shown) == [0]
        assert s.last_plan.steps == shown.steps
        ann.name.set("carl")
        shown = await s.plan()
        on.server.client().hset(":person:1:hash", "name", "other")
        with pytest.raises(Conflict):
            await s.commit(shown)
        await s.rollback()


async def test_what_is_rolled_back_was_never_said(on: Models) -> None:
    """A rollback, and a savepoint left by an error or rolled back, forget; what was said before stays."""
    ann = await on.Person.create(name="ann")
    async with aio.Session(on.database) as s:
        ann.city.set("kept")
        async with s.savepoint() as savepoint:
            dropped = ann.visits.incr()
            savepoint.rollback()
            ann.hits.set(1)
        with pytest.raises(ZeroDivisionError):
            async with s.savepoint():
                ann.visits.set("never")
                raise ZeroDivisionError
        assert await ann.visits.get() is None
        await s.commit()
        new = await on.Person.create(name="new")
        ann.city.set("lost")
        await s.rollback()
        with pytest.raises(NotCommitted, match="rolled back"):
            dropped.result
        with pytest.raises(DoesNotExist):
            await new.name.get()
    assert (await ann.city.get(), await ann.hits.get(), await ann.visits.get()) == ("kept", "1", None)


async def test_what_is_refused_is_still_there(on: Models) -> None:
    """A unique value that is taken: nothing was applied, and the session can be mended."""
    ann, bob = await on.Person.create(name="ann"), await on.Person.create(name="bob")
    async with aio.Session(on.database) as s:
        ann.visits.incr()
        ann.name.set("bob")
        with pytest.raises(UniquenessError):
            await s.plan()
        with pytest.raises(UniquenessError) as caught:
            await s.commit()
        assert (caught.value.pk, s.outcome, len(s.pending)) == ("2", "not applied", 2)
        bob.name.set("carl")
        await s.commit()
    assert [await ann.name.get(), await bob.name.get(), await ann.visits.get()] == ["bob", "carl", "1"]


async def test_what_is_not_there_is_refused(on: Models) -> None:
    """An object that others have deleted; a command that would fail."""
    ann = await on.Person.create(name="ann", shelf=["x"])
    async with aio.Session(on.database, on_pending="discard") as s:
        ann.visits.set("text")
        ann.visits.incr()
        with pytest.raises(Rejected):
            await s.commit()
        await s.rollback()
        on.server.client().srem(":person:collection", "1")
        ann.tags.sadd("x")
        with pytest.raises(DoesNotExist):
            await s.commit()
    assert on.server.client().exists(":person:1:visits", ":person:1:tags") == 0


async def test_what_only_the_server_knows_is_not_guessed(on: Models) -> None:
    """A read over an opaque write is refused; after the commit it is answered."""
    ann = await on.Person.create(visits=1)
    async with aio.Session(on.database) as s:
        summed = ann.visits.incrbyfloat(0.5)
        with pytest.raises(PendingWrites):
            await ann.visits.get()
        await s.commit()
        assert (summed.result, await ann.visits.get()) == (1.5, "1.5")


async def test_a_session_left_with_unsent_writes_tells(on: Models) -> None:
    """As it says: by an error, a warning, or not at all; an exception goes through."""
    ann = await on.Person.create(name="ann")
    with pytest.raises(UncommittedWrites, match="visits"):
        async with aio.Session(on.database):
            ann.visits.incr()
    async with aio.Session(on.database, on_pending="discard"):
        ann.visits.incr()
    with pytest.raises(ZeroDivisionError):
        async with aio.Session(on.database):
            ann.visits.incr()
            raise ZeroDivisionError
    assert await ann.visits.get() is None


async def test_one_session_at_a_time(on: Models) -> None:
    """A second one on the same database is refused, and one that was left says so."""
    async with aio.Session(on.database) as s:
        assert on.database.session is s
        with pytest.raises(SessionError, match="open here already"):
            async with aio.Session(on.database):
                pass
        assert on.database.session is s
    with pytest.raises(SessionError, match="was left"):
        await s.commit()


async def test_callbacks_are_called_after_the_commit(on: Models) -> None:
    """Once, when it was applied; the session takes no part."""
    ann = await on.Person.create(name="ann")
    called: list[Any] = []
    async with aio.Session(on.database) as s:
        ann.visits.incr()
        s.on_commit(lambda: called.append(on.database.session))
        await s.commit()
        s.on_commit(lambda: called.append("never"))
        await s.rollback()
    assert called == [None]


async def test_what_was_read_and_changed_is_a_conflict(on: Models) -> None:
    """``watch_reads`` and ``watch()``."""
    ann = await on.Person.create(name="ann", visits=1)
    for watched in (True, False):
        async with aio.Session(on.database, watch_reads=watched) as s:
            if not watched:
                await s.watch(ann.visits)
            assert await ann.visits.get() is not None
            on.server.client().incr(":person:1:visits")
            ann.city.set("x")
            with pytest.raises(Conflict, match="visits"):
                await s.commit()
            await s.rollback()


async def test_a_dry_run_sends_nothing(on: Models, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the plan, and returns it."""
    ann = await on.Person.create(name="ann")
    before = on.server.dump()
    async with aio.Session(on.database, dry_run=True) as s:
        ann.visits.incr()
        (plan,) = await s.commit()
    assert "INCRBY :person:1:visits 1" in capsys.readouterr().out
    assert (len(plan.steps), on.server.dump()) == (1, before)
