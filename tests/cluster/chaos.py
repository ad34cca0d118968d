"""Commits while a cluster changes: ``python -m tests.cluster.chaos [--seconds N] [--shards N] [--no-kill]``.

Each process commits, again and again, on an object of its own and on one that all share: a counter is added to, and an
indexed value changed. Meanwhile slots move to and fro with their keys, connections are closed by the server, and, half
way, a master is killed, whose replica takes over. In the end each counter is what was told to be applied, and each
index holds what the objects hold, read with plain clients. Where nobody could tell what became of a commit, it may be
either. With ``--shards`` the objects are spread over so many shards, each with one near it that is changed by the same
commits, and what moves is the slot of any of them.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from tests.tools.cluster import SLOTS, Cluster, own, until
from uowredis import InstanceHashField, OutcomeUnknown, RedisDatabase, RedisModel, Session, Unreachable
from uowredis.contrib.related import FKInstanceHashField, RelatedModel
from uowredis.schema.keys import slot_of
from uowredis.schema.shards import tag_of

ROOT = Path(__file__).parents[2]
#: Where objects are that are not sharded; in slots of different masters.
PLACES = ("shop", "zoo", "web")
COLORS = 5
#: Objects of a sharded model that each process has of its own, and that all share.
SPREAD = 20


def models(database: RedisDatabase, shards: int) -> list[Any]:
    """Declare a counter in each place; or one in so many shards, and another near it."""
    fields: dict[str, Any] = {"count": InstanceHashField(type=int), "color": InstanceHashField(indexable=True)}
    if not shards:
        return [
            type("Counter", (RedisModel,), {"database": database, "place": place, "namespace": place, **fields})
            for place in PLACES
        ]
    where = {"database": database, "namespace": "spread"}
    counter: Any = type("Counter", (RelatedModel,), {**where, "shards": shards, **fields})
    beside = {"near": "counter", "counter": FKInstanceHashField(counter), "count": InstanceHashField(type=int)}
    return [counter, type("Beside", (RelatedModel,), {**where, **beside})]


def places(shards: int) -> list[str]:
    """Return the places whose slots may move."""
    return [tag_of(number, shards) for number in range(shards)] or list(PLACES)


def create(declared: list[Any], shards: int) -> list[tuple[Any, Any]]:
    """Create counters; return each with what is near it, None for nothing."""
    if not shards:
        return [(model(count=0, color="c0"), None) for model in declared]
    counter, beside = declared
    made = [counter(count=0, color="c0") for _ in range(SPREAD)]
    return [(each, beside(counter=each, count=0)) for each in made]


def shared(declared: list[Any], shards: int, pks: Sequence[str]) -> list[tuple[Any, Any]]:
    """Return the counters that all processes change, *pks* or those that were there first."""
    if not shards:
        return [(model.lazy_connect("1"), None) for model in declared]
    counter, beside = declared
    return [(counter.lazy_connect(pk), beside.collection(counter=pk).instances()[0]) for pk in pks]


def work(url: str, seed: int, seconds: float, shards: int, pks: Sequence[str]) -> dict[str, Any]:
    """Commit for some *seconds*; return by place and pk how often it was told to be applied, and not known."""
    chance = random.Random(seed)
    told: dict[str, int] = {"conflicts": 0, "refused": 0, "unknown": 0, "slowest": 0}
    applied: dict[str, int] = {}
    doubtful: dict[str, int] = {}
    with RedisDatabase.from_url(url, settle_for=30, attempts=1_000) as database:
        declared = models(database, shards)
        everybodys = shared(declared, shards, pks)
        mine = create(declared, shards)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            counter, beside = chance.choice(mine if chance.random() < 0.7 else everybodys)
            name = f"{counter.namespace}:{counter.pk.get()}"
            begun = time.monotonic()
            try:
                with Session(database, on_pending="discard") as s:
                    counter.count.hincrby(1)
                    if beside is not None:
                        beside.count.hincrby(1)
                    counter.color.hset(f"c{chance.randrange(COLORS)}")
                    s.commit()
                applied[name] = applied.get(name, 0) + 1
            except OutcomeUnknown:
                doubtful[name] = doubtful.get(name, 0) + 1
            except Unreachable:
                told["refused"] += 1
            told["slowest"] = max(told["slowest"], int(1_000 * (time.monotonic() - begun)))
    return {"applied": applied, "doubtful": doubtful, **told}


def disturb(
    cluster: Cluster, seconds: float, chance: random.Random, where: Sequence[str], *, kill: bool
) -> dict[str, int]:
    """Move slots and close connections for *seconds*; half way kill the master of the first place."""
    did = {"moved": 0, "closed": 0, "killed": 0}
    begun = time.monotonic()
    while (spent := time.monotonic() - begun) < seconds:
        if kill and not did["killed"] and spent > seconds / 2:
            dead = cluster.having(slot_of(where[0]))
            cluster.wait_for_replicas()
            cluster.masters[dead].kill()
            did["killed"] += 1
            cluster.take_over(dead)
        # Of the others nothing is known while one is dead.
        slot = slot_of(chance.choice(where))
        to = (cluster.having(slot) + chance.randrange(1, len(cluster.masters))) % len(cluster.masters)
        cluster.begin_move(slot, to)
        cluster.move_keys(slot, to, chance.randrange(5))
        time.sleep(chance.random() / 50)
        cluster.move_keys(slot, to)
        cluster.end_move(slot, to)
        did["moved"] += 1
        if chance.random() < 0.3:
            client = chance.choice(cluster.clients())
            did["closed"] += client.client_kill_filter(_type="normal", skipme=True)
        time.sleep(chance.random() / 50)
    return did


def wrong(cluster: Cluster, told: Sequence[dict[str, Any]], shards: int) -> list[str]:
    """Return what is not as it was told, read with plain clients."""
    found: list[str] = []
    having = {
        slot: client for client in cluster.clients() for first, last in own(client) for slot in range(first, last + 1)
    }
    there: set[str] = set()
    for place in places(shards):
        client: redis.Redis = having[slot_of(place)]
        namespace = "spread" if shards else place
        prefix = f"{{{place}}}:{namespace}:counter"
        pks = {pk.decode() for pk in client.smembers(f"{prefix}:collection")}
        held = {pk: client.hgetall(f"{prefix}:{pk}:hash") for pk in pks}
        beside = {pk.decode() for pk in client.smembers(f"{{{place}}}:{namespace}:beside:collection")}
        counts = [client.hgetall(f"{{{place}}}:{namespace}:beside:{pk}:hash") for pk in beside]
        near = {each[b"counter"].decode(): each[b"count"] for each in counts}
        if shards and {pk: values[b"count"] for pk, values in held.items()} != near:
            found.append(f"{place} has {held}, and beside it {near}")
        for pk, values in held.items():
            name = f"{namespace}:{pk}"
            there.add(name)
            least = sum(each["applied"].get(name, 0) for each in told)
            most = least + sum(each["doubtful"].get(name, 0) for each in told)
            if not least <= int(values[b"count"]) <= most:
                found.append(f"{name} is {values[b'count']!r}, and {least} to {most} were told")
        for color in range(COLORS):
            indexed = {pk.decode() for pk in client.smembers(f"{prefix}:color:c{color}")}
            holding = {pk for pk, values in held.items() if values[b"color"] == b"c%d" % color}
            if indexed != holding:
                found.append(f"the index of {place}, c{color}, has {sorted(indexed)}, and {sorted(holding)} hold it")
    return found + [f"{name} is nowhere" for each in told for name in each["applied"] if name not in there]


def chaos(
    seconds: float, processes: int, seed: int, *, kill: bool, shards: int = 0
) -> tuple[dict[str, Any], list[str]]:
    """Return the numbers, and what is wrong."""
    with Cluster.start(3, replicas=kill) as cluster:
        database = cluster.database()
        # Those that all share.
        pks = [counter.pk.get() for counter, _ in create(models(database, shards), shards)]
        command = [sys.executable, "-m", "tests.cluster.chaos", "--work", cluster.url, "--seconds", str(seconds)]
        command += ["--shards", str(shards), "--shared", *pks]
        workers = [
            subprocess.Popen([*command, "--seed", str(seed + number)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for number in range(1, processes + 1)
        ]
        did = disturb(cluster, seconds, random.Random(seed), places(shards), kill=kill)
        told = [json.loads(worker.communicate()[0]) for worker in workers]
        until(lambda: len({cluster.having(slot) for slot in range(0, SLOTS, 1_000)}) > 1)
        numbers = {
            "commits": sum(sum(each["applied"].values()) for each in told),
            "unknown": sum(sum(each["doubtful"].values()) for each in told),
            "refused": sum(each["refused"] for each in told),
            "slowest ms": max(each["slowest"] for each in told),
        }
        return {**did, **numbers}, wrong(cluster, told, shards)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the numbers, and what is wrong; return 1 where something is."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster.chaos", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shards", type=int, default=0, help="a sharded model, and what is near it")
    parser.add_argument("--no-kill", action="store_true", help="no master is killed")
    parser.add_argument("--shared", nargs="*", default=(), help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.work:
        print(json.dumps(work(options.work, options.seed, options.seconds, options.shards, options.shared)))
        return 0
    kill, shards = not options.no_kill, options.shards
    numbers, found = chaos(options.seconds, options.processes, options.seed, kill=kill, shards=shards)
    print(", ".join(f"{name} {number}" for name, number in numbers.items()), f"wrong {len(found)}", sep="; ")
    print(*found, sep="\n", end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
