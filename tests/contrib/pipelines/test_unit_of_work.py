"""A pipeline is a session: nothing or all of it, planned, shown, forgotten and left like one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import Groups
from tests.tools.backends import Backend
from uowredis import (
    ArgumentTypeError,
    Conflict,
    DoesNotExist,
    NotCommitted,
    RedisModel,
    Session,
    SessionError,
    StringField,
    UncommittedWrites,
)
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def person(people: Groups) -> Any:
    """Person 1 of three."""
    return people.three()[0]


def test_it_goes_on_after_execute(database: PipelineDatabase, person: Any) -> None:
    """Each execute() answers what was said since the one before."""
    with database.pipeline() as pipeline:
        assert [] == pipeline.execute()
        person.hits.get()
        assert ["3"] == pipeline.execute()
        assert ((), []) == (pipeline.pending, pipeline.execute())
        person.hits.incr()
        person.hits.get()
        assert [4, "4"] == pipeline.execute()


def test_reset_forgets(server: Backend, database: PipelineDatabase, people: Groups, person: Any) -> None:
    """After reset() nothing is pending, what was made does not exist, and the pipeline goes on."""
    before = server.dump()
    with database.pipeline() as pipeline:
        read, write, made = person.hits.get(), person.hits.set(9), people.Person(name="z")
        people.Person.collection()
        pipeline.reset()
        assert ((), []) == (pipeline.pending, pipeline.execute())
        for pending in (read, write):
            with pytest.raises(NotCommitted):
                _ = pending.result
        with pytest.raises(DoesNotExist):
            made.hits.get()
        person.hits.get()
        assert ["3"] == pipeline.execute()
    assert before == server.dump()


def test_leaving_with_unsent_reads_is_quiet(database: PipelineDatabase, people: Groups, person: Any) -> None:
    """Reads that were never executed are forgotten, as redis-py forgets them."""
    with database.pipeline():
        read, collection = person.hits.get(), people.Person.collection(city="Lyon")
    with pytest.raises(NotCommitted):
        _ = read.result
    assert ["3"] == collection


def test_leaving_with_unsent_writes_raises(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """The error names the writes, and not the reads; nothing was sent."""
    before = server.dump()
    with pytest.raises(UncommittedWrites) as caught, database.pipeline():
        person.hits.get()
        person.city.set("Rome")
    assert "<1>.city.set" in str(caught.value)
    assert "hits.get" not in str(caught.value)
    assert before == server.dump()


def test_leaving_as_the_options_say(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """The options of a session are those of a pipeline."""
    before = server.dump()
    with database.pipeline(on_pending="discard"):
        person.hits.set(9)
    with pytest.warns(UserWarning, match="hits.set"), database.pipeline(on_pending="warn"):
        person.hits.set(9)
    assert before == server.dump()


def test_an_exception_forgets(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """It goes on itself, and nothing is sent."""
    before = server.dump()
    with pytest.raises(KeyError), database.pipeline():
        person.hits.set(9)
        raise KeyError
    assert before == server.dump()
    assert "3" == person.hits.get()


NESTED: dict[str, Callable[[PipelineDatabase], Any]] = {
    "pipeline": lambda database: database.pipeline(),
    "shared pipeline": lambda database: database.pipeline(share_in_threads=True),
    "session": Session,
    "begin": lambda database: database.begin(),
}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("inner", NESTED)
def test_no_second_one_inside(database: PipelineDatabase, person: Any, inner: str, shared: bool) -> None:
    """Another unit of work on the same database is refused inside a pipeline, which goes on."""
    with database.pipeline(share_in_threads=shared) as pipeline:
        person.hits.get()
        with pytest.raises(SessionError), NESTED[inner](database):
            raise AssertionError("entered")
        with pytest.raises(SessionError):
            database.run(lambda session: None)
        with pytest.raises(SessionError):
            database.transaction(lambda pipeline: None)
        assert ["3"] == pipeline.execute()


@pytest.mark.parametrize("outer", ["session", "begin"])
def test_none_inside_a_session(database: PipelineDatabase, outer: str) -> None:
    """A pipeline inside a session of the same database is refused."""
    for shared in (False, True):
        with NESTED[outer](database), pytest.raises(SessionError), database.pipeline(share_in_threads=shared):
            raise AssertionError("entered")


def test_another_database_takes_no_part(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """Models of another database answer at once inside a pipeline, and may have a session there."""
    other = server.database()
    mover = type("Mover", (RedisModel,), {"database": other, "city": StringField()})(city="Bonn")
    with database.pipeline() as pipeline, Session(other) as session:
        assert "Bonn" == mover.city.get()
        mover.city.set("Rome")
        person.hits.get()
        assert "Rome" == mover.city.get()
        assert ["3"] == pipeline.execute()
        assert [True] == session.commit()


def test_a_plan_shows_reads_among_writes(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any
) -> None:
    """plan() names every read at its place, a query behind all writes; it sends nothing that changes anything."""
    before = server.dump()
    with database.pipeline() as pipeline:
        person.city.set("Rome")
        people.Person.collection(city="Rome")
        person.city.get()
        plan = pipeline.plan()
        steps = [step.call for step in plan]
        assert [
            ("SET", ":person:1:city", "Rome"),
            ("GET", ":person:1:city"),
            ("SREM", ":person:city:Paris", "1"),
            ("SADD", ":person:city:Rome", "1"),
            ("SMEMBERS", ":person:city:Rome"),
        ] == steps
        assert "2 reads" in str(plan)
        assert (3, before) == (len(pipeline.pending), server.dump())
        steps[2] = ("SREM", ":person:city:<unknown>", "1")
        assert steps == [step.call for step in pipeline.plan(symbolic=True)]
        assert [True, ["1"], "Rome"] == pipeline.commit(plan)
        assert plan == pipeline.last_plan


def test_exactly_the_plan_or_conflict(server: Backend, database: PipelineDatabase, person: Any) -> None:
    """commit(plan) applies nothing where the plan would be another by now: others wrote, or another read was said."""
    with database.pipeline() as pipeline:
        person.city.set("Rome")
        plan = pipeline.plan()
        person.city.get()
        with pytest.raises(Conflict):
            pipeline.commit(plan)
        plan = pipeline.plan()
        server.client().set(":person:1:city", "Oslo")
        with pytest.raises(Conflict):
            pipeline.commit(plan)
        assert b"Oslo" == server.client().get(":person:1:city")
        assert [True, "Rome"] == pipeline.execute()


def test_a_dry_run_shows_and_sends_nothing(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """execute() of a dry run gives its plan, and leaves everything pending."""
    before = server.dump()
    with database.pipeline(dry_run=True) as pipeline:
        person.hits.set(5)
        person.hits.get()
        people.Person.collection()
        (plan,) = pipeline.execute()
        assert f"{plan}\n" == capsys.readouterr().out
        assert 3 == len(pipeline.pending)
    assert before == server.dump()


def test_a_savepoint_forgets_reads_too(database: PipelineDatabase, people: Groups, person: Any) -> None:
    """What was said in it has no reply; what was said before and after keeps its place."""
    with database.pipeline() as pipeline:
        person.hits.incr()
        kept = person.hits.get()
        with pytest.raises(KeyError), pipeline.savepoint():
            forgotten = person.hits.get(), person.hits.set(0), people.Person.collection(), people.Person(name="z")
            raise KeyError
        person.hits.incr()
        with pipeline.savepoint() as savepoint:
            person.hits.get()
            savepoint.rollback()
            person.hits.incr()
            people.Person.collection(city="Lyon")
        person.hits.get()
        assert [4, "4", 5, 6, ["3"], "6"] == pipeline.execute()
    assert "4" == kept.result
    for pending in forgotten[:2]:
        with pytest.raises(NotCommitted):
            _ = pending.result
    assert {"1", "2", "3"} == set(forgotten[2])


def test_a_savepoint_keeps_reads_of_new_objects(database: PipelineDatabase, people: Groups) -> None:
    """Reads of objects made before it are still theirs when it has forgotten what followed."""
    with database.pipeline() as pipeline:
        made = people.Person(name="a", hits=1)
        empty = people.Person()
        made.hits.get()
        empty.hits.get()
        group = people.Group(title="g", members=[made])
        group.members.sismember(made)
        with pytest.raises(KeyError), pipeline.savepoint():
            made.hits.set(2)
            empty.hits.set(2)
            made.delete()
            raise KeyError
        made.hits.get()
        empty.hits.get()
        assert [made, "1", None, group, True, "1", None] == pipeline.execute()
        # Nobody asks for what an empty object holds.
        assert [":person:1:hits"] * 2 == [step.call[1] for step in pipeline.last_plan if step.call[0] == "GET"]
    assert ["1"] == list(people.Person.collection())


def test_no_commit_inside_a_savepoint(database: PipelineDatabase, person: Any) -> None:
    """execute() in a savepoint is refused; afterwards all is there."""
    with database.pipeline() as pipeline:
        person.hits.get()
        with pipeline.savepoint(), pytest.raises(SessionError):
            pipeline.execute()
        assert ["3"] == pipeline.execute()


def test_on_commit_is_called_when_replies_are_in(database: PipelineDatabase, person: Any) -> None:
    """Once, after execute(), with every reply settled; a reset forgets it."""
    seen: list[Any] = []
    with database.pipeline() as pipeline:
        read = person.hits.get()
        pipeline.on_commit(lambda: seen.append(read.result))
        assert ["3"] == pipeline.execute()
        pipeline.execute()
        pipeline.on_commit(lambda: seen.append("forgotten"))
        pipeline.reset()
        person.hits.get()
        pipeline.execute()
    assert ["3"] == seen


def test_one_that_was_never_opened(database: PipelineDatabase) -> None:
    """Nothing can be said in a pipeline that was not entered; execute() says so."""
    with pytest.raises(SessionError):
        database.pipeline().execute()


@pytest.mark.parametrize("option", ["transaction", "share_in_threads"])
def test_options_are_true_or_false(database: PipelineDatabase, option: str) -> None:
    """Anything else is refused at once."""
    with pytest.raises(ArgumentTypeError):
        database.pipeline(**{option: "no"})
