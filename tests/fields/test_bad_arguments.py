"""Arguments that cannot be sent are refused when the command is built; nothing is written, nothing stays pending."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.tools.backends import Backend
from tests.whole.refusing import KINDS, bike_model, each_everywhere, everywhere, refused
from uowredis import ArgumentError, DoesNotExist, ImplementationError, Rejected, Session

Act = Callable[[Any, Any], Any]

#: Where each writing (and reading) command takes a value: field, how the command is called with it.
VALUES: list[tuple[str, str, Act]] = [
    ("string", "set", lambda f, v: f.set(v)),
    ("string", "getset", lambda f, v: f.getset(v)),
    ("string", "setnx", lambda f, v: f.setnx(v)),
    ("string", "append", lambda f, v: f.append(v)),
    ("string", "setrange", lambda f, v: f.setrange(0, v)),
    ("instancehash", "hset", lambda f, v: f.hset(v)),
    ("instancehash", "set", lambda f, v: f.set(v)),
    ("instancehash", "hsetnx", lambda f, v: f.hsetnx(v)),
    ("instancehash", "hmset", lambda f, v: f.owner.hmset(**{f.field.name: v})),
    ("headers", "hset", lambda f, v: f.hset("a", v)),
    ("headers", "hset mapping", lambda f, v: f.hset(mapping={"b": 1, "a": v})),
    ("headers", "hset entry", lambda f, v: f.hset(v, "a") if v is not None else f.hset("a", v)),
    ("headers", "hmset", lambda f, v: f.hmset(b=1, a=v)),
    ("headers", "hmset mapping", lambda f, v: f.hmset({"b": 1, "a": v})),
    ("headers", "hsetnx", lambda f, v: f.hsetnx("a", v)),
    ("headers", "hsetnx entry", lambda f, v: f.hsetnx(v, "a")),
    ("headers", "hdel", lambda f, v: f.hdel("a", v)),
    ("headers", "hincrby", lambda f, v: f.hincrby(v)),
    ("headers", "hincrbyfloat", lambda f, v: f.hincrbyfloat(v)),
    ("headers", "hget", lambda f, v: f.hget(v)),
    ("headers", "hmget", lambda f, v: f.hmget(["a", v])),
    ("headers", "hexists", lambda f, v: f.hexists(v)),
    ("set", "sadd", lambda f, v: f.sadd("a", v)),
    ("set", "srem", lambda f, v: f.srem("a", v)),
    ("set", "sismember", lambda f, v: f.sismember(v)),
    ("list", "lpush", lambda f, v: f.lpush("a", v)),
    ("list", "rpush", lambda f, v: f.rpush("a", v)),
    ("list", "lpushx", lambda f, v: f.lpushx("a", v)),
    ("list", "rpushx", lambda f, v: f.rpushx("a", v)),
    ("list", "linsert", lambda f, v: f.linsert("BEFORE", "a", v)),
    ("list", "linsert pivot", lambda f, v: f.linsert("BEFORE", v, "a")),
    ("list", "lrem", lambda f, v: f.lrem(0, v)),
    ("list", "lset", lambda f, v: f.lset(0, v)),
    ("sortedset", "zadd", lambda f, v: f.zadd({"a": 1, v: 1}) if v.__hash__ else f.zadd({"a": v})),
    ("sortedset", "zadd score", lambda f, v: f.zadd(b=1, a=v)),
    ("sortedset", "zincrby", lambda f, v: f.zincrby(1, v)),
    ("sortedset", "zrem", lambda f, v: f.zrem("a", v)),
    ("sortedset", "zscore", lambda f, v: f.zscore(v)),
    ("sortedset", "zrank", lambda f, v: f.zrank(v)),
    ("sortedset", "zrevrank", lambda f, v: f.zrevrank(v)),
]

UNSTORABLE = [None, True, object(), ["a"], {"a": 1}, 1j]


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize(("name", "act"), [case[::2] for case in VALUES], ids=[f"{f}.{c}" for f, c, _ in VALUES])
def test_a_value_that_is_neither_text_nor_number(server: Backend, name: str, act: Act, index: str) -> None:
    """None, True, objects and lists are no values of any command: the error names the field and the type."""
    bike = bike_model(server)
    given = {"headers": {"a": 1}, "set": ["a"], "list": ["a"], "sortedset": {"a": 1}}.get(name, "1")
    made = bike(**{index + name: given})
    field = getattr(made, index + name)
    acts = [
        (lambda v=value: act(field, v), (f"Bike.{index}{name}", shown))
        for value in UNSTORABLE
        for shown in [repr(value) if value is None or value is True else type(value).__name__]
    ]
    each_everywhere(server, bike, acts, (ArgumentError, TypeError))


NUMBERS: list[tuple[str, Act]] = [
    ("string", lambda f, v: f.incr(v)),
    ("string", lambda f, v: f.decr(v)),
    ("string", lambda f, v: f.setbit(v, 1)),
    ("string", lambda f, v: f.setbit(1, v)),
    ("string", lambda f, v: f.setrange(v, "x")),
    ("string", lambda f, v: f.getrange(v, 1)),
    ("string", lambda f, v: f.getrange(1, v)),
    ("string", lambda f, v: f.getbit(v)),
    ("string", lambda f, v: f.bitcount(v, 1)),
    ("instancehash", lambda f, v: f.hincrby(v)),
    ("headers", lambda f, v: f.hincrby("a", v)),
    ("list", lambda f, v: f.lrange(v, 1)),
    ("list", lambda f, v: f.lindex(v)),
    ("list", lambda f, v: f.lset(v, "x")),
    ("list", lambda f, v: f.ltrim(0, v)),
    ("list", lambda f, v: f.lrem(v, "x")),
    ("sortedset", lambda f, v: f.zrange(0, v)),
    ("sortedset", lambda f, v: f.zrevrange(v, 1)),
    ("sortedset", lambda f, v: f.zremrangebyrank(v, 1)),
]


@pytest.mark.parametrize(("name", "act"), NUMBERS)
def test_what_must_be_an_integer(server: Backend, name: str, act: Act) -> None:
    """Where Redis wants an integer, text, floats, booleans and what is beyond 64 bits are refused."""
    bike = bike_model(server)
    field = getattr(bike(string="x"), name)
    values = (True, 1.5, "x", "1.5", " 1", "", [1], 2**63, -(2**63) - 1)
    acts = [(lambda v=value: act(field, v), ("must be", "Bike", f".{name}")) for value in values]
    each_everywhere(server, bike, acts, (ArgumentError, TypeError))


FLOATS: list[tuple[str, Act]] = [
    ("string", lambda f, v: f.incrbyfloat(v)),
    ("instancehash", lambda f, v: f.hincrbyfloat(v)),
    ("headers", lambda f, v: f.hincrbyfloat("a", v)),
    ("sortedset", lambda f, v: f.zadd(a=v)),
    ("sortedset", lambda f, v: f.zadd({"a": v})),
    ("sortedset", lambda f, v: f.zincrby(v, "a")),
    ("sortedset", lambda f, v: f.zcount(v, 1)),
    ("sortedset", lambda f, v: f.zrangebyscore(0, v)),
    ("sortedset", lambda f, v: f.zrevrangebyscore(v, 0)),
    ("sortedset", lambda f, v: f.zremrangebyscore(v, 1)),
]


@pytest.mark.parametrize(("name", "act"), FLOATS)
def test_what_must_be_a_number(server: Backend, name: str, act: Act) -> None:
    """Where Redis wants a number, other text, NaN, booleans and None are refused."""
    bike = bike_model(server)
    field = getattr(bike(string="x"), name)
    values = (None, True, "x", "", "1,5", "0x10", "1_000", " 1", float("nan"), "nan", [1])
    acts = [(lambda v=value: act(field, v), ("must be", "Bike", f".{name}")) for value in values]
    each_everywhere(server, bike, acts, (ArgumentError, TypeError))


def test_an_infinite_increment(server: Backend) -> None:
    """A sum cannot be infinite; a score can."""
    bike = bike_model(server)
    made = bike(string="1")
    for value in (float("inf"), "-inf"):
        acts = [
            (lambda v=value: made.string.incrbyfloat(v), ("finite", "Bike", ".string")),
            (lambda v=value: made.instancehash.hincrbyfloat(v), ("finite", "Bike", ".instancehash")),
            (lambda v=value: made.headers.hincrbyfloat("a", v), ("finite", "Bike", ".headers")),
        ]
        each_everywhere(server, bike, acts, ArgumentError)
    assert 1 == made.sortedset.zadd(a=float("inf"))


#: Calls without what they need, or with what excludes each other.
WRONG: list[tuple[str, Callable[[Any], Any]]] = [
    ("string", lambda f: f.set("x", nx=True, xx=True)),
    ("string", lambda f: f.set("x", ex=1, px=1)),
    ("string", lambda f: f.set("x", ex=1, keepttl=True)),
    ("string", lambda f: f.set("x", ex=0)),
    ("string", lambda f: f.set("x", ex="soon")),
    ("string", lambda f: f.set("x", ex=1.5)),
    ("string", lambda f: f.set("x", ex=timedelta(seconds=-1))),
    ("string", lambda f: f.set("x", nx=1)),
    ("string", lambda f: f.set("x", None, None, "XX")),
    ("string", lambda f: f.setbit(-1, 1)),
    ("string", lambda f: f.setbit(2**32, 1)),
    ("string", lambda f: f.setbit(0, 2)),
    ("string", lambda f: f.setrange(-1, "x")),
    ("string", lambda f: f.setrange(512 * 1024 * 1024, "x")),
    ("string", lambda f: f.bitcount(1)),
    ("string", lambda f: f.bitcount(0, 1, "NIBBLE")),
    ("string", lambda f: f.decr(-(2**63))),
    ("instancehash", lambda f: f.owner.hmset()),
    ("instancehash", lambda f: f.owner.hmset(string="x")),
    ("instancehash", lambda f: f.owner.hmset(instancehash="x", colour="x")),
    ("instancehash", lambda f: f.owner.hmget("colour")),
    ("instancehash", lambda f: f.owner.hdel()),
    ("instancehash", lambda f: f.owner.hdel("string")),
    ("headers", lambda f: f.hset()),
    ("headers", lambda f: f.hset("a")),
    ("headers", lambda f: f.hset(value="a")),
    ("headers", lambda f: f.hset(mapping={})),
    ("headers", lambda f: f.hset(items=["a"])),
    ("headers", lambda f: f.hset(items=[])),
    ("headers", lambda f: f.hset(mapping=[("a", 1)])),
    ("headers", lambda f: f.hmset()),
    ("headers", lambda f: f.hmset({})),
    ("headers", lambda f: f.hdel()),
    ("set", lambda f: f.sadd()),
    ("set", lambda f: f.srem()),
    ("set", lambda f: f.spop(-1)),
    ("set", lambda f: f.spop("x")),
    ("set", lambda f: f.srandmember("x")),
    ("list", lambda f: f.lpush()),
    ("list", lambda f: f.rpush()),
    ("list", lambda f: f.lpushx()),
    ("list", lambda f: f.rpushx()),
    ("list", lambda f: f.lpop(-1)),
    ("list", lambda f: f.rpop("x")),
    ("list", lambda f: f.linsert("BESIDE", "a", "b")),
    ("list", lambda f: f.linsert(None, "a", "b")),
    ("sortedset", lambda f: f.zadd()),
    ("sortedset", lambda f: f.zadd({})),
    ("sortedset", lambda f: f.zadd(["a"])),
    ("sortedset", lambda f: f.zadd({"a": 1}, nx=True, xx=True)),
    ("sortedset", lambda f: f.zadd({"a": 1}, nx=True, gt=True)),
    ("sortedset", lambda f: f.zadd({"a": 1}, gt=True, lt=True)),
    ("sortedset", lambda f: f.zadd({"a": 1, "b": 2}, incr=True)),
    ("sortedset", lambda f: f.zadd({"a": 1}, ch="yes")),
    ("sortedset", lambda f: f.zrem()),
    ("sortedset", lambda f: f.zrange(0, 1, withscores="no")),
    ("sortedset", lambda f: f.zrange(0, 1, offset=0, num=1)),
    ("sortedset", lambda f: f.zrange(0, 1, byscore=True, bylex=True)),
    ("sortedset", lambda f: f.zrange("a", "b", bylex=True)),
    ("sortedset", lambda f: f.zrange("-", "+", bylex=True, withscores=True)),
    ("sortedset", lambda f: f.zrange(0, 1, byscore=True, num=1)),
    ("sortedset", lambda f: f.zrangebyscore(0, 1, start=0)),
    ("sortedset", lambda f: f.zrangebyscore(0, 1, num=5)),
]


@pytest.mark.parametrize(("name", "act"), WRONG)
def test_calls_that_redis_would_refuse(server: Backend, name: str, act: Callable[[Any], Any]) -> None:
    """Missing arguments and options that exclude each other are refused, naming the field, before anything is sent."""
    bike = bike_model(server)
    made = bike(string="x")
    for field in (name, f"indexed_{name}"):
        kind = (ArgumentError, ImplementationError) if field.startswith("indexed") else ArgumentError
        # What is said on the instance is about the model.
        named = () if name == "instancehash" else (f".{field}",)
        everywhere(server, bike, lambda f=field: act(getattr(made, f)), kind, "Bike", *named)


@pytest.mark.parametrize("name", KINDS)
def test_arguments_that_a_command_does_not_have(server: Backend, name: str) -> None:
    """Too many or misspelled arguments are Python's own TypeError; nothing is said."""
    bike = bike_model(server)
    field = getattr(bike(string="x"), name)
    everywhere(server, bike, lambda: field.delete("x"), TypeError, "takes 1 positional")
    everywhere(server, bike, lambda: field.delete(key="x"), TypeError, "'key'")
    everywhere(server, bike, lambda: field.sunion("x"), AttributeError, "sunion")


def test_an_expiry_on_a_field_with_an_index(server: Backend) -> None:
    """What sets an expiry is refused on indexed and unique fields: their index entries would outlive the value."""
    bike = bike_model(server)
    made = bike(indexed_string="x", serial="1")
    later = int(time.time()) + 1000
    for option in ({"ex": 1000}, {"px": 1000}, {"exat": later}, {"pxat": later * 1000}):
        for name in ("indexed_string", "serial"):
            everywhere(
                server,
                bike,
                lambda n=name, o=option: getattr(made, n).set("y", **o),
                ImplementationError,
                f"Bike.{name}",
                next(iter(option)),
                "Way out",
            )


def test_a_colon_in_an_entry_of_an_indexed_hash(server: Backend) -> None:
    """Two entries would share an index key; refused in whatever command stores it, and in the constructor."""
    bike = bike_model(server)
    made = bike(headers={"a:b": 1})
    field = made.indexed_headers
    for act in (
        lambda: field.hset("a:b", 1),
        lambda: field.hset(mapping={"x": 1, "a:b": 1}),
        lambda: field.hmset({"x": 1, "a:b": 1}),
        lambda: field.hsetnx("a:b", 1),
        lambda: field.hincrby("a:b"),
        lambda: field.hincrbyfloat("a:b"),
        lambda: bike(indexed_headers={"x": 1, "a:b": 1}),
    ):
        everywhere(server, bike, act, ArgumentError, "Bike.indexed_headers", "'a:b'", "':'", "Way out")
    assert ("1", None) == (made.headers.hget("a:b"), field.hget("a:b"))


def test_a_pending_reply_is_no_argument(server: Backend) -> None:
    """The reply of a write that waits cannot be an argument of another, nor be used as if it were there."""
    bike = bike_model(server)
    made = bike(string="1")
    before = server.dump()
    with Session(bike.database) as s:
        pending = made.string.incr()
        for name in ("instancehash", "string"):
            with refused(server, (ArgumentError, TypeError), f"Bike.{name}", "Pending"):
                getattr(made, name).set(pending)
        with refused(server, (ArgumentError, TypeError), "Bike.string", "Pending"):
            bike(string=pending)
        with refused(server, (ArgumentError, TypeError), "Pending"):
            made.string.incr(pending)
        assert 1 == len(s.pending)
        s.rollback()
    assert before == server.dump()


# What only the value that is met makes wrong


ON_VALUES: list[tuple[str, Any, Callable[[Any], Any], str]] = [
    ("string", "text", lambda f: f.incr(), "incr"),
    ("string", "text", lambda f: f.decr(), "decr"),
    ("string", "text", lambda f: f.incrbyfloat(1), "incrbyfloat"),
    ("string", str(2**63 - 1), lambda f: f.incr(), "incr"),
    ("instancehash", "text", lambda f: f.hincrby(), "hincrby"),
    ("instancehash", "text", lambda f: f.hincrbyfloat(1), "hincrbyfloat"),
    ("headers", {"a": "text"}, lambda f: f.hincrby("a"), "hincrby"),
    ("headers", {"a": "text"}, lambda f: f.hincrbyfloat("a"), "hincrbyfloat"),
    ("list", ["a"], lambda f: f.lset(5, "x"), "lset"),
    ("sortedset", {"a": float("inf")}, lambda f: f.zincrby(float("-inf"), "a"), "zincrby"),
]


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize(("name", "value", "act", "command"), ON_VALUES)
def test_a_command_that_fails_on_what_it_meets(
    server: Backend, name: str, value: Any, act: Callable[[Any], Any], command: str, index: str
) -> None:
    """The object, the field and the command are named; in a session nothing else of it is applied either."""
    bike = bike_model(server)
    made = bike(**{index + name: value})
    # A command without index goes to Redis as it is, which names no method: then the key is named.
    where = (
        f":bike:1:{'hash' if name == 'instancehash' else name}" if not index else f"Bike <1>.{index}{name}.{command}"
    )
    with refused(server, Rejected, where):
        act(getattr(made, index + name))
    with Session(bike.database) as s:
        bike(string="never")
        act(getattr(made, index + name))
        before = server.dump()
        with pytest.raises(Rejected, match=re.escape(f"Bike <1>.{index}{name}.{command} ")):
            s.commit()
        assert before == {**server.dump(), b":bike:max_pk": before[b":bike:max_pk"]}
        s.rollback()


def test_a_missing_object_is_named(server: Backend) -> None:
    """The object that is not there is named by model and pk, whoever asks for it."""
    bike = bike_model(server)
    everywhere(server, bike, lambda: bike("no such"), DoesNotExist, "Bike", "'no such'")
    everywhere(server, bike, lambda: bike.get(indexed_string="x"), DoesNotExist, "Bike", "indexed_string", "'x'")
