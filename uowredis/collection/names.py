"""Which fields ``sort()`` and ``values()`` take (say, pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uowredis.collection.wanted import SORTED_SCORE
from uowredis.exceptions import ArgumentTypeError, ImplementationError
from uowredis.fields import Bound, Field
from uowredis.schema.models import Kind, ModelSchema

_SIMPLE = (Kind.STRING, Kind.ENTRY)


def sort_name(model: Any, schema: ModelSchema, by: Any) -> tuple[str | None, bool]:
    """Return the name of the field that *by* says, None for the primary key, and whether the order is reversed.

    Raises:
        ImplementationError: for a field that is not there or holds many values, or of another model.
        ArgumentTypeError: for anything else.
    """
    given = _name_of(model, schema, by)
    if given is None:
        return None, False
    if not isinstance(given, str):
        raise ArgumentTypeError(f"sort(by=...) takes the name of a field, not {type(given).__name__}")
    name, reverse = given.removeprefix("-"), given.startswith("-")
    _check_simple(schema, name)
    return (None if name in ("pk", schema.pk_field) else name), reverse


def value_names(model: Any, schema: ModelSchema, fields: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of *fields*, by default of all that hold one value, in the order of their declaration.

    Raises:
        ImplementationError: for a field that is not there or holds many values, or of another model.
    """
    if not fields:
        return tuple([name for name, field in model._fields.items() if field.kind in (*_SIMPLE, Kind.PK)])
    names = tuple([_name_of(model, schema, field) for field in fields])
    for name in names:
        if name != SORTED_SCORE:
            _check_simple(schema, name)
    return names


def _check_simple(schema: ModelSchema, name: Any) -> None:
    if name in ("pk", schema.pk_field):
        return
    field = schema.fields.get(name) if isinstance(name, str) else None
    if field is None or field.kind not in _SIMPLE:
        known = ["pk", *(f.name for f in schema.fields.values() if f.kind in _SIMPLE)]
        raise ImplementationError(
            f"{schema.name} has no single value {name!r}. Way out: one of {', '.join(dict.fromkeys(known))}"
        )


def _name_of(model: Any, schema: ModelSchema, given: Any) -> Any:
    """Return the name of a field of the model, declared or bound; anything else as it is."""
    field = given._field if isinstance(given, Bound) else given
    if not isinstance(field, Field):
        return given
    if not any(vars(base).get("_fields", {}).get(field.name) is field for base in model.__mro__):
        raise ImplementationError(f"{field} is no field of {schema.name}. Way out: a field of its own, by name")
    return field.name
