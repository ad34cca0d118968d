"""``Session`` on the loop of asyncio: its blocks are ``async with``, what waits is awaited (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, no-any-return"

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from uowredis.aio.unawaited import Unawaited, noted
from uowredis.aio.work import Pending, Work
from uowredis.commands.arguments import flag
from uowredis.commands.commands import Write
from uowredis.exceptions import SessionError
from uowredis.plan.plan import Plan
from uowredis.session import context, record, session, use
from uowredis.session.door import Door
from uowredis.session.later import check_called_at_once
from uowredis.session.telling import tell_astray, tell_used
from uowredis.session.use import is_given_back
from uowredis.session.work import CALLBACK

T = TypeVar("T")


def refuse_with(what: str) -> NoReturn:
    """Refuse that the block of *what* is entered by ``with``.

    Raises:
        SessionError: always.
    """
    raise SessionError(f"The block of {what} is entered by async with on this face. Way out: async with {what}:")


class Savepoint(record.Savepoint):
    """A part of a session that can be forgotten alone; they nest. Forgetting waits for nothing."""

    def __enter__(self) -> NoReturn:
        self._entered = True
        refuse_with("s.savepoint()")

    async def __aenter__(self) -> Self:
        return super().__enter__()

    async def __aexit__(self, *error: Any) -> None:
        self.__exit__(*error)


class Use(use.Use):
    """A block in which a session is its thread's, task's or context's; whoever opened it is refused meanwhile."""

    def __enter__(self) -> NoReturn:
        self._entered = True
        refuse_with("s.use()")

    async def __aenter__(self) -> Session:
        entered: Any = super().__enter__()
        return entered

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context.end_use(self)
        self._give_back()
        session = self.session
        if session.is_open:
            return
        await session._end()
        if error is None:
            raise context.left_meanwhile()


class Session(Work, session.Session):
    """Writes wait until :meth:`commit` sends them in one transaction; reads see them already.

    Writes are said without ``await``; what waits for the server is awaited. Arguments and errors are those of the
    blocking :class:`uowredis.Session`.
    """

    _with: ClassVar[str] = "async with"

    if TYPE_CHECKING:

        def later(self, reply: Awaitable[T]) -> Pending[T]:
            """Same as the blocking one; what it returns can be awaited after the commit."""

    def __enter__(self) -> NoReturn:
        self._waits = False
        refuse_with(self._opened_by)

    async def __aenter__(self) -> Self:
        self._unawaited = Unawaited()
        return session.Session.__enter__(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # One that was left already has nothing more to tell.
        astray = self.is_open and not self._is_here()
        used = self.is_open and self._is_used and self._belongs_to != context.owner()
        finished = False
        try:
            if error is None and not astray and not used:
                await self._finish()
                finished = True
        finally:
            await self._close(finished=finished)
        if astray or used:
            (tell_used if used else tell_astray)(f"a session of {self.database!r}", error)

    async def _finish(self) -> None:
        """Same as the blocking one."""

    async def _close(self, *, finished: bool) -> None:
        """Same as the blocking one."""
        context.leave(self)
        with self._door.alone():
            self.is_open = False
            if self._is_used and not is_given_back(self):
                return
            try:
                if finished:
                    self._check_nothing_pending()
            finally:
                await self._end()

    async def _end(self) -> None:
        """Same as the blocking one."""
        await self._forget_all()
        self._record.blocks.clear()
        self._reader.overlay.rehearsal.close()

    def _check_nothing_pending(self) -> None:
        super()._check_nothing_pending()
        self._unawaited.check()

    def _check_can_commit(self, plan: Plan | None) -> None:
        super()._check_can_commit(plan)
        self._unawaited.check()

    async def _forget_all(self) -> None:
        """Same as the blocking one; of what was never awaited Python tells."""
        self._unawaited = Unawaited()
        await super()._forget_all()

    @noted("database")
    async def watch(self, *what: Any) -> None:
        """Same as the blocking one."""
        keys = self._keys_of(what)
        with self._door:
            self._check_open()
            await self._watch_keys(keys)

    async def plan(self, *, symbolic: bool = False) -> Plan:
        """Same as the blocking one."""
        with self._door:
            return await self._planned(symbolic=flag(symbolic, "plan(symbolic=...)"))

    async def commit(self, plan: Plan | None = None) -> list[Any]:
        """Same as the blocking one."""
        with self._door:
            self._check_can_commit(plan)
            callbacks = self._record.callbacks
            doubt = self._committer.doubt
            applied = None if doubt is None else await self._settled()
            if applied is None:
                self._check_clean()
                if self._dry_run:
                    shown = await self._planned()
                    print(shown)
                    return [shown]
                applied = await self._apply(plan)
        # Outside of the door: what is called may take its time, and may use the session's database.
        return await self._told(applied, callbacks)

    async def rollback(self) -> None:
        """Same as the blocking one."""
        with Door(self, self._lock, mends=True):
            await self._forget_all()

    def _takes(self, command: object) -> bool:
        """Return whether *command* is only said, and waits for the commit; others are answered when awaited."""
        return isinstance(command, Write)

    def on_commit(self, call: Callable[[], object]) -> None:
        """Have *call* called once, without arguments, after the next commit; what it returns is awaited if it can be.

        Otherwise same as the blocking one.

        Raises:
            ArgumentTypeError: for what cannot be called, or is a generator.
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        if not inspect.iscoroutinefunction(call):
            check_called_at_once(call, *CALLBACK)
        with self._door:
            self._check_open()
            self._record.callbacks.append(call)

    def use(self) -> Use:
        """Return a block in which the session is this thread's, task's or context's: ``async with s.use():``."""
        return Use(self)

    def savepoint(self) -> Savepoint:
        """Return a block that forgets what was said in it where an exception leaves it: ``async with s.savepoint():``.

        Raises:
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        with self._door:
            self._check_open()
            return Savepoint(self._record, Door(self, self._lock, mends=True))
