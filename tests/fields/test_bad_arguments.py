"""Arguments that cannot be sent are refused when the command is built; nothing is written, nothing stays pending."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.models import KINDS, things
from tests.tools.backends import Backend
from tests.tools.refusing import each_everywhere, everywhere, refused
from uowredis import ArgumentError, DoesNotExist, ImplementationError, Rejected, Session

Act = Callable[[Any, Any], Any]

#: Where each writing (and reading) command takes a value: field, how the command is called with it.
VALUES: list[tuple[str, str, Act]] = [
    ("string", "set", lambda f, v: f.set(v)),
    ("string", "getset", lambda f, v: f.getset(v)),
    ("string", "setnx", lambda f, v: f.setnx(v)),
    ("string", "append", lambda f, v: f.append(v)),
    ("string", "setrange", lambda f, v: f.setrange(0, v)),
    ("entry", "hset", lambda f, v: f.hset(v)),
    ("entry", "set", lambda f, v: f.set(v)),
    ("entry", "hsetnx", lambda f, v: f.hsetnx(v)),
    ("entry", "hmset", lambda f, v: f._owner.hmset(**{f._field.name: v})),
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
    ("zset", "zadd", lambda f, v: f.zadd({"a": 1, v: 1}) if v.__hash__ else f.zadd({"a": v})),
    ("zset", "zadd score", lambda f, v: f.zadd(b=1, a=v)),
    ("zset", "zincrby", lambda f, v: f.zincrby(1, v)),
    ("zset", "zrem", lambda f, v: f.zrem("a", v)),
    ("zset", "zscore", lambda f, v: f.zscore(v)),
    ("zset", "zrank", lambda f, v: f.zrank(v)),
    ("zset", "zrevrank", lambda f, v: f.zrevrank(v)),
]

UNSTORABLE = [None, True, object(), ["a"], {"a": 1}, 1j]


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize(("name", "act"), [case[::2] for case in VALUES], ids=[f"{f}.{c}" for f, c, _ in VALUES])
def test_a_value_that_is_neither_text_nor_number(server: Backend, name: str, act: Act, index: str) -> None:
    """None, True, objects and lists are no values of any command: the error names the field and the type."""
    thing = things(server.database())
    given = {"headers": {"a": 1}, "set": ["a"], "list": ["a"], "zset": {"a": 1}}.get(name, "1")
    made = thing(**{index + name: given})
    field = getattr(made, index + name)
    acts = [
        (lambda v=value: act(field, v), (f"Thing.{index}{name}", shown))
        for value in UNSTORABLE
        for shown in [repr(value) if value is None or value is True else type(value).__name__]
    ]
    each_everywhere(server, thing, acts, (ArgumentError, TypeError))


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
    ("entry", lambda f, v: f.hincrby(v)),
    ("headers", lambda f, v: f.hincrby("a", v)),
    ("list", lambda f, v: f.lrange(v, 1)),
    ("list", lambda f, v: f.lindex(v)),
    ("list", lambda f, v: f.lset(v, "x")),
    ("list", lambda f, v: f.ltrim(0, v)),
    ("list", lambda f, v: f.lrem(v, "x")),
    ("zset", lambda f, v: f.zrange(0, v)),
    ("zset", lambda f, v: f.zrevrange(v, 1)),
    ("zset", lambda f, v: f.zremrangebyrank(v, 1)),
]


@pytest.mark.parametrize(("name", "act"), NUMBERS)
def test_what_must_be_an_integer(server: Backend, name: str, act: Act) -> None:
    """Where Redis wants an integer, text, floats, booleans and what is beyond 64 bits are refused."""
    thing = things(server.database())
    field = getattr(thing(string="x"), name)
    values = (True, 1.5, "x", "1.5", " 1", "", [1], 2**63, -(2**63) - 1)
    acts = [(lambda v=value: act(field, v), ("must be", "Thing", f".{name}")) for value in values]
    each_everywhere(server, thing, acts, (ArgumentError, TypeError))


FLOATS: list[tuple[str, Act]] = [
    ("string", lambda f, v: f.incrbyfloat(v)),
    ("entry", lambda f, v: f.hincrbyfloat(v)),
    ("headers", lambda f, v: f.hincrbyfloat("a", v)),
    ("zset", lambda f, v: f.zadd(a=v)),
    ("zset", lambda f, v: f.zadd({"a": v})),
    ("zset", lambda f, v: f.zincrby(v, "a")),
    ("zset", lambda f, v: f.zcount(v, 1)),
    ("zset", lambda f, v: f.zrangebyscore(0, v)),
    ("zset", lambda f, v: f.zrevrangebyscore(v, 0)),
    ("zset", lambda f, v: f.zremrangebyscore(v, 1)),
]


@pytest.mark.parametrize(("name", "act"), FLOATS)
def test_what_must_be_a_number(server: Backend, name: str, act: Act) -> None:
    """Where Redis wants a number, other text, NaN, booleans and None are refused."""
    thing = things(server.database())
    field = getattr(thing(string="x"), name)
    values = (None, True, "x", "", "1,5", "0x10", "1_000", " 1", float("nan"), "nan", [1])
    acts = [(lambda v=value: act(field, v), ("must be", "Thing", f".{name}")) for value in values]
    each_everywhere(server, thing, acts, (ArgumentError, TypeError))


def test_an_infinite_increment(server: Backend) -> None:
    """A sum cannot be infinite; a score can."""
    thing = things(server.database())
    made = thing(string="1")
    for value in (float("inf"), "-inf"):
        acts = [
            (lambda v=value: made.string.incrbyfloat(v), ("finite", "Thing", ".string")),
            (lambda v=value: made.entry.hincrbyfloat(v), ("finite", "Thing", ".entry")),
            (lambda v=value: made.headers.hincrbyfloat("a", v), ("finite", "Thing", ".headers")),
        ]
        each_everywhere(server, thing, acts, ArgumentError)
    assert 1 == made.zset.zadd(a=float("inf"))


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
    ("string", lambda f: f.bitpos(2)),
    ("string", lambda f: f.bitpos(1, end=2)),
    ("string", lambda f: f.bitpos(1, 0, mode="BIT")),
    ("string", lambda f: f.bitfield()),
    ("string", lambda f: f.bitfield("GET")),
    ("string", lambda f: f.bitfield(("GET", "u64", 0))),
    ("string", lambda f: f.bitfield(("GET", "u8", -1))),
    ("string", lambda f: f.bitfield(("GET", "u8", 2**32 - 7))),
    ("string", lambda f: f.bitfield(("GET", "u8", "#536870912"))),
    ("string", lambda f: f.bitfield(("SET", "u8", 0, "x"))),
    ("string", lambda f: f.bitfield(("OVERFLOW", "NO"), ("INCRBY", "u8", 0, 300))),
    ("string", lambda f: f.getex(ex=1, px=1)),
    ("string", lambda f: f.getex(ex=1, persist=True)),
    ("string", lambda f: f.getex(ex=0)),
    ("headers", lambda f: f.hrandfield(withvalues=True)),
    ("headers", lambda f: f.hrandfield("x")),
    ("headers", lambda f: f.hscan(-1)),
    ("set", lambda f: f.smismember()),
    ("set", lambda f: f.sscan(count=0)),
    ("list", lambda f: f.lpos("a", rank=0)),
    ("list", lambda f: f.lpos("a", rank=-(2**63))),
    ("list", lambda f: f.lpos("a", count=-1)),
    ("zset", lambda f: f.zmscore("ab")),
    ("zset", lambda f: f.zmscore([])),
    ("zset", lambda f: f.zpopmin(0)),
    ("zset", lambda f: f.zrandmember(withscores=True)),
    ("zset", lambda f: f.zrangebylex("a", "+")),
    ("zset", lambda f: f.zrangebylex("-", "+", start=1)),
    ("zset", lambda f: f.zlexcount("-", "b")),
    ("zset", lambda f: f.zremrangebylex("-", "b")),
    ("zset", lambda f: f.zremrangebylex("a", "+")),
    ("string", lambda f: f.decr(-(2**63))),
    ("entry", lambda f: f._owner.hmset()),
    ("entry", lambda f: f._owner.hmset(string="x")),
    ("entry", lambda f: f._owner.hmset(entry="x", colour="x")),
    ("entry", lambda f: f._owner.hmget("colour")),
    ("entry", lambda f: f._owner.hdel()),
    ("entry", lambda f: f._owner.hdel("string")),
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
    ("zset", lambda f: f.zadd()),
    ("zset", lambda f: f.zadd({})),
    ("zset", lambda f: f.zadd(["a"])),
    ("zset", lambda f: f.zadd({"a": 1}, nx=True, xx=True)),
    ("zset", lambda f: f.zadd({"a": 1}, nx=True, gt=True)),
    ("zset", lambda f: f.zadd({"a": 1}, gt=True, lt=True)),
    ("zset", lambda f: f.zadd({"a": 1, "b": 2}, incr=True)),
    ("zset", lambda f: f.zadd({"a": 1}, ch="yes")),
    ("zset", lambda f: f.zrem()),
    ("zset", lambda f: f.zrange(0, 1, withscores="no")),
    ("zset", lambda f: f.zrange(0, 1, offset=0, num=1)),
    ("zset", lambda f: f.zrange(0, 1, byscore=True, bylex=True)),
    ("zset", lambda f: f.zrange("a", "b", bylex=True)),
    ("zset", lambda f: f.zrange("-", "+", bylex=True, withscores=True)),
    ("zset", lambda f: f.zrange(0, 1, byscore=True, num=1)),
    ("zset", lambda f: f.zrangebyscore(0, 1, start=0)),
    ("zset", lambda f: f.zrangebyscore(0, 1, num=5)),
]


@pytest.mark.parametrize(("name", "act"), WRONG)
def test_calls_that_redis_would_refuse(server: Backend, name: str, act: Callable[[Any], Any]) -> None:
    """Missing arguments and options that exclude each other are refused, naming the field, before anything is sent."""
    thing = things(server.database())
    made = thing(string="x")
    for field in (name, f"indexed_{name}"):
        kind = (ArgumentError, ImplementationError) if field.startswith("indexed") else ArgumentError
        # What is said on the instance is about the model.
        named = () if name == "entry" else (f".{field}",)
        everywhere(server, thing, lambda f=field: act(getattr(made, f)), kind, "Thing", *named)


@pytest.mark.parametrize("name", KINDS)
def test_arguments_that_a_command_does_not_have(server: Backend, name: str) -> None:
    """Too many or misspelled arguments are Python's own TypeError; nothing is said."""
    thing = things(server.database())
    field = getattr(thing(string="x"), name)
    everywhere(server, thing, lambda: field.delete("x"), TypeError, "takes 1 positional")
    everywhere(server, thing, lambda: field.delete(key="x"), TypeError, "'key'")
    everywhere(server, thing, lambda: field.sunionstore("x"), AttributeError, "sunionstore")


def test_an_expiry_on_a_field_with_an_index(server: Backend) -> None:
    """What sets an expiry is refused on indexed and unique fields: their index entries would outlive the value."""
    thing = things(server.database())
    made = thing(indexed_string="x", serial="1")
    later = int(time.time()) + 1000
    for option in ({"ex": 1000}, {"px": 1000}, {"exat": later}, {"pxat": later * 1000}):
        for name in ("indexed_string", "serial"):
            everywhere(
                server,
                thing,
                lambda n=name, o=option: getattr(made, n).set("y", **o),
                ImplementationError,
                f"Thing.{name}",
                next(iter(option)),
                "Way out",
            )


def test_a_colon_in_an_entry_of_an_indexed_hash(server: Backend) -> None:
    """Two entries would share an index key; refused in whatever command stores it, and in the constructor."""
    thing = things(server.database())
    made = thing(headers={"a:b": 1})
    field = made.indexed_headers
    for act in (
        lambda: field.hset("a:b", 1),
        lambda: field.hset(mapping={"x": 1, "a:b": 1}),
        lambda: field.hmset({"x": 1, "a:b": 1}),
        lambda: field.hsetnx("a:b", 1),
        lambda: field.hincrby("a:b"),
        lambda: field.hincrbyfloat("a:b"),
        lambda: thing(indexed_headers={"x": 1, "a:b": 1}),
    ):
        everywhere(server, thing, act, ArgumentError, "Thing.indexed_headers", "'a:b'", "':'", "Way out")
    assert ("1", None) == (made.headers.hget("a:b"), field.hget("a:b"))


def test_a_pending_reply_is_no_argument(server: Backend) -> None:
    """The reply of a write that waits cannot be an argument of another, nor be used as if it were there."""
    thing = things(server.database())
    made = thing(string="1")
    before = server.dump()
    with Session(thing.database) as s:
        pending = made.string.incr()
        for name in ("entry", "string"):
            with refused(server, (ArgumentError, TypeError), f"Thing.{name}", "Pending"):
                getattr(made, name).set(pending)
        with refused(server, (ArgumentError, TypeError), "Thing.string", "Pending"):
            thing(string=pending)
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
    ("entry", "text", lambda f: f.hincrby(), "hincrby"),
    ("entry", "text", lambda f: f.hincrbyfloat(1), "hincrbyfloat"),
    ("headers", {"a": "text"}, lambda f: f.hincrby("a"), "hincrby"),
    ("headers", {"a": "text"}, lambda f: f.hincrbyfloat("a"), "hincrbyfloat"),
    ("list", ["a"], lambda f: f.lset(5, "x"), "lset"),
    ("zset", {"a": float("inf")}, lambda f: f.zincrby(float("-inf"), "a"), "zincrby"),
]


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize(("name", "value", "act", "command"), ON_VALUES)
def test_a_command_that_fails_on_what_it_meets(
    server: Backend, name: str, value: Any, act: Callable[[Any], Any], command: str, index: str
) -> None:
    """The object, the field and the command are named; in a session nothing else of it is applied either."""
    thing = things(server.database())
    made = thing(**{index + name: value})
    # A command without index goes to Redis as it is, which names no method: then the key is named.
    where = f":thing:1:{'hash' if name == 'entry' else name}" if not index else f"Thing <1>.{index}{name}.{command}"
    with refused(server, Rejected, where):
        act(getattr(made, index + name))
    with Session(thing.database) as s:
        thing(string="never")
        act(getattr(made, index + name))
        before = server.dump()
        with pytest.raises(Rejected, match=re.escape(f"Thing <1>.{index}{name}.{command} ")):
            s.commit()
        assert before == {**server.dump(), b":thing:max_pk": before[b":thing:max_pk"]}
        s.rollback()


def test_a_missing_object_is_named(server: Backend) -> None:
    """The object that is not there is named by model and pk, whoever asks for it."""
    thing = things(server.database())
    everywhere(server, thing, lambda: thing("no such"), DoesNotExist, "Thing", "'no such'")
    everywhere(server, thing, lambda: thing.get(indexed_string="x"), DoesNotExist, "Thing", "indexed_string", "'x'")
