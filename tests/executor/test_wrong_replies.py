"""Replies of a kind that no server should give, or that break off: all or nothing, told, and a fit connection."""

import contextlib

import pytest

from tests.executor.test_states import PLACES, SCRIPTED
from tests.executor.unit_of_work import Work, happened
from tests.tools.backends import Real
from tests.tools.relay import Relay
from tests.tools.servers import RealServer
from uowredis import RedisDatabase, Session, UowError

#: Who lies about MULTI or the queue is believed: its answers are those of a server that did it.
READ_OR_EXEC = [place for place in PLACES if place in SCRIPTED or place[0] in ("WATCH", "EXEC")]

#: Of another kind than any command wants; for those within a list see test_wrong_items.
WRONG = [
    b"+OK\r\n",
    b"+QUEUED\r\n",
    b":1\r\n",
    b"$-1\r\n",
    b"$3\r\nabc\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"$-7\r\n",
    b"*-7\r\n",
    b"?what\r\n",
    b":99999999999999999999999\r\n",
    # Broken off.
    b"",
    b"$3",
    b"$3\r\nab",
    b"*2\r\n:1\r\n:",
    b"-ER",
]

#: One too many: who asks next must not take it for the own one.
TOO_MANY = [b":7\r\n:7\r\n", b"$1\r\n7\r\n$1\r\n7\r\n", b"*0\r\n*0\r\n"]


@pytest.mark.parametrize("reply", WRONG, ids=repr)
@pytest.mark.parametrize("scripted", [False, True], ids=["WATCH", "script"])
def test_in_a_commit(real: Real, real_server: RealServer, reply: bytes, scripted: bool) -> None:
    """At each place of the commit, one after the other."""
    with Relay(real_server) as relay:
        for name, nth in SCRIPTED if scripted else READ_OR_EXEC:
            if name == "GET" and reply in (b"$-1\r\n", b"*-1\r\n"):
                continue  # it might be true
            real.flush()
            relay.stop()
            with RedisDatabase.from_url(relay.url, max_watched=0 if scripted else 1_000) as on:
                in_a_commit(real, relay, Work(on), name, reply, nth)


def in_a_commit(real: Real, relay: Relay, work: Work, name: str, reply: bytes, nth: int) -> None:
    with Session(work.database, on_pending="discard") as session:
        work.say()
        relay.answer(name, reply, nth=nth)
        try:
            session.commit()
        except UowError:
            assert happened(real) == 0 or session.outcome in ("unknown", "partially applied"), (name, session.outcome)
        else:
            assert 1 == happened(real), name
        relay.stop()
        session.rollback()
    times = happened(real)
    assert (str(times), "old") == (work.bread.visits.get() or "0", work.bread.name.hget()), name
    assert times + 1 == work.bread.visits.incr(), name


@pytest.mark.parametrize("reply", [*WRONG, *TOO_MANY], ids=repr)
def test_a_single_call(real: Real, real_server: RealServer, reply: bytes) -> None:
    """An error of ours, or what the reply can be taken for; the next call gets its own reply."""
    with Relay(real_server) as relay, RedisDatabase.from_url(relay.url) as on:
        work = Work(on)
        calls = {
            "GET": lambda: work.bread.visits.get(),
            "HGETALL": lambda: work.bread.hgetall(),
            "HMGET": lambda: work.bread.hmget("name", "price"),
            "INCRBY": lambda: work.bread.visits.incr(),
            "SMEMBERS": lambda: list(work.Product.collection()),
            "SCARD": lambda: len(work.Product.collection()),
            "LRANGE": lambda: work.bread.shelf.lrange(0, -1),
            "SORT": lambda: work.Product.collection().sort("price").values("name")[:2],
            "SISMEMBER": lambda: work.Product.exists(1),
        }
        for name, call in calls.items():
            relay.answer(name, reply)
            with contextlib.suppress(UowError):
                call()
            relay.stop()
            assert "old" == work.bread.name.hget()
            assert (None, ["1"]) == (work.bread.visits.get(), list(work.Product.collection())), name
