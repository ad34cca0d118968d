"""Values of what objects refer to by many, and of what refers to them, in rows and beside instances."""

from typing import Any

import pytest

from tests.contrib.pipelines.models import on as with_pipelines
from tests.models import Groups, groups
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from uowredis import (
    Conflict,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisDatabase,
    Session,
    SetField,
    UnreadableValue,
)
from uowredis.contrib.related import CASCADE, FKInstanceHashField, M2MSetField, RelatedModel

#: Paths of a group, and of a person.
OF_GROUP = ("title", "members__name", "history__name", "scores__name", "members__friend__name", "members__nicknames")
OF_PERSON = ("name", "by_key__title", "by_members__title", "befriended__name", "friend__by_entry__title")


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.fixture
def both(on: RedisDatabase) -> Groups:
    """Bob (1), and Ann (2), whose friend he is; group 1 is full, 2 is empty but for a key."""
    both = groups(on)
    bob = both.person(name="bob", nicknames=["b"])
    ann = both.person(name="ann", friend=bob, nicknames=["a", "n"])
    scores = {ann: 1, bob: 2}
    both.group(title="one", key=ann, entry=bob, members=[ann, bob], history=[ann, bob, ann])
    both.group("1").scores.zadd(scores)
    both.group(title="two", key=ann)
    return both


def rows(collection: Any, *names: str) -> list[Any]:
    """Return the rows of a collection by primary key, which instances that are loaded have beside them, too."""
    found = list(collection.copy().sort().values_list(*names))
    loaded = collection.copy().sort().instances(load=names)
    assert found == [tuple(each.loaded.values()) for each in loaded]
    return found


def test_a_list_with_something_for_each(both: Groups) -> None:
    """A set by primary key, a list and a sorted set in order; the same order for each path, so they can be zipped."""
    full = ("one", ["bob", "ann"], ["ann", "bob", "ann"], ["ann", "bob"], [None, "bob"], [{"b"}, {"a", "n"}])
    assert [full, ("two", [], [], [], [], [])] == rows(both.group.collection(), *OF_GROUP)
    pks = ("members__pk", "history__pk", "scores__pk", "members", "history", "scores")
    ranked = {"2": 1.0, "1": 2.0}
    assert [(["1", "2"], ["2", "1", "2"], ["2", "1"], {"1", "2"}, ["2", "1", "2"], ranked)] == rows(
        both.group.collection(pk=1), *pks
    )


def test_who_refers(both: Groups) -> None:
    """By the name of the collection on the other side: a set of primary keys, or a list of what is asked of each."""
    bob, ann = rows(both.person.collection(), *OF_PERSON)
    assert ("bob", [], ["one"], ["ann"], None) == bob
    assert ("ann", ["one", "two"], ["one"], [], ["one"]) == ann
    sides = ("by_key", "by_entry", "by_members", "by_history", "by_scores", "befriended", "by_key__pk")
    one = {"1"}
    assert [(set(), one, one, one, one, {"2"}, []), ({"1", "2"}, set(), one, one, one, set(), ["1", "2"])] == rows(
        both.person.collection(), *sides
    )


def test_lists_of_lists(both: Groups) -> None:
    """One for each step over many; each row has its own."""
    names = ("members__by_members__title", "members__befriended__by_key__members__name", "members__befriended")
    ((titles, far, sets),) = rows(both.group.collection(pk=1), *names)
    assert [["one"], ["one"]] == titles
    assert [[[["bob", "ann"], []]], []] == far
    assert [{"2"}, set()] == sets
    one, two = both.person.collection().sort().values_list("by_members__members__nicknames", flat=True)
    one[0][0].add("changed")
    one[0].append("changed")
    assert [[{"b"}, {"a", "n"}]] == two


def test_counted_primary_keys_are_numbers(both: Groups) -> None:
    """The tenth comes after the second."""
    made = [both.person(name=f"{number}") for number in range(3, 12)]
    both.group(title="many", members=made, key=made[0])
    names = [f"{number}" for number in range(3, 12)]
    assert [(names,)] == rows(both.group.collection(title="many"), "members__name")
    for number in range(12):
        both.group(title=f"more {number}", key=made[0])
    ((titles,),) = rows(both.person.collection(pk=3), "by_key__title")
    assert ["many", *(f"more {number}" for number in range(12))] == titles


def test_who_is_not_there(both: Groups) -> None:
    """Nobody there holds nothing, and stays in its place."""
    both.group("1").members.sadd("77")
    both.group("1").history.rpush("77")
    ((names, nicknames, titles, history),) = rows(
        both.group.collection(pk=1),
        "members__name",
        "members__nicknames",
        "members__by_members__title",
        "history__name",
    )
    assert (["bob", "ann", None], [{"b"}, {"a", "n"}, set()], [["one"]] * 3) == (names, nicknames, titles)
    assert ["ann", "bob", "ann", None] == history


def test_values_of_a_type(on: RedisDatabase) -> None:
    """Primary keys are of their type, chosen ones in the order of their bytes; what cannot be read is named."""

    class Tag(RelatedModel):
        database = on
        number = PKField(type=int)
        weight = InstanceHashField(type=int)
        near = M2MSetField("self", related_name="around")

    for number, near in ((9, ()), (10, (9,)), (11, (9, 10))):
        Tag(number=number, weight=number * 2, near=list(near))
    names = ("number", "near", "near__number", "near__weight", "around", "around__number", "around__weight")
    assert [
        (9, set(), [], [], {10, 11}, [10, 11], [20, 22]),
        (10, {9}, [9], [18], {11}, [11], [22]),
        (11, {9, 10}, [10, 9], [20, 18], set(), [], []),
    ] == rows(Tag.collection(), *names)
    on.connection.hset(":tag:9:hash", "weight", "x")
    with pytest.raises(UnreadableValue, match=r"A Tag.weight holds int, and 'x' is stored"):
        list(Tag.collection().values("near__weight"))
    on.connection.sadd(":tag:near:9", "x")
    with pytest.raises(UnreadableValue, match=r"A Tag.number holds int, and 'x' is stored"):
        list(Tag.collection().values("around"))


# Over what is pending.


def test_in_a_session(both: Groups) -> None:
    """As it will be after the commit: who is created, moved, deleted, and cleared by that, on both sides."""
    with Session(both.database, on_pending="discard") as s:
        new = both.person(name="new", friend="1")
        both.group(title="three", key=new, entry=new, members=[new, "1"])
        both.group("1").key.set(new)
        both.group("1").history.lpop()
        both.group("2").delete()
        both.group("1").members.srem("2")
        before = [
            (OF_GROUP, rows(both.group.collection(), *OF_GROUP)),
            (OF_PERSON, rows(both.person.collection(), *OF_PERSON)),
        ]
        one = ("one", ["bob"], ["bob", "ann"], ["ann", "bob"], [None], [{"b"}])
        assert [one, ("three", ["bob", "new"], [], [], [None, "bob"], [{"b"}, set()])] == before[0][1]
        assert [
            ("bob", [], ["one", "three"], ["ann", "new"], None),
            ("ann", [], [], [], ["one"]),
            ("new", ["one", "three"], ["three"], [], ["one"]),
        ] == before[1][1]
        s.commit()
        for names, found in before:
            assert found == rows((both.group if names is OF_GROUP else both.person).collection(), *names)
    with Session(both.database, on_pending="discard"):
        both.person("1").delete()
        assert [("ann", [], [], [], None), ("new", ["one", "three"], ["three"], [], None)] == rows(
            both.person.collection(), *OF_PERSON
        )
        assert [("one", []), ("three", ["new"])] == rows(both.group.collection(), "title", "members__name")


def test_one_object_touched_by_one_of_two_sides(both: Groups) -> None:
    """By the other it is found once, as the server has it."""
    with Session(both.database, on_pending="discard"):
        both.group("1").key.set("1")
        names = ("by_key", "by_members", "by_entry")
        assert [({"1"}, {"1"}, {"1"}), ({"2"}, {"1"}, set())] == rows(both.person.collection(), *names)


def test_an_index_is_believed(both: Groups) -> None:
    """As where it is asked for alone: a stale entry is found until the object says something else."""
    both.database.connection.sadd(":group:key:1", "2")
    assert {"2"} == both.person.collection(pk=1).values_list("by_key", flat=True)[0]
    with Session(both.database, on_pending="discard"):
        both.group("2").name.hset("touched")
        both.group("1").key.set("1")
        assert [({"1", "2"},), ({"2"},)] == rows(both.person.collection(), "by_key")
        assert ["1", "2"] == sorted(both.person("1").by_key())


def test_who_was_not_there_yet(both: Groups) -> None:
    """A reference to nobody is one to the object that will have that primary key."""
    both.group("1").members.sadd("3")
    with Session(both.database) as s:
        both.group(title="three", key=both.person(name="new"))
        found = rows(both.group.collection(pk=1), "members__by_key__title")
        s.commit()
    assert [([[], ["one", "two"], ["three"]],)] == found == rows(both.group.collection(pk=1), "members__by_key__title")
    assert ["1", "2", "3"] == sorted(both.person.collection())


def test_what_goes_with_others(on: RedisDatabase) -> None:
    """Who is deleted with another is nowhere."""

    class Shelf(RelatedModel):
        database = on
        name = InstanceHashField()

    class Book(RelatedModel):
        database = on
        title = InstanceHashField()
        shelf = FKInstanceHashField(Shelf, related_name="books", on_delete=CASCADE)
        like = M2MSetField("self", related_name="liked")

    high, low = Shelf(name="high"), Shelf(name="low")
    stays = Book(title="stays", shelf=high)
    goes = Book(title="goes", shelf=low, like=[stays])
    stays.like.sadd(goes)
    assert [(["stays"],), (["goes"],)] == rows(Shelf.collection(), "books__title")
    with Session(on, on_pending="discard"):
        low.delete()
        assert [("high", ["stays"], [[]])] == rows(Shelf.collection(), "name", "books__title", "books__liked__title")
        assert [("stays", [], set())] == rows(Book.collection(), "title", "like__title", "liked")


def test_a_dry_run_counts_no_primary_keys(both: Groups) -> None:
    """What stands for them leads on, both ways."""
    with Session(both.database, dry_run=True):
        new = both.person(name="new", nicknames=["x"])
        both.group(title="three", key=new, members=[new, "1"], entry="2")
        ((of, sides, nicknames),) = both.group.collection(title="three").values_list(
            "members__name", "members__by_key__title", "members__nicknames"
        )
        assert (["bob", "new"], [[], ["three"]]) == (of, sides)
        assert [{"b"}, {"x"}] == nicknames
        found = dict(both.person.collection().values_list("name", "by_members__title"))
        assert {"bob": ["one", "three"], "ann": ["one"], "new": ["three"]} == found
        found = dict(both.person.collection().values_list("name", "by_entry__title"))
        assert {"bob": ["one"], "ann": ["three"], "new": []} == found
    assert "2" == both.database.connection.get(":person:max_pk")


MEANWHILE = {
    "who is referred to": lambda both: both.group("1").members.srem("1"),
    "who refers": lambda both: both.group("2").key.set("1"),
    "who refers from now on": lambda both: both.group(title="three", key="2"),
    "a value there": lambda both: both.person("1").name.hset("other"),
    "a value of who refers": lambda both: both.group("2").title.hset("other"),
}


@pytest.mark.parametrize("pending", [False, True])
@pytest.mark.parametrize("what", [*MEANWHILE, "nothing of it"])
def test_under_watch(server: Backend, both: Groups, what: str, pending: bool) -> None:
    """Whatever of it another changes before the commit is a conflict, and nothing else is."""
    other = groups(server.database())
    with Session(both.database, watch_reads=True, on_pending="discard") as s:
        if pending:
            both.group("1").title.hset("changed")
            both.person("1").nicknames.sadd("x")
        title = "changed" if pending else "one"
        (row,) = both.person.collection(pk=2).values_list("by_key__title", "by_members__members__name")
        assert ([title, "two"], [["bob", "ann"]]) == row
        both.person("1").city.hset("Rome")
        MEANWHILE.get(what, lambda both: both.group("2").history.rpush("1"))(other)
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
        one = both.group(title="one", members=[ann])
        with on.pipeline() as pipeline:
            one.key.set(ann)
            ann.name.hset("Anne")
            found = both.person.collection().values_list("by_key__title", "by_members__members__name")
            loaded = both.group.collection().instances(load=("members__name", "members__by_key"))
            *_, of_rows, of_loaded = pipeline.execute()
        assert [(["one"], [["Anne"]])] == of_rows == found
        assert [{"members__name": ["Anne"], "members__by_key": [{"1"}]}] == [dict(each.loaded) for each in of_loaded]
        assert 1 == len(loaded)


# What it costs.


@pytest.mark.parametrize("count", [1, 100, 1_500])
@pytest.mark.parametrize("pending", [False, True])
def test_round_trips_do_not_grow(real: Real, proxy: Proxy, count: int, pending: bool) -> None:
    """One for each step; over pending writes one more for each step to the other side."""
    with RedisDatabase.from_url(proxy.url) as on:
        both = groups(on)
        person = both.person(name="ann")
        with Session(on, on_pending="discard") as s:
            for number in range(count):
                friend = both.person(name=f"{number}", friend=person)
                both.group(title=f"{number}", key=person, members=[person, friend])
            s.commit()
            if pending:
                both.group("1").members.srem("1")
                both.group("1").key.set("2")
            for look, trips, more in (
                (lambda: both.group.collection().values("title", "members__name"), 3, 0),
                (lambda: both.person.collection().instances(load=("by_key__title",)), 3, 1),
                (lambda: both.person.collection().values("by_members__members__name", "befriended__by_key"), 4, 2),
            ):
                proxy.reset()
                assert count <= len(list(look()))
                assert trips + more * pending == proxy.round_trips()


def test_it_is_shown(both: Groups) -> None:
    """As it is sent: with what reads each step."""
    found = both.person.collection().values("by_key__title", "befriended", "by_members__scores__name")
    assert [
        "query: 4 round trips",
        "SORT :person:collection BY nosort",
        'SMEMBERS ":group:key:<pk>"',
        'SMEMBERS ":person:friend:<pk>"',
        'SMEMBERS ":group:members:<pk>"',
        'HGET ":group:<pk>:hash" title',
        'ZRANGE ":group:<pk>:scores" 0 -1 WITHSCORES',
        'HGET ":person:<pk>:hash" name',
    ] == [line.strip() for line in str(found.explain()).splitlines()]


# What cannot be.


def test_what_is_no_path(on: RedisDatabase, both: Groups) -> None:
    """It is told by the names that there are."""
    with pytest.raises(ImplementationError, match=r"Group has no field 'nothing' to give. Way out: one of pk, title"):
        both.person.collection().values("by_key__nothing")
    with pytest.raises(ImplementationError, match=r"Person has no field 'by_nobody' .* by_key, by_entry, by_members"):
        both.person.collection().values("by_nobody")
    with pytest.raises(ImplementationError, match=r"Group.title refers to no other object"):
        both.person.collection().values("by_key__title__x")
    with pytest.raises(ImplementationError, match=r"Person has no field '' to give"):
        both.group.collection().values("members__")

    class Loose(RelatedModel):
        database = on
        to = M2MSetField("Nowhere", related_name="loose")
        tags = SetField()

    with pytest.raises(ImplementationError, match=r"Loose.to refers to Nowhere, which is not declared"):
        Loose.collection().values("to__name")
    with pytest.raises(ImplementationError, match=r"Loose.tags refers to no other object"):
        Loose.collection().values("tags__name")


def test_a_collection_that_has_moved(on: RedisDatabase) -> None:
    """With the model that refers the name is gone."""

    class Shelf(RelatedModel):
        database = on

    class Book(RelatedModel):
        database = on
        shelf = FKInstanceHashField(Shelf, related_name="books")

    shelf = Shelf()
    shelf.pk.get()
    Book(shelf=shelf)
    assert [({"1"},)] == rows(Shelf.collection(), "books")
    with RedisDatabase.embedded() as elsewhere:
        Book.use_database(elsewhere)
        with pytest.raises(ImplementationError, match=r"Shelf has no field 'books' to give"):
            Shelf.collection().values("books")
