"""Values of every kind, and of what objects refer to, in rows and beside instances."""

import copy
import pickle
from datetime import date
from typing import Any

import pytest

from tests.contrib.pipelines.models import on as with_pipelines
from tests.models import Groups, every_kind, groups
from tests.tools.backends import Backend
from uowredis import (
    Conflict,
    DoesNotExist,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisDatabase,
    Session,
    SetField,
    StringField,
    UnreadableValue,
)
from uowredis.collection import SORTED_SCORE
from uowredis.contrib.related import FKStringField, RelatedModel

FULL: dict[str, Any] = {
    "title": "t",
    "name": "n",
    "headers": {"a": "1", "b": "x"},
    "tags": {"a", "b"},
    "rows": ["x", "y", "x"],
    "ranks": {"r": 1.5, "s": 2.0},
}
NOTHING: dict[str, Any] = {"title": None, "name": None, "headers": {}, "tags": set(), "rows": [], "ranks": {}}


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.fixture
def both(on: RedisDatabase) -> Groups:
    """Ann and Bob, who is her friend and boss of nobody; two groups of Ann, one of nobody."""
    both = groups(on)
    bob = both.person(name="bob", city="Bern", nicknames=["b", "bo"])
    ann = both.person(name="ann", age=40, friend=bob)
    for title, entry in (("one", ann), ("two", ann), ("three", None)):
        both.group(title=title, name="g", members=[ann, bob], **({} if entry is None else {"entry": entry}))
    return both


# What is given.


@pytest.mark.parametrize("indexed", [False, True])
def test_every_kind(on: RedisDatabase, indexed: bool) -> None:
    """As ``to_dict()`` gives it, in the order asked, by name or by field, of who holds nothing too."""
    thing = every_kind(on, indexed=indexed).Thing
    thing(**FULL)
    thing(count="1")
    found = thing.collection().sort()
    assert [FULL, NOTHING] == found.values(*FULL)
    by_field = thing.collection().sort().values_list("pk", thing.ranks, thing.name, thing("1").tags)
    assert [("1", FULL["ranks"], "n", FULL["tags"]), ("2", {}, None, set())] == by_field
    assert [["x", "y", "x"], []] == thing.collection().sort().values_list("rows", flat=True)
    assert [FULL["headers"]] == thing.collection(pk=1).values_list("headers", flat=True)
    assert [] == thing.collection(pk=7).values(*FULL)


def test_what_is_referred_to(both: Groups) -> None:
    """Also two references away, and its primary key; nothing where there is no reference."""
    names = ("title", "entry", "entry__name", "entry__pk", "entry__friend__nicknames", "entry__friend__friend__name")
    one, two, three = both.group.collection().sort().values_list(*names)
    assert ("one", "2", "ann", "2", {"b", "bo"}, None) == one
    assert ("two", *one[1:]) == two
    assert ("three", None, None, None, None, None) == three
    one[4].add("changed")
    assert {"b", "bo"} == two[4]
    of_persons = both.person.collection().sort("-pk").values_list("nicknames", "friend__name", "friend__age")
    assert [(set(), "bob", None), ({"b", "bo"}, None, None)] == of_persons
    assert {None, "bob"} == set(both.person.collection().values_list("friend__name", flat=True))


def test_a_reference_to_nobody(both: Groups) -> None:
    """What was deleted without our knowing holds nothing."""
    both.person.database.connection.delete(":person:2:hash", ":person:2:friend", ":person:2:age")
    found = both.group.collection(title="one").values_list(
        "entry", "entry__name", "entry__nicknames", "entry__friend__name"
    )
    assert [("2", None, set(), None)] == found


def test_values_of_a_type(on: RedisDatabase) -> None:
    """Here and where a reference leads; what cannot be read names whose it is."""

    class Place(RelatedModel):
        database = on
        number = PKField(type=int)
        opened = InstanceHashField(type=date)
        days = SetField(type=date)
        near = FKStringField("self", related_name="around")
        year = StringField(type=int)

    day = date(2020, 1, 2)
    first = Place(number=7, opened=day, days=[day], year=2020)
    Place(number=8, near=first, opened=day)
    names = ("near", "near__number", "near__opened", "near__days", "near__year", "opened", "number", "days")
    assert [(7, 7, day, {day}, 2020, day, 8, set())] == Place.collection(pk=8).values_list(*names)
    (loaded,) = Place.collection(pk=8).instances(load=names)
    assert (7, 7, day, {day}, 2020, day, 8, set()) == tuple(loaded.loaded.values())
    Place(number=9)
    some = ("number", "year", "opened", "near__year")
    rows = [(7, 2020, day, None), (8, None, day, 2020), (9, None, None, None)]
    assert rows == Place.collection().sort().values_list(*some)[:] == sorted(Place.collection().values_list(*some))
    assert [row[:3] for row in rows] == Place.collection().sort().values_list(*some[:3])[:]
    on.connection.sadd(":place:7:days", "x")
    with pytest.raises(UnreadableValue, match=r"Place <7>\.days"):
        list(Place.collection(pk=8).values("near__days"))


def test_a_reference_whose_model_has_moved(on: RedisDatabase) -> None:
    """It is the text that is stored, and leads nowhere; it is told when the collection is looked at."""

    class Shelf(RelatedModel):
        database = on
        number = PKField(type=int)
        name = StringField()

    class Book(RelatedModel):
        database = on
        shelf = FKStringField(Shelf)

    shelf: Any = Shelf(number=7, name="high")
    Book(shelf=shelf)
    names = Book.collection().values_list("shelf__name", flat=True)
    assert ([7], ["high"]) == (Book.collection().values_list("shelf", flat=True), names)
    with RedisDatabase.embedded() as elsewhere:
        Shelf.use_database(elsewhere)
        assert ["7"] == Book.collection().values_list("shelf", flat=True)
        with pytest.raises(ImplementationError, match="Shelf, which is not declared on the same database"):
            list(names)


def test_sorted_cut_stored_and_combined(both: Groups) -> None:
    """In the order, and of the part, that is wanted."""
    group = both.group
    by_title = group.collection().sort("-title", alpha=True).values_list("title", "members", "entry__name")
    assert [("two", {"1", "2"}, "ann"), ("three", {"1", "2"}, None)] == by_title[:2]
    assert ("one", {"1", "2"}, "ann") == by_title[-1]
    assert ("one", {"1", "2"}, "ann") == group.collection().values_list("title", "members", "entry__name").first()
    stored = group.collection().sort("title", alpha=True).values_list("title", "entry__name", "members").store()
    assert [("one", "ann", {"1", "2"}), ("three", None, {"1", "2"})] == stored[:2]
    assert 3 == len(stored)
    loaded = group.collection().from_stored(stored.stored_key).instances(load=["title", "entry__name"])
    assert [("one", "ann"), ("three", None), ("two", "ann")] == [tuple(each.loaded.values()) for each in loaded]
    assert "1" in loaded.primary_keys()
    assert group("1") in loaded.instances(load=["members"])
    either = group.collection(title="two") | group.collection(title="three")
    assert [{"1", "2"}] * 2 == list(either.values_list("members", flat=True))
    both.group.database.connection.zadd("scores", {"1": 2, "2": 1})
    scored = group.collection().intersect("scores").sort(by_score="scores")
    assert [{"title": "two", SORTED_SCORE: "1", "entry__name": "ann"}] == scored.values(
        "title", SORTED_SCORE, "entry__name"
    )[:1]


def test_from_a_place(on: RedisDatabase) -> None:
    """What follows it in the order of an index has the same values."""

    class Person(RelatedModel):
        database = on
        age = InstanceHashField(type=int, indexable="range")
        tags = SetField()
        friend = FKStringField("self", related_name="befriended")

    first: Any = Person(age=1, tags=["a"])
    Person.create_many([{"age": age, "tags": [f"t{age}"], "friend": first} for age in range(2, 5)])
    names = ("age", "tags", "friend__tags")
    by_age = Person.collection().sort(by="age")
    begun = by_age.copy().values_list(*names).after(None, 2)
    assert [(1, {"a"}, None), (2, {"t2"}, {"a"})] == begun
    assert [(3, {"t3"}, {"a"}), (4, {"t4"}, {"a"})] == by_age.copy().values_list(*names).after(begun.last, 2)
    loaded = by_age.copy().instances(load=names).after(begun.last, 1)
    assert [(3, {"t3"}, {"a"})] == [tuple(each.loaded.values()) for each in loaded]


# Beside instances.


def test_instances_are_loaded(both: Groups) -> None:
    """With what was asked for, by these names; they are looked up, and written, as ever."""
    one, two, three = both.group.collection().sort().instances(load=("title", "members", "entry__name"))
    assert {"title": "one", "members": {"1", "2"}, "entry__name": "ann"} == dict(one.loaded)
    assert (None, 3, "title") == (three.loaded["entry__name"], len(two.loaded), next(iter(two.loaded)))
    assert both.group("1") == one
    one.title.hset("changed")
    # It is what it was; a command tells what is now.
    assert ("one", "changed") == (one.loaded["title"], one.title.hget())
    assert ("one", 3) == (copy.copy(one).loaded["title"], len(copy.deepcopy(one).loaded))
    assert {} == dict(both.group("1").loaded) == dict(both.group.collection().instances()[0].loaded)
    assert "nope" not in one.loaded
    with pytest.raises(KeyError, match="'nope' was not loaded, but title, members, entry__name"):
        one.loaded["nope"]


def test_a_pickle_has_nothing_loaded(server: Backend) -> None:
    """It is a handle of the object where it is read."""
    PERSON.use_database(server.database())
    PERSON(name="ann")
    (person,) = PERSON.collection().instances(load=("name",))
    assert ({}, person) == (dict(pickle.loads(pickle.dumps(person)).loaded), person)


def test_who_is_not_there_is_left_out(both: Groups) -> None:
    """As without loading; where nobody looks them up they hold nothing."""
    client = both.group.database.connection
    client.sadd(":group:name:g", "77")
    found = both.group.collection(name="g")
    assert ["1", "2", "3"] == sorted(
        each.pk.get() for each in found.instances(load=("title", "members", "entry__name"))
    )
    assert 3 == len(found)
    lazy = {each.pk.get(): dict(each.loaded) for each in found.instances(lazy=True, load=("title", "members"))}
    assert {"title": None, "members": set()} == lazy["77"]


# Over what is pending.


def test_in_a_session(both: Groups) -> None:
    """As it will be after the commit: what is created, changed, deleted, and cleared by that."""
    names = ("title", "members", "entry__name", "entry__friend__name")
    with Session(both.database, on_pending="discard") as s:
        new = both.person(name="new")
        made = both.group(title="four", entry=new, members=[new])
        both.person("2").friend.set(new)
        both.group("1").members.srem("1")
        both.group("2").delete()
        found = both.group.collection().sort()
        before = list(found.values_list(*names))
        assert [("one", {"2"}, "ann", "new"), ("three", {"1", "2"}, None, None), ("four", {"3"}, "new", None)] == before
        loaded = list(both.group.collection().sort().instances(load=names))
        assert before == [tuple(each.loaded.values()) for each in loaded]
        both.person("2").delete()
        cleared = [("one", set(), None, None), ("three", {"1"}, None, None), ("four", {"3"}, "new", None)]
        assert cleared == found.values_list(*names)
        s.commit()
        assert cleared == found.values_list(*names)
        assert made == loaded[2]


def test_a_loaded_object_shares_the_fate_of_the_session(both: Groups) -> None:
    """One that the session makes is gone with a rollback."""
    with Session(both.database, on_pending="discard") as s:
        both.group(title="four")
        (found,) = both.group.collection(title="four").instances(load=("title", "entry__name"))
        assert {"title": "four", "entry__name": None} == dict(found.loaded)
        s.rollback()
        with pytest.raises(DoesNotExist):
            found.title.hget()


def test_a_dry_run_counts_no_primary_keys(both: Groups) -> None:
    """What stands for them leads on."""
    with Session(both.database, dry_run=True):
        both.group(title="four", entry=both.person(name="new", friend=both.person(name="newer")))
        names = ("title", "entry__name", "entry__friend__name", "entry__pk")
        assert [("new", None)] == both.group.collection(title="four").values_list("entry__name", "entry__age")
        assert ("four", "new", "newer", "<Person 2>") in [
            (*row[:3], str(row[3])) for row in both.group.collection().values_list(*names)
        ]
    assert "2" == both.database.connection.get(":person:max_pk")


MEANWHILE = {
    "a member": lambda both: both.group("1").members.sadd("9"),
    "a value": lambda both: both.group("1").title.hset("other"),
    "the reference": lambda both: both.group("1").entry.hset("1"),
    "what is referred to": lambda both: both.person("2").name.hset("other"),
    "further on": lambda both: both.person("1").nicknames.srem("b"),
    "the object": lambda both: both.group("1").delete(),
}


@pytest.mark.parametrize("loads", [False, True])
@pytest.mark.parametrize("what", [*MEANWHILE, "nothing of it"])
def test_under_watch(server: Backend, both: Groups, what: str, loads: bool) -> None:
    """Whatever of it another changes before the commit is a conflict, and nothing else is."""
    other = groups(server.database())
    names = ("title", "members", "entry__name", "entry__friend__nicknames")
    with Session(both.database, watch_reads=True, on_pending="discard") as s:
        found = both.group.collection(title="one")
        (row,) = (
            [tuple(each.loaded.values()) for each in found.instances(load=names)]
            if loads
            else found.values_list(*names)
        )
        assert ("one", {"1", "2"}, "ann", {"b", "bo"}) == row
        both.person("1").city.hset("Rome")
        MEANWHILE.get(what, lambda both: both.group("2").members.sadd("9"))(other)
        if what in MEANWHILE:
            with pytest.raises(Conflict):
                s.commit()
        else:
            s.commit()


def test_in_a_pipeline(server: Backend) -> None:
    """It is one reply, of what holds after all that the pipeline changes."""
    with with_pipelines(server) as on:
        both = groups(on)
        ann = both.person(name="ann")
        both.group(title="one", entry=ann, members=[ann])
        with on.pipeline() as pipeline:
            ann.name.hset("Anne")
            both.group("1").members.sadd("7")
            rows = both.group.collection().values_list("title", "members", "entry__name")
            loaded = both.group.collection().instances(load=("title", "entry__name"))
            _, _, of_rows, of_loaded = pipeline.execute()
        assert [("one", {"1", "7"}, "Anne")] == of_rows == rows
        assert (
            [{"title": "one", "entry__name": "Anne"}]
            == [dict(each.loaded) for each in of_loaded]
            == [dict(each.loaded) for each in loaded]
        )


# What cannot be.


def test_what_is_no_field(both: Groups) -> None:
    """It is refused when it is said, by the name of the model where it is none."""
    group = both.group.collection()
    for names, words in (
        (("nothing",), "Group has no field 'nothing' to give"),
        (("title", "entry__nothing"), "Person has no field 'nothing' to give"),
        (("entry__friend__x__y",), "Person has no field 'x__y' to give"),
        (("title__x",), r"'title__x' cannot be given: Group.title refers to no other object"),
        (("entry__",), "Person has no field '' to give"),
    ):
        for say in (group.values, group.values_list, lambda *given: group.instances(load=given)):
            with pytest.raises(ImplementationError, match=words):
                say(*names)
    for bad in ("title", b"title", 5, None):
        with pytest.raises(TypeError, match=r"instances\(load=...\) takes several fields or names"):
            group.instances(load=bad)
    for bad in (5, None, ("title",)):
        with pytest.raises(TypeError, match="gives values by fields or their names"):
            group.values(bad)
    with pytest.raises(TypeError, match="SORTED_SCORE is none"):
        group.instances(load=(SORTED_SCORE,))
    with pytest.raises(ImplementationError, match="is no field of Group"):
        group.values(both.person.name)


class Person(RelatedModel):
    """Outside of a function, so that it can be pickled."""

    database = RedisDatabase.embedded()
    name = InstanceHashField()


PERSON: Any = Person


def test_a_name_that_ends_with_an_underscore(on: RedisDatabase) -> None:
    """Two more lead on behind it; where two fields fit, the longer one does."""

    class Node(RelatedModel):
        database = on
        of = FKStringField("self", related_name="above")
        of_ = FKStringField("self", related_name="below")
        name = InstanceHashField()
        _name = InstanceHashField()

    top: Any = Node(name="top", _name="_top")
    Node(of_=top)
    assert [("top", "_top", None)] == Node.collection(of_=top).values_list("of___name", "of____name", "of__name")
