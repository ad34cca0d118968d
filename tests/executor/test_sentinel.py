"""A master by its sentinels: where it dies, commits and reads go on at the one that takes its place."""

import threading
from typing import Any

import pytest
import redis

from tests.tools.cluster import until
from tests.tools.sentinel import watched
from tests.tools.servers import RealServer
from uowredis import (
    ArgumentError,
    ImplementationError,
    InstanceHashField,
    OutcomeUnknown,
    RedisDatabase,
    RedisModel,
    Session,
    StringField,
    Unreachable,
)
from uowredis.executor.connection import refusal
from uowredis.executor.urls import read


def declare(on: RedisDatabase) -> Any:
    class Bike(RedisModel):
        database = on
        name = InstanceHashField(indexable=True)
        count = InstanceHashField(type=int, indexable=True)
        note = StringField()

    return Bike


def test_commits_go_on_at_the_next_master() -> None:
    """One after the other, while the master is killed: each is whole, and counted once."""
    with watched() as servers, RedisDatabase.from_url(servers.url, settle_for=20) as database:
        model = declare(database)
        bike = model(name="a", count=0)
        assert "the master of 'mymaster'" in repr(database)
        told, doubtful, stop = 0, 0, threading.Event()

        def commit() -> None:
            nonlocal told, doubtful
            while not stop.is_set():
                try:
                    with Session(database, on_pending="discard") as s:
                        bike.count.hincrby(1)
                        bike.name.hset(f"b{told % 3}")
                        s.commit()
                    told += 1
                except OutcomeUnknown:
                    doubtful += 1

        worker = threading.Thread(target=commit)
        worker.start()
        with servers.master.client() as client:
            assert client.execute_command("WAIT", 1, 5_000) == 1
        servers.fail_over()
        before = told
        while told < before + 3 and worker.is_alive():
            stop.wait(0.01)
        stop.set()
        worker.join()
        # What the former one acknowledged a moment before it died may not have come to its replica.
        count = bike.count.hget()
        assert before + 3 <= told
        assert count <= told + doubtful
        with servers.replica.client() as client:
            assert int(client.hget(":bike:1:hash", "count")) == count
            assert {b"1"} == client.smembers(f":bike:count:{count}")
            assert [b":bike:count:%d" % count] == client.keys(":bike:count:*")
            assert [b":bike:name:" + client.hget(":bike:1:hash", "name")] == client.keys(":bike:name:*")
        assert "x" == (bike.note.set("x") and bike.note.get())
        assert ["1"] == list(model.collection(count=count))


def test_a_call_waits_for_the_next_master() -> None:
    """Who only reads by now is asked for nothing more, as a replica that was named would be (SORT_RO)."""
    with (
        watched() as servers,
        RedisDatabase.from_url(servers.url, settle_for=20) as database,
        servers.master.client() as client,
    ):
        model = declare(database)
        for name in "ba":
            model(name=name)
        query = model.collection().sort("name", alpha=True)
        found: list[Any] = []
        for ask in (lambda: found.extend(query), lambda: found.append(model("1").note.set("x"))):
            client.config_resetstat()
            client.replicaof(servers.replica.host, servers.replica.port)
            asking = threading.Thread(target=ask)
            asking.start()
            until(lambda: "errorstat_READONLY" in client.info("errorstats") or not asking.is_alive())  # noqa: B023
            client.execute_command("REPLICAOF", "NO", "ONE")
            asking.join()
        assert ["2", "1", True] == found
        assert "cmdstat_sort_ro" not in client.info("commandstats")


def test_who_became_a_replica_within_a_transaction_is_left() -> None:
    """EXEC repeats what it was refused for; that is known as it would be of any other command."""
    with RealServer.start() as server, server.client() as one, server.client() as other:
        pipe = one.connection_pool.get_connection()
        for call in (("MULTI",), ("SET", "a", "1")):
            pipe.send_command(*call)
            pipe.read_response()
        other.replicaof(server.host, 1)
        pipe.send_command("EXEC")
        with pytest.raises(redis.ResponseError) as caught:
            pipe.read_response()
        assert refusal(redis.ResponseError(f"EXECABORT {str(caught.value).removeprefix('EXECABORT ')}")) is Unreachable
        pipe.disconnect()


def test_none_is_found() -> None:
    """Where no sentinel answers, for as long as is asked."""
    with (
        RedisDatabase(sentinels=["127.0.0.1:1"], service="mymaster", settle_for=0.1) as database,
        pytest.raises(Unreachable, match=r"the master of 'mymaster' cannot be reached: no sentinel"),
    ):
        declare(database)(name="a")


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("redis+sentinel://a:1,b/mymaster/2", {"sentinels": ["a:1", "b:26379"], "service": "mymaster", "db": 2}),
        ("valkey+sentinel://a/m", {"sentinels": ["a:26379"], "service": "m"}),
        (
            "rediss+sentinel://u:p@a:1/m?max_connections=3",
            {
                "sentinels": ["a:1"],
                "service": "m",
                "ssl": True,
                "username": "u",
                "password": "p",
                "max_connections": "3",
            },
        ),
    ],
)
def test_a_url_names_sentinels(url: str, settings: dict[str, Any]) -> None:
    assert settings == read(url)
    RedisDatabase.from_url(url).close()


@pytest.mark.parametrize(
    "settings",
    [
        {"sentinels": ["a:1"]},
        {"service": "mymaster"},
        {"sentinels": ["a:1"], "service": "m", "host": "b"},
        {"sentinels": ["a:1"], "service": "m", "cluster": ["b:1"]},
        {"sentinels": ["a"], "service": "m"},
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises((ImplementationError, ArgumentError), match="sentinels"):
        RedisDatabase(**settings)


@pytest.mark.parametrize("url", ["redis+sentinel://a:1", "redis+sentinel://a:1/m/x", "redis+sentinel://a:x/m"])
def test_a_url_that_cannot_be_read(url: str) -> None:
    with pytest.raises((ImplementationError, ArgumentError), match=r"service|sentinels"):
        RedisDatabase.from_url(url)
