"""The unit of work: commands are gathered, shown, and committed whole (say, and drive the others).

A session belongs to the thread or task that opened it. It holds what was said; deciding is the planner's, waiting is
the executor's.
"""

from __future__ import annotations

import logging
import random
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from uowredis import context
from uowredis.applied import Applied
from uowredis.commands import (
    Command,
    Create,
    Delete,
    Identity,
    Look,
    Read,
    State,
    Write,
    references,
    resolved,
)
from uowredis.committing import Committer
from uowredis.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    CommitError,
    Conflict,
    OutcomeUnknown,
    PartiallyApplied,
    SessionError,
    UncommittedWrites,
)
from uowredis.pending import Pending
from uowredis.plan import Plan
from uowredis.planner import Planner
from uowredis.planner.presence import pk_taken
from uowredis.rehearsal import Rehearsal
from uowredis.schema import ModelSchema
from uowredis.server import Server
from uowredis.spelling import flag, span
from uowredis.view import View

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

T = TypeVar("T")
C = TypeVar("C", bound="Write[Any] | Create | Read[Any]")

_log = logging.getLogger("uowredis")


def current(database: Server) -> Session | None:
    """Return the open session of *database* in this context, None where there is none.

    Raises:
        SessionError: where it belongs to another thread or task.
    """
    session: Session | None = context.find(database)
    if session is not None:
        session.check_owner()
    return session


@attrs.frozen
class Mark:
    """How much a session held at some moment."""

    said: int = 0
    made: int = 0
    callbacks: int = 0
    numbers: Mapping[ModelSchema, int] = attrs.field(factory=dict)


class Session:
    """Writes wait until :meth:`commit` sends them in one transaction; reads see them already.

    Args:
        database: the models of this database take part. What is not given here is as the database says.
        attempts: how often a commit is tried when others change what it stands on, 10 by default.
        on_pending: what leaving with unsent writes does: "raise" :class:`UncommittedWrites` (the default), "warn", or
            "discard".
        watch_reads: whatever is read is watched until the commit, which raises :class:`Conflict` where it has changed.
        dry_run: ``commit()`` prints and returns the plan and sends no write.
        echo: log what is really sent (logger ``uowredis``, level INFO).
        rehearsal_limit: members a key may hold for commands to be tried on it, 10,000 by default.
        max_steps: steps a plan may have, 1,000,000 by default.
        retry_for: bound attempts by seconds from now on, not by their number.

    Attributes:
        outcome: of the last commit: "applied", "not applied", "partially applied" or "unknown"; None before it.
    """

    def __init__(
        self,
        database: Server,
        *,
        attempts: int | None = None,
        on_pending: Literal["raise", "warn", "discard"] | None = None,
        watch_reads: bool | None = None,
        dry_run: bool = False,
        echo: bool | None = None,
        rehearsal_limit: int | None = None,
        max_steps: int | None = None,
        retry_for: float | None = None,
    ) -> None:
        if not isinstance(database, Server):
            raise ArgumentTypeError(f"Session() takes a RedisDatabase, not {type(database).__name__}")
        self.options = options = database.options.changed(
            "Session",
            attempts=attempts,
            on_pending=on_pending,
            watch_reads=watch_reads,
            echo=echo,
            rehearsal_limit=rehearsal_limit,
            max_steps=max_steps,
        )
        self.database = database
        self.outcome: str | None = None
        self.belongs_to: context.Owner | None = None
        rehearsal = Rehearsal(options.rehearsal_limit, random.getrandbits(32))
        self.view = View(database, rehearsal, dry_run=dry_run, watches=options.watch_reads, echo=options.echo)
        self._dry_run = flag(dry_run, "Session(dry_run=...)")
        deadline = None if retry_for is None else time.monotonic() + span(retry_for, "Session(retry_for=...)")
        self._committer = Committer(database, self.view, options, deadline)
        self._answers: list[Pending[Any] | object] = []
        self._made: dict[Identity, None] = {}
        self._before_deletion: dict[Identity, State] = {}
        self._numbers: dict[ModelSchema, int] = {}
        self._callbacks: list[Callable[[], object]] = []
        self._savepoints: list[Savepoint] = []
        self._stuck: CommitError | None = None
        self._is_open = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.database!r}, {len(self.view.lives.commands)} pending>"

    # Opening and leaving.

    def __enter__(self) -> Self:
        whose = context.owner()
        if self._is_open:
            raise SessionError("This session is open already. Way out: open a new Session(database)")
        if context.is_open(self.database, whose):
            raise SessionError("A session of this database is open here already. Way out: use it, or commit it first")
        self._is_open, self.belongs_to = True, whose
        context.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context.leave(self)
        self._is_open = False
        try:
            if error is None:
                self._leave_cleanly()
        finally:
            self._forget_all()
            self.view.rehearsal.close()

    def _leave_cleanly(self) -> None:
        pending = [command for command in self.view.lives.commands if not isinstance(command, Read | Look)]
        if pending and self._stuck is None and not self._dry_run:
            self._leave(pending)

    def _leave(self, pending: Sequence[Command]) -> None:
        if self.options.on_pending == "discard":
            return
        shown = ", ".join(map(str, pending[:10])) + (f" and {len(pending) - 10} more" if len(pending) > 10 else "")
        message = f"The session was left with writes that were never sent: {shown}. Way out: commit() or rollback()"
        if self.options.on_pending == "warn":
            warnings.warn(message, stacklevel=4)
            return
        raise UncommittedWrites(message)

    def check_owner(self) -> None:
        """Check that this thread or task opened the session.

        Raises:
            SessionError: where it did not.
        """
        if self.belongs_to is not None and self.belongs_to != context.owner():
            raise SessionError(
                "The open session belongs to another thread or task. Way out: open a Session(database) of its own here"
            )
        self.view.check_connection()

    def _check_open(self, *, alone: bool = False) -> None:
        """Check that the session is open and belongs to this thread or task; one for a single call never is."""
        self.check_owner()
        if self._is_open or (alone and self.belongs_to is None):
            return
        if self.belongs_to is None:
            raise SessionError(
                "This session was never opened, so nothing was said in it. Way out: with Session(db) as s:"
            )
        raise SessionError("The block of this session was left; nothing is sent any more. Way out: a new Session(db)")

    # What was said.

    @property
    def last_plan(self) -> Plan:
        """The plan that was really sent, by the last attempt of the last commit.

        Raises:
            SessionError: before the first commit.
        """
        if self._committer.last_plan is None:
            raise SessionError("Nothing was sent by this session yet. Way out: plan() shows what commit() would send")
        return self._committer.last_plan

    @property
    def pending(self) -> tuple[Command, ...]:
        """The commands that wait for the commit, in the order said."""
        self.check_owner()
        return tuple(self.view.lives.commands)

    def say(self, write: Write[T]) -> Pending[T]:
        """Take *write* for the commit; return its reply to be.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        identity = write.identity
        self.view.check_alive(identity)
        referred = self._referred(write)
        if identity.state is State.EMPTY:
            self._begin(Create(identity), None)
        write = self._referring(write, referred)
        pending: Pending[T] = Pending(write)
        self.view.lives.add(write)
        self._answers.append(pending)
        return pending

    def create(self, create: Create, instance: object) -> None:
        """Take the creation of *instance* for the commit.

        Raises:
            UniquenessError: where this session holds an object with the same chosen pk.
        """
        referred = self._referred(create)
        self._check_free(create.identity)
        create = self._referring(create, referred)
        self._made[create.identity] = None
        self._begin(create, instance)

    def _check_free(self, identity: Identity) -> None:
        if identity.pk is not None and not identity.model.auto:
            life = self.view.lives.find(identity)
            if life is not None and life.alive:
                raise pk_taken(life)

    def _referred(self, command: Command) -> list[Identity]:
        """Return the new objects that *command* refers to.

        Raises:
            DoesNotExist: where one was deleted, or made in a session that was rolled back.
            SessionError: where one is created by another session.
        """
        referred = references(command)
        for identity in referred:
            self.view.check_new(identity)
        return referred

    def _referring(self, command: C, referred: Sequence[Identity]) -> C:
        """Return *command* with its references as they are called here; empty objects referred to are created."""
        for identity in referred:
            if identity.state is State.EMPTY:
                self._begin(Create(identity), None)
        return resolved(command) if referred else command

    def _begin(self, create: Create, instance: object) -> None:
        identity = create.identity
        self.number(identity)
        self.view.lives.add(create)
        self._answers.append(instance)
        identity.state = State.CREATED

    def made(self, identity: Identity) -> None:
        """Note an empty instance made in this session."""
        self._made[identity] = None
        self.number(identity)

    def number(self, identity: Identity) -> None:
        """Give a new object its number in this session, by which it is called until it has a pk."""
        if not identity.number:
            self._numbers[identity.model] = identity.number = self._numbers.get(identity.model, 0) + 1

    def delete(self, identity: Identity) -> None:
        """Take the deletion of an object for the commit."""
        self.view.check_alive(identity)
        self.view.lives.add(Delete(identity))
        self._answers.append(None)
        self._before_deletion[identity] = identity.state
        identity.state = State.DELETED

    # What is read.

    def read(self, read: Read[T]) -> T:
        """Answer *read* as it will be answered right after the commit.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        return self.answer(read)

    def answer(self, read: Read[T]) -> T:
        """Same as :meth:`read`, and at once in a pipeline, too."""
        return cast("T", self.view.read_all((read,))[0])

    def holds(self, model: ModelSchema, pk: str) -> bool:
        """Return whether the object with *pk* will be there; new objects of the model get their pks for the answer."""
        if self.view.holds(model, pk):
            return True
        new = [life.identity for life in self.view.lives.placeholders() if life.model is model and life.alive]
        return bool(new) and pk in self.allocate_all(new) and self.view.is_pending(model, pk) is True

    def look(self, collection: Any, schema: ModelSchema) -> Pending[Any] | None:
        """Take note of a new collection (for models): in a pipeline it is one reply."""
        return None

    def relook(self, pending: Pending[Any], collection: Any) -> None:
        """Take *collection* in the place of another one (for collections); only a pipeline has taken note of it."""

    def allocate(self, identity: Identity) -> str:
        """Give a new object its pk now; return it."""
        self.view.check_alive(identity)
        if identity.state is State.EMPTY:
            self._begin(Create(identity), None)
        return self.allocate_all((identity,))[0]

    def allocate_all(self, identities: Sequence[Identity]) -> list[str]:
        """Give new objects their pks now, in one round trip; return the pks of all."""
        self.view.allocate(identities)
        return [identity.reference for identity in identities]

    def watch(self, *what: Any) -> None:
        """Watch fields and keys from now until the commit, which raises :class:`Conflict` where they have changed.

        Read after you have watched: what was read before may have changed already.

        Args:
            what: fields of instances that have a primary key, or keys as text.

        Raises:
            ArgumentTypeError: for anything else.
        """
        self._check_open()
        keys = [each if isinstance(each, str) else getattr(each, "key", None) for each in what]
        for each, key in zip(what, keys, strict=True):
            if not isinstance(key, str) or not key:
                raise ArgumentTypeError(f"watch() takes fields of instances, and keys as text, not {each!r}")
        if not keys:
            raise ArgumentError("watch() takes at least one field or key")
        self.view.watch(cast("list[str]", keys))

    # What is sent.

    def plan(self, *, symbolic: bool = False) -> Plan:
        """Return the plan as it stands, made with reads only.

        Args:
            symbolic: send nothing at all; what would be asked is shown, what is not known stands between < and >.

        Raises:
            Rejected: where the commit would be refused as things stand, e.g. :class:`UniquenessError`.
            DoesNotExist: where an object that commands are about is not there.
        """
        self.check_owner()
        return self._committer.plan(symbolic=flag(symbolic, "plan(symbolic=...)"))

    def commit(self, plan: Plan | None = None) -> list[Any]:
        """Send everything in one transaction: all of it, or nothing.

        Args:
            plan: send exactly this plan, or raise :class:`Conflict`.

        Returns:
            The replies in the order said: one a call, the instance for a constructor, None for ``delete()``. For a dry
            run the plan, in a list.

        Raises:
            Conflict: others changed what it stands on, more often than ``attempts``; or what was read under watch.
            Rejected: refused; nothing was applied. ``UniquenessError`` for a unique value that is taken.
            DoesNotExist: an object is not there; nothing was applied.
            PartiallyApplied: a command failed inside EXEC, the others were applied.
            OutcomeUnknown: the connection was lost around EXEC.
            SessionError: the session belongs to another thread or task, a commit before ended unknown, or a savepoint
                is open.
        """
        self._check_can_commit(plan)
        if self._dry_run:
            shown = self.plan()
            print(shown)
            return [shown]
        callbacks = self._callbacks
        applied = self._applied(plan)
        try:
            return [] if applied is None else applied.settle()
        finally:
            if callbacks:
                with context.hidden(self):
                    _call_all(callbacks)

    def _check_can_commit(self, plan: Plan | None) -> None:
        self._check_open(alone=self._committer.deadline is not None)
        if plan is not None and not isinstance(plan, Plan):
            raise ArgumentTypeError(f"commit() takes a plan, as plan() gives it, not {plan!r}")
        if self._savepoints:
            raise SessionError(
                "A savepoint is open, and what is committed cannot be forgotten. Way out: leave its block first"
            )
        if self._stuck is not None:
            raise SessionError(f"The last commit did not end clean ({self._stuck}). Way out: rollback()")

    def _applied(self, plan: Plan | None) -> Applied | None:
        """Send what is pending and take note of what became of it; None where nothing is."""
        if not self.view.lives.commands:
            if plan is not None and plan.steps:
                raise Conflict("Nothing is pending, and the plan that was shown has steps: look at plan() again")
            self._committer.last_plan = Plan("nothing changes")
            self._empty()
            return None
        self.outcome = None
        try:
            applied = self._committer.commit(plan, self._take_note)
        except (PartiallyApplied, OutcomeUnknown) as error:
            self._stuck = error
            self.outcome = "unknown" if isinstance(error, OutcomeUnknown) else "partially applied"
            raise
        except CommitError:
            self.outcome = "not applied"
            raise
        except BaseException:
            if self._committer.in_doubt and self.outcome is None:
                self.outcome = "unknown"
                self._stuck = OutcomeUnknown("interrupted around EXEC")
            raise
        if self.options.echo:
            _log.info("%s", applied.plan)
        return applied

    def _take_note(self, plan: Plan, replies: list[Any], planner: Planner) -> Applied:
        """Note that *plan* was applied, before anything else can go wrong; the session is empty and can go on."""
        lives = self.view.lives
        with_others = (
            command.identity
            for command, life in zip(lives.commands, lives.of_command, strict=True)
            if life in planner.cascaded and not isinstance(command, Look)
        )
        gone = set(with_others) if planner.cascaded else ()
        applied = Applied(plan, replies, planner.rewrites, lives.commands, self._answers, gone)
        self.outcome = "applied"
        self._empty()
        return applied

    def on_commit(self, call: Callable[[], object]) -> None:
        """Have *call* called once, without arguments, after the next commit: when the replies of its EXEC are in.

        The session takes no part in it: commands said there are sent at once.
        Never for a dry run or a commit that was not applied whole; a rollback, also of the savepoint in which it was
        said, forgets it. Each is called even where one before raised; the first error is raised then, with a note that
        the commit was applied.
        """
        if not callable(call):
            raise ArgumentTypeError(f"on_commit() takes something to call, not {call!r}")
        self._check_open()
        self._callbacks.append(call)

    # What is forgotten.

    def savepoint(self) -> Savepoint:
        """Return a block that forgets what was said in it where an exception leaves it: ``with s.savepoint():``.

        Raises:
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        self._check_open()
        return Savepoint(self)

    def rollback(self) -> None:
        """Forget what was said and not sent; nothing is undone on the server, because nothing was sent.

        An instance made in this session no longer exists; an empty one made before is empty again. What was read under
        watch is not watched any more.
        """
        self.check_owner()
        self._forget_all()

    def _forget_all(self) -> None:
        self._forget(Mark())
        self._empty()
        self._stuck = None
        for savepoint in self._savepoints:
            savepoint.mark = Mark()

    def _mark(self) -> Mark:
        return Mark(len(self.view.lives.commands), len(self._made), len(self._callbacks), dict(self._numbers))

    def _forget(self, mark: Mark) -> None:
        """Forget what was said since *mark*."""
        for answer in self._answers[mark.said :]:
            if isinstance(answer, Pending):
                answer.drop()
        for command in reversed(self.view.lives.commands[mark.said :]):
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
        if len(self.view.lives.commands) > mark.said:
            self.view.forget(mark.said)
        self._numbers = dict(mark.numbers)
        self._callbacks = self._callbacks[: mark.callbacks]
        self._answers = self._answers[: mark.said]

    @property
    def tried(self) -> int:
        """How many transactions the last commit tried."""
        return self._committer.tried

    @property
    def has_something(self) -> bool:
        """Whether there is something to commit, or to call after it."""
        return bool(self.view.lives.commands or self._callbacks)

    @property
    def has_failed(self) -> bool:
        """Whether the last commit was applied in part, or nobody knows."""
        return self._stuck is not None

    def _empty(self) -> None:
        for identity in self._made:
            if identity.state is State.EMPTY:
                identity.number = 0
        self.view.forget()
        self.view.let_go()
        self._answers = []
        self._made = {}
        self._before_deletion = {}
        self._numbers = {}
        self._callbacks = []


class Savepoint:
    """A part of a session that can be forgotten alone; they nest."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.mark: Mark | None = None

    def __enter__(self) -> Self:
        if self.mark is not None:
            raise SessionError("This savepoint was entered already. Way out: take another, session.savepoint()")
        self.mark = self._session._mark()
        self._session._savepoints.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        open_ones = self._session._savepoints
        if self not in open_ones:
            return
        if error is not None:
            self.rollback()
        del open_ones[open_ones.index(self) :]

    def rollback(self) -> None:
        """Forget what was said since the beginning of the block, on purpose; the block goes on.

        Raises:
            SessionError: outside of the block.
        """
        open_ones = self._session._savepoints
        if self.mark is None or self not in open_ones:
            raise SessionError("This savepoint is not open. Way out: use it inside its block")
        self._session.check_owner()
        self._session._forget(self.mark)
        for inner in open_ones[open_ones.index(self) :]:
            inner.mark = self.mark


def _call_all(callbacks: Sequence[Callable[[], object]]) -> None:
    """Call what waited for the commit.

    Raises:
        Exception: the first that one raised, when all were called.
    """
    failure: Exception | None = None
    for call in callbacks:
        try:
            call()
        except Exception as error:
            failure = failure or error
    if failure is not None:
        failure.add_note("uowredis: the commit was applied; something called after it raised this")
        raise failure
