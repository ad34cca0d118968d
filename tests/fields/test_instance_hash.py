"""The chapter on InstanceHashField: its commands, and those of the instance for several fields at once."""

from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import Session, fields, model


class WithDict(model.RedisModel):
    """The documented method of one's own, which gives hmget as a dict."""

    abstract = True

    def hmget_dict(self, *args: str) -> dict[str, str | None]:
        """Call hmget, but return a dict with field names as keys, instead of only a list of values."""
        values = self.hmget(*args)
        keys = args or self._hashable_fields
        return dict(zip(keys, values, strict=True))


@pytest.fixture
def example_class(server: Backend) -> Any:
    """The documented model with four InstanceHashFields."""

    class Example(WithDict):
        database = server.database()
        foo = fields.InstanceHashField()
        bar = fields.InstanceHashField()
        baz = fields.InstanceHashField()
        qux = fields.InstanceHashField()

    return Example


# On the field


def test_hset_and_hget(example_class: Any) -> None:
    """``hset`` gives 1 where the entry was created, else 0; ``set`` and ``get`` are the same commands."""
    example = example_class()
    assert 1 == example.foo.hset("FOO")
    assert "FOO" == example.foo.hget()
    assert 0 == example.foo.set("other")
    assert ("other", None) == (example.foo.get(), example.bar.hget())
    with Session(example_class.database) as s:
        example = example_class()
        created, changed = example.foo.hset("FOO"), example.foo.set("other")
        assert ("other", "other", None) == (example.foo.hget(), example.foo.get(), example.bar.hget())
        s.commit()
    assert (1, 0, "other") == (created.result, changed.result, example.foo.hget())


def test_hdel_on_the_field(example_class: Any) -> None:
    """``hdel`` without arguments deletes this very field, as ``delete`` does."""
    example = example_class(foo="FOO", baz="BAZ")
    assert 1 == example.baz.hdel()
    assert (0, None) == (example.baz.delete(), example.baz.hget())
    with Session(example_class.database) as s:
        deleted, again = example.foo.hdel(), example.foo.delete()
        assert None is example.foo.hget()
        s.commit()
    assert (1, 0, {}) == (deleted.result, again.result, example.hgetall())


def test_the_other_modifiers(example_class: Any) -> None:
    """``hincrby``, ``hincrbyfloat`` and ``hsetnx`` act on the entry."""
    example = example_class()
    assert [1, 5, 5.5] == [example.foo.hincrby(), example.foo.hincrby(4), example.foo.hincrbyfloat("0.5")]
    assert [False, True] == [example.foo.hsetnx("x"), example.bar.hsetnx("x")]
    with Session(example_class.database) as s:
        replies = [example.baz.hincrby(2), example.baz.hsetnx("x"), example.qux.hsetnx("y"), example.baz.hincrby(-5)]
        assert ["5.5", "x", "-3", "y"] == example.hmget("foo", "bar", "baz", "qux")
        s.commit()
    assert [2, False, True, -3] == [reply.result for reply in replies]
    assert ["5.5", "x", "-3", "y"] == example.hmget("foo", "bar", "baz", "qux")


# On the instance


def test_hmget(example_class: Any) -> None:
    """``hmget`` gives the values in the order of the names; without names it fetches nothing."""
    example = example_class(foo="FOO", bar="BAR")
    assert ["FOO", "BAR"] == example.hmget("foo", "bar")
    assert ["BAR", None, "FOO"] == example.hmget("bar", "qux", "foo")
    assert [] == example.hmget()
    assert {"bar": "BAR", "foo": "FOO"} == example.hmget_dict("foo", "bar")
    assert ["foo", "bar", "baz", "qux"] == example._hashable_fields
    with Session(example_class.database) as s:
        example = example_class(foo="FOO", bar="BAR")
        example.qux.hset("QUX")
        assert ["BAR", "QUX", None] == example.hmget("bar", "qux", "baz")
        assert [] == example.hmget()
        assert {"bar": "BAR", "foo": "FOO"} == example.hmget_dict("foo", "bar")
        s.commit()
    assert ["BAR", "QUX", None] == example.hmget("bar", "qux", "baz")


def test_hmset(example_class: Any) -> None:
    """``hmset`` stores fields given by name."""
    example = example_class()
    assert True is example.hmset(foo="FOO", bar="BAR")
    assert ["FOO", "BAR"] == example.hmget("foo", "bar")
    with Session(example_class.database) as s:
        example = example_class()
        stored = example.hmset(foo="FOO", bar="BAR")
        assert ["FOO", "BAR"] == example.hmget("foo", "bar")
        s.commit()
    assert (True, ["FOO", "BAR"]) == (stored.result, example.hmget("foo", "bar"))


def test_hdel(example_class: Any) -> None:
    """``hdel`` deletes fields and counts those that had a value."""
    example = example_class()
    assert True is example.hmset(foo="FOO", bar="BAR", baz="BAZ")
    assert ["FOO", "BAR", "BAZ"] == example.hmget("foo", "bar", "baz")
    assert 2 == example.hdel("foo", "bar", "qux")
    assert [None, None, "BAZ"] == example.hmget("foo", "bar", "baz")
    assert 1 == example.baz.hdel()
    with Session(example_class.database) as s:
        example = example_class()
        example.hmset(foo="FOO", bar="BAR", baz="BAZ")
        deleted = example.hdel("foo", "bar", "qux")
        assert [None, None, "BAZ"] == example.hmget("foo", "bar", "baz")
        last = example.baz.hdel()
        assert [None, None, None] == example.hmget("foo", "bar", "baz")
        s.commit()
    assert (2, 1, {}) == (deleted.result, last.result, example.hgetall())


def whole(example: Any) -> list[Any]:
    """Return what the four commands on all fields answer, the unordered ones sorted."""
    return [example.hgetall(), sorted(example.hkeys()), sorted(example.hvals()), example.hlen()]


def test_the_whole_hash(example_class: Any) -> None:
    """``hgetall``, ``hkeys``, ``hvals`` and ``hlen`` answer for all fields that have a value, and no others."""
    example = example_class(foo="FOO", bar="BAR")
    assert [{"foo": "FOO", "bar": "BAR"}, ["bar", "foo"], ["BAR", "FOO"], 2] == whole(example)
    assert 1 == example.foo.hdel()
    assert [{"bar": "BAR"}, ["bar"], ["BAR"], 1] == whole(example)
    with Session(example_class.database) as s:
        example = example_class(foo="FOO", bar="BAR")
        assert [{"foo": "FOO", "bar": "BAR"}, ["bar", "foo"], ["BAR", "FOO"], 2] == whole(example)
        deleted = example.foo.hdel()
        assert [{"bar": "BAR"}, ["bar"], ["BAR"], 1] == whole(example)
        s.commit()
        assert (1, [{"bar": "BAR"}, ["bar"], ["BAR"], 1]) == (deleted.result, whole(example))
        example.hmset(bar="new", qux="QUX")
        assert [{"bar": "new", "qux": "QUX"}, ["bar", "qux"], ["QUX", "new"], 2] == whole(example)
        s.commit()
    assert [{"bar": "new", "qux": "QUX"}, ["bar", "qux"], ["QUX", "new"], 2] == whole(example)


def test_commands_of_the_instance_keep_the_index(server: Backend) -> None:
    """``hmset`` and ``hdel`` on the instance move the index entries of each field they touch."""
    main_database = server.database()

    class Example(model.RedisModel):
        database = main_database
        foo = fields.InstanceHashField(indexable=True)
        bar = fields.InstanceHashField(indexable=True)

    def found() -> list[bool]:
        return [Example.exists(foo="1"), Example.exists(foo="2"), Example.exists(bar="1")]

    example = Example(foo="1", bar="1")
    example.hmset(foo="2")
    assert [False, True, True] == found()
    example.hdel("foo", "bar")
    assert [False, False, False] == found()
    with Session(main_database) as s:
        example.hmset(foo="1", bar="1")
        example.hdel("bar")
        assert [True, False, False] == found()
        s.commit()
    assert [True, False, False] == found()
