"""The one door to what is said: the open session, or, with none open, a session of one call (say)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from uowredis.commands.between import Combined, Move, in_one_place
from uowredis.commands.calls import Call
from uowredis.commands.commands import Create, Read, Write, borrows, matters
from uowredis.commands.identity import Event, Identity, State
from uowredis.exceptions import Conflict, absent
from uowredis.overlay.overlay import Overlay, elsewhere, gone
from uowredis.plan.requests import Deciding
from uowredis.session import context
from uowredis.session.door import Door
from uowredis.session.echo import logged
from uowredis.session.reader import Reader
from uowredis.session.telling import tell_outside
from uowredis.session.work import Work, speak_of

if TYPE_CHECKING:
    from uowredis.schema.models import ModelSchema
    from uowredis.session.session import Session

T = TypeVar("T")


def here(database: context.Database, model: ModelSchema) -> Door | SingleCall:
    """Return the door to the session of *database* that is open here, or to a session of one call.

    Use it as a block: ``with here(database, model) as session:``; inside, a session that threads share is one thread's.

    Args:
        database: where.
        model: what is spoken of.

    Raises:
        SessionError: on entering, where the open session belongs to another thread or task.
    """
    database._entered += 1
    if model not in database._fingerprints.known:
        database._check_placed(model)
        database._fingerprints.want(model)
    session: Session | None = context.find(database)
    if session is not None:
        return Door(session, session._lock)
    return SingleCall(database) if database._outside == "send" else ToldCall(database)


class OneCall(Work):
    """The work of one call: tried again by time, not by count; keys of any size are rehearsed."""

    def __init__(self, database: context.Database) -> None:
        super().__init__(database, database._of_one_call, database._retry_for)

    def send(self) -> None:
        """Send what was said, and settle the reply.

        Raises:
            CommitError: where it was not applied, or nobody knows.
            NotReplicated: where fewer replicas than asked for had it in time; it was applied.
        """
        self._check_connected()
        self._told(self._apply(None))


class SingleCall:
    """With no session open each call is a session of its own; what is said here is sent at once.

    Args:
        database: where.
    """

    __slots__ = ("_database",)

    _reader_class: ClassVar[type[Reader]] = Reader

    def __init__(self, database: context.Database) -> None:
        self._database = database

    def __enter__(self) -> SingleCall:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _read(self, read: Read[T]) -> T:
        """Answer *read*, in one round trip; an object without pk holds nothing."""
        self._check(read.identity)
        is_known = self._database._fingerprints.is_free(read.identity.model)
        if read.identity.pk is None or read.members == () or borrows(read) or not is_known:
            return self._reader().read(read)
        executor = self._database._executor
        return read.decode(self._sent(lambda call: executor.send((call,)), call_of(read))[0])

    _read_now = _read

    def _write(self, write: Write[T]) -> T:
        """Send *write*; return its reply. Without an index it goes as it is, in one round trip, unless it must not."""
        identity = write.identity
        self._check(identity)
        on = self._database
        goes_as_it_is = not (on._certain or on._of_one_call.replicas) or on._executor.certainty is None
        if goes_as_it_is and on._fingerprints.is_free(identity.model) and not matters(write):
            if identity.state is State.UNTESTED:
                self._look_up(identity)
            if identity.state is State.STORED:
                return write.decode(self._sent(on._executor.tell, call_of(write)))
        # What is planned is looked up in the first round of its plan.
        pending = self._committed(lambda work: work._write(write))
        if identity.state is State.UNTESTED:
            identity.become(Event.FOUND)
        reply: T = pending.result
        return reply

    def _move(self, move: Move[T]) -> T:
        """Send *move*; return its reply. Without an index it goes as it is, in one round trip, unless it must not."""
        on = self._database
        for identity in move.identities:
            self._check(identity)
        goes_as_it_is = not (on._certain or on._of_one_call.replicas) or on._executor.certainty is None
        if goes_as_it_is and move.goes_as_it_is and all(map(on._fingerprints.is_free, move.models)):
            for identity in move.identities:
                if identity.state is State.UNTESTED:
                    self._look_up(identity)
            if all(identity.state is State.STORED for identity in move.identities):
                return move.out.decode(self._sent(on._executor.tell, move.call))
        deadline = time.monotonic() + on._retry_for
        while True:
            try:
                pending = self._committed(lambda work: work._move(move))
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

    def _combine(self, combined: Combined[T]) -> T:
        """Answer *combined*, in one round trip; an object without pk holds nothing."""
        for read in combined.reads:
            self._check(read.identity)
        as_one = in_one_place(combined.models) and all(map(self._database._fingerprints.is_free, combined.models))
        if not as_one or any(read.identity.pk is None for read in combined.reads):
            speak_of(self._database, combined.models)
            found: T = combined.of(self._find(lambda overlay: overlay.read_all(combined.reads)))
            return found
        executor = self._database._executor
        return combined.decode(self._sent(lambda call: executor.send((call,)), combined.call)[0])

    def _create(self, create: Create, instance: object) -> None:
        """Create an object."""
        self._committed(lambda work: work._create(create, None))

    def _create_alone(self, create: Create, instance: object, others: Callable[[Overlay], Deciding[bool]]) -> None:
        """Create an object where what *others* looks for is not there, and does not come meanwhile.

        Raises:
            Conflict: where it is, or has come; nothing was written.
        """
        self._committed(lambda work: work._create_alone(create, None, others))

    def _made(self, identity: Identity) -> None:
        """Take note of nothing: an empty instance is created by its first write."""

    def _delete(self, identity: Identity) -> None:
        """Delete an object."""
        self._check(identity)
        self._committed(lambda work: work._delete(identity))

    def _find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Return what *question* finds in the data as it is."""
        return self._reader().find(question)

    def _explain(self, question: Callable[[Overlay], Deciding[Any]]) -> list[tuple[Call, ...]]:
        """Return the calls that :meth:`find` would send for *question*, a tuple a round trip; nothing is sent."""
        return self._reader().explain(question)

    def _allocate(self, identity: Identity) -> str:
        """Give a new object its pk; it is created."""
        self._check(identity)
        if identity.pk is None:
            self._create(Create(identity), None)
        assert identity.pk is not None
        return identity.pk

    def _look(self, collection: Any, schema: Any) -> None:
        """Take note of nothing: a collection is looked at when it is."""

    def _relook(self, pending: Any, collection: Any) -> None:
        """Take note of nothing."""

    def _look_up(self, identity: Identity) -> None:
        model, pk = identity.model, identity.pk
        assert pk is not None
        if not self._find(lambda overlay: overlay.holds(model, pk)):
            raise absent(model, f"{identity} does not exist; nothing was written")
        identity.become(Event.FOUND)

    def _check(self, identity: Identity) -> None:
        """Check that the object can be used where no session is open."""
        state = identity.state
        if state is State.DELETED or state is State.FORGOTTEN:
            raise gone(identity)
        if state is State.CREATED:
            raise elsewhere(identity)

    def _sent(self, send: Callable[[Call], Any], call: Call) -> Any:
        """Return the reply to *call*, which goes as it is."""
        return logged(lambda: send(call), (call,)) if self._database._of_one_call.echo else send(call)

    def _reader(self) -> Reader:
        """Return what answers questions where nothing is pending: one for all calls, since none leaves anything."""
        on = self._database
        reader = on._reader
        if reader is None or reader.fingerprints is not on._fingerprints:
            reader = on._reader = self._reader_class(on, on._of_one_call)
        return reader

    def _committed(self, say: Callable[[OneCall], Any]) -> Any:
        work = OneCall(self._database)
        try:
            said = say(work)
            work.send()
        except BaseException:
            work._forget_all()
            raise
        return said


class ToldCall(SingleCall):
    """A single call where a write with no session open is warned of, or refused; reads are free."""

    __slots__ = ()

    def _write(self, write: Write[T]) -> T:
        """Tell of *write*, and send it."""
        self._tell(write)
        return super()._write(write)

    def _move(self, move: Move[T]) -> T:
        """Tell of *move*, and send it."""
        self._tell(move.out)
        return super()._move(move)

    def _create(self, create: Create, instance: object) -> None:
        """Tell of a creation, and create the object."""
        self._tell(create)
        super()._create(create, instance)

    def _create_alone(self, create: Create, instance: object, others: Callable[[Overlay], Deciding[bool]]) -> None:
        """Tell of a creation, and create the object where no other is."""
        self._tell(create)
        super()._create_alone(create, instance, others)

    def _delete(self, identity: Identity) -> None:
        """Tell of a deletion, and delete the object."""
        self._tell(f"the deletion of {identity}")
        super()._delete(identity)

    def _tell(self, what: object) -> None:
        tell_outside(what, self._database, self._database._outside)


def call_of(command: Read[Any] | Write[Any]) -> Call:
    """Return the call that *command* is."""
    pk = command.identity.pk
    assert pk is not None
    return (command.name, command.identity.model.keys.storage(pk, command.storage), *command.args)
