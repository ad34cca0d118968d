"""New objects that refer to each other in one session: one commit, plans, dry runs, rollbacks, refusals."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contrib.related.place import Place
from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    Conflict,
    DoesNotExist,
    InstanceHashField,
    RedisDatabase,
    Session,
    SessionError,
    UniquenessError,
)
from uowredis.contrib.related import FKInstanceHashField, FKStringField, RelatedModel


class Couple:
    """Persons who refer to persons, by a foreign key of each kind, and groups that refer to persons."""

    def __init__(self, on: RedisDatabase) -> None:
        class Person(RelatedModel):
            database = on
            name = InstanceHashField(indexable=True)
            friend = FKStringField("self", related_name="befriended")
            partner = FKInstanceHashField("self", related_name="partnered")

        class Group(RelatedModel):
            database = on
            name = InstanceHashField(indexable=True, unique=True)
            owner = FKInstanceHashField("Person")

        self.database, self.person, self.group = on, Person, Group


@pytest.fixture
def couple(server: Backend) -> Couple:
    return Couple(server.database())


@pytest.mark.parametrize("values", [{}, {"name": "a"}])
@pytest.mark.parametrize("field", ["friend", "partner"])
def test_an_object_refers_to_itself_from_the_start(place: Place, field: str, values: dict[str, Any]) -> None:
    """``a.friend.set(a)`` of an object that has no primary key yet."""
    models = Couple(place.database)
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


def test_new_objects_refer_to_each_other_in_one_commit(server: Backend, couple: Couple) -> None:
    """A cycle of new objects is one transaction, with one count of primary keys for each model."""
    with Session(couple.database) as session:
        a, b, empty = couple.person(name="a"), couple.person(name="b"), couple.person()
        a.friend.set(b)
        b.friend.set(a)
        a.partner.set(empty)
        empty.partner.set(a)
        group = couple.group(owner=couple.person(name="x"))
        assert {} == server.dump()
        session.commit()
        assert 2 == session.last_plan.round_trips
    assert ["2", "1", "3", "1", "4"] == [
        a.friend.get(),
        b.friend.get(),
        a.partner.get(),
        empty.partner.get(),
        group.owner.get(),
    ]
    assert [["b"], ["a"]] == [list(one.befriended().values_list("name", flat=True)) for one in (a, b)]
    assert "x" == group.owner.instance().name.get()


def test_a_reference_that_is_read_before_the_commit_is_the_pk_to_be(server: Backend, couple: Couple) -> None:
    """Reading allocates the primary key, and writes nothing else."""
    with Session(couple.database) as session:
        group = couple.group(owner=couple.person(name="x"))
        pk = group.owner.get()
        owner = group.owner.instance()
        assert ["1", "x", ["1"]] == [pk, owner.name.get(), group.hmget("owner")]
        assert [b":person:max_pk"] == list(server.dump())
        session.commit()
    assert "1" == group.owner.get() == owner.pk.get()
    assert ["1"] == list(owner.group_set())


def test_a_dry_run_answers_with_placeholders(
    server: Backend, couple: Couple, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is counted and nothing is sent: references read ``<Person 1>``, which relations take."""
    couple.person(name="first")
    before = server.dump()
    with Session(couple.database, dry_run=True) as session:
        person, empty = couple.person(name="x"), couple.person()
        group = couple.group(owner=person)
        person.friend.set(empty)
        assert ["<Person 1>", ["<Person 1>"]] == [group.owner.get(), group.hmget("owner")]
        assert ["<Person 2>", person.pk.get()] == [person.friend.get(), group.owner.get()]
        assert [True, True] == [group.owner.instance() == person, person.friend.instance() == empty]
        assert ["<Group 1>"] == list(person.group_set())
        assert ["<Group 1>"] == list(couple.group.collection(owner=group.owner))
        empty.partner.set(group.owner.get())
        empty.friend.set(person.friend)
        assert ["<Person 1>", "<Person 2>"] == [empty.partner.get(), empty.friend.get()]
        placeholder = person.pk.get()
        assert [person, True] == [couple.person(placeholder), couple.person.exists(placeholder)]
        with pytest.raises(ArgumentError, match="not allocated yet"):
            person.name.set(placeholder)
        (plan,) = session.commit()
    assert "<Person 1>" in capsys.readouterr().out
    assert ["HSET", ":group:<Group 1>:hash", "owner", "<Person 1>"] in [list(step.call) for step in plan]
    assert before == server.dump()
    with pytest.raises(DoesNotExist):
        couple.person("1").friend.set(placeholder)
    assert before == server.dump()


LOOKED = pytest.mark.parametrize("looked", [False, True], ids=["not looked at", "references were read"])


@LOOKED
def test_a_rollback_forgets_who_was_referred_to(server: Backend, couple: Couple, looked: bool) -> None:
    """A person made in the session no longer exists; an empty one made before is empty again and can be used."""
    box, empty = couple.group(name="box"), couple.person()
    before = server.dump()
    with Session(couple.database) as session:
        made, made_empty = couple.person(name="x"), couple.person()
        box.owner.set(made)
        made.friend.set(empty)
        made.partner.set(made_empty)
        if looked:
            assert ["1", "2", "3"] == [box.owner.get(), made.friend.get(), made.partner.get()]
        session.rollback()
        for lost in (made, made_empty):
            with pytest.raises(DoesNotExist):
                box.owner.set(lost)
        assert () == session.pending
        assert [None, None] == [box.owner.get(), empty._pk]
    for lost in (made, made_empty):
        for say in (box.owner.set, empty.friend.set, lambda value: couple.group(owner=value)):
            with pytest.raises(DoesNotExist):
                say(lost)
    after = server.dump()
    assert (("string", b"3") if looked else None) == after.pop(b":person:max_pk", None)
    assert before == after
    box.owner.set(empty)
    assert [box] == list(empty.group_set().instances())
    assert ("4" if looked else "1") == empty.pk.get()


@LOOKED
def test_leaving_by_an_error_is_a_rollback(server: Backend, couple: Couple, looked: bool) -> None:
    """An empty person made before, referred to in the session, is empty again."""
    empty = couple.person()
    with pytest.raises(ZeroDivisionError), Session(couple.database):
        group = couple.group(owner=empty)
        if looked:
            assert "1" == group.owner.get()
        1 / 0
    assert None is empty._pk
    assert ([b":person:max_pk"] if looked else []) == list(server.dump())
    with pytest.raises(DoesNotExist):
        group.owner.get()


@LOOKED
def test_the_plan_that_was_shown_is_committed(server: Backend, couple: Couple, looked: bool) -> None:
    """``commit(plan)`` fills the primary keys into the plan, also into references."""
    with Session(couple.database) as session:
        person = couple.person(name="x")
        group = couple.group(owner=person)
        person.friend.set(person)
        if looked:
            assert "1" == group.owner.get()
        plan = session.plan()
        shown = "1" if looked else "<Person 1>"
        assert ("SET", f":person:{shown}:friend", shown) in [step.call for step in plan]
        assert [group] == session.commit(plan)[1:2]
    assert ["1", "1"] == [group.owner.get(), person.friend.get()]
    assert [[group], [person]] == [list(person.group_set().instances()), list(person.befriended().instances())]


def test_another_plan_than_the_one_shown_is_refused(server: Backend, couple: Couple) -> None:
    """What refers elsewhere is another plan; nothing is written, and what was said can still be committed."""
    with Session(couple.database) as session:
        first, second = couple.person(name="x"), couple.person(name="y")
        group = couple.group(owner=first)
        plan = session.plan()
        group.owner.set(second)
        with pytest.raises(Conflict):
            session.commit(plan)
        assert set() == {key for key in server.dump() if not key.endswith(b"max_pk")}
        session.commit()
    assert second == group.owner.instance()


def test_a_refused_commit_can_be_said_again(server: Backend, couple: Couple) -> None:
    """The references are still there after the commit was refused, whatever was counted meanwhile."""
    taken = couple.group(name="taken")
    with Session(couple.database) as session:
        group = couple.group(name="taken", owner=couple.person(name="x"))
        with pytest.raises(UniquenessError):
            session.commit()
        group.name.set("free")
        session.commit()
    assert ["x", None] == [group.owner.instance().name.get(), taken.owner.get()]
    assert [group] == list(group.owner.instance().group_set().instances())


def test_a_person_that_another_session_creates_is_refused(server: Backend, couple: Couple) -> None:
    """A new object can be referred to in its own session only, until that is committed."""
    box = couple.group(name="box")
    with Session(couple.database) as session, ThreadPoolExecutor(1) as elsewhere:
        person = couple.person(name="x")

        def refer_in_a_session() -> int:
            with Session(couple.database) as other, pytest.raises(SessionError, match="open elsewhere"):
                box.owner.set(person)
            return len(other.pending)

        def refer() -> None:
            with pytest.raises(SessionError, match="open elsewhere"):
                box.owner.set(person)

        assert 0 == elsewhere.submit(refer_in_a_session).result()
        elsewhere.submit(refer).result()
        session.commit()
        elsewhere.submit(box.owner.set, person).result()
    assert person == box.owner.instance()
