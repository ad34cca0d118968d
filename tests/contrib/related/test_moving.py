"""Relations follow their models to another database; what waits for a model that stayed, or is not there at all."""

from typing import Any

import attrs
import pytest

from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    DoesNotExist,
    ImplementationError,
    InstanceHashField,
    RedisDatabase,
    Session,
    SessionError,
)
from uowredis.contrib.related import FKStringField, M2MSetField, RelatedModel


@attrs.frozen
class Models:
    person: Any
    group: Any


def declare(on: RedisDatabase, *, by_class: bool = False) -> Models:
    """Persons, and groups that refer to them by a foreign key and many times."""

    class Person(RelatedModel):
        database = on
        name = InstanceHashField(indexable=True)

    class Group(RelatedModel):
        database = on
        owner = FKStringField(Person if by_class else "Person", related_name="owned")
        members = M2MSetField(Person if by_class else "Person", related_name="membership")

    return Models(Person, Group)


def check_connected(models: Models) -> None:
    """Both sides answer, and a deletion takes the references along."""
    ann, bob = models.person(name="ann"), models.person(name="bob")
    group = models.group(owner=ann, members=[ann, bob])
    assert [ann, group] == [group.owner.instance(), ann.owned().instances()[0]]
    assert {ann, bob} == set(group.members().instances())
    ann.delete()
    assert [None, {bob.pk.get()}] == [group.owner.get(), group.members.smembers()]


def check_unconnected(models: Models) -> None:
    """The collections are gone, and whatever needs the other side says what to do."""
    assert [False, False] == [hasattr(models.person, name) for name in ("owned", "membership")]
    person, group = models.person(name="x"), models.group()
    for ask in (group.members, group.members.collection, lambda: group.owner.set("1") and group.owner.instance()):
        with pytest.raises(ImplementationError, match=r"not declared on the same database.*use_database"):
            ask()
    for say in (group.owner.set, group.members.sadd, lambda value: models.group(owner=value)):
        with pytest.raises(ArgumentTypeError, match="Person"):
            say(person)


@pytest.fixture(params=[False, True], ids=["by name", "by class"])
def models(server: Backend, request: pytest.FixtureRequest) -> Models:
    return declare(server.database(), by_class=request.param)


@pytest.fixture
def other(server: Backend) -> RedisDatabase:
    """Another database object on the same data."""
    return server.database()


@pytest.mark.parametrize("order", ["person first", "group first"])
def test_both_sides_move_one_after_the_other(models: Models, other: RedisDatabase, order: str) -> None:
    """A relation is unconnected while its sides are apart, and connected again when both have moved."""
    moving = [models.person, models.group][:: 1 if order == "person first" else -1]
    check_connected(models)
    moving[0].use_database(other)
    check_unconnected(models)
    moving[1].use_database(other)
    check_connected(models)


@pytest.mark.parametrize("name", ["person", "group"])
def test_who_comes_back_is_connected_again(models: Models, other: RedisDatabase, name: str) -> None:
    """To the same side that stayed behind."""
    home = models.person.database
    getattr(models, name).use_database(other)
    getattr(models, name).use_database(home)
    check_connected(models)


def test_a_name_finds_the_model_of_that_name_on_the_new_database(server: Backend, other: RedisDatabase) -> None:
    """Said by name the relation is with whoever has the name there; said by class it is with that class only."""
    for by_class in (False, True):
        models, there = declare(server.database(), by_class=by_class), server.database()

        class Person(RelatedModel):
            database = there

        models.group.use_database(there)
        assert [None if by_class else Person] * 2 == [models.group.owner.target, models.group.members.target]
        assert [not by_class, False] == [hasattr(each, "owned") for each in (Person, models.person)]


def test_subclasses_move_along_with_their_relations(server: Backend, other: RedisDatabase) -> None:
    """An abstract base moves all that are derived from it, and their relations stay connected."""
    home = server.database()

    class Base(RelatedModel):
        abstract = True
        database = home

    class Person(Base):
        name = InstanceHashField(indexable=True)

    class Group(Base):
        owner = FKStringField("Person", related_name="owned")
        members = M2MSetField(Person, related_name="membership")

    Base.use_database(other)
    assert [(), {Person, Group}] == [home.models, set(other.models)]
    check_connected(Models(Person, Group))


CLASHES = {
    "a model of the same name": lambda on: type(RelatedModel)("Group", (RelatedModel,), {"database": on}),
    "a collection of the same name": lambda on: type(RelatedModel)(
        "Band", (RelatedModel,), {"database": on, "owner": FKStringField("Person", related_name="owned")}
    ),
    "a field of that name": None,
}


@pytest.mark.parametrize("clash", CLASHES)
def test_nothing_moves_where_it_would_clash(server: Backend, other: RedisDatabase, clash: str) -> None:
    """The refusal leaves both databases, and the relations, as they were."""
    models = declare(server.database())
    attributes = {"owned": InstanceHashField()} if clash == "a field of that name" else {}
    person = type(RelatedModel)("Person", (RelatedModel,), {"database": other, **attributes})
    declared = CLASHES[clash]
    if declared is not None:
        declared(other)
    home, before = models.group.database, (models.group.database.models, other.models)
    names = set(vars(person))
    with pytest.raises(ImplementationError):
        models.group.use_database(other)
    assert before == (home.models, other.models)
    assert [home, home, names] == [models.person.database, models.group.database, set(vars(person))]
    check_connected(models)


def test_nothing_moves_while_a_session_is_open(models: Models, other: RedisDatabase) -> None:
    """What is pending stands on the relations."""
    with Session(models.person.database), pytest.raises(SessionError, match="cannot move"):
        models.person.use_database(other)
    check_connected(models)


# Targets that are not there.


class Lost:
    """Groups that refer to persons which nobody has declared."""

    def __init__(self, on: RedisDatabase) -> None:
        class Group(RelatedModel):
            database = on
            owner = FKStringField("Person", related_name="owned")
            members = M2MSetField("Person", related_name="membership")

        self.database, self.group = on, Group


@pytest.mark.parametrize("inside", [False, True])
def test_primary_keys_are_stored_before_the_model_is_known(server: Backend, inside: bool) -> None:
    """Text is taken and found; when the model is declared, both sides are there."""
    lost = Lost(server.database())
    if inside:
        with Session(lost.database) as session:
            group = lost.group(owner="1", members=["1", "2"])
            assert ["1", ["1"]] == [group.owner.get(), list(lost.group.collection(members="2"))]
            session.commit()
    else:
        group = lost.group(owner="1", members=["1", "2"])
    assert ["1", {"1", "2"}] == [group.owner.get(), group.members.smembers()]
    assert ["1"] == list(lost.group.collection(owner="1", members=2))

    class Person(RelatedModel):
        database = lost.database
        name = InstanceHashField(indexable=True)

    with pytest.raises(DoesNotExist):
        group.owner.instance()
    person = Person(name="x")
    assert [person, [group], ["1"]] == [group.owner.instance(), list(person.owned().instances()), list(group.members())]


@pytest.mark.parametrize("inside", [False, True])
def test_a_model_that_is_not_known_is_told(server: Backend, inside: bool) -> None:
    """By whatever needs it: ``instance()``, the call of a many-to-many field, an instance as value or in a filter."""
    lost = Lost(server.database())
    stranger = lost.group()
    stranger.pk.get()
    group = lost.group(owner="1")
    before = server.dump()

    def check() -> None:
        for ask in (group.owner.instance, group.members, group.members.collection):
            with pytest.raises(ImplementationError, match=r"Group\.\w+ refers to Person, which is not declared"):
                ask()
        for say in (group.owner.set, group.members.sadd, group.members.sismember):
            with pytest.raises(ArgumentError, match="Person, which is not declared"):
                say(stranger)
        with pytest.raises(ArgumentError, match="Person, which is not declared"):
            lost.group.collection(owner=stranger)

    if inside:
        with Session(lost.database) as session:
            check()
            assert () == session.pending
    else:
        check()
    assert before == server.dump()
