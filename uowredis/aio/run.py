"""``db.run()`` on the loop of asyncio: calls a function again that decided on changed values (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, attr-defined, arg-type, no-any-return"

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from uowredis.aio.later import at_once, check_called_at_once
from uowredis.aio.session import Session
from uowredis.commands.arguments import flag
from uowredis.exceptions import Conflict, UowError
from uowredis.executor.aio.drive import drive
from uowredis.session import context
from uowredis.session import run as blocking
from uowredis.session.begin import joined
from uowredis.session.commit import back_off
from uowredis.session.run import bounds

T = TypeVar("T")

#: Who calls a function, and what it must be.
_RUN = ("db.run()", "async def, or the run() of a RedisDatabase of uowredis")


class RunSession(Session, blocking.RunSession):
    """The session of ``run()``, which alone commits it."""

    commit = blocking.RunSession.commit

    async def _commit_all(self) -> None:
        """Same as the blocking one."""
        await Session.commit(self)

    async def _torn(self, error: Exception) -> Conflict | None:
        """Same as the blocking one."""
        try:
            await drive(self._committer.check_reads(again=True), self._reader.answer)
        except Conflict as conflict:
            return conflict
        except UowError as failure:
            error.add_note(f"uowredis: whether it stands on changed values could not be found out: {failure}")
        return None


async def run(
    database: context.Database,
    function: Callable[[Session], Awaitable[T]],
    attempts: int | None,
    retry_for: float | None,
    join: bool,
    options: dict[str, Any],
) -> T:
    """Same as the blocking one."""
    check_called_at_once(function, *_RUN)
    most, deadline = bounds(database, attempts, retry_for, options)
    if flag(join, "run(join=...)") and (opened := context.find(database)) is not None:
        RunSession(database, **options)._is_not_needed()  # but checked
        async with joined(opened, options, options["watch_reads"]):
            return await at_once(function, function(opened), *_RUN)
    tried = 0
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        session = RunSession(database, attempts=max(1, most - tried), retry_for=left, **options)
        torn = None
        try:
            async with session:
                try:
                    result = await at_once(function, function(session), *_RUN)
                except Exception as error:
                    if (torn := await session._torn(error)) is None:
                        raise
                    raise torn from error
                await session._commit_all()
                return result
        except Conflict as conflict:
            # A commit that met one was not applied; any other is of something that was called, then or after it.
            if conflict is not torn and session.outcome != "not applied":
                raise
            tried += max(1, session._tried)
            if tried >= most if deadline is None else time.monotonic() >= deadline:
                conflict.add_note(f"uowredis: db.run() tried {tried} times")
                raise
        await asyncio.sleep(back_off(tried))
