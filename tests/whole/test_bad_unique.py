"""A unique value that is taken is refused whatever command claims it, with one text; nothing is written."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend
from tests.whole.refusing import refused
from uowredis import (
    InstanceHashField,
    ListField,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
)

CLAIMS: list[tuple[str, Callable[[Any], Any]]] = [
    ("constructor", lambda example: type(example)(bar="BAR")),
    ("set", lambda example: example.bar.set("BAR")),
    ("set nx", lambda example: (example.bar.delete(), example.bar.set("BAR", nx=True))),
    ("setnx", lambda example: (example.bar.delete(), example.bar.setnx("BAR"))),
    ("getset", lambda example: example.bar.getset("BAR")),
    ("append", lambda example: (example.bar.set("B"), example.bar.append("AR"))),
    ("setrange", lambda example: (example.bar.set("BXX"), example.bar.setrange(1, "AR"))),
]


@pytest.mark.parametrize("claim", [claim for _, claim in CLAIMS], ids=[name for name, _ in CLAIMS])
def test_a_unique_value_that_is_taken(server: Backend, claim: Callable[[Any], Any]) -> None:
    """Constructor and setters refuse a taken value with one text and its parts as attributes; nothing is written."""
    example_class = type("Example", (RedisModel,), {"database": server.database(), "bar": StringField(unique=True)})
    first, second = example_class(bar="BAR"), example_class(bar="other")
    with Session(example_class.database) as s:
        claim(second)
        before = server.dump()
        with pytest.raises(UniquenessError) as error:
            s.commit()
        assert before == {**server.dump(), b":example:max_pk": before[b":example:max_pk"]}
        s.rollback()
    check_claim(error.value)
    with pytest.raises(UniquenessError) as error:
        claim(second)
    check_claim(error.value)
    assert (first, frozenset({b"1", b"2"})) == (example_class.get(bar="BAR"), server.dump()[b":example:collection"][1])
    assert b":example:3:bar" not in server.dump()


def check_claim(error: UniquenessError) -> None:
    """Check the documented text and the attributes."""
    assert "Key :example:bar:BAR already exists (for instance 1)" == str(error)
    assert ("bar", "BAR", ":example:bar:BAR", "1") == (error.field, error.value, error.key, error.pk)


@pytest.mark.parametrize(
    ("kind", "mine", "act"),
    [
        (InstanceHashField, "5", lambda f: f.hincrby(5)),
        (InstanceHashField, "9.5", lambda f: f.hincrbyfloat("0.5")),
        (InstanceHashField, "x", lambda f: f.hset(10)),
        (StringField, "9", lambda f: f.incr()),
        (StringField, "11", lambda f: f.decr()),
        (StringField, "9.5", lambda f: f.incrbyfloat(0.5)),
        (SetField, ["x"], lambda f: f.sadd("y", 10)),
        (ListField, ["x"], lambda f: f.lpush(10)),
        (ListField, ["x"], lambda f: f.rpushx("10")),
        (ListField, ["x"], lambda f: f.lset(0, "10")),
        (ListField, ["x"], lambda f: f.linsert("BEFORE", "x", 10)),
        (SortedSetField, {"x": 1}, lambda f: f.zadd({10: 1})),
        (SortedSetField, {"x": 1}, lambda f: f.zincrby(1, 10)),
    ],
)
def test_every_writing_command_checks_uniqueness(server: Backend, kind: type, mine: Any, act: Any) -> None:
    """Whatever command makes a field hold a taken value is refused; the field and its index stay as they are."""
    database = server.database()
    example_class = type("Example", (RedisModel,), {"database": database, "bar": kind(unique=True)})
    taken = {SetField: ["10"], ListField: ["10"], SortedSetField: {"10": 1}}.get(kind, "10")
    first, second = example_class(bar=taken), example_class(bar=mine)
    with refused(server, UniquenessError, "Key :example:bar:10 already exists (for instance 1)"):
        act(second.bar)
    with Session(database) as s:
        act(second.bar)
        with refused(server, UniquenessError, "Key :example:bar:10 already exists (for instance 1)"):
            s.commit()
        s.rollback()
    assert first == example_class.get(bar=10)
