"""How an object is found by its values, and made where there is none (say)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from uowredis.collection.conditions import given_pk
from uowredis.collection.filters import filter_name, is_of_pk
from uowredis.collection.manager import CollectionManager
from uowredis.commands.arguments import shown
from uowredis.commands.commands import Create
from uowredis.commands.identity import Identity, State
from uowredis.commands.values import pk_value
from uowredis.exceptions import ArgumentError, ArgumentTypeError, Conflict, ImplementationError, absent
from uowredis.model.declaration import database_of, schema_of
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.models import ModelSchema
from uowredis.session.batches import Batches

if TYPE_CHECKING:
    from uowredis.model.any_model import AnyModel
    from uowredis.model.redis_model import RedisModel

T = TypeVar("T", bound="RedisModel")

#: How many primary keys that are not there an error names.
_NAMED = 10


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
        instance.__dict__["_others"] = wanted._is_there()
        try:
            # As type.__call__ does it, with what must not be there left for _create().
            instance.__init__(**values)  # type: ignore[misc]
        except Conflict:
            # Another client created it in between: it is found now.
            if time.monotonic() >= deadline:
                raise
        else:
            return instance, True


def get_many(model: type[T], pks: Iterable[Any], missing: str) -> list[T]:
    """Do what :meth:`RedisModel.get_many` says."""
    schema = schema_of(model)
    if missing not in ("raise", "skip"):
        raise ArgumentError(f"get_many(missing=...) takes 'raise' or 'skip', not {shown(missing)}")
    if isinstance(pks, str | bytes | Mapping) or not isinstance(pks, Iterable):
        raise ArgumentTypeError(
            f"{schema.name}.get_many() takes several primary keys, not {shown(pks)}. Way out: a list of them"
        )
    given = list(pks)
    found = model._find(lambda overlay: _of_pks(schema, given, overlay))
    absentees = [shown(each) for each, (_, is_there) in zip(given, found, strict=True) if not is_there]
    if absentees and missing == "raise":
        named = ", ".join(absentees[:_NAMED]) + (f" and {len(absentees) - _NAMED} more" * (len(absentees) > _NAMED))
        raise absent(
            schema,
            f"No {schema.name} found with pk {named} (not in {schema.keys.collection!r}). Way out: "
            f"get_many(..., missing='skip') leaves out what is not there",
        )
    return [_handle(model, identity) for identity, is_there in found if is_there]


def create_many(model: type[T], rows: Iterable[Mapping[str, Any]], batches: Batches) -> list[T]:
    """Do what :meth:`RedisModel.create_many` says."""
    made: list[T] = []

    def say(part: Sequence[Create]) -> None:
        for create in part:
            made.append(model.__new__(model))
            made[-1]._begin(create)

    database = database_of(model)
    assert database is not None
    batches.say(database, creations(model, rows), say, lambda part: part)
    return made


def creations(model: type[AnyModel[Any]], rows: Iterable[Mapping[str, Any]]) -> list[Create]:
    """Return what creates the objects of *rows*: each is looked at once, since an iterator in it is gone after that.

    Raises:
        ArgumentTypeError: for what are no rows.
        ArgumentError: for one that is none of the model.
    """
    schema, found = schema_of(model), []
    given = [] if isinstance(rows, str | bytes | Mapping) else list(rows)
    for number, row in enumerate(given):
        if not (isinstance(row, Mapping) and all(isinstance(name, str) for name in row)):
            raise ArgumentTypeError(f"{schema.name}.create_many() takes mappings of fields to values, not {shown(row)}")
        try:
            found.append(model._creation(schema, dict(row)))
        except ArgumentError as error:
            error.add_note(f"uowredis: in row {number} of create_many(), counted from 0; nothing was written")
            raise
    if not given and rows:
        raise ArgumentTypeError(
            f"{schema.name}.create_many() takes several rows, not {shown(rows)}. Way out: a list of mappings"
        )
    return found


def to_dict(instance: RedisModel) -> dict[str, Any]:
    """Do what :meth:`RedisModel.to_dict` says."""
    identity, fields = instance.identity, type(instance)._fields
    schema = identity.model
    names = [name for name in fields if name != schema.pk_field]
    reads = [getattr(instance, name)._whole_read() for name in names]

    def held(overlay: Overlay) -> Deciding[list[Any]]:
        if identity.state is State.CREATED:
            overlay.check_new(identity)
        return (yield from overlay.read_all(reads))

    found = dict(zip(names, instance._find(held), strict=True))
    pk = None if identity.pk is None else pk_value(schema, identity.pk)
    return {name: pk if name == schema.pk_field else found[name] for name in fields}


def lazy_connect(model: type[T], pk: Any) -> T:
    """Do what :meth:`RedisModel.lazy_connect` says."""
    schema = schema_of(model)
    return _handle(model, model._find(lambda overlay: _not_looked_up(schema, pk, overlay)))


def _handle(model: type[T], identity: Identity) -> T:
    handle = model.__new__(model)
    handle.__dict__["_identity"] = identity
    return handle


def _of_pks(schema: ModelSchema, given: Iterable[Any], overlay: Overlay) -> Deciding[list[tuple[Identity, bool]]]:
    """Return the objects that have the primary keys *given*, and whether each is there."""
    pks = []
    for each in given:
        pks.append((yield from given_pk(schema, each, overlay, " in get_many()")))
    there = yield from overlay.holding(schema, [pk for pk in pks if pk is not None])
    return [
        (overlay.created(schema, pk or "") or Identity(schema, pk, State.STORED), pk is not None and pk in there)
        for pk in pks
    ]


def _not_looked_up(schema: ModelSchema, given: Any, overlay: Overlay) -> Deciding[Identity]:
    """Return the object that has the primary key *given*, if there is one.

    Raises:
        ArgumentError: for what can be no primary key.
    """
    pk = yield from given_pk(schema, given, overlay, " in lazy_connect()")
    reason = "there is none yet" if pk is None else schema.why_not_a_pk(pk)
    if pk is None or reason is not None:
        raise ArgumentError(f"{schema.name}.lazy_connect() cannot take {shown(given)}: {reason}")
    return overlay.created(schema, pk) or Identity(schema, pk, State.UNTESTED)


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
