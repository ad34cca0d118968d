"""Runs queries: on the server where it can, over what is pending where the session touched the model (do).

On the server a query is one round trip. Over pending writes, by scores, and by text primary keys what the server finds
is fetched, merged with what the session touched, and ordered here.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Column, Order, Query, Sorting
from uowredis.commands.replies import as_text, plain
from uowredis.exceptions import PendingWrites, Rejected
from uowredis.executor.server import Server
from uowredis.overlay.order import Row, ordered
from uowredis.schema.keys import Keys
from uowredis.schema.models import Kind
from uowredis.session.session import Session
from uowredis.session.single import alone

_NOT_A_NUMBER = "can't be converted into double"


@attrs.frozen
class Search:
    """One query, to be run now.

    Attributes:
        session: the open session, None where there is none.
        with_scores: the scores that order are wanted, too.
    """

    database: Server
    session: Session | None
    query: Query
    with_scores: bool = False

    @property
    def over_pending(self) -> bool:
        """Whether the session touched objects of the model."""
        return self.session is not None and self.session.overlay.touches(self.query.model)

    @property
    def watches(self) -> bool:
        """Whether what is read must stay as it is until the commit of the session."""
        return self.session is not None and self.session.overlay.watches

    def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* in one round trip; return their plain replies."""
        asked = (self.session or alone(self.database)).overlay.ask
        return [plain(reply) for reply in asked(calls)]

    def members(self) -> list[str]:
        """Return the pks that match, in no order."""
        if self.query.within == frozenset():
            return []
        found = self.query.members_of(self.ask(self.query.members()))
        if not self.over_pending:
            return found
        kept, identities = self._merged(found)
        assert self.session is not None
        return kept + self.session.allocate_all(identities)

    def count(self) -> int:
        """Return how many match (SCARD where it is one set)."""
        query = self.query
        if len(query.keys) == 1 and query.within is None and not query.scored and not self.over_pending:
            counted: int = self.ask((("SCARD", query.keys[0]),))[0]
            return counted
        return len(self.members())

    def table(self, start: int = 0, count: int | None = None) -> list[tuple[str | None, ...]]:
        """Return what matches, ordered, from *start* on, at most *count*: the values of the columns, or the pk.

        With ``with_scores`` the score comes last.
        """
        if self.query.within == frozenset():
            return []
        if self.on_server():
            return self.rows_of(self._send(self.sorting(start, count, temporary_key(self.query.model.keys))))
        rows = self._ordered_here()[start : None if count is None else start + count]
        if self.with_scores:
            return [(*row.values, row.by) for row in rows]
        return [row.values or (row.pk,) for row in rows]

    def rows_of(self, flat: Sequence[Any]) -> list[tuple[str | None, ...]]:
        """Return the plain reply of SORT, one value after another, as rows."""
        return list(zip(*[iter(flat)] * len(self._columns()), strict=True))

    def _ordered_here(self) -> list[Row]:
        rows, order = self._all_rows(), self.query.order
        if order is None:
            return rows
        self._check_order(order)
        try:
            return ordered(rows, order)
        except ValueError as error:
            raise _not_numbers(f"{error}") from error

    def on_server(self) -> bool:
        """Whether the server can order and cut."""
        order = self.query.order
        if self.over_pending or self.watches or (order is not None and order.scores is not None):
            return False
        return order is None or order.column is not None or order.alpha or self.query.model.auto

    def sorting(self, start: int, count: int | None, temporary: str) -> Sorting:
        """Return the calls that order and cut on the server."""
        order = self.query.order
        limit = None if start == 0 and count is None else (start, -1 if count is None else count)
        by = "nosort" if order is None else None if order.column is None else order.column.pattern
        return self.query.sort(temporary, by, limit, [column.pattern for column in self._columns()])

    def _columns(self) -> tuple[Column, ...]:
        return self.query.columns or (Column.of(self.query.model, "pk"),)

    def _send(self, sorting: Sorting) -> list[Any]:
        try:
            if len(sorting.calls) > 1:
                answer: list[Any] = plain(self.database.executor.transact(sorting.calls)[sorting.answer])
                return answer
            found: list[Any] = self.ask(self._allowed(sorting.calls))[0]
            return found
        except Rejected as error:
            if _NOT_A_NUMBER in str(error):
                raise _not_numbers(str(error)) from error
            if "READONLY" not in str(error) or len(sorting.calls) > 1 or self.database.executor.read_only:
                raise
        self.database.executor.read_only = True
        return self._send(sorting)

    def _allowed(self, calls: tuple[Call, ...]) -> tuple[Call, ...]:
        """Return SORT as SORT_RO (Redis 7.0) where the server showed to be a read-only replica."""
        if not self.database.executor.read_only:
            return calls
        return tuple(("SORT_RO", *call[1:]) if call[0] == "SORT" else call for call in calls)

    def _all_rows(self) -> list[Row]:
        rows = self._watched_rows() if self.watches else self._found_rows()
        query = self.query
        if query.order is None or query.order.scores is None:
            return rows
        scores = query.order.scores
        return [attrs.evolve(row, by=scores.get(row.pk)) for row in rows]

    def _watched_rows(self) -> list[Row]:
        """Return what matches with its values, read key by key: a SORT would not tell what to watch."""
        found = self.query.members_of(self.ask(self.query.members()))
        kept, identities = self._merged(found) if self.over_pending else (found, [])
        return self._pending_rows([Identity(self.query.model, pk, State.STORED) for pk in kept] + identities)

    def _found_rows(self) -> list[Row]:
        query = self.query
        by = None if query.order is None else query.order.column
        gets = [Column.of(query.model, "pk"), *([] if by is None else [by]), *query.columns]
        temporary = temporary_key(query.model.keys)
        flat = self._send(query.sort(temporary, "nosort", None, [column.pattern for column in gets]))
        pieces = [flat[at : at + len(gets)] for at in range(0, len(flat), len(gets))]
        offset = len(gets) - len(query.columns)
        rows = [Row(piece[0], piece[1] if by is not None else None, tuple(piece[offset:])) for piece in pieces]
        return self._over_pending(rows) if self.over_pending else rows

    def _merged(self, found: Sequence[str]) -> tuple[list[str], list[Identity]]:
        query, session = self.query, self.session
        assert session is not None
        kept, identities = session.overlay.merge(query.model, query.filters, query.names, found)
        if query.within is not None or query.sets:
            # Which of them are meant is known by their pks only.
            session.allocate_all(identities)
        if query.within is not None:
            identities = [identity for identity in identities if identity.reference in query.within]
        if query.sets:
            identities = [identity for identity in identities if identity.pk is not None]
            calls = [
                ("ZSCORE" if scored else "SISMEMBER", key, identity.pk or "")
                for identity in identities
                for key, scored in query.sets
            ]
            replies = iter(self.ask(calls))
            # Each takes as many replies as there are sets, whatever the first of them says.
            marks = [[next(replies) for _ in query.sets] for _ in identities]
            there = [None not in each and 0 not in each for each in marks]
            identities = [identity for identity, in_all in zip(identities, there, strict=True) if in_all]
        return kept, identities

    def _over_pending(self, rows: list[Row]) -> list[Row]:
        kept, identities = self._merged([row.pk for row in rows])
        as_they_are = frozenset(kept)
        assert self.session is not None
        by = None if self.query.order is None else self.query.order.column
        found = self.session.overlay.clear([row for row in rows if row.pk in as_they_are], by, self.query.columns)
        return found + self._pending_rows(identities)

    def _pending_rows(self, identities: Sequence[Identity]) -> list[Row]:
        """Return the rows of objects that the session touched, with their values to be."""
        session, order = self.session, self.query.order
        assert session is not None
        pks = session.allocate_all(identities)
        by = None if order is None else order.column
        columns = [*([] if by is None else [by]), *self.query.columns]
        reads = [_read(identity, column) for identity in identities for column in columns if column.field is not None]
        values = iter(session.overlay.read_all(reads))
        rows = []
        for pk in pks:
            found = [pk if column.field is None else next(values) for column in columns]
            rows.append(Row(pk, found[0] if by is not None else None, tuple(found[by is not None :])))
        return rows

    def _check_order(self, order: Order) -> None:
        if order.alpha and order.scores is None and self.over_pending and not self._sorts_by_bytes():
            raise PendingWrites(
                "A text sort over pending writes cannot be exact: this server sorts text by its locale (LC_COLLATE is "
                "not C). Way out: commit first, or sort the values yourself"
            )

    def _sorts_by_bytes(self) -> bool:
        executor = self.database.executor
        if executor.sorts_by_bytes is None:
            key = temporary_key(self.query.model.keys)
            calls = (("SADD", key, "a", "B"), ("SORT", key, "ALPHA"), ("DEL", key))
            executor.sorts_by_bytes = executor.transact(calls)[1] == [b"B", b"a"]
        return executor.sorts_by_bytes

    def existing(self, pks: Sequence[str]) -> list[str]:
        """Return those of *pks* that are there (SMISMEMBER), as they will be right after the commit."""
        model, session = self.query.model, self.session
        known = {} if session is None else session.overlay.are_pending(model, pks)
        asked = [pk for pk in pks if known.get(pk) is None]
        there = {pk for pk, alive in known.items() if alive}
        if asked:
            (reply,) = self.ask((("SMISMEMBER", model.keys.collection, *asked),))
            there |= {pk for pk, found in zip(asked, reply, strict=True) if found}
        return [pk for pk in pks if pk in there]

    def values_of(self, pks: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Return the values of *pks*, in their order, whether they match or not."""
        identities = [Identity(self.query.model, pk, State.STORED) for pk in pks]
        pending = {} if self.session is None else self.session.overlay.are_pending(self.query.model, pks)
        gone = {pk for pk, alive in pending.items() if alive is False}
        reads = [
            _read(identity, column)
            for identity in identities
            for column in self._columns()
            if column.field is not None and identity.pk not in gone
        ]
        session = alone(self.database) if self.session is None else self.session
        values = iter(session.overlay.read_all(reads))
        return [
            tuple(pk if c.field is None else None if pk in gone else next(values) for c in self._columns())
            for pk in pks
        ]


def _read(identity: Identity, column: Column) -> Read[Any]:
    field = column.field
    assert field is not None
    if field.kind is Kind.ENTRY:
        return Read(identity, field.storage, field, "HGET", (field.name,), as_text, (field.name,))
    return Read(identity, field.storage, field, "GET", (), as_text)


def temporary_key(keys: Keys) -> str:
    """Return a new temporary key; it is gone with the transaction that uses it."""
    return keys.temporary(secrets.token_hex(8))


def _not_numbers(reason: str) -> Rejected:
    return Rejected(f"The values sorted by are not numbers ({reason}). Way out: sort(..., alpha=True) for text")
