"""How an object is found by its values, and made where there is none (say)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from uowredis.collection.filters import filter_name, is_of_pk
from uowredis.collection.manager import CollectionManager
from uowredis.exceptions import ArgumentError, ArgumentTypeError, Conflict, ImplementationError, absent
from uowredis.model.declaration import database_of, schema_of
from uowredis.schema.models import ModelSchema

if TYPE_CHECKING:
    from uowredis.model.any_model import AnyModel
    from uowredis.model.redis_model import RedisModel

T = TypeVar("T", bound="RedisModel")


def get(model: type[T], pk: Any, filters: dict[str, Any]) -> T:
    """Do what :meth:`RedisModel.get` says."""
    found = _only(model, wanted_by(model, pk, filters, "get"), pk, filters)
    if found is None:
        raise none_found(model, pk, filters)
    return found


def none_found(model: type[AnyModel[Any]], pk: Any, filters: dict[str, Any]) -> Exception:
    """Return the error for an object that is not there."""
    return absent(schema_of(model), f"No {model.__name__} found with {asked_for(pk, filters)}")


def get_or_connect(model: type[T], filters: dict[str, Any], defaults: Mapping[str, Any] | None) -> tuple[T, bool]:
    """Do what :meth:`RedisModel.get_or_connect` says."""
    # What could not be asked, or not be created, is refused whether it is there or not.
    schema, conditions = schema_of(model), dict(filters)
    check_finds(schema, filters)
    wanted = wanted_by(model, conditions.pop("pk", None), conditions, "get_or_connect")
    values = with_defaults(schema, filters, defaults)
    model._creation(schema, values)
    database = database_of(model)
    assert database is not None
    deadline = time.monotonic() + database._retry_for
    while True:
        found = _only(model, wanted, None, filters)
        if found is not None:
            return found, False
        instance = model.__new__(model)
        instance._others = wanted._is_there()
        try:
            # As type.__call__ does it, with what must not be there left for _create().
            instance.__init__(**values)  # type: ignore[misc]
        except Conflict:
            # Another client created it in between: it is found now.
            if time.monotonic() >= deadline:
                raise
        else:
            return instance, True


def wanted_by(model: type[AnyModel[Any]], pk: Any, filters: dict[str, Any], method: str) -> CollectionManager:
    """Return a query on what *method* was told, at least one condition."""
    schema = schema_of(model)
    if schema.pk_field in filters and pk is not None:
        raise ArgumentError(f"{model.__name__}.{method}() takes its primary key once, not {pk!r} and by name")
    if pk is not None:
        filters = filters | {schema.pk_field: pk}
    if not filters:
        raise ArgumentError(f"{model.__name__}.{method}() needs a primary key or values of indexed fields")
    return model._own_manager(model, schema)._filter(filters)


def _only(model: type[T], wanted: CollectionManager, pk: Any, filters: dict[str, Any]) -> T | None:
    """Return the one that is *wanted*, None where there is none.

    Raises:
        ArgumentError: for several.
    """
    found, several = wanted._the_one()
    check_one(model, several, pk, filters)
    return model._handle(*found[0]) if found else None


def check_one(model: type[AnyModel[Any]], several: str, pk: Any, filters: dict[str, Any]) -> None:
    """Check that not *several* match.

    Raises:
        ArgumentError: where they do.
    """
    if several:
        raise ArgumentError(
            f"{several} {model.__name__} match {asked_for(pk, filters)}, get() needs exactly one. Way out: more "
            f"conditions, or a unique field"
        )


def check_finds(schema: ModelSchema, filters: Iterable[str]) -> None:
    """Check that ``get_or_connect()`` can find by *filters*; the others are told here, where there is one more way out.

    Raises:
        ImplementationError: for a field without index, or a filter that does not say which value is to be created.
    """
    told = (is_of_pk(schema, name) or ((field := schema.fields.get(name)) and field.relation) for name in filters)
    if schema.facets is not None and not any(told):
        references = ", ".join(f"{field.name}=..." for field in schema.related)
        raise ImplementationError(
            f"{schema.name}.get_or_connect() watches that no other is there, which it can in one of {schema.shards:,} "
            f"places. Way out: what tells the place, {references or f'{schema.pk_field}=... of a PKField'}, among what "
            f"it finds by"
        )
    for name in filters:
        field = schema.fields.get(name)
        if field is None and not is_of_pk(schema, name) and (asked := filter_name(schema, name)).asks_for_more:
            plain = "__".join(filter(None, (asked.field.name, asked.entry)))
            raise ImplementationError(
                f"{schema.name}.get_or_connect() finds by equal values, which a new object gets, and not by {name!r}. "
                f"Way out: {plain}=..."
            )
        if field is not None and not field.indexed:
            raise ImplementationError(
                f"{schema.name}.{name} has no index, and get_or_connect() cannot find by it. Way out: "
                f"defaults={{{name!r}: ...}} for a value of new objects only, or indexable=True"
            )


def with_defaults(schema: ModelSchema, filters: dict[str, Any], defaults: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what ``get_or_connect()`` creates an object with.

    Raises:
        ArgumentTypeError: for defaults that are no mapping.
        ArgumentError: for a value that is given twice.
    """
    if defaults is None:
        return _as_values(schema, filters)
    if not isinstance(defaults, Mapping) or not all(isinstance(name, str) for name in defaults):
        raise ArgumentTypeError(
            f"{schema.name}.get_or_connect(defaults=...) takes a mapping of fields to values, not {defaults!r}"
        )
    values, others = _as_values(schema, filters), _as_values(schema, dict(defaults))
    for name, value in others.items():
        entries = values.get(name)
        if isinstance(entries, dict) and isinstance(value, Mapping) and entries.keys().isdisjoint(value):
            values[name] = {**value, **entries}
        elif name in values or (name in ("pk", schema.pk_field) and not {"pk", schema.pk_field}.isdisjoint(values)):
            raise ArgumentError(
                f"{schema.name}.get_or_connect() takes {name!r} once, not as filter and in defaults. Way out: leave it "
                f"out of defaults"
            )
        else:
            values[name] = value
    return values


def _as_values(schema: ModelSchema, filters: dict[str, Any]) -> dict[str, Any]:
    """Return *filters* as a constructor takes them: the entries of a HashField as one mapping."""
    values: dict[str, Any] = {}
    for name, value in filters.items():
        field_name, separator, entry = name.partition("__")
        if separator and field_name in schema.fields:
            values.setdefault(field_name, {})[entry] = value
        else:
            values[name] = value
    return values


def asked_for(pk: Any, filters: dict[str, Any]) -> str:
    """Return what was asked for, in words."""
    given = ([f"pk {pk!r}"] if pk is not None else []) + [f"{name}={value!r}" for name, value in filters.items()]
    return ", ".join(given)
