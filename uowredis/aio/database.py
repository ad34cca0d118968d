"""``RedisDatabase`` on the loop of asyncio: where the data is, the models in it, the sessions on it (declare, say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, arg-type, no-any-return"

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ClassVar, Literal, Never, NoReturn, Self, TypeVar, overload

import uowredis.database as blocking
from uowredis.aio.begin import CommittedSession, Joined
from uowredis.aio.pipelines import Pipeline, transact
from uowredis.aio.run import run
from uowredis.aio.session import Session, refuse_with
from uowredis.commands.arguments import flag
from uowredis.database import checked_token
from uowredis.executor.aio.server import Server
from uowredis.executor.settings import not_by_position
from uowredis.plan.token import Outcome, Token
from uowredis.session.fingerprints import Fingerprints

T = TypeVar("T")


class RedisDatabase(blocking.RedisDatabase):
    """A Redis (or Valkey) database that is awaited, the models in it, and the sessions on it.

    Arguments are those of the blocking :class:`uowredis.RedisDatabase`. Connections belong to the loop on which they
    were made; ``async with db:`` or ``await db.close()`` closes those of the loop on which it is said.
    """

    _is_awaited: ClassVar[bool] = True
    _server_class = Server

    async def connect(self, *positional: Never, **settings: Any) -> None:
        """Same as the blocking one."""
        if positional:
            raise not_by_position(positional[0])
        await self._server.connect(settings)
        self._fingerprints = Fingerprints(self._changed)

    @property
    def connection(self) -> Any:
        """An ordinary client of redis-py's asyncio (text replies) for what is not ours."""
        return self._server.connection

    async def close(self) -> None:
        """Close all connections of this loop; the next command opens new ones, and other loops keep theirs."""
        await self._server.close()

    def __enter__(self) -> NoReturn:
        refuse_with("db")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def settle(self, token: Token) -> Outcome:
        """Same as the blocking one."""
        return await self._executor.settle(checked_token(token))

    @property
    def session(self) -> Session | None:
        """The session of this database that is open in this context, None where none is."""
        found: Any = super().session
        return found

    @overload
    def begin(self, *, join: Literal[False] = False, **options: Any) -> CommittedSession: ...

    @overload
    def begin(self, *, join: bool, **options: Any) -> CommittedSession | Joined: ...

    def begin(self, *, join: bool = False, **options: Any) -> CommittedSession | Joined:
        """Return a session that commits when its block is left without an exception: ``async with db.begin() as s:``.

        As a decorator, ``@db.begin()``, it gives each call of an ``async def`` a session of its own. Arguments and
        errors are those of the blocking face.
        """
        return Joined(self, options) if flag(join, "begin(join=...)") else CommittedSession(self, **options)

    async def run(
        self,
        function: Callable[[Session], Awaitable[T]],
        *,
        attempts: int | None = None,
        retry_for: float | None = None,
        join: bool = False,
        **options: Any,
    ) -> T:
        """Await ``function(session)``, commit, and return what it returned; call it again after a conflict.

        Arguments and errors are those of the blocking face; *function* is an ``async def``.
        """
        return await run(self, function, attempts, retry_for, join, options)

    def pipeline(self, transaction: bool = True, **options: Any) -> Pipeline:
        """Return a pipeline, in which reads are said, too: ``async with db.pipeline() as pipeline:``.

        Args:
            transaction: False sends what only reads without MULTI and EXEC.
            options: as for :class:`Session`.
        """
        return Pipeline(self, transaction=transaction, **options)

    async def transaction(
        self,
        function: Callable[[Pipeline], Awaitable[Any]],
        *watches: Any,
        value_from_callable: bool = False,
        retry_for: float | None = None,
    ) -> Any:
        """Await ``function(pipeline)`` and execute the pipeline; call it again where something watched has changed.

        Arguments and errors are those of the blocking face; *function* is an ``async def``.
        """
        return await transact(self, function, watches, value_from_callable, retry_for)
