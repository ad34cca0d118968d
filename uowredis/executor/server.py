"""From the settings of redis-py to connections (do). Nothing is connected before the first command."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from uowredis.exceptions import ArgumentTypeError, ImplementationError, Unreachable
from uowredis.executor.cluster import Address, ClusterExecutor, Nodes
from uowredis.executor.connection import Pool
from uowredis.executor.establishing import bounded
from uowredis.executor.executor import Certainty, Executor
from uowredis.executor.replaced import ReplacedExecutor
from uowredis.executor.settings import POOL_TIMEOUT, checked
from uowredis.executor.turns import Turns

if TYPE_CHECKING:
    import fakeredis

#: Keys that one transaction may watch; above, WATCH costs Redis too much and the guards go as a script.
MOST_WATCHED = 1_000

#: Seconds within which a connection must be there, TLS and log-in included, where the caller sets none.
CONNECT_TIMEOUT = 1.0

#: What says where several servers are, or is of the turns at the pool.
_NOT_OF_REDIS_PY = ("cluster", "sentinels", "service", "timeout")

#: What the library decides on its own connections, whatever the settings say.
OURS = {
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
        certainty: how commits are settled whose replies are lost.
        settings: the arguments of ``redis.Redis``, and ``timeout``.

    Attributes:
        make: makes clients; another one with every :meth:`connect`.

    Raises:
        ImplementationError: for arguments that are not known, not for the library, or have no effect.
        ArgumentError: for values that cannot be.
    """

    _reaches_several: ClassVar[bool] = True

    def __init__(self, max_watched: int, scripts: bool, certainty: Certainty, settings: dict[str, Any]) -> None:
        self._max_watched = max_watched
        self._scripts = scripts
        self._certainty = certainty
        self._embedded = False
        self._lock = threading.Lock()
        self.make: Callable[..., Any] = redis.Redis
        self._settings: dict[str, Any] = {}
        self._executor: Executor | None = None
        self._connection: Any = None
        self._use(self._taken(settings))

    def embed(self, server: fakeredis.FakeServer | None) -> None:
        """Be an in-process server, *server* or a new one.

        Raises:
            ImplementationError: where settings were given, which would have no effect.
            ArgumentTypeError: where *server* is none.
        """
        if self._settings:
            named = ", ".join(sorted(self._settings))
            raise ImplementationError(
                f"RedisDatabase.embedded() does not take {named}: there is nothing to connect to. Way out: leave it out"
            )
        # It is slow to import, and whoever has a server needs it seldom.
        import fakeredis

        if server is not None and not isinstance(server, fakeredis.FakeServer):
            raise ArgumentTypeError(
                f"RedisDatabase.embedded() takes a fakeredis.FakeServer, not {type(server).__name__}. Way out: "
                f"RedisDatabase.from_url(...) for a server at a URL"
            )
        shared = fakeredis.FakeServer() if server is None else server
        self.make = lambda **settings: self._embedded_client(shared, settings)
        self._embedded = True

    def connect(self, settings: dict[str, Any]) -> None:
        """Use other *settings* from the next command on.

        Raises:
            ImplementationError: for arguments that are not known, not for the library, or have no effect.
            ArgumentError: for values that cannot be.
        """
        taken = self._taken(settings)
        self.close()
        self._use(taken)

    def _taken(self, settings: dict[str, Any]) -> dict[str, Any]:
        taken = checked(settings)
        if not self._reaches_several and taken.keys() & {"cluster", "sentinels"}:
            raise ImplementationError(
                "uowredis.aio takes neither cluster=... nor sentinels=... yet. Way out: uowredis.RedisDatabase, in a "
                "thread (asyncio.to_thread)"
            )
        try:
            # Made, not connected: what redis-py itself refuses is refused now.
            self._client(taken).connection_pool.make_connection()
        except (TypeError, ValueError, redis.RedisError) as error:
            raise ImplementationError(f"RedisDatabase cannot connect by these arguments: {error}") from None
        return taken

    def _use(self, taken: dict[str, Any]) -> None:
        self._embedded = False
        self._settings = taken
        self.make = lambda **more: self._client({**self._settings, **more})

    @property
    def connection(self) -> redis.Redis:
        """An ordinary redis-py client (text replies)."""
        with self._lock:
            if self._connection is None:
                self._connection = self._cluster() if self.is_cluster else self.make(decode_responses=True)
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

    @staticmethod
    def knows(name: str) -> bool:
        """Return whether redis-py's clients have a command, or something else, of that *name*."""
        return hasattr(redis.Redis, name)

    @property
    def is_cluster(self) -> bool:
        """Whether it is a Redis Cluster."""
        return "cluster" in self._settings

    @property
    def _nodes(self) -> tuple[Address, ...]:
        """The nodes of a cluster that were given."""
        nodes: tuple[Address, ...] = self._settings["cluster"]
        return nodes

    def _cluster(self) -> Any:
        """Return redis-py's client of the cluster.

        Raises:
            Unreachable: where no node is there.
        """
        nodes = [ClusterNode(host, port) for host, port in self._nodes]  # type: ignore[no-untyped-call]
        try:
            return RedisCluster(startup_nodes=nodes, decode_responses=True, **_of_redis_py(self._settings))
        except (redis.RedisError, OSError) as error:
            raise Unreachable(f"The cluster cannot be reached: {error}; nothing was sent") from error

    def _make_executor(self) -> Executor:
        if not self.is_cluster:
            return self._executor_at()
        nodes = Nodes(self._nodes, lambda address: self._executor_at(host=address[0], port=address[1]))
        first = nodes.at(self._nodes[0])
        return ClusterExecutor(first.pool, self._max_watched, self._scripts, self._certainty, nodes=nodes)

    def _executor_at(self, **where: Any) -> Executor:
        pool = self.make(protocol=2, **where).connection_pool
        bound = self._settings.get("socket_connect_timeout") or CONNECT_TIMEOUT
        pool.connection_kwargs.update(OURS, retry=Retry(NoBackoff(), 0), socket_connect_timeout=bound)
        turns = Turns(pool.max_connections, self._settings.get("timeout", POOL_TIMEOUT))
        if self._embedded:
            # WATCH costs nothing in process, and scripts would need another package.
            return Executor(Pool(pool, "the embedded server", turns), None, False)
        pool.connection_class = bounded(pool.connection_class)
        if "service" in self._settings:
            words = f"the master of {self._settings['service']!r}"
            return ReplacedExecutor(Pool(pool, words, turns), self._max_watched, self._scripts, self._certainty)
        its_pool = Pool(pool, address(pool.connection_kwargs), turns)
        return Executor(its_pool, self._max_watched, self._scripts, self._certainty)

    def close(self) -> None:
        """Close all connections; the next command opens new ones."""
        if (client := self._drop()) is not None:
            client.close()

    def _drop(self) -> Any:
        """Close the library's own connections; return the ordinary client, None where there is none."""
        with self._lock:
            client, self._connection = self._connection, None
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.disconnect()
        return client

    def _client(self, settings: dict[str, Any]) -> Any:
        if "sentinels" not in settings:
            return redis.Redis(**_of_redis_py(settings))
        bound = settings.get("socket_connect_timeout") or CONNECT_TIMEOUT
        # What is said of the log-in is that of the master; sentinels seldom have one.
        theirs = {"socket_timeout": bound, "socket_connect_timeout": bound, "retry": Retry(NoBackoff(), 0)}
        sentinels = Sentinel(list(settings["sentinels"]), sentinel_kwargs=theirs)  # type: ignore[no-untyped-call]
        return sentinels.master_for(settings["service"], **_of_redis_py(settings))  # type: ignore[no-untyped-call]

    def _embedded_client(self, server: fakeredis.FakeServer, settings: dict[str, Any]) -> Any:
        import fakeredis

        from uowredis.embedded import EmbeddedConnection

        return fakeredis.FakeRedis(server=server, connection_class=EmbeddedConnection, **settings)


def _of_redis_py(settings: dict[str, Any]) -> dict[str, Any]:
    """Return of *settings* what redis-py's clients take."""
    return {name: value for name, value in settings.items() if name not in _NOT_OF_REDIS_PY}


def address(connection_kwargs: dict[str, Any]) -> str:
    """Return where connections go, in words."""
    if "path" in connection_kwargs:
        return f"{connection_kwargs['path']}"
    return f"{connection_kwargs.get('host', 'localhost')}:{connection_kwargs.get('port', 6379)}"
