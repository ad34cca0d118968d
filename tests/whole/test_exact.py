"""A plan is exactly what is sent: MONITOR, redis-cli and the plan shown before agree, whatever the session says."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Real
from tests.tools.exact import Models, committed
from uowredis.fields import BoundHash, BoundInstanceHash, BoundList, BoundSet, BoundSortedSet, BoundString, writes
from uowredis.model import RedisModel

#: All 256 bytes, as values are given.
BINARY = bytes(range(256))
SPELLED = ["", " ", "é€", 'it\'s "quoted"\\', "\n\r\t\0\x1b", "#comment", "3", "-0", "*", "--", "\u2028", "a:b"]

#: Every writing method of each kind of field, with arguments that it does not refuse on the content prepared.
CALLS: dict[str, list[tuple[str, tuple[Any, ...], dict[str, Any]]]] = {
    "string": [
        ("set", ("x y",), {}),
        ("set", ("7",), {"nx": True}),
        ("set", ("7",), {"xx": True, "get": True}),
        ("set", ("7",), {"keepttl": True}),
        ("getset", (BINARY,), {}),
        ("setnx", ("7",), {}),
        ("append", ("5",), {}),
        ("setrange", (3, "x"), {}),
        ("setbit", (40, 1), {}),
        ("incr", (), {}),
        ("decr", (3,), {}),
        ("incrbyfloat", ("0.1",), {}),
        ("bitfield", (("SET", "u8", 0, 120),), {}),
        ("bitfield", (("OVERFLOW", "FAIL"), ("INCRBY", "u8", 40, 300), ("SET", "u8", "#0", 65)), {}),
        ("getdel", (), {}),
        ("getex", (), {}),
        ("delete", (), {}),
    ],
    "entry": [
        ("hset", (BINARY,), {}),
        ("set", ("7",), {}),
        ("hsetnx", ("7",), {}),
        ("hincrby", (-2,), {}),
        ("hincrbyfloat", (0.25,), {}),
        ("hdel", (), {}),
        ("delete", (), {}),
    ],
    "headers": [
        ("hset", ("a", BINARY), {}),
        ("hset", (), {"mapping": {"a": "2", "new": "3"}}),
        ("hmset", ({"b": "y", "c": "z"},), {}),
        ("hsetnx", ("c", "1"), {}),
        ("hdel", ("a", "nothing"), {}),
        ("hincrby", ("a", 2), {}),
        ("hincrbyfloat", ("a", "0.1"), {}),
        ("delete", (), {}),
    ],
    "set": [
        ("sadd", ("a", "d", BINARY), {}),
        ("srem", ("a", "nothing"), {}),
        ("delete", (), {}),
    ],
    "list": [
        ("lpush", ("d", "e"), {}),
        ("rpush", (BINARY, "a"), {}),
        ("lpushx", ("d",), {}),
        ("rpushx", ("d",), {}),
        ("lpop", (), {}),
        ("lpop", (2,), {}),
        ("rpop", (), {}),
        ("rpop", (9,), {}),
        ("linsert", ("before", "b", "x"), {}),
        ("linsert", ("AFTER", "nothing", "x"), {}),
        ("lrem", (1, "a"), {}),
        ("lrem", (0, "a"), {}),
        ("lset", (-1, "x"), {}),
        ("ltrim", (1, -2), {}),
        ("delete", (), {}),
    ],
    "zset": [
        ("zadd", ({"a": 1.5, BINARY: "-inf"},), {}),
        ("zadd", ({"a": 7, "d": 1},), {"xx": True, "ch": True}),
        ("zadd", ({"a": 7, "d": 1},), {"nx": True}),
        ("zadd", ({"a": 0},), {"gt": True}),
        ("zadd", ({"a": 0.5},), {"incr": True}),
        ("zadd", (), {"d": 2.5}),
        ("zincrby", (0.5, "d"), {}),
        ("zincrby", ("inf", "a"), {}),
        ("zrem", ("a", "nothing"), {}),
        ("zremrangebyrank", (0, 0), {}),
        ("zremrangebyscore", ("(1", "+inf"), {}),
        ("zpopmin", (), {}),
        ("zpopmax", (2,), {}),
        ("delete", (), {}),
    ],
}
#: Of every field with a key of its own; an indexed one lasts as long as its object.
LASTING: list[tuple[str, tuple[Any, ...]]] = [
    ("expire", (1_000,)),
    ("pexpire", (1_000_000,)),
    ("expireat", (4_102_444_800,)),
    ("pexpireat", (4_102_444_800_000,)),
    ("persist", ()),
]
#: Stands for a value that is there.
FIRST = object()
#: What moves from one field to another.
MOVES: list[tuple[str, str, tuple[Any, ...]]] = [
    ("set", "smove", (FIRST,)),
    ("set", "smove", ("missing",)),
    ("list", "lmove", ()),
    ("list", "lmove", ("RIGHT", "LEFT")),
    ("list", "rpoplpush", ()),
]
BOUND = {
    "string": BoundString,
    "entry": BoundInstanceHash,
    "headers": BoundHash,
    "set": BoundSet,
    "list": BoundList,
    "zset": BoundSortedSet,
}


def full(models: Models) -> None:
    models.full(code="first")
    models.full(code="second")


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize(
    ("kind", "method", "args", "kwargs"),
    [
        pytest.param(kind, *call, id=f"{kind}-{call[0]}-{number}")
        for kind, calls in CALLS.items()
        for number, call in enumerate(calls)
    ],
)
def test_every_command(
    real: Real, twin: Real, kind: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], index: str
) -> None:
    """What is shown, sent and seen is the same for every command, on plain and on indexed fields."""

    def say(models: Models) -> None:
        getattr(getattr(models.Thing("1"), index + kind), method)(*args, **kwargs)

    committed(real, twin, say, full)


@pytest.mark.parametrize("kind", [kind for kind in CALLS if kind != "entry"])
@pytest.mark.parametrize(("method", "args"), LASTING)
def test_every_command_on_how_long_a_key_lasts(
    real: Real, twin: Real, kind: str, method: str, args: tuple[Any, ...]
) -> None:
    """The same, on plain fields."""
    committed(real, twin, lambda models: getattr(getattr(models.Thing("1"), kind), method)(*args), full)


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize("to", ["same", "other", "gone"])
@pytest.mark.parametrize(("kind", "method", "args"), MOVES)
def test_every_move(real: Real, twin: Real, kind: str, method: str, args: tuple[Any, ...], to: str, index: str) -> None:
    """The same, to a field of the same object, of another, and to one that is empty."""

    def prepare(models: Models) -> None:
        full(models)
        if to == "gone":
            getattr(models.Thing("2"), f"indexed_{kind}").delete()

    def say(models: Models) -> None:
        source = getattr(models.Thing("1"), index + kind)
        target = getattr(models.Thing("1" if to == "same" else "2"), f"indexed_{kind}")
        given = (min(source.smembers()),) if args == (FIRST,) else args
        getattr(source, method)(target, *given)

    committed(real, twin, say, prepare)


@pytest.mark.parametrize("kind", CALLS)
def test_no_command_is_missing_above(kind: str) -> None:
    """The table has every writing method; what only the server knows has a test of its own."""
    bound = BOUND[kind]
    methods = {name for name in dir(bound) if isinstance(getattr(bound, name), writes)}
    tried = {name for name, _, _ in CALLS[kind]} | {"set": {"spop"}, "zset": {"zremrangebylex"}}.get(kind, set())
    tried |= {name for name, _ in LASTING} if kind != "entry" else set()
    tried |= {name for of, name, _ in MOVES if of == kind}
    assert methods == tried
    assert {"hdel", "hmset"} == {name for name in dir(RedisModel) if isinstance(getattr(RedisModel, name), writes)}


@pytest.mark.parametrize("count", [None, 2, 9])
def test_spop_draws_what_was_shown(real: Real, twin: Real, count: int | None) -> None:
    """On an indexed set SPOP is sent as the SREM that was shown; on a plain one, whole, as itself."""
    committed(real, twin, lambda models: models.Thing("1").indexed_set.spop(count), full)
    committed(real, twin, lambda models: models.Thing("1").set.spop(9), lambda models: None)


@pytest.mark.parametrize("index", ["", "indexed_"], ids=["plain", "indexed"])
@pytest.mark.parametrize("bounds", [("[a", "+"), ("-", "(a"), ("(a", "[\udcfe")])
def test_what_lies_between_two_texts(real: Real, twin: Real, index: str, bounds: tuple[str, str]) -> None:
    """On an indexed sorted set ZREMRANGEBYLEX is sent as the ZREM that was shown, or not at all."""

    def prepare(models: Models) -> None:
        full(models)
        getattr(models.Thing("1"), f"{index}zset").zadd(dict.fromkeys((*"abcdé", BINARY), 0))

    committed(real, twin, lambda models: getattr(models.Thing("1"), f"{index}zset").zremrangebylex(*bounds), prepare)


def everything_at_once(models: Models) -> None:
    thing = models.Thing("2")
    for kind in ("string", "list", "headers"):
        for method, args, kwargs in CALLS[kind]:
            if method not in ("incr", "decr", "incrbyfloat", "hincrby", "hincrbyfloat", "lset"):
                getattr(getattr(thing, f"indexed_{kind}"), method)(*args, **kwargs)
    thing.hmset(indexed_entry="new", entry=BINARY)
    thing.hdel("entry", "indexed_entry")
    models.Thing("1").indexed_zset.zadd(dict.fromkeys(SPELLED, 1))


def binary_values(models: Models) -> None:
    first = models.full(code=BINARY, indexed_set=[BINARY, *SPELLED], indexed_list=[BINARY, *SPELLED, ""])
    first.indexed_headers.hset(mapping=dict.fromkeys(("", " ", "\udcfe", "\n"), BINARY))
    first.headers.hset(mapping=dict.fromkeys(SPELLED, "é"))
    models.Thing("1").indexed_string.set(BINARY)
    models.Thing("2").indexed_entry.hset("\n")


def chosen_pks(models: Models) -> None:
    for pk in ("x", b"\xff\x00", "two words", "é", 'quote"', "-1"):
        models.Word(key=pk, kind="red")
    models.Word(key="plain")


def swap(models: Models) -> None:
    models.Thing("1").code.hset("second")
    models.Thing("2").code.hset("first")


def rotate_through_a_new_one(models: Models) -> None:
    models.Thing("1").delete()
    models.Thing("2").code.hset("first")
    models.full(code="second")


def delete_and_create_again(models: Models) -> None:
    models.Word("old").delete()
    models.Word(key="old", kind="blue")
    models.Word("gone").delete()
    short = models.full(code="short-lived")
    short.string.incr()
    short.delete()


def keep_the_time_to_live(models: Models) -> None:
    models.Thing("1").indexed_string.incrbyfloat("0.1")
    models.Thing("1").string.set("7")


def many_steps(models: Models) -> None:
    thing = models.Thing("1")
    for number in range(1_001):
        thing.list.rpush(number)
    thing.indexed_string.incr()


def many_watches(models: Models) -> None:
    for number in range(501):
        models.Word(str(number)).kind.hset(BINARY if number % 2 else "blue")
    models.Word("500").delete()
    models.full(code=BINARY)
    swap(models)
    models.Thing("1").indexed_set.spop()
    models.Thing("1").indexed_list.lpop()
    models.Thing("1").indexed_zset.zremrangebyrank(0, 0)
    models.Thing("2").indexed_headers.delete()


def two_words(models: Models) -> None:
    models.Word(key="old", kind="red")
    models.Word(key="gone", kind="red")


def expiring(models: Models) -> None:
    full(models)
    client = models.Thing.database.connection
    client.expire(":thing:1:indexed_string", 1_000)
    client.expire(":thing:1:string", 1_000)


def five_hundred_words(models: Models) -> None:
    full(models)
    # Words made by plain commands, as bulk data may be.
    pipeline = models.Word.database.connection.pipeline(transaction=False)
    for number in range(501):
        pipeline.hset(f":word:{number}:hash", "kind", "red")
        pipeline.sadd(":word:kind:red", number)
        pipeline.sadd(":word:collection", number)
    pipeline.execute()


@pytest.mark.parametrize(
    ("say", "prepare"),
    [
        (lambda models: [models.full(code=str(number)) for number in range(12)], lambda models: None),
        (lambda models: models.Thing(code="a").string.incr(), lambda models: None),
        (lambda models: models.Thing().list.rpush("first write creates"), lambda models: None),
        (everything_at_once, full),
        (binary_values, full),
        (chosen_pks, lambda models: None),
        (swap, full),
        (rotate_through_a_new_one, full),
        (delete_and_create_again, two_words),
        (keep_the_time_to_live, expiring),
    ],
    ids=lambda given: given.__name__,
)
def test_scenarios(
    real: Real, twin: Real, say: Callable[[Models], object], prepare: Callable[[Models], object]
) -> None:
    """What is shown, sent and seen is the same for creations, deletions, any bytes, chosen pks and swaps."""
    committed(real, twin, say, prepare)


def test_chunks(real: Real, twin: Real) -> None:
    """A plan of more than one chunk is sent as shown, too."""
    plan = committed(real, twin, many_steps, full)
    assert (False, 1_004) == (plan.scripted, len(plan))


def test_script(real: Real, twin: Real) -> None:
    """A plan with more watched keys than one transaction bears is one EVAL, printed and sent alike."""
    plan = committed(real, twin, many_watches, five_hundred_words)
    assert plan.scripted
    assert "EVAL" == plan.calls()[-1][0]


def test_a_plan_in_utf_8_hides_nothing(real: Real, twin: Real) -> None:
    """Text goes as UTF-8, and bytes that are none as they are."""
    plan = committed(real, twin, lambda models: models.Word(key="x", kind=b"\xff\xc3\xa9"), lambda models: None)
    assert ("HSET", ":word:x:hash", "kind", "\udcffé") in plan.calls()
    assert b"\xff\xc3\xa9" == real.client().hget(":word:x:hash", "kind")
