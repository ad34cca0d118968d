"""``db.begin()`` on the loop of asyncio: a session that commits when its block is left, or a part of one (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, attr-defined, union-attr, no-any-return"

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ClassVar, NoReturn, ParamSpec, TypeVar

from uowredis.aio.later import at_once, check_called_at_once
from uowredis.aio.session import Session, refuse_with
from uowredis.session import begin, context
from uowredis.session.begin import check_is_new, joined

P = ParamSpec("P")
T = TypeVar("T")

#: Who calls a decorated function, and what it must be.
_DECORATED = ("@db.begin()", "async def, or the decorator of a RedisDatabase of uowredis")


class CommittedSession(Session, begin.CommittedSession):
    """A session that commits when its block is left without an exception."""

    def __call__(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Same as the blocking one."""
        self._is_not_needed()
        return _each_call_in(functools.partial(type(self), self.database, **self._given), function)

    async def _finish(self) -> None:
        if self._has_something and not self._has_failed:
            await self.commit()


class Joined(begin.Joined):
    """A block that is a savepoint in the session that is open where it is entered, else a session of its own."""

    _session_class: ClassVar[type[begin.CommittedSession]] = CommittedSession

    def __enter__(self) -> NoReturn:
        self._own._is_not_needed()
        refuse_with("db.begin(join=True)")

    def __call__(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Same as the blocking one."""
        self._own._is_not_needed()
        return _each_call_in(functools.partial(Joined, self._database, self._given), function)

    async def __aenter__(self) -> Session:
        check_is_new(self._block)
        session: Session | None = context.find(self._database)
        if session is None:
            self._block = self._own
            return await self._own.__aenter__()
        self._own._is_not_needed()
        self._block = joined(session, self._given, self._given.get("watch_reads"))
        await self._block.__aenter__()
        return session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._block is not None:
            await self._block.__aexit__(kind, error, trace)


def _each_call_in(block: Callable[[], Any], function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    check_called_at_once(function, *_DECORATED)

    @functools.wraps(function)
    async def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        async with block():
            found: T = await at_once(function, function(*args, **kwargs), *_DECORATED)
            return found

    return inside
