"""Runs queries: on the server where it can, over what is pending where the session touched the model (decide).

On the server a query is one round trip. Over pending writes, by scores, and by text primary keys what the server finds
is fetched, merged with what the session touched, and ordered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Column, Order, Query, Sorting
from uowredis.commands.replies import as_text, plain
from uowredis.exceptions import PendingWrites, Rejected
from uowredis.overlay.order import Row, ordered
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Collation, Deciding, Transact
from uowredis.schema.models import Kind

_NOT_A_NUMBER = "can't be converted into double"


@attrs.frozen
class Search:
    """One query, to be run now over what is pending; each question is a generator of requests.

    Attributes:
        overlay: what is pending, and how it is read.
        with_scores: the scores that order are wanted, too.
    """

    overlay: Overlay
    query: Query
    with_scores: bool = False

    @property
    def over_pending(self) -> bool:
        """Whether the session touched objects of the model."""
        return self.overlay.touches(self.query.model)

    def ask(self, calls: Sequence[Call]) -> Deciding[list[Any]]:
        """Read in one round trip; return the plain replies."""
        return [plain(reply) for reply in (yield from self.overlay.ask(calls))]

    def matching(self) -> Deciding[tuple[list[str], list[Identity]]]:
        """Return what matches, in no order: pks that the server finds, and objects that the session touched."""
        if self.query.within == frozenset():
            return [], []
        found = self.query.members_of((yield from self.ask(self.query.members())))
        return (yield from self._merged(found)) if self.over_pending else (found, [])

    def members(self) -> Deciding[list[str]]:
        """Return the pks that match, in no order."""
        kept, identities = yield from self.matching()
        return kept + (yield from self.overlay.allocate(identities))

    def count(self) -> Deciding[int]:
        """Return how many match (SCARD where it is one set)."""
        query = self.query
        if len(query.keys) == 1 and query.within is None and not query.scored and not self.over_pending:
            counted: int = (yield from self.ask((("SCARD", query.keys[0]),)))[0]
            return counted
        kept, identities = yield from self.matching()
        return len(kept) + len(identities)

    def table(self, start: int = 0, count: int | None = None) -> Deciding[list[tuple[str | None, ...]]]:
        """Return what matches, ordered, from *start* on, at most *count*: the values of the columns, or the pk.

        With ``with_scores`` the score comes last.
        """
        if self.query.within == frozenset():
            return []
        if self.on_server():
            sorting = self.sorting(start, count, self.overlay.temporary(self.query.model.keys))
            return self.rows_of((yield from self._sorted(sorting)))
        rows = (yield from self._ordered_here())[start : None if count is None else start + count]
        if self.with_scores:
            return [(*row.values, row.by) for row in rows]
        return [row.values or (row.pk,) for row in rows]

    def rows_of(self, flat: Sequence[Any]) -> list[tuple[str | None, ...]]:
        """Return the plain reply of SORT, one value after another, as rows."""
        return list(zip(*[iter(flat)] * len(self._columns()), strict=True))

    def _ordered_here(self) -> Deciding[list[Row]]:
        order = self.query.order
        if order is not None:
            yield from self._check_order(order)
        rows = yield from self._all_rows()
        if order is None:
            return rows
        try:
            return ordered(rows, order)
        except ValueError as error:
            raise _not_numbers(f"{error}") from error

    def on_server(self) -> bool:
        """Whether the server can order and cut."""
        order = self.query.order
        if self.over_pending or self.overlay.watches or (order is not None and order.scores is not None):
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

    def _sorted(self, sorting: Sorting) -> Deciding[list[Any]]:
        try:
            if len(sorting.calls) > 1:
                answer: list[Any] = plain((yield Transact(sorting.calls))[sorting.answer])
                return answer
            found: list[Any] = (yield from self.ask(sorting.calls))[0]
            return found
        except Rejected as error:
            if _NOT_A_NUMBER in str(error):
                raise _not_numbers(str(error)) from error
            raise

    def _all_rows(self) -> Deciding[list[Row]]:
        rows = yield from (self._watched_rows() if self.overlay.watches else self._found_rows())
        query = self.query
        if query.order is None or query.order.scores is None:
            return rows
        scores = query.order.scores
        return [attrs.evolve(row, by=scores.get(row.pk)) for row in rows]

    def _watched_rows(self) -> Deciding[list[Row]]:
        """Return what matches with its values, read key by key: a SORT would not tell what to watch."""
        found = self.query.members_of((yield from self.ask(self.query.members())))
        kept, identities = (yield from self._merged(found)) if self.over_pending else (found, [])
        stored = [Identity(self.query.model, pk, State.STORED) for pk in kept]
        return (yield from self._pending_rows(stored + identities))

    def _found_rows(self) -> Deciding[list[Row]]:
        query = self.query
        by = None if query.order is None else query.order.column
        gets = [Column.of(query.model, "pk"), *([] if by is None else [by]), *query.columns]
        temporary = self.overlay.temporary(query.model.keys)
        flat = yield from self._sorted(query.sort(temporary, "nosort", None, [column.pattern for column in gets]))
        pieces = [flat[at : at + len(gets)] for at in range(0, len(flat), len(gets))]
        offset = len(gets) - len(query.columns)
        rows = [Row(piece[0], piece[1] if by is not None else None, tuple(piece[offset:])) for piece in pieces]
        return (yield from self._over_pending(rows)) if self.over_pending else rows

    def _merged(self, found: Sequence[str]) -> Deciding[tuple[list[str], list[Identity]]]:
        query, overlay = self.query, self.overlay
        kept, identities = yield from overlay.merge(query.model, query.filters, query.names, found)
        if query.within is not None or query.sets:
            # Which of them are meant is known by their pks only.
            yield from overlay.allocate(identities)
        if query.within is not None:
            identities = [identity for identity in identities if identity.reference in query.within]
        if query.sets:
            identities = [identity for identity in identities if identity.pk is not None]
            calls = [
                ("ZSCORE" if scored else "SISMEMBER", key, identity.pk or "")
                for identity in identities
                for key, scored in query.sets
            ]
            replies = iter((yield from self.ask(calls)))
            # Each takes as many replies as there are sets, whatever the first of them says.
            marks = [[next(replies) for _ in query.sets] for _ in identities]
            there = [None not in each and 0 not in each for each in marks]
            identities = [identity for identity, in_all in zip(identities, there, strict=True) if in_all]
        return kept, identities

    def _over_pending(self, rows: list[Row]) -> Deciding[list[Row]]:
        kept, identities = yield from self._merged([row.pk for row in rows])
        as_they_are = frozenset(kept)
        by = None if self.query.order is None else self.query.order.column
        stored = [row for row in rows if row.pk in as_they_are]
        found = yield from self.overlay.clear(stored, by, self.query.columns)
        return found + (yield from self._pending_rows(identities))

    def _pending_rows(self, identities: Sequence[Identity]) -> Deciding[list[Row]]:
        """Return the rows of objects that the session touched, with their values to be."""
        order = self.query.order
        pks = yield from self.overlay.allocate(identities)
        by = None if order is None else order.column
        columns = [*([] if by is None else [by]), *self.query.columns]
        reads = [_read(identity, column) for identity in identities for column in columns if column.field is not None]
        values = iter((yield from self.overlay.read_all(reads)))
        rows = []
        for pk in pks:
            found = [pk if column.field is None else next(values) for column in columns]
            rows.append(Row(pk, found[0] if by is not None else None, tuple(found[by is not None :])))
        return rows

    def _check_order(self, order: Order) -> Deciding[None]:
        if order.alpha and order.scores is None and self.over_pending:
            by_bytes = yield Collation(self.overlay.temporary(self.query.model.keys))
            if not by_bytes:
                raise PendingWrites(
                    "A text sort over pending writes cannot be exact: this server sorts text by its locale (LC_COLLATE "
                    "is not C). Way out: commit first, or sort the values yourself"
                )

    def existing(self, pks: Sequence[str]) -> Deciding[list[str]]:
        """Return those of *pks* that are there (SMISMEMBER), as they will be right after the commit."""
        model = self.query.model
        known = yield from self.overlay.are_pending(model, pks)
        asked = [pk for pk in pks if known[pk] is None]
        there = {pk for pk, alive in known.items() if alive}
        if asked:
            (reply,) = yield from self.ask((("SMISMEMBER", model.keys.collection, *asked),))
            there |= {pk for pk, found in zip(asked, reply, strict=True) if found}
        return [pk for pk in pks if pk in there]

    def values_of(self, pks: Sequence[str]) -> Deciding[list[tuple[str | None, ...]]]:
        """Return the values of *pks*, in their order, whether they match or not."""
        identities = [Identity(self.query.model, pk, State.STORED) for pk in pks]
        pending = yield from self.overlay.are_pending(self.query.model, pks)
        gone = {pk for pk, alive in pending.items() if alive is False}
        reads = [
            _read(identity, column)
            for identity in identities
            for column in self._columns()
            if column.field is not None and identity.pk not in gone
        ]
        values = iter((yield from self.overlay.read_all(reads)))
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


def _not_numbers(reason: str) -> Rejected:
    return Rejected(f"The values sorted by are not numbers ({reason}). Way out: sort(..., alpha=True) for text")
