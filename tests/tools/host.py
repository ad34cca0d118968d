"""One task on a loop in a thread of its own does what it is asked: so a walk without ``await`` drives the asyncio face.

What is asked is done in the one task, whose sessions stay its own; now and then it is cancelled where it waits.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import attrs

from uowredis import Plan, aio


@attrs.define
class Cancelled:
    """Awaits *what*, and cancels the task that does where it waits for the time *at*.

    Attributes:
        cancel: by what, instead.
        waited: how often it waited.
    """

    what: Any
    at: int | None
    cancel: Callable[[], object] | None = None
    waited: int = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self.what.__await__()
        goes_on: Callable[[], Any] = functools.partial(inner.send, None)
        while True:
            try:
                waits_for = goes_on()
            except StopIteration as end:
                return end.value
            if self.waited == self.at:
                task = asyncio.current_task()
                assert task is not None
                (self.cancel or task.cancel)()
            self.waited += 1
            try:
                goes_on = functools.partial(inner.send, (yield waits_for))
            except BaseException as error:
                goes_on = functools.partial(inner.throw, error)


class Host:
    """The task, and the thread of its loop.

    Args:
        when: gives, for each time something is awaited, at which wait it is cancelled; None for never.

    Attributes:
        cancelled: how often what was asked was cancelled.
    """

    def __init__(self, when: Callable[[], int | None]) -> None:
        self.when = when
        self.cancelled = 0
        self._asked: asyncio.Queue[tuple[Callable[[], Any], bool, Future[Any]] | None]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._asked.put_nowait, None)
        self._thread.join()

    def do(self, call: Callable[[], Any], *, to_the_end: bool = False) -> Any:
        """Return what *call* gives, awaited where it can be.

        Args:
            call: is called by the task.
            to_the_end: it is not cancelled.

        Raises:
            CancelledError: where it was.
        """
        done: Future[Any] = Future()
        self._loop.call_soon_threadsafe(self._asked.put_nowait, (call, to_the_end, done))
        return done.result(60)

    async def _serve(self) -> None:
        self._loop, self._asked = asyncio.get_running_loop(), asyncio.Queue()
        self._ready.set()
        task = asyncio.current_task()
        assert task is not None
        while (asked := await self._asked.get()) is not None:
            call, to_the_end, done = asked
            try:
                found = call()
                if inspect.iscoroutine(found):
                    found = await Cancelled(found, None if to_the_end else self.when())
            except asyncio.CancelledError as error:
                task.uncancel()
                self.cancelled += 1
                done.set_exception(error)
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(found)


class Said:
    """Whatever the task holds: its attributes, and what calling it gives."""

    def __init__(self, host: Host, held: Any) -> None:
        self._host, self._held = host, held

    def __getattr__(self, name: str) -> Any:
        return Said(self._host, self._host.do(lambda: getattr(self._held, name)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._host.do(lambda: self._held(*args, **kwargs))


def hosted(host: Host, model: type[Any]) -> type[Any]:
    """Return a class like the blocking one of *model*, whose objects the task of *host* holds."""

    class Hosted(Said):
        def __init__(self, pk: str | None = None, **values: Any) -> None:
            super().__init__(host, host.do(lambda: model.create(**values) if pk is None else model.get(pk)))

        @property
        def _pk(self) -> str | None:
            found: str | None = host.do(lambda: self._held._pk)
            return found

    return Hosted


class HostedSession:
    """A session that the task of *host* opens; a commit that was cancelled is asked about by the next one."""

    def __init__(self, host: Host, database: aio.RedisDatabase) -> None:
        self._host = host
        self._held = host.do(lambda: aio.Session(database))

    def __enter__(self) -> Self:
        self._host.do(self._held.__aenter__)
        return self

    def __exit__(self, *error: Any) -> None:
        self._host.do(lambda: self._held.__aexit__(*error), to_the_end=True)

    @property
    def pending(self) -> Any:
        """What waits for the commit."""
        return self._host.do(lambda: self._held.pending)

    def plan(self, *, symbolic: bool) -> Plan:
        """Return the plan; where that was cancelled, once more."""
        return self._again(lambda: self._held.plan(symbolic=symbolic))

    def commit(self) -> None:
        """Send everything once."""
        self._again(self._held.commit)

    def rollback(self) -> None:
        """Forget everything."""
        self._again(self._held.rollback)

    def _again(self, call: Callable[[], Any]) -> Any:
        try:
            return self._host.do(call)
        except asyncio.CancelledError:
            return self._host.do(call, to_the_end=True)
