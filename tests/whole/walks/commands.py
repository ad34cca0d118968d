"""Random commands: what is said on a field or an instance, as data, and the strategies that draw it."""

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

#: Commands whose result only the server knows.
OPAQUE = ("spop", "incrbyfloat", "hincrbyfloat", "zremrangebylex")


@attrs.frozen
class Beside:
    """The other one of two fields that a command is about: of the same object, or of another."""

    field: str


@attrs.frozen(repr=False)
class Say:
    """One command on a field, or on the instance where *field* is None."""

    field: str | None
    method: str
    args: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def on(self, instance: Any, other: Any = None) -> Any:
        """Say it on *instance*, and of a field of *other*, by default its own; return what comes back."""
        sayer = instance if self.field is None else getattr(instance, self.field)
        beside = instance if other is None else other
        args = [getattr(beside, each.field) if isinstance(each, Beside) else each for each in self.args]
        return getattr(sayer, self.method)(*args, **dict(self.options))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it names."""
        if self.field is not None:
            return (self.field,)
        return tuple(self.args) + tuple(name for name, _ in self.options)

    @property
    def opaque(self) -> bool:
        """Whether only the server knows its result."""
        return self.method in OPAQUE or ("OVERFLOW", "FAIL") in self.args

    def __repr__(self) -> str:
        given = [repr(argument) for argument in self.args] + [f"{name}={value!r}" for name, value in self.options]
        return f"{self.field or 'instance'}.{self.method}({', '.join(given)})"


#: Few, so that they meet: text, numbers, the empty text, bytes that are no UTF-8, and a colon as in keys.
VALUES = st.sampled_from(["a", "a", "a", "b", "b", "1", "1", "2", 10, 0.5, "-1", "", "é", "a:b", b"\xff\x00"])
#: Sums of these are exact for every client and server, whether they reckon in doubles or long doubles.
FLOATS = st.sampled_from([0.5, "0.25", -1.5, 3, "1e2", "-0.0"])
INTEGERS = st.sampled_from([1, -1, 5, 2**40])
ENTRIES = st.sampled_from(["e1", "e2", "e3"])
PLACES = st.integers(-4, 4)
COUNTS = st.integers(0, 4)
SCORES = st.sampled_from([0, 1, 1.5, 2, -1, "inf", "-inf"])
BOUNDS = st.sampled_from([0, 1, "(1", 2, "-inf", "+inf", "(-1", 1.5])
CHOSEN_PKS = ("x", "y", "a:b", "7")
#: Pks whose keys would be those of an index, of the collection or of the counter; all are refused.
IMPOSSIBLE_PKS = ("title", "tags:a", "collection", "max_pk:1", "")
SEVERAL = st.lists(VALUES, min_size=1, max_size=4).map(tuple)
#: Fewer still: a list holds a value several times.
COPIES = st.sampled_from(["a", "a", "b", "1", b"\xff\x00"])
ROWS = st.lists(COPIES, min_size=1, max_size=4).map(tuple)
MAPPINGS = st.dictionaries(ENTRIES, VALUES, min_size=1, max_size=3)
SCORED = st.dictionaries(VALUES, SCORES, min_size=1, max_size=3)


def _with_room(operations: tuple[Any, ...]) -> tuple[Any, ...]:
    """Make room first where an overflow may fail: of its own fakeredis makes none then (docs/fakeredis.md)."""
    return (("INCRBY", "u8", "#15", 0), *operations) if ("OVERFLOW", "FAIL") in operations else operations


_BITS = (st.sampled_from(["u1", "i8", "u8", "i5", "u63"]), st.sampled_from([0, 3, 9, "#1"]))
BIT_OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("GET"), *_BITS),
        st.tuples(st.sampled_from(["SET", "INCRBY"]), *_BITS, st.sampled_from([0, 1, -1, 97, 200, -300])),
        st.tuples(st.just("OVERFLOW"), st.sampled_from(["WRAP", "SAT", "FAIL"])),
    ),
    min_size=1,
    max_size=3,
).map(lambda drawn: _with_room(tuple(drawn)))
#: What is beside a set, and a list.
SETS = st.sampled_from([Beside("tags"), Beside("badges")])
LISTS = st.just(Beside("rows"))
ENDS = st.sampled_from(["LEFT", "RIGHT"])
ENTRY_FIELDS = ("name", "email", "note")


def say(field: str | None, method: str, *args: SearchStrategy[Any], **options: SearchStrategy[Any]) -> Any:
    """Draw *method* on *field* with arguments drawn from the strategies."""
    drawn = st.fixed_dictionaries(options).map(lambda found: tuple(found.items()))
    return st.builds(Say, st.just(field), st.just(method), st.tuples(*args), drawn)


def spread(field: str, method: str, values: SearchStrategy[tuple[Any, ...]]) -> SearchStrategy[Say]:
    """Draw *method* on *field* with so many arguments as *values* gives."""
    return st.builds(Say, st.just(field), st.just(method), values)


def optioned(field: str, method: str, args: Any, options: list[dict[str, Any]]) -> SearchStrategy[Say]:
    """Draw *method* on *field* with one of the *options*."""
    pairs = st.sampled_from([tuple(some.items()) for some in options])
    return st.builds(Say, st.just(field), st.just(method), args, pairs)


def string_writes(field: str) -> SearchStrategy[Say]:
    modes: list[dict[str, Any]] = [{"nx": True}, {"xx": True}, {"get": True}, {"xx": True, "get": True}]
    modes += [{}, {"keepttl": True}, {"nx": True, "xx": True}]
    return st.one_of(
        say(field, "set", VALUES),
        optioned(field, "set", st.tuples(VALUES), modes),
        say(field, "getset", VALUES),
        say(field, "setnx", VALUES),
        say(field, "getdel"),
        say(field, "getex"),
        spread(field, "bitfield", BIT_OPERATIONS),
        say(field, "append", VALUES),
        say(field, "setrange", COUNTS, VALUES),
        say(field, "setbit", st.integers(0, 17), st.integers(0, 1)),
        say(field, "incr", INTEGERS),
        say(field, "decr", INTEGERS),
        say(field, "incrbyfloat", FLOATS),
        say(field, "persist"),
        say(field, "delete"),
    )


def entry_writes(field: str) -> SearchStrategy[Say]:
    return st.one_of(
        say(field, "hset", VALUES),
        say(field, "set", VALUES),
        say(field, "hsetnx", VALUES),
        say(field, "hincrby", INTEGERS),
        say(field, "hincrbyfloat", FLOATS),
        say(field, "hdel"),
        say(field, "delete"),
    )


def hash_writes(field: str) -> SearchStrategy[Say]:
    return st.one_of(
        say(field, "hset", ENTRIES, VALUES),
        say(field, "hset", mapping=MAPPINGS),
        say(field, "hmset", MAPPINGS),
        MAPPINGS.map(lambda found: Say(field, "hmset", (), tuple(found.items()))),
        say(field, "hsetnx", ENTRIES, VALUES),
        spread(field, "hdel", st.lists(ENTRIES, min_size=1, max_size=3).map(tuple)),
        say(field, "hincrby", ENTRIES, INTEGERS),
        say(field, "hincrbyfloat", ENTRIES, FLOATS),
        say(field, "persist"),
        say(field, "delete"),
    )


def set_writes(field: str) -> SearchStrategy[Say]:
    return st.one_of(
        spread(field, "sadd", SEVERAL),
        spread(field, "srem", SEVERAL),
        # More than there ever are: nothing is left to chance.
        say(field, "spop", st.just(1_000)),
        say(field, "smove", SETS, VALUES),
        say(field, "persist"),
        say(field, "delete"),
    )


def draws(field: str) -> SearchStrategy[Say]:
    return st.one_of(say(field, "spop"), say(field, "spop", COUNTS))


def list_writes(field: str) -> SearchStrategy[Say]:
    pushes = [spread(field, method, ROWS) for method in ("rpush", "lpush", "rpushx", "lpushx")]
    return st.one_of(
        *pushes,
        say(field, "lpop"),
        say(field, "rpop"),
        say(field, "lpop", COUNTS),
        say(field, "rpop", COUNTS),
        say(field, "linsert", st.sampled_from(["BEFORE", "after"]), COPIES, COPIES),
        say(field, "lrem", st.sampled_from([1, -1, 2, -2, 0]), COPIES),
        say(field, "lset", PLACES, COPIES),
        say(field, "ltrim", PLACES, PLACES),
        say(field, "lmove", LISTS, ENDS, ENDS),
        say(field, "rpoplpush", LISTS),
        say(field, "persist"),
        say(field, "delete"),
    )


def sorted_set_writes(field: str) -> SearchStrategy[Say]:
    names: list[tuple[str, ...]] = [(), ("nx",), ("xx",), ("gt",), ("lt",), ("ch",), ("xx", "gt"), ("xx", "lt")]
    names += [("ch", "gt"), ("xx", "ch"), ("nx", "ch"), ("nx", "xx"), ("gt", "lt"), ("nx", "gt")]
    added: list[dict[str, Any]] = [dict.fromkeys(some, True) for some in names]
    summed: list[dict[str, Any]] = [{"incr": True, **some} for some in added]
    one = st.dictionaries(VALUES, SCORES, min_size=1, max_size=1)
    return st.one_of(
        say(field, "zadd", SCORED),
        optioned(field, "zadd", st.tuples(SCORED), added),
        optioned(field, "zadd", st.tuples(one), summed),
        say(field, "zincrby", SCORES, VALUES),
        say(field, "zpopmin"),
        say(field, "zpopmax", st.integers(1, 3)),
        spread(field, "zrem", SEVERAL),
        say(field, "zremrangebyrank", PLACES, PLACES),
        say(field, "zremrangebyscore", BOUNDS, BOUNDS),
        say(field, "zremrangebylex", st.sampled_from(["-", "[a", "(a"]), st.sampled_from(["+", "[b", "(b", "[\xff"])),
        say(field, "persist"),
        say(field, "delete"),
    )


def instance_writes() -> SearchStrategy[Say]:
    names = st.sampled_from(ENTRY_FIELDS)
    values = st.dictionaries(names, VALUES, min_size=1, max_size=3)
    return st.one_of(
        values.map(lambda found: Say(None, "hmset", (), tuple(found.items()))),
        st.lists(names, min_size=1, max_size=3).map(lambda found: Say(None, "hdel", tuple(found))),
    )


def string_reads(field: str) -> SearchStrategy[Say]:
    return st.one_of(
        say(field, "exists"),
        say(field, "get"),
        say(field, "strlen"),
        say(field, "getrange", PLACES, PLACES),
        say(field, "getbit", st.integers(0, 17)),
        say(field, "bitcount"),
        say(field, "bitcount", PLACES, PLACES),
        say(field, "bitpos", st.integers(0, 1)),
        say(field, "bitpos", st.integers(0, 1), COUNTS, COUNTS),  # fakeredis mistakes places before the start
    )


def entry_reads(field: str) -> SearchStrategy[Say]:
    return st.one_of(say(field, "hget"), say(field, "get"), say(field, "hstrlen"))


def hash_reads(field: str) -> SearchStrategy[Say]:
    names = st.lists(ENTRIES, min_size=1, max_size=3)
    return st.one_of(
        say(field, "exists"),
        say(field, "hget", ENTRIES),
        say(field, "hmget", names),
        say(field, "hgetall"),
        say(field, "hkeys"),
        say(field, "hvals"),
        say(field, "hlen"),
        say(field, "hexists", ENTRIES),
        say(field, "hstrlen", ENTRIES),
        say(field, "hrandfield"),
        say(field, "hrandfield", COUNTS),
        say(field, "hscan"),
    )


def set_reads(field: str) -> SearchStrategy[Say]:
    return st.one_of(
        say(field, "exists"),
        say(field, "smembers"),
        say(field, "scard"),
        say(field, "sismember", VALUES),
        say(field, "smismember", VALUES, VALUES),
        say(field, "sinter", SETS),
        say(field, "sunion", SETS, SETS),
        say(field, "sdiff", SETS),
        say(field, "sscan"),
        say(field, "sscan", st.just(0), st.sampled_from(["a*", "?"])),
        say(field, "srandmember"),
        say(field, "srandmember", st.integers(-4, 4)),
    )


def list_reads(field: str) -> SearchStrategy[Say]:
    return st.one_of(
        say(field, "exists"),
        say(field, "lrange", PLACES, PLACES),
        say(field, "lindex", PLACES),
        say(field, "llen"),
        say(field, "lpos", COPIES),
        say(field, "lpos", COPIES, st.sampled_from([1, 2, -1]), COUNTS),
    )


def sorted_set_reads(field: str) -> SearchStrategy[Say]:
    scores: list[dict[str, Any]] = [{}, {"withscores": True}]
    places: list[dict[str, Any]] = [*scores, {"desc": True}, {"desc": True, "withscores": True}]
    parts: list[dict[str, Any]] = [*scores, {"start": 1, "num": 2}, {"start": 0, "num": -1, "withscores": True}]
    two_places, two_bounds = st.tuples(PLACES, PLACES), st.tuples(BOUNDS, BOUNDS)
    return st.one_of(
        say(field, "exists"),
        say(field, "zcard"),
        say(field, "zcount", BOUNDS, BOUNDS),
        say(field, "zscore", VALUES),
        say(field, "zmscore", SEVERAL),
        say(field, "zrandmember"),
        say(field, "zrandmember", COUNTS),  # fakeredis fails at negative ones where nothing is there
        say(field, "zscan"),
        say(field, "zrank", VALUES),
        say(field, "zrevrank", VALUES),
        optioned(field, "zrange", two_places, places),
        optioned(field, "zrevrange", two_places, scores),
        optioned(field, "zrangebyscore", two_bounds, parts),
        optioned(field, "zrevrangebyscore", two_bounds, parts),
    )


def instance_reads() -> SearchStrategy[Say]:
    names = st.lists(st.sampled_from(ENTRY_FIELDS), max_size=3).map(tuple)
    whole = [say(None, method) for method in ("hgetall", "hkeys", "hvals", "hlen")]
    return st.one_of(st.builds(Say, st.none(), st.just("hmget"), names), *whole)


#: Field name to the writes that are drawn on it, and whose result is certain; None stands for the instance.
CERTAIN_WRITES = {
    "title": string_writes("title"),
    "code": string_writes("code"),
    "name": entry_writes("name"),
    "email": entry_writes("email"),
    "note": entry_writes("note"),
    "headers": hash_writes("headers"),
    "tags": set_writes("tags"),
    "badges": set_writes("badges"),
    "rows": list_writes("rows"),
    "ranks": sorted_set_writes("ranks"),
    None: instance_writes(),
}
#: The same, with those that leave the result to chance.
WRITES = CERTAIN_WRITES | {name: st.one_of(CERTAIN_WRITES[name], draws(name)) for name in ("tags", "badges")}
#: Field name to the reads that are drawn on it.
READS = {
    "title": string_reads("title"),
    "name": entry_reads("name"),
    "headers": hash_reads("headers"),
    "tags": set_reads("tags"),
    "rows": list_reads("rows"),
    "ranks": sorted_set_reads("ranks"),
    None: instance_reads(),
}


def runs_of(writes: dict[Any, SearchStrategy[Say]], most: int = 6) -> SearchStrategy[list[Say]]:
    """Draw a run of commands on one field: those that meet on one value are where an index goes wrong."""
    return st.one_of(*(st.lists(commands, min_size=1, max_size=most) for commands in writes.values()))


def simple_writes(field: str, *methods: str) -> SearchStrategy[Say]:
    """Draw one of the *methods*, each of which takes values, or the deletion of the field."""
    return st.one_of(*(spread(field, method, ROWS) for method in methods), say(field, "delete"))


#: Writes whose effect their arguments tell: no value has to be read for them, unless another kind is said beside them.
SIMPLE_WRITES = {
    "title": st.one_of(say("title", "set", COPIES), say("title", "getset", COPIES), say("title", "delete")),
    "code": st.one_of(say("code", "set", COPIES), say("code", "delete")),
    "name": st.one_of(say("name", "hset", COPIES), say("name", "hdel")),
    "email": st.one_of(say("email", "hset", COPIES), say("email", "hdel")),
    "headers": st.one_of(
        say("headers", "hset", ENTRIES, COPIES), say("headers", "hdel", ENTRIES), say("headers", "delete")
    ),
    "tags": simple_writes("tags", "sadd", "srem"),
    "badges": simple_writes("badges", "sadd", "srem"),
    "rows": st.one_of(simple_writes("rows", "rpush", "lpush"), say("rows", "lrem", st.just(0), COPIES)),
    "ranks": st.one_of(say("ranks", "zadd", SCORED), simple_writes("ranks", "zrem")),
    None: instance_writes(),
}
#: Writes that move what is there, mostly: among all others there are few that find something.
MOVES = {
    field: st.one_of(spread(field, "sadd", ROWS), *[say(field, "smove", SETS, COPIES)] * 3)
    for field in ("tags", "badges")
}
MOVES["rows"] = st.one_of(
    spread("rows", "rpush", ROWS), *[say("rows", "lmove", LISTS, ENDS, ENDS)] * 2, say("rows", "rpoplpush", LISTS)
)
#: How long fields without index last, with writes between that keep that, and that end it; one moment is past.
LASTING = {
    field: st.one_of(
        write,
        say(field, "expire", st.sampled_from([100_000, 200_000])),
        say(field, "pexpire", st.just(100_000_000)),
        say(field, "expireat", st.sampled_from([4_102_444_800, 4_102_444_800, 1])),
        say(field, "pexpireat", st.just(4_102_444_800_000)),
        say(field, "persist"),
        say(field, "exists"),
        say(field, "ttl"),
        say(field, "pttl"),
    )
    for field, write in {
        "title": optioned("title", "set", st.tuples(COPIES), [{}, {"ex": 100_000}, {"keepttl": True}, {"px": 10**9}]),
        "code": st.one_of(
            say("code", "append", COPIES), say("code", "getdel"), say("code", "getex", ex=st.just(9_000))
        ),
        "headers": st.one_of(say("headers", "hset", ENTRIES, COPIES), say("headers", "hdel", ENTRIES)),
        "tags": MOVES["tags"],
        "badges": MOVES["badges"],
        "rows": MOVES["rows"],
        "ranks": st.one_of(say("ranks", "zadd", SCORED), say("ranks", "zpopmin"), say("ranks", "delete")),
    }.items()
}
#: Runs of any writing commands.
RUNS = st.one_of(runs_of(WRITES), runs_of(SIMPLE_WRITES, 3), runs_of(MOVES, 4))
CERTAIN_RUNS = st.one_of(runs_of(CERTAIN_WRITES), runs_of(SIMPLE_WRITES, 3), runs_of(MOVES, 4))
#: Values for a constructor, some of them.
FIRST_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "title": VALUES,
        "code": VALUES,
        "name": VALUES,
        "email": VALUES,
        "note": VALUES,
        "headers": MAPPINGS,
        "tags": SEVERAL,
        "badges": SEVERAL,
        "rows": ROWS,
        "ranks": SCORED,
    },
)
