"""All that a collection finds deleted or changed, and rows created, in batches that are whole."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind, groups, products
from tests.session.doors import data
from tests.tools.backends import Backend
from tests.tools.proxy import Proxy
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    Conflict,
    DoesNotExist,
    InstanceHashField,
    Json,
    RedisDatabase,
    RedisModel,
    Session,
    SessionError,
    SetField,
    StringField,
    UniquenessError,
)
from uowredis.contrib.related import CASCADE, FKStringField, RelatedModel


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.fixture
def product(on: RedisDatabase) -> Any:
    """Seven products, food but for the last."""
    product = products(on)
    product.create_many([{"name": f"n{n}", "kind": "food" if n < 7 else "book", "tags": ["a"]} for n in range(1, 8)])
    return product


def names(model: Any) -> list[str]:
    return list(model.collection().sort().values_list("name", flat=True))


# create_many()


def test_rows_become_objects_in_their_order(server: Backend, on: RedisDatabase) -> None:
    """The very data that one constructor after the other makes."""
    rows = [{"name": "bread", "kind": "food", "tags": ["a", "b"]}, {"name": "cake"}, {"sold": {"x": 1}, "shelf": ["s"]}]
    product = products(on)
    for row in rows:
        product(**row)
    expected = data(server)
    product.collection().delete()
    on.connection.delete(":product:max_pk")
    made = product.create_many(iter(rows), batch=2)
    assert ["1", "2", "3"] == [each.pk.get() for each in made]
    assert expected == data(server)
    assert [] == product.create_many([])


def test_a_row_is_looked_at_once(on: RedisDatabase) -> None:
    """What is called for a default is called once a row, and an iterator gives all its values."""
    numbers = itertools.count(1)

    class Ticket(RedisModel):
        database = on
        number = StringField(default=lambda: next(numbers))
        tags = SetField()

        def __init__(self, *args: Any, **values: Any) -> None:
            super().__init__(*args, **values | {"number": 77})

    rows: Any = [{"tags": iter(["a", "b"])}, {}, {"number": 9}]
    made = Ticket.create_many(rows, batch=2)
    assert [("1", {"a", "b"}), ("2", set()), ("9", set())] == [
        (each.number.get(), each.tags.smembers()) for each in made
    ]
    assert ["1", "2", "3"] == [each.pk.get() for each in made]


def test_a_bad_row_is_told_before_anything_is_sent(server: Backend, on: RedisDatabase) -> None:
    """By its number, also where it is in the last batch."""
    product, before = products(on), server.dump()
    for row, error in (
        ({"nmae": "x"}, ArgumentError),
        ({"name": object()}, ArgumentTypeError),
        ({"pk": 5}, ArgumentError),
    ):
        with pytest.raises(error) as caught:
            product.create_many([{"name": "a"}, {"name": "b"}, row], batch=1)
        assert ["uowredis: in row 2 of create_many(), counted from 0; nothing was written"] == caught.value.__notes__
    for rows in ("ab", {"name": "a"}, [("name", "a")], [{1: "a"}]):
        with pytest.raises(ArgumentTypeError, match=r"create_many\(\) takes"):
            product.create_many(rows)
    for bad in ({"batch": 0}, {"batch": "x"}, {"progress": 5}):
        with pytest.raises(ArgumentError):
            product.create_many([{"name": "a"}], **bad)
    assert before == server.dump()


def test_batches_before_a_refusal_stay(on: RedisDatabase) -> None:
    """Of the one that is refused there is nothing; a note tells how many there are."""
    product, told = products(on), []
    rows = [{"name": name} for name in ("a", "b", "c", "a", "d", "e")]
    with pytest.raises(UniquenessError) as caught:
        product.create_many(rows, batch=2, progress=lambda *counts: told.append(counts))
    assert (["a", "b"], [(2, 6)]) == (names(product), told)
    assert "uowredis: create_many() has committed 2 of 6 before; these stay" in caught.value.__notes__
    with pytest.raises(UniquenessError) as caught:
        product.create_many(rows)
    assert ["a", "b"] == names(product)
    assert not any("has committed" in note for note in getattr(caught.value, "__notes__", ()))


def test_rows_in_a_session_are_part_of_its_commit(server: Backend, on: RedisDatabase) -> None:
    """Whatever a batch is; where one is refused none of them is said."""
    product, told = products(on), []
    with Session(on) as s:
        first, second = product.create_many(
            [{"name": "a"}, {"name": "b"}], batch=1, progress=lambda *counts: told.append(counts)
        )
        assert ({}, [(2, 2)]) == (data(server), told)
        assert "b" == second.name.hget()
        assert [first, second] == s.commit()
        with pytest.raises(ArgumentError):
            product.create_many([{"name": "c"}, {"nmae": "d"}])
        assert () == s.pending
    assert ["a", "b"] == names(product)


def test_round_trips(proxy: Proxy) -> None:
    """Two a batch, and two to find whom."""
    with RedisDatabase.from_url(proxy.url) as on:
        product = products(on)
        product(name="first")
        proxy.reset()
        product.create_many([{"name": f"n{n}", "kind": "food"} for n in range(10)], batch=5)
        assert 4 == proxy.round_trips()
        for many in (lambda c: c.update(color="red", batch=5), lambda c: c.delete(batch=5)):
            proxy.reset()
            assert 10 == many(product.collection(kind="food"))
            assert 6 == proxy.round_trips()


# delete() and update()


def test_what_is_found_is_deleted(server: Backend, on: RedisDatabase, product: Any) -> None:
    """With all that holds it, and nothing else; how many is told, after each batch too."""
    told: list[tuple[int, int]] = []
    everything = product.collection(kind="food").sort("-pk").values("name")
    assert 6 == everything.delete(batch=4, progress=lambda *counts: told.append(counts))
    assert ["n7"] == names(product)
    assert [(4, 6), (6, 6)] == told
    assert 0 == everything.delete()
    product("7").delete()
    assert {} == data(server)


VALUES: dict[str, tuple[Any, Any]] = {
    "title": ("t", None),
    "name": ("n", None),
    "headers": ({"x": "1"}, {}),
    "tags": (["x", "y"], []),
    "rows": (["x", "x"], None),
    "ranks": ({"x": 2}, {}),
}


def held(instance: Any) -> dict[str, Any]:
    return {
        "title": instance.title.get(),
        "name": instance.name.hget(),
        "headers": instance.headers.hgetall(),
        "tags": instance.tags.smembers(),
        "rows": instance.rows.lrange(0, -1),
        "ranks": dict(instance.ranks.zrange(0, -1, withscores=True)),
    }


@pytest.mark.parametrize("indexed", [False, True])
def test_what_is_given_is_all_that_a_field_holds(server: Backend, on: RedisDatabase, indexed: bool) -> None:
    """Of every kind, with what it held before gone, also from indexes: the data of an object made so."""
    thing = every_kind(on, indexed=indexed).Thing
    full = {"title": "o", "name": "o", "headers": {"o": 1}, "tags": ["o"], "rows": ["o", "o"], "ranks": {"o": 1}}
    new = {name: value for name, (value, _) in VALUES.items()}
    thing(**new)
    expected = data(server)
    thing.collection().delete()
    on.connection.delete(":thing:max_pk")
    changed = thing(**full)
    assert 1 == thing.collection().update(**{**new, "rows": iter(new["rows"])})
    assert expected == data(server)
    assert 1 == thing.collection().update({name: nothing for name, (_, nothing) in VALUES.items()})
    assert {
        name: type(value)() if name != "title" and name != "name" else None for name, value in held(changed).items()
    } == held(changed)


def test_an_empty_value_of_a_type_is_a_value(on: RedisDatabase) -> None:
    """Where one value is held."""

    class Note(RedisModel):
        database = on
        options = StringField(type=Json)
        batch = InstanceHashField(indexable=True)

    note = Note(options={"a": 1}, batch=1)
    assert 1 == Note.collection().update({"batch": 2}, options=[])
    assert ([], "2") == (note.options.get(), note.batch.hget())
    Note.collection(batch=2).update(options=None)
    assert None is note.options.get()


def test_relations_are_changed_and_followed(on: RedisDatabase) -> None:
    """An object may be given for a reference; what is deleted with others by an earlier batch is left out."""
    both = groups(on)
    ann, bob = both.person(name="ann"), both.person(name="bob")
    both.group.create_many([{"name": "g", "entry": ann, "members": [ann]}] * 2)
    assert 2 == both.group.collection(entry=ann).update(entry=bob, members=[bob])
    assert {"1", "2"} == set(both.group.collection(entry=bob, members=bob))

    class Node(RelatedModel):
        database = on
        above = FKStringField("self", on_delete=CASCADE, related_name="below")

    top = Node()
    top.pk.get()
    Node.create_many([{"above": top}] * 3)
    assert 1 == Node.collection().sort().delete(batch=1)
    assert [] == Node.collection()


def test_who_vanishes_between_batches_is_left_out(on: RedisDatabase, product: Any) -> None:
    """The others of its batch are done."""
    told: list[int] = []

    def progress(done: int, _: int) -> None:
        told.append(done)
        if done == 2:
            product("3").delete()

    collection = product.collection(kind="food").sort()
    assert 5 == collection.update(color="red", batch=2, progress=progress)
    assert ([2, 4, 6], ["1", "2", "4", "5", "6"]) == (told, sorted(product.collection(color="red")))
    assert 5 == product.collection(kind="food").delete()


def test_what_is_refused_midway(on: RedisDatabase, product: Any) -> None:
    """The batches before stay, which is told; nothing of the others is."""
    with pytest.raises(UniquenessError):
        product.collection(kind="food").update(name="same")
    assert 0 == product.collection(name="same").count()
    with pytest.raises(UniquenessError) as caught:
        product.collection(kind="food").sort().update(name="same", color="red", batch=1)
    assert (["1"], ["1"]) == (product.collection(name="same"), product.collection(color="red"))
    assert "uowredis: update() has committed 1 of 6 before; these stay" in caught.value.__notes__


def test_in_a_session(server: Backend, on: RedisDatabase, product: Any) -> None:
    """Of those that are found over what is pending, and all of it is part of the commit."""
    before = server.dump()
    with Session(on, on_pending="discard") as s:
        new = product(name="new", kind="food")
        product("1").kind.hset("book")
        product("2").delete()
        assert 5 == product.collection(kind="food").update(color="red", batch=1)
        assert "red" == new.color.hget()
        assert 2 == product.collection(kind="book").delete()
        assert before.keys() == server.dump().keys()
        s.commit()
    assert ["n3", "n4", "n5", "n6", "new"] == names(product)
    assert 5 == product.collection(color="red").count()


def test_under_watch(on: RedisDatabase, product: Any, server: Backend) -> None:
    """It is committed only where the same objects are found still."""
    with Session(on, watch_reads=True, on_pending="discard") as s, server.database() as other:
        product.collection(kind="book").delete()
        products(other)("1").kind.hset("book")
        with pytest.raises(Conflict):
            s.commit()
    assert 2 == product.collection(kind="book").count()


def test_what_can_not_be(server: Backend, product: Any) -> None:
    """Nothing is asked, and nothing written."""
    before, collection = server.dump(), product.collection()
    bad: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: collection.update(), ArgumentError, "at least one field"),
        (lambda: collection.update({"name": 1}, name=2), ArgumentError, "each once"),
        (lambda: collection.update(nmae=1), ArgumentError, "no field 'nmae'"),
        (lambda: collection.update(pk=1), ArgumentError, "no field 'pk'"),
        (lambda: collection.update(color=object()), ArgumentTypeError, "color"),
        (lambda: collection.update([("color", 1)]), ArgumentTypeError, "takes a mapping"),
        (lambda: collection.update(color="red", batch=0), ArgumentError, "batch"),
        (lambda: collection.delete(batch=True), ArgumentTypeError, "batch"),
        (lambda: collection.delete(progress=1), ArgumentTypeError, "progress"),
    ]
    for say, error, words in bad:
        with pytest.raises(error, match=words):
            say()
    assert before == server.dump()


def test_outside_of_sessions_where_that_is_refused(server: Backend) -> None:
    """It is a write like any; where nothing is found there is none."""
    product = products(server.database(outside="refuse"))
    for many in (lambda: product.create_many([{"name": "a"}]), lambda: product.collection().update(color="red")):
        if product.collection():
            continue
        with product.database.begin():
            product.create_many([{"name": "b"}])
        with pytest.raises(SessionError, match=r"(create_many|update)\(\) of|is written with no session"):
            many()
    assert 0 == product.collection(name="a").delete()
    with pytest.raises(SessionError, match="is written with no session"):
        product.collection(name="b").delete()


def test_an_entry_of_nobody_is_no_hindrance(on: RedisDatabase, product: Any) -> None:
    """What an index still says of an object that is gone is left out."""
    on.connection.sadd(":product:kind:food", "99")
    assert 6 == product.collection(kind="food").delete()


def test_who_is_referred_to_and_missing_is_an_error(on: RedisDatabase) -> None:
    """It is not taken for one that vanished."""
    both = groups(on)
    both.group(name="g")

    class Shelf(RelatedModel):
        database = on
        room = FKStringField("Shelf", check=True, related_name="shelves")
        name = InstanceHashField()

    Shelf(name="s")
    with pytest.raises(DoesNotExist, match="77"):
        Shelf.collection().update(room=77)
