"""What cannot be done is refused with an error that names model, field, value and the way out; nothing is written."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import things, words
from tests.tools.backends import Backend
from tests.tools.refusing import each_everywhere, everywhere, refused
from uowredis import (
    ArgumentError,
    DoesNotExist,
    ImplementationError,
    Session,
    UncommittedWrites,
)

# The constructor


def test_an_unknown_field(server: Backend) -> None:
    """A name that is no field of the model is named, with those that are."""
    thing = things(server.database())
    everywhere(server, thing, lambda: thing(colour="red"), ArgumentError, "Thing", "'colour'", "Way out", "string")
    everywhere(server, thing, lambda: thing(string="x", colour="red"), ArgumentError, "Thing", "'colour'")
    everywhere(server, thing, lambda: thing.get_or_connect(colour="red"), ValueError, "Thing", "'colour'", "string")


def test_a_pk_and_fields(server: Backend) -> None:
    """The constructor takes a pk, or fields."""
    thing = things(server.database())
    everywhere(server, thing, lambda: thing(1, string="x"), ArgumentError, "Thing", "Way out", "Thing(pk)")
    everywhere(server, thing, lambda: thing(1, 2), ArgumentError, "Thing", "Way out")


def test_a_pk_for_an_auto_pk(server: Backend) -> None:
    """An AutoPKField is counted by Redis and cannot be given."""
    thing = things(server.database())
    everywhere(server, thing, lambda: thing(pk=7), ArgumentError, "Thing.pk", "AutoPKField", "7", "Way out", "PKField")
    everywhere(server, thing, lambda: thing(pk=7, string="x"), ArgumentError, "Thing.pk", "AutoPKField")


def test_no_pk_where_it_is_chosen(server: Backend) -> None:
    """A PKField needs a value, once; also an empty object cannot be without."""
    word = words(server.database())
    everywhere(server, word, lambda: word(rank="7"), ArgumentError, "Word", "'key'", "Way out")
    everywhere(server, word, lambda: word(), ArgumentError, "Word", "'key'", "Way out")
    everywhere(server, word, lambda: word(pk="a", key="b"), ArgumentError, "Word", "'key'", "once")
    everywhere(server, word, lambda: word.get_or_connect(rank="7"), ArgumentError, "Word", "'key'")


@pytest.mark.parametrize(
    "pk",
    [
        *("", "collection", "max_pk", "__collection__", "__guard__", "__commit__", "lock-for-update", "rank", "sense"),
        *("collection:x", "max_pk:", "__collection__:tmp:1", "__guard__:a", "rank:7", "sense:a@x"),
    ],
)
def test_a_pk_whose_keys_would_collide(server: Backend, pk: str) -> None:
    """A pk that is reserved or names an indexed field, also before a colon, and an empty one, are refused."""
    word = words(server.database())
    everywhere(server, word, lambda: word(key=pk, rank="7"), ArgumentError, "Word", repr(pk), "Way out")
    everywhere(server, word, lambda: word.get_or_connect(key=pk), ArgumentError, "Word", repr(pk), "Way out")
    assert not word.exists(pk)


@pytest.mark.parametrize("pk", ["plain", "plain:x", "ranks", "collections", "x:rank"])
def test_a_pk_whose_keys_do_not_collide(server: Backend, pk: str) -> None:
    """Names of fields without index, and words that only begin like a reserved one, may be primary keys."""
    word = words(server.database())
    assert word(key=pk, rank="7") == word.get(rank="7")


UNSTORABLE = [None, True, False, object(), ["a"], ("a",), {"a": 1}, {"a"}, 1j, bytearray(b"a")]


@pytest.mark.parametrize("value", UNSTORABLE, ids=lambda value: type(value).__name__)
def test_a_value_of_a_field_in_the_constructor(server: Backend, value: object) -> None:
    """What is neither text nor a number is refused by the field it was given to."""
    thing = things(server.database())
    single = ("string", "entry", "indexed_string", "indexed_entry", "serial")
    given = dict.fromkeys(single, value)
    given |= {name: [value] for name in ("set", "list", "indexed_set", "indexed_list")}
    given |= {name: {"a": value} for name in ("headers", "zset", "indexed_headers", "indexed_zset")}
    acts = [(lambda g={name: of}: thing(**g), [f"Thing.{name}"]) for name, of in given.items()]
    each_everywhere(server, thing, acts, (ArgumentError, TypeError))


@pytest.mark.parametrize("pk", UNSTORABLE, ids=lambda value: type(value).__name__)
def test_a_pk_that_is_neither_text_nor_number(server: Backend, pk: object) -> None:
    """A pk is text or a number, chosen or asked for."""
    word = words(server.database())
    everywhere(server, word, lambda: word(key=pk), (ArgumentError, TypeError), "Word")
    everywhere(server, word, lambda: word(pk), (ArgumentError, TypeError), "Word")


# Filters


def test_filters_that_cannot_be(server: Backend) -> None:
    """No condition, no such field, a field without index, a HashField without entry, an entry of another field."""
    thing = things(server.database())
    for method in (thing.exists, thing.get, thing.get_or_connect):

        def asked(*args: Any, method: Any = method, **filters: Any) -> Callable[[], Any]:
            return lambda: method(*args, **filters)

        everywhere(server, thing, asked(), ArgumentError, "Thing", method.__name__)
        everywhere(server, thing, asked(colour="x"), ImplementationError, "Thing", "'colour'", "Way out")
        everywhere(server, thing, asked(string="x"), ImplementationError, "Thing.string", "index", "indexable=True")
        everywhere(server, thing, asked(set="x"), ImplementationError, "Thing.set", "index", "indexable=True")
        everywhere(
            server, thing, asked(indexed_string__a="x"), ImplementationError, "Thing", "indexed_string", "Way out"
        )
        everywhere(
            server, thing, asked(indexed_headers="x"), ImplementationError, "Thing", "indexed_headers__", "Way out"
        )
        everywhere(server, thing, asked(indexed_string=None), ArgumentError, "Thing.indexed_string", "None")
        everywhere(server, thing, asked(indexed_set=["a"]), ArgumentError, "Thing.indexed_set")


def test_what_could_not_be_created_is_refused_whether_it_is_there_or_not(server: Backend) -> None:
    """A member of a sorted set finds an object, but creates none: it has no score."""
    thing = things(server.database())
    for _ in range(2):
        everywhere(server, thing, lambda: thing.get_or_connect(indexed_zset="sun"), ArgumentError, "Thing.indexed_zset")
        thing(indexed_zset={"sun": 1})


def test_two_pks_that_contradict_each_other(server: Backend) -> None:
    """The pk is asked for once: as the argument, or under the name of its field."""
    word = words(server.database())
    word(key="a")
    word(key="b")
    for method in (word.exists, word.get):
        everywhere(server, word, lambda m=method: m("a", key="b"), ArgumentError, "Word", "'a'", "once")


# Assignment


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("string", "string.set("),
        ("entry", "entry.hset("),
        ("headers", "headers.hmset("),
        ("set", "set.sadd("),
        ("list", "list.rpush("),
        ("zset", "zset.zadd("),
    ],
)
def test_assignment_to_a_field(server: Backend, name: str, way_out: str) -> None:
    """A field is not assigned to; the error names a command that stores."""
    thing = things(server.database())
    made = thing(string="x")
    everywhere(server, thing, lambda: setattr(made, name, "y"), AttributeError, f"Thing.{name}", way_out)


def test_assignment_to_the_pk(server: Backend) -> None:
    """The pk is not assigned to, nor deleted, nor is a field deleted by ``del``."""
    thing = things(server.database())
    made = thing(string="x")
    everywhere(server, thing, lambda: setattr(made, "pk", "2"), AttributeError, "Thing.pk")
    everywhere(server, thing, lambda: delattr(made, "string"), AttributeError, "string")


# Deleted instances


def test_commands_on_a_deleted_instance(server: Backend) -> None:
    """After ``delete()`` every command of the handle, and a second ``delete()``, raise DoesNotExist."""
    thing = things(server.database())
    acts: list[Callable[[Any], Any]] = [
        lambda b: b.delete(),
        lambda b: b.string.set("y"),
        lambda b: b.string.get(),
        lambda b: b.indexed_string.set("y"),
        lambda b: b.entry.hset("y"),
        lambda b: b.hmset(entry="y"),
        lambda b: b.hmget("entry"),
        lambda b: b.set.sadd("y"),
        lambda b: b.string.delete(),
        lambda b: b.pk.get(),
    ]
    made = thing(string="x", serial="1")
    made.delete()
    for act in acts:
        everywhere(server, thing, lambda a=act: a(made), DoesNotExist, "Thing", "1", "deleted", "Way out")
    made = thing(string="x", serial="1")
    before = server.dump()
    with Session(thing.database) as s:
        made.delete()
        for act in acts:
            with refused(server, DoesNotExist, "Thing", "deleted"):
                act(made)
        s.rollback()
    assert before == server.dump()
    # Nothing was deleted: the handle is as good as before.
    assert "x" == made.string.get()


def test_deleting_what_was_never_made(server: Backend) -> None:
    """An empty instance has nothing to delete; it may still be filled."""
    thing = things(server.database())
    empty = thing()
    everywhere(server, thing, lambda: empty.delete(), DoesNotExist, "Thing", "Way out")
    assert True is empty.string.set("x")


def test_commands_through_another_handle_in_a_session(server: Backend) -> None:
    """Another handle of what the session deleted reads nothing, as after the commit; its writes are refused at once."""
    thing = things(server.database())
    made = thing(string="x")
    other = thing(made.pk.get())
    with Session(thing.database) as s:
        made.delete()
        assert other.string.get() is None
        for act in (lambda: other.string.set("y"), lambda: other.delete()):
            with refused(server, DoesNotExist, "Thing", "1"):
                act()
        s.rollback()
    assert "x" == other.string.get()


@pytest.mark.parametrize(
    "act",
    [
        lambda b: b.indexed_string.set("y"),
        lambda b: b.indexed_string.append("y"),
        lambda b: b.indexed_entry.hincrby(),
        lambda b: b.indexed_headers.hmset(a=1),
        lambda b: b.indexed_set.sadd("y"),
        lambda b: b.indexed_list.rpush("y"),
        lambda b: b.indexed_zset.zadd(y=1),
        lambda b: b.serial.set("2"),
        lambda b: b.delete(),
    ],
)
def test_a_handle_of_what_was_deleted_elsewhere(server: Backend, act: Callable[[Any], Any]) -> None:
    """An indexed write, a deletion, and any write of a session, on an object deleted through another handle, leave
    nothing behind."""
    thing = things(server.database())
    other = thing((made := thing(string="x", serial="1")).pk.get())
    made.delete()
    with refused(server, DoesNotExist, "Thing", "1"):
        act(other)
    other = thing((made := thing(string="x", serial="1")).pk.get())
    with Session(thing.database) as s:
        act(other)
        made_again = thing(string="z")
        # Another client deletes it between what was said and the commit.
        with server.client() as client:
            client.delete(*client.keys(":thing:2:*"), ":thing:serial:1")
            client.srem(":thing:collection", "2")
        with refused(server, DoesNotExist, "Thing", "2", burnt=1):
            s.commit()
        s.rollback()
    with pytest.raises(DoesNotExist):
        made_again.string.get()


def test_a_plain_write_of_a_session_on_what_was_deleted_elsewhere(server: Backend) -> None:
    """Also a write without index does not bring back a deleted object, if it is part of a session."""
    thing = things(server.database())
    other = thing((made := thing(string="x")).pk.get())
    made.delete()
    with Session(thing.database) as s:
        other.string.set("y")
        other.set.sadd("y")
        with refused(server, DoesNotExist, "Thing", "1"):
            s.commit()
        s.rollback()


def test_an_object_of_a_rolled_back_session(server: Backend) -> None:
    """An object made in a session that was rolled back never was."""
    thing = things(server.database())
    with Session(thing.database) as s:
        made = thing(string="x")
        s.rollback()
    everywhere(server, thing, lambda: made.string.set("y"), DoesNotExist, "Thing", "rolled back", "Way out")


# Leaving


def test_leaving_with_what_was_never_sent(server: Backend) -> None:
    """A session that is left with pending writes says so, and names them; nothing was written."""
    thing = things(server.database())
    with refused(server, UncommittedWrites, "Thing", "string.set", "commit()", "rollback()"), Session(thing.database):
        thing().string.set("x")
