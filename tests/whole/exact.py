"""Run a session on the real server; hold what it shows, what it says it sent, and what was sent against each other."""

from collections.abc import Callable
from typing import Any

from tests.tools.backends import Dump, Real
from tests.tools.monitor import Monitor
from tests.tools.redis_cli import pipe
from uowredis import (
    Create,
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    Plan,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.commands.replies import encode

Calls = list[tuple[bytes, ...]]


#: What every field of a kind holds before a command is tried on it.
CONTENT: dict[str, Any] = {
    "string": "5",
    "entry": "5",
    "hash": {"a": "1", "b": "x"},
    "set": ["a", "b", "c"],
    "list": ["a", "b", "a", "c"],
    "zset": {"a": 1, "b": 2, "c": 3},
}


class Models:
    """Models on a database: ``Thing`` with each field twice, plain and indexed; ``Tag`` whose pk is chosen."""

    def __init__(self, on: RedisDatabase) -> None:
        class Thing(RedisModel):
            database = on
            code = InstanceHashField(unique=True)
            plain_string = StringField()
            plain_entry = InstanceHashField()
            plain_hash = HashField()
            plain_set = SetField()
            plain_list = ListField()
            plain_zset = SortedSetField()
            indexed_string = StringField(indexable=True)
            indexed_entry = InstanceHashField(indexable=True)
            indexed_hash = HashField(indexable=True)
            indexed_set = SetField(indexable=True)
            indexed_list = ListField(indexable=True)
            indexed_zset = SortedSetField(indexable=True)

        class Tag(RedisModel):
            database = on
            name = PKField()
            color = InstanceHashField(indexable=True)

        self.Thing, self.Tag = Thing, Tag

    def full(self, **values: Any) -> Any:
        """Return a new thing with something in every field."""
        given = {f"{made}_{kind}": value for made in ("plain", "indexed") for kind, value in CONTENT.items()}
        return self.Thing(**given | values)


def raw(plan: Plan) -> Calls:
    """Return the calls of *plan* as bytes."""
    return [tuple(map(encode, call)) for call in plan.calls()]


def committed(real: Real, twin: Real, say: Callable[[Models], object], prepare: Callable[[Models], object]) -> Plan:
    """Commit what *say* says after *prepare*; check every promise of a plan; return the plan that was sent.

    The plan shown before, but for placeholders of pks, is the plan sent; that is what MONITOR saw; fed into redis-cli
    it does to a copy of the data what the commit did; planning symbolically sends nothing.
    """
    database = real.database()
    models = Models(database)
    prepare(models)
    with Session(database) as session:
        say(models)
        with Monitor(real.server) as unasked:
            session.plan(symbolic=True)
        assert [] == unasked
        shown = session.plan()
        born = [command.identity for command in session.pending if isinstance(command, Create)]
        placeholders = {identity.placeholder: identity for identity in born if identity.pk is None}
        copy(real, twin)
        with Monitor(real.server) as seen:
            session.commit()
        sent = session.last_plan
    assert sent is not None
    assert raw(sent) == seen

    def filled(text: str) -> str:
        for placeholder, identity in placeholders.items():
            text = text.replace(placeholder, identity.pk)
        return text

    assert sent.calls() == tuple(tuple(map(filled, call)) for call in shown.calls())
    assert [] == [argument for call in sent.calls() for argument in call if "<Thing" in argument]
    pipe(filled(shown.commands()).splitlines(), twin.server)
    assert state(real) == state(twin)
    return sent


def copy(real: Real, twin: Real) -> None:
    """Make the data of *twin* that of *real*."""
    twin.flush()
    source = real.client()
    keys = source.keys("*")
    with source.pipeline(transaction=False) as reading, twin.client().pipeline(transaction=False) as writing:
        for key in keys:
            reading.dump(key).pttl(key)
        replies = reading.execute()
        for key, dump, left in zip(keys, replies[::2], replies[1::2], strict=True):
            writing.restore(key, max(left, 0), dump)
        writing.execute()


def state(server: Real) -> tuple[Dump, set[bytes]]:
    """Return all data, and which keys expire."""
    data = server.dump()
    with server.client().pipeline(transaction=False) as reading:
        for key in data:
            reading.pttl(key)
        return data, {key for key, left in zip(data, reading.execute(), strict=True) if left > 0}
