"""Where the data is and which models live there (declare, and hold the connections): what ``RedisDatabase`` is on.

Nothing is connected before the first command.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import attrs
import fakeredis
import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from uowredis.commands.arguments import flag, integer, span
from uowredis.commands.calls import Call
from uowredis.exceptions import ArgumentError, ImplementationError
from uowredis.executor.executor import Executor
from uowredis.schema.models import ModelSchema

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Keys that one transaction may watch; above, WATCH costs Redis too much and the guards go as a script.
MOST_WATCHED = 1_000

#: Seconds until a server that does not answer a connection is given up, where the caller sets none.
CONNECT_TIMEOUT = 1.0


@attrs.frozen
class Options:
    """What a session does, unless it says otherwise.

    Attributes:
        attempts: how often a commit is tried when others change what it stands on.
        on_pending: what leaving with unsent writes does: "raise" ``UncommittedWrites``, "warn", or "discard".
        watch_reads: whatever is read is watched until the commit.
        echo: log what is really sent.
        rehearsal_limit: members a key may hold for commands to be tried on it.
        max_steps: steps a plan may have.
    """

    attempts: int = 10
    on_pending: str = "raise"
    watch_reads: bool = False
    echo: bool = False
    rehearsal_limit: int = 10_000
    max_steps: int = 1_000_000

    def changed(self, owner: str, **given: Any) -> Options:
        """Return the same with what *owner* was *given*, None for nothing.

        Raises:
            ArgumentError: for what cannot be; names the argument.
        """
        changes = {name: value for name, value in given.items() if value is not None}
        for name, value in changes.items():
            what = f"{owner}({name}=...)"
            if name == "on_pending":
                if value not in ("raise", "warn", "discard"):
                    raise ArgumentError(f"{what} takes 'raise', 'warn' or 'discard', not {value!r}")
            elif name in ("watch_reads", "echo"):
                flag(value, what)
            else:
                integer(value, what, 0 if name == "rehearsal_limit" else 1)
        return attrs.evolve(self, **changes) if changes else self


class Server:
    """A Redis (or Valkey) database, its connections, and the models in it.

    Takes the arguments of :class:`uowredis.RedisDatabase`, which makes sessions on it.

    Raises:
        ImplementationError: for arguments that ``redis.Redis`` does not have.
        ArgumentError: for options of sessions that cannot be.
    """

    def __init__(
        self,
        *,
        attempts: int | None = None,
        on_pending: str | None = None,
        watch_reads: bool | None = None,
        echo: bool | None = None,
        rehearsal_limit: int | None = None,
        max_steps: int | None = None,
        retry_for: float = 30.0,
        max_watched: int = MOST_WATCHED,
        scripts: bool = True,
        **settings: Any,
    ) -> None:
        self.options = Options().changed(
            "RedisDatabase",
            attempts=attempts,
            on_pending=on_pending,
            watch_reads=watch_reads,
            echo=echo,
            rehearsal_limit=rehearsal_limit,
            max_steps=max_steps,
        )
        self.retry_for = span(retry_for, "RedisDatabase(retry_for=...)")
        flag(scripts, "RedisDatabase(scripts=...)")
        integer(max_watched, "RedisDatabase(max_watched=...)", 0)
        self._max_watched = max_watched
        self._scripts = scripts
        self._embedded = False
        self._models: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._make: Any = None
        self._settings: dict[str, Any] = {}
        self._named: frozenset[str] = frozenset()
        self._executor: Executor | None = None
        self._connection: Any = None
        self.connect(**settings)

    @classmethod
    def embedded(cls, server: fakeredis.FakeServer | None = None, **options: Any) -> Self:
        """Return a database on an in-process server: nothing to install, gone with the process.

        Args:
            server: an in-process server to share; a new one by default.
            options: as for the class, but the arguments of ``redis.Redis``.
        """
        database = cls(**options)
        shared = fakeredis.FakeServer() if server is None else server
        database._make = lambda **settings: fakeredis.FakeRedis(server=shared, **settings)
        database._embedded = True
        return database

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Return a database at *url*: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads them.

        Args:
            url: e.g. ``redis://localhost:6379/0``.
            options: as for the class.
        """
        database = cls(**options)
        database._make = lambda **settings: redis.Redis.from_url(url, **{**database._settings, **settings})
        try:
            database._named = frozenset(parse_url(url))  # type: ignore[no-untyped-call]  # redis-py leaves it so
        except (ValueError, AttributeError) as error:
            raise ImplementationError(f"RedisDatabase.from_url() cannot read {url!r}: {error}") from None
        return database

    def connect(self, **settings: Any) -> None:
        """Use other settings, those of ``redis.Redis``, from the next command on.

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
        self._make = lambda **more: redis.Redis(**{**self._settings, **more})

    @property
    def connected(self) -> object:
        """What changes with every :meth:`connect`: a session holds on to it."""
        return self._make

    @property
    def connection(self) -> redis.Redis:
        """An ordinary redis-py client (text replies) for what is not ours; it takes no part in sessions."""
        with self._lock:
            if self._connection is None:
                self._connection = self._make(decode_responses=True)
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
        pool = self._make(protocol=2).connection_pool
        ours = {
            "decode_responses": False,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "retry_on_timeout": False,
            "retry_on_error": [],
            "health_check_interval": 0,
        }
        pool.connection_kwargs.update(ours)
        if (
            pool.connection_kwargs.get("socket_connect_timeout") is None
            or "socket_connect_timeout" not in self._settings
        ):
            pool.connection_kwargs["socket_connect_timeout"] = CONNECT_TIMEOUT
        if self._embedded:
            # WATCH costs nothing in process, and scripts would need another package.
            return Executor(pool, "the embedded server", None, False)
        return Executor(pool, self._address(pool.connection_kwargs), self._max_watched, self._scripts)

    def _address(self, settings: dict[str, Any]) -> str:
        if "path" in settings:
            return f"{settings['path']}"
        return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"

    def close(self) -> None:
        """Close all connections; the next command opens new ones."""
        with self._lock:
            connection, self._connection = self._connection, None
            executor, self._executor = self._executor, None
        if connection is not None:
            connection.close()
        if executor is not None:
            executor.pool.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.executor.address}>"

    @property
    def models(self) -> tuple[Any, ...]:
        """The models that live here, in the order of declaration."""
        return tuple(self._models.values())

    def behind(self, call: Call) -> str:
        """Return what the keys of *call* are of, in words: ``Bike <1>.name``, ``index Bike.name``; or the keys."""
        return ", ".join(self.names_behind(call))

    def names_behind(self, call: Call) -> tuple[str, ...]:
        """Same as :meth:`behind`, one by one."""
        found: list[str] = []
        for key in self.watched_for(call):
            schema = self._schema_of(key)
            found += [key] if schema is None else schema.behind(key, call[2:])
        return tuple(dict.fromkeys(found))

    def public(self, call: Call) -> str | None:
        """Return how much of the keys of *call* holds no value, None: all of it."""
        for key in self.watched_for(call):
            schema = self._schema_of(key)
            public = None if schema is None else schema.public(key)
            if public is not None:
                return public
        return None

    def _schema_of(self, key: str) -> ModelSchema | None:
        schemas = [model._schema for model in self._models.values() if model._schema.keys.owns(key)]
        return max(schemas, key=lambda schema: len(schema.keys.prefix), default=None)

    def watched_for(self, call: Call) -> tuple[str, ...]:
        """Return the keys to watch so that nothing changes what the reading *call* answers."""
        # Presence: the set of all pks changes with every creation, the guard keys only with these objects.
        if (schema := self._presence(call)) is not None:
            return tuple(schema.keys.guard(pk) for pk in call[2:])
        if call[0] in ("SINTER", "SUNION"):
            return call[1:]
        if call[0] == "ZINTER":
            return call[2 : 2 + int(call[1])]
        return call[1:2]

    def watched_for_absence(self, call: Call, reply: Any) -> str | None:
        """Return the key to watch, too, where *reply* says that an object is missing whose pk Redis will count."""
        schema = self._presence(call)
        if schema is None or not schema.auto or 0 not in (reply if isinstance(reply, list) else [reply]):
            return None
        return schema.keys.collection

    def _presence(self, call: Call) -> ModelSchema | None:
        if call[0] not in ("SISMEMBER", "SMISMEMBER"):
            return None
        schemas = (model._schema for model in self._models.values())
        return next((schema for schema in schemas if schema.keys.collection == call[1]), None)

    def check(self, namespace: str, name: str, model: type) -> None:
        """Check that *model* may have its name here (for models).

        Raises:
            ImplementationError: where another model has it; both places are named.
        """
        other = self._models.get((namespace, name.lower()))
        if other is not None and other is not model:
            raise ImplementationError(
                f"A model named {name!r} in namespace {namespace!r} is already on this database: "
                f"{other.__module__}.{other.__qualname__}, and now {model.__module__}.{model.__qualname__}; their keys "
                f"would collide. Way out: give one of them another name or namespace"
            )

    def register(self, namespace: str, name: str, model: type) -> None:
        """Take *model* under its name (for models).

        Raises:
            ImplementationError: same as :meth:`check`.
        """
        self.check(namespace, name, model)
        self._models[namespace, name.lower()] = model

    def forget(self, namespace: str, name: str) -> None:
        """Let go of a model that moves to another database (for models)."""
        self._models.pop((namespace, name.lower()), None)
