"""``python -m uowredis demo --cluster``: three servers, a place that moves among them, and one model on all (do)."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from uowredis import model
from uowredis.database import RedisDatabase
from uowredis.exceptions import ImplementationError
from uowredis.schema.keys import slot_of
from uowredis.session.session import Session

_HOST = "127.0.0.1"
_SLOTS = 16_384
#: The bus of a node is so many ports above its own.
_HIGHEST = 65_535 - 10_000
_PLACE = "shop"
_MOVES = 12
#: In how many shards how many visitors are.
_SHARDS, _VISITORS = 64, 30
#: Seconds for which servers are waited for.
_PATIENCE = 20.0


def demo_cluster() -> None:
    """Start three servers on loopback, and show a place on them while its slot moves; they are ended again.

    Raises:
        ImplementationError: where no server program is found, or the servers do not come to be a cluster.
    """
    with contextlib.ExitStack() as opened:
        ports = opened.enter_context(_servers())
        nodes = [opened.enter_context(RedisDatabase(host=_HOST, port=port)).connection for port in ports]
        _connect(nodes, ports)
        named = [f"{_HOST}:{port}" for port in ports]
        print(f"Three servers are a Redis Cluster: {', '.join(named)}.")
        _show(opened.enter_context(RedisDatabase(cluster=named, settle_for=_PATIENCE)), nodes, ports)


def _show(database: RedisDatabase, nodes: list[Any], ports: list[int]) -> None:
    counter: Any = type(
        "Counter",
        (model.RedisModel,),
        {
            "database": database,
            "place": _PLACE,
            "__module__": __name__,
            "count": model.InstanceHashField(type=int, indexable=True),
        },
    )
    print(
        f"\nA model with place = {_PLACE!r}: all its keys are in one slot, and a commit is what it is on one server.\n"
    )
    with Session(database) as s:
        one = counter(count=0)
        print(s.plan())
        s.commit()
    _spread(database)
    told, stop = [0], threading.Event()

    def commit() -> None:
        while not stop.is_set():
            with Session(database) as s:
                one.count.hincrby(1)
                s.commit()
            told[0] += 1

    worker = threading.Thread(target=commit)
    worker.start()
    try:
        for _ in range(_MOVES):
            seen = told[0]
            _move(nodes, ports, slot_of(_PLACE))
            # Some commits between two moves.
            _until(lambda seen=seen: told[0] > seen + 5 or not worker.is_alive())  # type: ignore[misc]
    finally:
        stop.set()
        worker.join()
    (found,) = counter.collection(count=told[0])
    print(f"\nIts slot was moved {_MOVES} times from server to server while a thread committed.")
    print(
        f"Commits told to be applied: {told[0]}; the counter says {one.count.hget()}; its index finds Counter {found}."
    )


def _spread(database: RedisDatabase) -> None:
    """Show a model that is spread over places on all nodes."""
    visitor: Any = type(
        "Visitor",
        (model.RedisModel,),
        {
            "database": database,
            "shards": _SHARDS,
            "__module__": __name__,
            "name": model.InstanceHashField(indexable=True),
        },
    )
    visitor.create_many([{"name": ("ann", "bob", "cid")[number % 3]} for number in range(_VISITORS)], batch=1)
    print(f"\nA model with shards = {_SHARDS} is spread over so many places; a collection asks each node once.\n")
    print(visitor.collection(name="bob").sort().explain())
    found = visitor.collection(name="bob").sort()[:3]
    print(f"\n{visitor.collection().count()} visitors, {len(visitor.collection(name='bob'))} of them bob: {found} ...")


@contextlib.contextmanager
def _servers() -> Iterator[list[int]]:
    """Start three servers, and end them."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise ImplementationError(
            "No redis-server is on the PATH. Way out: install it, or python -m uowredis demo for what needs none"
        )
    with contextlib.ExitStack() as opened:
        ports = [_free_port() for _ in range(3)]
        for port in ports:
            directory = opened.enter_context(tempfile.TemporaryDirectory(prefix="uowredis-demo-"))
            settings = {"bind": _HOST, "port": port, "dir": directory, "save": "", "cluster-enabled": "yes"}
            command = [program, *(word for name, value in settings.items() for word in (f"--{name}", str(value)))]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            opened.callback(process.wait)
            opened.callback(process.kill)
        for port in ports:
            _until(lambda port=port: _listens(port))  # type: ignore[misc]
        yield ports


def _free_port() -> int:
    while True:
        with socket.create_server((_HOST, 0)) as listener:
            port: int = listener.getsockname()[1]
        if port <= _HIGHEST:
            return port


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
        return True
    return False


def _connect(nodes: list[Any], ports: list[int]) -> None:
    """Make one cluster of servers that know nothing of each other."""
    for at, node in enumerate(nodes):
        node.execute_command("CLUSTER", "ADDSLOTS", *range(at * _SLOTS // 3, (at + 1) * _SLOTS // 3))
        node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        node.execute_command("CLUSTER", "MEET", _HOST, ports[0])
    _until(lambda: all(_is_whole(node) for node in nodes))


def _is_whole(node: Any) -> bool:
    found: str = node.execute_command("CLUSTER", "INFO")
    return {"cluster_state:ok", "cluster_known_nodes:3"} <= set(found.split())


def _move(nodes: list[Any], ports: list[int], slot: int) -> None:
    """Move *slot*, with all its keys, from the node that has it to the next, as redis-cli does."""
    names = [node.execute_command("CLUSTER", "MYID") for node in nodes]
    source = next(at for at, node in enumerate(nodes) if _has(node, slot))
    to = (source + 1) % len(nodes)
    nodes[to].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
    nodes[source].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", names[to])
    while keys := nodes[source].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
        nodes[source].execute_command("MIGRATE", _HOST, ports[to], "", 0, 5_000, "KEYS", *keys)
    for at in (to, *range(len(nodes))):
        nodes[at].execute_command("CLUSTER", "SETSLOT", slot, "NODE", names[to])


def _has(node: Any, slot: int) -> bool:
    known: str = node.execute_command("CLUSTER", "NODES")
    # What a node says of itself ends with the ranges of its slots, and with those that move, in brackets.
    own = next(words for line in known.splitlines() if "myself" in (words := line.split())[2])
    ranges = [each.partition("-") for each in own[8:] if not each.startswith("[")]
    return any(int(first) <= slot <= int(last or first) for first, _, last in ranges)


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise ImplementationError("The servers were not ready in time. Way out: try again")
        time.sleep(0.02)
