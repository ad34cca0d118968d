"""``rename``: what is stored of a field, and its index, comes under another name; whatever happens meanwhile."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend, Embedded, Real
from uowredis import (
    ArgumentError,
    HashField,
    ImplementationError,
    InstanceHashField,
    ListField,
    PKField,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.cli import main
from uowredis.contrib.related import FKInstanceHashField, FKStringField, M2MSetField, RelatedModel
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.indexes import EqualIndex, TextRangeIndex
from uowredis.maintenance.rename import Renamed, rename, renaming_of
from uowredis.maintenance.renaming import Left
from uowredis.plan.requests import Apply

#: Of each kind: two values that an object may have.
VALUES: dict[type, tuple[Any, Any]] = {
    StringField: ("a", "b"),
    InstanceHashField: ("a", "b"),
    HashField: ({"x": "1", "y": "2"}, {"x": "1", "y": "3"}),
    SetField: (["a", "b"], ["b", "c"]),
    ListField: (["a", "b", "a"], ["b", "c"]),
    SortedSetField: ({"a": 1, "b": 2}, {"a": 1, "b": 3}),
}


def bike(server: Backend, kind: type, stored: str, **options: Any) -> Any:
    """Declare the bike in a process of its own, so to say; a neighbour in the hash is nobody's business.

    Two declarations write the same data here, which is told of elsewhere.
    """
    fields = {"field": kind(stored_as=stored, **options), "other": InstanceHashField(indexable=True)}
    return type("Bike", (RedisModel,), {"database": server.database(changed="ignore"), **fields})


def made(model: Any, *values: Any) -> None:
    """Make a bike of each value, and one without."""
    for value in values:
        model(field=value, other="o")
    model(other="o")


#: How a field may be declared.
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "indexable": {"indexable": True},
    "unique": {"unique": True},
    "ranges": {"indexable": True, "indexes": [TextRangeIndex, EqualIndex.configure(prefix="also")]},
    "no value": {"indexable": True, "none": True},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", VALUES)
def test_it_is_as_if_it_had_always_had_the_new_name(server: Backend, kind: type, options: str) -> None:
    """Keys, entries of the hash, index entries; a second run finds nothing."""
    values = VALUES[kind]
    if (options == "unique" and kind is HashField) or (
        options == "no value" and kind not in (StringField, InstanceHashField)
    ):
        return
    if options == "unique":
        values = values[:1]
    model = bike(server, kind, "old", **OPTIONS[options])
    made(model, *values)
    assert Renamed(moved=len(values), passes=2) == rename(model, "field", "new")
    elsewhere = Embedded()
    made(bike(elsewhere, kind, "new", **OPTIONS[options]), *values)
    assert elsewhere.dump() == server.dump()
    elsewhere.close()
    assert Renamed(passes=1) == rename(model, "field", "new")
    latest = bike(server, kind, "new", **OPTIONS[options])
    for pk in list(latest.collection()):
        latest(pk).delete()
    assert {b":bike:max_pk"} == set(server.dump())


def test_a_time_to_live_stays(server: Backend) -> None:
    """A key is renamed, not written anew."""
    model = bike(server, StringField, "old")
    model().field.set("a", ex=1_000)
    rename(model, "field", "new")
    assert 0 < server.client().ttl(":bike:1:new") <= 1_000


def test_references_are_followed_under_the_new_name(server: Backend) -> None:
    """What refers is an index, too."""

    def declare(prefix: str) -> Any:
        on = {"database": server.database()}
        person = type(RelatedModel)("Person", (RelatedModel,), on)
        fields = {
            "owner": FKInstanceHashField("Person", related_name="owned", stored_as=f"{prefix}o"),
            "leader": FKStringField("Person", related_name="led", stored_as=f"{prefix}l"),
            "members": M2MSetField("Person", related_name="membership", stored_as=f"{prefix}m"),
        }
        return person, type(RelatedModel)("Group", (RelatedModel,), on | fields)

    (person, group), (person_now, group_now) = declare("old-"), declare("new-")
    ann = person()
    group(owner=ann, leader=ann, members=[ann])
    for field in ("owner", "leader", "members"):
        assert 1 == rename(group, field, f"new-{field[0]}").moved
    ann, one = person_now("1"), group_now("1")
    assert [[one]] * 3 == [list(ask().instances()) for ask in (ann.owned, ann.led, ann.membership)]
    ann.delete()
    assert {b":person:max_pk", b":group:max_pk", b":group:collection"} == set(server.dump())


def test_pages_of_objects(server: Backend) -> None:
    """More objects than are asked for, or moved, at once; how far it is is told."""
    model = bike(server, InstanceHashField, "old", indexable=True)
    with model.database.begin():
        for number in range(2_345):
            model(field=number % 7)
    told: list[tuple[int, int, int]] = []
    done = rename(model, "field", "new", progress=lambda seen, total, so_far: told.append((seen, total, so_far.moved)))
    assert Renamed(moved=2_345, passes=2) == done
    assert [2_345] == [total for _, total, _ in told][:1]
    assert told == sorted(told[: len(told) // 2]) + told[len(told) // 2 :]
    latest = bike(server, InstanceHashField, "new", indexable=True)
    assert 335 == len(latest.collection(field=3))
    assert not [key for key in server.dump() if b":old:" in key]


def test_a_dry_run(server: Backend) -> None:
    """It counts, and nothing else."""
    model = bike(server, SetField, "old", indexable=True)
    made(model, *VALUES[SetField])
    server.client().sadd(":bike:old:ghost", 1)
    before = server.dump()
    assert Renamed(moved=2, stale=1, passes=1) == rename(model, "field", "new", dry_run=True)
    assert before == server.dump()


# Objects with something under both names.


def with_both(server: Backend, kind: type, first: Any, second: Any, **options: Any) -> tuple[Any, Any]:
    """Return the models of both names; the one bike has *first* under the old name, *second* under the new one."""
    old, new = bike(server, kind, "old", **options), bike(server, kind, "new", **options)
    old(field=first)
    getattr(new(1).field, WRITES[kind])(*([second] if not isinstance(second, list) else second))
    return old, new


WRITES = {
    StringField: "set",
    InstanceHashField: "hset",
    HashField: "hmset",
    SetField: "sadd",
    ListField: "rpush",
    SortedSetField: "zadd",
}


@pytest.mark.parametrize("both", ["leave", "old", "new"])
@pytest.mark.parametrize("kind", VALUES)
def test_two_values_of_one_object(server: Backend, kind: type, both: Any) -> None:
    """Which one is right is said, or the object is left and told, once."""
    first, second = VALUES[kind]
    old, _ = with_both(server, kind, first, second, indexable=True)
    before, told = server.dump(), []
    done = rename(old, "field", "new", both=both, tell=told.append)
    if both == "leave":
        assert ([("1", 1)], False, before) == ([(each.pk, done.left) for each in told], done.is_done, server.dump())
        assert "under 'old'" in str(told[0])
        assert "under 'new'" in str(told[0])
        return
    elsewhere = Embedded()
    bike(elsewhere, kind, "new", indexable=True)(field=first if both == "old" else second)
    assert elsewhere.dump() == server.dump()
    assert ([], True, 1) == (told, done.is_done, done.moved + done.dropped)
    elsewhere.close()


@pytest.mark.parametrize("kind", VALUES)
def test_the_same_value_twice(server: Backend, kind: type) -> None:
    """Nobody need say which one is right."""
    value = VALUES[kind][0]
    old, _ = with_both(server, kind, value, value, indexable=True)
    assert Renamed(dropped=1, passes=2) == rename(old, "field", "new")
    elsewhere = Embedded()
    bike(elsewhere, kind, "new", indexable=True)(field=value)
    assert elsewhere.dump() == server.dump()
    elsewhere.close()


def test_a_unique_value_that_another_has_by_now(server: Backend) -> None:
    """It is told, never decided; the others are moved."""
    old, new = bike(server, InstanceHashField, "old", unique=True), bike(server, InstanceHashField, "new", unique=True)
    old(field="a"), old(field="b")
    new(field="a")
    told: list[Left] = []
    done = rename(old, "field", "new", tell=told.append)
    assert (1, 1, ["1"], False) == (done.moved, done.left, [each.pk for each in told], done.is_done)
    assert "is unique, and 'a' is held by 3, too" in str(told[0])
    assert [("a", None), (None, "b"), (None, "a")] == [
        (old(pk).field.hget(), new(pk).field.hget()) for pk in ("1", "2", "3")
    ]
    old(1).field.hset("c")
    assert (1, True) == ((done := rename(old, "field", "new")).moved, done.is_done)


def test_a_unique_value_that_two_had_before(server: Backend) -> None:
    """One of them is moved; as soon as they differ, the other, too."""
    old = bike(server, InstanceHashField, "old", unique=True)
    old(field="a"), old(field="b")
    server.client().hset(":bike:2:hash", "old", "a")
    done = rename(old, "field", "new")
    assert (1, 1) == (done.moved, done.left)


def test_ghosts_of_the_old_index(server: Backend) -> None:
    """Entries that are right of no object go; those of objects that were left stay."""
    old, new = with_both(server, SetField, ["a"], ["b"], indexable=True)
    with server.client() as client:
        client.sadd(":bike:old:ghost", 1, 77)
        client.sadd(":bike:old:a", 78)
        client.sadd(":bike:older:x", 1)
    done = rename(old, "field", "new")
    assert (1, 3) == (done.left, done.stale)
    assert {b":bike:old:a", b":bike:new:b", b":bike:older:x"} == {
        key for key in server.dump() if key.startswith((b":bike:old", b":bike:new"))
    }
    assert ([["1"]] * 2) == [list(old.collection(field="a")), list(new.collection(field="b"))]


# Beside others.


OTHERS: dict[str, Callable[[Any, Any], Any]] = {
    "changes the value": lambda old, new: old(1).field.hset("x"),
    "takes it away": lambda old, new: old(1).field.hdel(),
    "deletes the object": lambda old, new: old(1).delete(),
    "writes the new name": lambda old, new: new(1).field.hset("x"),
    "writes a neighbour": lambda old, new: old(1).other.hset("x"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_client_between_look_and_move(server: Backend, other: str) -> None:
    """Nothing of what was looked at is moved then; looked at again, it is moved as it is by now."""
    old, new = (bike(server, InstanceHashField, name, indexable=True) for name in ("old", "new"))
    made(old, "a", "b")
    line = Line(lambda: old.database._executor)
    renaming = renaming_of(old.database, old._schema, "field", "new", None, "leave", dry_run=False)
    before: list[Any] = []

    def answer(request: Any) -> Any:
        if isinstance(request, Apply):
            OTHERS[other](old, new)
            before.append(server.dump())
        return line.answer(request)

    assert None is drive(renaming.moves(["1", "2"]), answer)
    assert before == [server.dump()]
    line.drop()
    rename(old, "field", "new", both="new")
    assert "b" == new(2).field.hget()
    expected = {"changes the value": "x", "writes the new name": "x", "writes a neighbour": "a"}.get(other)
    assert expected == (new(1).field.hget() if new.exists(1) else None)
    assert not [key for key in server.dump() if key.startswith(b":bike:old")]


def test_an_object_that_is_deleted_under_the_new_name(server: Backend) -> None:
    """Who declares that does not know the old key; it is not moved to where nobody would find it."""
    old, new = (bike(server, SetField, name, indexable=True) for name in ("old", "new"))
    made(old, ["a"])
    line = Line(lambda: old.database._executor)
    renaming = renaming_of(old.database, old._schema, "field", "new", None, "leave", dry_run=False)

    def answer(request: Any) -> Any:
        if isinstance(request, Apply):
            new(1).delete()
        return line.answer(request)

    assert None is drive(renaming.moves(["1"]), answer)
    # Nor where it was gone when it was looked at.
    assert (0, 0, []) == drive(renaming.moves(["1"]), line.answer)
    line.drop()
    assert (False, True) == (b":bike:1:new" in server.dump(), b":bike:1:old" in server.dump())


def test_a_value_that_came_and_went_is_only_seen_under_watch(server: Backend) -> None:
    """A unique value that another takes after the look."""
    old, new = (bike(server, InstanceHashField, name, unique=True) for name in ("old", "new"))
    old(field="a")
    line = Line(lambda: old.database._executor)
    renaming = renaming_of(old.database, old._schema, "field", "new", None, "leave", dry_run=False)

    def answer(request: Any) -> Any:
        if isinstance(request, Apply):
            new(field="a")
        return line.answer(request)

    assert None is drive(renaming.moves(["1"]), answer)
    line.drop()
    assert 1 == rename(old, "field", "new").left


def test_no_write_is_lost_while_it_runs(real: Real) -> None:
    """Writers of the old name go on, each on objects of its own; a run after them finds what they wrote last."""
    count, writers = 400, 3
    old = bike(real, InstanceHashField, "old", indexable=True)
    with old.database.begin():
        for _ in range(count):
            old(field="0")
    stop = threading.Event()
    last: dict[str, int] = {}
    failures: list[BaseException] = []

    def write(first: int) -> None:
        model = bike(real, InstanceHashField, "old", indexable=True)
        try:
            number = 0
            while not stop.is_set() or number < 50:
                pk = str(1 + first + writers * (number % (count // writers)))
                number += 1
                model(pk).field.hset(number)
                last[pk] = number
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in range(writers)]
    for thread in threads:
        thread.start()
    during = rename(old, "field", "new", both="old", passes=3)
    stop.set()
    for thread in threads:
        thread.join()
    assert [] == failures
    after = rename(old, "field", "new", both="old")
    assert (True, True) == (after.is_done, during.moved >= count)
    new = bike(real, InstanceHashField, "new", indexable=True)
    assert {str(pk): str(last.get(str(pk), 0)) for pk in range(1, count + 1)} == dict(
        new.collection().values_list("pk", "field")
    )
    held: dict[bytes, set[bytes]] = {}
    for pk in range(1, count + 1):
        held.setdefault(b":bike:new:%d" % last.get(str(pk), 0), set()).add(b"%d" % pk)
    dump = real.dump()
    assert held == {key: value for key, (_, value) in dump.items() if key.startswith(b":bike:new:")}
    assert not [key for key in dump if key.startswith(b":bike:old")]


def command(real: Real, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "uowredis", "rename", *arguments]


def environment(real: Real) -> dict[str, str]:
    return os.environ | {"RENAMED_URL": real.server.url}


def test_killed_and_started_again(real: Real) -> None:
    """At whatever moment: no object has lost its value, none has two, and the last run ends clean."""
    from tests.maintenance.renamed import Bike

    here = type("Bike", (RedisModel,), {"database": real.database(), **fields_of(Bike)})
    with here.database.begin():
        for number in range(4_000):
            here(colour=number % 50)
    client = real.client()
    arguments = "tests.maintenance.renamed:Bike.colour", "colour"
    kills = 0
    for most in (500, 1_500, 3_000):
        with subprocess.Popen(command(real, *arguments), env=environment(real), stdout=subprocess.DEVNULL) as running:
            while running.poll() is None and len(moved(client)) < most:
                pass
            running.kill()
            kills += running.wait() < 0
        dump = real.dump()
        names = [set(dump[b":bike:%d:hash" % pk][1]) for pk in range(1, 4_001)]
        assert {1} == {len(each) for each in names}
        for value in range(50):
            entries = [
                dump.get(b":bike:%s:%d" % (name, value), ("set", frozenset()))[1] for name in (b"color", b"colour")
            ]
            assert (80, frozenset()) == (len(entries[0] | entries[1]), entries[0] & entries[1])
    assert kills
    done = subprocess.run(command(real, *arguments), env=environment(real), capture_output=True, text=True, check=True)
    assert "0 left, 0 stale" in done.stdout
    dump = real.dump()
    assert [{b"colour": b"%d" % (pk % 50)} for pk in range(4_000)] == [
        dump[b":bike:%d:hash" % pk][1] for pk in range(1, 4_001)
    ]
    assert not [key for key in dump if key.startswith(b":bike:color:")]


def fields_of(model: Any) -> dict[str, Any]:
    return {name: field for name, field in vars(model).items() if name in ("colour", "labels")}


def moved(client: Any) -> set[bytes]:
    return client.sunion([b":bike:colour:%d" % value for value in range(50)])


# What is refused.


def test_what_cannot_be_renamed(server: Backend) -> None:
    """A field that is not there, a primary key, the name it has, names that cannot be; nothing is sent."""
    model = bike(server, StringField, "old", indexable=True)
    made(model, "a")
    before = server.dump()
    for error, field, new, options, words in [
        (ImplementationError, "nowhere", "x", {}, "Bike.nowhere is not declared. Way out: one of field, other"),
        (ImplementationError, "pk", "x", {}, "is its primary key"),
        (ArgumentError, "field", "old", {}, "is stored as 'old' by its declaration"),
        (ArgumentError, "field", "new", {"old": "new"}, "is stored as 'new'"),
        (ArgumentError, "field", "new", {"both": "x"}, "'leave', 'old' or 'new', not 'x'"),
        (ArgumentError, "field", "new", {"passes": 0}, "passes"),
        (ImplementationError, "field", "other", {}, "cannot be stored as 'other': Bike.other is called so"),
        (ImplementationError, "field", "x", {"old": "other"}, "cannot be stored as 'other'"),
        (ImplementationError, "field", "a:b", {}, "':' separates"),
        (ImplementationError, "field", "hash", {}, "cannot be stored as 'hash'"),
    ]:
        with pytest.raises(error, match=words.replace("(", r"\(")):
            rename(model, field, new, **options)
    assert before == server.dump()


def test_a_name_that_begins_other_keys(server: Backend) -> None:
    """Of another model, and of primary keys that were chosen."""
    database = server.database()
    on = {"database": database}
    model = type("Bike", (RedisModel,), on | {"key": PKField(), "field": StringField(indexable=True)})
    counted = type("Cycle", (RedisModel,), on | {"field": StringField(indexable=True)})
    type("Wheel", (RedisModel,), on | {"namespace": ":cycle"})
    with pytest.raises(ImplementationError, match="keys of Wheel begin with ':cycle:wheel'"):
        rename(counted, "field", "wheel")
    model(key="newer", field="a")
    for pk in ("new:er", "new"):
        model(key=pk, field="a")
        before = server.dump()
        with pytest.raises(ImplementationError, match=f"there is the primary key '{pk}'"):
            rename(model, "field", "new")
        assert before == server.dump()
        model(pk).delete()
    assert 1 == rename(model, "field", "new").moved


def test_data_that_has_another_name_than_the_declaration_says(server: Backend) -> None:
    """After the new declaration was deployed what is left is moved by naming the old name."""
    old, new = bike(server, ListField, "old", indexable=True), bike(server, ListField, "new", indexable=True)
    made(old, ["a"])
    assert 1 == rename(new, "field", "new", old="old").moved
    assert ["a"] == new(1).field.lrange(0, -1)


# The command.


@pytest.fixture
def bikes(capsys: pytest.CaptureFixture[str]) -> Any:
    """The models of the module that the command line names, without data."""
    from tests.maintenance.renamed import Bike

    Bike.database.connection.flushall()
    return Bike


TARGET = "tests.maintenance.renamed:Bike.colour"


def test_the_command(bikes: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Done: 0; something left: 1, and told on stdout; it could not be done: 2, and why on stderr."""
    bikes(colour="red", labels=["a"])
    assert 1 == main(["rename", TARGET, "colour", "--dry-run"])
    assert "1 would be moved" in capsys.readouterr().out
    assert 0 == main(["rename", TARGET, "colour"])
    assert f"{TARGET}: 1 moved, 0 dropped, 0 left" in capsys.readouterr().out
    assert {"colour": "red"} == bikes.database.connection.hgetall(":bike:1:hash")
    bikes(1).colour.hset("blue")
    assert 1 == main(["rename", TARGET, "colour"])
    shown = capsys.readouterr().out
    assert "Bike <1>: colour is 'blue' under 'color', and 'red' under 'colour'" in shown
    assert 0 == main(["rename", TARGET, "colour", "--both", "old"])
    assert {"colour": "blue"} == bikes.database.connection.hgetall(":bike:1:hash")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tests.maintenance.renamed:Bike", "x"], "names no field. Way out: tests.maintenance.renamed:Bike.field"),
        (["tests.maintenance.renamed:Bike.color", "x"], "no field 'color'"),
        (["tests.maintenance.renamed:Abstract", "x"], "is no model"),
        (["tests.maintenance.nowhere:Bike.colour", "x"], "cannot be imported"),
        (["Bike.colour", "x"], "is no model. Way out: module:Model"),
        ([TARGET, "color"], "is stored as 'color' by its declaration. Way out: --from"),
        ([TARGET, "labels"], "Bike.labels is called so"),
    ],
)
def test_a_command_that_cannot_be_done(
    bikes: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert 2 == main(["rename", *arguments])
    assert words in capsys.readouterr().err


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and the status says that nothing is known."""
    ran = subprocess.run(
        [sys.executable, "-m", "uowredis", "rename", TARGET, "colour"],
        env=os.environ | {"RENAMED_URL": "redis://localhost:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (2, "") == (ran.returncode, ran.stdout)
    assert "cannot be reached" in ran.stderr
    assert 1 == len(ran.stderr.splitlines())


def test_what_is_called_like_the_old_name_is_not_taken_for_its_index(server: Backend) -> None:
    """The old name may be that of an object, or begin the keys of another model, as the new one may."""

    class Bike(RedisModel):
        database = server.database()
        id = PKField()
        colour = InstanceHashField(indexable=True)
        tags = SetField()

    Bike(id="color", tags=["red", "fast"])
    with pytest.raises(ImplementationError, match="cannot be stored as 'color': there is the primary key 'color'"):
        rename(Bike, "colour", "colour", old="color")
    assert {"red", "fast"} == Bike("color").tags.smembers()

    class Car(RedisModel):
        database = server.database()
        namespace = "shop"
        colour = InstanceHashField(indexable=True)

    class Color(RedisModel):
        database = Car.database
        namespace = "shop:car"
        name = InstanceHashField(indexable=True)

    for name in ("red", "blue"):
        Color(name=name)
    with pytest.raises(ImplementationError, match="cannot be stored as 'color': keys of Color begin with"):
        rename(Car, "colour", "colour", old="color")
    assert ["1", "2"] == sorted(Color.collection())
    assert ["1"] == list(Color.collection(name="red"))


def test_one_pass_that_moved_something_does_not_know_that_all_is_done(server: Backend) -> None:
    """Others may have written under the old name meanwhile; a look tells that they have not."""
    old, _ = with_both(server, InstanceHashField, "1", "1")
    done = rename(old, "field", "new", passes=1)
    assert (1, 0) == (done.dropped, done.busy)
    assert done.is_done
