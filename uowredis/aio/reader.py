"""``Reader``: answers questions on the loop of asyncio; and what stands before its line (drive what decides)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override"

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.exceptions import UowError
from uowredis.executor.aio.drive import drive
from uowredis.executor.aio.line import Line
from uowredis.overlay.overlay import Overlay
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Apply, Deciding, Lost, Request
from uowredis.plan.steps import Fetch
from uowredis.session import echo, learning, reader
from uowredis.session.echo import LOG, after, failure, log

T = TypeVar("T")


@attrs.frozen
class Learning(learning.Learning):
    """Answers requests, and reads the fingerprints that are wanted with them."""

    async def answer(self, request: Request) -> Any:
        """Same as the blocking one."""
        if self._may_learn(request):
            return await drive(self._turns(request), self.inner)
        return await self.inner(request)


class Echo(echo.Echo):
    """Answers requests, and logs them."""

    async def answer(self, request: Request) -> Any:
        """Same as the blocking one."""
        calls = self._calls(request)
        return await logged(lambda: self._answer(request), calls) if calls else await self._answer(request)

    async def commit(self, turns: Deciding[T], plan_of: Callable[[T], Plan]) -> T:
        """Same as the blocking one."""
        fetched: list[Call] = []
        tried = False
        begun = time.perf_counter()

        async def answer(request: Request) -> Any:
            nonlocal tried, begun
            if not isinstance(request, Apply):
                if isinstance(request, Fetch) and tried:
                    tried, begun = False, time.perf_counter()
                fetched.extend(self._calls(request))
                return await self._answer(request)
            tried = True
            fetched.clear()
            became = "not applied, others changed what it stands on"
            try:
                replies = await self._answer(request)
                if replies is Lost.VOID:
                    became = "the reply was lost; not applied, and never will be"
                elif replies is not None:
                    became = "applied, the replies were lost" if replies is Lost.APPLIED else "applied"
            except BaseException as error:
                became = failure(error)
                raise
            finally:
                LOG.info("%s\n%s", request.plan, after(begun, became))
            return replies

        try:
            found = await drive(turns, answer)
        except BaseException as error:
            if not tried:
                log(fetched, after(begun, f"refused, {failure(error)}"))
            raise
        if not tried:
            LOG.info("%s\n%s", plan_of(found), after(begun, "applied"))
        return found


async def logged(act: Callable[[], Awaitable[T]], calls: Iterable[Call]) -> T:
    """Same as the blocking one."""
    begun, became = time.perf_counter(), ""
    try:
        return await act()
    except BaseException as error:
        became = failure(error)
        raise
    finally:
        log(calls, after(begun, became))


class Reader(reader.Reader):
    """One session's eyes; a single call that only reads is no more than this."""

    __slots__ = ()

    line_class = Line
    learning_class = Learning
    echo_class = Echo

    async def find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Same as the blocking one."""
        try:
            return await drive(question(self.overlay), self.answer)
        except UowError:
            raise
        except BaseException:
            # An interruption may have come while something was noted for the next read.
            self.overlay.look_anew()
            raise

    async def read(self, read: Read[T]) -> T:
        """Same as the blocking one."""
        found: T = (await self.find(lambda overlay: overlay.read_all((read,))))[0]
        return found
