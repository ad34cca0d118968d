"""``stored_as``: what fields and models are called in Redis, where that is not what they are called in Python."""

import pickle
import re
from typing import Any

import pytest

from tests.fields.conversations import CONVERSATIONS, Call, unordered
from tests.tools.backends import Backend
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
    UniquenessError,
)
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import (
    CASCADE,
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedModel,
)

KINDS = [StringField, InstanceHashField, HashField, SetField, ListField, SortedSetField]


def refused(*words: str) -> Any:
    return pytest.raises(ImplementationError, match=".*".join(map(re.escape, words)))


# Keys.


def test_what_stands_in_redis(server: Backend) -> None:
    """The stored names, in the keys of fields and indexes and in the hash; the model's in all of them."""

    class Bicycle(RedisModel):
        database = server.database()
        namespace = "shop"
        stored_as = "Bike"
        colour = InstanceHashField(indexable=True, stored_as="color")
        rims = StringField(indexable=True, stored_as="wheels")
        bits = HashField(indexable=True, stored_as="parts")
        marks = SetField(unique=True, stored_as="tags")
        note = InstanceHashField()

    one = Bicycle(colour="red", rims=2, bits={"bell": "gold"}, marks=["a"], note="x")
    assert {
        b"shop:Bike:max_pk",
        b"shop:Bike:collection",
        b"shop:Bike:1:hash",
        b"shop:Bike:1:wheels",
        b"shop:Bike:1:parts",
        b"shop:Bike:1:tags",
        b"shop:Bike:color:red",
        b"shop:Bike:wheels:2",
        b"shop:Bike:parts:bell:gold",
        b"shop:Bike:tags:a",
    } == set(server.dump())
    assert {b"color": b"red", b"note": b"x"} == server.dump()[b"shop:Bike:1:hash"][1]
    assert ("shop:Bike:1:hash", "shop:Bike:1:wheels") == (one.colour.key, one.rims.key)
    one.delete()
    assert {b"shop:Bike:max_pk"} == set(server.dump())


def both(on: RedisDatabase, owner: type, indexed: bool) -> tuple[Any, Any]:
    """Return the same model twice, the second one under other names in Redis."""

    def declare(name: str, stored: Any, **more: Any) -> Any:
        others = {each: InstanceHashField(indexable=indexed, stored_as=stored(each)) for each in ("foo", "bar", "baz")}
        if owner is not RedisModel:
            others["field"] = owner(indexable=indexed, stored_as=stored("field"))
        return type(name, (RedisModel,), {"database": on, **others, **more})

    return declare("Plain", lambda _: None), declare("Renamed", lambda name: f"was {name}", stored_as="Was Renamed")


def spelled(dump: Any, model: str) -> Any:
    """Return the data of *model* as the plain one would store it."""
    found = {}
    for key, (kind, value) in dump.items():
        prefix, *parts = key.decode().removeprefix(":").split(":")
        if prefix == model:
            renamed = ":".join(part.removeprefix("was ") for part in parts)
            if renamed.endswith(":hash"):
                value = {name.decode().removeprefix("was "): text for name, text in value.items()}
            found[renamed] = kind, value
    return found


TALKS = [(owner, talk) for owner, talks in CONVERSATIONS.items() for talk in talks]


def say(one: Any, owner: type, said: Call) -> Any:
    on = one if owner is RedisModel else one.field
    try:
        return unordered(said, getattr(on, said.method)(*said.args, **said.kwargs))
    except Exception as error:
        return type(error)


DECIDED_THERE = ("spop", "srandmember", "zrandmember", "hrandfield")


@pytest.mark.parametrize("indexed", [False, True], ids=["plain", "indexed"])
def test_every_command_does_the_same_under_another_name(server: Backend, indexed: bool) -> None:
    """Its reply, in a session and outside, and the data, but for the names."""
    for owner in CONVERSATIONS:
        plain, renamed = both(server.database(), owner, indexed)
        for talk in (talk for of, talk in TALKS if of is owner):
            if any(said.method in DECIDED_THERE for said in talk):
                continue
            for in_session in (False, True):
                replies = []
                for model in (plain, renamed):
                    with Session(model.database, on_pending="discard") as session:
                        if not in_session:
                            session.__exit__(None, None, None)
                        one = model()
                        replies.append([repr(say(one, owner, said)).replace("Renamed", "Plain") for said in talk])
                        if in_session and session.pending:
                            replies[-1].append(str(len(session.commit())))
                assert replies[0] == replies[1], talk
        assert spelled(server.dump(), "plain") == spelled(server.dump(), "Was Renamed")
        server.flush()


# What is read and said of the whole hash.


def bicycle(on: RedisDatabase) -> Any:
    class Bike(RedisModel):
        database = on
        collection_manager = ExtendedCollectionManager
        colour = InstanceHashField(indexable=True, stored_as="color")
        name = InstanceHashField(unique=True, stored_as="title")
        rims = StringField(indexable=True, stored_as="wheels")
        note = InstanceHashField()

    return Bike


@pytest.mark.parametrize("open_session", [False, True], ids=["outside", "in a session"])
def test_no_stored_name_is_shown(server: Backend, open_session: bool) -> None:
    """The commands of the hash take and give the names of Python, whatever is pending."""
    bike = bicycle(server.database())
    one = bike(colour="red", name="a", note="x")
    with Session(bike.database, on_pending="discard") as session:
        if not open_session:
            session.__exit__(None, None, None)
        for colour in ("red", "blue"):
            one.hmset(colour=colour, note="y")
            assert {"colour": colour, "name": "a", "note": "y"} == one.hgetall()
            assert [colour, "a", "y"] == one.hmget("colour", "name", "note")
            assert {"colour", "name", "note"} == set(one.hkeys())
            assert {colour, "a", "y"} == set(one.hvals())
        one.hdel("colour", "note")
        assert {"name": "a"} == one.hgetall()
        for reach in (lambda: one.hmget("color"), lambda: one.hmset(title="x"), lambda: one.hdel("color")):
            with pytest.raises(ValueError, match="Way out: it has colour, name, note"):
                reach()


def test_queries_and_errors_say_the_names_of_python(server: Backend) -> None:
    """Filters, values, orders, what is taken, plans, and what is behind a key."""
    bike = bicycle(server.database())
    bike(colour="red", name="a", rims=3)
    two = bike(colour="red", name="b", rims=2)
    assert [two, bike(1)] == list(bike.collection(colour="red").sort(by="rims").instances())
    assert [{"colour": "red", "name": "b", "rims": "2"}] == list(
        bike.collection(rims=2).values("colour", "name", "rims")
    )
    with pytest.raises(ImplementationError, match="no field 'color' to filter on"):
        bike.collection(color="red")
    with pytest.raises(UniquenessError, match="Key :bike:title:a already exists") as taken:
        two.name.hset("a")
    assert ("name", "a") == (taken.value.field, taken.value.value)
    with Session(bike.database) as session:
        two.colour.hset("blue")
        two.rims.incr()
        assert [two] == list(bike.collection(colour="blue", rims=3).instances())
        assert [("2", "blue", "3")] == list(bike.collection(colour="blue").values_list("pk", "colour", "rims"))
        plan = session.plan()
        reasons = [step.reason for step in plan]
        session.commit()
    # What is shown of a key where values are hidden is what holds none.
    hidden = plan.text(hide_values=True)
    assert (True, True, False) == (":bike:color:?" in hidden, ":bike:wheels:?" in hidden, "blue" in hidden)
    assert [
        "said: Bike <2>.colour.hset",
        "said: Bike <2>.rims.incr",
        "effect: index Bike.colour, old",
        "effect: index Bike.rims, old",
        "effect: index Bike.colour, new",
        "effect: index Bike.rims, new",
    ] == reasons
    assert "Bike <2>.colour" == bike.database._guards.behind(("HGET", ":bike:2:hash", "color"))
    assert "Bike <2>.rims" == bike.database._guards.behind(("GET", ":bike:2:wheels"))
    assert "index Bike.rims" == bike.database._guards.behind(("SMEMBERS", ":bike:wheels:2"))


def test_commands_that_were_pickled() -> None:
    """What names the entries goes along."""
    one = AtHome(colour="red")
    with AtHome.database.pipeline() as pipeline:
        one.hgetall(), one.hkeys()
        values, names = pickle.loads(pickle.dumps(pipeline.pending))
        assert [{"colour": "red"}, ["colour"]] == pipeline.execute()
    assert ({"colour": "x"}, ["colour"]) == (values.decode([b"color", b"x"]), names.decode([b"color"]))


def test_what_nobody_declares_is_shown_as_it_is(server: Backend) -> None:
    """But an entry that is called like a field stored elsewhere, which would be taken for it."""
    one = bicycle(server.database())(colour="red")
    server.client().hset(":bike:1:hash", mapping={"weight": 5, "colour": "leftover", "wheels": 4})
    with Session(type(one).database) as session:
        for _ in range(2):
            assert {"colour": "red", "weight": "5", "wheels": "4"} == one.hgetall()
            assert {"colour", "weight", "wheels"} == set(one.hkeys())
            assert ("red", ["red"], 4) == (one.colour.hget(), one.hmget("colour"), one.hlen())
            one.note.hset("x")
            one.note.hdel()
        session.rollback()


def test_a_field_that_gets_another_name_in_python(server: Backend) -> None:
    """Nothing is to be done to the data: it is stored as before."""

    class Before:
        class Bike(RedisModel):
            database = server.database()
            color = InstanceHashField(indexable=True)
            title = InstanceHashField(unique=True)
            wheels = StringField(indexable=True)

    Before.Bike(color="red", title="a", wheels=2)
    before = server.dump()
    bike = bicycle(server.database())
    one = bike.get(colour="red", rims=2)
    assert ({"colour": "red", "name": "a"}, True) == (one.hgetall(), bike.exists(name="a"))
    one.hmset(colour="red", name="a")
    one.rims.set(2)
    assert before == server.dump()


# Relations.


def test_relations_under_other_names(server: Backend) -> None:
    """References, their indexes and what follows from deletions; names in Python say who refers to whom."""

    class Person(RelatedModel):
        database = server.database()
        stored_as = "human"
        name = InstanceHashField(stored_as="called")

    class Group(RelatedModel):
        database = Person.database
        owner = FKInstanceHashField("Person", related_name="owned", check=True, stored_as="o")
        leader = FKStringField("Person", related_name="led", stored_as="l")
        members = M2MSetField("Person", related_name="membership", stored_as="m")
        queue = M2MListField("Person", related_name="queued", stored_as="q")
        votes = M2MSortedSetField("Person", related_name="voted", stored_as="v")
        parent = FKStringField("self", related_name="children", stored_as="p", on_delete=CASCADE)

    ann, bob = Person(name="ann"), Person(name="bob")
    one = Group(owner=ann, leader=ann, members=[ann, bob], queue=[ann, ann], votes={ann: 1})
    Group(parent=one)
    assert {b"o": b"1"} == server.dump()[b":group:1:hash"][1]
    indexes = {b":group:%s:1" % field for field in (b"o", b"l", b"m", b"q", b"v", b"p")}
    assert indexes <= set(server.dump())
    assert [[one]] * 5 == [
        list(ask().instances()) for ask in (ann.owned, ann.led, ann.membership, ann.queued, ann.voted)
    ]
    assert [ann, ann, {ann, bob}] == [one.owner.instance(), one.leader.instance(), set(one.members().instances())]
    with Session(Person.database) as session:
        ann.delete()
        assert ({}, None, {"2"}, [], []) == (
            one.hgetall(),
            one.leader.get(),
            one.members.smembers(),
            one.queue.lrange(0, -1),
            one.votes.zrange(0, -1),
        )
        assert [[]] * 3 == [list(Group.collection(**{name: "1"})) for name in ("owner", "leader", "members")]
        reasons = {step.reason for step in session.plan()}
        session.commit()
    assert {
        f"effect: Group.{name} loses deleted Person <1>" for name in ("owner", "leader", "members", "queue")
    } <= reasons
    assert {b":group:m:2", b":group:p:1"} == {
        key for key in server.dump() if key.count(b":") == 3 and b":1:" not in key and b":2:" not in key
    }
    assert (b":group:1:hash" in server.dump(), {}) == (False, one.hgetall())
    one.delete()
    assert [] == list(Group.collection())


# What is refused.


def declare(stored_as: Any, kind: type = StringField, **more: Any) -> Any:
    with RedisDatabase.embedded() as database:
        return type("Bike", (RedisModel,), {"database": database, "name": kind(stored_as=stored_as), **more})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "stored_as",
    [
        "",
        "a:b",
        "*",
        "a->b",
        "hash",
        "collection",
        "max_pk",
        "pk",
        "__guard__",
        "__collection__",
        "7up",
        "7",
        "\n",
        "\ud800",
    ],
)
def test_a_name_that_cannot_be(stored_as: str, kind: type) -> None:
    """It would meet keys of the library, or of other objects, or be a pattern."""
    with refused("Bike.name cannot be stored as", repr(stored_as), "Way out"):
        declare(stored_as, kind)


@pytest.mark.parametrize("stored_as", [5, b"x", True, ["x"]])
def test_a_name_that_is_no_text(stored_as: object) -> None:
    """By its own error, where the field is made."""
    with refused("StringField: stored_as must be text", repr(stored_as)):
        StringField(stored_as=stored_as)  # type: ignore[arg-type]


@pytest.mark.parametrize("other", [StringField(), InstanceHashField(), StringField(stored_as="else"), PKField()])
def test_the_name_of_another_field(other: Any) -> None:
    """Also where that is stored elsewhere: one name, two things."""
    with refused("Bike.name cannot be stored as 'color'", "Bike.color has that name", "Way out"):
        declare("color", color=other)


def test_two_fields_that_are_stored_under_one_name() -> None:
    """Both are named."""
    with refused("Bike.color cannot be stored as 'x'", "Bike.name is stored so"):
        declare("x", color=InstanceHashField(stored_as="x"))


def test_its_own_name_is_no_other() -> None:
    """It says nothing, and may be said."""
    assert "name" == declare("name")._schema.fields["name"].storage


def test_a_primary_key_has_no_name_in_redis() -> None:
    with refused("PKField takes no options, not stored_as"):
        PKField(stored_as="x")


def test_an_indexed_name_that_begins_keys_of_another_model() -> None:
    """As for the names of fields."""
    with RedisDatabase.embedded() as database:
        type("Wheel", (RedisModel,), {"database": database, "namespace": ":bike"})
        with refused("may meet"):
            fields = {"name": StringField(indexable=True, stored_as="wheel")}
            type("Bike", (RedisModel,), {"database": database} | fields)
        with refused("may meet"):
            fields = {"wheel": StringField(indexable=True)}
            type("Cycle", (RedisModel,), {"database": database, "stored_as": "bike"} | fields)


def test_a_primary_key_that_is_called_like_an_index() -> None:
    """It is the stored name that counts."""
    with RedisDatabase.embedded() as database:
        fields = {"key": PKField(), "name": StringField(indexable=True, stored_as="title")}
        bike = type("Bike", (RedisModel,), {"database": database} | fields)
        assert "name:1" == bike(key="name:1").pk.get()
        with pytest.raises(ValueError, match="':bike:title:' are taken"):
            bike(key="title:1")


# Models.


@pytest.mark.parametrize("stored_as", ["", "a:b", "a*", "a->b", "\n", 5, b"x"])
def test_a_name_of_a_model_that_cannot_be(stored_as: object) -> None:
    with refused("Bike cannot be stored as", repr(stored_as), "Way out"):
        type("Bike", (RedisModel,), {"database": RedisDatabase.embedded(), "stored_as": stored_as})


def test_two_models_under_one_name() -> None:
    """In Redis, or in Python: both are named, whoever comes last."""
    with RedisDatabase.embedded() as database:
        on = {"database": database}
        type("Bike", (RedisModel,), on)
        with refused("Bike", "Cycle", "stored under ':bike'"):
            type("Cycle", (RedisModel,), on | {"stored_as": "bike"})
        with refused("already on this database"):
            type("Bike", (RedisModel,), on | {"stored_as": "x", "__qualname__": "Other.Bike"})
        type("Cycle", (RedisModel,), on | {"stored_as": "Bike"})
        type("Bike", (RedisModel,), on | {"stored_as": "bike", "namespace": "shop"})
        assert 3 == len(database.models)


def test_a_model_gets_another_name_when_it_is_declared_again(server: Backend) -> None:
    """The former one's keys are nobody's then."""
    database = server.database()
    former = type("Bike", (RedisModel,), {"database": database})
    former().pk.get()
    latest = type("Bike", (RedisModel,), {"database": database, "stored_as": "cycle"})
    assert ((latest,), "1") == (database.models, latest().pk.get())
    type("Wheel", (RedisModel,), {"database": database, "stored_as": "bike"})
    assert {b":bike:collection", b":bike:max_pk", b":cycle:collection", b":cycle:max_pk"} == set(server.dump())


def test_a_base_moves_only_the_last_declaration(server: Backend) -> None:
    """Not under the name that the former one had."""
    here, there = server.database(), server.database()
    base = type("Base", (RedisModel,), {"database": here, "abstract": True})
    former = type("Bike", (base,), {"stored_as": "was"})
    latest = type("Bike", (base,), {})
    base.use_database(there)
    assert ((latest,), here) == (there.models, vars(former).get("database", here))


def test_what_is_handed_down() -> None:
    """A field takes what it is stored as along, from a base, a mixin and a model; a model's own name is its own."""

    class Mixed:
        colour = InstanceHashField(indexable=True, stored_as="color")

    with RedisDatabase.embedded() as database:

        class Base(RedisModel):
            abstract = True
            database = RedisDatabase.embedded()
            title = StringField(stored_as="name")

        Base.database = database

        class Bike(Mixed, Base):
            stored_as = "cycle"

        class Racer(Bike):
            title = StringField(stored_as="called")

        one, two = Bike(colour="red", title="a"), Racer(colour="red", title="b")
        assert (":cycle:1:hash", ":cycle:1:name") == (one.colour.key, one.title.key)
        assert (":racer:1:hash", ":racer:1:called") == (two.colour.key, two.title.key)
        assert {"colour": "red"} == two.hgetall()
        with refused("Broken.colour cannot be stored as 'color'", "Broken.color has that name"):
            type("Broken", (Bike,), {"color": StringField()})


def test_a_name_that_would_have_no_effect() -> None:
    """On an abstract model, and on a mixin."""
    with refused("Base cannot be stored as 'x'", "it is abstract"):
        type("Base", (RedisModel,), {"abstract": True, "stored_as": "x"})
    mixin = type("Mixin", (), {"stored_as": "x"})
    with refused("Bike cannot be stored as 'x'", "not inherited"):
        type("Bike", (mixin, RedisModel), {"database": RedisDatabase.embedded()})


AT_HOME_DATABASE = PipelineDatabase.embedded()


class AtHome(RedisModel):
    """A model that a pickle finds."""

    database = AT_HOME_DATABASE
    colour = InstanceHashField(stored_as="color")
