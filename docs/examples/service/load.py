"""Readers, borrowers, and the worker, all at once: how fast the service answers, and whether it ever lent too much.

PYTHONPATH=docs/examples python -m service.load redis://localhost:6379/0 --requests 5000 --clients 50

The service runs in this process, without a socket before it. It **empties the database**, and looks with plain redis-py
for contradictions in what is there afterwards.
"""

import argparse
import asyncio
import random
import statistics
import threading
import time
from collections import Counter
from datetime import date
from typing import Any

import httpx2
import redis

from service.fields import NAMESPACE
from service.service import service
from service.worker import remind
from uowredis import RedisDatabase, aio

BOOKS, MEMBERS, COPIES = 40, 30, 2


async def visit(client: httpx2.AsyncClient, chance: random.Random, requests: int, found: Counter[int]) -> list[float]:
    """Ask at random, one request after the other; return how long each took."""
    took: list[float] = []
    held: list[str] = []
    for _ in range(requests):
        begun, dice = time.perf_counter(), chance.random()
        if dice < 0.4:
            answer = await client.get("/books", params={"tag": f"tag{chance.randrange(4)}"})
        elif dice < 0.6:
            answer = await client.get(f"/members/{chance.randint(1, MEMBERS)}/loans")
        elif dice < 0.85 or not held:
            loan = {
                "isbn": f"000000000{chance.randrange(BOOKS):02}",
                "member": f"{chance.randint(1, MEMBERS)}",
                "due": "2026-02-02",
            }
            answer = await client.post("/loans", json=loan)
            if answer.status_code == 201:
                held.append(answer.json()["pk"])
        else:
            answer = await client.delete(f"/loans/{held.pop()}")
        took.append(time.perf_counter() - begun)
        found[answer.status_code] += 1
    return took


def contradictions(client: redis.Redis) -> list[str]:
    """Return what cannot be: more loans than copies, an index that says otherwise than its field, half an object."""

    def keys(pattern: str) -> list[str]:
        return [str(key) for key in client.scan_iter(pattern, count=1_000)]

    wrong = []
    loans: Any = client.smembers(f"{NAMESPACE}:loan:collection")
    told: dict[str, set[str]] = {}
    for pk in loans:
        loan: Any = client.hgetall(f"{NAMESPACE}:loan:{pk}:hash")
        for field in ("book", "member"):
            told.setdefault(f"{NAMESPACE}:loan:{field}:{loan.get(field)}", set()).add(pk)
    indexes: dict[str, Any] = {
        key: client.smembers(key) for field in ("book", "member") for key in keys(f"{NAMESPACE}:loan:{field}:*")
    }
    if told != indexes:
        wrong.append(f"the loans say {told}, their index {indexes}")
    wrong += [f"{key} has {len(pks)} loans" for key, pks in indexes.items() if ":book:" in key and len(pks) > COPIES]
    stored = {key.split(":")[2] for key in keys(f"{NAMESPACE}:loan:*:hash")}
    if stored != loans:
        wrong.append(f"{stored ^ loans} are there by half")
    return wrong


async def load(url: str, requests: int, clients: int) -> dict[str, Any]:
    """Let *clients* make *requests* in all, with a worker beside; return the figures."""
    with redis.Redis.from_url(url, decode_responses=True) as plain:
        plain.flushdb()
        db = aio.RedisDatabase.from_url(url, outside="refuse", max_connections=50)
        found: Counter[int] = Counter()
        transport = httpx2.ASGITransport(service(db))
        async with db, httpx2.AsyncClient(transport=transport, base_url="http://library") as client:
            for at in range(BOOKS):
                book = {"isbn": f"000000000{at:02}", "title": f"Title {at}", "year": 1600 + at, "copies": COPIES}
                await client.post("/books", json={**book, "tags": [f"tag{at % 4}"]})
            for at in range(MEMBERS):
                member = {"name": f"Name {at}", "email": f"m{at}@example.org", "joined": "2026-01-02"}
                await client.post("/members", json=member)
            begun = time.perf_counter()
            over = threading.Event()
            work = asyncio.create_task(asyncio.to_thread(_remind_until, over, url))
            took = await asyncio.gather(
                *(visit(client, random.Random(at), requests // clients, found) for at in range(clients))
            )
            seconds = time.perf_counter() - begun
            over.set()
            reminders = await work
        each = sorted(one for some in took for one in some)
        return {
            "requests": len(each),
            "seconds": seconds,
            "a second": len(each) / seconds,
            "p50 ms": 1_000 * statistics.median(each),
            "p99 ms": 1_000 * each[int(len(each) * 0.99)],
            "statuses": dict(sorted(found.items())),
            "reminders": reminders,
            "contradictions": contradictions(plain),
        }


def _remind_until(over: threading.Event, url: str) -> int:
    reminders = 0
    with RedisDatabase.from_url(url) as db:
        while not over.wait(0.1):
            reminders += remind(db, date(2026, 3, 3))
    return reminders


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--clients", type=int, default=50)
    given = parser.parse_args()
    for name, figure in asyncio.run(load(given.url, given.requests, given.clients)).items():
        print(f"{name}: {figure:,.1f}" if isinstance(figure, float) else f"{name}: {figure}")
