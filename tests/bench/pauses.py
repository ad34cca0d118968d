"""How long a server answers nobody else while many are deleted at once: ``python -m tests.bench.pauses [N ...]``.

*N* objects that two relation fields may refer to, and to which nothing refers, are deleted in one session; meanwhile a
process of its own asks PING, again and again. It empties the server's database.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import redis

from tests.bench.apart import needed
from tests.tools import servers
from tests.tools.backends import Real

ROOT = Path(__file__).parents[2]
SIZES = (10_000, 50_000)


def ping(url: str) -> None:
    """Ask until it is told to end; print the 99th percentile and the longest, in milliseconds, as JSON."""
    took: list[float] = []
    with redis.Redis.from_url(url) as client:
        client.ping()
        print("ready", flush=True)
        while not client.exists("pauses:end"):
            begin = time.perf_counter()
            client.ping()
            took.append(time.perf_counter() - begin)
    took.sort()
    print(json.dumps([took[int(0.99 * len(took))] * 1e3, took[-1] * 1e3]))


def main(arguments: Sequence[str]) -> None:
    """Measure each size and print as it goes."""
    print("| deleted in one session | seconds | client CPU | PING, 99 % within | longest |")
    print("| ---: | ---: | ---: | ---: | ---: |", flush=True)
    with servers.find() as found:
        server = Real(found)
        client = server.client()
        for size in map(int, arguments or SIZES):
            server.flush()
            command = [sys.executable, "-m", "tests.bench.pauses", "--ping", found.url]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as asking:
                assert asking.stdout is not None
                asking.stdout.readline()
                took = needed("delete", "ours", found.url, size)
                client.set("pauses:end", "")
                within, longest = json.loads(asking.stdout.readline())
            print(
                f"| {size:,} | {took.clock:.2f} | {took.client:.2f} | {within:.1f} ms | {longest:.0f} ms |", flush=True
            )
        server.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ping"]:
        ping(sys.argv[2])
    else:
        main(sys.argv[1:])
