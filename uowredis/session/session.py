"""The unit of work: commands are gathered, shown, and committed whole (say, and drive the others).

A session belongs to the thread or task that opened it. It holds what was said; deciding is the planner's, waiting is
the executor's.
"""

from __future__ import annotations

import logging
import random
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from uowredis.commands.arguments import flag, span
from uowredis.commands.commands import Command, Create, Look, Read, Write
from uowredis.commands.identity import Identity, State
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
from uowredis.executor.server import Server
from uowredis.overlay.overlay import Overlay
from uowredis.plan.plan import Plan
from uowredis.planner import Planner
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.models import ModelSchema
from uowredis.session import context
from uowredis.session.applied import Applied
from uowredis.session.commit import Committer
from uowredis.session.pending import Pending
from uowredis.session.record import Said, Savepoint

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

T = TypeVar("T")

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
        self.overlay = Overlay(database, rehearsal, dry_run=dry_run, watches=options.watch_reads, echo=options.echo)
        self._dry_run = flag(dry_run, "Session(dry_run=...)")
        deadline = None if retry_for is None else time.monotonic() + span(retry_for, "Session(retry_for=...)")
        self._committer = Committer(database, self.overlay, options, deadline)
        self._record = Said(self.overlay)
        self._stuck: CommitError | None = None
        self._is_open = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.database!r}, {len(self.overlay.journal.commands)} pending>"

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
            self._record.savepoints.clear()
            self.overlay.rehearsal.close()

    def _leave_cleanly(self) -> None:
        pending = [command for command in self.overlay.journal.commands if not isinstance(command, Read | Look)]
        if pending and self._stuck is None and not self._dry_run:
            self._leave(pending)

    def _leave(self, pending: Sequence[Command]) -> None:
        if self.options.on_pending == "discard":
            return
        shown = ", ".join(map(str, pending[:10])) + (f" and {len(pending) - 10} more" if len(pending) > 10 else "")
        message = f"The session was left with writes that were never sent: {shown}. Way out: commit() or rollback()"
        if self.options.on_pending == "warn":
            warnings.warn(message, stacklevel=_frames_of_ours())
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
        self.overlay.check_connection()

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
        return tuple(self.overlay.journal.commands)

    def say(self, write: Write[T]) -> Pending[T]:
        """Take *write* for the commit; return its reply to be.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        return self._record.write(write)

    def create(self, create: Create, instance: object) -> None:
        """Take the creation of *instance* for the commit.

        Raises:
            UniquenessError: where this session holds an object with the same chosen pk.
        """
        self._record.create(create, instance)

    def made(self, identity: Identity) -> None:
        """Note an empty instance made in this session."""
        self._record.made(identity)

    def delete(self, identity: Identity) -> None:
        """Take the deletion of an object for the commit."""
        self._record.delete(identity)

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
        return cast("T", self.overlay.read_all((read,))[0])

    def holds(self, model: ModelSchema, pk: str) -> bool:
        """Return whether the object with *pk* will be there; new objects of the model get their pks for the answer."""
        if self.overlay.holds(model, pk):
            return True
        new = [life.identity for life in self.overlay.journal.placeholders() if life.model is model and life.alive]
        return bool(new) and pk in self.allocate_all(new) and self.overlay.are_pending(model, (pk,))[pk] is True

    def look(self, collection: Any, schema: ModelSchema) -> Pending[Any] | None:
        """Take note of a new collection (for models): in a pipeline it is one reply."""
        return None

    def relook(self, pending: Pending[Any], collection: Any) -> None:
        """Take *collection* in the place of another one (for collections); only a pipeline has taken note of it."""

    def allocate(self, identity: Identity) -> str:
        """Give a new object its pk now; return it."""
        self.overlay.check_alive(identity)
        if identity.state is State.EMPTY:
            self._record.begin(identity)
        return self.allocate_all((identity,))[0]

    def allocate_all(self, identities: Sequence[Identity]) -> list[str]:
        """Give new objects their pks now, in one round trip; return the pks of all."""
        self.overlay.allocate(identities)
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
            if not isinstance(each, str) and each.owner.database is not self.database:
                raise ArgumentError(
                    f"{each!r} is on {each.owner.database!r}, and this session on {self.database!r}: its key there is "
                    f"not watched here. Way out: a session of that database"
                )
        if not keys:
            raise ArgumentError("watch() takes at least one field or key")
        self.overlay.watch(cast("list[str]", keys))

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
        callbacks = self._record.callbacks
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
        if self._record.savepoints:
            raise SessionError(
                "A savepoint is open, and what is committed cannot be forgotten. Way out: leave its block first"
            )
        if self._stuck is not None:
            raise SessionError(f"The last commit did not end clean ({self._stuck}). Way out: rollback()")

    def _applied(self, plan: Plan | None) -> Applied | None:
        """Send what is pending and take note of what became of it; None where nothing is."""
        if not self.overlay.journal.commands:
            if plan is not None and plan.steps:
                raise Conflict("Nothing is pending, and the plan that was shown has steps: look at plan() again")
            self._committer.check_reads(again=True)
            self._committer.last_plan = Plan("nothing changes")
            self._record.empty()
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
        lives = self.overlay.journal
        with_others = (
            command.identity
            for command, life in zip(lives.commands, lives.of_command, strict=True)
            if life in planner.cascaded and not isinstance(command, Look)
        )
        gone = set(with_others) if planner.cascaded else ()
        applied = Applied(plan, replies, planner.rewrites, lives.commands, self._record.answers, gone)
        self.outcome = "applied"
        self._record.empty()
        return applied

    def on_commit(self, call: Callable[[], object]) -> None:
        """Have *call* called once, without arguments, after the next commit: when the replies of its EXEC are in.

        The session takes no part in it: commands said there are sent at once.
        Never for a dry run or a commit that was not applied whole; a rollback, also of the savepoint in which it was
        said, forgets it. Each is called even where one before raised; the first error is raised then, with a note that
        the commit was applied.

        Raises:
            ArgumentTypeError: for what cannot be called.
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        if not callable(call):
            raise ArgumentTypeError(f"on_commit() takes something to call, not {call!r}")
        self._check_open()
        self._record.callbacks.append(call)

    # What is forgotten.

    def savepoint(self) -> Savepoint:
        """Return a block that forgets what was said in it where an exception leaves it: ``with s.savepoint():``.

        Raises:
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        self._check_open()
        return Savepoint(self._record, self.check_owner)

    def rollback(self) -> None:
        """Forget what was said and not sent; nothing is undone on the server, because nothing was sent.

        An instance made in this session no longer exists; an empty one made before is empty again. What was read under
        watch is not watched any more.
        """
        self.check_owner()
        self._forget_all()

    def _forget_all(self) -> None:
        self._record.forget_all()
        self._stuck = None

    @property
    def tried(self) -> int:
        """How many transactions the last commit tried."""
        return self._committer.tried

    @property
    def has_something(self) -> bool:
        """Whether there is something to commit, or to call after it."""
        return bool(self._record.commands or self._record.callbacks)

    @property
    def has_failed(self) -> bool:
        """Whether the last commit was applied in part, or nobody knows."""
        return self._stuck is not None


def _frames_of_ours() -> int:
    """Return how many frames up whoever called the library is, for warnings."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("uowredis."):
        frame, level = frame.f_back, level + 1
    return level


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
