"""What the name of a filter says: a field, perhaps an entry of it, an index, and what is asked (decide, pure)."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import attrs

from uowredis.exceptions import ImplementationError
from uowredis.schema.index import EQUALITY, Index
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.schema.ranges import ORDER

#: What asks whether an object holds nothing.
IS_NULL = "isnull"

#: Words for which another index than the one for equal values is needed; not all are ours.
_RANGES = ORDER | {"startswith", "range", "between"}


@attrs.frozen
class FilterName:
    """What the name of a filter says.

    Attributes:
        field: whose values are asked for.
        entry: of a HashField.
        index: the first one that answers it; None where it is asked whether there is a value at all.
        suffix: what is asked.
        freely: values are not spelled as the field's own are.
    """

    field: FieldSchema
    entry: str
    index: Index | None
    suffix: str
    freely: bool = attrs.field(init=False)

    @freely.default
    def _freely(self) -> bool:
        return self.suffix == "startswith" or (self.index is not None and self.index.spells_freely)

    @property
    def asks_for_more(self) -> bool:
        """Whether it asks for something else than that the field, or its entry, holds a value."""
        return bool(self.suffix) or self.index is None or bool(self.index.prefix)


def is_of_pk(schema: ModelSchema, name: str) -> bool:
    """Return whether a filter is of the primary key."""
    return name.partition("__")[0] in ("pk", schema.pk_field)


@functools.lru_cache(maxsize=4096)
def pk_suffix(schema: ModelSchema, name: str) -> str | None:
    """Return what a filter asks of the primary key: "" and "eq" the same, "in" one of several; None for other fields.

    Raises:
        ImplementationError: for anything else.
    """
    field, separator, suffix = name.partition("__")
    if not is_of_pk(schema, name):
        return None
    if suffix not in EQUALITY or (separator and not suffix):
        raise ImplementationError(
            f"{schema.name} cannot be filtered on {name!r}: filters ask whether a primary key is equal. Way out: "
            f"{field}=... for one, {field}__in=[...] for several"
        )
    return suffix


@functools.lru_cache(maxsize=4096)
def filter_name(schema: ModelSchema, name: str) -> FilterName:
    """Return what the *name* of a filter says, one that is not of the primary key.

    Raises:
        ImplementationError: for a field that is not there or has no index, or that no index of it answers.
    """
    field_name, _, rest = name.partition("__")
    field = schema.fields.get(field_name)
    if field is None:
        raise ImplementationError(
            f"{schema.name} has no field {field_name!r} to filter on. Way out: it has "
            f"{', '.join([schema.pk_field, *schema.fields])}"
        )
    if not field.owners and not field.indexed and (not rest or field.by_entry):
        raise ImplementationError(
            f"{schema.name}.{field_name} has no index and cannot be filtered on. Way out: indexable=True"
        )
    if field.by_entry and not rest:
        raise ImplementationError(
            f"{schema.name}.{field_name} is a HashField, and is filtered on one of its entries. Way out: "
            f"{field_name}__entry=..."
        )
    if field.none and rest == IS_NULL:
        return FilterName(field, "", None, IS_NULL)
    found = max(_ways(field, rest), key=lambda way: way[0], default=None)
    if found is None or (field.by_entry and not found[1].entry):
        raise _not_answered(schema, field, name, rest)
    return found[1]


def _ways(field: FieldSchema, rest: str) -> Iterator[tuple[int, FilterName]]:
    """Yield how *rest*, behind the name of *field*, can be understood, each with how much of it is no entry."""
    for index in field.indexes:
        for suffix in sorted(index.suffixes) if index.answers_alone else ():
            tail = "__".join(filter(None, (index.prefix, suffix)))
            if not field.by_entry:
                if rest == tail:
                    yield len(tail), FilterName(field, "", index, suffix)
            elif not tail:
                yield 0, FilterName(field, rest, index, suffix)
            elif rest.endswith(f"__{tail}"):
                yield len(tail), FilterName(field, rest.removesuffix(f"__{tail}"), index, suffix)


def _not_answered(schema: ModelSchema, field: FieldSchema, name: str, rest: str) -> ImplementationError:
    """Return the error for *name*, which no index of *field* answers, with a way to get it."""
    asked = rest.rpartition("__")[2]
    answered = _answered(field)
    together = next((index for owner in field.owners for index in owner.joint if not index.answers_alone), None)
    if together is not None and asked in {*EQUALITY, together.prefix or ""} and not answered:
        own = "__".join(filter(None, (together.field.name, together.prefix)))
        names = ", ".join(f"{each}=..." for each in (own, *(other.name for other in together.others)))
        return ImplementationError(
            f"{schema.name} cannot be filtered on {name!r} alone: its index is one of several fields. Way out: "
            f"collection({names}), all in one call; or indexable=True on {schema.name}.{field.name}"
        )
    place = f"{schema.name}.{field.name}"
    if field.relation is not None and asked not in _RANGES | {"in", IS_NULL}:
        return ImplementationError(
            f"{schema.name} cannot be filtered on {name!r}: filters do not follow references. Way out: find what "
            f"{field.name} refers to first, and ask with {field.name}__in=[...] (objects or their primary keys)"
        )
    if asked == IS_NULL:
        way = f"none=True on {place}, and rebuild({schema.name}, {field.name!r}) for what is there"
    elif asked in _RANGES and field.relation is None:
        way = (
            f"indexes=[EqualIndex, NumberRangeIndex] on {place} for numbers, [EqualIndex, TextRangeIndex] for text, "
            f'or with a type indexable="range"; and rebuild({schema.name}, {field.name!r}) for what is there'
        )
    elif not answered:
        way = f"indexable=True on {place}"
    else:
        way = f"{', '.join(answered)}"
    has = f"its indexes answer {', '.join(answered)}" if answered else "it has no index"
    return ImplementationError(f"{schema.name} cannot be filtered on {name!r}: {has}. Way out: {way}")


def _answered(field: FieldSchema) -> list[str]:
    """Return the filters on *field*, as they are written."""
    own = (field.name, "entry") if field.by_entry else (field.name,)
    names = dict.fromkeys(
        "__".join(filter(None, (*own, index.prefix, suffix)))
        for index in field.indexes
        for suffix in (sorted(index.suffixes) if index.answers_alone else ())
    )
    return [f"{name}=" for name in names] + ([f"{field.name}__{IS_NULL}="] if field.none else [])
