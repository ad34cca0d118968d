"""What a collection can be told (say)."""

from __future__ import annotations

import copy
import functools
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import attrs

from uowredis.collection import elsewhere
from uowredis.collection.conditions import given_pk
from uowredis.collection.names import are_wide, loaded_names, sort_name, value_names
from uowredis.collection.together import said
from uowredis.collection.wanted import PKS, Other, Shape, Sort, wanted_of
from uowredis.commands.arguments import flag
from uowredis.commands.identity import check_current
from uowredis.database import RedisDatabase
from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError
from uowredis.fields import Bound, Field, SortedSetField
from uowredis.fields.base import InRows
from uowredis.fields.modes import one_class
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.models import ModelSchema
from uowredis.session.single import here

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import TypeVar as _TypeVar

    from uowredis.collection.manager import CollectionManager
    from uowredis.fields.instance_hash import InstanceHashCommands

    #: The model, and what the collection gives for each of its objects.
    T = _TypeVar("T", bound=InstanceHashCommands[Any], default=InstanceHashCommands[Any])
    R = _TypeVar("R", default=str)
else:
    T = TypeVar("T")
    R = TypeVar("R")


class Refined(Generic[T, R]):
    """A collection as far as it is told what is wanted; each method refines it in place, and returns it.

    Args:
        model: the model.
        schema: its facts.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(one_class)

    def __init__(self, model: Any, schema: ModelSchema) -> None:
        self._model = model
        self._schema = schema
        self._wanted = wanted_of(schema)

    @property
    def _database(self) -> RedisDatabase:
        """Where the objects are."""
        if self._schema.successor is not None:
            check_current(self._schema)
        database: RedisDatabase = self._model.database
        return database

    def _told(self, **changes: Any) -> Self:
        self._wanted = self._wanted.told(changes)
        return self

    def _filter(self, filters: dict[str, Any]) -> Self:
        if filters:
            self._wanted = self._wanted.told({"filters": (*self._wanted.filters, *said(self._schema, filters))})
        return self

    def filter(self, **filters: Any) -> Self:
        """Add conditions, ANDed with those there are, also on the same field; return the collection.

        Args:
            filters: as for ``collection()``.

        Raises:
            ImplementationError: for a field without index, or one that is not there.
        """
        return self._filter(filters)

    def exclude(self, **filters: Any) -> Self:
        """Leave out what fulfils all of *filters* (SDIFF); return the collection.

        Args:
            filters: as for ``collection()``; what was excluded before stays so.

        Raises:
            ArgumentError: for no filter.
            ImplementationError: for a field without index, or one that is not there.
        """
        if not filters:
            raise ArgumentError("exclude() takes at least one filter")
        return self._told(excluded=(*self._wanted.excluded, tuple(said(self._schema, filters))))

    def intersect(self, *lists: Any) -> Self:
        """Keep only what stands in all of *lists*, too; return the collection.

        Args:
            lists: each a list, set or tuple of primary keys or instances, another collection, the key of a set, sorted
                set or list, or a SetField, ListField or SortedSetField of an instance. Lists are read first (one round
                trip more).

        Raises:
            ImplementationError: for a field that is not bound to an instance, or is on another database.
            ArgumentTypeError: for anything else.
        """
        given = tuple([self._intersected(each) for each in lists])
        return self._told(intersections=(*self._wanted.intersections, *given))

    def _intersected(self, given: Any) -> Any:
        """Return what ``intersect()`` was given, checked; Python's collections as a set of pks."""
        if isinstance(given, Bound):
            if not isinstance(given, elsewhere.MANY):
                raise ArgumentTypeError(f"intersect() takes fields with many values, not {given!r}")
            elsewhere.check_here([given], self._database)
            return given
        if isinstance(given, Field):
            raise ImplementationError(f"intersect() takes fields of an instance. Way out: instance.{given.name}")
        if isinstance(given, str):
            return given
        if isinstance(given, Refined):
            return Other(given)
        if isinstance(given, list | tuple | set | frozenset):
            here_or_asked = [
                elsewhere.asked_now(item, self._database) if elsewhere.is_elsewhere(item, self._database) else item
                for item in given
            ]
            with here(self._database, self._schema) as session:
                return session._find(functools.partial(given_pks, schema=self._schema, given=here_or_asked))
        raise ArgumentTypeError(
            f"intersect() takes lists, sets, tuples, keys and fields of instances, not {type(given).__name__}"
        )

    def sort(
        self, by: Any = None, alpha: bool | Collection[str] = False, desc: bool = False, by_score: Any = None
    ) -> Self:
        """Order by a value (SORT), or by the scores of a sorted set (ZRANGE); return the collection.

        Args:
            by: a StringField or InstanceHashField, or its name, ``"-name"`` for the highest first; None or ``"pk"`` for
                the primary key. Or a tuple of these: what is equal by the first is ordered by the next. Everything that
                matches is then fetched, and ordered here.
            alpha: compare as text; without it Redis compares numbers, and text is refused. A field with a type is
                compared as its values are. Or the names of the fields that are compared so.
            desc: the highest first; of several the reverse of what each says.
            by_score: key of a sorted set, or a SortedSetField of an instance: order by the scores there; what is not in
                it counts as 0. Everything that matches is fetched and ordered here, in two round trips.

        Raises:
            ImplementationError: for a field that is not there or holds many values, or of another model or database.
            ArgumentTypeError: for arguments of another type.
            ArgumentError: for *by* and *by_score* together, no field at all, or names in *alpha* that are not in *by*.
        """
        if by_score is None:
            first, *further = self._sorts(by if isinstance(by, tuple | list) else (by,), alpha, desc)
            return self._told(sort=attrs.evolve(first, further=tuple(further)) if further else first)
        if by is not None:
            raise ArgumentError("sort() takes by or by_score, not both")
        if not (isinstance(by_score, str) or (isinstance(by_score, Bound) and isinstance(by_score, SortedSetField))):
            raise ArgumentTypeError(
                f"sort(by_score=...) takes the key of a sorted set or a SortedSetField of an instance, not {by_score!r}"
            )
        elsewhere.check_here([by_score], self._database)
        return self._told(sort=Sort(None, flag(alpha, "alpha"), flag(desc, "desc"), by_score))

    def _sorts(self, by: Sequence[Any], alpha: Any, desc: bool) -> list[Sort]:
        """Return what each of *by* says."""
        if not by:
            raise ArgumentError("sort(by=...) takes at least one field where it takes several")
        named = [sort_name(self._model, self._schema, each) for each in by]
        texts = frozenset(alpha) if isinstance(alpha, list | tuple | set | frozenset) else None
        if texts is not None and (unknown := sorted(map(str, texts - {name or "pk" for name, _ in named}))):
            raise ArgumentError(f"sort(alpha=...) names {', '.join(unknown)}, by which it does not sort")
        sorts = []
        for name, reverse in named:
            by_text = flag(alpha, "alpha") if texts is None else (name or "pk") in texts
            sorts.append(Sort(name, by_text, flag(desc, "desc") != reverse))
        return sorts

    def _giving(self, shape: Shape) -> Any:
        # As Python has it the same collection, as a type checker has it one of other rows.
        return self._told(shape=shape)

    def instances(
        self, skip_exist_test: bool = False, lazy: bool = False, *, load: Iterable[str | InRows[Any]] = ()
    ) -> CollectionManager[T, T]:
        """Give instances; return the collection.

        At most two round trips: the pks, and one SMISMEMBER that looks all of them up. A pk that has vanished in
        between is left out; a slice that held it is shorter by it.

        Args:
            skip_exist_test: do not look them up; an instance is then looked up before its first write.
            lazy: the same by its later name.
            load: fields to be read along, as for :meth:`values`: what they hold at that moment is
                ``instance.loaded[...]``, by the same names. It is read in these two round trips, and one more for each
                further step of a path.

        Raises:
            ImplementationError: for a field that is not there, or of another model, or a path that leads nowhere.
            ArgumentTypeError: for *load* of something else than fields and names.
        """
        names = loaded_names(self._model, self._schema, load)
        shape = Shape("instances", names, tested=not (skip_exist_test or lazy), wide=bool(names))
        found: CollectionManager[T, T] = self._giving(shape)
        return found

    def primary_keys(self) -> CollectionManager[T, str]:
        """Give primary keys again, as at first; return the collection."""
        found: CollectionManager[T, str] = self._giving(PKS)
        return found

    @overload
    def values(self, *fields: str) -> CollectionManager[T, dict[str, Any]]: ...
    @overload
    def values(self, a: InRows[A], /) -> CollectionManager[T, dict[str, A]]: ...
    @overload
    def values(self, a: InRows[A], b: InRows[B], /) -> CollectionManager[T, dict[str, A | B]]: ...
    @overload
    def values(self, a: InRows[A], b: InRows[B], c: InRows[C], /) -> CollectionManager[T, dict[str, A | B | C]]: ...
    @overload
    def values(
        self, a: InRows[A], b: InRows[B], c: InRows[C], d: InRows[D], /
    ) -> CollectionManager[T, dict[str, A | B | C | D]]: ...
    @overload
    def values(self, *fields: str | InRows[Any]) -> CollectionManager[T, dict[str, object]]: ...
    def values(self, *fields: Any) -> Any:
        """Give dicts of values (SORT ... GET); return the collection.

        Args:
            fields: fields or their names, the primary key too; by default all that hold one value. One that holds many
                gives a set, a list, a dict of scores or a dict; ``"author__name"`` is of the object that a foreign key
                refers to, None where there is none; ``"members__name"`` and ``"book_set__title"`` are lists, of objects
                that a field refers to, or that refer to this one. ``SORTED_SCORE`` is the score that the collection is
                sorted by.

        Raises:
            ImplementationError: for a field that is not there, or of another model, or a path that leads nowhere.
            ArgumentTypeError: for something else than fields and names.
        """
        return self._values("values", fields)

    def _values(self, kind: str, fields: tuple[Any, ...], flat: bool = False) -> Any:
        names = value_names(self._model, self._schema, fields)
        return self._giving(Shape(kind, names, flat, wide=are_wide(self._schema, names)))

    @overload
    def values_list(self, field: str, /, *, flat: Literal[True]) -> CollectionManager[T, Any]: ...
    @overload
    def values_list(self, field: InRows[A], /, *, flat: Literal[True]) -> CollectionManager[T, A]: ...
    @overload
    def values_list(self, *fields: str, flat: Literal[False] = False) -> CollectionManager[T, tuple[Any, ...]]: ...
    @overload
    def values_list(self, a: InRows[A], /, *, flat: Literal[False] = False) -> CollectionManager[T, tuple[A]]: ...
    @overload
    def values_list(
        self, a: InRows[A], b: InRows[B], /, *, flat: Literal[False] = False
    ) -> CollectionManager[T, tuple[A, B]]: ...
    @overload
    def values_list(
        self, a: InRows[A], b: InRows[B], c: InRows[C], /, *, flat: Literal[False] = False
    ) -> CollectionManager[T, tuple[A, B, C]]: ...
    @overload
    def values_list(
        self, a: InRows[A], b: InRows[B], c: InRows[C], d: InRows[D], /, *, flat: Literal[False] = False
    ) -> CollectionManager[T, tuple[A, B, C, D]]: ...
    @overload
    def values_list(
        self, *fields: str | InRows[Any], flat: Literal[False] = False
    ) -> CollectionManager[T, tuple[object, ...]]: ...
    def values_list(self, *fields: Any, flat: bool = False) -> Any:
        """Same as :meth:`values` but give tuples; return the collection.

        Args:
            fields: as for :meth:`values`, in the order of the tuples.
            flat: give the one value itself; takes exactly one field.

        Raises:
            ImplementationError: same as :meth:`values`.
            ArgumentError: for *flat* with another number of fields.
        """
        if flag(flat, "flat") and len(fields) != 1:
            raise ArgumentError(f"values_list(flat=True) takes exactly one field, not {len(fields)}")
        return self._values("values_list", fields, flat)

    def copy(self) -> Self:
        """Return a collection of its own that says the same."""
        return copy.copy(self)


def given_pks(overlay: Overlay, schema: ModelSchema, given: Iterable[Any]) -> Deciding[frozenset[str]]:
    """Return the primary keys that *given* says, each by a value, an instance or a field."""
    found = []
    for item in given:
        found.append((yield from given_pk(schema, item, overlay, " in intersect()")))
    return frozenset(pk for pk in found if pk is not None)
