"""A unit of work that must happen once and whole, and what became of it, read by plain redis-py."""

from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.models import products
from tests.tools.backends import Real
from uowredis import RedisDatabase

#: What a user may ask of redis-py that would make it connect and send again by itself.
STUBBORN: dict[str, Any] = {
    "retry": Retry(ConstantBackoff(0), 5),
    "retry_on_error": [redis.ConnectionError, redis.TimeoutError],
    "health_check_interval": 1e-9,
    "socket_keepalive": True,
}
#: The index of `hits` before and after.
BEFORE = 5


class Work:
    """Products on a database, and bread, number 1, which the work is about."""

    def __init__(self, on: RedisDatabase) -> None:
        self.database, self.Product = on, products(on)
        self.bread = self.Product(name="old", hits=BEFORE)

    def say(self, length: int = 1) -> None:
        """Say in the open session what must happen once and whole: a creation, counting, a list that grows."""
        self.Product(name="new")
        self.bread.hits.incr()
        self.bread.visits.incr()
        for number in range(length):
            self.bread.shelf.rpush(number)


def happened(real: Real, length: int = 1) -> int:
    """Return how often what `Work.say` said was applied, and assert that all of it was, each time."""
    client = real.client(decode_responses=True)
    times = int(client.get(":product:1:visits") or 0)
    assert {
        "hits": str(BEFORE + times),
        "shelf": times * length,
        "hit index": [f":product:hits:{BEFORE + times}"],
        "hit": {"1"},
        "products": 1 + times,
        "new": times,
        "names": sorted({"old", "new"} if times else {"old"}),
        "hashes": 1 + times,
        "guards": [],
    } == {
        "hits": client.get(":product:1:hits"),
        "shelf": client.llen(":product:1:shelf"),
        "hit index": client.keys(":product:hits:*"),
        "hit": client.smembers(f":product:hits:{BEFORE + times}"),
        "products": client.scard(":product:collection"),
        "new": client.scard(":product:name:new"),
        "names": sorted(key.rpartition(":")[2] for key in client.keys(":product:name:*")),
        "hashes": len(client.keys(":product:*:hash")),
        "guards": client.keys(":product:__guard__*"),
    }
    return times
