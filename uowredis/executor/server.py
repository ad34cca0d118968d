"""From the settings of redis-py to connections (do). Nothing is connected before the first command."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import fakeredis
import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from uowredis.exceptions import ImplementationError
from uowredis.executor.connection import Pool
from uowredis.executor.executor import Executor

#: Keys that one transaction may watch; above, WATCH costs Redis too much and the guards go as a script.
MOST_WATCHED = 1_000

#: Seconds until a server that does not answer a connection is given up, where the caller sets none.
CONNECT_TIMEOUT = 1.0

#: What the library decides on its own connections, whatever the settings say.
_OURS = {
    "decode_responses": False,
    "protocol": 2,
    "retry_on_timeout": False,
    "retry_on_error": [],
    "health_check_interval": 0,
}


class Server:
    """Where one database is: redis-py's settings, and what is connected by them.

    Args:
        max_watched: watched keys above which a commit goes as a script.
        scripts: whether the server runs scripts.
        settings: the arguments of ``redis.Redis``.

    Attributes:
        make: makes clients; another one with every :meth:`connect`.

    Raises:
        ImplementationError: for arguments that ``redis.Redis`` does not have.
    """

    def __init__(self, max_watched: int, scripts: bool, settings: dict[str, Any]) -> None:
        self._max_watched = max_watched
        self._scripts = scripts
        self._embedded = False
        self._lock = threading.Lock()
        self.make: Callable[..., Any] = redis.Redis
        self._settings: dict[str, Any] = {}
        self._named: frozenset[str] = frozenset()
        self._executor: Executor | None = None
        self._connection: Any = None
        self.connect(settings)

    def embed(self, server: fakeredis.FakeServer | None) -> None:
        """Be an in-process server, *server* or a new one."""
        shared = fakeredis.FakeServer() if server is None else server
        self.make = lambda **settings: fakeredis.FakeRedis(server=shared, **settings)
        self._embedded = True

    def locate(self, url: str) -> None:
        """Be at *url*, as redis-py reads it.

        Raises:
            ImplementationError: where it cannot be read.
        """
        self.make = lambda **settings: redis.Redis.from_url(url, **{**self._settings, **settings})
        try:
            self._named = frozenset(self._settings) | frozenset(parse_url(url))  # type: ignore[no-untyped-call]
        except (ValueError, AttributeError) as error:
            raise ImplementationError(f"RedisDatabase.from_url() cannot read {url!r}: {error}") from None

    def connect(self, settings: dict[str, Any]) -> None:
        """Use other *settings* from the next command on.

        Raises:
            ImplementationError: for arguments that ``redis.Redis`` does not have.
        """
        for owned in ("connection_pool", "decode_responses"):
            if owned in settings:
                raise ImplementationError(
                    f"RedisDatabase does not take {owned!r}: it makes its own connections. Way out: give host, port, "
                    f"db and the like, or use RedisDatabase.from_url()"
                )
        try:
            redis.Redis(**settings).close()
        except TypeError as error:
            raise ImplementationError(f"RedisDatabase takes the arguments of redis.Redis: {error}") from None
        self.close()
        self._embedded = False
        self._settings, self._named = settings, frozenset(settings)
        self.make = lambda **more: redis.Redis(**{**self._settings, **more})

    @property
    def connection(self) -> redis.Redis:
        """An ordinary redis-py client (text replies)."""
        with self._lock:
            if self._connection is None:
                self._connection = self.make(decode_responses=True)
            client: redis.Redis = self._connection
            return client

    @property
    def executor(self) -> Executor:
        """What sends the library's own commands."""
        if self._executor is None:
            with self._lock:
                if self._executor is None:
                    self._executor = self._make_executor()
        return self._executor

    def _make_executor(self) -> Executor:
        pool = self.make(protocol=2).connection_pool
        pool.connection_kwargs.update(_OURS, retry=Retry(NoBackoff(), 0))
        if "socket_connect_timeout" not in self._named or pool.connection_kwargs["socket_connect_timeout"] is None:
            pool.connection_kwargs["socket_connect_timeout"] = CONNECT_TIMEOUT
        if self._embedded:
            # WATCH costs nothing in process, and scripts would need another package.
            return Executor(Pool(pool, "the embedded server"), None, False)
        return Executor(Pool(pool, _address(pool.connection_kwargs)), self._max_watched, self._scripts)

    def close(self) -> None:
        """Close all connections; the next command opens new ones."""
        with self._lock:
            connection, self._connection = self._connection, None
            executor, self._executor = self._executor, None
        if connection is not None:
            connection.close()
        if executor is not None:
            executor.pool.connections.disconnect()


def _address(settings: dict[str, Any]) -> str:
    if "path" in settings:
        return f"{settings['path']}"
    return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"
