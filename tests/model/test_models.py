"""The chapter on models: objects made, found, compared and deleted."""

from typing import Any

import pytest

from tests.models import things
from tests.tools.backends import Backend
from tests.tools.refusing import everywhere
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    DoesNotExist,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisModel,
    Session,
    StringField,
    fields,
    model,
)


def example_model(server: Backend) -> type[RedisModel]:
    """Return a model with a plain and two indexed fields, of two kinds."""

    class Example(model.RedisModel):
        database = server.database()

        foo = fields.StringField()
        bar = fields.StringField(indexable=True)
        headers = fields.HashField(indexable=True)

    return Example


# Creation


def test_an_object_is_made_of_its_fields(server: Backend) -> None:
    """``Example(foo=..., bar=...)`` stores the fields, and a pk that Redis counted."""
    example = example_model(server)(foo="FOO", bar="BAR")
    assert "New example object with pk #1" == f"New example object with pk #{example.pk.get()}"
    assert ["FOO", "BAR"] == [example.foo.get(), example.bar.get()]


def test_an_object_is_made_by_the_commit(server: Backend) -> None:
    """In a session the object reads as made, and is in Redis after the commit."""
    example_class = example_model(server)
    with Session(example_class.database) as s:
        example = example_class(foo="FOO", bar="BAR")
        assert ["FOO", "BAR"] == [example.foo.get(), example.bar.get()]
        assert {} == server.dump()
        assert [example] == s.commit()
    assert "1" == example.pk.get()
    assert ["FOO", "BAR"] == [example.foo.get(), example.bar.get()]
    assert example_class(1) == example


def test_every_kind_of_field_takes_a_value_in_the_constructor(server: Backend) -> None:
    """Sets and lists take many values, hashes and sorted sets a mapping."""
    thing = things(server.database())

    def given() -> dict[str, object]:
        return {
            "set": {"a", "b"},
            "list": ["x", 2, "x"],
            "headers": {"from": "me"},
            "zset": {"a": 1.5},
            "entry": 5,
        }

    def held(example: RedisModel) -> list[object]:
        return [
            example.set.smembers(),
            example.list.lrange(0, -1),
            example.headers.hgetall(),
            example.zset.zscore("a"),
            example.entry.hget(),
        ]

    expected = [{"a", "b"}, ["x", "2", "x"], {"from": "me"}, 1.5, "5"]
    assert expected == held(thing(**given()))
    with Session(thing.database) as s:
        example = thing(**given())
        assert expected == held(example)
        s.commit()
    assert expected == held(example)


def test_without_values_and_defaults_an_object_is_empty(server: Backend) -> None:
    """``Example()`` sends nothing and has no pk; reading, comparing and printing it allocate none."""
    example_class = example_model(server)
    example = example_class()
    assert [None, {}, 1] == [example.foo.get(), example.headers.hgetall(), len({example, example})]
    assert (True, False) == ("Example" in repr(example), example == example_class())
    assert {} == server.dump()


def test_an_empty_object_gets_its_pk_with_the_first_field(server: Backend) -> None:
    """The first write creates the instance; so does asking for the pk."""
    example_class = example_model(server)
    first, second = example_class(), example_class()
    assert True is first.foo.set("FOO")
    assert "2" == second.pk.get()
    assert ["1", "FOO"] == [first.pk.get(), first.foo.get()]
    assert [True, True] == [example_class.exists(1), example_class.exists(2)]


def test_an_empty_object_in_a_session(server: Backend) -> None:
    """The first write in a session says the creation; without one nothing is committed."""
    example_class = example_model(server)
    with Session(example_class.database) as s:
        example_class()
        assert [] == s.commit()
        example = example_class()
        stored = example.foo.set("FOO")
        assert "FOO" == example.foo.get()
        s.commit()
        assert True is stored.result
    assert "FOO" == example.foo.get()
    assert frozenset({example.pk.get().encode()}) == server.dump()[b":example:collection"][1]


def test_defaults_are_saved_at_creation(server: Backend) -> None:
    """Without arguments, defaults are taken and saved; with some, the others' defaults too."""
    main_database = server.database()

    class Example(RedisModel):
        database = main_database
        foo = StringField(default="FOO")
        bar = InstanceHashField(default=0)
        baz = StringField()

    assert ["FOO", "0", None] == [(example := Example()).foo.get(), example.bar.hget(), example.baz.get()]
    assert (True, "1") == (Example.exists(1), example.pk.get())
    with Session(main_database) as s:
        example = Example(foo="other")
        assert ["other", "0", None] == [example.foo.get(), example.bar.hget(), example.baz.get()]
        s.commit()
    assert ["other", "0", None] == [example.foo.get(), example.bar.hget(), example.baz.get()]


# From a pk


def test_an_object_is_got_by_its_pk(server: Backend) -> None:
    """``Example(pk)`` is the object; the pk may be spelled as text, number or bytes."""
    example_class = example_model(server)
    made = example_class(foo="FOO")
    for pk in (1, "1", b"1"):
        assert (made, "FOO") == (example_class(pk), example_class(pk).foo.get())
    with Session(example_class.database) as s:
        assert made == example_class(1)
        new = example_class(foo="new")
        pk = new.pk.get()
        assert new == example_class(pk)
        assert "new" == example_class(pk).foo.get()
        s.commit()
    assert new == example_class(pk)


def test_a_pk_that_is_not_there(server: Backend) -> None:
    """``Example(pk)`` raises the DoesNotExist of its model, naming model and pk."""
    example_class = example_model(server)
    assert issubclass(example_class.DoesNotExist, DoesNotExist)
    with pytest.raises(example_class.DoesNotExist, match="No Example found with pk '1'"):
        example_class(1)
    with Session(example_class.database), pytest.raises(DoesNotExist, match="No Example found with pk '1'"):
        example_class(1)
    assert {} == server.dump()


def test_an_object_deleted_in_the_session_is_not_there_for_it(server: Backend) -> None:
    """After ``delete()`` in a session the pk is gone for it, and for all after the commit."""
    example_class = example_model(server)
    example = example_class(foo="FOO", bar="BAR")
    before = server.dump()
    with Session(example_class.database) as s:
        assert None is example.delete()
        with pytest.raises(DoesNotExist):
            example_class(1)
        assert [False, False] == [example_class.exists(1), example_class.exists(bar="BAR")]
        assert before == server.dump()
        assert [None] == s.commit()
    with pytest.raises(DoesNotExist):
        example_class(1)


# exists, get, get_or_connect


def test_exists(server: Backend) -> None:
    """``exists`` finds by pk, by indexed fields, and by an entry of an indexed HashField; all must hold."""
    example_class = example_model(server)
    example_class(bar="BAR", headers={"from": "me", "to": "you"})
    example_class(bar="BAR")

    def answers() -> list[bool]:
        return [
            example_class.exists(1),
            example_class.exists(pk="1"),
            example_class.exists(9),
            example_class.exists(bar="BAR"),
            example_class.exists(bar="other"),
            example_class.exists(headers__from="me"),
            example_class.exists(headers__to="me"),
            example_class.exists(bar="BAR", headers__from="me"),
            example_class.exists(bar="BAR", headers__from="you"),
            example_class.exists(2, headers__from="me"),
            example_class.exists(1, headers__from="me", headers__to="you"),
        ]

    expected = [True, True, False, True, False, True, False, True, False, False, True]
    assert expected == answers()
    with Session(example_class.database):
        assert expected == answers()


def test_exists_in_a_session_sees_what_is_pending(server: Backend) -> None:
    """Pending values are found, values replaced or removed by pending writes are not."""
    example_class = example_model(server)
    example = example_class(bar="old", headers={"from": "me"})
    with Session(example_class.database) as s:
        example.bar.set("new")
        example.headers.hdel("from")
        other = example_class(bar="made", headers={"from": "you"})

        def answers() -> list[bool]:
            return [
                example_class.exists(bar="old"),
                example_class.exists(bar="new"),
                example_class.exists(headers__from="me"),
                example_class.exists(bar="made", headers__from="you"),
            ]

        assert [False, True, False, True] == answers()
        s.commit()
    assert [False, True, False, True] == answers()
    assert other == example_class.get(bar="made")


def test_get(server: Backend) -> None:
    """``get`` gives the one object that matches; none is DoesNotExist, several are an error that says how many."""
    example_class = example_model(server)
    one = example_class(bar="one", headers={"from": "me"})
    example_class(bar="two")
    example_class(bar="two")

    def check() -> None:
        assert [one] * 5 == [
            example_class.get(1),
            example_class.get(pk=1),
            example_class.get(bar="one"),
            example_class.get(headers__from="me"),
            example_class.get("1", bar="one", headers__from="me"),
        ]
        with pytest.raises(DoesNotExist, match="No Example found with bar='none'"):
            example_class.get(bar="none")
        with pytest.raises(DoesNotExist, match=r"No Example found with pk '?2'?, bar='one'"):
            example_class.get(2, bar="one")
        with pytest.raises(ArgumentError, match="2 Example match bar='two'"):
            example_class.get(bar="two")

    check()
    with Session(example_class.database):
        check()


def test_get_or_connect(server: Backend) -> None:
    """``get_or_connect`` finds by indexed fields, or creates with these values, and says which."""
    example_class = example_model(server)
    made, created = example_class.get_or_connect(bar="BAR")
    assert (True, "BAR") == (created, made.bar.get())
    assert (made, False) == example_class.get_or_connect(bar="BAR")
    with Session(example_class.database) as s:
        assert (made, False) == example_class.get_or_connect(bar="BAR")
        new, created = example_class.get_or_connect(bar="new")
        assert True is created
        assert (new, False) == example_class.get_or_connect(bar="new")
        s.commit()
    assert (new, False) == example_class.get_or_connect(bar="new")
    assert frozenset({b"1", b"2"}) == server.dump()[b":example:collection"][1]


def test_get_or_connect_by_pk(server: Backend) -> None:
    """With a PKField ``get_or_connect`` finds by the pk, under its name or as ``pk``, or creates it."""
    main_database = server.database()

    class Person(RedisModel):
        database = main_database
        name = PKField()

    ann, created = Person.get_or_connect(name="Ann")
    assert (True, "Ann") == (created, ann.pk.get())
    assert (ann, False) == Person.get_or_connect(pk="Ann")
    with Session(main_database) as s:
        assert (ann, False) == Person.get_or_connect(name="Ann")
        bob, created = Person.get_or_connect(pk="Bob")
        assert (True, (bob, False)) == (created, Person.get_or_connect(name="Bob"))
        s.commit()
    assert (bob, False) == Person.get_or_connect(name="Bob")


def test_get_or_connect_by_an_entry_of_a_hash(server: Backend) -> None:
    """``headers__from=...`` finds by an entry, and creates an object with that entry."""
    example_class = example_model(server)
    made, created = example_class.get_or_connect(headers__from="me")
    assert (True, {"from": "me"}) == (created, made.headers.hgetall())
    assert (made, False) == example_class.get_or_connect(headers__from="me")
    with Session(example_class.database) as s:
        new, created = example_class.get_or_connect(bar="BAR", headers__from="you", headers__to="me")
        assert (True, {"from": "you", "to": "me"}) == (created, new.headers.hgetall())
        s.commit()
    assert (new, False) == example_class.get_or_connect(bar="BAR", headers__from="you")


def test_get_or_connect_with_defaults(server: Backend) -> None:
    """``defaults`` are values of a new object only, also of fields without index and of the same HashField."""
    example_class = example_model(server)
    defaults = {"foo": "FOO", "headers": {"to": "you"}}
    made, created = example_class.get_or_connect(headers__from="me", defaults=defaults)
    assert (True, "FOO", {"from": "me", "to": "you"}) == (created, made.foo.get(), made.headers.hgetall())
    with Session(example_class.database):
        assert (made, False) == example_class.get_or_connect(headers__from="me", defaults={"foo": "other"})
    assert "FOO" == made.foo.get()
    assert example_class.get_or_connect(bar="BAR", defaults=None)[1]


def test_defaults_that_cannot_be(server: Backend) -> None:
    """No mapping, unknown fields, a value given twice, one that cannot be: refused whether it is there or not."""
    example_class = example_model(server)
    example_class(bar="BAR", headers={"from": "me"})

    def connect(defaults: Any, **filters: Any) -> Any:
        return lambda: example_class.get_or_connect(defaults=defaults, **filters)

    for bar in ("BAR", "none"):
        everywhere(server, example_class, connect("foo", bar=bar), ArgumentTypeError, "get_or_connect", "'foo'")
        everywhere(server, example_class, connect({1: 2}, bar=bar), ArgumentTypeError, "{1: 2}")
        everywhere(server, example_class, connect({"fo": 1}, bar=bar), ArgumentError, "'fo'", "Way out")
        everywhere(server, example_class, connect({"bar": 1}, bar=bar), ArgumentError, "'bar' once", "Way out")
        everywhere(server, example_class, connect({"foo": None}, bar=bar), ArgumentError, "Example.foo", "None")
        everywhere(server, example_class, connect({"pk": 1}, bar=bar), ArgumentError, "AutoPKField")
    twice = connect({"headers": {"from": "you"}}, headers__from="me")
    everywhere(server, example_class, twice, ArgumentError, "'headers' once")


def test_get_or_connect_by_a_field_without_index(server: Backend) -> None:
    """The way out is the one that works: a default."""
    example_class = example_model(server)

    def connect() -> Any:
        return example_class.get_or_connect(bar="BAR", foo="FOO")

    everywhere(server, example_class, connect, ImplementationError, "Example.foo", "defaults={'foo': ...}")


# Deletion


def test_delete_leaves_nothing(server: Backend) -> None:
    """``delete()`` removes the fields, the pk and the index entries; only the counter stays."""
    example_class = example_model(server)
    example_class(foo="FOO", bar="BAR", headers={"from": "me"}).delete()
    assert {b":example:max_pk": ("string", b"1")} == server.dump()
    with Session(example_class.database) as s:
        example = example_class(foo="FOO", bar="BAR", headers={"from": "me"})
        s.commit()
        example.delete()
        s.commit()
    assert {b":example:max_pk": ("string", b"2")} == server.dump()


def test_delete_what_the_session_made(server: Backend) -> None:
    """An object made and deleted in one session leaves nothing."""
    example_class = example_model(server)
    with Session(example_class.database) as s:
        example_class(foo="FOO", bar="BAR").delete()
        assert not example_class.exists(bar="BAR")
        s.commit()
    assert set() == set(server.dump()) - {b":example:max_pk"}


def test_a_field_is_deleted_with_its_value(server: Backend) -> None:
    """``field.delete()`` removes the field's value and its index entries, and nothing else of the object."""
    example_class = example_model(server)
    example = example_class(foo="FOO", bar="BAR")
    assert 1 == example.bar.delete()
    assert (None, "FOO", False) == (example.bar.get(), example.foo.get(), example_class.exists(bar="BAR"))
    assert 0 == example.bar.delete()
    with Session(example_class.database) as s:
        deleted = example.foo.delete()
        assert None is example.foo.get()
        s.commit()
    assert (1, None, True) == (deleted.result, example.foo.get(), example_class.exists(1))


def test_what_could_not_be_created_is_refused_whether_it_is_there_or_not(server: Backend) -> None:
    """get_or_connect() takes the same values in both cases; nothing is asked for others."""
    example = things(server.database())
    example(indexed_zset={"a": 1})
    for member in ("a", "b"):
        assert example.exists(indexed_zset=member) is (member == "a")
        with pytest.raises(ArgumentError, match="takes a mapping of members to scores"):
            example.get_or_connect(indexed_zset=member)
