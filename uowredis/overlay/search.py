"""Runs queries: on the server where it can, over what is pending where the session touched the model (decide).

On the server a query is one round trip. Over pending writes, by scores, and by text primary keys what the server finds
is fetched, merged with what the session touched, and ordered here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Column, Order, Sorting
from uowredis.commands.replies import as_text, plain, plainly
from uowredis.commands.where import Everything, Filter, leaves, spans_of
from uowredis.exceptions import Rejected
from uowredis.overlay.matching import Matching
from uowredis.overlay.order import Ranks, Row, compared, ordered, tie, ties_ordered
from uowredis.plan.requests import Collation, Deciding, Transact
from uowredis.schema.models import Kind, ModelSchema

#: What was found, by column: the values of one under another, of each object in its place; as text, or, where a type
#: reads many replies at once, as they came.
Columns: TypeAlias = Sequence[Sequence[Any]]

#: How many more are fetched on each side of a cut, for what is equal there.
_MARGIN = 100

#: Texts that one call gives the server to order.
_AT_ONCE = 1_000

_NOT_A_NUMBER = "can't be converted into double"

#: What a server answers to BY and GET of a user who may not read all keys.
_NO_PATTERNS = "of SORT denied due to insufficient ACL permissions"


@attrs.frozen
class Layout:
    """What is the same for all searches of a model with one order and the same columns.

    Attributes:
        columns: the values that are wanted.
        all_columns: what rows are made of: the primary key, what orders, and the columns, each once.
        places: which of all columns has a pattern.
        may_tie: whether the server may leave open which of equal values comes first, or decides it otherwise.
        gets: what the server gets where it orders; what is equal is ordered here, and more is needed for it.
    """

    columns: tuple[Column, ...]
    all_columns: tuple[Column, ...]
    places: Mapping[str, int]
    may_tie: bool
    gets: tuple[Column, ...]

    @classmethod
    @functools.lru_cache(maxsize=4096)
    def of(cls, model: ModelSchema, order: Order | None, columns: tuple[Column, ...]) -> Layout:
        """Return that of a query with *order* and *columns*."""
        pk = Column.of(model, "pk")
        by = () if order is None else order.columns
        found: dict[str, Column] = {}
        for column in (pk, *by, *columns):
            found.setdefault(column.pattern, column)
        # Of equal numbers the server takes the primary keys by their bytes, which is right for chosen ones; of equal
        # texts any. Primary keys are never equal, but for what follows a NUL.
        if order is None or order.column is None:
            may_tie = order is not None and order.alpha and not model.auto
        else:
            may_tie = order.alpha or model.auto
        wanted, everything = columns or (pk,), tuple(found.values())
        places = {column.pattern: place for place, column in enumerate(everything)}
        return cls(wanted, everything, places, may_tie, everything if may_tie else wanted)


@attrs.frozen
class Once:
    """What answers a search in one round trip.

    Attributes:
        calls: what is asked.
        whole: it is one transaction.
        read: makes of the replies how many match, where that is wanted, and a table as :meth:`Search.table` gives it;
            None where what is equal at the cut does not lie within.
    """

    calls: tuple[Call, ...]
    whole: bool
    read: Callable[[Sequence[Any]], tuple[int, Columns] | None]


@attrs.frozen
class Replied:
    """What the server ordered: replies, column by column.

    Attributes:
        call: that was answered.
        columns: whose values they are.
        replies: to each.
    """

    call: Call
    columns: Sequence[Column]
    replies: Sequence[Sequence[Any]]

    def texts(self, column: int, places: Sequence[int] | None = None) -> Sequence[Any]:
        """Return the values of one column as text, all or those at *places*."""
        replies = self.replies[column]
        return plainly(self.call, replies if places is None else [replies[place] for place in places])  # type: ignore[no-any-return]

    def table(self, columns: Sequence[int] | None = None, places: Sequence[int] | None = None) -> Columns:
        """Return some *columns*, or all, of the objects at *places*, or of all."""
        table = []
        for column in range(len(self.columns)) if columns is None else columns:
            replies = self.replies[column]
            if places is not None:
                replies = [replies[place] for place in places]
            table.append(replies if self.columns[column].reads_replies else plainly(self.call, replies))
        return table


def _cut(sorting: Sorting, reply: Sequence[Any], gets: Sequence[Column]) -> Replied:
    """Return a *reply*, the values of *gets* of one object after another, by column."""
    width = len(gets)
    return Replied(sorting.calls[sorting.answer], gets, [reply[place::width] for place in range(width)])


@attrs.frozen
class Search(Matching):
    """One query, to be run now over what is pending, with its order and its values.

    Attributes:
        with_scores: the scores that order are wanted, too.
        total: takes how many match in all, where that is wanted, too.
    """

    with_scores: bool = False
    total: list[int] | None = None

    def table(self, start: int = 0, count: int | None = None) -> Deciding[Columns]:
        """Return what matches, ordered, from *start* on, at most *count*: the values of the columns, or the pk.

        With ``with_scores`` the score comes last.
        """
        if self.query.within == frozenset():
            return self._empty()
        settled = yield from self.settled(stores=True)
        return (yield from settled._table(start, count))

    def once(self, stop: int | None) -> Once | None:
        """Return what asks for the first ones up to *stop*, None where more must be known before."""
        query = self.query
        needed = any(not isinstance(leaf, Filter | Everything) for leaf in leaves(query.where))
        if needed or any(span.separator for _, span in spans_of(query.where)) or not self.on_server():
            return None
        if query.order is None and self._layout.gets == (Column.of(query.model, "pk"),) and self.total is None:
            asked = query.members(self._temporary)
            return Once(asked.calls, asked.whole, lambda replies: (0, [asked.read(_plain(asked.calls, replies))]))
        may_tie = self._layout.may_tie
        most = None if stop is None else stop + (_MARGIN if may_tie else 0)
        sorting = self.sorting(0, most, self._temporary)

        def read(replies: Sequence[Any]) -> tuple[int, Columns] | None:
            found = _cut(sorting, replies[sorting.answer], self._layout.gets)
            if may_tie:
                ends = most is None or len(found.replies[0]) < most
                if not self._lies_within(found, 0, stop, begins=True, ends=ends):
                    return None
                table = self._without_ties(found, 0, stop)
            else:
                table = found.table()
            return 0 if sorting.total is None else replies[sorting.total], table

        return Once(sorting.calls, len(sorting.calls) > (1 if sorting.total is None else 2), read)

    def _note(self, total: int) -> None:
        if self.total is not None:
            self.total[:] = (total,)

    def _empty(self) -> Columns:
        self._note(0)
        return [()] * (len(self._layout.columns) + self.with_scores)

    def _table(self, start: int, count: int | None) -> Deciding[Columns]:
        if self.query.within == frozenset() and not self.over_pending:
            return self._empty()
        if self.on_server():
            try:
                return (yield from self._ordered_there(start, count))
            except Rejected as error:
                if _NO_PATTERNS not in str(error):
                    raise
        rows = yield from self._ordered_here()
        self._note(len(rows))
        rows = rows[start : None if count is None else start + count]
        values = range(len(self.query.columns))
        table: list[Sequence[Any]] = [[row.values[place] for row in rows] for place in values]
        table = table or [[row.pk for row in rows]]
        return [*table, [row.by for row in rows]] if self.with_scores else table

    def _ordered_there(self, start: int, count: int | None) -> Deciding[Columns]:
        """Return what the server orders and cuts.

        Which of equal values come first, it leaves open, and another cut may find it otherwise. So more is fetched at
        both ends of the cut; where all that is equal to what is cut at does not lie within, everything is.
        """
        if not self._layout.may_tie:
            return (yield from self._sent(start, count)).table()
        first = max(0, start - _MARGIN)
        most = None if count is None else start - first + count + _MARGIN
        found = yield from self._sent(first, most)
        ends = most is None or len(found.replies[0]) < most
        if not self._lies_within(found, start - first, count, begins=first == 0, ends=ends):
            first, found = 0, (yield from self._sent(0, None))
        return self._without_ties(found, start - first, count)

    def _lies_within(self, found: Replied, offset: int, count: int | None, *, begins: bool, ends: bool) -> bool:
        """Return whether *found* holds all that is equal to the first and to the last one wanted.

        Args:
            found: as the server orders it.
            offset: of the first one wanted.
            count: how many are wanted, None for all that follow.
            begins: nothing comes before what was found.
            ends: nothing comes after it.
        """
        there = len(found.replies[0])
        stop = there if count is None else min(offset + count, there)
        if stop <= offset:
            return True
        places = (0, offset, stop - 1, there - 1)
        outer, first, last, end = self._compared(found, places)
        return (begins or outer != first) and (ends or end != last)

    def _sent(self, start: int, count: int | None) -> Deciding[Replied]:
        sorting = self.sorting(start, count, self._temporary)
        return _cut(sorting, (yield from self._sorted(sorting)), self._layout.gets)

    def columns_of(self, sorting: Sorting, reply: Sequence[Any]) -> Columns:
        """Return the *reply* to :meth:`sorting` for everything as columns in order."""
        found = _cut(sorting, reply, self._layout.gets)
        return self._without_ties(found, 0, None) if self._layout.may_tie else found.table()

    def _compared(self, found: Replied, places: Sequence[int] | None = None) -> Sequence[Any]:
        """Return what the server compared of each object *found*, or of those at *places*."""
        order = self.query.order
        assert order is not None
        return compared(found.texts(self._place(order.column), places), order)

    def _without_ties(self, found: Replied, start: int, count: int | None) -> Columns:
        """Return the columns wanted of what was *found*, what is equal by primary key, cut."""
        order, values = self.query.order, self._compared(found)
        assert order is not None
        places: Sequence[int] = range(len(values))
        if len(set(values)) < len(values):
            places = ties_ordered(found.texts(0), values, order.desc, self.query.model)
        return found.table(
            [self._place(column) for column in self._layout.columns],
            places[start : None if count is None else start + count],
        )

    def _place(self, column: Column | None) -> int:
        """Return which of all columns of the layout is *column*; the first is the primary key."""
        return 0 if column is None else self._layout.places[column.pattern]

    @functools.cached_property
    def _layout(self) -> Layout:
        return Layout.of(self.query.model, self.query.order, self.query.columns)

    def _rows(self, found: Replied) -> list[Row]:
        """Return all columns of the layout as rows."""
        texts = [found.texts(place) for place in range(len(found.columns))]
        by, *further = [None if column is None else self._place(column) for column in self._ordering()]
        places = [self._place(column) for column in self.query.columns]
        return [
            Row(
                row[0] or "",
                None if by is None else row[by],
                tuple([row[place] for place in places]),
                tuple([None if place is None else row[place] for place in further]),
            )
            for row in zip(*texts, strict=True)
        ]

    def _ordering(self) -> list[Column | None]:
        """Return the values that order, one after the other, None for the primary key."""
        order = self.query.order or Order()
        return [each.column for each in (order, *order.further)]

    def _ordered_here(self) -> Deciding[list[Row]]:
        return (yield from self.in_order((yield from self._all_rows())))

    def in_order(self, rows: list[Row]) -> Deciding[list[Row]]:
        """Return *rows* as the query orders them.

        Raises:
            Rejected: where numbers are compared and a value is none.
        """
        order = self.query.order
        if order is None:
            return rows
        try:
            return ordered(rows, order, self.query.model, (yield from self._ranks(rows, order)))
        except ValueError as error:
            raise _not_numbers(f"{error}") from error

    def on_server(self) -> bool:
        """Whether the server can order and cut."""
        order = self.query.order
        if self.over_pending or self.overlay.watches:
            return False
        if order is not None and (order.scores is not None or order.further):
            return False
        layout = self._layout
        if self.overlay.by_keys and (len(layout.gets) > 1 or any(column.field for column in layout.all_columns)):
            # While a slot moves, SORT gets nothing by its patterns of what has moved, without a word.
            return False
        return order is None or order.column is not None or order.alpha or self.query.model.auto

    def sorting(self, start: int, count: int | None, temporary: Callable[[], str]) -> Sorting:
        """Return the calls that order and cut on the server; *temporary* gives what begins temporary keys."""
        order = self.query.order
        limit = None if start == 0 and count is None else (start, -1 if count is None else count)
        by = "nosort" if order is None else None if order.column is None else order.column.pattern
        patterns = [column.pattern for column in self._layout.gets]
        return self.query.sort(temporary, by, limit, patterns, counting=self.total is not None)

    def _sorted(self, sorting: Sorting) -> Deciding[list[Any]]:
        """Return the reply as it comes."""
        try:
            needs_keys = len(sorting.calls) > (1 if sorting.total is None else 2)
            replies = (yield Transact(sorting.calls)) if needs_keys else (yield from self.overlay.ask(sorting.calls))
            if sorting.total is not None:
                self._note(replies[sorting.total])
            answer: list[Any] = replies[sorting.answer]
            return answer
        except Rejected as error:
            if _NOT_A_NUMBER in str(error):
                raise _not_numbers(str(error)) from error
            raise

    def _all_rows(self) -> Deciding[list[Row]]:
        if self.overlay.watches or self.overlay.by_keys:
            rows = yield from self._rows_by_keys()
        else:
            try:
                rows = yield from self._found_rows()
            except Rejected as error:
                if _NO_PATTERNS not in str(error):
                    raise
                rows = yield from self._rows_by_keys()
        query = self.query
        if query.order is None or query.order.scores is None:
            return rows
        scores = query.order.scores
        return [attrs.evolve(row, by=scores.get(row.pk)) for row in rows]

    def _rows_by_keys(self) -> Deciding[list[Row]]:
        """Return what matches with its values, read key by key.

        A SORT would not tell what to watch, and asks for rights on all keys where it gets values by patterns.
        """
        kept, identities = yield from self._matching()
        stored = [Identity(self.query.model, pk, State.STORED) for pk in kept]
        return (yield from self._pending_rows(stored + identities))

    def _found_rows(self) -> Deciding[list[Row]]:
        gets = self._layout.all_columns
        sorting = self.query.sort(self._temporary, "nosort", None, [column.pattern for column in gets])
        rows = self._rows(_cut(sorting, (yield from self._sorted(sorting)), gets))
        return (yield from self._over_pending(rows)) if self.over_pending else rows

    def _over_pending(self, rows: list[Row]) -> Deciding[list[Row]]:
        query, pks = self.query, [row.pk for row in rows]
        kept, identities = yield from self.overlay.merge(query.model, query.where, query.names, pks)
        as_they_are = frozenset(kept)
        stored = [row for row in rows if row.pk in as_they_are]
        found = yield from self.overlay.clear(stored, self._ordering(), self.query.columns)
        return found + (yield from self._pending_rows(identities))

    def _pending_rows(self, identities: Sequence[Identity]) -> Deciding[list[Row]]:
        """Return the rows of objects that the session touched, with their values to be."""
        pks = yield from self.overlay.allocate(identities)
        ordering = self._ordering()
        columns = [*ordering, *self.query.columns]
        reads = [
            _read(identity, column)
            for identity in identities
            for column in columns
            if column is not None and column.field is not None
        ]
        values = iter((yield from self.overlay.read_all(reads)))
        rows = []
        for pk in pks:
            by, *found = [
                None if column is None else pk if column.field is None else next(values) for column in columns
            ]
            further = len(ordering) - 1
            rows.append(Row(pk, by, tuple(found[further:]), tuple(found[:further])))
        return rows

    def _ranks(self, rows: Sequence[Row], order: Order) -> Deciding[Ranks | None]:
        """Return the places of the texts that order, where the server sorts text by its locale: only it knows them."""
        # The scores of a sorted set are ordered here, wherever they are asked for.
        orders = (order, *order.further)
        if order.scores is not None or not any(each.alpha for each in orders):
            return None
        temporary = self._temporary()
        if (yield Collation(temporary)):
            return None
        by_text = [(place, each) for place, each in enumerate(orders) if each.alpha]
        texts = sorted({text for row in rows for place, each in by_text if (text := tie(row, each, place)) is not None})
        if not texts:
            return None
        adding: list[Call] = [("SADD", temporary, *texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
        calls = (*adding, ("SORT", temporary, "ALPHA"), ("DEL", temporary))
        answer = plain((yield Transact(calls))[len(adding)])
        # What is made up for eyes need not be one of the texts.
        in_order: list[str] = texts if self.overlay.is_recorded else answer
        return {text: place for place, text in enumerate(in_order)}

    def existing(
        self, pks: Sequence[str], ask: Callable[[Sequence[Call]], Deciding[list[Any]]] | None = None
    ) -> Deciding[list[str]]:
        """Return those of *pks* that are there (SMISMEMBER), as they will be right after the commit.

        Args:
            pks: to be looked up.
            ask: asks the one call for it, or none, perhaps together with others; returns the replies.
        """
        model = self.query.model
        known = yield from self.overlay.are_pending(model, pks)
        asked = [pk for pk in pks if known[pk] is None]
        there = {pk for pk, alive in known.items() if alive}
        calls = (("SMISMEMBER", model.keys.collection, *asked),) if asked else ()
        for reply in (yield from (ask or self.ask)(calls)):
            there |= {pk for pk, found in zip(asked, reply, strict=True) if found}
        return [pk for pk in pks if pk in there]

    def values_of(self, pks: Sequence[str]) -> Deciding[Columns]:
        """Return the values of *pks*, in their order, whether they match or not."""
        pending = yield from self.overlay.are_pending(self.query.model, pks)
        gone = {pk for pk, alive in pending.items() if alive is False}
        model, created = self.query.model, self.overlay.created_among(self.query.model, pks)
        there = [created.get(pk) or Identity(model, pk, State.STORED) for pk in pks if pk not in gone]
        columns = self._layout.columns
        reads = [_read(identity, column) for column in columns if column.field is not None for identity in there]
        values = iter((yield from self.overlay.read_all(reads)))
        return [
            pks if column.field is None else [None if pk in gone else next(values) for pk in pks] for column in columns
        ]


def _plain(calls: Sequence[Call], replies: Sequence[Any]) -> list[Any]:
    return [plainly(call, reply) for call, reply in zip(calls, replies, strict=True)]


def _read(identity: Identity, column: Column) -> Read[Any]:
    field = column.field
    assert field is not None
    if field.kind is Kind.ENTRY:
        return Read(identity, field.storage, field, "HGET", (field.stored,), as_text, (field.stored,))
    return Read(identity, field.storage, field, "GET", (), as_text)


def _not_numbers(reason: str) -> Rejected:
    return Rejected(
        f"The values sorted by are not numbers, or one is too small for a float, as 1e-310 is ({reason}). Way out: "
        f"sort(..., alpha=True) for text"
    )
