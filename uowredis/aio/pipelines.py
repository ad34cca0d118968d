"""Pipelines and transactions on the loop of asyncio: sessions in which reads wait, too (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, assignment"

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from uowredis.aio.later import at_once, check_called_at_once
from uowredis.aio.session import Session
from uowredis.commands.arguments import flag, span
from uowredis.commands.between import Move
from uowredis.commands.commands import Look, Read, Write
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import Conflict
from uowredis.plan.plan import Plan
from uowredis.session import pipeline as blocking
from uowredis.session.commit import Applied, back_off

T = TypeVar("T")

#: Who calls a function, and what it must be.
_TRANSACTION = ("db.transaction()", "async def, or the transaction() of a blocking RedisDatabase")


class Pipeline(Session, blocking.Pipeline):
    """A session in which reads wait, too: what is said gives a ``Pending``, which can be awaited after ``execute()``.

    Args:
        database: the models of this database take part.
        transaction: False sends a pipeline that only reads without MULTI and EXEC.
        options: as for :class:`Session`.
    """

    # Else that of an awaited session would come first.
    _read = blocking.Pipeline._read

    def _takes(self, command: object) -> bool:
        """Same as the session's; reads wait, too, but between ``watch()`` and ``multi()``."""
        return isinstance(command, Write) or (isinstance(command, Read) and not self._answers_at_once)

    def _known(self, read: Read[T]) -> T:
        turns = self._reader.overlay.read_all((read,))
        try:
            next(turns)
        except StopIteration as end:
            found: T = end.value[0]
            return found
        raise AssertionError(f"{read} is to be asked")

    async def _told(self, applied: Applied | None, callbacks: Sequence[Callable[[], object]] = ()) -> list[Any]:
        """Same as the session's; collections that are no single reply are looked at now."""
        commands, answers = ((), ()) if applied is None else (applied.commands, applied.answers)
        later: list[Any] = [
            answer
            for command, answer in zip(commands, answers, strict=True)
            if isinstance(command, Look) and not command.calls
        ]
        try:
            replies = await super()._told(applied, callbacks)
        except BaseException:
            for answer in later:
                if not answer.waits:
                    answer.result.close()
            raise
        found: dict[int, Any] = {}
        for answer in later:
            look = answer.result
            found[id(look)] = await look
            answer._settle(found[id(look)])
        return [found.get(id(reply), reply) for reply in replies]

    async def _move(self, move: Move[T]) -> Any:
        """Same as the blocking one."""
        self._check_begun(move)
        return await super()._move(move)

    async def _allocate(self, identity: Identity) -> str:
        """Same as the blocking one."""
        if identity.state is State.EMPTY:
            self._check_begun(f"the creation of a {identity.model.name}")
        return await super()._allocate(identity)

    async def watch(self, *what: Any) -> None:
        """Same as the blocking one."""
        with self._door:
            self._check_comes_first()
            await super().watch(*what)
            self._answers_at_once = True

    async def _begin_reading(self, *what: Any) -> None:
        """Same as the blocking one."""
        if what:
            await self.watch(*what)
        self._answers_at_once = True

    async def execute(self) -> list[Any]:
        """Same as the blocking one."""
        return await self.commit()

    async def reset(self) -> None:
        """Same as the blocking one."""
        self._answers_at_once = False
        await self.rollback()

    async def _planned(self, *, symbolic: bool = False) -> Plan:
        self._prepare()
        return await super()._planned(symbolic=symbolic)

    async def _apply(self, plan: Plan | None) -> Applied | None:
        self._answers_at_once = False
        self._prepare()
        return await super()._apply(plan)


class TransactionPipeline(Pipeline, blocking.TransactionPipeline):
    """The pipeline of ``transaction()``, which alone executes it."""

    commit = blocking.TransactionPipeline.commit

    async def _commit_all(self) -> list[Any]:
        """Same as the blocking one."""
        return await Session.commit(self)


async def transact(
    database: Any,
    function: Callable[[Pipeline], Awaitable[Any]],
    watches: Sequence[Any],
    value_from_callable: bool,
    retry_for: float | None,
) -> Any:
    """Do what ``transaction()`` says."""
    check_called_at_once(function, *_TRANSACTION)
    flag(value_from_callable, "transaction(value_from_callable=...)")
    patience = database._retry_for if retry_for is None else span(retry_for, "transaction(retry_for=...)")
    deadline = time.monotonic() + patience
    attempt = 0
    while True:
        attempt += 1
        pipeline = TransactionPipeline(database, attempts=1)
        try:
            async with pipeline:
                await pipeline._begin_reading(*watches)
                value = await at_once(function, function(pipeline), *_TRANSACTION)
                replies = await pipeline._commit_all()
                return value if value_from_callable else replies
        except Conflict:
            if pipeline.outcome != "not applied":
                raise  # of something that the function called, then or after EXEC
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(back_off(attempt))
