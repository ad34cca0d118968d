"""The unit of work: commands are gathered, shown, and committed whole (say, and drive the others).

A session belongs to the thread or task that opened it. It holds what was said; deciding is the planner's, waiting is
the executor's.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import threading
import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from uowredis.applied import Applied
from uowredis.commands import Create, Delete, Identity, Read, State, Write, WriteCommand, references, resolved
from uowredis.database import RedisDatabase
from uowredis.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    CommitError,
    Conflict,
    OutcomeUnknown,
    PartiallyApplied,
    SessionError,
    UncommittedWrites,
    UowError,
)
from uowredis.executor import Link
from uowredis.pending import Pending
from uowredis.plan import Plan
from uowredis.planner import Life, Limits, Planner
from uowredis.planner.presence import pk_taken
from uowredis.rehearsal import Rehearsal
from uowredis.schema import ModelSchema
from uowredis.spelling import integer, plain
from uowredis.turns import Allocate, Fetch
from uowredis.view import View

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

T = TypeVar("T")
C = TypeVar("C", bound="Write[Any] | Create")

_log = logging.getLogger("uowredis")

#: The open sessions of this context, the innermost last.
_open: contextvars.ContextVar[tuple[Session, ...]] = contextvars.ContextVar("uowredis_sessions", default=())

#: Full-jitter backoff after a conflict, in seconds: up to BASE doubled with each attempt, at most MOST.
_BACKOFF_BASE, _BACKOFF_MOST = 0.001, 0.05


def current(database: RedisDatabase) -> Session | None:
    """Return the open session of *database* in this context, None where there is none.

    Raises:
        SessionError: where it belongs to another thread or task.
    """
    for session in reversed(_open.get()):
        if session.database is database:
            session.check_owner()
            return session
    return None


def _owner() -> tuple[int, Any]:
    # The running loop is looked up first because current_task() raises without one.
    loop = asyncio._get_running_loop()
    return threading.get_ident(), None if loop is None else asyncio.current_task(loop)


class Session:
    """Writes wait until :meth:`commit` sends them in one transaction; reads see them already.

    Args:
        database: the models of this database take part.
        attempts: how often a commit is tried when others change what it stands on; the database's by default.
        on_pending: what leaving with unsent writes does: "raise" :class:`UncommittedWrites`, "warn", or "discard".
        dry_run: ``commit()`` prints and returns the plan and sends no write.
        echo: log what is really sent (logger ``uowredis``, level INFO).
        rehearsal_limit: members a key may hold for commands to be tried on it.
        max_steps: steps a plan may have.
        retry_for: bound attempts by seconds from now on, not by their number.
    """

    def __init__(
        self,
        database: RedisDatabase,
        *,
        attempts: int | None = None,
        on_pending: Literal["raise", "warn", "discard"] = "raise",
        dry_run: bool = False,
        echo: bool = False,
        rehearsal_limit: int = 10_000,
        max_steps: int = 1_000_000,
        retry_for: float | None = None,
    ) -> None:
        if not isinstance(database, RedisDatabase):
            raise ArgumentTypeError(f"Session() takes a RedisDatabase, not {type(database).__name__}")
        if on_pending not in ("raise", "warn", "discard"):
            raise ArgumentError(f"Session(on_pending=...) takes 'raise', 'warn' or 'discard', not {on_pending!r}")
        for name, number in (("attempts", attempts), ("rehearsal_limit", rehearsal_limit), ("max_steps", max_steps)):
            if number is not None:
                integer(number, f"Session({name}=...)", 0 if name == "rehearsal_limit" else 1)
        self.database = database
        self._last_plan: Plan | None = None
        self.outcome: str | None = None
        self._attempts = database.attempts if attempts is None else attempts
        self._deadline = None if retry_for is None else time.monotonic() + retry_for
        self._on_pending = on_pending
        self._dry_run = dry_run
        self._echo = echo
        self._max_steps = max_steps
        self.view = View(database, Rehearsal(rehearsal_limit, random.getrandbits(32)), dry_run=dry_run, echo=echo)
        self._answers: list[Pending[Any] | object] = []
        self._made: dict[Identity, None] = {}
        self._before_deletion: dict[Identity, State] = {}
        self._numbers: dict[ModelSchema, int] = {}
        self._stuck: CommitError | None = None
        self._is_open = False
        self._belongs_to: tuple[int, Any] | None = None

    def __repr__(self) -> str:
        return f"<Session of {self.database!r}, {len(self.pending)} pending>"

    # Opening and leaving.

    def __enter__(self) -> Self:
        former = _open.get()
        owner = _owner()
        if self._is_open:
            raise SessionError("This session is open already. Way out: open a new Session(database)")
        if any(session.database is self.database and session._belongs_to == owner for session in former):
            raise SessionError("A session of this database is open here already. Way out: use it, or commit it first")
        self._is_open, self._belongs_to = True, owner
        _open.set((*former, self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not the former value: sessions of other databases may have come and gone since, with generators.
        _open.set(tuple(session for session in _open.get() if session is not self))
        self._is_open = False
        pending = self.pending
        try:
            if error is None and pending and self._stuck is None and not self._dry_run:
                self._leave(pending)
        finally:
            self.rollback()
            self.view.rehearsal.close()

    def _leave(self, pending: Sequence[WriteCommand]) -> None:
        if self._on_pending == "discard":
            return
        shown = ", ".join(map(str, pending[:10])) + (f" and {len(pending) - 10} more" if len(pending) > 10 else "")
        message = f"The session was left with writes that were never sent: {shown}. Way out: commit() or rollback()"
        if self._on_pending == "warn":
            warnings.warn(message, stacklevel=3)
            return
        raise UncommittedWrites(message)

    def check_owner(self) -> None:
        """Check that this thread or task opened the session.

        Raises:
            SessionError: where it did not.
        """
        if self._belongs_to is not None and self._belongs_to != _owner():
            raise SessionError(
                "The open session belongs to another thread or task. Way out: open a Session(database) of its own here"
            )
        self.view.check_connection()

    # What was said.

    @property
    def last_plan(self) -> Plan:
        """The plan that was really sent, by the last attempt of the last commit.

        Raises:
            SessionError: before the first commit.
        """
        if self._last_plan is None:
            raise SessionError("Nothing was sent by this session yet. Way out: plan() shows what commit() would send")
        return self._last_plan

    @property
    def pending(self) -> tuple[WriteCommand, ...]:
        """The commands that wait for the commit, in the order said."""
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
        create = self._referring(create, self._referred(create))
        self._made[create.identity] = None
        self._begin(create, instance)

    def _referred(self, command: WriteCommand) -> list[Identity]:
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
        if identity.pk is not None and not identity.model.auto:
            life = self.view.lives.find(identity)
            if life is not None and life.alive:
                raise pk_taken(life)
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
        return cast("T", self.view.read_all((read,))[0])

    def holds(self, model: ModelSchema, pk: str) -> bool:
        """Return whether the object with *pk* will be there; new objects of the model get their pks for the answer."""
        if self.view.holds(model, pk):
            return True
        new = [life.identity for life in self._new_lives() if life.model is model and life.alive]
        return bool(new) and pk in self.allocate_all(new)

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

    # What is sent.

    def plan(self, *, symbolic: bool = False) -> Plan:
        """Return the plan as it stands, made with reads only.

        Args:
            symbolic: send nothing at all; what would be asked is shown, what is not known stands between < and >.

        Raises:
            Rejected: where the commit would be refused as things stand, e.g. :class:`UniquenessError`.
            DoesNotExist: where an object that commands are about is not there.
        """
        planner = self._planner(symbolic=symbolic)
        turn = planner.send()
        while not isinstance(turn, Plan):
            if isinstance(turn, Fetch):
                replies = self.view.ask([ask.call for ask in turn.asks]) if turn.asks else []
                turn = planner.send([plain(reply) for reply in replies])
            else:
                turn = planner.send(self.view.lives.placeholders())
        return turn

    def commit(self, plan: Plan | None = None) -> list[Any]:
        """Send everything in one transaction: all of it, or nothing.

        Args:
            plan: send exactly this plan, or raise :class:`Conflict`.

        Returns:
            The replies in the order said: one a call, the instance for a constructor, None for ``delete()``. For a dry
            run the plan, in a list.

        Raises:
            Conflict: others changed what it stands on, more often than ``attempts``.
            Rejected: refused; nothing was applied. ``UniquenessError`` for a unique value that is taken.
            DoesNotExist: an object is not there; nothing was applied.
            PartiallyApplied: a command failed inside EXEC, the others were applied.
            OutcomeUnknown: the connection was lost around EXEC.
            SessionError: the session belongs to another thread or task, or a commit before ended unknown.
        """
        self.check_owner()
        if self._belongs_to is None and self._deadline is None:
            raise SessionError(
                "This session was never opened, so nothing was said in it. Way out: with Session(db) as s:"
            )
        if self._stuck is not None:
            raise SessionError(f"The last commit did not end clean ({self._stuck}). Way out: rollback()")
        if self._dry_run:
            shown = self.plan()
            print(shown)
            return [shown]
        if not self.view.lives.commands:
            if plan is not None and plan.steps:
                raise Conflict("Nothing is pending, and the plan that was shown has steps: look at plan() again")
            self._last_plan = Plan("nothing changes")
            return []
        try:
            applied = self._attempt_until_applied(plan)
        except (PartiallyApplied, OutcomeUnknown) as error:
            self._stuck = error
            self.outcome = "unknown" if isinstance(error, OutcomeUnknown) else "partially applied"
            raise
        except CommitError:
            self.outcome = "not applied"
            raise
        if self._echo:
            _log.info("%s", applied.plan)
        return applied.settle()

    def _attempt_until_applied(self, shown: Plan | None) -> Applied:
        attempt = 0
        while True:
            attempt += 1
            applied = self._attempt(shown)
            if applied is not None:
                return applied
            if attempt >= self._attempts if self._deadline is None else time.monotonic() >= self._deadline:
                raise self._conflict(attempt)
            time.sleep(random.uniform(0, min(_BACKOFF_MOST, _BACKOFF_BASE * 2 ** min(attempt, 10))))

    def _attempt(self, shown: Plan | None) -> Applied | None:
        with self.database.executor.pinned() as link:
            try:
                plan, planner = self._planned(link, shown)
            except UowError:
                link.unwatch()
                raise
            self._last_plan = plan
            if not plan.steps:
                link.unwatch()
                return self._take_note(plan, [], planner)
            try:
                replies = link.apply(plan)
                applied = None if replies is None else self._take_note(plan, replies, planner)
                link.in_doubt = False
            except UowError as error:
                if isinstance(error, CommitError):
                    error.plan = plan
                raise
            except BaseException:
                if link.in_doubt:
                    self.outcome = "unknown"
                    self._stuck = OutcomeUnknown("interrupted around EXEC")
                raise
        return applied

    def _planned(self, link: Link, shown: Plan | None) -> tuple[Plan, Planner]:
        planner = self._planner()
        answers: list[Any] = []
        turn = planner.send()
        while not isinstance(turn, Plan):
            if isinstance(turn, Fetch):
                answers.append(link.find(turn))
            elif shown is None:
                answers.append(self._allocated(link, turn))
            else:
                answers.append(self.view.lives.placeholders())
            turn = planner.send(answers[-1])
        if shown is None:
            return turn, planner
        if turn != shown:
            raise Conflict("What would be sent is not the plan that was shown: look at plan() again", (), turn.watched)
        if turn.allocations and turn.allocated_at == 0:
            # Whose references are asked for is known by their pks only; what was watched stays watched.
            again, planner = self._planned(link, None)
            rounds = (*turn.rounds, *again.rounds)
            return attrs.evolve(again, rounds=rounds, allocated_at=len(turn.rounds)), planner
        return self._filled(link, answers)

    def _filled(self, link: Link, answers: list[Any]) -> tuple[Plan, Planner]:
        """Plan once more on the same answers, with real primary keys in place of the placeholders."""
        planner = self._planner()
        turn = planner.send()
        for answer in answers:
            turn = planner.send(self._allocated(link, turn) if isinstance(turn, Allocate) else answer)
        assert isinstance(turn, Plan)
        return turn, planner

    def _planner(self, *, symbolic: bool = False) -> Planner:
        executor = self.database.executor
        limits = Limits(executor.most_watched, executor.scripts, self._max_steps)
        return Planner(self.view.lives, self.view.rehearsal, limits, symbolic=symbolic)

    def _new_lives(self) -> list[Life]:
        return [life for life in self.view.lives if life.fresh and life.identity.pk is None]

    def _allocated(self, link: Link, allocate: Allocate) -> dict[Life, str]:
        ranges = {model: iter(pks) for model, pks in link.allocate(allocate).items()}
        pks: dict[Life, str] = {}
        for life in self._new_lives():
            pks[life] = life.identity.pk = str(next(ranges[life.model]))
        self.view.lives.allocated(life.identity for life in pks)
        return pks

    def _conflict(self, attempts: int) -> Conflict:
        plan = self.last_plan
        calls = [call for call, _ in plan.reads]
        now = [plain(reply) for reply in self.view.ask(calls)] if calls else []
        differ = sorted({call[1] for (call, before), after in zip(plan.reads, now, strict=True) if before != after})
        where = f" (now: {', '.join(differ)})" if differ else ""
        conflict = Conflict(
            f"Others changed what the commit stands on, {attempts} times in a row{where}; nothing was applied. "
            f"Way out: commit() again, or Session(db, attempts=...)",
            differ,
            plan.watched,
        )
        conflict.plan = plan
        return conflict

    def _take_note(self, plan: Plan, replies: list[Any], planner: Planner) -> Applied:
        """Note that *plan* was applied, before anything else can go wrong; the session is empty and can go on."""
        lives = self.view.lives
        gone = (
            {
                command.identity
                for command, life in zip(lives.commands, lives.of_command, strict=True)
                if life in planner.cascaded
            }
            if planner.cascaded
            else ()
        )
        applied = Applied(plan, replies, planner.rewrites, lives.commands, self._answers, gone)
        self.outcome = "applied"
        self._empty()
        return applied

    def rollback(self) -> None:
        """Forget what was said and not sent; nothing is undone on the server, because nothing was sent.

        An instance made in this session no longer exists; an empty one made before is empty again.
        """
        for answer in self._answers:
            if isinstance(answer, Pending):
                answer.drop()
        for command in reversed(self.view.lives.commands):
            identity = command.identity
            if isinstance(command, Create):
                identity.state = State.EMPTY
                identity.number = 0
                if identity.model.auto:
                    identity.pk = None
            elif isinstance(command, Delete):
                identity.state = self._before_deletion[identity]
        for identity in self._made:
            if identity.state is not State.STORED:
                identity.state = State.FORGOTTEN
        self._empty()
        self._stuck = None

    def _empty(self) -> None:
        for identity in self._made:
            if identity.state is State.EMPTY:
                identity.number = 0
        self.view.forget()
        self._answers = []
        self._made = {}
        self._before_deletion = {}
