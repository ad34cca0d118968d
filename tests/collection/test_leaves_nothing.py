"""A query is a read: it leaves no key behind, runs on replicas where it can, and disturbs no transaction."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.models import People, current_user, documented, people
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import RedisDatabase, Rejected, Session, Unreachable
from uowredis.contrib.collection import SORTED_SCORE

Make = Callable[[People, Any], Any]

#: Queries that need temporary keys.
TEMPORARY: dict[str, Make] = {
    "filters": lambda p, me: p.extended.collection(firstname="John", city="New York").sort(by="birth_year"),
    "a list": lambda p, me: p.extended.collection(city="New York").intersect([1, 2, 3]).sort(),
    "a sorted set": lambda p, me: p.extended.collection(city="New York").intersect(me.met).sort(by="-pk"),
    "scores": lambda p, me: p.extended.collection(firstname="John").intersect(me.friends).sort(by_score=me.met),
    "values": lambda p, me: p.extended.collection(firstname="John", city="New York").values("city"),
    "slice": lambda p, me: p.extended.collection(firstname="John", city="New York").instances(),
}


def temporaries(server: Backend) -> list[bytes]:
    """Return the temporary keys that are there."""
    return [key for key in server.dump() if b":__collection__:tmp:" in key]


@pytest.mark.parametrize("kind", TEMPORARY)
def test_nothing_is_left_by_a_query(server: Backend, kind: str) -> None:
    """All data is what it was."""
    people = documented(server.database())
    me = current_user(people)
    before = server.dump()
    collection = TEMPORARY[kind](people, me)
    for look in (list, len, bool, repr, lambda c: c[0:1], lambda c: c[-1], lambda c: "1" in c):
        look(collection)
    assert before == server.dump()


@pytest.mark.parametrize("kind", ["filters", "a list", "a sorted set"])
def test_nothing_is_left_by_an_error(server: Backend, kind: str) -> None:
    """Text sorted as numbers fails inside EXEC: the temporary keys are deleted all the same."""
    people = documented(server.database())
    me = current_user(people)
    before = server.dump()
    collection = TEMPORARY[kind](people, me)
    with pytest.raises(Rejected, match="alpha=True"):
        list(collection.copy().sort(by="city"))
    assert before == server.dump()
    assert {"1", "2"} <= set(collection)


@pytest.mark.parametrize("point", ["MULTI", "SINTERSTORE", "SORT", "UNLINK", "EXEC"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_is_left_by_a_dropped_connection(real: Real, real_server: RealServer, point: str, when: str) -> None:
    """Cut at any command of the transaction, the query raises ``Unreachable`` and no temporary key stays."""
    documented(real.database())
    before = real.dump()
    with Proxy(real_server) as proxy, RedisDatabase.from_url(proxy.url) as on:
        collection = people(on).extended.collection(firstname="John", city="New York").sort(by="birth_year")
        assert ["1", "2"] == collection
        proxy.cut(**{when: point})
        with pytest.raises(Unreachable):
            list(collection)
        assert before == real.dump()
        assert ["1", "2"] == collection
    assert before == real.dump()


@pytest.fixture
def replica(real: Real, real_server: RealServer) -> Iterator[RealServer]:
    """A read-only replica that holds the documented data and a user."""
    people = documented(real.database())
    current_user(people)
    with (
        RealServer.start("--replicaof", real_server.host, str(real_server.port)) as replica,
        replica.client() as client,
        real.client() as writer,
    ):
        # REPLICAOF starts by itself; what is written then is waited for on the master.
        wait_for_link(client)
        writer.set("last", "written")
        assert 1 == writer.wait(1, 10_000)
        assert b"written" == client.get("last")
        yield replica


def wait_for_link(client: redis.Redis) -> None:
    """Poll the replica until it has loaded what its master holds."""
    for _ in range(1_000_000):
        try:
            if client.info("replication")["master_link_status"] == "up":
                return
        except redis.BusyLoadingError:
            continue
    raise AssertionError("the replica did not come up")


ON_A_REPLICA: dict[str, tuple[Make, list[Any]]] = {
    "one filter": (lambda p, me: p.extended.collection(city="Paris"), ["4"]),
    "two filters": (lambda p, me: p.extended.collection(city="New York", lastname="Doe"), ["2"]),
    "a primary key": (lambda p, me: p.extended.collection(pk=2, lastname="Doe"), ["2"]),
    "a list": (lambda p, me: p.extended.collection(city="New York").intersect([2, 4]), ["2"]),
    "a set": (lambda p, me: p.extended.collection(lastname="Doe").intersect(me.friends, [2]), ["2"]),
    "a sorted set": (lambda p, me: p.extended.collection(city="Paris").intersect(me.met), ["4"]),
    "a list field": (lambda p, me: p.extended.collection(city="New York").intersect(me.history), ["2"]),
    "a field": (lambda p, me: p.extended.collection(city=me.city, lastname="Doe"), ["2"]),
    "one filter, sorted": (lambda p, me: p.extended.collection(lastname="Doe").sort(by="birth_year"), ["4", "2"]),
    "everything, sorted": (lambda p, me: p.extended.collection().sort(by="-pk"), ["4", "3", "2", "1"]),
    "values": (lambda p, me: p.extended.collection(city="Paris").values_list("lastname", flat=True), ["Doe"]),
    "scores": (
        lambda p, me: p.extended.collection(city="Paris").sort(by_score=me.met).values_list("pk", SORTED_SCORE),
        [("4", "1990")],
    ),
}


#: What is sorted there: with SORT_RO, which Redis has since 7.0.
SORTED_THERE = {"one filter, sorted", "everything, sorted", "values", "scores"}


def test_queries_without_temporary_keys_run_on_a_read_only_replica(replica: RealServer) -> None:
    """One filter, several in no order: lists, items, length, membership, streaming. Where SORT_RO is, sorted too."""
    with RedisDatabase.from_url(replica.url) as on:
        models = people(on)
        me = models.user("me")
        sorts = int(replica.version.split(".")[0]) >= 7
        for kind, (make, expected) in ON_A_REPLICA.items():
            collection = make(models, me)
            if kind in SORTED_THERE and not sorts:
                with pytest.raises(Rejected, match="SORT_RO"):
                    list(collection)
                continue
            assert (kind, expected) == (kind, list(collection))
            assert (kind, len(expected)) == (kind, len(collection))
            assert (kind, expected) == (kind, list(collection.iter()))
        assert "1" in models.extended.collection(firstname="John", lastname="Smith")
        assert [models.extended("4")] == models.extended.collection(city="Paris").instances()
        if sorts:
            johns = models.extended.collection(firstname="John")
            assert (["1", "2"], "1", "2") == (johns[0:5], johns[0], johns[-1])


def test_what_needs_temporary_keys_says_so_on_a_replica(replica: RealServer) -> None:
    """Several filters, sorted: the server refuses it, and the connection serves on."""
    with RedisDatabase.from_url(replica.url) as on:
        johns = people(on).extended.collection(firstname="John", city="New York")
        with pytest.raises(Rejected, match="READONLY"):
            list(johns.copy().sort(by="birth_year"))
        assert {"1", "2"} == set(johns)


def test_a_query_does_not_end_the_watch_of_others(server: Backend) -> None:
    """Who watches an index, the set of all pks or an object still commits after a query that needs a transaction."""
    people = documented(server.database())
    client = server.client()
    with client.pipeline() as pipe:
        pipe.watch(":extended:collection", ":extended:firstname:John", ":extended:city:New York", ":extended:1:hash")
        assert ["1", "2"] == people.extended.collection(firstname="John", city="New York").sort(by="birth_year")
        pipe.multi()
        pipe.set("done", "yes")
        assert [True] == pipe.execute()


def test_the_transaction_of_a_query_disturbs_nothing_of_a_session(server: Backend) -> None:
    """A query between two writes sends nothing of the session; what others change later is still met at the commit."""
    people = documented(server.database())
    before = server.dump()
    with Session(people.extended.database) as session:
        first = people.extended("1")
        first.lastname.hset("Changed")
        shown = session.plan()
        query = people.extended.collection(firstname="John", city="New York").sort(by="birth_year")
        assert ["1", "2"] == query
        assert before == server.dump()
        assert shown == session.plan()
        assert 1 == len(session.pending)
        server.client().hset(":extended:1:hash", "lastname", "by another")
        assert ["1", "2"] == query
        session.commit()
        assert ["1", "2"] == query
    assert {"1"} == set(people.extended.collection(lastname="Changed"))
    assert "Changed" == first.lastname.hget()


def test_a_session_commits_as_if_no_query_had_been(server: Backend) -> None:
    """The plan sent, and what it leaves, are the same with and without queries on the way."""
    plans, dumps = [], []
    for asks in (False, True):
        server.flush()
        people = documented(server.database())
        with Session(people.extended.database) as session:
            for firstname in ("John", "Emily"):
                person = people.extended(firstname=firstname, city="New York", birth_year=1970)
                person.pk.get()
                if asks:
                    found = people.extended.collection(firstname=firstname, city="New York").sort(by="-birth_year")
                    assert person.pk.get() == found[0]
            session.commit()
        plans.append(session.last_plan)
        dumps.append(server.dump())
    assert plans[0] == plans[1]
    assert dumps[0] == dumps[1]


def test_own_managers_leave_nothing_either(server: Backend) -> None:
    """``manager=`` of a call is as clean."""
    people = documented(server.database())
    before = server.dump()
    collection = people.person.collection(firstname="John", lastname="Doe")
    assert ["2"] == collection.intersect([2, 3]).sort()
    assert before == server.dump()
    assert [] == temporaries(server)
