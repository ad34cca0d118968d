"""Everywhere a value goes, an instance, a primary key, or a bound field that holds one may be given."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.models import groups
from tests.tools.backends import Backend
from tests.tools.place import Place
from uowredis import ArgumentError, Conflict, RedisDatabase, Session


@attrs.frozen
class World:
    """Persons 1 and 2, group 1 with a field of each kind, and group 2 whose foreign keys refer to person 2."""

    person: Any
    group: Any
    first: Any
    second: Any
    box: Any
    holder: Any


def world(on: RedisDatabase, *, chosen: bool = False) -> World:
    models = groups(on, chosen=chosen)
    first, second = (models.person(name=pk, **({"login": pk} if chosen else {})) for pk in "12")
    return World(
        models.person,
        models.group,
        first,
        second,
        box=models.group(name="box"),
        holder=models.group(name="holder", key="2", entry="2"),
    )


#: How person 2 may be given.
FORMS: dict[str, Callable[[World], Any]] = {
    "text": lambda here: "2",
    "int": lambda here: 2,
    "bytes": lambda here: b"2",
    "instance": lambda here: here.second,
    "instance that was got": lambda here: here.person("2"),
    "instance of a foreign key": lambda here: here.holder.key.instance(lazy=True),
    "bound pk": lambda here: here.second.pk,
    "bound FKStringField": lambda here: here.holder.key,
    "bound FKInstanceHashField": lambda here: here.holder.entry,
}


def alike(expected: Any) -> dict[str, Any]:
    """Return *expected* for every form."""
    return dict.fromkeys(FORMS, expected)


@attrs.frozen
class Writing:
    """A command that takes person 2 as a value.

    Attributes:
        before: what the fields of the group hold first.
        say: the command.
        reply: its reply.
        field: the field that it changes.
        after: what that field holds then.
    """

    before: dict[str, Any]
    say: Callable[[Any, Any], Any]
    reply: Any
    field: str
    after: Any


def held(box: Any, field: str) -> Any:
    """What a field of the group holds."""
    match field:
        case "key" | "entry":
            return getattr(box, field).get()
        case "members":
            return box.members.smembers()
        case "history":
            return box.history.lrange(0, -1)
        case _:
            return box.scores.zrange(0, -1, withscores=True)


NONE: dict[str, Any] = {}
ONE_KEY, ONE_ENTRY = {"key": "1"}, {"entry": "1"}
BOTH = {"members": ["1", "2"], "history": ["1", "2"], "scores": {"1": 1, "2": 2}}
WRITINGS = {
    "set": Writing(ONE_KEY, lambda box, value: box.key.set(value), True, "key", "2"),
    "set nx": Writing(NONE, lambda box, value: box.key.set(value, nx=True), True, "key", "2"),
    "set nx refused": Writing(ONE_KEY, lambda box, value: box.key.set(value, nx=True), None, "key", "1"),
    "set xx": Writing(ONE_KEY, lambda box, value: box.key.set(value, xx=True), True, "key", "2"),
    "set get": Writing(ONE_KEY, lambda box, value: box.key.set(value, get=True), "1", "key", "2"),
    "getset": Writing(ONE_KEY, lambda box, value: box.key.getset(value), "1", "key", "2"),
    "setnx": Writing(NONE, lambda box, value: box.key.setnx(value), True, "key", "2"),
    "append": Writing(NONE, lambda box, value: box.key.append(value), 1, "key", "2"),
    "setrange": Writing(ONE_KEY, lambda box, value: box.key.setrange(0, value), 1, "key", "2"),
    "hset": Writing(ONE_ENTRY, lambda box, value: box.entry.hset(value), 0, "entry", "2"),
    "set of an entry": Writing(NONE, lambda box, value: box.entry.set(value), 1, "entry", "2"),
    "hsetnx": Writing(NONE, lambda box, value: box.entry.hsetnx(value), True, "entry", "2"),
    "hmset": Writing(ONE_ENTRY, lambda box, value: box.hmset(entry=value), True, "entry", "2"),
    "sadd": Writing({"members": ["1"]}, lambda box, value: box.members.sadd(value, 1), 1, "members", {"1", "2"}),
    "srem": Writing(BOTH, lambda box, value: box.members.srem(value, 7), 1, "members", {"1"}),
    "lpush": Writing({"history": ["1"]}, lambda box, value: box.history.lpush(value), 2, "history", ["2", "1"]),
    "rpush": Writing({"history": ["1"]}, lambda box, value: box.history.rpush(value), 2, "history", ["1", "2"]),
    "lpushx": Writing({"history": ["1"]}, lambda box, value: box.history.lpushx(value), 2, "history", ["2", "1"]),
    "rpushx": Writing({"history": ["1"]}, lambda box, value: box.history.rpushx(value), 2, "history", ["1", "2"]),
    "linsert beside": Writing(
        BOTH, lambda box, value: box.history.linsert("BEFORE", value, "1"), 3, "history", ["1", "1", "2"]
    ),
    "linsert": Writing(
        BOTH, lambda box, value: box.history.linsert("AFTER", "1", value), 3, "history", ["1", "2", "2"]
    ),
    "lrem all": Writing(BOTH, lambda box, value: box.history.lrem(0, value), 1, "history", ["1"]),
    "lrem one": Writing(BOTH, lambda box, value: box.history.lrem(1, value), 1, "history", ["1"]),
    "lset": Writing(BOTH, lambda box, value: box.history.lset(0, value), True, "history", ["2", "2"]),
    "zadd": Writing(
        {"scores": {"1": 1}}, lambda box, value: box.scores.zadd({value: 0}), 1, "scores", [("2", 0.0), ("1", 1.0)]
    ),
    "zadd xx": Writing(
        BOTH, lambda box, value: box.scores.zadd({value: 0}, xx=True), 0, "scores", [("2", 0.0), ("1", 1.0)]
    ),
    "zadd incr": Writing(
        BOTH, lambda box, value: box.scores.zadd({value: 3}, incr=True), 5.0, "scores", [("1", 1.0), ("2", 5.0)]
    ),
    "zincrby": Writing(BOTH, lambda box, value: box.scores.zincrby(-2, value), 0.0, "scores", [("2", 0.0), ("1", 1.0)]),
    "zrem": Writing(BOTH, lambda box, value: box.scores.zrem(value), 1, "scores", [("1", 1.0)]),
}


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS.keys())
def test_a_command_writes_what_it_writes_for_the_pk(place: Place, writing: Writing) -> None:
    """Reply, value, and the other side are those of the pk as text."""
    here = world(place.database)
    boxes = {form: here.group(**writing.before | {"name": form}) for form in FORMS}
    by = getattr(here.second, f"by_{writing.field}")

    replies, answer = place.happens(
        lambda: [writing.say(box, FORMS[form](here)) for form, box in boxes.items()],
        lambda: [
            {form: held(box, writing.field) for form, box in boxes.items()},
            set(by().values_list("name", flat=True)) - {"holder"},
        ],
    )
    assert list(alike(writing.reply).values()) == replies
    assert [alike(writing.after), set(FORMS) if "2" in str(writing.after) else set()] == answer


READINGS = {
    "sismember": (lambda box, value: box.members.sismember(value), True),
    "zscore": (lambda box, value: box.scores.zscore(value), 2.0),
    "zrank": (lambda box, value: box.scores.zrank(value), 1),
    "zrevrank": (lambda box, value: box.scores.zrevrank(value), 0),
}


@pytest.mark.parametrize(("read", "expected"), READINGS.values(), ids=READINGS.keys())
def test_a_command_reads_what_it_reads_for_the_pk(place: Place, read: Any, expected: Any) -> None:
    """A reading command takes what a writing one takes; in a session over what is pending."""
    here = world(place.database)
    made: list[Any] = []
    assert alike(expected) == place.answers(
        lambda: made.append(here.group(members=["1", "2"], scores={"1": 1, "2": 2})),
        lambda: {form: read(made[0], value(here)) for form, value in FORMS.items()},
    )


GIVEN = {
    "key": lambda value: {"key": value},
    "entry": lambda value: {"entry": value},
    "members": lambda value: {"members": ["1", value]},
    "history": lambda value: {"history": ["1", value]},
    "scores": lambda value: {"scores": {"1": 1, value: 2}},
}
HELD = {
    "key": "2",
    "entry": "2",
    "members": {"1", "2"},
    "history": ["1", "2"],
    "scores": [("1", 1.0), ("2", 2.0)],
}
EACH_FIELD = pytest.mark.parametrize("field", GIVEN)


@EACH_FIELD
def test_a_constructor_takes_them(place: Place, field: str) -> None:
    """One value or many, in place of primary keys."""
    here = world(place.database)
    made: dict[str, Any] = {}

    def say() -> None:
        made.update({form: here.group(**GIVEN[field](value(here))) for form, value in FORMS.items()})

    assert alike(HELD[field]) == place.answers(say, lambda: {form: held(box, field) for form, box in made.items()})


@pytest.mark.parametrize("field", ["members", "history"])
def test_a_constructor_takes_one_value_for_many(place: Place, field: str) -> None:
    """A value that is no list stands for a list of one."""
    here = world(place.database)
    made: dict[str, Any] = {}

    def say() -> None:
        made.update({form: here.group(**{field: value(here)}) for form, value in FORMS.items()})

    assert alike(["2"]) == place.answers(say, lambda: {form: list(held(box, field)) for form, box in made.items()})


def name_of(found: Any) -> str:
    return found.name.get()


FILTERS: dict[str, tuple[Callable[[World, dict[str, Any]], Any], Any]] = {
    "collection": (
        lambda here, filters: list(here.group.collection(**filters).values_list("name", flat=True)),
        ["wanted"],
    ),
    "filter": (lambda here, filters: len(here.group.collection().filter(**filters)), 1),
    "related collection": (lambda here, filters: len(here.second.by_key(**filters)), 1),
    "get": (lambda here, filters: name_of(here.group.get(**filters)), "wanted"),
    "exists": (lambda here, filters: here.group.exists(**filters), True),
    "get_or_connect": (
        lambda here, filters: [(name_of(found), new) for found, new in [here.group.get_or_connect(**filters)]],
        [("wanted", False)],
    ),
}


# A sorted set is not created from a member without a score.
@pytest.mark.parametrize(
    ("method", "field"),
    [(method, field) for method in FILTERS for field in GIVEN if (method, field) != ("get_or_connect", "scores")],
)
def test_a_filter_takes_them(place: Place, method: str, field: str) -> None:
    """Filters find by an instance, a pk, or a bound field what they find by the pk: stored, and pending."""
    here = world(place.database)
    ask, expected = FILTERS[method]
    # Another of that name is in all that the field does not narrow.
    here.group(**{"key": "2"} | GIVEN[field]("1") | {"name": "wanted"})
    assert alike(expected) == place.answers(
        lambda: here.group(**{"key": "2"} | GIVEN[field]("2") | {"name": "wanted"}),
        lambda: {form: ask(here, {field: value(here), "name": "wanted"}) for form, value in FORMS.items()},
    )


@pytest.mark.parametrize("field", ["key", "entry", "members", "history"])
def test_get_or_connect_creates_with_them(place: Place, field: str) -> None:
    """What is not there is created with the values of the filters."""
    here = world(place.database)
    made: dict[str, Any] = {}

    def say() -> None:
        for form, value in FORMS.items():
            made[form], new = here.group.get_or_connect(name=form, **{field: value(here)})
            assert new

    def ask() -> list[Any]:
        found = set(here.group.collection(**{field: "2"}).values_list("name", flat=True)) - {"holder"}
        return [found, {form: list(held(box, field)) for form, box in made.items()}]

    assert [set(FORMS), alike(["2"])] == place.answers(say, ask)


def test_primary_keys_may_be_chosen(place: Place) -> None:
    """The same of models with a PKField, whose own name gives the primary key, too."""
    here = world(place.database, chosen=True)
    boxes = {form: here.group() for form in FORMS}

    def say() -> None:
        for form, box in boxes.items():
            box.key.set(FORMS[form](here))
            box.members.sadd(here.first.login, FORMS[form](here))

    assert alike(["2", {"1", "2"}]) == place.answers(
        say, lambda: {form: [box.key.get(), box.members.smembers()] for form, box in boxes.items()}
    )


@pytest.mark.parametrize("inside", [False, True])
def test_an_empty_foreign_key_as_value_is_refused(server: Backend, inside: bool) -> None:
    """It refers to nothing: nothing can be stored, and nothing is found. In a session the commit tells."""
    database = server.database()
    here = world(database)
    before = server.dump()
    for empty in (here.box.key, here.box.entry):
        for say in (here.holder.key.set, here.holder.entry.hset, here.holder.members.sadd, here.holder.history.rpush):
            with Session(database) as session:
                say(empty)
                for look in (session.plan, session.commit):
                    with pytest.raises(ArgumentError, match="refers to nothing"):
                        look()
                assert ("not applied", 1) == (session.outcome, len(session.pending))
                session.rollback()
            with pytest.raises(ArgumentError, match="refers to nothing"):
                say(empty)
        assert [] == list(here.group.collection(key=empty))
        assert False is here.group.exists(key=empty)
    assert before == server.dump()


def test_a_foreign_key_as_value_is_read_under_watch(server: Backend) -> None:
    """In a session nothing is asked when it is said; the commit stands on what the field holds then."""
    here = world(server.database())
    here.holder.key.set(here.first)
    other = server.client()
    with Session(here.holder.database) as session:
        here.box.key.set(here.holder.key)
        other.set(here.holder.key.key, 2)
        plan = session.plan()
        assert here.holder.key.key in plan.watched
        assert "2" == here.box.key.get()
        other.set(here.holder.key.key, 1)
        with pytest.raises(Conflict):
            session.commit(plan)
        session.commit()
    assert "1" == here.box.key.get()


def test_a_foreign_key_is_read_when_it_is_given(place: Place) -> None:
    """A write takes what a bound foreign key holds when it is said; a later change does not count."""
    here = world(place.database)

    def say() -> None:
        here.holder.key.set(here.first)
        here.box.key.set(here.holder.key)
        here.holder.key.set(here.second)

    assert ["1", "2"] == place.answers(say, lambda: [here.box.key.get(), here.holder.key.get()])


def test_a_filter_by_a_foreign_key_is_read_when_it_is_looked_at(place: Place) -> None:
    """A lazy collection asks for the value of the bound field each time."""
    here = world(place.database)
    wanted = here.group.collection(key=here.holder.key)
    assert ["2"] == list(wanted)
    assert {"1", "2"} == place.answers(lambda: [here.holder.key.set(1), here.box.key.set(1)], lambda: set(wanted))


PK_GIVEN: dict[str, tuple[Callable[[World, Any], Any], Any]] = {
    "get": (lambda here, value: here.person.get(pk=value).name.get(), "2"),
    "exists": (lambda here, value: here.person.exists(value), True),
    "collection": (lambda here, value: list(here.person.collection(pk=value)), ["2"]),
    "intersect": (lambda here, value: list(here.person.collection().intersect([value])), ["2"]),
}


@pytest.mark.parametrize(("ask", "expected"), PK_GIVEN.values(), ids=PK_GIVEN.keys())
def test_a_primary_key_may_be_given_so(place: Place, ask: Any, expected: Any) -> None:
    """What stands for a value stands for the primary key itself, too."""
    here = world(place.database)
    assert alike(expected) == place.answers(
        lambda: here.first.name.set("other"), lambda: {form: ask(here, value(here)) for form, value in FORMS.items()}
    )
