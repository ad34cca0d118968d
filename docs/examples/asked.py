"""What the examples share: the server they were asked to run on, and a look at all that they left there."""

import argparse
import contextlib
from collections.abc import Callable, Iterator

import redis

from uowredis import RedisDatabase


@contextlib.contextmanager
def asked_for(description: str | None, namespace: str) -> Iterator[RedisDatabase]:
    """Lend the database that the command line names, without keys of *namespace*.

    Raises:
        SystemExit: where there are some, and the command line does not say that they may go.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a Redis server, redis://host:port/db; by default one inside this process")
    parser.add_argument("--replace", action="store_true", help=f"delete the keys {namespace}:* that are there first")
    options = parser.parse_args()

    with RedisDatabase.from_url(options.url) if options.url else RedisDatabase.embedded() as db:
        if keys := list(db.connection.scan_iter(f"{namespace}:*", count=1000)):
            if not options.replace:
                raise SystemExit(f"There are keys {namespace}:* in this database already; --replace deletes them")
            db.connection.unlink(*keys)
        yield db


def everything(client: redis.Redis, namespace: str) -> dict[str, object]:
    """Return all keys of *namespace* with what they hold, read with plain redis-py: the library is not its own witness.

    Sorted sets come as dicts of scores by member. Tokens of commits and fingerprints of declarations are no data.
    """
    there = client.scan_iter(f"{namespace}:*", count=1000)
    keys = [key for key in there if ":__commit__:" not in key and not key.endswith(":__fingerprint__")]
    pipeline = client.pipeline(transaction=False)
    read: dict[str, Callable[[str], object]] = {
        "hash": pipeline.hgetall,
        "set": pipeline.smembers,
        "zset": lambda key: pipeline.zrange(key, 0, -1, withscores=True),
    }
    for key in keys:
        pipeline.type(key)
    kinds = pipeline.execute()
    for key, kind in zip(keys, kinds, strict=True):
        read.get(kind, pipeline.get)(key)
    found = zip(keys, kinds, pipeline.execute(), strict=True)
    return {key: dict(held) if kind == "zset" else held for key, kind, held in found}


def differing(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """Return the keys that do not hold the same in both."""
    return sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
