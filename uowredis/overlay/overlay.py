"""The data as it will be right after the commit: what the server holds, with what is pending over it (ask, decide)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from uowredis.commands.arguments import Placeholder
from uowredis.commands.calls import Call
from uowredis.commands.commands import Read, references, resolved
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Column, Filter, Query
from uowredis.commands.replies import plain
from uowredis.exceptions import DoesNotExist, PendingWrites, SessionError, UowError
from uowredis.executor.server import Server
from uowredis.executor.watched import WatchedReads
from uowredis.overlay.deletions import Gone, reach
from uowredis.overlay.order import Row
from uowredis.overlay.queries import Touched
from uowredis.overlay.reads import Answer
from uowredis.plan.printing import quoted
from uowredis.plan.steps import counting
from uowredis.planner import Journal, Life, Limits, Planner
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.models import ModelSchema

_log = logging.getLogger("uowredis")


class Overlay:
    """What a session sees; with nothing pending it is what the server holds.

    Args:
        database: whose models.
        rehearsal: where pending commands are tried.
        dry_run: allocate no primary keys.
        watches: whatever is read is watched until the commit.
        echo: log what is sent.

    Attributes:
        standing: what was read under watch, None where nothing was.
    """

    def __init__(
        self,
        database: Server,
        rehearsal: Rehearsal,
        *,
        dry_run: bool = False,
        watches: bool = False,
        echo: bool = False,
    ) -> None:
        self.watches = watches
        self.standing: WatchedReads | None = None
        self.journal = Journal()
        self.rehearsal = rehearsal
        self._database = database
        self._connected = database.connected
        self._touched = Touched()
        self._dry_run = dry_run
        self._echo = echo

    def check_connection(self) -> None:
        """Check that the database is still where it was when the session began.

        Raises:
            SessionError: where ``connect()`` has switched it meanwhile.
        """
        if self._database.connected is not self._connected:
            raise SessionError(
                "The database was connected to another server while the session was open. Way out: rollback(), and say "
                "it again in a new session"
            )

    def forget(self, kept: int = 0) -> None:
        """Forget what is pending but for the first *kept* commands."""
        self.journal = self.journal.first(kept) if kept else Journal()
        self._touched = Touched()

    def watch(self, keys: Sequence[str]) -> None:
        """Watch *keys* from now until the commit."""
        self._stand().watch(keys)

    def _stand(self) -> WatchedReads:
        if self.standing is None:
            self.standing = WatchedReads(self._database)
        return self.standing

    def let_go(self) -> None:
        """Watch nothing any more."""
        if self.standing is not None:
            self.standing.close()
            self.standing = None

    def check_alive(self, identity: Identity) -> None:
        """Check that the object was not deleted and not forgotten.

        Raises:
            DoesNotExist: where it was.
        """
        if identity.state in (State.DELETED, State.FORGOTTEN):
            raise gone(identity)
        life = self.journal.find(identity)
        if life is not None and not life.alive:
            raise DoesNotExist(f"{identity} was deleted in this session; nothing was sent")

    def check_new(self, identity: Identity) -> None:
        """Check that a new object can be referred to here.

        Raises:
            DoesNotExist: where it was deleted, or made in a session that was rolled back.
            SessionError: where another session creates it.
        """
        self.check_alive(identity)
        if identity.state is not State.EMPTY and self.journal.find(identity) is None:
            raise elsewhere(identity)

    def allocate(self, identities: Sequence[Identity]) -> None:
        """Give new objects their pks now, in one round trip; a dry run gives none.

        Raises:
            SessionError: where another session creates one of them.
        """
        new = [identity for identity in identities if identity.pk is None]
        for identity in new:
            if self.journal.find(identity) is None:
                raise elsewhere(identity)
        if not new or self._dry_run:
            return
        counters = self.journal.counters(new)
        self.journal.allocate(counters, self.peek(counting(counters)), new)

    def read_all(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer several *reads* as they will be answered right after the commit, in one round trip.

        Raises:
            DoesNotExist: where an object was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        reads = [self._known(read) for read in reads]
        gone = self._gone()
        answers = [self._answer(read, gone) for read in reads]
        new = [identity for answer in answers if isinstance(answer, Answer) for identity in answer.refers_to()]
        if new and not self._dry_run:
            self.allocate(list(dict.fromkeys(new)))
            answers = [self._answer(read, gone) for read in reads]
        found = self._settled(reads, answers)
        return [_with_placeholders(answer, new) for answer in found] if new and self._dry_run else found

    def _settled(self, reads: Sequence[Read[Any]], answers: Sequence[Answer | tuple[Call, ...]]) -> list[Any]:
        calls = [answer.calls if isinstance(answer, Answer) else answer for answer in answers]
        replies = iter(self.ask([call for each in calls for call in each]))
        return [
            answer.settle(self.rehearsal, [plain(next(replies)) for _ in answer.calls])
            if isinstance(answer, Answer)
            else read.decode(next(replies) if answer else [])
            for read, answer in zip(reads, answers, strict=True)
        ]

    def _known(self, read: Read[Any]) -> Read[Any]:
        """Return *read* with the pks of the new objects that it refers to."""
        referred = references(read)
        if not referred:
            return read
        for identity in referred:
            self.check_new(identity)
        self.allocate([identity for identity in dict.fromkeys(referred) if identity.state is not State.EMPTY])
        return resolved(read)

    def _gone(self) -> Gone:
        """Return what will no longer be there right after the commit.

        Raises:
            PendingWrites: where the commit would be refused as things stand.
        """
        if not any(reach(self.journal).values()):
            return Gone(self.journal)
        planner = Planner(self.journal, self.rehearsal, Limits(None))
        turns = planner.turns()
        try:
            fetch = next(turns)
            while True:
                replies = self.ask([question.call for question in fetch.questions])
                fetch = turns.send([None] * len(fetch.counters) + replies)
        except StopIteration:
            pass
        except UowError as error:
            raise PendingWrites(
                f"What is deleted with others cannot be known before the commit: {error}. Way out: commit first"
            ) from error
        return Gone(self.journal, planner.cascaded)

    def _answer(self, read: Read[Any], ended: Gone) -> Answer | tuple[Call, ...]:
        """Return how to answer *read* over what is pending, or the call that answers it as it is."""
        if read.identity.state in (State.DELETED, State.FORGOTTEN):
            raise gone(read.identity)
        if read.members == ():
            return ()
        life = self.journal.find(read.identity)
        if (life is None and read.identity.pk is None) or ended.holds(read.identity.model, read.identity.pk, life):
            life = Journal.of_nothing(read.identity)
        answer = Answer.of(read, life, ended.cleared(read))
        return (read_call(read),) if answer is None else answer

    def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* in one round trip, under watch where reads are watched; return the raw replies."""
        if not calls or not self.watches:
            return self.peek(calls)
        self._log(calls)
        return self._stand().ask(calls)

    def peek(self, calls: Sequence[Call]) -> list[Any]:
        """Send *calls* that the caller does not decide on in one round trip; return the raw replies."""
        if not calls:
            return []
        self._log(calls)
        return self._database.executor.ask(calls)

    def _log(self, calls: Sequence[Call]) -> None:
        if self._echo:
            for call in calls:
                _log.info("%s", quoted(call))

    def holds(self, model: ModelSchema, pk: str) -> bool:
        """Return whether the object is there, as it will be right after the commit."""
        life = self.journal.with_pk(model, pk)
        if self._gone().holds(model, pk, life):
            return False
        if life is not None and not life.from_server:
            return life.alive
        return bool(self.ask((("SISMEMBER", model.keys.collection, pk),))[0])

    def touches(self, model: ModelSchema) -> bool:
        """Return whether something pending changes objects of *model*, or may."""
        if not self.journal.commands:
            return False
        return self._touched.of(self.journal).any_of(model) or model in reach(self.journal)

    def changes(self, key: str) -> bool:
        """Return whether a pending write may change *key*."""
        if any(self._touched.of(self.journal).may_change(life, key) for life in self.journal):
            return True
        return any(model.keys.owns(key) for model in reach(self.journal))

    def merge(
        self, model: ModelSchema, filters: Sequence[Filter], names: frozenset[str], found: Sequence[str]
    ) -> tuple[list[str], list[Identity]]:
        """Return which of the pks *found* by the server hold as they are, and the touched objects that match.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        if any(condition.field.relation is not None for condition in filters):
            # One of those that are not known yet might turn out to be the one that is asked for.
            self.allocate(self.journal.waiting)
        gone = self._gone()
        if any(gone.ends(model, condition) for condition in filters):
            return [], []
        found = [pk for pk in found if not gone.holds(model, pk)]
        merging = self._touched.of(self.journal).merge(self.journal, self.rehearsal, model, filters, names, found)
        try:
            calls = next(merging)
            while True:
                calls = merging.send([plain(reply) for reply in self.ask(calls)])
        except StopIteration as end:
            kept, lives = end.value
            return kept, [life.current for life in lives if not gone.holds(model, life.identity.pk, life)]

    def clear(self, rows: Sequence[Row], by: Column | None, columns: Sequence[Column]) -> list[Row]:
        """Return *rows* that the server found, without references to what is deleted.

        Args:
            rows: with the values of *columns*.
            by: the value they are ordered by.
            columns: the other values.
        """
        if not self.journal.deleted:
            return list(rows)
        gone = self._gone()

        def kept(column: Column | None, value: str | None) -> str | None:
            cleared = column is not None and column.field is not None and gone.clears(column.field, value)
            return None if cleared else value

        return [Row(row.pk, kept(by, row.by), tuple(map(kept, columns, row.values))) for row in rows]

    def find(self, model: ModelSchema, filters: Sequence[Filter]) -> list[Identity | str]:
        """Return the objects that match all *filters*, as they will be right after the commit.

        Returns:
            Pks, and the identities of those that the session touched.
        """
        query = Query(model, tuple(filters))
        found = query.members_of([plain(reply) for reply in self.ask(query.members())])
        kept, identities = self.merge(model, filters, query.names, found)
        return [*kept, *identities]

    def created(self, model: ModelSchema, pk: str) -> Identity | None:
        """Return the identity of the object with *pk* where it is pending itself; its handles share its fate."""
        life = self._pending(model, pk)
        return None if life is None or not life.alive or life.create is None else life.current

    def _pending(self, model: ModelSchema, pk: str) -> Life | None:
        known = self.journal.with_pk(model, pk)
        return self.journal.unallocated(model, pk) if known is None and isinstance(pk, Placeholder) else known

    def are_pending(self, model: ModelSchema, pks: Sequence[str]) -> dict[str, bool | None]:
        """Return whether the objects with *pks* will be there by what is pending alone, None where nothing is said."""
        gone = self._gone()
        found: dict[str, bool | None] = {}
        for pk in pks:
            life = self._pending(model, pk)
            found[pk] = False if gone.holds(model, pk, life) else None if life is None else life.alive
        return found


def _with_placeholders(answer: Any, new: Sequence[Identity]) -> Any:
    """Return *answer* with the very placeholders of *new* objects, which fields that refer to objects take."""
    known = {identity.placeholder: identity.reference for identity in new}

    def placed(item: Any) -> Any:
        if isinstance(item, str):
            return known.get(item, item)
        if isinstance(item, dict):
            return {placed(key): placed(value) for key, value in item.items()}
        return type(item)(map(placed, item)) if isinstance(item, list | tuple | set) else item

    return placed(answer)


def read_call(read: Read[Any]) -> Call:
    """Return the call of *read*; its object has a pk."""
    assert read.identity.pk is not None
    return (read.name, read.identity.model.keys.storage(read.identity.pk, read.storage), *read.args)


def elsewhere(identity: Identity) -> SessionError:
    """Return the error for a new object of another session."""
    return SessionError(
        f"{identity} is created by a session that is open elsewhere. Way out: use it there, or commit it first"
    )


def gone(identity: Identity) -> DoesNotExist:
    """Return the error for an object that is no longer, or never was."""
    return DoesNotExist(
        f"{identity} {identity.state.value}; nothing was sent. Way out: create a new {identity.model.name}"
    )
