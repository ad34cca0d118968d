"""A session of one call on the loop of asyncio: with no session open each call is one (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, assignment"

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from uowredis.aio.reader import Reader, logged
from uowredis.aio.work import Work
from uowredis.commands.between import Combined, Move, in_one_place
from uowredis.commands.calls import Call
from uowredis.commands.commands import Create, Read, Write, borrows, matters
from uowredis.commands.identity import Event, Identity, State
from uowredis.exceptions import Conflict, absent
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.models import ModelSchema
from uowredis.session import context, single
from uowredis.session.door import Door
from uowredis.session.session import Session
from uowredis.session.single import call_of
from uowredis.session.work import speak_of

T = TypeVar("T")


def here(database: context.Database, model: ModelSchema) -> Door | SingleCall:
    """Same as the blocking one."""
    database._entered += 1
    if model not in database._fingerprints.known:
        database._check_placed(model)
        database._fingerprints.want(model)
    session: Session | None = context.find(database)
    if session is not None:
        return Door(session, session._lock)
    return SingleCall(database) if database._outside == "send" else ToldCall(database)


class OneCall(Work, single.OneCall):
    """The work of one call: tried again by time, not by count; keys of any size are rehearsed."""

    async def send(self) -> None:
        """Same as the blocking one."""
        self._check_connected()
        await self._told(await self._apply(None))


class SingleCall(single.SingleCall):
    """With no session open each call is a session of its own; what is said here is sent when it is awaited."""

    __slots__ = ()

    _reader_class = Reader

    if TYPE_CHECKING:

        def _reader(self) -> Reader: ...

    async def _read(self, read: Read[T]) -> T:
        """Same as the blocking one."""
        self._check(read.identity)
        is_known = self._database._fingerprints.is_free(read.identity.model)
        if read.identity.pk is None or read.members == () or borrows(read) or not is_known:
            return await self._reader().read(read)
        executor = self._database._executor
        return read.decode((await self._sent(lambda call: executor.send((call,)), call_of(read)))[0])

    _read_now = _read

    async def _write(self, write: Write[T]) -> T:
        """Same as the blocking one."""
        identity = write.identity
        self._check(identity)
        on = self._database
        goes_as_it_is = not (on._certain or on._of_one_call.replicas) or on._executor.certainty is None
        if goes_as_it_is and on._fingerprints.is_free(identity.model) and not matters(write):
            if identity.state is State.UNTESTED:
                await self._look_up(identity)
            if identity.state is State.STORED:
                return write.decode(await self._sent(on._executor.tell, call_of(write)))
        # What is planned is looked up in the first round of its plan.
        pending = await self._committed(lambda work: work._write(write))
        if identity.state is State.UNTESTED:
            identity.become(Event.FOUND)
        reply: T = pending.result
        return reply

    async def _move(self, move: Move[T]) -> T:
        """Same as the blocking one."""
        on = self._database
        for identity in move.identities:
            self._check(identity)
        goes_as_it_is = not (on._certain or on._of_one_call.replicas) or on._executor.certainty is None
        if goes_as_it_is and move.goes_as_it_is and all(map(on._fingerprints.is_free, move.models)):
            for identity in move.identities:
                if identity.state is State.UNTESTED:
                    await self._look_up(identity)
            if all(identity.state is State.STORED for identity in move.identities):
                return move.out.decode(await self._sent(on._executor.tell, move.call))
        deadline = time.monotonic() + on._retry_for
        while True:
            try:
                pending = await self._committed(lambda work: work._move(move))
            except Conflict:
                # What would have gone is gone meanwhile: another one may go.
                if time.monotonic() >= deadline:
                    raise
                continue
            for identity in move.identities:
                if identity.state is State.UNTESTED:
                    identity.become(Event.FOUND)
            reply: T = pending.result
            return reply

    async def _combine(self, combined: Combined[T]) -> T:
        """Same as the blocking one."""
        for read in combined.reads:
            self._check(read.identity)
        as_one = in_one_place(combined.models) and all(map(self._database._fingerprints.is_free, combined.models))
        if not as_one or any(read.identity.pk is None for read in combined.reads):
            speak_of(self._database, combined.models)
            found: T = combined.of(await self._find(lambda overlay: overlay.read_all(combined.reads)))
            return found
        executor = self._database._executor
        return combined.decode((await self._sent(lambda call: executor.send((call,)), combined.call))[0])

    async def _look_up(self, identity: Identity) -> None:
        model, pk = identity.model, identity.pk
        assert pk is not None
        if not await self._find(lambda overlay: overlay.holds(model, pk)):
            raise absent(model, f"{identity} does not exist; nothing was written")
        identity.become(Event.FOUND)

    async def _create(self, create: Create, instance: object) -> None:
        """Same as the blocking one."""
        await self._committed(lambda work: work._create(create, None))

    async def _create_alone(
        self, create: Create, instance: object, others: Callable[[Overlay], Deciding[bool]]
    ) -> None:
        """Same as the blocking one."""
        await self._committed(lambda work: work._create_alone(create, None, others))

    async def _delete(self, identity: Identity) -> None:
        """Same as the blocking one."""
        self._check(identity)
        await self._committed(lambda work: work._delete(identity))

    async def _find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Same as the blocking one."""
        return await self._reader().find(question)

    async def _allocate(self, identity: Identity) -> str:
        """Same as the blocking one."""
        self._check(identity)
        if identity.pk is None:
            await self._create(Create(identity), None)
        assert identity.pk is not None
        return identity.pk

    async def _sent(self, send: Callable[[Call], Any], call: Call) -> Any:
        """Same as the blocking one."""
        return await logged(lambda: send(call), (call,)) if self._database._of_one_call.echo else await send(call)

    async def _committed(self, say: Callable[[OneCall], Any]) -> Any:
        work = OneCall(self._database)
        try:
            said = say(work)
            if inspect.iscoroutine(said):
                said = await said
            await work.send()
            return said
        finally:
            await work._forget_all()


class ToldCall(SingleCall, single.ToldCall):
    """A single call where a write with no session open is warned of, or refused; reads are free."""

    __slots__ = ()

    async def _write(self, write: Write[T]) -> T:
        """Same as the blocking one."""
        self._tell(write)
        return await super()._write(write)

    async def _move(self, move: Move[T]) -> T:
        """Same as the blocking one."""
        self._tell(move.out)
        return await super()._move(move)

    async def _create(self, create: Create, instance: object) -> None:
        """Same as the blocking one."""
        self._tell(create)
        await super()._create(create, instance)

    async def _create_alone(
        self, create: Create, instance: object, others: Callable[[Overlay], Deciding[bool]]
    ) -> None:
        """Same as the blocking one."""
        self._tell(create)
        await super()._create_alone(create, instance, others)

    async def _delete(self, identity: Identity) -> None:
        """Same as the blocking one."""
        self._tell(f"the deletion of {identity}")
        await super()._delete(identity)
