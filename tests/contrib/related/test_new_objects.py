"""New objects that refer to each other in one session: one commit, plans, dry runs, rollbacks, refusals."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.models import Groups, groups
from tests.tools.backends import Backend
from tests.tools.place import Place
from uowredis import (
    ArgumentError,
    Conflict,
    DoesNotExist,
    Session,
    SessionError,
    UniquenessError,
)


@pytest.fixture
def models(server: Backend) -> Groups:
    return groups(server.database())


@pytest.mark.parametrize("values", [{}, {"name": "a"}])
@pytest.mark.parametrize("field", ["friend", "partner"])
def test_an_object_refers_to_itself_from_the_start(place: Place, field: str, values: dict[str, Any]) -> None:
    """``a.friend.set(a)`` of an object that has no primary key yet."""
    models = groups(place.database)
    made: list[Any] = []

    def say() -> list[Any]:
        made.append(models.person(**values))
        return [getattr(made[0], field).set(made[0])]

    def ask() -> list[Any]:
        return [getattr(made[0], field).get(), getattr(made[0], field).instance() == made[0]]

    replies, answer = place.happens(say, ask)
    assert [True if field == "friend" else 1] == replies
    assert ["1", True] == answer
    assert [made[0]] == list(models.person.collection(**{field: made[0]}).instances())


def test_new_objects_refer_to_each_other_in_one_commit(server: Backend, models: Groups) -> None:
    """A cycle of new objects is one transaction, with one count of primary keys for each model."""
    with Session(models.database) as session:
        a, b, empty = models.person(name="a"), models.person(name="b"), models.person()
        a.friend.set(b)
        b.friend.set(a)
        a.partner.set(empty)
        empty.partner.set(a)
        group = models.group(entry=models.person(name="x"))
        assert {} == server.dump()
        session.commit()
        assert 2 == session.last_plan.round_trips
    assert ["2", "1", "3", "1", "4"] == [
        a.friend.get(),
        b.friend.get(),
        a.partner.get(),
        empty.partner.get(),
        group.entry.get(),
    ]
    assert [["b"], ["a"]] == [list(one.befriended().values_list("name", flat=True)) for one in (a, b)]
    assert "x" == group.entry.instance().name.get()


def test_a_reference_that_is_read_before_the_commit_is_the_pk_to_be(server: Backend, models: Groups) -> None:
    """Reading allocates the primary key, and writes nothing else."""
    with Session(models.database) as session:
        group = models.group(entry=models.person(name="x"))
        pk = group.entry.get()
        entry = group.entry.instance()
        assert ["1", "x", ["1"]] == [pk, entry.name.get(), group.hmget("entry")]
        assert [b":person:max_pk"] == list(server.dump())
        session.commit()
    assert "1" == group.entry.get() == entry.pk.get()
    assert ["1"] == list(entry.by_entry())


def test_a_dry_run_answers_with_placeholders(
    server: Backend, models: Groups, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is counted and nothing is sent: references read ``<Person 1>``, which relations take."""
    models.person(name="first")
    before = server.dump()
    with Session(models.database, dry_run=True) as session:
        person, empty = models.person(name="x"), models.person()
        group = models.group(entry=person)
        person.friend.set(empty)
        assert ["<Person 1>", ["<Person 1>"]] == [group.entry.get(), group.hmget("entry")]
        assert ["<Person 2>", person.pk.get()] == [person.friend.get(), group.entry.get()]
        assert [True, True] == [group.entry.instance() == person, person.friend.instance() == empty]
        assert ["<Group 1>"] == list(person.by_entry())
        assert ["<Group 1>"] == list(models.group.collection(entry=group.entry))
        empty.partner.set(group.entry.get())
        empty.friend.set(person.friend)
        assert ["<Person 1>", "<Person 2>"] == [empty.partner.get(), empty.friend.get()]
        placeholder = person.pk.get()
        assert [person, True] == [models.person(placeholder), models.person.exists(placeholder)]
        with pytest.raises(ArgumentError, match="not allocated yet"):
            person.name.set(placeholder)
        (plan,) = session.commit()
    assert "<Person 1>" in capsys.readouterr().out
    assert ["HSET", ":group:<Group 1>:hash", "entry", "<Person 1>"] in [list(step.call) for step in plan]
    assert before == server.dump()
    with pytest.raises(DoesNotExist):
        models.person("1").friend.set(placeholder)
    assert before == server.dump()


LOOKED = pytest.mark.parametrize("looked", [False, True], ids=["not looked at", "references were read"])


@LOOKED
def test_a_rollback_forgets_who_was_referred_to(server: Backend, models: Groups, looked: bool) -> None:
    """A person made in the session no longer exists; an empty one made before is empty again and can be used."""
    box, empty = models.group(title="box"), models.person()
    before = server.dump()
    with Session(models.database) as session:
        made, made_empty = models.person(name="x"), models.person()
        box.entry.set(made)
        made.friend.set(empty)
        made.partner.set(made_empty)
        if looked:
            assert ["1", "2", "3"] == [box.entry.get(), made.friend.get(), made.partner.get()]
        session.rollback()
        for lost in (made, made_empty):
            with pytest.raises(DoesNotExist):
                box.entry.set(lost)
        assert () == session.pending
        assert [None, None] == [box.entry.get(), empty._pk]
    for lost in (made, made_empty):
        for say in (box.entry.set, empty.friend.set, lambda value: models.group(entry=value)):
            with pytest.raises(DoesNotExist):
                say(lost)
    after = server.dump()
    assert (("string", b"3") if looked else None) == after.pop(b":person:max_pk", None)
    assert before == after
    box.entry.set(empty)
    assert [box] == list(empty.by_entry().instances())
    assert ("4" if looked else "1") == empty.pk.get()


@LOOKED
def test_leaving_by_an_error_is_a_rollback(server: Backend, models: Groups, looked: bool) -> None:
    """An empty person made before, referred to in the session, is empty again."""
    empty = models.person()
    with pytest.raises(ZeroDivisionError), Session(models.database):
        group = models.group(entry=empty)
        if looked:
            assert "1" == group.entry.get()
        1 / 0
    assert None is empty._pk
    assert ([b":person:max_pk"] if looked else []) == list(server.dump())
    with pytest.raises(DoesNotExist):
        group.entry.get()


@LOOKED
def test_the_plan_that_was_shown_is_committed(server: Backend, models: Groups, looked: bool) -> None:
    """``commit(plan)`` fills the primary keys into the plan, also into references."""
    with Session(models.database) as session:
        person = models.person(name="x")
        group = models.group(entry=person)
        person.friend.set(person)
        if looked:
            assert "1" == group.entry.get()
        plan = session.plan()
        shown = "1" if looked else "<Person 1>"
        assert ("SET", f":person:{shown}:friend", shown) in [step.call for step in plan]
        assert [group] == session.commit(plan)[1:2]
    assert ["1", "1"] == [group.entry.get(), person.friend.get()]
    assert [[group], [person]] == [list(person.by_entry().instances()), list(person.befriended().instances())]


def test_another_plan_than_the_one_shown_is_refused(server: Backend, models: Groups) -> None:
    """What refers elsewhere is another plan; nothing is written, and what was said can still be committed."""
    with Session(models.database) as session:
        first, second = models.person(name="x"), models.person(name="y")
        group = models.group(entry=first)
        plan = session.plan()
        group.entry.set(second)
        with pytest.raises(Conflict):
            session.commit(plan)
        assert set() == {key for key in server.dump() if not key.endswith(b"max_pk")}
        session.commit()
    assert second == group.entry.instance()


def test_a_refused_commit_can_be_said_again(server: Backend, models: Groups) -> None:
    """The references are still there after the commit was refused, whatever was counted meanwhile."""
    taken = models.group(title="taken")
    with Session(models.database) as session:
        group = models.group(title="taken", entry=models.person(name="x"))
        with pytest.raises(UniquenessError):
            session.commit()
        group.title.set("free")
        session.commit()
    assert ["x", None] == [group.entry.instance().name.get(), taken.entry.get()]
    assert [group] == list(group.entry.instance().by_entry().instances())


def test_a_person_that_another_session_creates_is_refused(server: Backend, models: Groups) -> None:
    """A new object can be referred to in its own session only, until that is committed."""
    box = models.group(title="box")
    with Session(models.database) as session, ThreadPoolExecutor(1) as elsewhere:
        person = models.person(name="x")

        def refer_in_a_session() -> int:
            with Session(models.database) as other, pytest.raises(SessionError, match="open elsewhere"):
                box.entry.set(person)
            return len(other.pending)

        def refer() -> None:
            with pytest.raises(SessionError, match="open elsewhere"):
                box.entry.set(person)

        assert 0 == elsewhere.submit(refer_in_a_session).result()
        elsewhere.submit(refer).result()
        session.commit()
        elsewhere.submit(box.entry.set, person).result()
    assert person == box.entry.instance()
