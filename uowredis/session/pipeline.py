"""``Pipeline``: pipelines and transactions as redis-py has them, on sessions (say).

In a pipeline reads wait, too, and ``execute()`` gives all replies in the order said. Indexes and relations are kept as
in any session, because a pipeline is one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs

from uowredis.commands.arguments import flag, span
from uowredis.commands.between import Move
from uowredis.commands.commands import Create, Look, Read, Write
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import Conflict, SessionError
from uowredis.overlay.overlay import temporary_key
from uowredis.planner import Limits
from uowredis.schema.models import ModelSchema
from uowredis.session import context
from uowredis.session.commit import Applied, back_off
from uowredis.session.later import at_once, check_called_at_once
from uowredis.session.pending import Pending
from uowredis.session.session import Session

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

    from uowredis.plan.plan import Plan
    from uowredis.session.options import SessionOptions

T = TypeVar("T")


class Pipeline(Session):
    """A session in which reads wait, too.

    Args:
        database: the models of this database take part.
        transaction: False sends a pipeline that only reads without MULTI and EXEC; with a write in it, it is a
            transaction all the same.
        share_in_threads: every thread may use it while it is open, one call at a time.
        options: as for :class:`Session`.
    """

    _opened_by = "db.pipeline()"

    def __init__(
        self,
        database: context.Database,
        *,
        transaction: bool = True,
        share_in_threads: bool = False,
        **options: Unpack[SessionOptions],
    ) -> None:
        if flag(share_in_threads, "pipeline(share_in_threads=...)"):
            self._lock = threading.RLock()
        self._bare = not flag(transaction, "pipeline(transaction=...)")
        self._answers_at_once = False
        super().__init__(database, **options)

    def __enter__(self) -> Self:
        super().__enter__()
        if self._lock is not None:
            context.share(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context.unshare(self)
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._door.open()

    # What is said.

    def _read(self, read: Read[T]) -> T:
        """Take *read* for :meth:`execute`; between ``watch()`` and ``multi()`` answer it at once.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        if self._answers_at_once:
            return self._read_now(read)
        self._check_open()
        self._check_settled()
        pending: Any = self._record.read(read, self._known)  # in a pipeline it stands for the answer
        return pending  # type: ignore[no-any-return]

    def _known(self, read: Read[T]) -> T:
        """Answer *read*, for which nothing has to be asked."""
        return self._read_now(read)

    def _look(self, collection: Any, schema: ModelSchema) -> Pending[Any] | None:
        """Take *collection* as one reply of :meth:`execute`, as it is refined by then (for models)."""
        if self._answers_at_once:
            return None
        self._check_open()
        self._check_settled()
        return self._record.look(Look(collection, schema, temporary_key(schema.keys)))

    def _relook(self, pending: Pending[Any], collection: Any) -> None:
        """Take *collection* in the place of the one whose reply is *pending* (for collections)."""
        commands = self._record.journal.commands
        for position, answer in enumerate(self._record.answers):
            command = commands[position]
            if answer is pending and isinstance(command, Look):
                commands[position] = attrs.evolve(command, of=collection)

    def _write(self, write: Write[T]) -> Any:
        """Take *write* for :meth:`execute`; return its reply to be.

        Raises:
            SessionError: between ``watch()`` and ``multi()``.
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        self._check_begun(write)
        return super()._write(write)

    def _move(self, move: Move[T]) -> Any:
        """Take *move* for :meth:`execute`; return its reply to be.

        Raises:
            SessionError: between ``watch()`` and ``multi()``.
            DoesNotExist: where one of the objects was deleted, or made in a session that was rolled back.
        """
        self._check_begun(move)
        return super()._move(move)

    def _create(self, create: Create, instance: object) -> None:
        """Take the creation of *instance* for :meth:`execute`.

        Raises:
            SessionError: between ``watch()`` and ``multi()``.
            UniquenessError: where this pipeline holds an object with the same chosen pk.
        """
        self._check_begun(create)
        super()._create(create, instance)

    def _delete(self, identity: Identity) -> None:
        """Take the deletion of an object for :meth:`execute`.

        Raises:
            SessionError: between ``watch()`` and ``multi()``.
        """
        self._check_begun(f"the deletion of {identity}")
        super()._delete(identity)

    def _allocate(self, identity: Identity) -> str:
        """Give a new object its pk now; return it.

        Raises:
            SessionError: between ``watch()`` and ``multi()``, where it would have to be created.
        """
        if identity.state is State.EMPTY:
            self._check_begun(f"the creation of a {identity.model.name}")
        return super()._allocate(identity)

    def _check_begun(self, command: object) -> None:
        self._check_open()
        if self._answers_at_once:
            raise SessionError(
                f"{command} comes before multi(): until then only reads are answered. Way out: pipeline.multi() first"
            )

    # As in redis-py.

    def watch(self, *what: Any) -> None:
        """Watch fields and keys until :meth:`execute`; reads are answered at once from now until :meth:`multi`.

        Args:
            what: fields of instances that have a primary key, or keys as text.

        Raises:
            SessionError: after the first command.
            ArgumentTypeError: for anything else than fields and keys.
        """
        with self._door:
            self._check_comes_first()
            super().watch(*what)
            self._answers_at_once = True

    def _check_comes_first(self) -> None:
        if self.pending:
            raise SessionError("watch() comes first, and commands are pending. Way out: execute() them, or reset()")

    def _begin_reading(self, *what: Any) -> None:
        """Same as :meth:`watch`, where there may be nothing to watch (for ``transaction()``)."""
        if what:
            self.watch(*what)
        self._answers_at_once = True

    def multi(self) -> None:
        """End what :meth:`watch` began: from now on commands wait for :meth:`execute`.

        Raises:
            SessionError: after the first command.
        """
        if self.pending:
            raise SessionError("multi() comes before the first command. Way out: leave it out")
        self._answers_at_once = False

    def execute(self) -> list[Any]:
        """Send everything; return the replies of reads and writes in the order said.

        Same as :meth:`commit`: a constructor gives its instance, ``delete()`` None, a collection its list.

        Raises:
            Conflict: where what was watched has changed; nothing was applied.
            CommitError: as for :meth:`commit`.
        """
        return self.commit()

    def reset(self) -> None:
        """Forget what was said; watch nothing any more."""
        self._answers_at_once = False
        self.rollback()

    def _planned(self, *, symbolic: bool = False) -> Plan:
        self._prepare()
        return super()._planned(symbolic=symbolic)

    def _apply(self, plan: Plan | None) -> Applied | None:
        self._answers_at_once = False
        self._prepare()
        return super()._apply(plan)

    def _limits(self) -> Limits:
        return attrs.evolve(super()._limits(), bare=self._bare)

    def _prepare(self) -> None:
        """Have the collections say what they will ask, as they are refined now."""
        commands = self._record.journal.commands
        for position, command in enumerate(commands):
            if isinstance(command, Look):
                commands[position] = prepared = command.of._prepared(command)
                self._record.overlay.speaking_of(prepared.model)


class TransactionPipeline(Pipeline):
    """The pipeline of :meth:`RedisDatabase.transaction`, which alone executes it."""

    def commit(self, plan: Plan | None = None) -> NoReturn:
        """Refuse: what is executed here could not be taken back when the function is called again.

        Raises:
            SessionError: always.
        """
        raise SessionError(
            "db.transaction() executes the pipeline itself, when the function returns. Way out: leave execute() out"
        )

    def _commit_all(self) -> list[Any]:
        """Execute (for ``transaction()``)."""
        return super().commit()


#: Who calls a function, and what to do where it is run later.
_TRANSACTION = (
    "db.transaction()",
    "a plain function; in an async def: await asyncio.to_thread(db.transaction, function)",
)


def transact(
    database: context.Database,
    function: Callable[[Pipeline], Any],
    watches: Sequence[Any],
    value_from_callable: bool,
    retry_for: float | None,
) -> Any:
    """Do what :meth:`RedisDatabase.transaction` says."""
    check_called_at_once(function, *_TRANSACTION)
    flag(value_from_callable, "transaction(value_from_callable=...)")
    patience = database._retry_for if retry_for is None else span(retry_for, "transaction(retry_for=...)")
    deadline = time.monotonic() + patience
    attempt = 0
    while True:
        attempt += 1
        pipeline = TransactionPipeline(database, attempts=1)
        try:
            with pipeline:
                pipeline._begin_reading(*watches)
                value = at_once(function, function(pipeline), *_TRANSACTION)
                replies = pipeline._commit_all()
                return value if value_from_callable else replies
        except Conflict:
            if pipeline.outcome != "not applied":
                raise  # of something that the function called, then or after EXEC
            if time.monotonic() >= deadline:
                raise
        time.sleep(back_off(attempt))
