"""Peak memory of a process that creates many objects: ``python -m tests.bench.memory URL COUNT ours|by-hand``.

It is a process of its own because a peak never falls. It prints the megabytes by which the peak grew, as JSON.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import redis

from tests.bench import people
from uowredis import RedisDatabase, Session

ROOT = Path(__file__).parents[2]


def peak() -> float:
    """Return the most memory that this process ever had, in megabytes.

    On Linux ``ru_maxrss`` of a new process begins with the peak of the process that started it, so that a large parent
    would hide what its child takes; the kernel's figure for the process image alone does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    # macOS counts in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def grown(url: str, count: int, who: str) -> dict[str, float]:
    """Return the peak's growth, "recorded" and "committed" for ours, "committed" for hand-written."""
    if who == "by-hand":
        with redis.Redis.from_url(url) as client:
            people.create_by_hand(client, people.rows(1))
            begin = peak()
            people.create_by_hand(client, people.rows(count))
            return {"committed": peak() - begin}
    with RedisDatabase.from_url(url) as database:
        people.Person.use_database(database)
        people.create(database, people.rows(1))
        begin = peak()
        with Session(database) as s:
            for name, city, birth_year, notes in people.rows(count):
                people.Person(name=name, city=city, birth_year=birth_year, notes=notes)
            recorded = peak() - begin
            s.commit()
        return {"recorded": recorded, "committed": peak() - begin}


def measure(url: str, count: int, who: str) -> dict[str, float]:
    """Return what :func:`grown` says in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.memory", url, str(count), who]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    printed = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed)
    return found


if __name__ == "__main__":
    print(json.dumps(grown(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
