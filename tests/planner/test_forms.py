"""What is worked out once, and filled in, gives the very plans that the rules give that look at each object anew."""

import random
import zlib
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.stage import REHEARSED, model, stored, write
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Change, Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Create, Delete, Write, WriteCommand
from uowredis.commands.identity import Identity, State
from uowredis.commands.journal import Epoch
from uowredis.exceptions import UowError
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex
from uowredis.plan import Plan
from uowredis.planner import Journal, Limits, Planner, values
from uowredis.planner.form import Form, worked_out
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

FIELDS = (
    FieldSchema("code", Kind.ENTRY, indexed=True, unique=True),
    FieldSchema("name", Kind.ENTRY, indexed=True, declared=(TextRangeIndex, EqualIndex), none=True),
    FieldSchema("color", Kind.ENTRY, indexed=True, lockable=False),
    FieldSchema("note", Kind.ENTRY),
    FieldSchema("price", Kind.STRING, indexed=True, declared=(NumberRangeIndex,), none=True),
    FieldSchema("serial", Kind.STRING, indexed=True, unique=True),
    FieldSchema("wheels", Kind.STRING),
    FieldSchema("tags", Kind.SET, indexed=True),
    FieldSchema("stages", Kind.LIST, indexed=True),
    FieldSchema("parts", Kind.HASH, indexed=True),
    FieldSchema("races", Kind.SORTED_SET, indexed=True),
)
COUNTED, CHOSEN = model("Bike", *FIELDS), model("Shop", *FIELDS, auto=False)
VALUES = ("1", "2", "b")


def _entry(draw: random.Random, identity: Identity) -> Write[Any]:
    names = draw.sample(["code", "name", "color", "note"], draw.choice([1, 1, 2, 3]))
    said = [(name, draw.choice(VALUES)) for name in names]
    flat = tuple(text for pair in said for text in pair)
    ways: list[tuple[str, Change, tuple[str, ...]]] = [
        ("HSET", Replaced(tuple(said)), flat),
        ("HSET", Replaced(tuple(said)), flat),
        ("HDEL", Removed(tuple(names)), tuple(names)),
        ("HSETNX", Computed((names[0],)), flat[:2]),
        ("HINCRBY", Computed((names[0],), fallible=True), (names[0], "1")),
        ("HINCRBYFLOAT", Opaque((names[0],), fallible=True), (names[0], "1.5")),
    ]
    name, change, args = draw.choice(ways)
    return Write(identity, INSTANCE_HASH, None, name, args, change)


def _other(draw: random.Random, identity: Identity) -> Write[Any]:
    field = draw.choice(FIELDS[4:])
    one, two = draw.choice(VALUES), draw.choice(VALUES)
    ways: dict[Kind, list[tuple[Change, str, tuple[str, ...]]]] = {
        Kind.STRING: [
            (Replaced((("", one),)), "SET", (one,)),
            (Computed(), "SETNX", (one,)),
            (Computed(fallible=True), "INCRBY", ("2",)),
            (Opaque(fallible=True), "INCRBYFLOAT", ("1.5",)),
        ],
        Kind.SET: [
            (Added((one, two)), "SADD", (one, two)),
            (Removed((one,)), "SREM", (one,)),
            (Opaque(), "SPOP", ()),
        ],
        Kind.LIST: [
            (Added((one, two)), "RPUSH", (one, two)),
            (Removed((one,)), "LREM", ("0", one)),
            (Computed(), "LPOP", ()),
        ],
        Kind.HASH: [
            (Replaced(((one, two),)), "HSET", (one, two)),
            (Removed((one,)), "HDEL", (one,)),
            (Computed((one,), fallible=True), "HINCRBY", (one, "1")),
        ],
        Kind.SORTED_SET: [
            (Added((one,)), "ZADD", ("1", one)),
            (Removed((one,)), "ZREM", (one,)),
            (Computed(), "ZREMRANGEBYSCORE", ("0", "1")),
        ],
    }
    change, name, args = draw.choice([*ways[field.kind], *ways[field.kind][:1], (Removed(None), "DEL", ())])
    return write(identity, field.name, change, name, *args)


def _said(draw: random.Random, identity: Identity) -> Write[Any]:
    return draw.choice([_entry, _other])(draw, identity)


def _creation(draw: random.Random, identity: Identity) -> Create:
    entries = draw.sample(["code", "name", "color", "note"], draw.randrange(4))
    strings = draw.sample(["price", "serial", "wheels"], draw.randrange(3))
    writes = [write(identity, "tags", Added((draw.choice(VALUES),)), "SADD", "1")] if draw.random() < 0.3 else []
    return Create(
        identity,
        tuple(entries),
        tuple(draw.choice(VALUES) for _ in entries),
        tuple(strings),
        tuple(draw.choice(VALUES) for _ in strings),
        tuple(writes),
    )


def session(seed: int) -> list[WriteCommand]:
    """Return what is said in some session: of objects that are there, of new ones, of some that come again."""
    draw = random.Random(seed)
    schema: ModelSchema = draw.choice([COUNTED, CHOSEN])
    alive = [stored(schema, str(pk)) for pk in range(1, draw.choice([2, 2, 5]))]
    commands: list[WriteCommand] = []
    for number in range(draw.choice([1, 1, 2, 8, 25])):
        identity = draw.choice(alive) if alive and draw.random() < 0.8 else None
        if identity is None:
            pk = None if schema.auto else draw.choice([str(90 + number), "1", "2"])
            if pk is not None and any(each.pk == pk for each in alive):
                continue
            identity = Identity(schema, pk, State.CREATED, number + 1)
            alive.append(identity)
            commands.append(_creation(draw, identity))
        elif draw.random() < 0.15:
            alive.remove(identity)
            commands.append(Delete(identity))
        else:
            commands.append(_said(draw, identity))
    return commands


def _reply(seed: int, call: Call) -> Any:
    draw = random.Random(zlib.crc32(f"{seed} {call}".encode()))
    one = [None, *VALUES]
    match call[0]:
        case "HGET" | "GET":
            return draw.choice(one)
        case "HMGET":
            return [draw.choice(one) for _ in call[2:]]
        case "SISMEMBER" | "SCARD" | "INCRBY":
            return 1 if call[0] != "INCRBY" else 100
        case "SMISMEMBER":
            return [1 for _ in call[2:]] if draw.random() < 0.9 else [draw.choice([0, 1]) for _ in call[2:]]
        case "HGETALL":
            return [text for name in draw.sample(VALUES, draw.randrange(3)) for text in (name, draw.choice(VALUES))]
        case "ZRANGE":
            return [text for name in draw.sample(VALUES, draw.randrange(3)) for text in (name, "1")]
        case "ZMSCORE" | "ZSCORE":
            scores = [draw.choice([None, "1"]) for _ in call[2:]]
            return scores[0] if call[0] == "ZSCORE" else scores
        case _:
            return draw.sample(VALUES, draw.randrange(3)) if ":code:" not in call[1] else []


def planned(seed: int) -> Plan | str:
    """Return the plan of a session, with a fresh journal; or why there is none."""
    journal, rehearsal = Journal(), Rehearsal(REHEARSED, seed=1)
    for command in session(seed):
        journal.add(command)
    turns = Planner(journal, rehearsal, Limits()).turns()
    try:
        fetch = next(turns)
        while True:
            replies = [_reply(seed, call) for call in fetch.counters]
            fetch = turns.send(replies + [_reply(seed, question.call) for question in fetch.questions])
    except StopIteration as end:
        plan: Plan = end.value
        return plan
    except UowError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        rehearsal.close()


def _by_the_rules(schema: ModelSchema, epoch: Epoch) -> Form:
    """Return what is worked out for this one object, of whose keys none is filled in."""
    form = worked_out(schema, epoch)
    return attrs.evolve(form, keys=tuple(attrs.evolve(key, told=None) for key in form.keys))


@given(first=st.integers(0, 2**32))
def test_the_plan_is_that_of_the_rules(first: int) -> None:
    for seed in range(first, first + 10):
        filled_in = planned(seed)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(values, "form_of", _by_the_rules)
            by_the_rules = planned(seed)
        assert filled_in == by_the_rules
        assert str(filled_in) == str(by_the_rules)


def test_sessions_differ_enough() -> None:
    """Else equal plans would say little."""
    plans = [planned(seed) for seed in range(600)]
    whole = [plan for plan in plans if isinstance(plan, Plan)]
    assert len(whole) > 300
    assert len(plans) - len(whole) > 10, "some are refused"
    reasons = {step.reason for plan in whole for step in plan if step.command is None}
    assert {
        f"effect: index {name}.{field.name}, {word}"
        for name in ("Bike", "Shop")
        for field in FIELDS
        if field.indexed
        for word in ("old", "new")
    } <= reasons
