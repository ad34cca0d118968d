"""A real Redis Cluster on loopback: masters that have all slots, and a replica of each where they are wanted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import attrs
import redis

from tests.tools.servers import RealServer
from uowredis import RedisDatabase

#: The bus of a node is so many ports above its own.
BUS = 10_000
SLOTS = 16_384
#: Milliseconds after which a node that does not answer is taken for failing.
NODE_TIMEOUT = 2_000


@attrs.define(eq=False)
class Cluster:
    """Nodes of ours, connected; ``with Cluster.start(3) as cluster:``."""

    masters: list[RealServer]
    replicas: list[RealServer] = attrs.field(factory=list)
    _opened: contextlib.ExitStack = attrs.field(factory=contextlib.ExitStack)
    _clients: dict[int, redis.Redis] = attrs.field(factory=dict)

    @classmethod
    def start(cls, masters: int = 3, *, replicas: bool = False) -> Self:
        """Start *masters* nodes with all slots among them, and a replica of each; return when all agree on it."""
        with contextlib.ExitStack() as opened:
            settings = ("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
            settings += ("--cluster-node-timeout", str(NODE_TIMEOUT), "--repl-diskless-sync-delay", "0")
            nodes = [
                opened.enter_context(RealServer.start(*settings, highest=65_535 - BUS))
                for _ in range(masters * (2 if replicas else 1))
            ]
            cluster = cls(nodes[:masters], nodes[masters:])
            cluster._connect()
            # What was opened later is closed first.
            cluster._opened, clients = opened.pop_all(), cluster._opened
            cluster._opened.push(clients)
            return cluster

    def _connect(self) -> None:
        clients = [self._client(node) for node in (*self.masters, *self.replicas)]
        for at, client in enumerate(clients[: len(self.masters)]):
            first, last = at * SLOTS // len(self.masters), (at + 1) * SLOTS // len(self.masters)
            client.execute_command("CLUSTER", "ADDSLOTS", *range(first, last))
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        for client in clients[1:]:
            client.execute_command("CLUSTER", "MEET", self.masters[0].host, self.masters[0].port)
        until(lambda: all(info(client)["cluster_known_nodes"] == str(len(clients)) for client in clients))
        for replica, master in zip(clients[len(self.masters) :], clients, strict=False):
            replica.execute_command("CLUSTER", "REPLICATE", identity(master))
        until(lambda: all(info(client)["cluster_state"] == "ok" for client in clients))
        until(
            lambda: all(
                client.info("replication").get("master_link_status") == "up" for client in clients[len(self.masters) :]
            )
        )

    @property
    def url(self) -> str:
        """How `RedisDatabase.from_url` names it: by two of its nodes."""
        return f"redis+cluster://{','.join(f'{node.host}:{node.port}' for node in self.masters[:2])}"

    def database(self, **options: Any) -> RedisDatabase:
        """Return a database on it, closed with it."""
        return self._opened.enter_context(RedisDatabase.from_url(self.url, **options))

    def clients(self) -> list[redis.Redis]:
        """Return a plain client of each master, closed with it."""
        return [self._client(node) for node in self.masters]

    def _client(self, node: RealServer) -> redis.Redis:
        if node.port not in self._clients:
            self._clients[node.port] = self._opened.enter_context(node.client())
        return self._clients[node.port]

    def flush(self) -> None:
        """Empty all masters."""
        for client in self.clients():
            client.flushall()

    def dump(self) -> dict[bytes, Any]:
        """Return all keys of all masters with what DUMP gives of each."""
        return {key: client.dump(key) for client in self.clients() for key in client.scan_iter()}

    def having(self, slot: int) -> int:
        """Return which of the masters has *slot*."""
        return next(
            at for at, client in enumerate(self.clients()) if any(first <= slot <= last for first, last in own(client))
        )

    def begin_move(self, slot: int, to: int) -> None:
        """Begin to move *slot* to the master *to*: keys that are missing are asked for there."""
        clients = self.clients()
        source = self.having(slot)
        clients[to].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", identity(clients[source]))
        clients[source].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", identity(clients[to]))

    def move_keys(self, slot: int, to: int, most: int = 100_000) -> None:
        """Move at most so many keys of *slot*."""
        client = self.clients()[self.having(slot)]
        keys = client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, most)
        if keys:
            node = self.masters[to]
            client.execute_command("MIGRATE", node.host, node.port, "", 0, 5_000, "KEYS", *keys)

    def end_move(self, slot: int, to: int) -> None:
        """Have *slot* belong to the master *to*, the new owner told first."""
        clients = self.clients()
        there = identity(clients[to])
        for client in (clients[to], *clients):
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", there)

    def move(self, slot: int, to: int) -> None:
        """Move *slot* with all its keys."""
        if self.having(slot) != to:
            self.begin_move(slot, to)
            self.move_keys(slot, to)
            self.end_move(slot, to)

    def wait_for_replicas(self) -> None:
        """Wait until each replica has what its master has: what a master alone acknowledged may be lost."""
        for client in self.clients():
            until(lambda client=client: client.execute_command("WAIT", 1, 1_000) >= 1)  # type: ignore[misc]

    def take_over(self, dead: int) -> None:
        """Wait until the replica of a master that was killed has its slots, and put it in that one's place."""
        replica = self.replicas[dead]
        with replica.client() as client:
            until(lambda: client.info("replication")["role"] == "master" and info(client)["cluster_state"] == "ok")
        self.masters[dead], self.replicas[dead] = replica, self.masters[dead]
        until(lambda: all(info(client)["cluster_state"] == "ok" for client in self.clients()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()


def info(client: redis.Redis) -> dict[str, str]:
    """Return what a node says of the cluster."""
    found: Any = client.execute_command("CLUSTER", "INFO")
    if isinstance(found, dict):
        return found
    return dict(line.split(":", 1) for line in found.decode().splitlines() if line)


def identity(client: redis.Redis) -> str:
    """Return the name of a node."""
    found: Any = client.execute_command("CLUSTER", "MYID")
    return found if isinstance(found, str) else found.decode()


def own(client: redis.Redis) -> Iterator[tuple[int, int]]:
    """Yield the ranges of slots that a node says it has."""
    nodes: Any = client.execute_command("CLUSTER", "NODES")
    if isinstance(nodes, dict):
        for node in nodes.values():
            if "myself" in node["flags"]:
                for slots in node["slots"]:
                    yield int(slots[0]), int(slots[-1])
        return
    for line in nodes.decode().splitlines():
        words = line.split()
        if "myself" in words[2]:
            for slots in words[8:]:
                if not slots.startswith("["):
                    first, _, last = slots.partition("-")
                    yield int(first), int(last or first)


def until(reached: Any, patience: float = 30.0) -> None:
    """Wait until *reached* answers true."""
    deadline = time.monotonic() + patience
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError("the cluster did not come to it")
        time.sleep(0.02)
