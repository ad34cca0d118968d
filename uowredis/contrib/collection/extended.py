"""``ExtendedCollectionManager``: intersections, scores, fields as values, stored results (say)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Self

import attrs

from uowredis.collection.conditions import given_pk
from uowredis.collection.manager import CollectionManager, Sort
from uowredis.collection.sources import EMPTY, Sources
from uowredis.commands.arguments import flag, integer, text
from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity
from uowredis.commands.query import Column, Order, Query
from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError, PendingWrites
from uowredis.fields import Bound, Field, ListField, SetField, SortedSetField
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Search
from uowredis.plan.requests import Deciding, Transact
from uowredis.schema.models import ModelSchema
from uowredis.session.single import here

#: Name under which ``values()`` gives the score that the collection is sorted by.
SORTED_SCORE = "sorted_score"

#: Seconds that a stored collection is kept, by default.
DEFAULT_STORE_TTL = 60


class ExtendedCollectionManager(CollectionManager):
    """A collection that can be intersected, sorted by scores, and stored."""

    def __init__(self, model: Any, schema: Any) -> None:
        super().__init__(model, schema)
        self._intersections: list[Any] = []
        self._stored: str | None = None

    def intersect(self, *lists: Any) -> Self:
        """Keep only what stands in all of *lists*, too; return the collection.

        Args:
            lists: each a list, set or tuple of primary keys or instances, the key of a set, sorted set or list, or a
                SetField, ListField or SortedSetField of an instance. Lists are read first (one round trip more).

        Raises:
            ImplementationError: for a field that is not bound to an instance.
            ArgumentTypeError: for anything else.
        """
        self._intersections += [self._intersected(given) for given in lists]
        return self

    def _intersected(self, given: Any) -> Any:
        """Return what ``intersect()`` was given, checked; Python's collections as a set of pks."""
        if isinstance(given, Bound):
            if not isinstance(given, SetField | ListField | SortedSetField):
                raise ArgumentTypeError(f"intersect() takes fields with many values, not {given!r}")
            return given
        if isinstance(given, Field):
            raise ImplementationError(f"intersect() takes fields of an instance. Way out: instance.{given.name}")
        if isinstance(given, str | CollectionManager):
            return given
        if isinstance(given, list | tuple | set | frozenset):
            return self._find(lambda overlay: self._given_pks(overlay, given))
        raise ArgumentTypeError(
            f"intersect() takes lists, sets, tuples, keys and fields of instances, not {type(given).__name__}"
        )

    def _given_pks(self, overlay: Overlay, given: Iterable[Any]) -> Deciding[frozenset[str]]:
        found = []
        for item in given:
            found.append((yield from given_pk(self._schema, item, overlay, " in intersect()")))
        return frozenset(pk for pk in found if pk is not None)

    def sort(self, by: Any = None, alpha: bool = False, desc: bool = False, by_score: Any = None) -> Self:
        """Same as :meth:`CollectionManager.sort`, but *by* may be a field, and scores may order.

        Args:
            by: name of a field, or the field.
            alpha: compare as text.
            desc: the highest first.
            by_score: key of a sorted set, or a SortedSetField of an instance: order by the scores there; what is not in
                it counts as 0. Everything that matches is fetched and ordered here, in two round trips.

        Raises:
            ArgumentError: for *by* and *by_score* together.
        """
        if by_score is None:
            return super().sort(self._name_of(by), alpha, desc)
        if by is not None:
            raise ArgumentError("sort() takes by or by_score, not both")
        if not (isinstance(by_score, str) or (isinstance(by_score, Bound) and isinstance(by_score, SortedSetField))):
            raise ArgumentTypeError(
                f"sort(by_score=...) takes the key of a sorted set or a SortedSetField of an instance, not {by_score!r}"
            )
        self._sort = Sort(None, flag(alpha, "alpha"), flag(desc, "desc"), by_score)
        return self

    def _check_value_name(self, name: Any) -> None:
        if name != SORTED_SCORE:
            super()._check_value_name(name)

    def _value_names(self, fields: Any) -> tuple[str, ...]:
        return super()._value_names([self._name_of(field) for field in fields])

    def _name_of(self, given: Any) -> Any:
        """Return the name of a field of the model, declared or bound; anything else as it is."""
        field = given.field if isinstance(given, Bound) else given
        if not isinstance(field, Field):
            return given
        if not any(vars(base).get("_fields", {}).get(field.name) is field for base in self._model.__mro__):
            raise ImplementationError(
                f"{field} is no field of {self._schema.name}. Way out: a field of its own, by name"
            )
        return field.name

    def copy(self) -> Self:
        """Return a collection of its own that says the same."""
        branch = super().copy()
        branch._intersections = list(self._intersections)
        return branch

    # Storing.

    def store(self, key: str | None = None, ttl: int | None = DEFAULT_STORE_TTL) -> Self:
        """Store the primary keys found as a list (RPUSH, EXPIRE); return a new collection on it.

        Args:
            key: where; a random key under the model's prefix by default. What is there is replaced.
            ttl: seconds to keep it; None: for ever.

        Returns:
            A collection of the same class that gives what this one gives (values, instances ...).

        Raises:
            PendingWrites: in a session that has touched the model: a stored result cannot be exact.
        """
        spelled = self._schema.keys.stored(secrets.token_hex(8)) if key is None else text(key, "the key of store()")
        owners = [model._schema for model in self._database.models if model._schema.keys.owns(spelled)]
        if key is not None and owners and not any(owner.keys.is_stored(spelled) for owner in owners):
            raise ArgumentError(
                f"store() cannot write {spelled!r}: keys of {owners[0].name} begin so. Way out: another key"
            )
        seconds = None if ttl is None else integer(ttl, "ttl", 1)
        self.copy().primary_keys()._store(spelled, seconds)
        stored = type(self)(self._model, self._schema)
        stored._stored = spelled
        stored._shape = self._shape
        return stored

    def _store(self, key: str, seconds: str | None) -> None:
        self._look(lambda overlay: self._stored_over(overlay, key, seconds))

    def _stored_over(self, overlay: Overlay, key: str, seconds: str | None) -> Deciding[None]:
        if touched := [model.name for model in self._models() if overlay.touches(model)]:
            raise PendingWrites(
                f"store() cannot be exact while writes on {', '.join(touched)} are pending. Way out: commit first"
            )
        pks, _ = yield from self._found(overlay)
        calls: list[Call] = [("DEL", key), ("RPUSH", key, *(pks or [EMPTY]))]
        if seconds is not None:
            calls.append(("EXPIRE", key, seconds))
        yield Transact(calls)

    def _models(self) -> list[ModelSchema]:
        """Return the models on whose objects the answer depends."""
        given = [value for _, value, _ in self._filters] + self._intersections
        given.append(None if self._sort is None else self._sort.scores)
        others = [item.owner.identity.model for item in given if isinstance(item, Bound)]
        others += [model for item in given if isinstance(item, ExtendedCollectionManager) for model in item._models()]
        return list(dict.fromkeys([self._schema, *others]))

    def from_stored(self, key: str) -> Self:
        """Return a new collection on the list that :meth:`store` left under *key*; filters said before it hold too.

        Looking at it raises ``DoesNotExist`` where the list has expired.
        """
        branch = self.copy()
        branch._stored = text(key, "the key of from_stored()")
        if self._pending is not None:
            # In a pipeline the one reply is that of the new collection.
            with here(self._database) as session:
                session.relook(self._pending, branch)
            branch._pending, self._pending = self._pending, None
        return branch

    @property
    def stored_key(self) -> str | None:
        """The key of the list that the collection is on, None where it is on none."""
        return self._stored

    # Asking.

    def _values(self) -> list[Any]:
        scores = None if self._sort is None else self._sort.scores
        return [*super()._values(), *self._intersections, scores]

    def _is_elsewhere(self, value: Any) -> bool:
        other = isinstance(value, CollectionManager) and value._database is not self._database
        return other or super()._is_elsewhere(value)

    def _asked_elsewhere(self, value: Any) -> Any:
        if isinstance(value, CollectionManager):
            return frozenset(value.copy().primary_keys())
        if isinstance(value, SetField | ListField | SortedSetField):
            bound: Any = value  # it passes for its declared field
            raise ImplementationError(
                f"{value!r} is on {bound.owner.database!r}, and this collection on {self._database!r}. Way out: give "
                f"what it holds"
            )
        return super()._asked_elsewhere(value)

    def _shown_elsewhere(self, value: Any) -> Any:
        return frozenset(("<pk>",)) if isinstance(value, CollectionManager) else super()._shown_elsewhere(value)

    def _query(self, overlay: Overlay, order: Order | None) -> Deciding[Query]:
        query = yield from super()._query(overlay, order)
        sources = Sources(overlay, within=[] if query.within is None else [query.within])
        for given in self._intersections:
            yield from sources.take(self._elsewhere.get(id(given), given))
        if self._stored is not None:
            sources.within.append(frozenset((yield from sources.stored(self._stored))))
        chosen = frozenset.intersection(*sources.within) if sources.within else None
        return attrs.evolve(query, sets=tuple(sources.sets), within=chosen)

    def _query_unasked(self) -> Query | None:
        scores = self._sort is not None and self._sort.scores is not None
        keyed = all(
            isinstance(given, Bound) and not isinstance(given, ListField) and given.owner.identity.pk is not None
            for given in self._intersections
        )
        if scores or not keyed or self._stored is not None or SORTED_SCORE in self._shape.names:
            return None
        query = super()._query_unasked()
        if query is None:
            return None
        sets = [(given.key, isinstance(given, SortedSetField)) for given in self._intersections]
        return attrs.evolve(query, sets=tuple(sets))

    def _columns(self) -> tuple[Column, ...]:
        return tuple(Column.of(self._schema, name) for name in self._shape.names if name != SORTED_SCORE)

    def _ordering(self, sort: Sort, overlay: Overlay) -> Deciding[Order]:
        if sort.scores is None:
            return self._order(sort)
        return Order(None, sort.alpha, sort.desc, (yield from Sources(overlay).scores(sort.scores)))

    def _search(self, overlay: Overlay, order: Order | None = None) -> Deciding[Search]:
        wanted = SORTED_SCORE in self._shape.names
        if wanted and (self._sort is None or self._sort.scores is None):
            raise ImplementationError("SORTED_SCORE needs a sort by scores. Way out: sort(by_score=...)")
        search = yield from super()._search(overlay, order)
        return attrs.evolve(search, with_scores=True) if wanted else search

    def _shaped(self, table: list[tuple[str | None, ...]]) -> list[Any]:
        names = self._shape.names
        if SORTED_SCORE not in names:
            return super()._shaped(table)
        # The score comes last; put it where it was asked for.
        others = iter(range(len(names)))
        places = [-1 if name == SORTED_SCORE else next(others) for name in names]
        return super()._shaped([tuple([row[place] for place in places]) for row in table])

    def _as_it_was_stored(self) -> bool:
        return self._stored is not None and not self._filters and not self._intersections and self._sort is None

    def _found(
        self, overlay: Overlay, start: int = 0, count: int | None = None, order: Order | None = None
    ) -> Deciding[tuple[list[Any], list[Identity | None]]]:
        if not self._as_it_was_stored():
            return (yield from super()._found(overlay, start, count, order))
        assert self._stored is not None
        pks = (yield from Sources(overlay).stored(self._stored))[start : None if count is None else start + count]
        search = Search(overlay, Query(self._schema, columns=self._columns()))
        if self._shape.kind not in ("pks", "instances"):
            return self._shaped((yield from search.values_of(pks))), []
        if self._shape.kind == "instances" and self._shape.tested and pks:
            pks = yield from search.existing(pks)
        return pks, [overlay.created(self._schema, pk) for pk in pks]

    def __len__(self) -> int:
        if self._walking is None and self._as_it_was_stored():
            return len(self._fetch())
        return super().__len__()
