"""Models and their instances as Python objects: equality, hash, repr, inheritance, class access."""

import pytest

from tests.tools.backends import Backend
from uowredis import (
    AutoPKField,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisModel,
    Session,
    SetField,
    StringField,
    fields,
    model,
)


def two_models(server: Backend) -> tuple[type[RedisModel], type[RedisModel]]:
    """Return two models of one database."""
    database = server.database()
    return tuple(type(name, (RedisModel,), {"database": database, "foo": StringField()}) for name in ("Foo", "Bar"))


def test_equal_is_who_has_model_and_pk_in_common(server: Backend) -> None:
    """Two handles of one object are equal and hash alike; other pks, other models and other things differ."""
    foo, bar = two_models(server)
    one, two, other = foo(foo="1"), foo(foo="2"), bar(foo="1")
    assert [True, False, False, False] == [one == foo(1), one == two, one == other, one == "1"]
    assert {one, two, other} == {foo(1), foo(2), bar(1)}
    with Session(foo.database) as s:
        assert (True, {one}) == (one == foo(1), {foo(1)})
        new = foo(foo="3")
        known = {new}
        assert [True, False, True] == [new == new, new == one, new in known]
        s.commit()
        # Its hash was taken while it had no pk, so it stays.
        assert new in known
    assert new == foo(3)


def test_empty_objects_are_equal_to_themselves_only(server: Backend) -> None:
    """An object without pk equals no other; comparing and hashing it send nothing."""
    foo, _ = two_models(server)
    one, two = foo(), foo()
    assert [True, False, 2] == [one == one, one == two, len({one, two, one})]
    assert {} == server.dump()


def test_an_instance_names_itself(server: Backend) -> None:
    """``repr`` names model and pk, and sends nothing."""
    foo, _ = two_models(server)
    assert "Foo" in repr(foo())
    assert {} == server.dump()
    made = foo(foo="secret")
    assert ("Foo" in repr(made), "1" in repr(made), "secret" in repr(made)) == (True, True, False)
    with Session(foo.database) as s:
        assert "Foo" in repr(foo(foo="new"))
        s.rollback()


def test_a_bound_field_names_itself(server: Backend) -> None:
    """``repr`` of a bound field names object and field, and reads nothing; that of a declared one model and field."""
    foo, _ = two_models(server)
    made = foo(foo="secret")
    assert ("<Foo <1>.foo>", "Foo.foo") == (repr(made.foo), repr(foo.foo))


def test_class_access_gives_the_declared_field(server: Backend) -> None:
    """``Bike.name`` is the field as declared; on an instance it is the same field of that instance."""
    main_database = server.database()

    class Bike(RedisModel):
        database = main_database
        name = InstanceHashField(indexable=True)
        tags = SetField()

    assert [InstanceHashField, True, "name"] == [type(Bike.name), Bike.name.indexable, Bike.name.name]
    assert AutoPKField is type(Bike.pk)
    bike = Bike(name="x")
    assert [True, True, False] == [isinstance(bike.tags, kind) for kind in (SetField, fields.SetField, StringField)]
    assert isinstance(bike.name, InstanceHashField)
    assert Bike.tags is bike.tags._field


def test_an_abstract_model_hands_down_everything_but_that(server: Backend) -> None:
    """Database, namespace and fields of an abstract base go to its subclasses, each with fields of its own."""
    main_database = server.database()

    class Content(model.RedisModel):
        database = main_database
        namespace = "content"
        abstract = True

        title = fields.InstanceHashField()
        pub_date = fields.InstanceHashField()

    class Article(Content):
        content = fields.StringField()

    class Image(Content):
        path = fields.InstanceHashField()

    article = Article(title="T", pub_date="today", content="text")
    with Session(main_database) as s:
        image = Image(title="I", path="/i.png")
        assert ["I", None, "/i.png"] == image.hmget("title", "pub_date", "path")
        s.commit()
    assert ["T", "today"] == article.hmget("title", "pub_date")
    assert ["I", None, "/i.png"] == image.hmget("title", "pub_date", "path")
    assert {
        b"content:article:collection": ("set", frozenset({b"1"})),
        b"content:article:max_pk": ("string", b"1"),
        b"content:article:1:hash": ("hash", {b"title": b"T", b"pub_date": b"today"}),
        b"content:article:1:content": ("string", b"text"),
        b"content:image:collection": ("set", frozenset({b"1"})),
        b"content:image:max_pk": ("string", b"1"),
        b"content:image:1:hash": ("hash", {b"title": b"I", b"path": b"/i.png"}),
    } == server.dump()
    assert [False, "Article.title", "Image.title"] == [Article.abstract, repr(Article.title), repr(Image.title)]
    assert not hasattr(Article, "path")


def test_a_subclass_of_a_concrete_model_is_a_model_of_its_own(server: Backend) -> None:
    """It has copies of the fields, its own keys and counter, and may replace a field or the pk."""
    main_database = server.database()

    class Person(RedisModel):
        database = main_database
        name = StringField(indexable=True)
        email = StringField()

    class Admin(Person):
        email = StringField(indexable=True)
        level = InstanceHashField(default=1)

    class Named(Person):
        login = PKField()

    Person(name="Ann", email="a@x")
    admin = Admin(name="Ann", email="a@x")
    with Session(main_database) as s:
        named = Named(login="ann", name="Ann")
        assert [True, "ann"] == [Named.exists(name="Ann"), named.pk.get()]
        s.commit()
    assert ["1", "1", "ann"] == [admin.pk.get(), admin.level.hget(), named.login.get()]
    assert [True, True, False] == [Admin.exists(email="a@x"), Person.exists(name="Ann"), Person.exists("ann")]
    assert frozenset({b"1"}) == server.dump()[b":person:collection"][1]
    with pytest.raises(ImplementationError, match=r"Person\.email has no index"):
        Person.exists(email="a@x")


def test_methods_of_ones_own(server: Backend) -> None:
    """A model may have methods, and a constructor that hands on; inside them commands work as outside."""
    main_database = server.database()

    class Counter(RedisModel):
        database = main_database
        hits = StringField(default=0)

        def hit(self, times: int = 1) -> object:
            return self.hits.incr(times)

    counter = Counter()
    assert 3 == counter.hit(3)
    with Session(main_database) as s:
        pending = counter.hit()
        s.commit()
    assert (4, "4") == (pending.result, counter.hits.get())
