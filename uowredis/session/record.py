"""What was said in a session and waits for the commit, and how it is forgotten (say)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs

from uowredis.commands.between import Move
from uowredis.commands.commands import Create, Delete, Look, Read, Write, borrows, references, resolved, unfilled
from uowredis.commands.identity import Event, Identity, State
from uowredis.commands.journal import Journal
from uowredis.exceptions import SessionError
from uowredis.overlay.overlay import Overlay
from uowredis.planner.presence import pk_taken
from uowredis.schema.models import ModelSchema
from uowredis.session.pending import Pending
from uowredis.session.placing import facet_for
from uowredis.session.telling import tell_never_entered

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
    states: int = 0
    callbacks: int = 0
    numbers: Mapping[ModelSchema, int] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Block:
    """The block of a savepoint, from its beginning until it was left; one whose leaving was interrupted stays.

    Attributes:
        mark: what was said at its beginning.
        of: the savepoint; it is gone where its block was left by an interruption.
    """

    mark: Mark
    of: weakref.ref[Savepoint]


@attrs.frozen
class Given:
    """What a command was given that has no text of its own yet.

    Attributes:
        referred: new objects, which get their pks later.
        known: foreign keys that what was said tells, by what stands for them.
    """

    referred: Sequence[Identity]
    known: Mapping[str, str]


#: By far most commands.
NOTHING = Given((), {})


class Record:
    """The commands of one session, with their replies to be.

    Args:
        overlay: keeps the commands by object; what it holds pending is what was said here.

    Attributes:
        answers: of each command: a ``Pending``, the instance of a constructor, or None.
        callbacks: what to call after the commit.
        blocks: those of savepoints that are open, the innermost last.
    """

    #: What the reply of a write is until the commit.
    pending_class: ClassVar[type[Pending[Any]]] = Pending

    def __init__(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self.answers: list[Pending[Any] | object] = []
        self.callbacks: list[Callable[[], object]] = []
        self.blocks: list[Block] = []
        self._made: list[Identity] = []
        self._states: list[Any] = []
        self._numbers: dict[ModelSchema, int] = {}

    @property
    def journal(self) -> Journal:
        """The commands, in the order said and by object."""
        return self.overlay.journal

    # Saying.

    def write(self, write: Write[T]) -> Pending[T]:
        """Take *write*; return its reply to be.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        identity = write.identity
        self.overlay.check_alive(identity)
        given = self._given(write)
        journal = self.overlay.journal
        journal.whole = False
        if identity.state is State.EMPTY:
            self._begin(Create(identity), None)
        write = self._resolved(write, given)
        pending: Pending[T] = self.pending_class(write)
        journal.add(write, is_filled=given is NOTHING)
        self.answers.append(pending)
        journal.whole = True
        return pending

    def move(self, move: Move[T], seen: Any) -> Pending[T]:
        """Take the two writes of *move*, which was *seen* to go or not; return its reply to be, that of the first."""
        into = move.into(seen)
        given, going = self._given(move.out), NOTHING if into is None else self._given(into)
        journal = self.overlay.journal
        journal.whole = False
        pending: Pending[T] = self.pending_class(self._added(move.out, given))
        self.answers.append(pending)
        if into is not None:
            self._added(into, going)
            self.answers.append(None)
        journal.whole = True
        return pending

    def _added(self, write: Write[T], given: Given) -> Write[T]:
        if write.identity.state is State.EMPTY:
            self._begin(Create(write.identity), None)
        write = self._resolved(write, given)
        self.journal.add(write, is_filled=given is NOTHING)
        return write

    def create(self, create: Create, instance: object) -> None:
        """Take the creation of *instance*.

        Raises:
            UniquenessError: where the session holds an object with the same chosen pk.
        """
        given, identity, journal = self._given(create), create.identity, self.overlay.journal
        if identity.pk is not None and not identity.model.auto:
            life = journal.find(identity)
            if life is not None and life.alive:
                raise pk_taken(life)
        journal.whole = False
        create = self._resolved(create, given)
        self._made.append(identity)
        self._begin(create, instance)
        journal.whole = True

    def delete(self, identity: Identity) -> None:
        """Take the deletion of an object."""
        self.overlay.check_alive(identity)
        journal = self.journal
        journal.whole = False
        journal.add(Delete(identity))
        self.answers.append(None)
        self._become(identity, Event.DELETION)
        journal.whole = True

    def read(self, read: Read[T], known: Callable[[Read[T]], T]) -> Pending[T]:
        """Take *read*, as pipelines do; what needs no asking is settled by *known* at once.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        identity = read.identity
        life = self.overlay.check_alive(identity)
        journal = self.overlay.journal
        given = self._given(read)
        if given is not NOTHING:
            journal.whole = False
            read = self._resolved(read, given)
            journal.whole = True
        pending: Pending[T] = self.pending_class(read)
        unasked = read.members == () or (identity.pk is None and life is None)
        if unasked:
            pending._settle(known(read))
        journal.whole = False
        journal.add_read(read, life, answered=unasked, is_filled=given is NOTHING)
        self.answers.append(pending)
        journal.whole = True
        return pending

    def look(self, look: Look) -> Pending[Any]:
        """Take *look*, as pipelines do."""
        pending: Pending[Any] = self.pending_class(look)
        journal = self.journal
        journal.whole = False
        journal.add_look(look)
        self.answers.append(pending)
        journal.whole = True
        return pending

    def begin(self, identity: Identity) -> None:
        """Take the creation of an object that is empty."""
        journal = self.journal
        journal.whole = False
        self._begin(Create(identity), None)
        journal.whole = True

    def _begin(self, create: Create, instance: object) -> None:
        identity = create.identity
        if identity.model.facets is not None:
            identity.model = self.overlay.speaking_of(facet_for(create, identity.model, self.journal))
        self._become(identity, Event.CREATION)
        self._number(identity)
        self.overlay.journal.add(create)
        self.answers.append(instance)

    def made(self, identity: Identity) -> None:
        """Note an empty instance made in the session."""
        journal = self.journal
        journal.whole = False
        self._made.append(identity)
        self._remember(identity)
        self._number(identity)
        journal.whole = True

    def _become(self, identity: Identity, event: Event) -> None:
        self._remember(identity)
        identity.become(event)

    def _remember(self, identity: Identity) -> None:
        """Remember what *identity* is, for :meth:`forget`."""
        # Flat: a tuple for each new object is one more that the garbage collector walks.
        self._states += identity, identity.state, identity.pk, identity.number

    def _number(self, identity: Identity) -> None:
        """Give a new object its number in the session, by which it is called until it has a pk."""
        if not identity.number:
            self._numbers[identity.model] = identity.number = self._numbers.get(identity.model, 0) + 1

    def _given(self, command: Write[Any] | Create | Read[Any]) -> Given:
        """Return what *command* was given that has no text of its own yet; nothing is changed by looking.

        Raises:
            ArgumentError: for a foreign key that refers to nothing.
            DoesNotExist: where an object was deleted, or made in a session that was rolled back.
            PendingWrites: for a foreign key on which something is pending that does not tell it.
            SessionError: where an object is created by another session.
        """
        if not command.identity.model.related or not unfilled(command):
            return NOTHING
        referred = references(command)
        for identity in referred:
            self.overlay.check_new(identity)
        known: dict[str, str] = {}
        for borrowed in borrows(command):
            if (value := self.overlay.borrowed(borrowed)) is not None:
                known[borrowed] = value
        return Given(referred, known)

    def _resolved(self, command: C, given: Given) -> C:
        """Return *command* with what it was given as it is called here; empty objects referred to are created."""
        if given is NOTHING:
            return command
        for identity in given.referred:
            if identity.state is State.EMPTY:
                self._begin(Create(identity), None)
        return resolved(command, given.known) if given.referred or given.known else command

    # Forgetting.

    def mark(self) -> Mark:
        """Return how much was said by now."""
        said = len(self.journal.commands)
        return Mark(said, len(self._made), len(self._states), len(self.callbacks), dict(self._numbers))

    def forget(self, mark: Mark) -> None:
        """Forget what was said since *mark*; where that is interrupted it can be done again."""
        journal, was_whole = self.journal, self.journal.whole
        journal.whole = False
        for answer in self.answers[mark.said :]:
            if isinstance(answer, Pending):
                answer._drop()
        for at in range(len(self._states) - 4, mark.states - 1, -4):
            identity, *former = self._states[at : at + 4]
            identity.put_back(*former)
        for identity in self._made[mark.made :]:
            if identity.state is not State.FORGOTTEN:
                identity.become(Event.ROLLBACK)
        # Nothing puts back any more what is forgotten by now.
        del self._states[mark.states :]
        del self._made[mark.made :]
        self._numbers = dict(mark.numbers)
        self.callbacks = self.callbacks[: mark.callbacks]
        self.answers = self.answers[: mark.said]
        if was_whole and len(journal.commands) == mark.said:
            journal.whole = True
        else:
            self.overlay.forget(mark.said)

    def forget_all(self) -> None:
        """Forget everything; the blocks of savepoints begin anew."""
        self.forget(Mark())
        self.empty()
        self._begin_anew(self.blocks, Mark())

    def _begin_anew(self, blocks: Sequence[Block], mark: Mark) -> None:
        """Let *blocks* begin at *mark*; what was said in one whose leaving was interrupted is forgotten by now."""
        for block in list(blocks):
            block.mark = mark
            if block.of() is None:
                self.blocks.remove(block)

    def back_to(self, block: Block) -> None:
        """Forget what was said since *block* began."""
        self.forget(block.mark)
        self._begin_anew(self.blocks[self.blocks.index(block) :], block.mark)

    def empty(self) -> None:
        """Begin anew: everything was committed, or forgotten."""
        self.journal.whole = False
        for identity in self._made:
            if identity.state is State.EMPTY:
                identity.number = 0
        self.answers, self.callbacks, self._states = [], [], []
        self._made, self._numbers = [], {}
        self.overlay.forget()


class Savepoint:
    """A part of a session that can be forgotten alone; they nest.

    Args:
        record: what it is a part of.
        door: lets one caller at a time in, and only those who may use the session.
    """

    _entered = False

    def __init__(self, record: Record, door: Any) -> None:
        self._record = record
        self._door = door
        self._block: Block | None = None

    def __del__(self) -> None:
        if not self._entered:
            tell_never_entered("A savepoint", "with s.savepoint():", self)

    def __enter__(self) -> Self:
        if self._block is not None:
            raise SessionError("This savepoint was entered already. Way out: take another, session.savepoint()")
        self._entered = True
        with self._door as session:
            session._check_open()
            self._block = Block(self._record.mark(), weakref.ref(self))
            self._record.blocks.append(self._block)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        blocks = self._record.blocks
        if self._block not in blocks:
            return
        if error is not None:
            self.rollback()
        # Not those inside it: the block of a generator may outlive this one.
        blocks.remove(self._block)

    def rollback(self) -> None:
        """Forget what was said since the beginning of the block, on purpose; the block goes on.

        Raises:
            SessionError: outside of the block.
        """
        if self._block is None or self._block not in self._record.blocks:
            raise SessionError("This savepoint is not open. Way out: use it inside its block")
        with self._door:
            self._record.back_to(self._block)
