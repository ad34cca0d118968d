"""What cannot be done is refused with an error that names model, field, value and the way out; nothing is written."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend
from tests.whole.refusing import bike_model, each_everywhere, everywhere, refused
from uowredis import (
    ArgumentError,
    DoesNotExist,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisModel,
    Session,
    StringField,
    UncommittedWrites,
)

# The constructor


def test_an_unknown_field(server: Backend) -> None:
    """A name that is no field of the model is named, with those that are."""
    bike = bike_model(server)
    everywhere(server, bike, lambda: bike(colour="red"), ArgumentError, "Bike", "'colour'", "Way out", "string")
    everywhere(server, bike, lambda: bike(string="x", colour="red"), ArgumentError, "Bike", "'colour'")
    everywhere(server, bike, lambda: bike.get_or_connect(colour="red"), ValueError, "Bike", "'colour'", "string")


def test_a_pk_and_fields(server: Backend) -> None:
    """The constructor takes a pk, or fields."""
    bike = bike_model(server)
    everywhere(server, bike, lambda: bike(1, string="x"), ArgumentError, "Bike", "Way out", "Bike(pk)")
    everywhere(server, bike, lambda: bike(1, 2), ArgumentError, "Bike", "Way out")


def test_a_pk_for_an_auto_pk(server: Backend) -> None:
    """An AutoPKField is counted by Redis and cannot be given."""
    bike = bike_model(server)
    everywhere(server, bike, lambda: bike(pk=7), ArgumentError, "Bike.pk", "AutoPKField", "7", "Way out", "PKField")
    everywhere(server, bike, lambda: bike(pk=7, string="x"), ArgumentError, "Bike.pk", "AutoPKField")


def chosen_model(server: Backend) -> type[RedisModel]:
    """Return a model whose pk is chosen, with a plain and an indexed field."""
    return type(
        "Person",
        (RedisModel,),
        {
            "database": server.database(),
            "login": PKField(),
            "plain": StringField(),
            "city": StringField(indexable=True),
            "email": InstanceHashField(unique=True),
        },
    )


def test_no_pk_where_it_is_chosen(server: Backend) -> None:
    """A PKField needs a value, once; also an empty object cannot be without."""
    person = chosen_model(server)
    everywhere(server, person, lambda: person(city="Rome"), ArgumentError, "Person", "'login'", "Way out")
    everywhere(server, person, lambda: person(), ArgumentError, "Person", "'login'", "Way out")
    everywhere(server, person, lambda: person(pk="a", login="b"), ArgumentError, "Person", "'login'", "once")
    everywhere(server, person, lambda: person.get_or_connect(city="Rome"), ArgumentError, "Person", "'login'")


@pytest.mark.parametrize(
    "pk",
    [
        *("", "collection", "max_pk", "__collection__", "__guard__", "__commit__", "city", "email"),
        *("collection:x", "max_pk:", "__collection__:tmp:1", "__guard__:a", "city:Rome", "email:a@x"),
    ],
)
def test_a_pk_whose_keys_would_collide(server: Backend, pk: str) -> None:
    """A pk that is reserved or names an indexed field, also before a colon, and an empty one, are refused."""
    person = chosen_model(server)
    everywhere(server, person, lambda: person(login=pk, city="Rome"), ArgumentError, "Person", repr(pk), "Way out")
    everywhere(server, person, lambda: person.get_or_connect(login=pk), ArgumentError, "Person", repr(pk), "Way out")
    assert not person.exists(pk)


@pytest.mark.parametrize("pk", ["plain", "plain:x", "citys", "collections", "x:city"])
def test_a_pk_whose_keys_do_not_collide(server: Backend, pk: str) -> None:
    """Names of fields without index, and words that only begin like a reserved one, may be primary keys."""
    person = chosen_model(server)
    assert person(login=pk, city="Rome") == person.get(city="Rome")


UNSTORABLE = [None, True, False, object(), ["a"], ("a",), {"a": 1}, {"a"}, 1j, bytearray(b"a")]


@pytest.mark.parametrize("value", UNSTORABLE, ids=lambda value: type(value).__name__)
def test_a_value_of_a_field_in_the_constructor(server: Backend, value: object) -> None:
    """What is neither text nor a number is refused by the field it was given to."""
    bike = bike_model(server)
    single = ("string", "instancehash", "indexed_string", "indexed_instancehash", "serial")
    given = dict.fromkeys(single, value)
    given |= {name: [value] for name in ("set", "list", "indexed_set", "indexed_list")}
    given |= {name: {"a": value} for name in ("headers", "sortedset", "indexed_headers", "indexed_sortedset")}
    acts = [(lambda g={name: of}: bike(**g), [f"Bike.{name}"]) for name, of in given.items()]
    each_everywhere(server, bike, acts, (ArgumentError, TypeError))


@pytest.mark.parametrize("pk", UNSTORABLE, ids=lambda value: type(value).__name__)
def test_a_pk_that_is_neither_text_nor_number(server: Backend, pk: object) -> None:
    """A pk is text or a number, chosen or asked for."""
    person = chosen_model(server)
    everywhere(server, person, lambda: person(login=pk), (ArgumentError, TypeError), "Person")
    everywhere(server, person, lambda: person(pk), (ArgumentError, TypeError), "Person")


# Filters


def test_filters_that_cannot_be(server: Backend) -> None:
    """No condition, no such field, a field without index, a HashField without entry, an entry of another field."""
    bike = bike_model(server)
    for method in (bike.exists, bike.get, bike.get_or_connect):

        def asked(*args: Any, method: Any = method, **filters: Any) -> Callable[[], Any]:
            return lambda: method(*args, **filters)

        everywhere(server, bike, asked(), ArgumentError, "Bike", method.__name__)
        everywhere(server, bike, asked(colour="x"), ImplementationError, "Bike", "'colour'", "Way out")
        everywhere(server, bike, asked(string="x"), ImplementationError, "Bike.string", "index", "indexable=True")
        everywhere(server, bike, asked(set="x"), ImplementationError, "Bike.set", "index", "indexable=True")
        everywhere(server, bike, asked(indexed_string__a="x"), ImplementationError, "Bike", "indexed_string", "Way out")
        everywhere(
            server, bike, asked(indexed_headers="x"), ImplementationError, "Bike", "indexed_headers__", "Way out"
        )
        everywhere(server, bike, asked(indexed_string=None), ArgumentError, "Bike.indexed_string", "None")
        everywhere(server, bike, asked(indexed_set=["a"]), ArgumentError, "Bike.indexed_set")


def test_two_pks_that_contradict_each_other(server: Backend) -> None:
    """The pk is asked for once: as the argument, or under the name of its field."""
    person = chosen_model(server)
    person(login="a")
    person(login="b")
    for method in (person.exists, person.get):
        everywhere(server, person, lambda m=method: m("a", login="b"), ArgumentError, "Person", "'a'", "once")


# Assignment


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("string", "string.set("),
        ("instancehash", "instancehash.hset("),
        ("headers", "headers.hmset("),
        ("set", "set.sadd("),
        ("list", "list.rpush("),
        ("sortedset", "sortedset.zadd("),
    ],
)
def test_assignment_to_a_field(server: Backend, name: str, way_out: str) -> None:
    """A field is not assigned to; the error names a command that stores."""
    bike = bike_model(server)
    made = bike(string="x")
    everywhere(server, bike, lambda: setattr(made, name, "y"), AttributeError, f"Bike.{name}", way_out)


def test_assignment_to_the_pk(server: Backend) -> None:
    """The pk is not assigned to, nor deleted, nor is a field deleted by ``del``."""
    bike = bike_model(server)
    made = bike(string="x")
    everywhere(server, bike, lambda: setattr(made, "pk", "2"), AttributeError, "Bike.pk")
    everywhere(server, bike, lambda: delattr(made, "string"), AttributeError, "string")


# Deleted instances


def test_commands_on_a_deleted_instance(server: Backend) -> None:
    """After ``delete()`` every command of the handle, and a second ``delete()``, raise DoesNotExist."""
    bike = bike_model(server)
    acts: list[Callable[[Any], Any]] = [
        lambda b: b.delete(),
        lambda b: b.string.set("y"),
        lambda b: b.string.get(),
        lambda b: b.indexed_string.set("y"),
        lambda b: b.instancehash.hset("y"),
        lambda b: b.hmset(instancehash="y"),
        lambda b: b.hmget("instancehash"),
        lambda b: b.set.sadd("y"),
        lambda b: b.string.delete(),
        lambda b: b.pk.get(),
    ]
    made = bike(string="x", serial="1")
    made.delete()
    for act in acts:
        everywhere(server, bike, lambda a=act: a(made), DoesNotExist, "Bike", "1", "deleted", "Way out")
    made = bike(string="x", serial="1")
    before = server.dump()
    with Session(bike.database) as s:
        made.delete()
        for act in acts:
            with refused(server, DoesNotExist, "Bike", "deleted"):
                act(made)
        s.rollback()
    assert before == server.dump()
    # Nothing was deleted: the handle is as good as before.
    assert "x" == made.string.get()


def test_deleting_what_was_never_made(server: Backend) -> None:
    """An empty instance has nothing to delete; it may still be filled."""
    bike = bike_model(server)
    empty = bike()
    everywhere(server, bike, lambda: empty.delete(), DoesNotExist, "Bike", "Way out")
    assert True is empty.string.set("x")


def test_commands_through_another_handle_in_a_session(server: Backend) -> None:
    """Another handle of what the session deleted reads nothing, as after the commit; its writes are refused at once."""
    bike = bike_model(server)
    made = bike(string="x")
    other = bike(made.pk.get())
    with Session(bike.database) as s:
        made.delete()
        assert other.string.get() is None
        for act in (lambda: other.string.set("y"), lambda: other.delete()):
            with refused(server, DoesNotExist, "Bike", "1"):
                act()
        s.rollback()
    assert "x" == other.string.get()


@pytest.mark.parametrize(
    "act",
    [
        lambda b: b.indexed_string.set("y"),
        lambda b: b.indexed_string.append("y"),
        lambda b: b.indexed_instancehash.hincrby(),
        lambda b: b.indexed_headers.hmset(a=1),
        lambda b: b.indexed_set.sadd("y"),
        lambda b: b.indexed_list.rpush("y"),
        lambda b: b.indexed_sortedset.zadd(y=1),
        lambda b: b.serial.set("2"),
        lambda b: b.delete(),
    ],
)
def test_a_handle_of_what_was_deleted_elsewhere(server: Backend, act: Callable[[Any], Any]) -> None:
    """An indexed write, a deletion, and any write of a session, on an object deleted through another handle, leave
    nothing behind."""
    bike = bike_model(server)
    other = bike((made := bike(string="x", serial="1")).pk.get())
    made.delete()
    with refused(server, DoesNotExist, "Bike", "1"):
        act(other)
    other = bike((made := bike(string="x", serial="1")).pk.get())
    with Session(bike.database) as s:
        act(other)
        made_again = bike(string="z")
        # Another client deletes it between what was said and the commit.
        with server.client() as client:
            client.delete(*client.keys(":bike:2:*"), ":bike:serial:1")
            client.srem(":bike:collection", "2")
        with refused(server, DoesNotExist, "Bike", "2", burnt=1):
            s.commit()
        s.rollback()
    with pytest.raises(DoesNotExist):
        made_again.string.get()


def test_a_plain_write_of_a_session_on_what_was_deleted_elsewhere(server: Backend) -> None:
    """Also a write without index does not bring back a deleted object, if it is part of a session."""
    bike = bike_model(server)
    other = bike((made := bike(string="x")).pk.get())
    made.delete()
    with Session(bike.database) as s:
        other.string.set("y")
        other.set.sadd("y")
        with refused(server, DoesNotExist, "Bike", "1"):
            s.commit()
        s.rollback()


def test_an_object_of_a_rolled_back_session(server: Backend) -> None:
    """An object made in a session that was rolled back never was."""
    bike = bike_model(server)
    with Session(bike.database) as s:
        made = bike(string="x")
        s.rollback()
    everywhere(server, bike, lambda: made.string.set("y"), DoesNotExist, "Bike", "rolled back", "Way out")


# Leaving


def test_leaving_with_what_was_never_sent(server: Backend) -> None:
    """A session that is left with pending writes says so, and names them; nothing was written."""
    bike = bike_model(server)
    with refused(server, UncommittedWrites, "Bike", "string.set", "commit()", "rollback()"), Session(bike.database):
        bike().string.set("x")
