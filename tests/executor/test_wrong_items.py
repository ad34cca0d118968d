"""Items of a kind that no server gives within an array: told by name, not by a bare error, and never given."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Real
from tests.tools.relay import Relay
from tests.tools.servers import RealServer
from uowredis import RedisDatabase, Session, UowError
from uowredis.contrib.database import PipelineDatabase

#: Where text is promised.
ITEMS = {
    "int": b":1\r\n",
    "list": b"*1\r\n$1\r\na\r\n",
    "ResponseError": b"-ERR no\r\n",
}

TEXT = b"$1\r\na\r\n"

CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "set": ("SMEMBERS", lambda thing: thing.tags.smembers()),
    "list": ("LRANGE", lambda thing: thing.rows.lrange(0, -1)),
    "hash": ("HGETALL", lambda thing: thing.headers.hgetall()),
    "entries": ("HMGET", lambda thing: thing.hmget("name", "note")),
    "sorted set": ("ZRANGE", lambda thing: thing.ranks.zrange(0, -1, withscores=True)),
    "all": ("SMEMBERS", lambda thing: list(type(thing).collection())),
    "instances": ("SINTER", lambda thing: list(type(thing).collection(name="a", title="a").instances())),
    "sorted": ("SORT", lambda thing: list(type(thing).collection().sort().values("name", "note"))),
    "intersected": ("LRANGE", lambda thing: list(type(thing).collection().intersect(thing.rows))),
}


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("name", CALLS)
def test_a_read(real: Real, real_server: RealServer, name: str, kind: str) -> None:
    """The next one gets its own reply."""
    command, call = CALLS[name]
    with Relay(real_server) as relay, RedisDatabase.from_url(relay.url) as on:
        thing = every_kind(on).Thing(name="a", title="a", tags=["a"])
        relay.answer(command, b"*2\r\n" + ITEMS[kind] + TEXT)
        with pytest.raises(UowError, match=rf"(?i){command}.* was answered by an array with {kind} in it.*Way out"):
            call(thing)
        relay.stop()
        assert ({"a"}, ["1"]) == (thing.tags.smembers(), list(type(thing).collection(name="a")))


@pytest.mark.parametrize("name", ["hash", "sorted set"])
def test_half_a_pair(real: Real, real_server: RealServer, name: str) -> None:
    """An array of pairs that has no last value."""
    command, call = CALLS[name]
    with Relay(real_server) as relay, RedisDatabase.from_url(relay.url) as on:
        thing = every_kind(on).Thing(title="a")
        relay.answer(command, b"*3\r\n" + TEXT + b"$1\r\n1\r\n" + TEXT)
        with pytest.raises(UowError, match=rf"(?i){command}.* was answered by an array of 3 items, not of pairs"):
            call(thing)


def test_over_pending_writes(real: Real, real_server: RealServer) -> None:
    """What a session reads to lay its writes over it."""
    with Relay(real_server) as relay, RedisDatabase.from_url(relay.url) as on:
        thing = every_kind(on).Thing(name="a", title="a", tags=["a"])
        with Session(on, on_pending="discard"):
            thing.name.hset("b")
            relay.answer("SMEMBERS", b"*1\r\n:1\r\n")
            with pytest.raises(UowError, match=r"SMEMBERS .*with int in it"):
                list(type(thing).collection(title="a"))
            relay.stop()
            assert ["1"] == list(type(thing).collection(name="b"))


def test_within_exec(real: Real, real_server: RealServer) -> None:
    """What was executed was executed, and says so; the others have their replies."""
    with Relay(real_server) as relay, PipelineDatabase.from_url(relay.url) as on:
        thing = every_kind(on).Thing(name="a", title="a", tags=["a"])
        with on.pipeline() as pipeline:
            thing.tags.smembers()
            counted: Any = thing.tags.scard()
            relay.answer("EXEC", b"*2\r\n*1\r\n:1\r\n:1\r\n")
            with pytest.raises(UowError, match=r"smembers was .*with int in it") as caught:
                pipeline.execute()
        assert ["uowredis: the commit was applied; this reply could not be decoded"] == caught.value.__notes__
        assert (1, "applied") == (counted.result, pipeline.outcome)
        relay.stop()
        assert {"a"} == thing.tags.smembers()
