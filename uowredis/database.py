"""``RedisDatabase``: where the data is, the models in it, and the sessions on it (declare, say)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, TypeVar

from uowredis.commands.arguments import flag, integer, span
from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError, attribute
from uowredis.executor.executor import Certainty, Executor
from uowredis.executor.server import MOST_WATCHED, Server
from uowredis.executor.settings import not_by_position
from uowredis.executor.urls import read
from uowredis.plan.guards import Guards
from uowredis.plan.token import Token
from uowredis.session.context import face
from uowredis.session.fingerprints import Fingerprints
from uowredis.session.opens import OpensSessions
from uowredis.session.options import Options

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Never, Self

    import fakeredis
    import redis

    from uowredis.plan.token import Outcome
    from uowredis.schema.models import ModelSchema

__all__ = ["RedisDatabase"]

T = TypeVar("T")

#: What other libraries call otherwise.
_CALLED_HERE = {
    "add": "Model(field=value), with or without an open session",
    "query": "Model.collection(field=value)",
    "get": "Model.get(field=value)",
    "delete": "delete() of an object, or of a field",
    "commit": "with db.begin() as s:, which commits; or s.commit() of a Session(db)",
    "rollback": "rollback() of a Session(db)",
}


class RedisDatabase(OpensSessions):
    """A Redis (or Valkey) database, the models in it, and the sessions on it.

    ``RedisDatabase()`` takes the arguments of ``redis.Redis`` and connects with the first command;
    ``RedisDatabase.embedded()`` is an in-process server; ``RedisDatabase.from_url("redis://...")``.

    Args:
        attempts: how often a commit is tried when others change what it stands on, 10 by default.
        on_pending: what leaving a session with unsent writes does: "raise" (the default), "warn" or "discard".
        watch_reads: whatever a session reads is watched until its commit.
        echo: log what is really sent, outside of sessions too, what became of it, and how long it took (logger
            ``uowredis``, level INFO).
        rehearsal_limit: members a key may hold for commands to be tried on it in a session, 10,000 by default.
        max_steps: steps a plan may have, 1,000,000 by default.
        retry_for: seconds for which a single command outside a session is tried again after conflicts, 30 by default.
        outside: what a write with no session open does: "send" it at once (the default), "warn" and send it, or
            "refuse" it. Reads are free; so is ``store()``, which no session holds back.
        changed: what is done where a model is declared with more than its data was written with, e.g. an index:
            "raise" at its first use, "warn" (the default), or "ignore". Warned, a query on such an index raises until
            it was rebuilt; ignored, it answers what the index has.
        max_watched: watched keys above which a commit goes as a script, 1,000 by default.
        scripts: False where the server runs no scripts; larger commits are refused then.
        replicas: how many replicas each commit and each single command waits for, 0 by default.
        replicas_for: seconds for which they are waited for, 1 by default.
        certain: a single command outside a session is settled, too, where its reply is lost: it goes as a transaction.
        settle_for: seconds for which the server is asked what became of a commit whose reply was lost, 5 by default.
        token_lifetime: seconds for which it can tell that, 3,600 by default.
        settings: the arguments of ``redis.Redis``: host, port, db, password, ssl ... Each has its effect or is refused
            here. Retries, health checks, decoding and the protocol's version are the library's own: what is said of
            them holds for :attr:`connection`. ``socket_connect_timeout``, 1 second by default, bounds all that makes a
            connection. Beside them ``timeout``: seconds for which a connection is waited for when all
            ``max_connections`` (100) are in use, 20 by default, None for any time. ``cluster=["host:port", ...]``, some
            nodes, in place of host and port for a Redis Cluster; ``sentinels=["host:port", ...]`` and ``service=...``
            for the master that they know: see docs/cluster.md.

    Raises:
        ImplementationError: for arguments that are not known, not for the library, or have no effect beside others.
        ArgumentError: for values that cannot be.
        ArgumentTypeError: for values of another type, and whatever is given by position.
    """

    #: What connects to the server.
    _server_class: ClassVar[type[Server]] = Server

    def __init__(
        self,
        *positional: Never,
        attempts: int | None = None,
        on_pending: str | None = None,
        watch_reads: bool | None = None,
        echo: bool | None = None,
        rehearsal_limit: int | None = None,
        max_steps: int | None = None,
        retry_for: float = 30.0,
        outside: Literal["send", "warn", "refuse"] = "send",
        changed: Literal["raise", "warn", "ignore"] = "warn",
        max_watched: int = MOST_WATCHED,
        scripts: bool = True,
        replicas: int | None = None,
        replicas_for: float = 1.0,
        certain: bool = False,
        settle_for: float = 5.0,
        token_lifetime: int = 3_600,
        **settings: Any,
    ) -> None:
        if positional:
            raise not_by_position(positional[0])
        self._options = Options().changed(
            "RedisDatabase",
            attempts=attempts,
            on_pending=on_pending,
            watch_reads=watch_reads,
            echo=echo,
            rehearsal_limit=rehearsal_limit,
            max_steps=max_steps,
            replicas=replicas,
        )
        self._of_one_call = self._options.of_one_call()
        self._retry_for = span(retry_for, "RedisDatabase(retry_for=...)")
        if outside not in ("send", "warn", "refuse"):
            raise ArgumentError(f"RedisDatabase(outside=...) takes 'send', 'warn' or 'refuse', not {outside!r}")
        self._outside = outside
        if changed not in ("raise", "warn", "ignore"):
            raise ArgumentError(f"RedisDatabase(changed=...) takes 'raise', 'warn' or 'ignore', not {changed!r}")
        self._changed = changed
        self._fingerprints = Fingerprints(changed)
        flag(scripts, "RedisDatabase(scripts=...)")
        self._certain = flag(certain, "RedisDatabase(certain=...)")
        integer(max_watched, "RedisDatabase(max_watched=...)", 0)
        self._models: dict[str, Any] = {}
        self._guards = Guards(lambda: (model._schema for model in self._models.values()))
        certainty = Certainty(
            int(integer(token_lifetime, "RedisDatabase(token_lifetime=...)", 1)),
            span(settle_for, "RedisDatabase(settle_for=...)"),
            span(replicas_for, "RedisDatabase(replicas_for=...)"),
        )
        self._server = self._server_class(max_watched, scripts, certainty, settings)

    @classmethod
    def embedded(cls, server: fakeredis.FakeServer | None = None, **options: Any) -> Self:
        """Return a database on an in-process server: nothing to install, gone with the process.

        Args:
            server: an in-process server to share; a new one by default.
            options: as for the class, but the arguments of ``redis.Redis``.

        Raises:
            ImplementationError: for arguments of ``redis.Redis``, which would have no effect, and unknown ones.
            ArgumentTypeError: for something else than a ``fakeredis.FakeServer``.
        """
        database = cls(**options)
        database._server.embed(server)
        return database

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Return a database at *url*: ``redis://``, ``rediss://`` (TLS) or ``unix://``, as redis-py reads them.

        ``valkey://`` and ``valkeys://`` are the same as ``redis://`` and ``rediss://``. A Redis Cluster is named by
        some of its nodes: ``redis+cluster://host:port,host:port`` (``rediss+cluster://`` with TLS);
        the master that sentinels know is ``redis+sentinel://host:port,host:port/service/0``.

        Args:
            url: e.g. ``redis://localhost:6379/0``; whatever the class takes of ``redis.Redis`` may stand behind a "?".
            options: as for the class. What the URL says, too, is as the URL says.

        Raises:
            ImplementationError: for a URL that cannot be read, or with an option that is not known.
            ArgumentTypeError: for something else than text.
            ArgumentError: for a value that cannot be.
        """
        return cls(**{**options, **read(url)})

    def connect(self, *positional: Never, **settings: Any) -> None:
        """Use other settings, those of ``redis.Redis``, from the next command on.

        Raises:
            ImplementationError: as for the class.
            ArgumentError: as for the class.
        """
        if positional:
            raise not_by_position(positional[0])
        self._server.connect(settings)
        self._fingerprints = Fingerprints(self._changed)

    @property
    def _connected(self) -> object:
        """What changes with every :meth:`connect`, at once: a session holds on to it."""
        return self._server.make

    @property
    def connection(self) -> redis.Redis:
        """An ordinary redis-py client (text replies) for what is not ours; it takes no part in sessions."""
        return self._server.connection

    @property
    def _is_cluster(self) -> bool:
        """Whether it is a Redis Cluster."""
        return self._server.is_cluster

    def _check_placed(self, model: ModelSchema) -> None:
        """Check that *model* can be where this database is.

        Raises:
            ImplementationError: for one without place on a Redis Cluster.
        """
        if self._server.is_cluster and model.keys.place is None and model.facets is None:
            raise ImplementationError(
                f"{model.name} has no place, and {self!r} is a Redis Cluster, where its keys would be in slots of all "
                f"nodes; nothing was sent. Way out: place = '...' on the model, or shards = ... for one that outgrows "
                f"a node; or a RedisDatabase that is one server"
            )

    @property
    def _executor(self) -> Executor:
        """What sends the library's own commands."""
        return self._server.executor

    def close(self) -> None:
        """Close all connections; the next command opens new ones."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} cannot be pickled or copied: it holds connections. Way out: objects can, and are handles where "
            f"their models are declared"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._executor.address}>"

    if not TYPE_CHECKING:  # else every attribute would be there

        def __getattr__(self, name: str) -> Any:
            called_here = dict(_CALLED_HERE)
            # What is asked before it was made has none yet.
            if "_server" in vars(self) and not name.startswith("_") and self._server.knows(name):
                called_here.setdefault(name, f"a command of a field, which keeps indexes; or connection.{name}(...)")
            return attribute(self, "A RedisDatabase", name, called_here)

    def settle(self, token: Token) -> Outcome:
        """Return what became of the commit whose outcome was unknown: "applied", or "not applied" (SET NX).

        Where it was not applied by now it never will be, however late its EXEC arrives. A script of which a command
        failed is "partially applied".

        Args:
            token: of ``OutcomeUnknown``, or of the session; also of another process.

        Raises:
            OutcomeUnknown: where the server cannot be reached, again; or the token is older than Redis keeps it.
            ArgumentTypeError: for something else.
        """
        return self._executor.settle(checked_token(token))

    # The models.

    @property
    def models(self) -> tuple[Any, ...]:
        """The models that live here, in the order of declaration."""
        return tuple(self._models.values())

    def _model_of(self, schema: ModelSchema) -> Any:
        """Return the model with *schema*, or the one that was declared again in its place; None for none here."""
        latest = schema.declared.latest
        return next((model for model in self._models.values() if model._schema is latest), None)

    def _former(self, model: Any) -> Any:
        """Return the declaration whose place *model* takes: of the same module, qualified name and namespace, or None.

        Raises:
            ImplementationError: as for :meth:`check`.
        """
        where = model.namespace, model._schema.path
        former = next((each for each in self._models.values() if (each.namespace, each._schema.path) == where), None)
        self._check(model, former)
        return former

    def _check(self, model: Any, former: Any = None) -> None:
        """Check that *model* may be here (for models).

        Args:
            model: as it was declared.
            former: the one in whose place it comes.

        Raises:
            ImplementationError: where another model has its name, or their keys may meet; both places are named.
        """
        if model._is_awaited is not self._is_awaited:
            raise ImplementationError(
                f"{model.__name__} is a model of {face(model._is_awaited)}, and {self!r} of {face(self._is_awaited)}. "
                f"Way out: both of one; fields are declared once in a plain class that both models derive from"
            )
        name, namespace = model.__name__, model.namespace
        for other in self._models.values():
            if other in (model, former):
                continue
            if (other.namespace, other.__name__.lower()) == (namespace, name.lower()):
                raise ImplementationError(
                    f"A model named {name!r} in namespace {namespace!r} is already on this database: "
                    f"{other.__module__}.{other.__qualname__}, and now {model.__module__}.{model.__qualname__}; their "
                    f"keys would collide, or their names. Way out: give one of them another name or namespace"
                )
            if other._schema.keys.prefix == model._schema.keys.prefix:
                raise ImplementationError(
                    f"{other.__module__}.{other.__qualname__} and {model.__module__}.{model.__qualname__} are both "
                    f"stored under {model._schema.keys.prefix!r}. Way out: another stored_as for one of them"
                )
            if other._schema.may_share(model._schema) or model._schema.may_share(other._schema):
                outer, inner = sorted((other._schema.keys.prefix, model._schema.keys.prefix), key=len)
                raise ImplementationError(
                    f"Keys of {other.__module__}.{other.__qualname__} and of {model.__module__}.{model.__qualname__} "
                    f"may meet: those of the one begin with {outer!r}, those of the other with {inner!r}, which may be "
                    f"a primary key or a value of the first. Way out: another namespace for one of them"
                )

    def _register(self, model: Any) -> None:
        """Take *model*, in the place of its former declaration where there is one (for models).

        Raises:
            ImplementationError: same as :meth:`check`.
        """
        former = self._former(model)
        if former is not None and former._schema.keys.prefix != model._schema.keys.prefix:
            self._forget(former)
        self._take(model)
        if former is not None:
            former._schema.give_way(model._schema)

    def _take(self, model: Any) -> None:
        """Take a model that was checked (for models)."""
        self._models[model._schema.keys.prefix] = model

    def _forget(self, model: Any) -> None:
        """Let go of a model that moves to another database (for models)."""
        self._models.pop(model._schema.keys.prefix, None)


def checked_token(token: Any) -> Token:
    """Return *token*, of a commit.

    Raises:
        ArgumentTypeError: for something else.
    """
    if not isinstance(token, Token):
        raise ArgumentTypeError(
            f"settle() takes the token of an OutcomeUnknown, not {token!r}; a single command carries none. Way out: "
            f"RedisDatabase(certain=True)"
        )
    return token
