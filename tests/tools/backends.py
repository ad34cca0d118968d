"""The two kinds of server a behaviour test runs on, behind one interface: in-process fakeredis and a real server."""

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import fakeredis
import redis

from tests.tools.servers import RealServer

if TYPE_CHECKING:
    from uowredis.database import RedisDatabase

Dump = dict[bytes, tuple[str, Any]]

#: What stands in the key of a commit's token, which expires: it tells of the commit, and is no data.
TOKEN = b":__commit__:"

#: What the key of a fingerprint ends with: it tells of the declaration, and is no data either.
FINGERPRINT = b":__fingerprint__"


def is_data(key: bytes) -> bool:
    """Return whether *key* is of objects: neither the token of a commit nor the fingerprint of a declaration."""
    return TOKEN not in key and not key.endswith(FINGERPRINT)


@attrs.define(eq=False)
class Backend:
    """A server with its data; what it hands out is closed by `close`."""

    name: ClassVar[str]
    #: Whether a real server answers: MONITOR, INFO, scripts and time are there.
    real: ClassVar[bool]

    _opened: contextlib.ExitStack = attrs.field(factory=contextlib.ExitStack, init=False)

    def database(self, **kwargs: Any) -> "RedisDatabase":
        """Return a new `RedisDatabase` on this server; *kwargs* are its own."""
        database = self._new_database(**kwargs)
        self._opened.callback(database.close)
        return database

    def client(self, **kwargs: Any) -> redis.Redis:
        """Return a new redis-py client on the same data, independent of any database; its replies are bytes."""
        client = self._new_client(**kwargs)
        self._opened.callback(client.close)
        return client

    def flush(self) -> None:
        """Delete all data (FLUSHDB)."""
        with self._new_client() as client:
            client.flushdb()

    def dump(self) -> Dump:
        """Return the whole data, read with plain redis-py commands, for comparing states.

        Returns:
            Key to (type, value). A string is bytes, a hash a dict, a list a list, a set a frozenset, a sorted set a
            list of (member, score) in Redis' order. Times to live are not part of it, nor are tokens of commits and
            fingerprints.

        Raises:
            KeyError: a key has another type than these five.
        """
        with self._new_client() as client:
            keys = sorted(filter(is_data, client.keys("*")))
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.type(key)
            types = [name.decode() for name in pipeline.execute()]
            # A key that expired since KEYS has no type and is no part of the state.
            typed = [(key, name) for key, name in zip(keys, types, strict=True) if name != "none"]
            for key, name in typed:
                READERS[name](pipeline, key)
            values = pipeline.execute()
        shaped = zip(typed, values, strict=True)
        return {key: (name, SHAPES.get(name, lambda value: value)(value)) for (key, name), value in shaped}

    def close(self) -> None:
        """Close every database and client that was handed out."""
        self._opened.close()

    def _new_database(self, **kwargs: Any) -> "RedisDatabase":
        raise NotImplementedError

    def _new_client(self, **kwargs: Any) -> redis.Redis:
        raise NotImplementedError


READERS = {
    "string": lambda pipeline, key: pipeline.get(key),
    "hash": lambda pipeline, key: pipeline.hgetall(key),
    "list": lambda pipeline, key: pipeline.lrange(key, 0, -1),
    "set": lambda pipeline, key: pipeline.smembers(key),
    "zset": lambda pipeline, key: pipeline.zrange(key, 0, -1, withscores=True),
}
SHAPES = {
    "set": frozenset,
    "zset": lambda pairs: [(member, float(score)) for member, score in pairs],
}


@attrs.define(eq=False)
class Embedded(Backend):
    """One in-process server, shared by all its databases and clients and by nothing else."""

    name = "embedded"
    real = False

    server: fakeredis.FakeServer = attrs.field(factory=fakeredis.FakeServer, init=False)

    def _new_database(self, **kwargs: Any) -> "RedisDatabase":
        from uowredis.database import RedisDatabase

        return RedisDatabase.embedded(server=self.server, **kwargs)

    def _new_client(self, **kwargs: Any) -> redis.Redis:
        return fakeredis.FakeRedis(server=self.server, **kwargs)


@attrs.define(eq=False)
class Real(Backend):
    """The real server of the run."""

    name = "redis"
    real = True

    server: RealServer

    def _new_database(self, **kwargs: Any) -> "RedisDatabase":
        from uowredis.database import RedisDatabase

        return RedisDatabase.from_url(self.server.url, **kwargs)

    def _new_client(self, **kwargs: Any) -> redis.Redis:
        return self.server.client(**kwargs)
