"""What fails in a pipeline: keys of a foreign type, commands that cannot be, objects of others."""

import threading
from typing import Any

import pytest

from tests.models import Groups
from tests.tools.backends import Backend
from uowredis import ArgumentError, NotCommitted, PartiallyApplied, Rejected, Session, SessionError
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def person(server: Backend, people: Groups) -> Any:
    """Person 1 of three, whose hits are a list on the server."""
    person, _, _ = people.three()
    client = server.client()
    client.delete(":person:1:hits")
    client.rpush(":person:1:hits", "x")
    return person


@pytest.mark.parametrize("transaction", [True, False])
def test_a_foreign_type_refuses_what_only_reads(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any, transaction: bool
) -> None:
    """The error names the call; nothing is applied, and the reads are still pending."""
    with database.pipeline(transaction=transaction) as pipeline:
        read = people.Person("2").hits.get()
        person.hits.get()
        with pytest.raises(Rejected, match="GET :person:1:hits") as caught:
            pipeline.execute()
        assert "WRONGTYPE" in str(caught.value)
        assert ("not applied", 2) == (pipeline.outcome, len(pipeline.pending))
        with pytest.raises(NotCommitted):
            _ = read.result
        server.client().delete(":person:1:hits")
        assert ["1", None] == pipeline.execute()


def test_a_foreign_type_that_only_a_read_meets_leaves_the_writes_applied(
    server: Backend, database: PipelineDatabase, people: Groups, person: Any
) -> None:
    """EXEC undoes nothing: the outcome is partial, names the read and all results; only a rollback goes on."""
    with database.pipeline() as pipeline:
        people.Person("2").hits.set(50)
        person.hits.get()
        people.Person("3").city.set("Rome")
        with pytest.raises(PartiallyApplied, match="GET :person:1:hits") as caught:
            pipeline.execute()
        calls = [step.call for step in caught.value.plan]
        failed = [call for call, reply in zip(calls, caught.value.results, strict=True) if isinstance(reply, Exception)]
        assert [("GET", ":person:1:hits")] == failed
        assert "partially applied" == pipeline.outcome
        with pytest.raises(SessionError):
            pipeline.execute()
        pipeline.reset()
        people.Person("2").hits.get()
        people.Person.collection(city="Rome")
        assert ["50", ["3"]] == pipeline.execute()


def test_a_foreign_type_that_planning_meets_refuses_all(
    server: Backend, database: PipelineDatabase, people: Groups
) -> None:
    """An indexed field of a foreign type is met before anything is sent, reads or not."""
    person, _, _ = people.three()
    client = server.client()
    client.delete(":person:1:city")
    client.rpush(":person:1:city", "x")
    before = server.dump()
    with database.pipeline() as pipeline:
        people.Person("2").hits.set(50)
        person.city.get()
        person.city.append("!")
        with pytest.raises(Rejected):
            pipeline.execute()
        assert before == server.dump()
        pipeline.reset()


def test_a_command_that_cannot_be_is_refused_when_it_is_said(database: PipelineDatabase, people: Groups) -> None:
    """Bad arguments have no reply; what was said before is not touched."""
    person, _, _ = people.three()
    with database.pipeline() as pipeline:
        read = person.hits.get()
        for say in (
            lambda: person.tags.sismember(None),
            lambda: person.queue.lindex("x"),
            lambda: person.hits.set(read),
            lambda: person.hmget("none"),
            lambda: people.Person(nothing=1),
        ):
            with pytest.raises((ArgumentError, TypeError)):
                say()
        assert ["3"] == pipeline.execute()


def test_a_command_that_would_fail_on_its_value_refuses_all(
    server: Backend, database: PipelineDatabase, people: Groups
) -> None:
    """It is tried beforehand: nothing is applied, and the reads are not answered."""
    person, other, _ = people.three()
    before = server.dump()
    with database.pipeline() as pipeline:
        other.hits.get()
        other.hits.set("text")
        other.hits.incr()
        with pytest.raises(Rejected):
            pipeline.execute()
        assert before == server.dump()
        pipeline.reset()
        person.hits.get()
        assert ["3"] == pipeline.execute()


def test_an_object_that_another_session_creates_is_never_asked_for_by_a_made_up_key(
    server: Backend, database: PipelineDatabase, people: Groups
) -> None:
    """It has no key yet: a read of it sends nothing, or is refused."""
    sent: list[Any] = []

    def read_it_elsewhere() -> None:
        with database.pipeline() as pipeline:
            try:
                made.hits.get()
            except SessionError:
                return
            sent.extend(step.call for step in pipeline.plan())

    with Session(database) as session:
        made = people.Person(name="new")
        thread = threading.Thread(target=read_it_elsewhere)
        thread.start()
        thread.join()
        session.rollback()
    assert [] == sent
