"""The work of a session, or of a single call: what is said, planned and sent whole (say, and drive what decides).

It holds what was said; deciding is the planner's, waiting is the executor's. Who may say it here, and when, is the
session's.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from uowredis.commands.between import Combined, Move
from uowredis.commands.commands import Create, Read, Write
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import Conflict, NotReplicated, SessionError, UowError
from uowredis.executor.drive import drive
from uowredis.executor.watched import WatchedReads
from uowredis.overlay.overlay import Overlay
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Deciding, Send
from uowredis.plan.steps import UNKNOWN
from uowredis.planner import Limits
from uowredis.session import context
from uowredis.session.commit import Applied, Attempts, Committer
from uowredis.session.later import was_run
from uowredis.session.pending import Pending
from uowredis.session.reader import Reader
from uowredis.session.record import Record

if TYPE_CHECKING:
    from uowredis.schema.models import ModelSchema
    from uowredis.session.options import Options

T = TypeVar("T")

#: What an interruption of a commit is noted with, by the outcome.
INTERRUPTED = {
    "unknown": "uowredis: interrupted around EXEC; all of the commit was applied, or nothing",
    "applied": "uowredis: interrupted after EXEC; all of the commit was applied",
}


#: Who calls after a commit, and what to do where it is run later.
CALLBACK = ("on_commit()", "a plain function; a task by lambda: asyncio.create_task(function())")


class Work:
    """What is said, over what the server holds, until it is sent whole or forgotten.

    Args:
        database: where.
        options: what it does.
        retry_for: bound attempts by seconds from now on, not by their number.
        dry_run: allocate no primary keys.
    """

    #: Whether it is of ``uowredis.aio``, and what answers its questions.
    _is_awaited: ClassVar[bool] = False
    _reader_class: ClassVar[type[Reader]] = Reader

    #: What keeps what was said.
    _record_class: ClassVar[type[Record]] = Record

    def __init__(
        self, database: context.Database, options: Options, retry_for: float | None, dry_run: bool = False
    ) -> None:
        self.database = database
        self._options = options
        self._connected = database._connected
        self._dry_run = dry_run
        self._reader = reader = self._reader_class(database, options, dry_run=dry_run)
        deadline = None if retry_for is None else time.monotonic() + retry_for
        attempts = Attempts(options.attempts, deadline, time.monotonic)
        self._committer = Committer(
            reader.overlay,
            reader.line,
            database._guards,
            attempts,
            database._fingerprints,
            replicas=options.replicas,
        )
        if options.watch_reads:
            reader.overlay.read_by(functools.partial(read_watched, self._committer, database))
        self._record = self._record_class(reader.overlay)

    def _check_connected(self) -> None:
        """Check that the database is still where it was.

        Raises:
            SessionError: where it is not.
        """
        if self.database._connected is not self._connected:
            raise SessionError(
                "The database was connected to another server while the session was open. Way out: rollback(), and say "
                "it again in a new session"
            )

    # What models, fields and collections say and ask; they come in by the door.

    def _write(self, write: Write[T]) -> Any:
        """Take *write* for the commit; return its reply to be.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        self._check_settled()
        return self._record.write(write)

    def _move(self, move: Move[T]) -> Any:
        """Take *move* for the commit, of what is there now; return its reply to be. What was read for it is watched.

        Raises:
            DoesNotExist: where one of the objects was deleted, or made in a session that was rolled back.
            PendingWrites: where what goes cannot be known exactly.
        """
        self._check_settled()
        overlay = self._reader.overlay
        for identity in move.identities:
            overlay.check_alive(identity)
        speak_of(self.database, move.models)
        read = functools.partial(read_watched, self._committer, self.database)
        (seen,) = drive(overlay.watching(read).read_all((move.looks,)), self._reader.answer)
        return self._record.move(move, seen)

    def _combine(self, combined: Combined[T]) -> Any:
        """Answer *combined* at once, as it will be answered right after the commit.

        Raises:
            DoesNotExist: where one of the objects was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        speak_of(self.database, combined.models)
        return combined.of(self._find(lambda overlay: overlay.read_all(combined.reads)))

    def _create(self, create: Create, instance: object) -> None:
        """Take the creation of *instance* for the commit.

        Raises:
            UniquenessError: where this session holds an object with the same chosen pk.
        """
        self._check_settled()
        self._record.create(create, instance)

    def _create_alone(self, create: Create, instance: object, others: Callable[[Overlay], Deciding[bool]]) -> None:
        """Same as :meth:`create`, but what *others* looks for must not be there, from now until the commit.

        Raises:
            Conflict: where it is there already; nothing was said.
        """
        read = functools.partial(read_watched, self._committer, self.database)
        if drive(others(self._reader.overlay.watching(read)), self._reader.answer):
            raise created_meanwhile(create)
        self._create(create, instance)

    def _made(self, identity: Identity) -> None:
        """Note an empty instance made in this session."""
        self._check_settled()
        self._record.made(identity)

    def _delete(self, identity: Identity) -> None:
        """Take the deletion of an object for the commit."""
        self._check_settled()
        self._record.delete(identity)

    def _read(self, read: Read[T]) -> T:
        """Answer *read* as it will be answered right after the commit.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        return self._read_now(read)

    def _read_now(self, read: Read[T]) -> T:
        """Same as :meth:`read`, and at once in a pipeline, too."""
        return self._reader.read(read)

    def _find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Return what *question* finds in the data as it will be right after the commit, at once.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        return self._reader.find(question)

    def _explain(self, question: Callable[[Overlay], Deciding[Any]]) -> list[tuple[tuple[str, ...], ...]]:
        """Return the calls that :meth:`find` would send for *question*, a tuple a round trip; nothing is sent."""
        return self._reader.explain(question)

    def _allocate(self, identity: Identity) -> str:
        """Give a new object its pk now; return it."""
        self._reader.overlay.check_alive(identity)
        if identity.state is State.EMPTY:
            self._check_settled()
            self._record.begin(identity)
        return self._find(lambda overlay: overlay.allocate((identity,)))[0]

    def _look(self, collection: Any, schema: Any) -> Pending[Any] | None:
        """Take note of a new collection (for models): in a pipeline it is one reply."""
        return None

    def _relook(self, pending: Pending[Any], collection: Any) -> None:
        """Take *collection* in the place of another one (for collections); only a pipeline has taken note of it."""

    def _watch_keys(self, keys: Sequence[str]) -> None:
        """Watch *keys* from now until the commit."""
        drive(watched_reads(self._committer, self.database).watch(keys), self._reader.answer)

    # What is sent.

    def _planned(self, *, symbolic: bool = False) -> Plan:
        planner = self._committer.planner(self._limits())
        return drive(planner.turns(), self._symbolic if symbolic else self._peek)

    def _symbolic(self, request: Any) -> list[Any]:
        """Answer a planner that may ask nobody."""
        return [*(None for _ in request.counters), *(UNKNOWN for _ in request.questions)]

    def _peek(self, request: Any) -> list[Any]:
        """Answer a planner whose plan is only shown: nothing is watched, no primary key is counted up."""
        questions = [question.call for question in request.questions]
        return [*(None for _ in request.counters), *(self._reader.answer(Send(questions)) if questions else ())]

    def _limits(self) -> Limits:
        executor = self.database._executor
        return Limits(executor.most_watched, executor.scripts, self._options.max_steps)

    def _apply(self, plan: Plan | None) -> Applied | None:
        """Send what is pending; None where nothing is. The session is empty then and can go on."""
        committer, record = self._committer, self._record
        if not record.journal.commands:
            check_nothing_shown(plan)
            drive(committer.nothing(), self._reader.answer)
            record.empty()
            return None
        committer.outcome = None
        turns, echo = committer.turns(plan, self._limits(), record.answers), self._reader.echo
        if echo is None:
            return self._ended(lambda: drive(turns, self._reader.unlogged))
        return self._ended(lambda: echo.commit(turns, lambda done: done.plan))

    def _settled(self) -> Applied | None:
        """Ask what became of the last commit; return it where it was applied. The session is empty then."""
        return self._ended(lambda: drive(self._committer.settle(), self._reader.answer))

    def _ended(self, act: Callable[[], Applied | None]) -> Applied | None:
        """Return what *act* has applied. Only when that was taken note of may something be committed again."""
        committer = self._committer
        try:
            applied = act()
            if applied is not None:
                self._record.empty()
                committer.stuck = None
        except UowError:
            raise
        except BaseException as error:
            if (note := INTERRUPTED.get(committer.outcome or "")) is not None:
                error.add_note(note)
            raise
        return applied

    def _told(self, applied: Applied | None, callbacks: Sequence[Callable[[], object]] = ()) -> list[Any]:
        """Settle the replies of what was *applied*, if anything, call what waited for it, and return the replies.

        Raises:
            NotReplicated: where fewer replicas than asked for had it in time; another error has a note of it.
            Exception: what was called raised it, or a reply cannot be read.
        """
        try:
            try:
                replies = [] if applied is None else applied.settle()
            finally:
                if callbacks:
                    with context.hidden(self):
                        call_all(callbacks)
        except BaseException as error:
            if (shortfall := self._shortfall(applied)) is not None:
                error.add_note(f"uowredis: {shortfall}")
            raise
        if (shortfall := self._shortfall(applied)) is not None:
            raise shortfall
        return replies

    def _shortfall(self, applied: Applied | None) -> NotReplicated | None:
        had, wanted = self._committer.acknowledged, self._options.replicas
        if applied is not None and applied.plan.wait is not None and (had is None or had < wanted):
            return NotReplicated(
                f"The commit was applied, but {'nobody knows how many' if had is None else f'only {had}'} of {wanted} "
                f"replicas had it in time: should the server fail now, it may be lost. Way out: see to the replicas; "
                f"do not commit it again",
                replicas=had,
            )
        return None

    def _check_settled(self) -> None:
        """Check that it is known what became of the last commit: what is said now would go with it, or not.

        Raises:
            SessionError: where it is not.
        """
        if self._committer.doubt is not None:
            raise SessionError(
                f"What became of the last commit is not known yet ({self._committer.stuck}). Way out: commit() asks "
                f"the server first; rollback() forgets it here"
            )

    def _forget_all(self) -> None:
        """Forget what was said and not sent; watch nothing any more."""
        self._record.forget_all()
        self._committer.stuck = self._committer.doubt = None
        drive(self._committer.let_go(), self._reader.line.answer)

    @property
    def _has_something(self) -> bool:
        """Whether there is something to commit, or to call after it."""
        return bool(self._record.journal.commands or self._record.callbacks)

    @property
    def _has_failed(self) -> bool:
        """Whether the last commit was applied in part, or nobody knows."""
        return self._committer.stuck is not None


def speak_of(database: context.Database, models: Sequence[ModelSchema]) -> None:
    """Have the fingerprints of *models* read with the next answer, as far as they are not known."""
    for model in models:
        if model not in database._fingerprints.known:
            database._check_placed(model)
            database._fingerprints.want(model)


def check_nothing_shown(plan: Plan | None) -> None:
    """Check that the *plan* that was shown, if any, has no steps: nothing is pending.

    Raises:
        Conflict: where it has.
    """
    if plan is not None and plan.steps:
        raise Conflict("Nothing is pending, and the plan that was shown has steps: look at plan() again")


def created_meanwhile(create: Create) -> Conflict:
    """Return the error for the creation of what another client has created."""
    return Conflict(f"Another client has created what {create.identity} would be; nothing was written")


def watched_reads(committer: Committer, database: context.Database) -> WatchedReads:
    """Return what is read under watch by *committer*, from now on."""
    if committer.watched is None:
        committer.watched = WatchedReads(committer.line, database._guards, database._executor.most_watched)
    return committer.watched


def read_watched(
    committer: Committer, database: context.Database, calls: Sequence[tuple[str, ...]]
) -> Deciding[list[Any]]:
    """Watch what *calls* read, and send them."""
    return watched_reads(committer, database).read(calls)


def call_all(callbacks: Sequence[Callable[[], object]]) -> None:
    """Call what waited for the commit.

    Raises:
        Exception: the first that one raised, when all were called.
    """
    failure: Exception | None = None
    for call in callbacks:
        try:
            was_run(call, call(), *CALLBACK)
        except Exception as error:
            failure = failure or error
    if failure is not None:
        failure.add_note("uowredis: the commit was applied; something called after it raised this")
        raise failure
