"""From the settings of redis-py to connections of its asyncio (do). Nothing is connected before the first command."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from uowredis.executor import server as blocking
from uowredis.executor.aio.connections import Connections
from uowredis.executor.aio.executor import Executor
from uowredis.executor.aio.turns import Turns
from uowredis.executor.connection import Pool
from uowredis.executor.server import CONNECT_TIMEOUT, OURS, address
from uowredis.executor.settings import POOL_TIMEOUT

if TYPE_CHECKING:
    import fakeredis


class Server(blocking.Server):
    """Where one database is, reached on the loop of asyncio."""

    _reaches_several = False

    async def connect(self, settings: dict[str, Any]) -> None:
        """Same as the blocking one."""
        taken = self._taken(settings)
        if (client := self._drop()) is not None:
            await client.aclose()
        self._use(taken)

    def _make_executor(self) -> Executor:
        pool = self.make(protocol=2).connection_pool
        bound = self._settings.get("socket_connect_timeout") or CONNECT_TIMEOUT
        how = {**pool.connection_kwargs, **OURS, "retry": Retry(NoBackoff(), 0), "socket_connect_timeout": bound}
        turns: Any = Turns(pool.max_connections, self._settings.get("timeout", POOL_TIMEOUT))
        connections = Connections(pool.connection_class, how)
        if self._embedded:
            return Executor(Pool(connections, "the embedded server", turns), None, False)
        where = Pool(connections, address(how), turns)
        return Executor(where, self._max_watched, self._scripts, self._certainty)

    async def close(self) -> None:
        """Close the connections of this loop; the next command opens new ones, and other loops keep theirs."""
        with self._lock:
            client, self._connection = self._connection, None
        if self._executor is not None:
            self._executor.pool.connections.close_here()
        if client is not None:
            await client.aclose()

    def _client(self, settings: dict[str, Any]) -> Any:
        return redis.asyncio.Redis(**{name: value for name, value in settings.items() if name != "timeout"})

    def _embedded_client(self, server: fakeredis.FakeServer, settings: dict[str, Any]) -> Any:
        import fakeredis

        return fakeredis.FakeAsyncRedis(server=server, **settings)
