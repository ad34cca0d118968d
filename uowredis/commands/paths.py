"""What names a value of an object, or of what it refers to, or is referred to by: ``author__name`` (say, pure).

Behind what refers to many, and behind the collection on the other side of a reference, there is a list, with something
for each object that lies there: ``books__tags`` of an author is a list of sets. It is one of lists where two of these
follow each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.exceptions import ImplementationError
from uowredis.schema.models import FieldSchema, ModelSchema


@attrs.frozen
class OtherSide:
    """The objects that refer to one by a field, as a value of that one: their primary keys.

    Attributes:
        to: the model of that one.
        name: of the collection of them.
        model: theirs.
        field: by which they refer.
    """

    to: ModelSchema
    name: str
    model: ModelSchema
    field: FieldSchema = attrs.field(eq=False)

    #: As a field would say it.
    single: ClassVar[bool] = False

    def key(self, pk: str) -> str:
        """Return the index key that holds those that refer to the object *pk*."""
        return self.model.keys.index(self.field.stored, pk)

    def call(self, pk: str) -> Call:
        """Return what reads them."""
        return ("SMEMBERS", self.key(pk))


#: One stop of a path: a model, and the field of it, or who refers to its objects, None for its primary key.
Stop: TypeAlias = tuple[ModelSchema, FieldSchema | OtherSide | None]


@attrs.frozen
class Path:
    """A value that is wanted of each object found.

    Attributes:
        stops: what leads there, each with its model, and last the value.
        names: those of the fields and collections, one a stop; ``pk`` for a primary key.
    """

    stops: tuple[Stop, ...]
    names: tuple[str, ...]

    @property
    def model(self) -> ModelSchema:
        """Whose value it is."""
        return self.stops[-1][0]

    @property
    def last(self) -> FieldSchema | OtherSide | None:
        """What holds it, None for the primary key."""
        return self.stops[-1][1]

    @property
    def single(self) -> bool:
        """Whether it is one value, which is given as it is stored until it is read by its type."""
        return self.last is None or self.last.single

    @property
    def near(self) -> bool:
        """Whether it is one value of the object itself, which SORT gets."""
        return len(self.stops) == 1 and self.single

    @property
    def lists(self) -> int:
        """How many lists are around each value: one for each stop of many that leads on."""
        return sum(stop is not None and not stop.single for _, stop in self.stops[:-1])


def leaves(column: Sequence[Any], lists: int) -> Sequence[Any]:
    """Return what is in so many *lists* around each value of a *column*, one after another."""
    for _ in range(lists):
        column = [each for some in column if some is not None for each in some]
    return column


def with_leaves(column: Sequence[Any], lists: int, values: Iterable[Any]) -> list[Any]:
    """Return a *column* with *values* in place of its :func:`leaves`; None stays where there is no list."""
    return _grown(column, lists, iter(values))


def _grown(column: Sequence[Any], lists: int, values: Iterator[Any]) -> list[Any]:
    if not lists:
        return list(itertools.islice(values, len(column)))
    return [None if some is None else _grown(some, lists - 1, values) for some in column]


def path_of(model: ModelSchema, name: str) -> Path:
    """Return what *name* says: a field of *model*, or ``__`` between what leads on and a field of what lies there.

    Raises:
        ImplementationError: for what is no field, or leads nowhere.
    """
    stops: list[Stop] = []
    names: list[str] = []
    here, rest = model, name
    while True:
        if rest in ("pk", here.pk_field):
            return Path((*stops, (here, None)), (*names, "pk"))
        if (field := here.fields.get(rest)) is not None:
            return Path((*stops, (here, field)), (*names, rest))
        held = _held_by(here)
        if (stop := held.get(rest)) is not None:
            return Path((*stops, (here, stop)), (*names, rest))
        # A name may end with "_".
        opening = max((each for each in held if rest.startswith(f"{each}__")), key=len, default=None)
        if opening is None:
            known = ", ".join(dict.fromkeys(("pk", here.pk_field, *held)))
            raise ImplementationError(f"{here.name} has no field {rest!r} to give. Way out: one of {known}")
        stops.append((here, held[opening]))
        names.append(opening)
        here, rest = _beyond(here, held[opening], name), rest.removeprefix(f"{opening}__")


def _held_by(model: ModelSchema) -> dict[str, FieldSchema | OtherSide]:
    """Return the fields of *model* and the collections on the other side of references to it, by name."""
    held: dict[str, FieldSchema | OtherSide] = dict(model.fields)
    for referrer, field in model.referrers:
        assert field.relation is not None
        name = field.relation.other_side
        held[name] = OtherSide(model, name, referrer, field)
    return held


def _beyond(model: ModelSchema, stop: FieldSchema | OtherSide, name: str) -> ModelSchema:
    """Return the model of what a reference leads to, or the other side of one.

    Raises:
        ImplementationError: where it is none, or the other model is not there.
    """
    if isinstance(stop, OtherSide):
        return stop.model
    place, relation = f"{model.name}.{stop.name}", stop.relation
    if relation is None:
        raise ImplementationError(
            f"{name!r} cannot be given: {place} refers to no other object. Way out: {stop.name!r} for all it holds"
        )
    if relation.to is None:
        raise ImplementationError(
            f"{name!r} cannot be given: {place} refers to {relation.wanted}, which is not declared on the same "
            f"database. Way out: declare it, or move it there with use_database()"
        )
    return relation.to
