"""The unit of work: commands are gathered, shown, and committed whole (say, and drive what decides).

A session belongs to the thread or task that opened it; what is said in it is its work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

from uowredis.commands.arguments import flag, shown, span
from uowredis.commands.commands import Command, writes
from uowredis.exceptions import ArgumentError, ArgumentTypeError, SessionError, attribute
from uowredis.plan.plan import Plan
from uowredis.plan.token import Token
from uowredis.session import context
from uowredis.session.context import face
from uowredis.session.door import Door
from uowredis.session.later import check_called_at_once
from uowredis.session.pending import Pending
from uowredis.session.record import Savepoint
from uowredis.session.telling import tell_astray, tell_never_entered, tell_unsent, tell_used
from uowredis.session.use import Use, is_given_back
from uowredis.session.work import CALLBACK, Work

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Self

    # Not at run time: jedi would look into the property that gives it, and fails at a Literal.
    from uowredis.plan.token import Outcome

T = TypeVar("T")


class Session(Work):
    """Writes wait until :meth:`commit` sends them in one transaction; reads see them already.

    Args:
        database: the models of this database take part. What is not given here is as the database says.
        attempts: how often a commit is tried when others change what it stands on, 10 by default.
        on_pending: what leaving with unsent writes does: "raise" :class:`UncommittedWrites` (the default), "warn", or
            "discard".
        watch_reads: whatever is read is watched until the commit, which raises :class:`Conflict` where it has changed.
        dry_run: ``commit()`` prints and returns the plan and sends no write.
        echo: log what is really sent, what became of it, and how long it took (logger ``uowredis``, level INFO).
        rehearsal_limit: members a key may hold for commands to be tried on it, 10,000 by default.
        max_steps: steps a plan may have, 1,000,000 by default.
        replicas: how many replicas a commit waits for, 0 by default; where fewer have it in time, it is applied and
            :class:`NotReplicated` is raised.
        retry_for: bound attempts by seconds from now on, not by their number.

    Raises:
        ArgumentTypeError: for something else than a RedisDatabase, or options of another type.
        ArgumentError: for options that cannot be.
    """

    #: What lets threads in one at a time, where the session is shared.
    _lock: Any = None

    #: How its blocks are written.
    _with: ClassVar[str] = "with"
    _opened_by = "Session(db)"

    #: Whether it was made and is yet to be entered.
    _waits = False

    def __init__(
        self,
        database: context.Database,
        *,
        attempts: int | None = None,
        on_pending: Literal["raise", "warn", "discard"] | None = None,
        watch_reads: bool | None = None,
        dry_run: bool = False,
        echo: bool | None = None,
        rehearsal_limit: int | None = None,
        max_steps: int | None = None,
        replicas: int | None = None,
        retry_for: float | None = None,
    ) -> None:
        if not isinstance(database, context.Database):
            raise ArgumentTypeError(f"Session() takes a RedisDatabase, not {type(database).__name__}")
        if database._is_awaited is not self._is_awaited:
            raise ArgumentTypeError(
                f"{database!r} is of {face(database._is_awaited)}, and this Session of {face(self._is_awaited)}. Way "
                f"out: both of one"
            )
        options = database._options.changed(
            "Session",
            attempts=attempts,
            on_pending=on_pending,
            watch_reads=watch_reads,
            echo=echo,
            rehearsal_limit=rehearsal_limit,
            max_steps=max_steps,
            replicas=replicas,
        )
        flag(dry_run, "Session(dry_run=...)")
        patience = None if retry_for is None else span(retry_for, "Session(retry_for=...)")
        super().__init__(database, options, patience, dry_run)
        self._belongs_to: context.Owner | None = None
        self.is_open = self._is_used = False
        #: As many as there are calls in it just now.
        self._inside: deque[None] = deque()
        self._waits = True

    @property
    def _is_dry_run(self) -> bool:
        """Whether ``commit()`` sends nothing."""
        return self._dry_run

    def _is_not_needed(self) -> None:
        """Let it be collected without having been entered (for ``begin()``)."""
        self._waits = False

    @property
    def _door(self) -> Door:
        """Where the session is entered; made anew each time, so that a session that nobody holds is gone at once."""
        return Door(self, self._lock)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.database!r}, {len(self._record.journal.commands)} pending>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be pickled or copied: it belongs to who opened it. Way out: its plan() can")

    def __del__(self) -> None:
        if self._waits:
            tell_never_entered(f"A {type(self).__name__}", f"{self._with} {self._opened_by} as s:", self)

    # Opening and leaving.

    def __enter__(self) -> Self:
        self._waits = False
        whose = context.owner()
        if self.is_open:
            raise SessionError("This session is open already. Way out: open a new Session(database)")
        if context.is_open(self.database, whose):
            raise SessionError(
                "A session of this database is open here already. Way out: use it, it is db.session; take part in it, "
                "db.begin(join=True), or db.run(function, join=True) where it watches what is read; or leave its block "
                "first"
            )
        self.is_open, self._belongs_to = True, whose
        context.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # One that was left already has nothing more to tell.
        astray = self.is_open and not self._is_here()
        used = self.is_open and self._is_used and self._belongs_to != context.owner()
        finished = False
        try:
            if error is None and not astray and not used:
                self._finish()
                finished = True
        finally:
            self._close(finished=finished)
        if astray or used:
            (tell_used if used else tell_astray)(f"a session of {self.database!r}", error)

    def _is_here(self) -> bool:
        """Return whether models find the session in this context."""
        return self._lock is not None or context.has(self)

    def _finish(self) -> None:
        """Do what the block does at its clean end."""

    def _close(self, *, finished: bool) -> None:
        """Be open no more; where the block was *finished*, tell of writes that were never sent."""
        context.leave(self)
        with self._door.alone():
            self.is_open = False
            if self._is_used and not is_given_back(self):
                return
            try:
                if finished:
                    self._check_nothing_pending()
            finally:
                self._end()

    def _end(self) -> None:
        """Forget everything, for good."""
        self._forget_all()
        self._record.blocks.clear()
        self._reader.overlay.rehearsal.close()

    def _check_nothing_pending(self) -> None:
        pending = [command for command in self._record.journal.commands if writes(command)]
        if pending and not self._has_failed and not self._dry_run:
            tell_unsent(pending, self._options.on_pending)

    def _check_owner(self) -> None:
        """Check that this thread or task opened the session.

        Raises:
            SessionError: where it is not so.
        """
        whose = self._belongs_to
        if whose is not None and self._lock is None and whose != context.owner():
            raise SessionError(
                "The open session belongs to another process, thread, task or greenlet, or is in use by one. Way out: "
                "open a Session(database) of its own here; or with s.use(): where that one is not inside"
            )

    def _check_whole(self) -> None:
        """Check that nothing was interrupted while it was said, or forgotten.

        Raises:
            SessionError: where it was: what is pending may be half of it.
        """
        if not self._record.overlay.journal.whole:
            raise SessionError(
                "The session was interrupted while something was said or forgotten in it, so that half of it may be "
                "pending; nothing was sent. Way out: rollback(), and say it again"
            )

    def _check_open(self) -> None:
        """Check that the session is open."""
        if self.is_open:
            return
        if self._belongs_to is None:
            self._waits = False  # whoever made it is told here
            raise SessionError(
                f"This session was never opened, so nothing was said in it. Way out: {self._with} Session(db) as s:"
            )
        raise SessionError("The block of this session was left; nothing is sent any more. Way out: a new Session(db)")

    # What was said.

    @property
    def outcome(self) -> Outcome | None:
        """Of the last commit: "applied", "not applied", "partially applied" or "unknown"; None before it."""
        return self._committer.outcome

    @property
    def token(self) -> Token | None:
        """Of the last commit, where its outcome is unknown and can be asked: ``db.settle(s.token)``; else None."""
        committer = self._committer
        return committer.last_plan.token if committer.outcome == "unknown" and committer.last_plan is not None else None

    @property
    def replicas(self) -> int | None:
        """How many replicas had the last commit in time; None where that is not known, or it waited for none."""
        return self._committer.acknowledged

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
        with self._door:
            return tuple(self._record.journal.commands)

    def later(self, reply: T) -> Pending[T]:
        """Return *reply* itself: what a write in a session returns, typed as what it is.

        A type checker does not know where a session is open, and has a command return its reply.

        Args:
            reply: what a command of this session returned: ``s.later(bike.wheels.incr()).result`` after the commit.

        Raises:
            ArgumentTypeError: for what is there already, as the answer of a read is.
        """
        if not isinstance(reply, Pending):
            raise ArgumentTypeError(
                f"later() takes what a write in a session returned, a Pending, not {shown(reply)}. Way out: what is "
                f"answered at once is used as it is"
            )
        return reply

    # What is read.

    def watch(self, *what: Any) -> None:
        """Watch fields and keys from now until the commit, which raises :class:`Conflict` where they have changed.

        Read after you have watched: what was read before may have changed already.

        Args:
            what: fields of instances that have a primary key, or keys as text.

        Raises:
            ArgumentError: for no field at all, or one of another database.
            ArgumentTypeError: for anything else.
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        keys = self._keys_of(what)
        with self._door:
            self._check_open()
            self._watch_keys(keys)

    def _keys_of(self, what: Sequence[Any]) -> list[str]:
        """Return the keys of *what* is to be watched, checked."""
        keys = [each if isinstance(each, str) else getattr(each, "key", None) for each in what]
        for each, key in zip(what, keys, strict=True):
            if not isinstance(key, str) or not key:
                raise ArgumentTypeError(f"watch() takes fields of instances, and keys as text, not {each!r}")
            if not isinstance(each, str) and each._owner.database is not self.database:
                raise ArgumentError(
                    f"{each!r} is on {each._owner.database!r}, and this session on {self.database!r}: its key there is "
                    f"not watched here. Way out: a session of that database"
                )
        if not keys:
            raise ArgumentError("watch() takes at least one field or key")
        return cast("list[str]", keys)

    # What is sent.

    def plan(self, *, symbolic: bool = False) -> Plan:
        """Return the plan as it stands, made with reads only.

        Args:
            symbolic: send nothing at all; what would be asked is shown, what is not known stands between < and >.

        Raises:
            Rejected: where the commit would be refused as things stand, e.g. :class:`UniquenessError`.
            DoesNotExist: where an object that commands are about is not there.
            SessionError: where the session belongs to another thread or task.
        """
        with self._door:
            return self._planned(symbolic=flag(symbolic, "plan(symbolic=...)"))

    def commit(self, plan: Plan | None = None) -> list[Any]:
        """Send everything in one transaction: all of it, or nothing.

        Where its reply is lost, the server is asked what became of it: what was not applied is sent again, and of what
        was applied each reply is told again where that is exact, else lost. A commit that was interrupted, or could not
        be asked about, is asked about by the next one.

        Args:
            plan: send exactly this plan, or raise :class:`Conflict`.

        Returns:
            The replies in the order said: one a call, the instance for a constructor, None for ``delete()``; for one
            that was lost its ``Pending``, which raises :class:`ReplyLost`. For a dry run the plan, in a list.

        Raises:
            Conflict: others changed what it stands on, more often than ``attempts``; or what was read under watch.
            Rejected: refused; nothing was applied. ``UniquenessError`` for a unique value that is taken.
            DoesNotExist: an object is not there; nothing was applied.
            PartiallyApplied: a command failed inside EXEC, the others were applied.
            OutcomeUnknown: the connection was lost around EXEC, and the server could not be asked since.
            NotReplicated: fewer ``replicas`` than asked for had it in time; it was applied.
            SessionError: the session belongs to another thread or task, a commit before was applied in part, or a
                savepoint is open.
            ArgumentTypeError: for a plan that is none.
        """
        with self._door:
            self._check_can_commit(plan)
            callbacks = self._record.callbacks
            doubt = self._committer.doubt
            applied = None if doubt is None else self._settled()
            if applied is None:
                self._check_clean()
                if self._dry_run:
                    shown = self._planned()
                    print(shown)
                    return [shown]
                applied = self._apply(plan)
        # Outside of the door: what is called may take its time, and may use the session's database.
        return self._told(applied, callbacks)

    def _check_can_commit(self, plan: Plan | None) -> None:
        if plan is not None and not isinstance(plan, Plan):
            raise ArgumentTypeError(f"commit() takes a plan, as plan() gives it, not {plan!r}")
        self._check_open()
        doubt = self._committer.doubt
        if doubt is not None and plan is not None and not doubt.plan.sends(plan):
            raise SessionError(
                "What became of the last commit is not known yet, and this is not its plan. Way out: commit() first"
            )
        if self._record.blocks:
            raise SessionError(
                "A savepoint is open, and what is committed cannot be forgotten. Way out: leave its block first; "
                "rollback() where leaving it was interrupted"
            )

    def _check_clean(self) -> None:
        if self._committer.stuck is not None:
            raise SessionError(f"The last commit did not end clean ({self._committer.stuck}). Way out: rollback()")

    def on_commit(self, call: Callable[[], object]) -> None:
        """Have *call* called once, without arguments, after the next commit: when the replies of its EXEC are in.

        The session takes no part in it: commands said there are sent at once, or as ``outside`` of the database says.
        Never for a dry run or a commit that was not applied whole; a rollback, also of the savepoint in which it was
        said, forgets it. Each is called even where one before raised; the first error is raised then, with a note that
        the commit was applied.

        Raises:
            ArgumentTypeError: for what cannot be called, or only returns what is run later.
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        check_called_at_once(call, *CALLBACK)
        with self._door:
            self._check_open()
            self._record.callbacks.append(call)

    def use(self) -> Use:
        """Return a block in which the session is this thread's, task's or context's: ``with s.use():``.

        For where the context in which it was opened does not reach. Models inside the block take part in the session.
        One at a time: whoever opened it is refused meanwhile, as is another ``use()``; nobody waits. Where it is left
        meanwhile by who opened it, nothing of it is sent by that, and the block is refused what it says from then on.

        Raises:
            SessionError: on entering, where the session is not open, is in use, or cannot be given.
        """
        return Use(self)

    # What is forgotten.

    def savepoint(self) -> Savepoint:
        """Return a block that forgets what was said in it where an exception leaves it: ``with s.savepoint():``.

        Raises:
            SessionError: where the session is not open, or belongs to another thread or task.
        """
        with self._door:
            self._check_open()
            return Savepoint(self._record, Door(self, self._lock, mends=True))

    def rollback(self) -> None:
        """Forget what was said and not sent; nothing is undone on the server, because nothing was sent.

        An instance made in this session no longer exists; an empty one made before is empty again. What was read under
        watch is not watched any more.

        Raises:
            SessionError: where the session belongs to another thread or task.
        """
        with Door(self, self._lock, mends=True):
            self._forget_all()

    if not TYPE_CHECKING:  # else every attribute would be there

        def __getattr__(self, name: str) -> Any:
            return attribute(self, "A session", name, _CALLED_HERE)

    @property
    def _tried(self) -> int:
        """How many transactions the last commit tried."""
        return self._committer.tried


#: What other units of work call otherwise.
_CALLED_HERE = {
    "add": "objects take part by what is said of them inside the block: Model(field=value), field.set(value)",
    "add_all": "objects take part by what is said of them inside the block: Model(field=value), field.set(value)",
    "delete": "an object deletes itself: bike.delete(), inside the block",
    "merge": "nothing is kept in an instance; Model(pk) is as good as any other",
    "expunge": "nothing is kept in an instance, nor in the session; rollback() forgets what was said",
    "expire": "nothing is kept in an instance; a field reads anew",
    "scalars": "Model.collection(field=value).values_list(field, flat=True)",
    "new": "pending",
    "dirty": "pending",
    "deleted": "pending",
    "flush": "nothing is sent before commit(); reads see what is pending",
    "query": "Model.collection(field=value), Model.get(...)",
    "get": "Model(pk), or Model.get(field=value)",
    "refresh": "nothing is kept in an instance; a field reads anew",
    "begin": "with Session(db) as s:",
    "begin_nested": "savepoint()",
    "close": "leave its block; rollback() forgets what was said",
    "execute": "commit()",
    "run": "db.run(function)",
}
