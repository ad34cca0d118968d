"""The chapter on PKField and AutoPKField: names and kinds of primary keys."""

import pytest

from tests.tools.backends import Backend
from uowredis import AutoPKField, DoesNotExist, ImplementationError, PKField, Session, UniquenessError, fields, model


def test_a_model_has_a_pk_that_is_counted(server: Backend) -> None:
    """Without a PKField the field is ``pk``, and counts from 1."""
    main_database = server.database()

    class Foo(model.RedisModel):
        database = main_database

    assert AutoPKField is type(Foo.pk)
    assert ["1", "2"] == [Foo().pk.get(), Foo().pk.get()]
    with Session(main_database) as s:
        foo = Foo()
        assert "3" == foo.pk.get()
        s.commit()
    assert foo == Foo(3)


def test_an_auto_pk_of_another_name(server: Backend) -> None:
    """A declared AutoPKField takes the place of ``pk``; both names answer."""
    main_database = server.database()

    class Example(model.RedisModel):
        database = main_database
        id = fields.AutoPKField()
        name = fields.StringField()

    example = Example(name="foobar")
    assert ["1", "1"] == [example.pk.get(), example.id.get()]
    assert Example.id is Example.pk
    with Session(main_database) as s:
        example = Example(name="foobar")
        s.commit()
    assert ["2", "2"] == [example.pk.get(), example.id.get()]
    assert [True, example] == [Example.exists(id=1), Example.get(id="2")]


def test_a_pk_that_is_chosen(server: Backend) -> None:
    """A PKField is given to the constructor, under its name or as ``pk``, and never counted."""
    main_database = server.database()

    class Baz(model.RedisModel):
        database = main_database
        name = fields.PKField()
        foo = fields.StringField()

    baz = Baz(name="one", foo="FOO")
    assert ["one", "one"] == [baz.pk.get(), baz.name.get()]
    assert PKField is type(Baz.pk)
    with Session(main_database) as s:
        two = Baz(pk="two", foo="FOO")
        assert ["two", "two", "FOO"] == [two.pk.get(), two.name.get(), two.foo.get()]
        assert {b":baz:collection", b":baz:one:foo"} == set(server.dump())
        s.commit()
    assert [baz, two] == [Baz("one"), Baz("two")]
    assert {
        b":baz:collection": ("set", frozenset({b"one", b"two"})),
        b":baz:one:foo": ("string", b"FOO"),
        b":baz:two:foo": ("string", b"FOO"),
    } == server.dump()


def test_an_object_may_be_only_its_pk(server: Backend) -> None:
    """A chosen pk without any field makes an object."""
    main_database = server.database()

    class Baz(model.RedisModel):
        database = main_database
        name = fields.PKField()

    baz = Baz(name="one")
    assert {b":baz:collection": ("set", frozenset({b"one"}))} == server.dump()
    assert baz == Baz("one")
    with Session(main_database) as s:
        two = Baz(name="two")
        assert two == Baz("two")
        s.commit()
    assert two == Baz("two")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (5, "5"),
        (2.5, "2.5"),
        ("2.50", "2.50"),
        ("7d0f-uuid", "7d0f-uuid"),
        ("a b ☃", "a b ☃"),
        (b"x", "x"),
        ("a:b", "a:b"),
    ],
)
def test_a_pk_is_any_text(server: Backend, given: object, stored: str) -> None:
    """A chosen pk may be number, float, uuid or name; it comes back as the text that is stored."""
    main_database = server.database()

    class Baz(model.RedisModel):
        database = main_database
        name = fields.PKField()
        foo = fields.StringField(indexable=True)

    baz = Baz(name=given, foo="FOO")
    assert (stored, "FOO", True) == (baz.pk.get(), Baz(given).foo.get(), Baz.exists(stored))
    baz.delete()
    with Session(main_database) as s:
        baz = Baz(name=given, foo="FOO")
        assert (stored, "FOO", baz) == (baz.pk.get(), Baz(given).foo.get(), Baz.get(foo="FOO"))
        s.commit()
    assert (stored, "FOO", baz) == (baz.pk.get(), Baz(given).foo.get(), Baz.get(foo="FOO"))


def test_a_chosen_pk_is_taken_once(server: Backend) -> None:
    """A second object with the pk is refused, and the first is left as it is."""
    main_database = server.database()

    class Baz(model.RedisModel):
        database = main_database
        name = fields.PKField()
        foo = fields.StringField(indexable=True)

    Baz(name="one", foo="FOO")
    before = server.dump()
    with pytest.raises(UniquenessError, match="one"):
        Baz(name="one", foo="other")
    assert before == server.dump()
    with Session(main_database) as s:
        Baz(name="one", foo="other")
        with pytest.raises(UniquenessError, match="one"):
            s.commit()
        s.rollback()
    with Session(main_database) as s:
        Baz(name="two")
        with pytest.raises(UniquenessError, match="two"):
            Baz(name="two")
        s.rollback()
    assert before == server.dump()


def test_a_pk_is_free_again_after_deletion(server: Backend) -> None:
    """A deleted object's pk may be chosen again, also in the session that deletes it; nothing of the old one stays."""
    main_database = server.database()

    class Baz(model.RedisModel):
        database = main_database
        name = fields.PKField()
        foo = fields.StringField(indexable=True)
        bar = fields.StringField()

    Baz(name="one", foo="old", bar="BAR").delete()
    old = Baz(name="one", foo="old", bar="BAR")
    with Session(main_database) as s:
        old.delete()
        new = Baz(name="one", foo="new")
        assert ["new", None] == [new.foo.get(), new.bar.get()]
        s.commit()
    assert ["new", None, False] == [new.foo.get(), new.bar.get(), Baz.exists(foo="old")]


def test_a_pk_cannot_be_changed(server: Backend) -> None:
    """A pk has no writing command but those that refuse; the object stays as it is."""
    main_database = server.database()

    class Foo(model.RedisModel):
        database = main_database

    foo = Foo()
    before = foo.pk.get(), server.dump()
    for refused in (lambda: foo.pk.set("2"), lambda: foo.pk.delete()):
        with pytest.raises(ImplementationError, match=r"Foo\.pk is the primary key"):
            refused()
        with Session(main_database), pytest.raises(ImplementationError, match=r"Foo\.pk is the primary key"):
            refused()
    assert before == (foo.pk.get(), server.dump())


def test_the_pk_of_a_deleted_object_is_refused(server: Backend) -> None:
    """``pk.get()`` of an object that was deleted by this handle raises DoesNotExist."""
    main_database = server.database()

    class Foo(model.RedisModel):
        database = main_database

    foo = Foo()
    foo.pk.get()
    foo.delete()
    with pytest.raises(DoesNotExist, match="Foo"):
        foo.pk.get()
