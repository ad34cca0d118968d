"""The data as it will be right after the commit: what the server holds, with what is pending over it (ask, decide)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from uowredis.commands import Identity, Read, State
from uowredis.content import Call
from uowredis.database import RedisDatabase
from uowredis.exceptions import DoesNotExist, SessionError
from uowredis.planner import Life, Lives
from uowredis.planner.answers import Answer
from uowredis.planner.touched import Touched
from uowredis.printing import quoted
from uowredis.query import Filter, Query
from uowredis.rehearsal import Rehearsal
from uowredis.schema import ModelSchema
from uowredis.spelling import plain

_log = logging.getLogger("uowredis")


class View:
    """What a session sees; with nothing pending it is what the server holds.

    Args:
        database: whose models.
        rehearsal: where pending commands are tried.
        echo: log what is sent.
    """

    def __init__(self, database: RedisDatabase, rehearsal: Rehearsal, *, echo: bool = False) -> None:
        self.lives = Lives()
        self.rehearsal = rehearsal
        self._database = database
        self._connected = database.connected
        self._touched = Touched()
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

    def forget(self) -> None:
        """Forget what is pending."""
        self.lives = Lives()
        self._touched = Touched()

    def check_alive(self, identity: Identity) -> None:
        """Check that the object was not deleted and not forgotten.

        Raises:
            DoesNotExist: where it was.
        """
        if identity.state in (State.DELETED, State.FORGOTTEN):
            raise gone(identity)
        life = self.lives.find(identity)
        if life is not None and not life.alive:
            raise DoesNotExist(f"{identity} was deleted in this session; nothing was sent")

    def read_all(self, reads: Sequence[Read[Any]]) -> list[Any]:
        """Answer several *reads* as they will be answered right after the commit, in one round trip.

        Raises:
            DoesNotExist: where an object was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        answers = [self._answer(read) for read in reads]
        calls = [answer.calls if isinstance(answer, Answer) else answer for answer in answers]
        replies = iter(self.ask([call for each in calls for call in each]))
        return [
            answer.settle(self.rehearsal, [plain(next(replies)) for _ in answer.calls])
            if isinstance(answer, Answer)
            else read.decode(next(replies) if answer else [])
            for read, answer in zip(reads, answers, strict=True)
        ]

    def _answer(self, read: Read[Any]) -> Answer | tuple[Call, ...]:
        """Return how to answer *read* over what is pending, or the call that answers it as it is."""
        if read.identity.state in (State.DELETED, State.FORGOTTEN):
            raise gone(read.identity)
        if read.members == ():
            return ()
        life = self.lives.find(read.identity)
        if life is None and read.identity.pk is None:
            life = Lives.of_nothing(read.identity)
        answer = None if life is None else Answer.of(read, life)
        return (read_call(read),) if answer is None else answer

    def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* in one round trip; return the raw replies."""
        if not calls:
            return []
        if self._echo:
            for call in calls:
                _log.info("%s", quoted(call))
        return self._database.executor.ask(calls)

    def holds(self, model: ModelSchema, pk: str) -> bool:
        """Return whether the object is there, as it will be right after the commit."""
        life = self.lives.with_pk(model, pk)
        if life is not None and not life.from_server:
            return life.alive
        if life is not None and not life.alive:
            return False
        return bool(self.ask((("SISMEMBER", model.keys.collection, pk),))[0])

    def touches(self, model: ModelSchema) -> bool:
        """Return whether something is pending for objects of *model*."""
        return bool(self.lives.commands) and self._touched.of(self.lives).any_of(model)

    def changes(self, key: str) -> bool:
        """Return whether a pending write may change *key*."""
        return any(self._touched.of(self.lives).may_change(life, key) for life in self.lives)

    def merge(
        self, model: ModelSchema, filters: Sequence[Filter], names: frozenset[str], found: Sequence[str]
    ) -> tuple[list[str], list[Identity]]:
        """Return which of the pks *found* by the server hold as they are, and the touched objects that match.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        merging = self._touched.of(self.lives).merge(self.lives, self.rehearsal, model, filters, names, found)
        try:
            calls = next(merging)
            while True:
                calls = merging.send([plain(reply) for reply in self.ask(calls)])
        except StopIteration as end:
            kept, lives = end.value
            return kept, [life.current for life in lives]

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
        return self.lives.with_pk(model, pk) or self.lives.unallocated(model, pk)

    def is_pending(self, model: ModelSchema, pk: str) -> bool | None:
        """Return whether the object with *pk* will be there by what is pending alone, None where nothing is said."""
        life = self._pending(model, pk)
        return None if life is None else life.alive


def read_call(read: Read[Any]) -> Call:
    """Return the call of *read*; its object has a pk."""
    assert read.identity.pk is not None
    return (read.name, read.identity.model.keys.storage(read.identity.pk, read.storage), *read.args)


def gone(identity: Identity) -> DoesNotExist:
    """Return the error for an object that is no longer, or never was."""
    return DoesNotExist(
        f"{identity} {identity.state.value}; nothing was sent. Way out: create a new {identity.model.name}"
    )
