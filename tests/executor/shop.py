"""What the tests of faults share: a model, a session's worth of commands, and what became of them, read by redis-py."""

from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.tools.backends import Real
from uowredis import InstanceHashField, ListField, RedisDatabase, RedisModel, StringField

#: What a user may ask of redis-py that would make it connect and send again by itself.
STUBBORN: dict[str, Any] = {
    "retry": Retry(ConstantBackoff(0), 5),
    "retry_on_error": [redis.ConnectionError, redis.TimeoutError],
    "health_check_interval": 1e-9,
    "socket_keepalive": True,
}
#: The index of `hits` before and after.
BEFORE = 5


class Shop:
    """A model on a database of its own, and bike 1 in it."""

    def __init__(self, on: RedisDatabase) -> None:
        class Bike(RedisModel):
            database = on
            name = InstanceHashField(unique=True)
            hits = StringField(indexable=True)
            visits = StringField()
            log = ListField()

        self.database = on
        self.Bike = Bike
        self.bike = Bike(name="old", hits=BEFORE)

    def say(self, length: int = 1) -> None:
        """Say in the open session what must happen once and whole: a creation, counting, a list that grows."""
        self.Bike(name="new")
        self.bike.hits.incr()
        self.bike.visits.incr()
        for number in range(length):
            self.bike.log.rpush(number)


def happened(real: Real, length: int = 1) -> int:
    """Return how often what `Shop.say` said was applied, and assert that all of it was, each time."""
    client = real.client(decode_responses=True)
    times = int(client.get(":bike:1:visits") or 0)
    assert {
        "hits": str(BEFORE + times),
        "log": times * length,
        "hit index": [f":bike:hits:{BEFORE + times}"],
        "hit": {"1"},
        "bikes": 1 + times,
        "new": times,
        "names": sorted({"old", "new"} if times else {"old"}),
        "hashes": 1 + times,
        "guards": [],
    } == {
        "hits": client.get(":bike:1:hits"),
        "log": client.llen(":bike:1:log"),
        "hit index": client.keys(":bike:hits:*"),
        "hit": client.smembers(f":bike:hits:{BEFORE + times}"),
        "bikes": client.scard(":bike:collection"),
        "new": client.scard(":bike:name:new"),
        "names": sorted(key.rpartition(":")[2] for key in client.keys(":bike:name:*")),
        "hashes": len(client.keys(":bike:*:hash")),
        "guards": client.keys(":bike:__*"),
    }
    return times
