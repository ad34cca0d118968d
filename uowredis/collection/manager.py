"""``CollectionManager``: lazy queries on a model (say, and ask when asked).

A collection is data until it is looked at: iterated, counted, sliced, compared, printed. Each look asks Redis anew.
Its methods refine it in place and return it; ``copy()`` branches, a slice is a list.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import operator
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Self, TypeVar, overload

import attrs

from uowredis.collection.conditions import (
    check_later,
    condition,
    current_value,
    is_known_later,
    shown_value,
    spelled_pk,
)
from uowredis.collection.explanation import Explanation
from uowredis.commands.arguments import flag, integer
from uowredis.commands.calls import Call
from uowredis.commands.commands import Look
from uowredis.commands.identity import Identity, State, check_current
from uowredis.commands.query import Column, Filter, Order, Query, Sorting
from uowredis.commands.replies import plain
from uowredis.database import RedisDatabase
from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError, NotCommitted
from uowredis.fields import Bound
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Search
from uowredis.plan.requests import Deciding
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.models import Kind, ModelSchema
from uowredis.session.pending import Pending
from uowredis.session.single import here

T = TypeVar("T")

#: How many items ``repr()`` shows.
_SHOWN_ITEMS = 20

#: Redis counts in 64 bits; no collection is longer.
_FURTHEST = 2**62

_SIMPLE = (Kind.STRING, Kind.ENTRY)


@attrs.frozen
class Shape:
    """What a collection gives for each object found.

    Attributes:
        kind: "pks", "instances", "values" (dicts) or "values_list" (tuples).
        names: the fields of values.
        flat: one value in place of a tuple.
        tested: instances are looked up before they are given.
    """

    kind: str = "pks"
    names: tuple[str, ...] = ()
    flat: bool = False
    tested: bool = True


@attrs.frozen
class Sort:
    """What ``sort()`` was told: by which field (None: the pk), or by the scores of a sorted set."""

    by: str | None = None
    alpha: bool = False
    desc: bool = False
    scores: Any = None


class CollectionManager:
    """A lazy query on one model.

    Args:
        model: the model; users call ``Model.collection()``.
        schema: its facts.
    """

    __hash__ = None  # type: ignore[assignment]  # it equals lists, and changes

    def __init__(self, model: Any, schema: ModelSchema) -> None:
        self._model = model
        self._schema = schema
        self._filters: list[tuple[str, Any, Filter | str | None]] = []
        self._sort: Sort | None = None
        self._shape = Shape()
        self._walking: tuple[weakref.ref[Generator[Any, None, None]], int, int] | None = None
        self._pending: Pending[Any] | None = None
        self._elsewhere: dict[int, Any] = {}

    # Refining.

    def _filter(self, filters: dict[str, Any]) -> Self:
        self._filters += [(name, value, self._condition(name, value)) for name, value in filters.items()]
        return self

    def _condition(self, name: str, value: Any) -> Filter | str | None:
        """Return the condition that a filter says, checked when it is said; None where it is known only when asked."""
        if not is_known_later(value):
            return condition(self._schema, name, value)
        check_later(self._schema, name, value)
        return None

    def _found_filters(self, overlay: Overlay) -> Deciding[list[Filter | str | None]]:
        """Return the conditions with the values that are known only now; None for one that nothing fulfils."""
        conditions: list[Filter | str | None] = []
        for name, value, known in self._filters:
            if known is not None:
                conditions.append(known)
            else:
                elsewhere = self._is_elsewhere(value)
                found = self._elsewhere[id(value)] if elsewhere else (yield from current_value(value, overlay))
                conditions.append(None if found is None else condition(self._schema, name, found))
        return conditions

    def filter(self, **filters: Any) -> Self:
        """Add conditions, ANDed with those there are, also on the same field; return the collection.

        Args:
            filters: as for ``collection()``.

        Raises:
            ImplementationError: for a field without index, or one that is not there.
        """
        return self._filter(filters)

    def sort(self, by: Any = None, alpha: bool = False, desc: bool = False) -> Self:
        """Order by a value (SORT); return the collection.

        Args:
            by: name of a StringField or InstanceHashField, ``"-name"`` for the highest first; None or ``"pk"`` for the
                primary key.
            alpha: compare as text; without it Redis compares numbers, and text is refused.
            desc: the highest first.

        Raises:
            ImplementationError: for a field that is not there or holds many values.
            ArgumentTypeError: for arguments of another type.
        """
        name, reverse = self._sort_name(by)
        self._sort = Sort(name, flag(alpha, "alpha"), flag(desc, "desc") != reverse)
        return self

    def _sort_name(self, by: Any) -> tuple[str | None, bool]:
        if by is None:
            return None, False
        if not isinstance(by, str):
            raise ArgumentTypeError(f"sort(by=...) takes the name of a field, not {type(by).__name__}")
        name = by.removeprefix("-")
        if name in ("pk", self._schema.pk_field):
            return None, by.startswith("-")
        self._simple(name)
        return name, by.startswith("-")

    def _simple(self, name: Any) -> None:
        if name in ("pk", self._schema.pk_field):
            return
        field = self._schema.fields.get(name) if isinstance(name, str) else None
        if field is None or field.kind not in _SIMPLE:
            known = ["pk", *(f.name for f in self._schema.fields.values() if f.kind in _SIMPLE)]
            raise ImplementationError(
                f"{self._schema.name} has no single value {name!r}. Way out: one of {', '.join(dict.fromkeys(known))}"
            )

    def instances(self, skip_exist_test: bool = False, lazy: bool = False) -> Self:
        """Give instances; return the collection.

        At most two round trips: the pks, and one SMISMEMBER that looks all of them up. A pk that has vanished in
        between is left out; a slice that held it is shorter by it.

        Args:
            skip_exist_test: do not look them up; an instance is then looked up before its first write.
            lazy: the same by its later name.
        """
        self._shape = Shape("instances", tested=not (skip_exist_test or lazy))
        return self

    def primary_keys(self) -> Self:
        """Give primary keys again, as at first; return the collection."""
        self._shape = Shape()
        return self

    def values(self, *fields: str) -> Self:
        """Give dicts of values (SORT ... GET); return the collection.

        Args:
            fields: names of the primary key, StringFields and InstanceHashFields; all of them by default.
        """
        self._shape = Shape("values", self._value_names(fields))
        return self

    def values_list(self, *fields: str, flat: bool = False) -> Self:
        """Same as :meth:`values` but give tuples; return the collection.

        Args:
            fields: as for :meth:`values`, in the order of the tuples.
            flat: give the one value itself; takes exactly one field.

        Raises:
            ArgumentError: for *flat* with another number of fields.
        """
        if flag(flat, "flat") and len(fields) != 1:
            raise ArgumentError(f"values_list(flat=True) takes exactly one field, not {len(fields)}")
        self._shape = Shape("values_list", self._value_names(fields), flat)
        return self

    def _value_names(self, fields: Sequence[str]) -> tuple[str, ...]:
        for name in fields:
            self._check_value_name(name)
        if fields:
            return tuple(fields)
        return tuple(
            name for name, field in self._model._fields.items() if field.kind in _SIMPLE or field.kind is Kind.PK
        )

    def _check_value_name(self, name: Any) -> None:
        self._simple(name)

    def copy(self) -> Self:
        """Return a collection of its own that says the same."""
        branch = copy.copy(self)
        branch._filters = list(self._filters)
        branch._pending = None
        return branch

    def wait_for(self, pending: Pending[Any] | None) -> None:
        """Be one reply of a pipeline, and not looked at before (for models)."""
        self._pending = pending

    def prepared(self, look: Look) -> Look:
        """Return what the pipeline asks for the collection as it is now (for pipelines).

        What no single reply answers is looked at when the pipeline was executed.
        """
        calls = self._in_one_reply(look.temporary)
        if calls is None:
            return attrs.evolve(look, calls=(), decode=lambda _: self._looked_at())
        sorting, decode = calls
        return attrs.evolve(look, calls=sorting.calls, answer=sorting.answer, decode=decode)

    def _looked_at(self) -> list[Any]:
        self._pending = None
        return self._fetch()

    def _in_one_reply(self, temporary: str) -> Any:
        pks = self._shape.kind == "pks" or (self._shape.kind == "instances" and not self._shape.tested)
        if not (pks or self._shape.kind in ("values", "values_list")):
            return None
        query = self._query_unasked()
        if query is None:
            return None
        search = Search(Overlay(Rehearsal(0, 0)), query)
        if query.within is not None or not search.on_server():
            return None
        if pks and query.order is None:
            (call,) = query.members()
            return Sorting((call,), 0), lambda reply: self._given(query.members_of([plain(reply)]))
        sorting = search.sorting(0, None, temporary)

        def decode(reply: Any) -> list[Any]:
            table = search.rows_of(plain(reply))
            return self._given([pk for (pk,) in table]) if pks else self._shaped(table)

        return sorting, decode

    def _query_unasked(self) -> Query | None:
        """Return the query where nothing has to be asked for it first."""
        conditions = [known for _, _, known in self._filters if known is not None]
        if len(conditions) < len(self._filters):
            return None
        order = None if self._sort is None or self._sort.scores is not None else self._order(self._sort)
        return self._query_of(conditions, order)

    def _check_waits(self) -> None:
        if self._pending is not None and self._pending.waits:
            raise NotCommitted(
                f"This collection of {self._schema.name} is a reply of the open pipeline. Way out: execute() first"
            )

    def _shown_elsewhere(self, value: Any) -> Any:
        return shown_value(value)

    # Asking.

    @property
    def _database(self) -> RedisDatabase:
        check_current(self._schema)
        database: RedisDatabase = self._model.database
        return database

    def _look(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Return what *question* finds now."""
        self._check_waits()
        return self._find(question)

    def _find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        self._elsewhere = {
            id(value): self._asked_elsewhere(value) for value in self._values() if self._is_elsewhere(value)
        }
        with here(self._database) as session:
            return session.find(question)

    def _values(self) -> list[Any]:
        """Return what the collection stands on."""
        return [value for _, value, known in self._filters if known is None]

    def _is_elsewhere(self, value: Any) -> bool:
        """Return whether *value* is a field of an object on another database, which has its own sessions."""
        return isinstance(value, Bound) and value.owner.database is not self._database

    def _asked_elsewhere(self, value: Any) -> Any:
        return value._current() if hasattr(value, "get") else value

    def _search(self, overlay: Overlay, order: Order | None = None) -> Deciding[Search]:
        """Return the query as it stands now; *order* is the order where none was said."""
        if self._sort is not None:
            order = yield from self._ordering(self._sort, overlay)
        return Search(overlay, (yield from self._query(overlay, order)))

    def _ordering(self, sort: Sort, overlay: Overlay) -> Deciding[Order]:
        yield from ()
        return self._order(sort)

    def _order(self, sort: Sort) -> Order:
        return Order(None if sort.by is None else Column.of(self._schema, sort.by), sort.alpha, sort.desc)

    def _columns(self) -> tuple[Column, ...]:
        return tuple([Column.of(self._schema, name) for name in self._shape.names])

    def _query(self, overlay: Overlay, order: Order | None) -> Deciding[Query]:
        return self._query_of((yield from self._found_filters(overlay)), order)

    def _query_of(self, conditions: Sequence[Filter | str | None], order: Order | None) -> Query:
        filters = tuple([each for each in conditions if isinstance(each, Filter)])
        chosen = [each for each in conditions if not isinstance(each, Filter)]
        pks = [frozenset() if each is None else frozenset((each,)) for each in chosen]
        within = frozenset.intersection(*pks) if pks else None
        return Query(self._schema, filters, (), within, order, self._columns())

    def _fetch(self, start: int = 0, count: int | None = None, order: Order | None = None) -> list[Any]:
        found, certain = self._look(lambda overlay: self._found(overlay, start, count, order))
        return self._given(found, certain) if self._shape.kind in ("pks", "instances") else found

    def _found(
        self, overlay: Overlay, start: int = 0, count: int | None = None, order: Order | None = None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return pks with what the session makes of them, or rows of values in the shape that is wanted."""
        search = yield from self._search(overlay, order)
        if self._shape.kind not in ("pks", "instances"):
            return self._shaped((yield from search.table(start, count))), []
        if search.query.order is None and not start and count is None:
            pks: Sequence[Any] = yield from search.members()
        else:
            pks = [pk for (pk,) in (yield from search.table(start, count))]
        return (yield from self._tested(search, pks))

    def the_one(self) -> tuple[list[tuple[str, Identity | None]], str]:
        """Return the primary key of the one that matches, and else how many do, in words, "" for none (for models).

        It comes with the object where the open session makes it.
        """

        def the_one(overlay: Overlay) -> Deciding[tuple[list[tuple[str, Identity | None]], str]]:
            found = yield from (yield from self._search(overlay)).few()
            created = [each for each in found.touched if each.state is State.CREATED]
            pks = [*found.kept, *(each.reference for each in found.touched if each.state is not State.CREATED)]
            if found.counted > 1:
                return [], f"{found.counted:,}{' or more' if found.and_more else ''}"
            return [(pk, None) for pk in pks] + [(each.reference, each) for each in created], ""

        return self._look(the_one)

    def has_some(self) -> bool:
        """Return whether something matches, by so many replies, however many there are (for models)."""

        def counted(overlay: Overlay) -> Deciding[int]:
            search = yield from self._search(overlay)
            if len(search.query.keys) == 1:
                return (yield from search.count())
            return (yield from search.few()).counted

        return self._look(counted) > 0

    def is_there(self, overlay: Overlay) -> Deciding[bool]:
        """Return whether something matches (for models): asked again, with all that was known only when asked."""
        kept, touched = yield from (yield from self._search(overlay)).matching()
        return bool(kept or touched)

    def _tested(self, search: Search, pks: Sequence[Any]) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        """Return those of *pks* that are there, where instances are wanted, with what the session makes of them."""
        if self._shape.kind == "pks":
            return list(pks), []
        certain = search.query.keys == (self._schema.keys.collection,) and not search.over_pending
        if self._shape.tested and pks and not certain:
            pks = yield from search.existing(pks)
        return list(pks), [search.overlay.created(self._schema, pk) for pk in pks]

    def _given(self, pks: Sequence[Any], created: Sequence[Identity | None] = ()) -> list[Any]:
        """Return *pks* as they are wanted; *created* are those that the session itself makes."""
        if self._shape.kind == "pks":
            return list(pks)
        pairs = itertools.zip_longest(pks, created)
        return [self._model._handle(pk, identity, tested=self._shape.tested) for pk, identity in pairs]

    def _shaped(self, table: list[tuple[str | None, ...]]) -> list[Any]:
        """Return rows of values in the shape that is wanted."""
        names = self._shape.names
        if self._shape.kind == "values":
            return [dict(zip(names, row, strict=True)) for row in table]
        return [value for (value,) in table] if self._shape.flat else table

    def iter(self, chunk: int = 1000) -> Iterator[Any]:
        """Yield what the collection gives without holding all of it (SSCAN).

        With at most one filter, no sort and primary keys wanted the pks are scanned *chunk* at a time: one round trip
        each, memory for one chunk. What is there from begin to end is yielded, perhaps more than once; what comes or
        goes under way may be missed. Sorted and combined queries, values and instances, and models that an open
        session has touched, are fetched whole first, as :meth:`__iter__` does.

        Args:
            chunk: about how many pks a round trip brings.
        """
        return self._scan(integer(chunk, "chunk", 1))

    def _scan(self, chunk: str) -> Iterator[Any]:
        key = self._look(self._scanned)
        if key is None:
            yield from self
            return
        cursor = "0"
        while True:
            call = ("SSCAN", key, cursor, "COUNT", chunk)
            ((cursor, pks),) = self._look(functools.partial(_plain, call=call))
            yield from pks
            if cursor == "0":
                return

    def _scanned(self, overlay: Overlay) -> Deciding[str | None]:
        """Return the key whose members are all that is wanted, None where there is none."""
        search = yield from self._search(overlay)
        query = search.query
        alone = len(query.keys) == 1 and query.within is None and query.order is None and not query.scored
        if not alone or self._shape.kind != "pks" or search.over_pending or overlay.watches:
            return None
        return query.keys[0]

    def __iter__(self) -> Iterator[Any]:
        items = self._fetch()
        walk = (item for item in items)
        # list(collection) asks for the length next: that of these items is meant, if nothing else happens before.
        self._walking = weakref.ref(walk), len(items), self._database.entered
        return walk

    def __len__(self) -> int:
        if self._walking is not None:
            walk, counted, entered = self._walking
            self._walking = None
            items = walk()
            begun = items is None or inspect.getgeneratorstate(items) != inspect.GEN_CREATED
            if not begun and entered == self._database.entered:
                return counted
        if self._shape.kind == "instances" and self._shape.tested:
            return len(self._fetch())
        return self._look(self._count)

    def _count(self, overlay: Overlay) -> Deciding[int]:
        search = yield from self._search(overlay)
        return (yield from search.count())

    def count(self) -> int:
        """Return how many match; same as ``len()`` (SCARD where it is one set)."""
        self._walking = None
        return len(self)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __contains__(self, item: Any) -> bool:
        self._check_waits()
        identity = getattr(item, "identity", None)
        if self._shape.kind != "pks" and not (self._shape.kind == "instances" and isinstance(identity, Identity)):
            return item in self._fetch()
        if isinstance(identity, Identity) and (identity.model is not self._schema or identity.state is State.EMPTY):
            return False
        return self._look(lambda overlay: self._contains(overlay, item))

    def _contains(self, overlay: Overlay, item: Any) -> Deciding[bool]:
        pk = yield from current_value(item, overlay)
        try:
            within = frozenset((spelled_pk(pk, "a primary key"),))
        except ArgumentError:
            return False
        search = yield from self._search(overlay)
        if search.query.within is not None:
            within &= search.query.within
        narrowed = attrs.evolve(search.query, within=within, order=None, columns=())
        return bool((yield from attrs.evolve(search, query=narrowed).members()))

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return one item or a list, as a Python list would; without a sort the order is that of the primary keys."""
        if isinstance(index, slice):
            return self._slice(index)
        if not isinstance(index, int) or isinstance(index, bool):
            raise ArgumentTypeError(f"a collection takes integers and slices, not {type(index).__name__}")
        if index >= _FURTHEST:
            raise IndexError(f"collection index {index} out of range")
        if index < 0:
            return self._fetch(order=Order())[index]
        found = self._fetch(index, 1, Order())
        if not found:
            raise IndexError(f"collection index {index} out of range")
        return found[0]

    def _slice(self, wanted: slice) -> list[Any]:
        if wanted.step == 0:
            raise ValueError("slice step cannot be zero")
        parts = (wanted.start, wanted.stop, wanted.step)
        try:
            start, stop, step = [None if part is None else min(operator.index(part), _FURTHEST) for part in parts]
        except TypeError:
            raise ArgumentTypeError(f"a collection takes slices of integers, not {parts!r}") from None
        start, step = start or 0, step or 1
        ahead = step > 0 and start >= 0 and (stop is None or stop >= 0)
        if not ahead:
            return self._fetch(order=Order())[wanted]
        if stop is not None and stop <= start:
            return []
        return self._fetch(start, None if stop is None else stop - start, Order())[::step]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CollectionManager):
            return list(self) == list(other)
        if isinstance(other, list):
            return list(self) == other
        if isinstance(other, set | frozenset):
            return set(self) == other
        return NotImplemented

    def __repr__(self) -> str:
        if self._pending is not None and self._pending.waits:
            return f"<a collection of {self._schema.name} that waits for the pipeline>"
        items = self._fetch()
        shown = ", ".join(map(repr, items[:_SHOWN_ITEMS]))
        return f"[{shown}{f', ... ({len(items)} items)' if len(items) > _SHOWN_ITEMS else ''}]"

    def explain(self) -> Explanation:
        """Return the Redis commands that looking at the collection sends, for eyes; sends nothing.

        The very question is asked of nobody: what only the server knows is made up, ``<pk>`` stands for each primary
        key. Temporary keys are shown as ``<random>``.
        """
        self._elsewhere = {
            id(value): self._shown_elsewhere(value) for value in self._values() if self._is_elsewhere(value)
        }
        with here(self._database) as session:
            rounds = session.explain(self._found)
        return Explanation(tuple(rounds), self._note())

    def _note(self) -> str:
        by_server = self._schema.auto or (self._sort is not None and (self._sort.by is not None or self._sort.alpha))
        if self._sort is not None and self._sort.scores is not None:
            return "all that match are fetched and ordered here: O(N)"
        return "" if by_server else "primary keys are text: a slice fetches all that match and orders here: O(N)"


def _plain(overlay: Overlay, call: Call) -> Deciding[list[Any]]:
    return [plain(reply) for reply in (yield from overlay.ask((call,)))]
