"""Check and rebuild at size: ``python -m tests.maintenance.million [--objects N]``; a minute for 100,000.

Prints, for each of them, the time, the most memory that its process had, and how long PING took meanwhile beside a
server at rest. The objects have two indexed fields, one of them unique; an entry in a thousand is taken away first.
"""

import argparse
import os
import resource
import subprocess
import sys
import threading
import time

import redis

from tests.tools.servers import RealServer


class Pings:
    """Asks PING every millisecond or so, and keeps how long it took."""

    def __init__(self, url: str) -> None:
        self.seconds: list[float] = []
        self._client = redis.Redis.from_url(url)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._over.wait(0.001):
            before = time.perf_counter()
            self._client.ping()
            self.seconds.append(time.perf_counter() - before)

    def __enter__(self) -> "Pings":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        return f"PING p99 {ordered[len(ordered) * 99 // 100] * 1e3:.2f} ms, at most {ordered[-1] * 1e3:.2f} ms"


def fill(url: str, objects: int) -> None:
    """Store so many objects by plain redis-py, whole but for an entry in a thousand."""
    with redis.Redis.from_url(url) as client:
        for start in range(1, objects + 1, 2_000):
            pipeline = client.pipeline(transaction=False)
            pks = range(start, min(start + 2_000, objects + 1))
            pipeline.sadd(":thing:collection", *pks)
            for pk in pks:
                pipeline.hset(f":thing:{pk}:hash", mapping={"code": f"code-{pk}", "color": f"color {pk % 50}"})
                if pk % 1_000:
                    pipeline.sadd(f":thing:code:code-{pk}", pk)
                pipeline.sadd(f":thing:color:color {pk % 50}", pk)
            pipeline.execute()
        client.set(":thing:max_pk", objects)


def work(what: str, url: str) -> None:
    """Do one of them in this process, and print what it found."""
    from uowredis import InstanceHashField, RedisDatabase, RedisModel, check, rebuild

    class Thing(RedisModel):
        database = RedisDatabase.from_url(url)
        code = InstanceHashField(unique=True)
        color = InstanceHashField(indexable=True)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    done = ([finding] for finding in check(Thing)) if what == "check" else (each.findings for each in rebuild(Thing))
    found = sum(map(len, done))
    took = time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{what}: {found:,} found; {took:.1f} s; {most / 1024:.0f} MB at most, {before / 1024:.0f} MB at rest", end="; "
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(*given.work)
        return
    with RealServer.start() as server:
        fill(server.url, given.objects)
        with Pings(server.url) as pings:
            time.sleep(2)
        print(f"{given.objects:,} objects; at rest: {pings}", flush=True)
        for what in ("check", "rebuild", "check"):
            with Pings(server.url) as pings:
                subprocess.run(
                    [sys.executable, "-m", "tests.maintenance.million", "--work", what, server.url],
                    check=True,
                    env=os.environ,
                )
            print(pings, flush=True)


if __name__ == "__main__":
    main()
