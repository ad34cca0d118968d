"""How often one waits for the server, counted on the socket; and that a plain command is what redis-py would send."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.models import KINDS, products
from tests.tools.exact import Models
from tests.tools.proxy import Proxy
from uowredis import RedisDatabase, Session


@pytest.fixture
def database(proxy: Proxy) -> Iterator[RedisDatabase]:
    with RedisDatabase.from_url(proxy.url) as database:
        yield database


@pytest.fixture
def models(database: RedisDatabase, proxy: Proxy) -> Models:
    """Models by way of the proxy, with thing 1; the connection is set up: it has made a transaction."""
    models = Models(database)
    models.full()
    proxy.reset()
    return models


@pytest.fixture
def product(database: RedisDatabase, proxy: Proxy) -> Any:
    """A model with a unique field and indexed ones, product 1 in it, on a connection that is set up."""
    product = products(database)
    product(name="first")
    proxy.reset()
    return product


def test_a_first_transaction_has_one_trip_more(proxy: Proxy, database: RedisDatabase) -> None:
    """MULTI's OK is read before the steps on a connection's first transaction; a plan does not count that."""
    models = Models(database)
    models.Thing(code="a")
    assert 3 == proxy.round_trips()
    proxy.reset()
    models.Thing(code="b")
    assert 2 == proxy.round_trips()
    assert 1 == proxy.connections


@pytest.mark.parametrize("size", ["", "large"])
def test_creating_one_object(proxy: Proxy, product: Any, size: str) -> None:
    """One unique and two indexed fields: guards and the primary key at once, then the transaction."""
    product(name="mountain", color="red", **({"kind": size} if size else {}))
    assert 2 == proxy.round_trips()


@pytest.mark.parametrize(("objects", "most"), [(1, 2), (100, 2), (10_000, 2)])
def test_creating_many_objects_in_one_session(
    proxy: Proxy, database: RedisDatabase, product: Any, objects: int, most: int
) -> None:
    """The number of round trips does not grow with the number of objects; the plan's head tells it."""
    with Session(database) as session:
        for number in range(objects):
            product(name=f"bike {number}", color="red", kind=number % 10)
        session.commit()
    assert most >= proxy.round_trips()
    assert session.last_plan is not None
    assert session.last_plan.round_trips == proxy.round_trips()
    assert product.exists(name=f"bike {objects - 1}", color="red")


def test_a_handle_that_was_not_looked_up(proxy: Proxy, product: Any) -> None:
    """Its first indexed write looks it up on the way; one without index must know before. Neither asks again."""
    handle, other = [next(iter(product.collection().instances(lazy=True))) for _ in range(2)]
    for each, command, trips in (
        (handle, lambda: handle.color.hset("blue"), 2),
        (handle, lambda: handle.stock.set("1"), 1),
        (other, lambda: other.stock.set("2"), 2),
        (other, lambda: other.stock.set("3"), 1),
    ):
        proxy.reset()
        command()
        assert trips == proxy.round_trips(), each


def test_updating_an_indexed_field(proxy: Proxy, product: Any) -> None:
    """What is there, then the transaction; a unique value costs no trip more."""
    handle = product("1")
    proxy.reset()
    handle.color.hset("blue")
    assert 2 == proxy.round_trips()
    proxy.reset()
    handle.name.hset("renamed")
    assert 2 == proxy.round_trips()


def test_updating_many_objects_in_one_session(proxy: Proxy, database: RedisDatabase, product: Any) -> None:
    """All that must be known is asked at once."""
    with Session(database) as session:
        for number in range(100):
            product(name=f"bike {number}")
        session.commit()
    handles = [product(str(pk)) for pk in range(1, 102)]
    with Session(database) as session:
        for number, handle in enumerate(handles):
            handle.name.hset(f"bike {(number + 1) % 101}")
            handle.color.hset("blue")
        proxy.reset()
        session.commit()
    assert 2 == proxy.round_trips()


def test_deleting(proxy: Proxy, product: Any) -> None:
    """All fields are read at once, then the transaction."""
    handle = product("1")
    proxy.reset()
    handle.delete()
    assert 2 == proxy.round_trips()


@pytest.mark.parametrize("name", ["smembers", "scard", "sismember", "srandmember"])
def test_a_read_is_one_trip(proxy: Proxy, database: RedisDatabase, models: Models, name: str) -> None:
    """Outside a session and in one a read is one round trip, over pending writes too, but for what they tell alone."""
    field = models.Thing("1").indexed_set
    args = ("a",) if name == "sismember" else ()
    proxy.reset()
    getattr(field, name)(*args)
    assert 1 == proxy.round_trips()
    with Session(database, on_pending="discard"):
        getattr(field, name)(*args)
        assert 2 == proxy.round_trips()
        field.sadd("a", "z")
        getattr(field, name)(*args)
        assert (2 if name == "sismember" else 3) == proxy.round_trips()


def test_writes_wait(proxy: Proxy, database: RedisDatabase, models: Models) -> None:
    """In a session a write sends nothing, nor does a symbolic plan; a plan sends reads only."""
    thing = models.Thing("1")
    proxy.reset()
    with Session(database, on_pending="discard") as session:
        thing.indexed_set.sadd("z")
        thing.list.rpush("z")
        models.full(code="x")
        session.plan(symbolic=True)
        assert (0, []) == (proxy.round_trips(), proxy.seen)
        session.plan()
        assert {b"SISMEMBER", b"SMEMBERS"} == {command[0] for command in proxy.seen}


@pytest.mark.parametrize("count", [1, 1_000, 1_001, 3_500])
def test_the_head_tells_the_trips_of_chunks(proxy: Proxy, database: RedisDatabase, models: Models, count: int) -> None:
    """Above a chunk EXEC goes alone: the head says so, and the socket counts the same."""
    thing = models.Thing("1")
    with Session(database) as session:
        for number in range(count):
            thing.list.rpush(number)
        proxy.reset()
        session.commit()
    assert session.last_plan is not None
    assert f"; {proxy.round_trips()} round trips; " in str(session.last_plan)
    assert session.last_plan.round_trips == proxy.round_trips() == (2 if count <= 1_000 else 3)


def test_the_head_tells_the_trips_of_a_script(proxy: Proxy, database: RedisDatabase, product: Any) -> None:
    """A script is one round trip behind the reads."""
    with Session(database) as session:
        for number in range(1_001):
            product(name=f"bike {number}")
        session.commit()
    assert session.last_plan is not None
    assert session.last_plan.scripted
    assert 2 == session.last_plan.round_trips == proxy.round_trips()


def test_nothing_to_send(proxy: Proxy, database: RedisDatabase, models: Models) -> None:
    """A plan without steps lets go of what it watched; an empty session asks nothing."""
    thing = models.Thing("1")
    thing.indexed_set.delete()
    with Session(database) as session:
        proxy.reset()
        session.commit()
        assert [] == proxy.seen
        thing.indexed_set.spop()
        session.commit()
    assert [b"WATCH", b"SMEMBERS", b"SISMEMBER", b"UNWATCH"] == [command[0] for command in proxy.seen]


KEYS = {kind: f":thing:1:{'hash' if kind == 'entry' else kind}" for kind in KINDS}

#: Calls that redis-py spells alike, with the key (and of an entry its name) before them.
ALIKE: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("string", "get", (), {}),
    ("string", "strlen", (), {}),
    ("string", "getrange", (0, -1), {}),
    ("string", "getbit", (3,), {}),
    ("string", "bitcount", (), {}),
    ("string", "bitcount", (0, -1), {}),
    ("string", "set", ("x",), {}),
    ("string", "set", ("x",), {"ex": 5}),
    ("string", "set", ("x",), {"px": 5_000, "xx": True}),
    ("string", "set", ("x",), {"xx": True, "get": True}),
    ("string", "set", ("x",), {"keepttl": True}),
    ("string", "getset", (b"\xff",), {}),
    ("string", "setnx", ("x",), {}),
    ("string", "append", ("5",), {}),
    ("string", "setrange", (1, "7"), {}),
    ("string", "setbit", (7, 1), {}),
    ("string", "incr", (3,), {}),
    ("string", "decr", (3,), {}),
    ("string", "incrbyfloat", (0.5,), {}),
    ("entry", "hget", (), {}),
    ("entry", "hset", ("x",), {}),
    ("entry", "hsetnx", ("x",), {}),
    ("entry", "hincrby", (2,), {}),
    ("entry", "hincrbyfloat", (0.5,), {}),
    ("entry", "hdel", (), {}),
    ("headers", "hget", ("a",), {}),
    ("headers", "hmget", (["a", "b"],), {}),
    ("headers", "hgetall", (), {}),
    ("headers", "hkeys", (), {}),
    ("headers", "hvals", (), {}),
    ("headers", "hlen", (), {}),
    ("headers", "hexists", ("a",), {}),
    ("headers", "hset", ("a", "2"), {}),
    ("headers", "hset", (), {"mapping": {"a": "2", "c": 3}}),
    ("headers", "hsetnx", ("c", "1"), {}),
    ("headers", "hdel", ("a", "b"), {}),
    ("headers", "hincrby", ("a", 2), {}),
    ("headers", "hincrbyfloat", ("a", 0.5), {}),
    ("set", "smembers", (), {}),
    ("set", "scard", (), {}),
    ("set", "sismember", ("a",), {}),
    ("set", "srandmember", (), {}),
    ("set", "srandmember", (2,), {}),
    ("set", "sadd", ("a", "z"), {}),
    ("set", "srem", ("a", "z"), {}),
    ("set", "spop", (), {}),
    ("set", "spop", (2,), {}),
    ("list", "lrange", (0, -1), {}),
    ("list", "lindex", (0,), {}),
    ("list", "llen", (), {}),
    ("list", "lpush", ("x", "y"), {}),
    ("list", "rpush", ("x", "y"), {}),
    ("list", "lpushx", ("x",), {}),
    ("list", "rpushx", ("x",), {}),
    ("list", "lpop", (), {}),
    ("list", "lpop", (2,), {}),
    ("list", "rpop", (), {}),
    ("list", "linsert", ("BEFORE", "a", "x"), {}),
    ("list", "lrem", (1, "a"), {}),
    ("list", "lset", (0, "x"), {}),
    ("list", "ltrim", (0, 1), {}),
    ("zset", "zcard", (), {}),
    ("zset", "zcount", (1, "(2"), {}),
    ("zset", "zscore", ("a",), {}),
    ("zset", "zrank", ("a",), {}),
    ("zset", "zrevrank", ("a",), {}),
    ("zset", "zrange", (0, -1), {}),
    ("zset", "zrange", (0, -1), {"withscores": True}),
    ("zset", "zrevrange", (0, -1), {}),
    ("zset", "zrangebyscore", ("-inf", 2), {}),
    ("zset", "zrangebyscore", (1, 3), {"start": 0, "num": 2}),
    ("zset", "zrevrangebyscore", (3, 1), {}),
    ("zset", "zadd", ({"a": 1.5, "z": 2},), {}),
    ("zset", "zadd", ({"a": 1},), {"xx": True, "ch": True}),
    ("zset", "zadd", ({"a": 1.5},), {"incr": True}),
    ("zset", "zincrby", (0.5, "a"), {}),
    ("zset", "zrem", ("a", "z"), {}),
    ("zset", "zremrangebyrank", (0, 1), {}),
    ("zset", "zremrangebyscore", (1, "(2"), {}),
    ("zset", "zremrangebylex", ("-", "(b"), {}),
]


@pytest.mark.parametrize(
    ("kind", "method", "args", "kwargs"),
    [pytest.param(*call, id=f"{call[0]}-{call[1]}-{number}") for number, call in enumerate(ALIKE)],
)
def test_a_single_command_is_the_one_that_redis_py_sends(
    proxy: Proxy, models: Models, kind: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Without index a command outside a session is one round trip: the very command, and nothing beside it."""
    field = getattr(models.Thing("1"), kind)
    proxy.reset()
    getattr(field, method)(*args, **kwargs)
    (ours,) = proxy.seen
    assert 1 == proxy.round_trips()
    proxy.reset()
    key = [KEYS[kind], *(["entry"] if kind == "entry" else [])]
    with proxy.client() as client:
        getattr(client, method)(*key, *args, **kwargs)
    (theirs,) = proxy.seen
    assert options_apart(theirs) == options_apart(ours)


def options_apart(command: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], frozenset[bytes]]:
    """Return a command with the options that may stand in any order, behind SET's value or before ZADD's, apart."""
    options = {b"NX", b"XX", b"GET", b"KEEPTTL", b"CH", b"INCR"} if command[0] in (b"SET", b"ZADD") else set()
    return tuple(part for part in command if part not in options), frozenset(options & set(command))


def test_deleting_a_field_is_one_del(proxy: Proxy, models: Models) -> None:
    """A field without index is deleted by DEL of its key, an entry by HDEL."""
    thing = models.Thing("1")
    proxy.reset()
    for kind in ("string", "headers", "set", "list", "zset", "entry"):
        getattr(thing, kind).delete()
    assert 6 == proxy.round_trips()
    deleted = [(b"DEL", KEYS[kind].encode()) for kind in ("string", "headers", "set", "list", "zset")]
    assert [*deleted, (b"HDEL", b":thing:1:hash", b"entry")] == proxy.seen


def test_what_the_session_said_is_not_asked(proxy: Proxy, database: RedisDatabase, models: Models) -> None:
    """A value that is told by the pending changes is answered without a round trip; its neighbours are asked."""
    thing = models.Thing("1")
    with Session(database, on_pending="discard"):
        thing.indexed_string.set("new")
        thing.indexed_set.sadd("red")
        thing.indexed_set.srem("blue")
        thing.indexed_headers.hset("size", "12")
        proxy.reset()
        assert ("new", True, False) == (
            thing.indexed_string.get(),
            thing.indexed_set.sismember("red"),
            thing.indexed_set.sismember("blue"),
        )
        assert ("12", ["12"], True) == (
            thing.indexed_headers.hget("size"),
            thing.indexed_headers.hmget("size"),
            thing.indexed_headers.hexists("size"),
        )
        assert 0 == proxy.round_trips()
        thing.indexed_headers.hget("weight")
        assert 1 == proxy.round_trips()
        thing.indexed_string.delete()
        assert thing.indexed_string.get() is None
        assert 1 == proxy.round_trips()
