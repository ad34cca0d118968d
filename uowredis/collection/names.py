"""Which fields ``sort()`` and ``values()`` take (say, pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from uowredis.collection.widths import SORTED_SCORE
from uowredis.commands.arguments import shown
from uowredis.commands.paths import path_of
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
        ImplementationError: for a field that is not there, or of another model, or a path that leads nowhere.
    """
    if not fields:
        return tuple([name for name, field in model._fields.items() if field.kind in (*_SIMPLE, Kind.PK)])
    names = tuple([_name_of(model, schema, field) for field in fields])
    for name in names:
        if not isinstance(name, str):
            raise ArgumentTypeError(f"{schema.name} gives values by fields or their names, not by {shown(name)}")
    return names


def loaded_names(model: Any, schema: ModelSchema, fields: Any) -> tuple[str, ...]:
    """Return the names of the *fields* that instances are loaded with.

    Raises:
        ImplementationError: same as :func:`value_names`.
        ArgumentTypeError: for what is not several fields or names.
    """
    if isinstance(fields, str | bytes) or not isinstance(fields, Iterable):
        raise ArgumentTypeError(
            f"instances(load=...) takes several fields or names, not {shown(fields)}. Way out: a tuple or list of them"
        )
    given = tuple(fields)
    names = value_names(model, schema, given) if given else ()
    if SORTED_SCORE in names:
        raise ArgumentTypeError("instances(load=...) takes fields, and SORTED_SCORE is none. Way out: values(...)")
    are_wide(schema, names)
    return names


def are_wide(schema: ModelSchema, names: Sequence[str]) -> bool:
    """Return whether some of *names* are of more than single values of the object itself.

    Raises:
        ImplementationError: for what is no field, or leads nowhere.
    """
    near, fields = ("pk", schema.pk_field, SORTED_SCORE), schema.fields
    # Most values are near, and need no path.
    far = [name for name in names if name not in near and not ((field := fields.get(name)) and field.single)]
    for name in far:
        path_of(schema, name)
    return bool(far)


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
