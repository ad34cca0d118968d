"""What the tests of plans share: a model declared by facts alone, commands made by hand, and a dict for a server."""

from collections.abc import Iterable, Iterator, Mapping
from textwrap import dedent
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Change, Replaced
from uowredis.commands.commands import Create, Delete, Write, WriteCommand
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan
from uowredis.plan.steps import UNKNOWN, Fetch
from uowredis.planner import Journal, Limits, Planner
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: How many members of a key may be tried.
REHEARSED = 10_000


def model(name: str, *fields: FieldSchema, auto: bool = True) -> ModelSchema:
    return ModelSchema(name, Keys.of_model("", name), "pk", auto, {field.name: field for field in fields})


BIKE = model(
    "Bike",
    FieldSchema("name", Kind.ENTRY, indexed=True, unique=True),
    FieldSchema("color", Kind.ENTRY, indexed=True),
    FieldSchema("note", Kind.ENTRY),
    FieldSchema("price", Kind.STRING, indexed=True),
    FieldSchema("wheels", Kind.STRING),
    FieldSchema("tags", Kind.SET, indexed=True),
    FieldSchema("stages", Kind.LIST, indexed=True),
    FieldSchema("parts", Kind.HASH, indexed=True),
    FieldSchema("races", Kind.SORTED_SET, indexed=True),
)
#: Its primary key is chosen.
SHOP = model("Shop", FieldSchema("city", Kind.ENTRY, indexed=True), auto=False)
#: No field of it is locked.
HOT = model(
    "Hot",
    FieldSchema("hits", Kind.STRING, lockable=False),
    FieldSchema("rank", Kind.STRING, indexed=True, lockable=False),
    FieldSchema("code", Kind.ENTRY, indexed=True, unique=True, lockable=False),
)

#: Bike 1 is there.
THERE: dict[Call, Any] = {("SISMEMBER", ":bike:collection", "1"): 1}
#: All that a deletion of Bike 1 asks.
ENDING: dict[Call, Any] = THERE | {
    ("HGET", ":bike:1:hash", "name"): "mountain",
    ("HGET", ":bike:1:hash", "color"): "red",
    ("GET", ":bike:1:price"): None,
    ("SMEMBERS", ":bike:1:tags"): ["fast", "big"],
    ("LRANGE", ":bike:1:stages", "0", "-1"): ["b", "a", "b"],
    ("HGETALL", ":bike:1:parts"): ["bell", "gold"],
    ("ZRANGE", ":bike:1:races", "0", "-1", "WITHSCORES"): ["tour", "1"],
}


def stored(schema: ModelSchema, pk: str) -> Identity:
    """Return a handle of an object that is there."""
    return Identity(schema, pk, State.STORED)


def new(schema: ModelSchema, number: int) -> Identity:
    """Return a handle of an object that is being created."""
    return Identity(schema, None, State.CREATED, number)


def create(identity: Identity, *writes: Write[Any], **entries: str) -> Create:
    return Create(identity, tuple(entries), tuple(entries.values()), writes=writes)


def write(identity: Identity, field: str, change: Change, name: str, *args: str) -> Write[Any]:
    schema = identity.model.fields[field]
    return Write(identity, schema.storage, schema, name, args, change)


def hset(identity: Identity, field: str, value: str) -> Write[Any]:
    return write(identity, field, Replaced(((field, value),)), "HSET", field, value)


def put(identity: Identity, field: str, value: str) -> Write[Any]:
    return write(identity, field, Replaced((("", value),)), "SET", value)


def sadd(identity: Identity, field: str, *values: str) -> Write[Any]:
    return write(identity, field, Added(values), "SADD", *values)


def delete(identity: Identity) -> Delete:
    return Delete(identity)


@attrs.frozen
class InTurn:
    """Replies to a question that is asked more than once: the first, and the later one, which holds."""

    first: Any
    later: Any


def planned(
    commands: Iterable[WriteCommand],
    answers: Mapping[Call, Any],
    *,
    limits: Limits | None = None,
    first_pk: int = 1,
    there: int = 0,
    symbolic: bool = False,
    placeholders: bool = False,
) -> Plan:
    """Plan *commands* over *answers*, which must answer all that is asked and hold nothing else.

    New objects get their primary keys from *first_pk* on, or none where *placeholders* shall stay; so many objects are
    *there* of each model.
    """
    lives = Journal()
    for command in commands:
        lives.add(command)
    asked: set[Call] = set()
    counted_to = first_pk - 1

    def counted(fetch: Fetch) -> Iterator[Any]:
        nonlocal counted_to
        for call in fetch.counters:
            if call[0] == "INCRBY":
                counted_to += int(call[2])
            number = counted_to if call[0] == "INCRBY" else there if call[0] == "SCARD" else answer(call)
            yield None if placeholders else number

    def answer(call: Call) -> Any:
        reply = answers[call]
        again = call in asked
        asked.add(call)
        return (reply.later if again else reply.first) if isinstance(reply, InTurn) else reply

    def answered(fetch: Fetch) -> list[Any]:
        return [UNKNOWN if symbolic else answer(question.call) for question in fetch.questions]

    rehearsal = Rehearsal(REHEARSED, seed=1)
    try:
        turns = Planner(lives, rehearsal, limits or Limits()).turns()
        fetch = next(turns)
        while True:
            fetch = turns.send([*counted(fetch), *answered(fetch)])
    except StopIteration as end:
        plan: Plan = end.value
    finally:
        rehearsal.close()
    assert set(answers) == asked, "an answer was given that nobody asked for"
    return plan


def steps(plan: Plan) -> list[Call]:
    return [step.call for step in plan]


def check(plan: Plan, golden: str) -> None:
    """Check that *plan* prints as *golden*."""
    assert dedent(golden).strip() == str(plan)
