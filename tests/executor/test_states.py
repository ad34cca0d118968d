"""A server in some state answers one command with an error, wherever in a commit it stands: all or nothing, and told.

Each place meets some states, and each state some places; with ``HYPOTHESIS_PROFILE=long`` all meet all.
"""

import os
from collections.abc import Iterator

import pytest

from tests.executor.unit_of_work import Work, happened
from tests.tools.backends import Real
from tests.tools.relay import Relay
from tests.tools.servers import RealServer
from uowredis import RedisDatabase, Rejected, Session, Unreachable

STATES = {
    "READONLY": "READONLY You can't write against a read only replica.",
    "MASTERDOWN": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "BUSY": "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MISCONF": "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "NOREPLICAS": "NOREPLICAS Not enough good replicas to write.",
    "NOAUTH": "NOAUTH Authentication required.",
    "NOPERM": "NOPERM User default has no permissions to run this command",
    "CLUSTERDOWN": "CLUSTERDOWN The cluster is down",
    "unknown": "ERR unknown command, with args beginning with: ",
}
#: Those that say that another time, or another server, would do.
_ELSEWHERE = ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN")
#: The commands of a commit, and which one of that name.
PLACES = [
    *[("WATCH", 1), ("SCARD", 1), ("INCRBY", 1), ("GET", 1), ("SMEMBERS", 1), ("SISMEMBER", 1)],
    *[("MULTI", 1), ("HSET", 1), ("SET", 1), ("INCRBY", 2), ("RPUSH", 1), ("SREM", 1), ("SADD", 1), ("EXEC", 1)],
]
SCRIPTED = [("SCARD", 1), ("INCRBY", 1), ("GET", 1), ("SMEMBERS", 1), ("SISMEMBER", 1), ("EVAL", 1)]


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def cases(places: list[tuple[str, int]]) -> list[tuple[tuple[str, int], str]]:
    return [
        (place, state)
        for place in places
        for state in STATES
        if LONG or state in ("LOADING", "unknown") or place in (places[0], places[-1])
    ]


@pytest.fixture
def relay(real: Real, real_server: RealServer) -> Iterator[Relay]:
    with Relay(real_server) as relay:
        yield relay


def refused(real: Real, relay: Relay, state: str, place: tuple[str, int], *, scripted: bool, keeps: bool) -> None:
    with RedisDatabase.from_url(relay.url, max_watched=0 if scripted else 1_000) as database:
        work = Work(database)
        database.close()
        with Session(database) as session:
            work.say()
            relay.refuse(place[0], STATES[state], nth=place[1], keeps=keeps)
            with pytest.raises(Rejected, match=state) as caught:
                session.commit()
            assert place[0].encode() in relay.seen, "it never came to that"
            assert (state in _ELSEWHERE) >= isinstance(caught.value, Unreachable)
            assert ("not applied", 0) == (session.outcome, happened(real))
            assert 4 == len(session.pending)
            relay.stop()
            # The connection is fit, or a new one: what was refused can be committed now.
            session.commit()
        assert 1 == happened(real)
        assert ("1", "old") == (work.bread.visits.get(), work.bread.name.hget())


@pytest.mark.parametrize(("place", "state"), cases(PLACES))
def test_in_a_transaction(real: Real, relay: Relay, state: str, place: tuple[str, int]) -> None:
    """Nothing is applied, the session says so, and goes on when the state has ended."""
    refused(real, relay, state, place, scripted=False, keeps=False)


@pytest.mark.parametrize(("place", "state"), cases(SCRIPTED))
def test_in_a_script(real: Real, relay: Relay, state: str, place: tuple[str, int]) -> None:
    """The same where the guards travel in a script."""
    refused(real, relay, state, place, scripted=True, keeps=False)


@pytest.mark.parametrize("state", STATES)
def test_an_exec_that_leaves_the_transaction_open(real: Real, relay: Relay, state: str) -> None:
    """The connection is not used for anything else."""
    refused(real, relay, state, ("EXEC", 1), scripted=False, keeps=True)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("said", ["get", "incr", "a query"])
def test_a_single_call(real: Real, relay: Relay, state: str, said: str) -> None:
    """Refused, told, and answered when the state has ended."""
    with RedisDatabase.from_url(relay.url) as database:
        work = Work(database)
        call = {
            "get": lambda: work.bread.visits.get(),
            "incr": lambda: work.bread.visits.incr(),
            "a query": lambda: list(work.Product.collection(name="old")),
        }[said]
        relay.refuse({"get": "GET", "incr": "INCRBY", "a query": "SMEMBERS"}[said], STATES[state])
        with pytest.raises(Rejected, match=state):
            call()
        assert 0 == happened(real)
        relay.stop()
        assert {"get": None, "incr": 1, "a query": ["1"]}[said] == call()
