"""The documented commands of each field as data: what reads, what writes, and calls to be compared with redis-py's.

`test_commands_table.py` reads the data in several directions; ``Theirs`` says the same calls by redis-py.
"""

import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import redis

from uowredis import HashField, InstanceHashField, ListField, RedisModel, SetField, SortedSetField, StringField

#: The documented commands: by field type (RedisModel for those called on the instance), those that read and those
#: that write. GETSET is documented as both; it writes.
DOCUMENTED: dict[type, tuple[str, str]] = {
    StringField: (
        "bitcount get getbit getrange strlen",
        "append decr getset incr incrbyfloat set setbit setnx setrange",
    ),
    HashField: (
        "hget hgetall hmget hkeys hvals hexists hlen",
        "hdel hmset hsetnx hset hincrby hincrbyfloat",
    ),
    InstanceHashField: (
        "hget",
        "hincrby hincrbyfloat hset hsetnx hdel",
    ),
    RedisModel: (
        "hmget hgetall hkeys hvals hlen",
        "hmset hdel",
    ),
    SetField: (
        "scard sismember smembers srandmember",
        "sadd spop srem",
    ),
    ListField: (
        "lindex llen lrange",
        "linsert lpop lpush lpushx lrem lset ltrim rpop rpush rpushx",
    ),
    SortedSetField: (
        "zcard zcount zrange zrangebyscore zrank zrevrange zrevrangebyscore zrevrank zscore",
        "zadd zincrby zrem zremrangebyrank zremrangebyscore",
    ),
}

#: Commands of each field with a key of its own.
OF_A_KEY = ("exists expiretime pexpiretime pttl ttl", "expire expireat persist pexpire pexpireat")

#: Commands beside that list: `delete` of every field ("what all fields have in common"), and the two names by which
#: an InstanceHashField may be read and set like a StringField.
ADDITIONS: dict[type, tuple[str, str]] = {
    StringField: (f"bitpos {OF_A_KEY[0]}", f"bitfield delete getdel getex {OF_A_KEY[1]}"),
    HashField: (f"hrandfield hscan hstrlen {OF_A_KEY[0]}", f"delete {OF_A_KEY[1]}"),
    InstanceHashField: ("get hstrlen", "set delete"),
    SetField: (f"sdiff sinter smismember sscan sunion {OF_A_KEY[0]}", f"delete smove {OF_A_KEY[1]}"),
    ListField: (f"lpos {OF_A_KEY[0]}", f"delete lmove rpoplpush {OF_A_KEY[1]}"),
    SortedSetField: (
        f"zlexcount zmscore zrandmember zrangebylex zrevrangebylex zscan {OF_A_KEY[0]}",
        f"delete zpopmax zpopmin zremrangebylex {OF_A_KEY[1]}",
    ),
}

#: Those of two fields, and those that Redis 7.0 brought: ``test_between.py`` and ``test_lasting.py`` compare them.
ELSEWHERE_COMPARED = {"sdiff", "sinter", "sunion", "smove", "lmove", "rpoplpush", "expiretime", "pexpiretime"}

#: Commands that are not called like their Redis command: (field type or None for all, method) to the Redis name.
REDIS_NAMES: dict[tuple[type | None, str], str] = {
    (None, "delete"): "DEL",
    (None, "incr"): "INCRBY",
    (None, "decr"): "DECRBY",
    (InstanceHashField, "delete"): "HDEL",
    (InstanceHashField, "get"): "HGET",
    (InstanceHashField, "set"): "HSET",
}


@attrs.frozen
class Call:
    """A method of a bound field with its arguments."""

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = attrs.field(hash=False)

    def __str__(self) -> str:
        named = [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.method}({', '.join([*map(repr, self.args), *named])})"


def call(method: str, /, *args: Any, **kwargs: Any) -> Call:
    return Call(method, args, kwargs)


Conversation = tuple[Call, ...]


def after(*given: Call) -> "Given":
    """Return what begins conversations with the calls *given*."""
    return Given(given)


@attrs.frozen
class Given:
    calls: Conversation

    def each(self, *last: Call) -> list[Conversation]:
        """Return one conversation for each of *last*."""
        return [(*self.calls, one) for one in last]


FAR = 4_102_444_800  # the year 2100, in seconds

#: Conversations with an expiry, which fields with an index refuse.
EXPIRING: list[Conversation] = [
    *after().each(
        call("set", "bar", ex=1000),
        call("set", "bar", 1000),
        call("set", "bar", px=1_000_000),
        call("set", "bar", exat=FAR),
        call("set", "bar", pxat=FAR * 1000),
        call("set", "bar", ex=1000, nx=True),
        call("set", "bar", ex=timedelta(hours=1)),
        call("set", "bar", px=timedelta(hours=1)),
        call("set", "bar", exat=datetime.fromtimestamp(FAR, UTC)),
        call("set", "bar", pxat=datetime.fromtimestamp(FAR, UTC)),
    ),
    *after(call("set", "foo", ex=1000)).each(call("set", "bar"), call("set", "bar", keepttl=True), call("append", "x")),
]

#: What stores a value in each field with a key of its own.
STORED: dict[type, Call] = {
    StringField: call("set", "foo"),
    HashField: call("hset", "a", "1"),
    SetField: call("sadd", "a"),
    ListField: call("rpush", "a"),
    SortedSetField: call("zadd", {"a": 1}),
}
#: What is said of the key of a field without index, whatever its type.
LASTING: list[Conversation] = [
    (said,)
    for said in (
        call("expire", 1000),
        call("expire", timedelta(hours=1)),
        call("pexpire", 1_000_000),
        call("pexpire", time=timedelta(hours=1)),
        call("expireat", FAR),
        call("expireat", datetime.fromtimestamp(FAR, UTC)),
        call("expireat", 1),
        call("pexpireat", FAR * 1000),
        call("pexpireat", when=datetime.fromtimestamp(FAR, UTC)),
    )
]
LASTING += [(*said, call("exists")) for said in LASTING] + [(call("expire", 1000), call("persist"))]

CONVERSATIONS: dict[type, list[Conversation]] = {
    StringField: [
        *after().each(
            call("get"),
            call("strlen"),
            call("getrange", 0, -1),
            call("getbit", 3),
            call("bitcount"),
            call("bitpos", 1),
            call("bitpos", 0),
            call("getdel"),
            call("getex"),
            call("bitfield", ("GET", "u8", 0), ("SET", "u7", 1, 65), ("INCRBY", "u8", "#1", 66)),
            call("set", "foo"),
            call("set", "naïve ☃"),
            call("set", 5),
            call("set", 2.5),
            call("set", b"bytes"),
            call("set", ""),
            call("set", "bar", nx=True),
            call("set", "bar", xx=True),
            call("set", "bar", get=True),
            call("getset", "bar"),
            call("setnx", "bar"),
            call("append", "bar"),
            call("setrange", 2, "bar"),
            call("setbit", 7, 1),
            call("incr"),
            call("incr", 5),
            call("decr"),
            call("incrbyfloat"),
            call("incrbyfloat", 0.5),
            call("delete"),
        ),
        *after(call("set", "foobar")).each(
            call("get"),
            call("strlen"),
            call("getrange", 1, 3),
            call("getrange", -3, -1),
            call("getbit", 6),
            call("bitcount"),
            call("bitcount", 1, 2),
            call("bitpos", 1),
            call("bitpos", 0, 2),
            call("bitpos", bit=1, start=2, end=-2),
            call("getdel"),
            call("getex"),
            call("getex", persist=True),
            call("bitfield", ("GET", "i64", 0), ("INCRBY", "i8", "#6", 65)),
            call("bitfield", ("INCRBY", "u7", 1, 100), ("OVERFLOW", "SAT"), ("INCRBY", "u7", 1, 120), ("GET", "u3", 1)),
            call("bitfield", ("OVERFLOW", "FAIL"), ("INCRBY", "u8", 0, 200), ("SET", "u8", 8, 65), ("GET", "u8", 0)),
            call("bitcount", start=0, end=-2),
            call("set", "bar", nx=True),
            call("set", "bar", xx=True),
            call("set", "bar", get=True),
            call("set", "bar", xx=True, get=True),
            call("getset", "bar"),
            call("setnx", "bar"),
            call("append", "bar"),
            call("setrange", 3, "BAR"),
            call("setrange", 0, ""),
            call("setbit", 7, 1),
            call("setbit", 6, 0),
            call("delete"),
        ),
        *after(call("set", "naïve ☃")).each(call("get"), call("strlen"), call("getrange", 0, 1)),
        *after(call("set", 10)).each(
            call("incr"),
            call("incr", 5),
            call("incr", amount=-12),
            call("decr"),
            call("decr", 4),
            call("decr", amount=20),
            call("incrbyfloat", 0.5),
            call("incrbyfloat", "0.25"),
            call("incrbyfloat", amount=-3),
        ),
        *after(call("set", "10.5")).each(call("incrbyfloat", 0.25), call("incrbyfloat", -0.5)),
    ],
    HashField: [
        *after().each(
            call("hget", "a"),
            call("hgetall"),
            call("hmget", ["a", "b"]),
            call("hkeys"),
            call("hvals"),
            call("hexists", "a"),
            call("hlen"),
            call("hstrlen", "a"),
            call("hrandfield"),
            call("hrandfield", 2),
            call("hscan"),
            call("hset", "a", "1"),
            call("hset", key="a", value=2),
            call("hset", mapping={"a": "1", "b": 2.5}),
            call("hset", "a", "1", {"b": "2"}),
            call("hset", items=["a", "1", "b", 2]),
            call("hset", "a", "1", {"b": "2"}, ["c", "3"]),
            call("hmset", {"a": "1", "b": "2"}),
            call("hmset", a="1", b="2"),
            call("hsetnx", "a", "1"),
            call("hdel", "a"),
            call("hincrby", "a"),
            call("hincrbyfloat", "a"),
            call("delete"),
        ),
        *after(call("hset", "a", "1")).each(call("hrandfield"), call("hrandfield", -2), call("hrandfield", -2, True)),
        *after(call("hset", mapping={"a": "1", "b": "2", "x y": "☃"})).each(
            call("hget", "a"),
            call("hget", "x y"),
            call("hget", "none"),
            call("hgetall"),
            call("hmget", ["a", "none", "b"]),
            call("hmget", "a", "b"),
            call("hkeys"),
            call("hvals"),
            call("hexists", "a"),
            call("hexists", "none"),
            call("hlen"),
            call("hstrlen", "x y"),
            call("hstrlen", "none"),
            call("hrandfield", 3),
            call("hrandfield", 9, True),
            call("hscan"),
            call("hscan", match="[ab]", count=100),
            call("hset", "a", "9"),
            call("hset", mapping={"a": "9", "c": "3"}),
            call("hmset", {"a": "9", "c": "3"}),
            call("hsetnx", "a", "9"),
            call("hsetnx", "c", "3"),
            call("hdel", "a", "none"),
            call("hdel", "a", "b", "x y"),
            call("hincrby", "a"),
            call("hincrby", "b", 5),
            call("hincrby", "c", amount=-2),
            call("hincrbyfloat", "a", 0.5),
            call("hincrbyfloat", "c", amount="0.25"),
            call("delete"),
        ),
    ],
    InstanceHashField: [
        *after().each(
            call("hget"),
            call("get"),
            call("hstrlen"),
            call("hset", "FOO"),
            call("set", 5),
            call("hsetnx", "FOO"),
            call("hincrby"),
            call("hincrbyfloat"),
            call("hdel"),
            call("delete"),
        ),
        *after(call("hset", "7")).each(
            call("hget"),
            call("get"),
            call("hstrlen"),
            call("hset", "yellow"),
            call("set", "☃"),
            call("hsetnx", "yellow"),
            call("hincrby"),
            call("hincrby", 5),
            call("hincrby", amount=-9),
            call("hincrbyfloat", 0.5),
            call("hincrbyfloat", amount="0.25"),
            call("hdel"),
            call("delete"),
        ),
    ],
    RedisModel: [
        *after().each(
            call("hmget", "foo", "bar"),
            call("hgetall"),
            call("hkeys"),
            call("hvals"),
            call("hlen"),
            call("hmset", foo="FOO", bar=5),
            call("hdel", "foo"),
        ),
        *after(call("hmset", foo="FOO", bar="BAR", baz="☃")).each(
            call("hmget", "foo"),
            call("hmget", "qux", "bar", "foo"),
            call("hgetall"),
            call("hkeys"),
            call("hvals"),
            call("hlen"),
            call("hmset", foo="new", qux="QUX"),
            call("hdel", "foo", "bar", "qux"),
            call("hdel", "foo", "bar", "baz"),
        ),
    ],
    SetField: [
        *after().each(
            call("scard"),
            call("sismember", "a"),
            call("smismember", "a"),
            call("sscan"),
            call("smembers"),
            call("srandmember"),
            call("srandmember", 2),
            call("sadd", "a"),
            call("sadd", "a", 2, 2.5, b"b", "☃"),
            call("spop"),
            call("spop", 2),
            call("srem", "a"),
            call("delete"),
        ),
        *after(call("sadd", "a")).each(
            call("srandmember"),
            call("srandmember", 3),
            call("srandmember", number=-3),
            call("spop"),
            call("spop", 1),
            call("srem", "a"),
        ),
        *after(call("sadd", "a", "b", "c")).each(
            call("scard"),
            call("sismember", "a"),
            call("sismember", "none"),
            call("smismember", "a", "none", "c"),
            call("sscan"),
            call("sscan", 0, "[ab]", 100),
            call("sscan", match="none", count=5),
            call("smembers"),
            call("srandmember", 3),
            call("sadd", "a", "d"),
            call("spop", 3),
            call("spop", count=9),
            call("srem", "a", "none", "b"),
            call("delete"),
        ),
    ],
    ListField: [
        *after().each(
            call("lindex", 0),
            call("llen"),
            call("lpos", "a"),
            call("lpos", "a", count=1),
            call("lrange", 0, -1),
            call("linsert", "BEFORE", "a", "x"),
            call("lpop"),
            call("rpop"),
            call("lpop", 2),
            call("lpush", "a"),
            call("lpush", "a", 2, 2.5, "☃"),
            call("rpush", "a", 2, 2.5, b"b"),
            call("lpushx", "a"),
            call("rpushx", "a"),
            call("lrem", 0, "a"),
            call("ltrim", 0, 1),
            call("delete"),
        ),
        *after(call("rpush", "a", "b", "c", "b")).each(
            call("lindex", 1),
            call("lindex", -1),
            call("lindex", 9),
            call("llen"),
            call("lpos", "b"),
            call("lpos", "none"),
            call("lpos", "b", 2),
            call("lpos", "b", rank=-1),
            call("lpos", "b", -1, 0),
            call("lpos", "b", count=0, maxlen=2),
            call("lrange", 0, -1),
            call("lrange", 1, 2),
            call("linsert", "BEFORE", "b", "x"),
            call("linsert", "after", "b", "x"),
            call("linsert", "AFTER", "none", "x"),
            call("lpop"),
            call("lpop", 2),
            call("lpop", count=9),
            call("rpop"),
            call("rpop", 2),
            call("lpush", "x", "y"),
            call("rpush", "x", "y"),
            call("lpushx", "x"),
            call("rpushx", "x", "y"),
            call("lrem", 1, "b"),
            call("lrem", -1, "b"),
            call("lrem", 0, "b"),
            call("lrem", 1, "none"),
            call("lset", 1, "x"),
            call("lset", -1, "x"),
            call("ltrim", 1, 2),
            call("ltrim", 5, 9),
            call("delete"),
        ),
    ],
    SortedSetField: [
        *after().each(
            call("zcard"),
            call("zcount", "-inf", "+inf"),
            call("zrange", 0, -1),
            call("zrangebyscore", 1, 2),
            call("zlexcount", "-", "+"),
            call("zmscore", ["foo"]),
            call("zpopmax"),
            call("zpopmin", 2),
            call("zrandmember"),
            call("zrandmember", 2),
            call("zrangebylex", "-", "+"),
            call("zrevrangebylex", "+", "-"),
            call("zscan"),
            call("zrank", "foo"),
            call("zrevrange", 0, -1),
            call("zrevrangebyscore", 2, 1),
            call("zrevrank", "foo"),
            call("zscore", "foo"),
            call("zadd", foo=2.5, bar=1.1),
            call("zadd", {"foo": 2.5, "a b": "-3", 5: 1}),
            call("zadd", {"foo": 2.5}, nx=True),
            call("zadd", {"foo": 2.5}, xx=True),
            call("zadd", {"foo": 2.5}, incr=True),
            call("zincrby", 1.5, "foo"),
            call("zrem", "foo"),
            call("zremrangebyrank", 0, -1),
            call("zremrangebyscore", 0, 9),
            call("zremrangebylex", "-", "+"),
            call("delete"),
        ),
        *after(call("zadd", {"a": 1})).each(
            call("zrandmember"), call("zrandmember", -2), call("zrandmember", -2, True)
        ),
        *after(call("zadd", {"a": 0, "b": 0, "c": 0, "☃": 0})).each(
            call("zlexcount", "[b", "+"),
            call("zlexcount", "(a", "(c"),
            call("zrangebylex", "-", "+"),
            call("zrangebylex", "[a", "(c", start=1, num=-1),
            call("zrevrangebylex", "+", "[b"),
            call("zrevrangebylex", "(c", "-", 0, 1),
            call("zremrangebylex", "[b", "+"),
            call("zremrangebylex", "(a", "(c"),
            call("zremrangebylex", "(c", "[a"),
            call("zremrangebylex", "[☃", "[☃"),
            call("zpopmin"),
            call("zpopmax", 2),
            call("zrange", "-", "+", bylex=True),
            call("zrange", "[a", "(c", bylex=True),
            call("zrange", "+", "[b", desc=True, bylex=True, offset=0, num=2),
        ),
        *after(call("zadd", {"foo": 2.5, "bar": 1.1, "baz": 2.5, "☃": -4})).each(
            call("zcard"),
            call("zcount", 1, 2),
            call("zcount", "(1.1", "+inf"),
            call("zrange", 0, -1),
            call("zrange", 0, 1, True),
            call("zrange", 0, -1, withscores=True),
            call("zrange", 0, -1, desc=True, withscores=True),
            call("zrangebyscore", 1, 2, withscores=True),
            call("zrangebyscore", "-inf", "(2.5"),
            call("zrangebyscore", "-inf", "inf", start=1, num=2),
            call("zrangebyscore", "-inf", "inf", 1, -1, True),
            call("zrank", "foo"),
            call("zrank", "none"),
            call("zrevrange", 0, -1),
            call("zrevrange", 0, 1, withscores=True),
            call("zrange", 1, 2.5, byscore=True),
            call("zrange", "(1.1", "+inf", byscore=True, withscores=True),
            call("zrange", 3, "-inf", desc=True, byscore=True, offset=1, num=2),
            call("zrevrangebyscore", "inf", 1),
            call("zrevrangebyscore", 3, "-inf", start=0, num=2, withscores=True),
            call("zrevrank", "foo"),
            call("zscore", "foo"),
            call("zscore", "none"),
            call("zmscore", ["foo", "none", "☃"]),
            call("zpopmin"),
            call("zpopmin", 3),
            call("zpopmax"),
            call("zpopmax", count=9),
            call("zrandmember", 4),
            call("zrandmember", 9, True),
            call("zscan"),
            call("zscan", match="ba*", count=100),
            call("zadd", foo=1, qux=2),
            call("zadd", {"foo": 1, "qux": 2}, ch=True),
            call("zadd", {"foo": 1, "qux": 2}, nx=True),
            call("zadd", {"foo": 1, "qux": 2}, xx=True, ch=True),
            call("zadd", {"foo": 9, "bar": 0}, gt=True, ch=True),
            call("zadd", {"foo": 9, "bar": 0}, lt=True, ch=True),
            call("zadd", {"foo": 1.5}, incr=True),
            call("zadd", {"foo": 1.5}, nx=True, incr=True),
            call("zadd", {"foo": float("inf")}),
            call("zincrby", 1.5, "foo"),
            call("zincrby", -2, "qux"),
            call("zrem", "foo", "none"),
            call("zremrangebyrank", 0, 1),
            call("zremrangebyrank", -1, -1),
            call("zremrangebyscore", "-inf", "(2.5"),
            call("zremrangebyscore", 2.5, 9),
            call("delete"),
        ),
    ],
}

for _owner, _stores in STORED.items():
    CONVERSATIONS[_owner] += after().each(call("exists"), call("ttl"), call("pttl"), call("persist"))
    CONVERSATIONS[_owner] += after(_stores).each(call("exists"), call("persist"))


def models_of(owner: type, database: Any) -> dict[str, type[RedisModel]]:
    """Return a model without index and one with, each with a field of type *owner* (or four of the instance's hash)."""
    names = ("foo", "bar", "baz", "qux") if owner is RedisModel else ("field",)
    kind = InstanceHashField if owner is RedisModel else owner
    return {
        name: type(name, (RedisModel,), {"database": database} | {n: kind(indexable=name == "Indexed") for n in names})
        for name in ("Plain", "Indexed")
    }


@attrs.frozen
class Theirs:
    """The same calls by redis-py on a plain key."""

    owner: type
    client: redis.Redis

    def say(self, said: Call) -> Any:
        """Return what redis-py answers on the key ``plain``."""
        method, args, kwargs = said.method, list(said.args), dict(said.kwargs)
        if self.owner is InstanceHashField:
            method = {"get": "hget", "set": "hset", "delete": "hdel"}.get(method, method)
            args.insert(0, "field")
        if self.owner is RedisModel and method == "hmget":
            args = [args]
        if method == "zadd" and not args:
            args, kwargs = [kwargs], {}
        if method == "hmset" and not args:
            args, kwargs = [kwargs], {}
        if method == "bitfield":
            theirs = self.client.bitfield("plain")
            for name, *rest in args:
                getattr(theirs, name.lower())(*rest)
            return theirs.execute()
        with warnings.catch_warnings():
            # redis-py would have HMSET and its like called by other names.
            warnings.simplefilter("ignore", DeprecationWarning)
            return getattr(self.client, method)("plain", *args, **kwargs)


def unordered(said: Call, reply: Any) -> Any:
    """Return *reply*, sorted where Redis promises no order, and of pairs where redis-py leaves them flat."""
    if said.method in ("zrandmember", "hrandfield"):
        reply = _drawn(said, reply)
    if said.method in ("hscan", "sscan", "zscan"):
        cursor, found = reply
        return (cursor, sorted(found) if isinstance(found, list) else found)
    free = ("srandmember", "spop", "hkeys", "hvals", "zrandmember", "hrandfield")
    return sorted(reply) if said.method in free and isinstance(reply, list) else reply


def _drawn(said: Call, reply: Any) -> Any:
    """Return the *reply* to a draw in the shape promised: fakeredis has others for nothing and for the only one."""
    if not said.args:
        return (reply or [None])[0] if isinstance(reply, list) else reply
    if len(said.args) == 1 or not reply or isinstance(reply[0], tuple):
        return reply or []
    read = float if said.method == "zrandmember" else str
    return [(member, read(value)) for member, value in zip(reply[::2], reply[1::2], strict=True)]
