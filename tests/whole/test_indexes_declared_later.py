"""An index that was declared when the values were there already: whatever is written anew is found."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Backend
from uowredis import Session, UniquenessError

#: What is there, written without any index.
THERE: dict[str, Any] = {
    "title": "5",
    "code": "c",
    "name": "5",
    "headers": {"from": "5", "to": "x"},
    "tags": ["a", "b"],
    "rows": ["x", "y"],
    "ranks": {"first": 1, "last": 9},
}
#: Ways of writing what is there already, and the index key that must hold the object then.
WAYS: dict[str, tuple[Callable[[Any], object], str]] = {
    "set": (lambda thing: thing.title.set("5"), "title:5"),
    "getset": (lambda thing: thing.title.getset("5"), "title:5"),
    "setnx": (lambda thing: thing.title.setnx("7"), "title:5"),
    "incr": (lambda thing: thing.title.incr(0), "title:5"),
    "decr": (lambda thing: thing.title.decr(0), "title:5"),
    "incrbyfloat": (lambda thing: thing.title.incrbyfloat(0), "title:5"),
    "append": (lambda thing: thing.title.append(""), "title:5"),
    "setrange": (lambda thing: thing.title.setrange(0, "5"), "title:5"),
    "setbit": (lambda thing: thing.title.setbit(0, 0), "title:5"),
    "set of a unique value": (lambda thing: thing.code.set("c"), "code:c"),
    "delete and set": (lambda thing: (thing.title.delete(), thing.title.set("5")), "title:5"),
    "hset": (lambda thing: thing.name.hset("5"), "name:5"),
    "hsetnx": (lambda thing: thing.name.hsetnx("7"), "name:5"),
    "hmset": (lambda thing: thing.hmset(name="5"), "name:5"),
    "hincrby": (lambda thing: thing.name.hincrby(0), "name:5"),
    "hincrbyfloat": (lambda thing: thing.name.hincrbyfloat(0), "name:5"),
    "hdel and hset": (lambda thing: (thing.name.hdel(), thing.name.hset("5")), "name:5"),
    "hset of a hash": (lambda thing: thing.headers.hset("from", "5"), "headers:from:5"),
    "hmset of a hash": (lambda thing: thing.headers.hmset(to="x"), "headers:to:x"),
    "hsetnx of a hash": (lambda thing: thing.headers.hsetnx("to", "z"), "headers:to:x"),
    "hincrby of a hash": (lambda thing: thing.headers.hincrby("from", 0), "headers:from:5"),
    "hincrbyfloat of a hash": (lambda thing: thing.headers.hincrbyfloat("from", 0), "headers:from:5"),
    "sadd": (lambda thing: thing.tags.sadd("a"), "tags:a"),
    "srem and sadd": (lambda thing: (thing.tags.srem("a"), thing.tags.sadd("a")), "tags:a"),
    "rpush": (lambda thing: thing.rows.rpush("x"), "rows:x"),
    "lpushx": (lambda thing: thing.rows.lpushx("x"), "rows:x"),
    "lset": (lambda thing: thing.rows.lset(0, "x"), "rows:x"),
    "linsert": (lambda thing: thing.rows.linsert("before", "x", "y"), "rows:y"),
    "zadd": (lambda thing: thing.ranks.zadd({"first": 1}), "ranks:first"),
    "zincrby": (lambda thing: thing.ranks.zincrby(0, "first"), "ranks:first"),
}


@pytest.fixture
def thing(server: Backend) -> Any:
    """What was stored before the fields had an index, seen by the models of today."""
    every_kind(server.database(), indexed=False).Thing(**THERE)
    assert [] == server.client().keys(":thing:*:[5acxy]")
    return every_kind(server.database(changed="ignore")).Thing(1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_session", [False, True], ids=["alone", "in a session"])
def test_what_is_written_anew_is_found(server: Backend, thing: Any, way: str, in_session: bool) -> None:
    """The value is what it was before, and its entry is there now."""
    write, key = WAYS[way]
    if in_session:
        with Session(thing.database) as session:
            write(thing)
            session.commit()
    else:
        write(thing)
    assert {"1"} == server.client(decode_responses=True).smembers(f":thing:{key}")


def test_a_deletion_and_a_creation_of_the_same(server: Backend) -> None:
    """In one session, with one primary key: what is there again is found."""
    every_kind(server.database(changed="ignore"), indexed=False).Named(key="k", **THERE)
    named = every_kind(server.database(changed="ignore")).Named
    with Session(named.database) as session:
        named("k").delete()
        named(key="k", **THERE)
        session.commit()
    for key in ("title:5", "name:5", "headers:from:5", "tags:a", "rows:x", "ranks:first"):
        assert {"k"} == server.client(decode_responses=True).smembers(f":named:{key}")


def test_a_unique_value_that_another_has_taken_meanwhile(server: Backend, thing: Any) -> None:
    """Said again it is claimed again: the other one keeps it, and nothing is written."""
    other = type(thing)(code="c")
    with pytest.raises(UniquenessError, match=r"already exists \(for instance 2\)"):
        thing.code.set("c")
    with Session(thing.database) as session:
        thing.code.append("")
        with pytest.raises(UniquenessError, match=r"already exists \(for instance 2\)"):
            session.commit()
        session.rollback()
    assert {"2"} == server.client(decode_responses=True).smembers(":thing:code:c") == {other.pk.get()}
