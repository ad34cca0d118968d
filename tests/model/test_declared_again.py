"""A class that is declared again at its place, as by a notebook or a reloader, replaces the former one."""

import importlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fields.conversations import CONVERSATIONS
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Monitor
from uowredis import (
    HashField,
    ImplementationError,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
    rebuild,
)
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import CASCADE, FKInstanceHashField, FKStringField, M2MSetField, RelatedModel

KINDS = [StringField, InstanceHashField, HashField, SetField, ListField, SortedSetField]


def bike(on: RedisDatabase, **more: Any) -> Any:
    """Declare the bike, each time at the same place."""
    fields = {kind.__name__.lower(): kind(indexable=True) for kind in KINDS}
    attributes = {"database": on, "name": InstanceHashField(indexable=True), "collection_manager": MANAGER}
    return type("Bike", (RedisModel,), attributes | fields | more)


MANAGER = ExtendedCollectionManager


def refused(*words: str) -> Any:
    """Return the context of the error that says what happened, and what to do."""
    return pytest.raises(
        ImplementationError, match=r"was declared again; nothing was sent\. Way out" + ".*".join(words)
    )


@pytest.fixture
def database(server: Backend) -> RedisDatabase:
    return server.database()


# What takes the former one's place.


def test_the_class_declared_last_is_the_model(database: RedisDatabase) -> None:
    """It has the objects that were there, and the fields it declares; the former one is not on the database."""
    former = bike(database)
    former(name="a")
    latest = bike(database, color=StringField(indexable=True))
    assert (latest,) == database.models
    with pytest.warns(RuntimeWarning, match=r"color \(its index is new\)"):
        found = latest.get(name="a")
    found.color.set("red")
    for _ in rebuild(latest):
        pass
    assert [found] == list(latest.collection(color="red").instances())


#: A class that is made by a call is of the module that makes it.
MADE_ELSEWHERE = 'type("Bike", (base,), {"database": database})'


def test_only_the_same_place_is_declared_again(database: RedisDatabase) -> None:
    """Another qualified name, another module, a namespace of its own: refused, refused, beside it."""
    former = bike(database)
    for other in ({"__qualname__": "Garage.Bike"}, {"__module__": "elsewhere"}):
        with pytest.raises(ImplementationError, match="already on this database"):
            bike(database, **other)
    with pytest.raises(ImplementationError, match="already on this database"):
        exec(MADE_ELSEWHERE, {"__name__": "elsewhere", "base": RedisModel, "database": database})
    beside = bike(database, namespace="shop")
    assert (former, beside) == database.models
    assert [("1", "1")] == [(former(name="a").pk.get(), beside(name="a").pk.get())]


def test_a_class_that_moves_replaces_nothing(server: Backend) -> None:
    """To move is not to declare: where the name is taken it is refused, whatever the place."""
    here, there = server.database(), server.database()
    one, other = bike(here), bike(there)
    with pytest.raises(ImplementationError, match="already on this database"):
        one.use_database(there)
    assert (one.database, other.database) == (here, there)


def test_a_class_in_a_function_that_is_called_twice(database: RedisDatabase) -> None:
    """The same place, too; on a database of its own each stays."""

    def declare(on: RedisDatabase) -> Any:
        class Bike(RedisModel):
            database = on

        return Bike

    first, second = declare(database), declare(database)
    with refused():
        first()
    with RedisDatabase.embedded() as other:
        third = declare(other)
        assert ["1", "1"] == [model().pk.get() for model in (second, third)]


def test_three_declarations(database: RedisDatabase) -> None:
    """Each former one says so, whoever came next."""
    first, second, third = (bike(database) for _ in range(3))
    one = third(name="a")
    for former in (first, second):
        with refused():
            former.get(name="a")
    assert (one, (third,)) == (third.get(name="a"), database.models)


def test_a_class_derived_from_its_former_self(database: RedisDatabase) -> None:
    """``class Bike(Bike)`` goes on where the former one ends."""

    def goes_on(base: Any) -> Any:
        return type(base)("Bike", (base,), {"database": on, "called": lambda self: f"bike {self.name.get()}"})

    on = database
    former = bike(on)
    former(name="a")
    latest = goes_on(goes_on(former))
    assert ((latest,), "bike a") == (on.models, latest.get(name="a").called())
    with refused():
        former.get(name="a")


BROKEN: dict[str, Callable[[], dict[str, Any]]] = {
    "a field whose name is taken": lambda: {"get": StringField()},
    "two primary keys": lambda: {"a": PKField(), "b": PKField()},
    "a namespace that is none": lambda: {"namespace": 5},
    "a default that cannot be": lambda: {"color": StringField(default=object())},
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_declaration_that_is_refused_leaves_the_former_one(database: RedisDatabase, broken: str) -> None:
    """As it was, with its instances."""
    former = bike(database)
    one = former(name="a")
    with pytest.raises(ImplementationError):
        bike(database, **BROKEN[broken]())
    assert ((former,), "a", one) == (database.models, one.name.get(), former.get(name="a"))


def test_keys_that_meet_leave_the_former_one(database: RedisDatabase) -> None:
    """The new declaration chooses its primary keys, which may look like those of another model's."""
    former = bike(database)
    other = type("Wheel", (RedisModel,), {"database": database, "namespace": ":bike"})
    with pytest.raises(ImplementationError, match="may meet"):
        bike(database, key=PKField())
    assert ((former, other), "1") == (database.models, former(name="a").pk.get())


# What the former one says.


def kind_of(model: Any, owner: type) -> Any:
    """Return what commands of *owner* are said on."""
    return model if owner is RedisModel else getattr(model, owner.__name__.lower())


CALLS = [(owner, conversation[-1]) for owner, conversations in CONVERSATIONS.items() for conversation in conversations]


@pytest.mark.parametrize("open_session", [False, True], ids=["outside", "in a session"])
def test_no_command_of_a_former_instance_is_sent(real: Real, open_session: bool) -> None:
    """Each documented command of each field is refused before anything is sent, or noted."""
    database = real.database()
    one = bike(database)(name="a")
    latest = bike(database)
    before = real.dump()
    with Session(database) as session, Monitor(real.server) as seen:
        if not open_session:
            session.__exit__(None, None, None)
        for owner, said in CALLS:
            if owner is RedisModel and said.method in ("hmset", "hmget", "hdel"):
                continue  # of other fields
            with refused():
                getattr(kind_of(one, owner), said.method)(*said.args, **said.kwargs)
        for say in (
            lambda: one.hmset(name="b"),
            lambda: one.hmget("name"),
            lambda: one.hdel("name"),
            lambda: one.pk.get(),
            lambda: one.delete(),
            lambda: one.name.key,
        ):
            with refused():
                say()
        assert () == session.pending
    assert ([], before) == (seen, real.dump())
    assert "a" == latest("1").name.get()


OF_CLASS: dict[str, Callable[[Any], Any]] = {
    "create": lambda model: model(name="b"),
    "empty": lambda model: model(),
    "by primary key": lambda model: model(1),
    "get": lambda model: model.get(name="a"),
    "exists": lambda model: model.exists(name="a"),
    "exists by pk": lambda model: model.exists(1),
    "get_or_connect": lambda model: model.get_or_connect(name="a"),
    "collection": lambda model: model.collection(name="a"),
    "all": lambda model: model.collection(),
    "move": lambda model: model.use_database(RedisDatabase.embedded()),
}


@pytest.mark.parametrize("open_session", [False, True], ids=["outside", "in a session"])
@pytest.mark.parametrize("ask", OF_CLASS)
def test_a_former_class_is_not_asked(server: Backend, ask: str, open_session: bool) -> None:
    """Whatever is said of the class is refused; what is there stays."""
    database = server.database()
    former = bike(database)
    former(name="a")
    bike(database)
    before = server.dump()
    if open_session:
        with Session(database) as session, refused():
            OF_CLASS[ask](former)
        assert () == session.pending
    else:
        with refused():
            OF_CLASS[ask](former)
    assert before == server.dump()


LOOKS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "len": len,
    "slice": lambda found: found[0:1],
    "instances": lambda found: list(found.instances()),
    "sorted": lambda found: list(found.sort(by="name", alpha=True).values("name")),
    "explain": lambda found: found.explain(),
    "store": lambda found: found.store(),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_former_collection_is_not_looked_at(server: Backend, look: str) -> None:
    """One that was made before says the same."""
    database = server.database()
    former = bike(database)
    former(name="a", setfield=["1"])
    found = former.collection(name="a")
    latest = bike(database)
    before = server.dump()
    with refused():
        LOOKS[look](found)
    with refused():
        LOOKS[look](latest.collection().intersect(found))
    assert before == server.dump()


def test_what_a_former_instance_is_given_to(server: Backend) -> None:
    """A filter, an intersection, an order, a primary key, a watch: nobody takes it, in whatever way it is spelled."""
    database = server.database()
    old = bike(database)(name="a", setfield=["1"], sortedsetfield={"1": 2}, listfield=["1"])
    latest = bike(database)
    before = server.dump()
    given: list[Callable[[], Any]] = [
        lambda: latest(old),
        lambda: latest.get(old),
        lambda: latest.exists(pk=old),
        lambda: list(latest.collection(pk=old)),
        lambda: list(latest.collection(name=old.name)),
        lambda: list(latest.collection(name=old)),
        lambda: list(latest.collection().intersect([old])),
        *(lambda field=field: list(latest.collection().intersect(field)) for field in (old.setfield, old.listfield)),
        lambda: list(latest.collection().sort(by_score=old.sortedsetfield)),
    ]
    for give in given:
        with refused():
            give()
    with Session(database) as session:
        with refused():
            session.watch(old.name)
        for give in given:
            with refused():
                give()
        assert () == session.pending
    assert before == server.dump()


# What was said before.


PENDING: dict[str, Callable[[Any], Any]] = {
    "a new object": lambda former: former(name="b"),
    "a write": lambda former: former(1).name.set("b"),
    "a write without index": lambda former: former(1).free.set("x"),
    "a deletion": lambda former: former(1).delete(),
}


@pytest.mark.parametrize("say", PENDING)
def test_what_is_pending_of_a_former_class_is_not_committed(server: Backend, say: str) -> None:
    """Nor is what was said beside it; the plan says the same, and what is forgotten does no harm."""
    database = server.database()
    former = bike(database, free=StringField())
    other = type("Wheel", (RedisModel,), {"database": database, "name": InstanceHashField()})
    former(name="a")
    before = server.dump()
    with Session(database) as session:
        PENDING[say](former)
        other(name="w")
        latest = bike(database)
        for send in (session.commit, session.plan, lambda: session.plan(symbolic=True)):
            with refused():
                send()
        assert before == server.dump()
        session.rollback()
        latest(name="c")
        session.commit()
    assert latest.exists(name="c")


def test_a_block_that_would_commit(server: Backend) -> None:
    """``begin()`` and ``run()`` say it at their end, and nothing is written."""
    database = server.database()
    former = bike(database)

    def declared_again(_: object) -> None:
        former_now = database.models[0]
        former_now(name="x")
        bike(database)

    with refused(), database.begin() as session:
        declared_again(session)
    with refused():
        database.run(declared_again)
    assert {} == server.dump()
    with refused():
        former()


@pytest.mark.parametrize("say", [lambda one: one.name.get(), lambda one: type(one).collection(name="a")])
def test_a_pipeline(say: Callable[[Any], Any]) -> None:
    """Reads and collections wait there, and are refused with it."""
    with PipelineDatabase.embedded() as database:
        one = bike(database)(name="a")
        with database.pipeline() as pipeline:
            say(one)
            bike(database)
            with refused():
                pipeline.execute()
            pipeline.reset()


# Handles.


def test_handles_of_both_are_of_one_object(database: RedisDatabase) -> None:
    """They are equal and hash alike; what differs is that one can be used."""
    old = bike(database)(name="a")
    latest = bike(database)
    new = latest.get(name="a")
    assert (True, True, 1, True) == (old == new, new == old, len({old, new}), old.name != new.name)
    assert old != latest(name="b")


MODULE = """
from uowredis import InstanceHashField, RedisModel
from {place} import database as main_database


class Bike(RedisModel):
    database = main_database
    name = InstanceHashField(indexable=True)
"""


def test_a_module_that_is_reloaded(server: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its models replace the former ones; what was pickled, and a former handle that is, are of the new one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    place = type(sys)("place_of_database")
    place.database = server.database()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "place_of_database", place)
    (tmp_path / f"bikes_on_{server.name}.py").write_text(MODULE.format(place="place_of_database"))
    module = importlib.import_module(f"bikes_on_{server.name}")
    former = module.Bike
    one = former(name="a")
    pickled = pickle.dumps([one, one.name])
    importlib.reload(module)
    assert former is not module.Bike
    with refused():
        one.name.get()
    for text in (pickled, pickle.dumps([one, one.name])):
        again, field = pickle.loads(text)
        assert (module.Bike, "a", "a") == (type(again), again.name.get(), field.get())


# Relations.


def person(on: RedisDatabase, **more: Any) -> Any:
    return type(RelatedModel)("Person", (RelatedModel,), {"database": on, "name": InstanceHashField()} | more)


def group(on: RedisDatabase, to: Any = "Person", **options: Any) -> Any:
    fields = {
        "owner": FKInstanceHashField(to, related_name="owned", **options),
        "leader": FKStringField(to, related_name="led", **options),
        "members": M2MSetField(to, related_name="membership", **options),
    }
    return type(RelatedModel)("Group", (RelatedModel,), {"database": on} | fields)


@pytest.mark.parametrize("by_class", [False, True], ids=["by name", "by class"])
def test_who_refers_to_it_refers_to_the_new_one(database: RedisDatabase, by_class: bool) -> None:
    """Said by name, or by the class that was there then; the other side has its collections."""
    first = person(database)
    groups = group(database, first if by_class else "Person")
    old = first(name="ann")
    one = groups(owner=old, leader=old, members=[old])
    second = person(database)
    ann = second.get("1")
    assert [second] * 3 == [type(one.owner.instance()), type(one.leader.instance()), type(next(iter(people(one))))]
    assert [[one]] * 3 == [list(ask().instances()) for ask in (ann.owned, ann.led, ann.membership)]
    for take in (one.owner.set, one.leader.set, one.members.sadd, lambda value: groups(owner=value)):
        take(ann)
        with refused():
            take(old)
    for ask in (old.owned, lambda: groups.collection(owner=old), lambda: groups.collection(members=old)):
        with refused():
            list(ask())
    ann.delete()
    assert [None, None, set()] == [one.owner.get(), one.leader.get(), one.members.smembers()]


def people(one: Any) -> Any:
    return one.members().instances()


def test_a_class_declared_later_may_refer_to_the_former_one(database: RedisDatabase) -> None:
    """Which a name in another module still holds: it leads to the one that is there."""
    former = person(database)
    person(database)
    latest = person(database)
    groups = group(database, former)
    ann = latest(name="ann")
    assert [latest, [ann]] == [type(groups(owner=ann).owner.instance()), [g.owner.instance() for g in owned(ann)]]


def owned(one: Any) -> Any:
    return one.owned().instances()


def test_the_former_relations_are_forgotten(server: Backend) -> None:
    """What follows from a deletion is what the new declaration says, and is planned once."""
    database = server.database()
    people = person(database)
    former = group(database, on_delete=CASCADE)
    old = former(owner=people(name="ann"))
    latest = group(database)
    assert ["Group.owner", "Group.leader", "Group.members"] == [
        f"{model.name}.{field.name}" for model, field in people._schema.referrers
    ]
    assert [True] * 3 == [model is latest._schema for model, _ in people._schema.referrers]
    ann = people.get("1")
    with Session(database) as session:
        ann.delete()
        clearing = [step for step in session.plan() if step.call[0] == "HDEL"]
        assert [("HDEL", ":group:1:hash", "owner")] == [step.call for step in clearing]
        session.commit()
    assert None is latest.get("1").owner.get()
    assert [latest] == [type(found) for found in latest.collection().instances()]
    for ask in (old.owner.instance, lambda: list(old.members())):
        with refused():
            ask()


def test_the_other_side_is_of_the_new_class(database: RedisDatabase) -> None:
    """Its collections filter by the new class' fields, and give its instances."""
    people = person(database)
    group(database)
    latest = group(database)
    ann = people(name="ann")
    one = latest(owner=ann)
    (found,) = ann.owned().instances()
    assert (latest, one) == (type(found), found)


def test_a_relation_with_itself(database: RedisDatabase) -> None:
    """``self`` is the class that says it, each time."""

    def declare() -> Any:
        return person(database, parent=FKStringField("self", related_name="children", on_delete=CASCADE))

    former, latest = declare(), declare()
    ann = latest(name="ann")
    bob = latest(name="bob", parent=ann)
    assert (ann, [bob]) == (bob.parent.instance(), list(ann.children().instances()))
    assert [latest._schema] == [model for model, _ in latest._schema.referrers]
    ann.delete()
    assert not latest.exists("2")
    with refused():
        former.get("1")


CLASHES: dict[str, Callable[[], dict[str, Any]]] = {
    "a collection whose name is taken": lambda: {"owned": StringField()},
    "a related name that is none": lambda: {"friend": FKStringField("self", related_name="2nd")},
    "a reference to an abstract model": lambda: {"friend": FKStringField(RelatedModel)},
}


@pytest.mark.parametrize("by_class", [False, True], ids=["by name", "by class"])
@pytest.mark.parametrize("clash", CLASHES)
def test_relations_that_cannot_be_leave_the_former_ones(database: RedisDatabase, clash: str, by_class: bool) -> None:
    """A declaration that is refused has touched no relation."""
    people = person(database)
    groups = group(database, people if by_class else "Person")
    ann = people(name="ann")
    one = groups(owner=ann)
    before = {model: dict(vars(model)) for model in database.models}
    with pytest.raises(ImplementationError):
        person(database, **CLASHES[clash]())
    assert before == {model: dict(vars(model)) for model in database.models}
    assert ([one], ann) == (list(ann.owned().instances()), one.owner.instance())
    ann.delete()
    assert None is one.owner.get()


def test_a_pending_reference_to_a_former_new_object(server: Backend) -> None:
    """The object is of a class that is no more, and so nothing of the session is committed."""
    database = server.database()
    people, groups = person(database), group(database)
    with Session(database) as session:
        groups(owner=people(name="ann"))
        person(database)
        with refused():
            session.commit()
        session.rollback()
    assert {} == server.dump()


def test_a_foreign_key_of_a_former_object_given_as_a_value(server: Backend) -> None:
    """It would be read first."""
    database = server.database()
    people, former = person(database), group(database)
    old = former(owner=people(name="ann"))
    band = type(RelatedModel)("Band", (RelatedModel,), {"database": database, "owner": FKStringField("Person")})
    with Session(database) as session:
        band(owner=old.owner)
        latest = group(database)
        with refused():
            session.commit()
        session.rollback()
    for declare in (lambda: None, lambda: person(database)):
        declare()
        with refused():
            latest(owner=old.owner)
    assert not band.exists(1)


# Who inherits.


def test_a_model_derived_from_the_former_one(server: Backend) -> None:
    """It goes on with what it has inherited, until it is declared again itself."""
    database = server.database()
    former = bike(database)
    racer = type("Racer", (former,), {})
    bike(database, gears=StringField())
    one = racer(name="r")
    assert ("r", [one], False) == (
        one.name.get(),
        list(racer.collection(name="r").instances()),
        hasattr(racer, "gears"),
    )


def test_an_abstract_base_that_is_declared_again(server: Backend) -> None:
    """It has no objects: whoever is derived from the former one keeps what that handed down."""
    database = server.database()

    def base(**fields: Any) -> Any:
        return type("Base", (RedisModel,), {"database": database, "abstract": True} | fields)

    first = type("Bike", (base(name=StringField()),), {})
    second_base = base(name=StringField(), color=StringField())
    assert "x" == first(name="x").name.get()
    second = type("Bike", (second_base,), {})
    assert "red" == second(name="y", color="red").color.get()


def test_a_base_moves_the_classes_declared_last(server: Backend) -> None:
    """Those they have replaced stay behind."""
    here, there = server.database(), server.database()
    base = type("Base", (RelatedModel,), {"database": here, "abstract": True})
    former, latest = (type(base)("Bike", (base,), {"name": StringField()}) for _ in range(2))
    base.use_database(there)
    assert ((), (latest,), "x") == (here.models, there.models, latest(name="x").name.get())
    with refused():
        former()
