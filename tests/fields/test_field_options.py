"""The chapter on field attributes: default, indexable, unique, lockable."""

import pytest

from tests.tools.backends import Backend
from uowredis import (
    ImplementationError,
    ListField,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    UniquenessError,
    fields,
    model,
)


def test_a_default_is_taken_where_no_value_is_given(server: Backend) -> None:
    """``default=`` is the value of new objects that are given none for the field."""
    main_database = server.database()

    class Example(model.RedisModel):
        database = main_database
        foo = fields.StringField(default="FOO")
        bar = fields.StringField()

    example = Example(bar="BAR")
    assert "FOO" == example.foo.get()
    with Session(main_database) as s:
        example = Example(bar="BAR")
        assert ["FOO", "BAR"] == [example.foo.get(), example.bar.get()]
        s.commit()
    assert ["FOO", "BAR"] == [example.foo.get(), example.bar.get()]


def test_a_default_is_indexed_like_any_value(server: Backend) -> None:
    """An indexed field with a default is found by it."""
    main_database = server.database()

    class Example(RedisModel):
        database = main_database
        foo = fields.InstanceHashField(default=0, indexable=True)

    example = Example()
    assert (example, "0") == (Example.get(foo=0), example.foo.hget())
    with Session(main_database) as s:
        example.foo.hincrby()
        assert [False, True] == [Example.exists(foo=0), Example.exists(foo="1")]
        s.commit()
    assert [False, True] == [Example.exists(foo=0), Example.exists(foo="1")]


def test_only_indexed_fields_are_filtered_on(server: Backend) -> None:
    """``indexable=True`` lets objects be found by a field; one without index is refused, naming the way out."""
    main_database = server.database()

    class Example(model.RedisModel):
        database = main_database
        foo = fields.StringField(indexable=True)
        bar = fields.StringField()

    example = Example(foo="FOO", bar="BAR")
    assert example == Example.get(foo="FOO")
    with pytest.raises(ImplementationError, match=r"Example\.bar has no index .* indexable=True"):
        Example.get(bar="BAR")
    with Session(main_database) as s:
        assert example == Example.get(foo="FOO")
        with pytest.raises(ValueError, match=r"Example\.bar has no index"):
            Example.get(bar="BAR")
        stored = example.foo.set("new")
        assert (example, False) == (Example.get(foo="new"), Example.exists(foo="FOO"))
        s.commit()
    assert (True, example, False) == (stored.result, Example.get(foo="new"), Example.exists(foo="FOO"))


@pytest.mark.parametrize("kind", [SetField, ListField, SortedSetField])
def test_each_member_of_an_indexed_field_is_found(server: Backend, kind: type) -> None:
    """An indexed set, list or sorted set is found by each of its members, for as long as one copy is in it."""
    main_database = server.database()

    class Example(RedisModel):
        database = main_database
        stuff = kind(indexable=True)

    example = Example(stuff={"a": 1, "b": 2} if kind is SortedSetField else ["a", "b"])
    add, remove = {
        SetField: (lambda f: f.sadd("c"), lambda f: f.srem("a")),
        ListField: (lambda f: f.rpush("c", "b"), lambda f: f.lpop()),
        SortedSetField: (lambda f: f.zadd(c=1), lambda f: f.zremrangebyrank(0, 0)),
    }[kind]

    def found() -> list[bool]:
        return [Example.exists(stuff=value) for value in "abc"]

    assert [True, True, False] == found()
    with Session(main_database) as s:
        remove(example.stuff)
        add(example.stuff)
        assert [False, True, True] == found()
        s.commit()
    assert [False, True, True] == found()
    example.stuff.delete()
    assert [False, False, False] == found()


def unique_model(server: Backend) -> type[RedisModel]:
    """Return the documented model with a unique field."""

    class Example(model.RedisModel):
        database = server.database()
        foo = fields.StringField(indexable=True)
        bar = fields.StringField(unique=True)

    return Example


def test_a_unique_value_is_taken_once(server: Backend) -> None:
    """A second object with the value is refused with the documented message, and nothing of it remains."""
    example_class = unique_model(server)
    example1 = example_class(foo="FOO", bar="BAR")
    before = server.dump()
    with pytest.raises(UniquenessError) as refused:
        example_class(foo="FOO", bar="BAR")
    assert "Key :example:bar:BAR already exists (for instance 1)" == str(refused.value)
    assert before == {**server.dump(), b":example:max_pk": before[b":example:max_pk"]}
    assert (example1, example1) == (example_class.get(foo="FOO"), example_class.get(bar="BAR"))


def test_a_unique_value_is_taken_once_by_a_commit(server: Backend) -> None:
    """In a session the commit is refused, whole; what was said is still there and can be mended."""
    example_class = unique_model(server)
    example1 = example_class(foo="FOO", bar="BAR")
    before = server.dump()
    with Session(example_class.database) as s:
        example2 = example_class(foo="FOO", bar="BAR")
        other = example_class(bar="other")
        with pytest.raises(UniquenessError) as refused:
            s.commit()
        assert "Key :example:bar:BAR already exists (for instance 1)" == str(refused.value)
        assert before == {**server.dump(), b":example:max_pk": before[b":example:max_pk"]}
        example2.bar.set("free")
        assert [example2, other, True] == s.commit()
    assert [example1, example2, other] == [example_class.get(bar=value) for value in ("BAR", "free", "other")]


def test_two_claims_of_one_session(server: Backend) -> None:
    """Two objects of one session cannot hold one unique value; two may swap theirs."""
    example_class = unique_model(server)
    with Session(example_class.database) as s:
        example_class(bar="BAR")
        example_class(bar="BAR")
        with pytest.raises(UniquenessError, match="Key :example:bar:BAR already exists"):
            s.commit()
        s.rollback()
    assert set() == set(server.dump()) - {b":example:max_pk"}
    one, two = example_class(bar="1"), example_class(bar="2")
    with Session(example_class.database) as s:
        one.bar.set("2")
        two.bar.set("1")
        assert [two, one] == [example_class.get(bar="1"), example_class.get(bar="2")]
        s.commit()
    assert [two, one] == [example_class.get(bar="1"), example_class.get(bar="2")]


def test_lockable_false_changes_no_answer(server: Backend) -> None:
    """``lockable=False``, of a field or of a whole model, is taken; alone on the server everything stays as it was."""
    main_database = server.database()

    class Field(RedisModel):
        database = main_database
        foo = fields.StringField(indexable=True, lockable=False)
        bar = fields.StringField(unique=True)

    class Whole(RedisModel):
        database = main_database
        lockable = False
        foo = fields.StringField(indexable=True)
        bar = fields.StringField(unique=True, lockable=True)

    for example_class in (Field, Whole):
        one = example_class(foo="FOO", bar="BAR")
        one.foo.set("new")
        assert [False, one] == [example_class.exists(foo="FOO"), example_class.get(foo="new")]
        with pytest.raises(UniquenessError):
            example_class(bar="BAR")
        with Session(main_database) as s:
            one.foo.set("newer")
            one.foo.append("!")
            s.commit()
        assert [False, one] == [example_class.exists(foo="new"), example_class.get(foo="newer!")]


def test_lockable_false_plans_no_watch_for_its_field(server: Backend) -> None:
    """A field that is not lockable plans no watch of its own value; a lockable one does."""
    main_database = server.database()

    class Example(RedisModel):
        database = main_database
        free = fields.StringField(indexable=True, lockable=False)
        kept = fields.StringField(indexable=True)

    example = Example(free="1", kept="1")
    with Session(main_database) as s:
        example.free.set("2")
        assert ":example:1:free" not in s.plan().watched
        s.rollback()
        example.kept.set("2")
        assert ":example:1:kept" in s.plan().watched
        s.rollback()
