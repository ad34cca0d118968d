"""One task on a loop of its own does what it is asked: so a walk without ``await`` drives the asyncio face.

What is asked is done in the one task, whose sessions stay its own; now and then it is cancelled where it waits. What
the task holds (``Held``) is used as the blocking face is: ``Model(name="x")``, ``list(c)``, ``with session_on(db):``.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Self

import attrs

from uowredis import Plan, Session, aio
from uowredis.aio.collection import CollectionManager
from uowredis.aio.session import Savepoint
from uowredis.fields.bound import Bound

#: Seconds after which something that was asked hangs.
_LONGEST = 60


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
    """The task, and its loop, which runs while something is asked.

    Args:
        when: gives, for each time something is awaited, at which wait it is cancelled; None for never.
        again: what was cancelled is asked once more, as reads bear it, and commits.

    Attributes:
        cancelled: how often what was asked was cancelled.
    """

    def __init__(self, when: Callable[[], int | None] = lambda: None, *, again: bool = False) -> None:
        self.when = when
        self._again = again
        self.cancelled = 0
        self._asked: asyncio.Queue[tuple[Callable[[], Any], bool, asyncio.Future[Any]] | None] = asyncio.Queue()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._serve())
        self._models: dict[Any, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked.put_nowait(None)
        self._loop.run_until_complete(self._task)
        self._loop.close()

    def do(self, call: Callable[[], Any], *, to_the_end: bool = False) -> Any:
        """Return what *call* gives, awaited where it can be.

        Args:
            call: is called by the task.
            to_the_end: it is not cancelled.

        Raises:
            CancelledError: where it was.
        """
        try:
            return self._done(call, to_the_end)
        except asyncio.CancelledError:
            if not self._again:
                raise
            return self._done(call, True)

    def _done(self, call: Callable[[], Any], to_the_end: bool) -> Any:
        done: asyncio.Future[Any] = self._loop.create_future()
        self._asked.put_nowait((call, to_the_end, done))
        bound = self._loop.call_later(_LONGEST, done.set_exception, AssertionError("this hangs"))
        try:
            return self._loop.run_until_complete(done)
        finally:
            bound.cancel()

    async def _serve(self) -> None:
        while (asked := await self._asked.get()) is not None:
            call, to_the_end, done = asked
            try:
                found = call()
                if inspect.iscoroutine(found):
                    found = await Cancelled(found, None if to_the_end else self.when())
            except asyncio.CancelledError as error:
                self._task.uncancel()
                self.cancelled += 1
                done.set_exception(error)
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(found)

    def hold(self, value: Any) -> Any:
        """Return *value* as the blocking face would have it, where it is of the asyncio face, or holds such values."""
        match value:
            case type() if issubclass(value, aio.RedisModel):
                if value not in self._models:
                    self._models[value] = HeldModel(value.__name__, (Held,), {"_of": (self, value)})
                return self._models[value]
            case aio.RedisModel():
                return self.hold(type(value))._with(value)
            case aio.Session():
                return HeldSession(self, value)
            case aio.RedisDatabase() | Bound() | CollectionManager() | Savepoint():
                return Held(self, value)
        if type(value) in (list, tuple):
            return type(value)(map(self.hold, value))
        # What is called, too: methods, and the other side of a reference.
        return Held(self, value) if callable(value) and not isinstance(value, type) else value


class Held:
    """Whatever the task holds: its attributes, what calling it gives, and a collection looked at by Python's means."""

    def __init__(self, host: Host, held: Any) -> None:
        self._host, self._held = host, held

    def __repr__(self) -> str:
        return f"held {self._held!r}"

    def _do(self, call: Callable[[], Any]) -> Any:
        return self._host.hold(self._host.do(call))

    def __getattr__(self, name: str) -> Any:
        return self._do(lambda: getattr(self._held, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._do(lambda: self._held(*map(_given, args), **_given(kwargs)))

    def __enter__(self) -> Any:
        return self._do(self._held.__aenter__)

    def __exit__(self, *error: Any) -> Any:
        return self._host.do(lambda: self._held.__aexit__(*error), to_the_end=True)

    def __eq__(self, other: object) -> bool:
        return bool(self._held == _given(other))

    def __hash__(self) -> int:
        return hash(self._held)

    def __iter__(self) -> Iterator[Any]:
        found = self._do(self._held.list)
        # list() asks for the length next, and means that of these.
        self._found = len(found)
        return iter(found)

    def __len__(self) -> int:
        found = self.__dict__.pop("_found", None)
        return self._host.do(self._held.count) if found is None else found  # type: ignore[no-any-return]

    def __contains__(self, item: Any) -> bool:
        return bool(self._host.do(lambda: self._held.contains(_given(item))))

    def __getitem__(self, place: Any) -> Any:
        return self._do(lambda: self._held[place])

    def __or__(self, other: Any) -> Any:
        return self._do(lambda: self._held | _given(other))

    def __and__(self, other: Any) -> Any:
        return self._do(lambda: self._held & _given(other))

    def __sub__(self, other: Any) -> Any:
        return self._do(lambda: self._held - _given(other))


class HeldModel(type):
    """A class like the blocking one of a model, whose objects the task holds."""

    _of: tuple[Host, type[Any]]

    def __call__(cls, pk: Any = None, **values: Any) -> Any:
        host, model = cls._of
        return host.hold(
            host.do(lambda: model.create(**_given(values)) if pk is None else model.get(_given(pk), **_given(values)))
        )

    def __getattr__(cls, name: str) -> Any:
        host, model = cls._of
        return host.hold(getattr(model, name))

    def _with(cls, instance: Any) -> Any:
        held = cls.__new__(cls)
        held.__init__(cls._of[0], instance)
        return held


def _given(value: Any) -> Any:
    """Return *value* with what is held in the place of those who hold it."""
    match value:
        case Held():
            return value._held
        case HeldModel():
            return value._of[1]
        case list() | tuple() | set() | frozenset() if type(value) in (list, tuple, set, frozenset):
            return type(value)(map(_given, value))
        case dict():
            return {_given(key): _given(each) for key, each in value.items()}
    return value


class HeldSession(Held):
    """A session of the task; a commit that was cancelled is asked about by the next one."""

    @property
    def pending(self) -> Any:
        """What waits for the commit."""
        return self._host.do(lambda: self._held.pending)

    def plan(self, *, symbolic: bool = False) -> Plan:
        """Return the plan; where that was cancelled, once more."""
        found: Plan = self._again(lambda: self._held.plan(symbolic=symbolic))
        return found

    def commit(self, plan: Plan | None = None) -> Any:
        """Send everything once."""
        return self._again(lambda: self._held.commit(plan))

    def rollback(self) -> None:
        """Forget everything."""
        self._again(self._held.rollback)

    def _again(self, call: Callable[[], Any]) -> Any:
        try:
            return self._host.do(call)
        except asyncio.CancelledError:
            return self._host.do(call, to_the_end=True)


def session_on(database: Any, **options: Any) -> Any:
    """Return a session of the face that *database* is of."""
    if isinstance(database, Held):
        return database._host.hold(database._host.do(lambda: aio.Session(database._held, **options)))
    return Session(database, **options)


def declared(declare: Callable[..., Any], on: Any, **options: Any) -> Any:
    """Return what *declare* declares on the database *on*, of the face that it is of: a model, or models by name."""
    if not isinstance(on, Held):
        return declare(on, **options)
    return held_by(on._host, declare(on._held, **options))


def held_by(host: Host, models: Any) -> Any:
    """Return *models* as the blocking face would have them."""
    if isinstance(models, dict):
        return {name: host.hold(model) for name, model in models.items()}
    if not attrs.has(type(models)):
        return host.hold(models)
    return attrs.evolve(
        models, **{each.name: held_by(host, getattr(models, each.name)) for each in attrs.fields(type(models))}
    )
