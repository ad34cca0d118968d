"""Run a session on the real server; hold what it shows, what it says it sent, and what was sent against each other."""

from collections.abc import Callable
from typing import Any

from tests.models import FULL, things, words
from tests.tools.backends import Dump, Real
from tests.tools.monitor import Monitor
from tests.tools.redis_cli import pipe
from uowredis import Create, Plan, RedisDatabase, Session
from uowredis.commands.replies import encode

Calls = list[tuple[bytes, ...]]


class Models:
    """Things and words on a database."""

    def __init__(self, on: RedisDatabase) -> None:
        self.Thing, self.Word = things(on), words(on)

    def full(self, **values: Any) -> Any:
        """Return a new thing with something in every field."""
        return self.Thing(**FULL | values)


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
    assert shown.token is not None
    assert sent.token is not None

    def filled(text: str) -> str:
        for placeholder, identity in placeholders.items():
            text = text.replace(placeholder, identity.pk)
        # Each attempt has a token of its own.
        return text.replace(shown.token.key, sent.token.key)

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
