"""What a filter says: a condition on an index, or on the primary key (decide, pure)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from uowredis.collection.filters import FilterName, filter_name, pk_suffix
from uowredis.commands.arguments import Placeholder, text
from uowredis.commands.identity import Identity, State, check_current
from uowredis.commands.replies import as_text
from uowredis.commands.values import read_value, spelled
from uowredis.commands.where import Condition, Either, Everything, Filter, Given, Without
from uowredis.exceptions import ArgumentError, ArgumentTypeError
from uowredis.fields import Bound, PKField
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.index import EQUALITY, plainly
from uowredis.schema.lookup import Among
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.schema.ranges import ORDER
from uowredis.values import BUILT_IN, ValueType

#: Types whose values are compared with any number.
_NUMBERS = tuple(BUILT_IN[kind] for kind in (int, float, Decimal))

#: Most values are of these, in which nothing else is to be looked for.
_PLAIN = frozenset((str, int))


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
    if type(value) in _PLAIN:
        return text(value, what) if holds is None else spelled(value, holds, what)
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
        check_current(value._owner.identity)
        own = value._owner.identity.model.fields.get(value._field.name)
        if own is None:
            model: ModelSchema | None = value._owner.identity.model  # its primary key
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
    if model is None or relation.to is None or model.declared is not relation.to.declared:
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
    if isinstance(identity, Identity) and identity.model.declared is not schema.declared:
        check_current(identity)
        raise ArgumentTypeError(f"a primary key of {schema.name}{where} cannot be {identity}, which is another model's")
    known = yield from current_value(value, overlay)
    if known is None and value is not None:
        return None
    return spelled_value(known, schema.pk_holds, f"a primary key of {schema.name}{where}")


def is_known_later(value: Any) -> bool:
    """Return whether *value* is known only when it is asked for: a bound field, a new object without pk, or several."""
    if type(value) in _PLAIN:
        return False
    identity = getattr(value, "identity", None)
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(is_known_later, value))
    return isinstance(value, Bound) or (isinstance(identity, Identity) and identity.pk is None)


def check_later(schema: ModelSchema, name: str, value: Any) -> None:
    """Check a filter whose value is known only when it is asked for.

    Raises:
        ImplementationError: for a field without index, or one that is not there.
        ArgumentTypeError: for a field that holds many values, or an instance of another model.
    """
    if isinstance(value, Bound) and not hasattr(value, "get"):
        raise ArgumentTypeError(f"{schema.name}.{name} takes a field with one value, not {value!r}")
    if pk_suffix(schema, name) is None:
        asked, what = filter_name(schema, name), f"{schema.name}.{name}"
        for each in several(value, what) if asked.suffix == "in" else (value,):
            check_target(asked.field, each, what)


def current_value(value: Any, overlay: Overlay) -> Deciding[Any]:
    """Return *value* as it is now: what a bound field holds, the pk of an object; None where there is none.

    A new object of the open session gets its pk for it.
    """
    if isinstance(value, list | tuple | set | frozenset):
        found = []
        for each in value:
            found.append((yield from current_value(each, overlay)))
        return [each for each, given in zip(found, value, strict=True) if each is not None or given is None]
    if isinstance(value, Bound) and isinstance(value, PKField):
        value = value._owner
    elif isinstance(value, Bound):
        if not hasattr(value, "get"):
            return value
        found = (yield from overlay.read_all((value._value_read(as_text),)))[0]
        if overlay.is_recorded:
            return shown_value(value)
        holds = value._field.holds
        if holds is None or found is None:
            return found
        return read_value(holds, found, value._field.name, value._owner.identity)
    identity = getattr(value, "identity", None)
    if not isinstance(identity, Identity) or identity.pk is not None:
        return value
    if identity.state is not State.CREATED:
        return None
    return (yield from overlay.allocate((identity,)))[0]


def shown_value(value: Any) -> str:
    """Return what stands for a value that is known only later, for eyes."""
    return _Shown(
        f"<{value._owner.identity}.{value._field.name}>" if isinstance(value, Bound) else value.identity.reference
    )


def condition(schema: ModelSchema, name: str, value: Any) -> Condition:
    """Return the condition that a filter says.

    Raises:
        ImplementationError: for a field without index, or one that is not there, or that no index answers.
        ArgumentTypeError: for a value that Redis has no spelling for.
        ArgumentError: for a value that the index cannot compare with.
    """
    of_pk, what = pk_suffix(schema, name), f"{schema.name}.{name}"
    if of_pk is not None:
        given = several(value, what) if of_pk == "in" else (value,)
        of = f"the primary key of {schema.name}"
        return Given(frozenset(spelled_value(each, schema.pk_holds, of) for each in given))
    asked = filter_name(schema, name)
    field, keys = asked.field, schema.keys
    if asked.index is None:
        if not isinstance(value, bool):
            raise ArgumentTypeError(f"{what} takes True or False, not {value!r}")
        nothing = Filter(field, Among((keys.none(field.stored),)))
        return nothing if value else Without(Everything(keys.collection), nothing)
    given = several(value, what) if asked.suffix == "in" else (value,)
    parts: list[Condition] = []
    if None in given and asked.suffix in EQUALITY and not field.by_entry:
        if not field.none:
            raise ArgumentTypeError(
                f"{what} cannot be None: it is not indexed which objects have no {field.name}. Way out: none=True on "
                f"{schema.name}.{field.name}, and rebuild({schema.name}, {field.name!r}) for what is there"
            )
        parts.append(Filter(field, Among((keys.none(field.stored),))))
        given = tuple(each for each in given if each is not None)
    values = []
    for each in given:
        if field.relation is not None:
            check_target(field, each, what)
        values.append(_spelled(asked, each, what))
    try:
        lookups = asked.index.lookup(keys, asked.entry, asked.suffix, tuple(values)) if values or not parts else ()
    except ValueError as error:
        raise ArgumentError(f"{what} cannot be compared with {value!r}: {error}") from error
    for lookup in lookups:
        parts.append(Filter(field, lookup))
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def several(value: Any, what: str) -> tuple[Any, ...]:
    """Return the values of a filter that takes several.

    Raises:
        ArgumentTypeError: where it is none of the collections that Python has, or holds a field, which is read first.
    """
    if not isinstance(value, list | tuple | set | frozenset):
        raise ArgumentTypeError(f"{what} takes a list, tuple or set of values, not {type(value).__name__}")
    for each in value:
        if isinstance(each, Bound):
            raise ArgumentTypeError(f"{what} takes values, not {each!r}. Way out: read it first")
    return tuple(value)


def _spelled(asked: FilterName, value: Any, what: str) -> str:
    """Return a value of a filter as text: as the field's own are spelled, unless something else is compared.

    Raises:
        ArgumentTypeError: for another type.
        ArgumentError: for what is no value of its own type that can be compared, as NaN.
    """
    holds = asked.field.holds
    if holds is None and not asked.freely:
        return text(value, what) if type(value) in _PLAIN else spelled_value(value, None, what)
    # Between two integers there are other numbers.
    by_number = asked.suffix in ORDER and holds in _NUMBERS and type(value) in (int, float, Decimal)
    freely = asked.index is not None and asked.index.spells_freely
    if by_number or (freely and type(value) in BUILT_IN):
        try:
            return plainly(value)
        except ValueError as error:
            raise ArgumentError(f"{what} cannot be compared with {value!r}: {error}") from error
    return spelled_value(value, None if asked.freely else holds, what)
