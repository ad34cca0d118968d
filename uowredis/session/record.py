"""What was said in a session and waits for the commit, and how it is forgotten (say)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from uowredis.commands.commands import Command, Create, Delete, Look, Read, Write, references, resolved
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import SessionError
from uowredis.overlay.overlay import Overlay
from uowredis.planner.presence import pk_taken
from uowredis.schema.models import ModelSchema
from uowredis.session.pending import Pending

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

T = TypeVar("T")
C = TypeVar("C", bound="Write[Any] | Create | Read[Any]")


@attrs.frozen
class Mark:
    """How much was said at some moment."""

    said: int = 0
    made: int = 0
    callbacks: int = 0
    numbers: Mapping[ModelSchema, int] = attrs.field(factory=dict)


class Said:
    """The commands of one session, with their replies to be.

    Args:
        overlay: keeps the commands by object; what it holds pending is what was said here.

    Attributes:
        answers: of each command: a ``Pending``, the instance of a constructor, or None.
        callbacks: what to call after the commit.
        savepoints: those whose blocks are open, the innermost last.
    """

    def __init__(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self.answers: list[Pending[Any] | object] = []
        self.callbacks: list[Callable[[], object]] = []
        self.savepoints: list[Savepoint] = []
        self._made: dict[Identity, None] = {}
        self._before_deletion: dict[Identity, State] = {}
        self._numbers: dict[ModelSchema, int] = {}

    @property
    def commands(self) -> list[Command]:
        """The commands, in the order said."""
        return self.overlay.journal.commands

    # Saying.

    def write(self, write: Write[T]) -> Pending[T]:
        """Take *write*; return its reply to be.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        identity = write.identity
        self.overlay.check_alive(identity)
        referred = self._referred(write)
        if identity.state is State.EMPTY:
            self.begin(identity)
        write = self._referring(write, referred)
        pending: Pending[T] = Pending(write)
        self.overlay.journal.add(write, [new for new in referred if new.pk is None])
        self.answers.append(pending)
        return pending

    def create(self, create: Create, instance: object) -> None:
        """Take the creation of *instance*.

        Raises:
            UniquenessError: where the session holds an object with the same chosen pk.
        """
        referred, identity = self._referred(create), create.identity
        if identity.pk is not None and not identity.model.auto:
            life = self.overlay.journal.find(identity)
            if life is not None and life.alive:
                raise pk_taken(life)
        create = self._referring(create, referred)
        self._made[identity] = None
        self._begin(create, instance)

    def delete(self, identity: Identity) -> None:
        """Take the deletion of an object."""
        self.overlay.check_alive(identity)
        self.overlay.journal.add(Delete(identity))
        self.answers.append(None)
        self._before_deletion[identity] = identity.state
        identity.state = State.DELETED

    def read(self, read: Read[T], answer: Callable[[Read[T]], T]) -> Pending[T]:
        """Take *read*, as pipelines do; what needs no asking is settled by *answer* at once.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        identity = read.identity
        self.overlay.check_alive(identity)
        read = self._referring(read, self._referred(read))
        pending: Pending[T] = Pending(read)
        unasked = read.members == () or (identity.pk is None and self.overlay.journal.find(identity) is None)
        if unasked:
            pending.settle(answer(read))
        self.overlay.journal.add_read(read, answered=unasked)
        self.answers.append(pending)
        return pending

    def look(self, look: Look) -> Pending[Any]:
        """Take *look*, as pipelines do."""
        pending: Pending[Any] = Pending(look)
        self.overlay.journal.add_look(look)
        self.answers.append(pending)
        return pending

    def relook(self, pending: Pending[Any], collection: Any) -> None:
        """Take *collection* in the place of the one whose reply is *pending*."""
        for position, answer in enumerate(self.answers):
            command = self.commands[position]
            if answer is pending and isinstance(command, Look):
                self.commands[position] = attrs.evolve(command, of=collection)

    def begin(self, identity: Identity) -> None:
        """Take the creation of an object that is empty."""
        self._begin(Create(identity), None)

    def _begin(self, create: Create, instance: object) -> None:
        identity = create.identity
        self._number(identity)
        self.overlay.journal.add(create)
        self.answers.append(instance)
        identity.state = State.CREATED

    def made(self, identity: Identity) -> None:
        """Note an empty instance made in the session."""
        self._made[identity] = None
        self._number(identity)

    def _number(self, identity: Identity) -> None:
        """Give a new object its number in the session, by which it is called until it has a pk."""
        if not identity.number:
            self._numbers[identity.model] = identity.number = self._numbers.get(identity.model, 0) + 1

    def _referred(self, command: Command) -> list[Identity]:
        """Return the new objects that *command* refers to.

        Raises:
            DoesNotExist: where one was deleted, or made in a session that was rolled back.
            SessionError: where one is created by another session.
        """
        referred = references(command)
        for identity in referred:
            self.overlay.check_new(identity)
        return referred

    def _referring(self, command: C, referred: Sequence[Identity]) -> C:
        """Return *command* with its references as they are called here; empty objects referred to are created."""
        for identity in referred:
            if identity.state is State.EMPTY:
                self.begin(identity)
        return resolved(command) if referred else command

    # Forgetting.

    def mark(self) -> Mark:
        """Return how much was said by now."""
        return Mark(len(self.commands), len(self._made), len(self.callbacks), dict(self._numbers))

    def forget(self, mark: Mark) -> None:
        """Forget what was said since *mark*."""
        for answer in self.answers[mark.said :]:
            if isinstance(answer, Pending):
                answer.drop()
        for command in reversed(self.commands[mark.said :]):
            if isinstance(command, Look):
                continue
            identity = command.identity
            if isinstance(command, Create):
                identity.state = State.EMPTY
                if identity.model.auto:
                    identity.pk = None
            elif isinstance(command, Delete):
                identity.state = self._before_deletion[identity]
            if identity.state is State.EMPTY and identity.number > mark.numbers.get(identity.model, 0):
                identity.number = 0
        for identity in list(self._made)[mark.made :]:
            del self._made[identity]
            if identity.state is not State.STORED:
                identity.state = State.FORGOTTEN
        if len(self.commands) > mark.said:
            self.overlay.forget(mark.said)
        self._numbers = dict(mark.numbers)
        self.callbacks = self.callbacks[: mark.callbacks]
        self.answers = self.answers[: mark.said]

    def forget_all(self) -> None:
        """Forget everything; the blocks of savepoints begin anew."""
        self.forget(Mark())
        self.empty()
        for savepoint in self.savepoints:
            savepoint.mark = Mark()

    def empty(self) -> None:
        """Begin anew: everything was committed, or forgotten."""
        for identity in self._made:
            if identity.state is State.EMPTY:
                identity.number = 0
        self.overlay.forget()
        self.overlay.let_go()
        self.answers, self.callbacks = [], []
        self._made, self._before_deletion, self._numbers = {}, {}, {}


class Savepoint:
    """A part of a session that can be forgotten alone; they nest.

    Args:
        said: what it is a part of.
        check_owner: raises where this thread or task may not use the session.
    """

    def __init__(self, said: Said, check_owner: Callable[[], None]) -> None:
        self._record = said
        self._check_owner = check_owner
        self.mark: Mark | None = None

    def __enter__(self) -> Self:
        if self.mark is not None:
            raise SessionError("This savepoint was entered already. Way out: take another, session.savepoint()")
        self.mark = self._record.mark()
        self._record.savepoints.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        open_ones = self._record.savepoints
        if self not in open_ones:
            return
        if error is not None:
            self.rollback()
        # Not those inside it: the block of a generator may outlive this one.
        open_ones.remove(self)

    def rollback(self) -> None:
        """Forget what was said since the beginning of the block, on purpose; the block goes on.

        Raises:
            SessionError: outside of the block.
        """
        open_ones = self._record.savepoints
        if self.mark is None or self not in open_ones:
            raise SessionError("This savepoint is not open. Way out: use it inside its block")
        self._check_owner()
        self._record.forget(self.mark)
        for inner in open_ones[open_ones.index(self) :]:
            inner.mark = self.mark
