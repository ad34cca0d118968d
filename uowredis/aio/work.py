"""``Work`` on the loop of asyncio: what is said, planned and sent whole (say, and drive what decides)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, attr-defined, arg-type"

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, TypeVar

from uowredis.aio.reader import Reader
from uowredis.commands.between import Combined, Move
from uowredis.commands.commands import Create, Read
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import UowError
from uowredis.executor.aio.drive import drive
from uowredis.overlay.overlay import Overlay
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Deciding, Send
from uowredis.plan.steps import UNKNOWN
from uowredis.session import context, pending, record, work
from uowredis.session.commit import Applied
from uowredis.session.work import (
    INTERRUPTED,
    check_nothing_shown,
    created_meanwhile,
    read_watched,
    speak_of,
    watched_reads,
)

T = TypeVar("T")


class Pending(pending.Pending[T]):
    """A reply that is not there yet; awaited, it gives what ``result`` gives."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, T]:
        """Give the reply to whoever awaits it after the commit.

        Raises:
            NotCommitted: before the commit, and for ever after a rollback.
            ReplyLost: where the commit was applied, and the reply lost with the connection.
        """
        return self.result
        yield  # what is awaited is a generator


class Record(record.Record):
    """The commands of one session, with their replies to be."""

    pending_class = Pending


class Work(work.Work):
    """What is said, over what the server holds, until it is sent whole or forgotten."""

    _is_awaited = True
    _reader_class = Reader
    _record_class = Record

    async def _move(self, move: Move[T]) -> Any:
        """Same as the blocking one."""
        self._check_settled()
        overlay = self._reader.overlay
        for identity in move.identities:
            overlay.check_alive(identity)
        speak_of(self.database, move.models)
        read = functools.partial(read_watched, self._committer, self.database)
        (seen,) = await drive(overlay.watching(read).read_all((move.looks,)), self._reader.answer)
        return self._record.move(move, seen)

    async def _combine(self, combined: Combined[T]) -> Any:
        """Same as the blocking one."""
        speak_of(self.database, combined.models)
        return combined.of(await self._find(lambda overlay: overlay.read_all(combined.reads)))

    async def _delete(self, identity: Identity) -> None:
        """Same as the blocking one; it waits for nothing, and is awaited where no session is open."""
        super()._delete(identity)

    async def _create_alone(
        self, create: Create, instance: object, others: Callable[[Overlay], Deciding[bool]]
    ) -> None:
        """Same as the blocking one."""
        read = functools.partial(read_watched, self._committer, self.database)
        if await drive(others(self._reader.overlay.watching(read)), self._reader.answer):
            raise created_meanwhile(create)
        self._create(create, instance)

    async def _read(self, read: Read[T]) -> T:
        """Same as the blocking one."""
        return await self._read_now(read)

    async def _read_now(self, read: Read[T]) -> T:
        """Same as the blocking one."""
        return await self._reader.read(read)

    async def _find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Same as the blocking one."""
        return await self._reader.find(question)

    async def _allocate(self, identity: Identity) -> str:
        """Same as the blocking one."""
        self._reader.overlay.check_alive(identity)
        if identity.state is State.EMPTY:
            self._check_settled()
            self._record.begin(identity)
        return (await self._find(lambda overlay: overlay.allocate((identity,))))[0]

    async def _watch_keys(self, keys: Sequence[str]) -> None:
        """Same as the blocking one."""
        await drive(watched_reads(self._committer, self.database).watch(keys), self._reader.answer)

    async def _planned(self, *, symbolic: bool = False) -> Plan:
        planner = self._committer.planner(self._limits())
        return await drive(planner.turns(), self._symbolic if symbolic else self._peek)

    async def _symbolic(self, request: Any) -> list[Any]:
        """Same as the blocking one."""
        return [*(None for _ in request.counters), *(UNKNOWN for _ in request.questions)]

    async def _peek(self, request: Any) -> list[Any]:
        """Same as the blocking one."""
        questions = [question.call for question in request.questions]
        return [*(None for _ in request.counters), *(await self._reader.answer(Send(questions)) if questions else ())]

    async def _apply(self, plan: Plan | None) -> Applied | None:
        """Same as the blocking one."""
        committer, record = self._committer, self._record
        if not record.journal.commands:
            check_nothing_shown(plan)
            await drive(committer.nothing(), self._reader.answer)
            record.empty()
            return None
        committer.outcome = None
        turns, echo = committer.turns(plan, self._limits(), record.answers), self._reader.echo
        if echo is None:
            return await self._ended(lambda: drive(turns, self._reader.unlogged))
        return await self._ended(lambda: echo.commit(turns, lambda done: done.plan))

    async def _settled(self) -> Applied | None:
        """Same as the blocking one."""
        return await self._ended(lambda: drive(self._committer.settle(), self._reader.answer))

    async def _ended(self, act: Callable[[], Awaitable[Applied | None]]) -> Applied | None:
        """Same as the blocking one."""
        committer = self._committer
        try:
            applied = await act()
            if applied is not None:
                self._record.empty()
                committer.stuck = None
        except UowError:
            raise
        except BaseException as error:
            if (note := INTERRUPTED.get(committer.outcome or "")) is not None:
                error.add_note(note)
            raise
        return applied

    async def _told(self, applied: Applied | None, callbacks: Sequence[Callable[[], object]] = ()) -> list[Any]:
        """Same as the blocking one."""
        try:
            try:
                replies = [] if applied is None else applied.settle()
            finally:
                if callbacks:
                    with context.hidden(self):
                        await call_all(callbacks)
        except BaseException as error:
            if (shortfall := self._shortfall(applied)) is not None:
                error.add_note(f"uowredis: {shortfall}")
            raise
        if (shortfall := self._shortfall(applied)) is not None:
            raise shortfall
        return replies

    async def _forget_all(self) -> None:
        """Same as the blocking one."""
        self._record.forget_all()
        self._committer.stuck = self._committer.doubt = None
        await drive(self._committer.let_go(), self._reader.line.answer)


async def call_all(callbacks: Sequence[Callable[[], object]]) -> None:
    """Same as the blocking one."""
    failure: Exception | None = None
    for call in callbacks:
        try:
            await awaited(call())
        except Exception as error:
            failure = failure or error
    if failure is not None:
        failure.add_note("uowredis: the commit was applied; something called after it raised this")
        raise failure


async def awaited(result: object) -> None:
    """Await *result* where it can be awaited; a task runs by itself."""
    if inspect.isawaitable(result) and not isinstance(result, asyncio.Future):
        await result
