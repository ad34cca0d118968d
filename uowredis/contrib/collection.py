"""``ExtendedCollectionManager``: filters added later, intersections, scores, fields as values, stored results (say)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Self

import attrs

from uowredis.collection.conditions import given_pk
from uowredis.collection.manager import CollectionManager, Sort, key_of
from uowredis.commands.arguments import flag, integer, text
from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity
from uowredis.commands.query import Column, Filter, Order, Query
from uowredis.commands.replies import as_scored, as_texts, plain
from uowredis.exceptions import ArgumentError, ArgumentTypeError, DoesNotExist, ImplementationError, PendingWrites
from uowredis.fields import Bound, Field, ListField, SetField, SortedSetField
from uowredis.overlay.search import Search, temporary_key
from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.session.session import Session, current
from uowredis.session.single import alone

#: Name under which ``values()`` gives the score that the collection is sorted by.
SORTED_SCORE = "sorted_score"

#: Seconds that a stored collection is kept, by default.
DEFAULT_STORE_TTL = 60

#: Stands for pks that are not known where a query is only shown.
_SHOWN_PKS = frozenset(("<pks>",))

#: The one member of a stored collection that is empty; Redis keeps no empty list.
_EMPTY = "__uowredis_empty__"


class ExtendedCollectionManager(CollectionManager):
    """A collection that can be filtered again, intersected, sorted by scores, and stored."""

    def __init__(self, model: Any, schema: Any) -> None:
        super().__init__(model, schema)
        self._intersections: list[Any] = []
        self._stored: str | None = None

    def filter(self, **filters: Any) -> Self:
        """Add conditions, ANDed with those there are, also on the same field; return the collection.

        Args:
            filters: as for ``collection()``.
        """
        return self._filter(filters)

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
            session = current(self._database)
            pks = [given_pk(self._schema, item, session, " in intersect()") for item in given]
            return frozenset(pk for pk in pks if pk is not None)
        raise ArgumentTypeError(
            f"intersect() takes lists, sets, tuples, keys and fields of instances, not {type(given).__name__}"
        )

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
        session = current(self._database)
        touched = [model.name for model in self._models() if session is not None and session.view.touches(model)]
        if touched:
            raise PendingWrites(
                f"store() cannot be exact while writes on {', '.join(touched)} are pending. Way out: commit first"
            )
        spelled = self._schema.keys.stored(secrets.token_hex(8)) if key is None else text(key, "the key of store()")
        if (
            key is not None
            and spelled.startswith(f"{self._schema.keys.prefix}:")
            and not spelled.startswith(self._schema.keys.stored(""))
        ):
            raise ArgumentError(
                f"store() cannot write {spelled!r}: keys of {self._schema.name} begin so. Way out: another key"
            )
        seconds = None if ttl is None else integer(ttl, "ttl", 1)
        pks = self.copy().primary_keys()._fetch() or [_EMPTY]
        calls: list[Call] = [("DEL", spelled), ("RPUSH", spelled, *pks)]
        if seconds is not None:
            calls.append(("EXPIRE", spelled, seconds))
        self._database.executor.transact(calls)
        stored = type(self)(self._model, self._schema)
        stored._stored = spelled
        stored._shape = self._shape
        return stored

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
            session = current(self._database)
            if session is not None:
                session.relook(self._pending, branch)
            branch._pending, self._pending = self._pending, None
        return branch

    @property
    def stored_key(self) -> str | None:
        """The key of the list that the collection is on, None where it is on none."""
        return self._stored

    # Asking.

    def _query(self, shown: bool, order: Order | None) -> Query:
        asker = _Asker(self, shown)
        filters: list[Filter] = []
        sets: list[tuple[str, bool]] = []
        within: list[frozenset[str]] = []
        for found in self._found_filters(shown):
            if isinstance(found, Filter):
                filters.append(found)
            else:
                within.append(frozenset() if found is None else frozenset((found,)))
        for given in self._intersections:
            asker.take(given, sets, within)
        if self._stored is not None:
            within.append(frozenset(asker.stored(self._stored)))
        chosen = frozenset.intersection(*within) if within else None
        return Query(self._schema, tuple(filters), tuple(sets), chosen, order, self._columns())

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

    def _order(self, sort: Sort, shown: bool) -> Order:
        if sort.scores is None:
            return super()._order(sort, shown)
        return Order(None, sort.alpha, sort.desc, _Asker(self, shown).scores(sort.scores))

    def _search(self, *, shown: bool = False, order: Order | None = None) -> Search:
        wanted = SORTED_SCORE in self._shape.names
        if wanted and (self._sort is None or self._sort.scores is None):
            raise ImplementationError("SORTED_SCORE needs a sort by scores. Way out: sort(by_score=...)")
        search = super()._search(shown=shown, order=order)
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

    def _fetch(self, start: int = 0, count: int | None = None, order: Order | None = None) -> list[Any]:
        if not self._as_it_was_stored():
            return super()._fetch(start, count, order)
        assert self._stored is not None
        asker = _Asker(self, False)
        pks = asker.stored(self._stored)[start : None if count is None else start + count]
        search = Search(self._database, current(self._database), Query(self._schema, columns=self._columns()))
        if self._shape.kind == "pks":
            return pks
        if self._shape.kind == "instances":
            there = search.existing(pks) if self._shape.tested and pks else pks
            return [self._model._handle(pk, tested=self._shape.tested) for pk in there]
        return self._shaped(search.values_of(pks))

    def __len__(self) -> int:
        if self._counted is None and self._as_it_was_stored():
            return len(self._fetch())
        return super().__len__()

    def _rounds(self) -> Iterator[tuple[Call, ...]]:
        yield from self._first_rounds()
        for given in self._intersections:
            if isinstance(given, ExtendedCollectionManager):
                yield from given.copy().primary_keys()._rounds()
            elif isinstance(given, str):
                yield (("TYPE", given),)
            elif isinstance(given, Bound) and isinstance(given, ListField):
                yield (("LRANGE", key_of(given), "0", "-1"),)
        if self._stored is not None:
            yield (("LRANGE", self._stored, "0", "-1"),)
            if self._as_it_was_stored():
                yield from self._stored_rounds()
                return
        if self._sort is not None and self._sort.scores is not None:
            scores = self._sort.scores
            yield (("ZRANGE", scores if isinstance(scores, str) else key_of(scores), "0", "-1", "WITHSCORES"),)
        yield from self._last_rounds()

    def _stored_rounds(self) -> Iterator[tuple[Call, ...]]:
        if self._shape.kind == "instances" and self._shape.tested:
            yield (("SMISMEMBER", self._schema.keys.collection, "<pks>"),)
        columns = [Column.of(self._schema, name) for name in self._shape.names]
        calls = [_column_call(self._schema, column.field) for column in columns if column.field is not None]
        if calls:
            yield tuple(calls)


def _column_call(model: ModelSchema, field: FieldSchema) -> Call:
    key = model.keys.storage("<pk>", field.storage)
    return ("HGET", key, field.name) if field.kind is Kind.ENTRY else ("GET", key)


@attrs.define
class _Asker:
    """Fetches what a collection stands on when it is looked at: values of fields, lists, scores."""

    collection: ExtendedCollectionManager
    shown: bool

    @property
    def session(self) -> Session | None:
        return current(self.collection._database)

    def ask(self, calls: tuple[Call, ...]) -> list[Any]:
        session = self.session or alone(self.collection._database)
        return [plain(reply) for reply in session.view.ask(calls)]

    def take(self, given: Any, sets: list[tuple[str, bool]], within: list[frozenset[str]]) -> None:
        """Put what ``intersect()`` was given where the query takes it."""
        if isinstance(given, frozenset):
            within.append(given)
        elif isinstance(given, CollectionManager):
            within.append(_SHOWN_PKS if self.shown else frozenset(given.copy().primary_keys()))
        elif isinstance(given, str):
            self._take_key(given, sets, within)
        else:
            self._take_field(given, sets, within)

    def _take_field(self, given: Any, sets: list[tuple[str, bool]], within: list[frozenset[str]]) -> None:
        identity: Identity = given.owner.identity
        touched = self.session is not None and (identity.pk is None or self.session.view.touches(identity.model))
        if identity.pk is None or (touched and not self.shown):
            within.append(frozenset(_members(given)))
            return
        key = identity.model.keys.storage(identity.pk, given.field.name)
        if not isinstance(given, ListField):
            sets.append((key, isinstance(given, SortedSetField)))
        else:
            within.append(_SHOWN_PKS if self.shown else frozenset(self.ask((("LRANGE", key, "0", "-1"),))[0]))

    def _take_key(self, key: str, sets: list[tuple[str, bool]], within: list[frozenset[str]]) -> None:
        self._refuse_pending(key)
        kind = "set" if self.shown else self.ask((("TYPE", key),))[0]
        if kind in ("set", "none"):
            sets.append((key, False))
        elif kind == "zset":
            sets.append((key, True))
        elif kind == "list":
            within.append(frozenset(self.ask((("LRANGE", key, "0", "-1"),))[0]))
        else:
            raise ArgumentTypeError(f"intersect() takes the key of a set, sorted set or list, and {key!r} is a {kind}")

    def _refuse_pending(self, key: str) -> None:
        if not self.shown and self.session is not None and self.session.view.changes(key):
            raise PendingWrites(
                f"A query on {key!r} cannot be exact: the session is changing it. Way out: commit first"
            )

    def stored(self, key: str) -> list[str]:
        """Return the pks of a stored list."""
        if self.shown:
            return list(_SHOWN_PKS)
        self._refuse_pending(key)
        pks: list[str] = self.ask((("LRANGE", key, "0", "-1"),))[0]
        if not pks:
            raise DoesNotExist(f"The stored collection {key!r} has expired or was never stored. Way out: store() again")
        return [] if pks == [_EMPTY] else pks

    def scores(self, given: Any) -> dict[str, str]:
        """Return pk to score, as Redis spells it."""
        if self.shown:
            return {}
        if not isinstance(given, str):
            identity: Identity = given.owner.identity
            if identity.pk is None or (self.session is not None and self.session.view.touches(identity.model)):
                read = given._read("ZRANGE", "0", "-1", "WITHSCORES", decode=as_scored)
                return self._spelled(identity.model.keys, given.owner._answer(read))
            given = identity.model.keys.storage(identity.pk, given.field.name)
        else:
            self._refuse_pending(given)
        flat = self.ask((("ZRANGE", given, "0", "-1", "WITHSCORES"),))[0]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _spelled(self, keys: Keys, scored: list[tuple[str, float]]) -> dict[str, str]:
        """Return pending scores as this server will spell them: versions differ."""
        if not scored:
            return {}
        key = temporary_key(keys)
        given = [part for member, score in scored for part in (repr(score), member)]
        calls = (("ZADD", key, *given), ("ZRANGE", key, "0", "-1", "WITHSCORES"), ("DEL", key))
        flat = plain(self.collection._database.executor.transact(calls)[1])
        return dict(zip(flat[::2], flat[1::2], strict=True))


def _members(given: Any) -> Any:
    """Return what a field holds, at once in a pipeline, too."""
    call = (
        ("SMEMBERS",)
        if isinstance(given, SetField)
        else ("LRANGE" if isinstance(given, ListField) else "ZRANGE", "0", "-1")
    )
    bound: Any = given  # it passes for its declared field
    return bound.owner._answer(bound._read(*call, decode=as_texts))


__all__ = ["DEFAULT_STORE_TTL", "SORTED_SCORE", "ExtendedCollectionManager"]
