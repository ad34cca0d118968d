"""What a filter says: a condition on an index, or on the primary key (decide, pure)."""

from __future__ import annotations

from typing import Any

from uowredis.commands.arguments import Placeholder
from uowredis.commands.identity import Identity, State, check_current
from uowredis.commands.query import Filter
from uowredis.commands.replies import as_text
from uowredis.commands.values import read_value, spelled
from uowredis.exceptions import ArgumentTypeError, ImplementationError
from uowredis.fields import Bound, PKField
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.values import ValueType

#: What other mappers call questions for larger and smaller values.
_RANGES = frozenset(("gt", "gte", "lt", "lte", "range", "between"))


class _Shown(str):
    """What stands for a value that is known only later, whatever its type, where a question is only shown."""

    __slots__ = ()


def spelled_value(value: Any, holds: ValueType[Any] | None, what: object) -> str:
    """Return a value of a filter, or a primary key, as text; an instance, or what stands for it, stands for its own.

    Args:
        value: what was given.
        holds: what the field holds, None for text.
        what: what it is, for the error.

    Raises:
        ArgumentTypeError: for another type, or an instance without primary key.
    """
    identity = getattr(value, "identity", None)
    if isinstance(value, Placeholder | _Shown):
        return value
    if isinstance(identity, Identity):
        check_current(identity)
        if identity.pk is None:
            raise ArgumentTypeError(f"{what} cannot be {identity}: it has no primary key yet")
        return identity.pk
    return spelled(value, holds, what)


def check_target(field: FieldSchema, value: Any, what: object) -> None:
    """Check that an instance given for a field that refers to objects is of the model it refers to.

    Raises:
        ArgumentTypeError: where it is of another.
    """
    relation = field.relation
    if relation is None:
        return
    if isinstance(value, Bound):
        check_current(value.owner.identity)
        own = value.owner.identity.model.fields.get(value.field.name)
        if own is None:
            model: ModelSchema | None = value.owner.identity.model  # its primary key
        elif own.relation is not None:
            model = own.relation.to
        else:
            return
    else:
        identity = getattr(value, "identity", None)
        if not isinstance(identity, Identity):
            return
        check_current(identity)
        model = identity.model
    if model is None or model is not relation.to:
        where = "" if relation.to is not None else ", which is not declared on this database"
        shown = repr(value) if isinstance(value, Bound) else value.identity
        raise ArgumentTypeError(
            f"{what} refers to {relation.wanted}{where}, and cannot be {shown}. Way out: a {relation.wanted}, or its "
            f"primary key"
        )


def given_pk(schema: ModelSchema, value: Any, overlay: Overlay, where: str = "") -> Deciding[str | None]:
    """Return the primary key of *schema* that *value* says: text, an instance, a bound field; None for none.

    Args:
        schema: whose primary key is wanted.
        value: what was given.
        overlay: of the open session; a new object of it gets its primary key now.
        where: where it was given, for the error.

    Raises:
        ArgumentTypeError: for another type, or an instance of another model.
    """
    identity = getattr(value, "identity", None)
    if isinstance(identity, Identity) and identity.model is not schema:
        check_current(identity)
        raise ArgumentTypeError(f"a primary key of {schema.name}{where} cannot be {identity}, which is another model's")
    known = yield from current_value(value, overlay)
    if known is None and value is not None:
        return None
    return spelled_value(known, schema.pk_holds, f"a primary key of {schema.name}{where}")


def is_known_later(value: Any) -> bool:
    """Return whether *value* is known only when it is asked for: a bound field, or a new object without pk."""
    identity = getattr(value, "identity", None)
    return isinstance(value, Bound) or (isinstance(identity, Identity) and identity.pk is None)


def check_later(schema: ModelSchema, name: str, value: Any) -> None:
    """Check a filter whose value is known only when it is asked for.

    Raises:
        ImplementationError: for a field without index, or one that is not there.
        ArgumentTypeError: for a field that holds many values, or an instance of another model.
    """
    if isinstance(value, Bound) and not hasattr(value, "get"):
        raise ArgumentTypeError(f"{schema.name}.{name} takes a field with one value, not {value!r}")
    if name not in ("pk", schema.pk_field):
        check_target(filter_field(schema, name)[0], value, f"{schema.name}.{name}")


def current_value(value: Any, overlay: Overlay) -> Deciding[Any]:
    """Return *value* as it is now: what a bound field holds, the pk of an object; None where there is none.

    A new object of the open session gets its pk for it.
    """
    if isinstance(value, Bound) and isinstance(value, PKField):
        value = value.owner
    elif isinstance(value, Bound):
        if not hasattr(value, "get"):
            return value
        found = (yield from overlay.read_all((value._value_read(as_text),)))[0]
        if overlay.is_recorded:
            return shown_value(value)
        holds = value.field.holds
        if holds is None or found is None:
            return found
        return read_value(holds, found, value.field.name, value.owner.identity)
    identity = getattr(value, "identity", None)
    if not isinstance(identity, Identity) or identity.pk is not None:
        return value
    if identity.state is not State.CREATED:
        return None
    return (yield from overlay.allocate((identity,)))[0]


def shown_value(value: Any) -> str:
    """Return what stands for a value that is known only later, for eyes."""
    return _Shown(
        f"<{value.owner.identity}.{value.field.name}>" if isinstance(value, Bound) else value.identity.reference
    )


def condition(schema: ModelSchema, name: str, value: Any) -> Filter | str:
    """Return the condition that a filter says: an index key, or the pk itself.

    Raises:
        ImplementationError: for a field without index, or one that is not there.
        ArgumentTypeError: for a value that Redis has no spelling for.
    """
    if name in ("pk", schema.pk_field):
        return spelled_value(value, schema.pk_holds, f"the primary key of {schema.name}")
    field, entry = filter_field(schema, name)
    check_target(field, value, f"{schema.name}.{name}")
    return Filter(field, schema.index_key(field, entry, spelled_value(value, field.holds, f"{schema.name}.{name}")))


def filter_field(schema: ModelSchema, name: str) -> tuple[FieldSchema, str]:
    """Return the indexed field of a filter, and the entry for a HashField.

    Raises:
        ImplementationError: for a field without index, or one that is not there.
    """
    field_name, separator, entry = name.partition("__")
    field = schema.fields.get(field_name)
    if separator and field_name in ("pk", schema.pk_field):
        way = "intersect([...])" if entry == "in" else f"{field_name}=... for one"
        raise ImplementationError(
            f"{schema.name} cannot be filtered on {name!r}: filters ask whether a value is equal. Way out: {way}"
        )
    if field is None:
        raise ImplementationError(
            f"{schema.name} has no field {field_name!r} to filter on. Way out: it has "
            f"{', '.join([schema.pk_field, *schema.fields])}"
        )
    if separator and field.kind is not Kind.HASH:
        raise _only_equal(schema, field, name, entry)
    if not field.indexed:
        raise ImplementationError(
            f"{schema.name}.{field_name} has no index and cannot be filtered on. Way out: indexable=True"
        )
    if field.kind is Kind.HASH and not entry:
        raise ImplementationError(
            f"{schema.name}.{field_name} is a HashField, and is filtered on one of its entries. Way out: "
            f"{field_name}__entry=..."
        )
    return field, entry


def _only_equal(schema: ModelSchema, field: FieldSchema, name: str, asked: str) -> ImplementationError:
    """Return the error for *name*, which asks for something else than an equal value, with a way to get it."""
    if field.relation is not None and asked not in _RANGES | {"in"}:
        return ImplementationError(
            f"{schema.name} cannot be filtered on {name!r}: filters do not follow references. Way out: find what "
            f"{field.name} refers to first, and ask with {field.name}=... for each (an object or its primary key)"
        )
    index = "" if field.indexed else f" (with indexable=True on {schema.name}.{field.name})"
    if asked == "in":
        way = f"one query for each value, {field.name}=...{index}"
    elif asked in _RANGES and field.kind in (Kind.STRING, Kind.ENTRY):
        way = f"sort(by={field.name!r}).values_list('pk', {field.name!r}), and take those you want from the list"
    else:
        way = f"{field.name}=... for a whole value{index}"
    return ImplementationError(
        f"{schema.name} cannot be filtered on {name!r}: filters ask whether a value is equal. Way out: {way}"
    )
