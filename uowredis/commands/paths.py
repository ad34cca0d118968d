"""What names a value of an object, or of what it refers to: ``author__name`` (say, pure)."""

from __future__ import annotations

import attrs

from uowredis.exceptions import ImplementationError
from uowredis.schema.models import FieldSchema, ModelSchema

#: One stop of a path: a model, and the field of it, None for its primary key.
Stop = tuple[ModelSchema, FieldSchema | None]


@attrs.frozen
class Path:
    """A value that is wanted of each object found.

    Attributes:
        stops: the foreign keys that lead there, each with its model, and last the value.
        names: those of the fields, one a stop; ``pk`` for a primary key.
    """

    stops: tuple[Stop, ...]
    names: tuple[str, ...]

    @property
    def model(self) -> ModelSchema:
        """Whose value it is."""
        return self.stops[-1][0]

    @property
    def field(self) -> FieldSchema | None:
        """The field whose value it is, None for the primary key."""
        return self.stops[-1][1]

    @property
    def single(self) -> bool:
        """Whether it is one value, which is given as it is stored until it is read by its type."""
        return self.field is None or self.field.single

    @property
    def near(self) -> bool:
        """Whether it is one value of the object itself, which SORT gets."""
        return len(self.stops) == 1 and self.single


def path_of(model: ModelSchema, name: str) -> Path:
    """Return what *name* says: a field of *model*, or ``__`` between foreign keys and a field of what they refer to.

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
        # A name may end with "_".
        opening = max((each for each in here.fields if rest.startswith(f"{each}__")), key=len, default=None)
        if opening is None:
            known = ", ".join(dict.fromkeys(("pk", here.pk_field, *here.fields)))
            raise ImplementationError(f"{here.name} has no field {rest!r} to give. Way out: one of {known}")
        stops.append((here, here.fields[opening]))
        names.append(opening)
        here, rest = _referred(here, here.fields[opening], name), rest.removeprefix(f"{opening}__")


def _referred(model: ModelSchema, field: FieldSchema, name: str) -> ModelSchema:
    """Return the model that a foreign key leads to.

    Raises:
        ImplementationError: where it is none, or the other model is not there.
    """
    place, relation = f"{model.name}.{field.name}", field.relation
    if relation is None:
        raise ImplementationError(
            f"{name!r} cannot be given: {place} refers to no other object. Way out: {field.name!r} for all it holds"
        )
    if not field.single:
        raise ImplementationError(
            f"{name!r} cannot be given: {place} refers to many objects, and a row has one of each. Way out: "
            f"{field.name!r} for their primary keys, which {relation.wanted}.collection(pk__in=...) finds"
        )
    if relation.to is None:
        raise ImplementationError(
            f"{name!r} cannot be given: {place} refers to {relation.wanted}, which is not declared on the same "
            f"database. Way out: declare it, or move it there with use_database()"
        )
    return relation.to
