"""What the filters of one call say: each its condition, or several one, by an index of several fields (say)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from uowredis.collection.conditions import check_later, check_target, condition, is_known_later, several, spelled_value
from uowredis.collection.filters import FilterName
from uowredis.collection.wanted import Said
from uowredis.commands.values import spelled
from uowredis.commands.where import Condition, Filter
from uowredis.schema.index import EQUALITY, plainly
from uowredis.schema.joint import EqualIndexWith
from uowredis.schema.models import FieldSchema, ModelSchema


def said(schema: ModelSchema, filters: Mapping[str, Any]) -> list[Said]:
    """Return what *filters* say; what is known only when it is asked for has no condition yet.

    Raises:
        ImplementationError: for a field without index, or one that is not there, or that no index answers.
        ArgumentTypeError: for a value that Redis has no spelling for.
        ArgumentError: for a value that an index cannot compare with.
    """
    if not schema.together:
        return list(map(_alone, itertools.repeat(schema), filters, filters.values()))
    found = []
    for names in grouped(schema, tuple(name for name, value in filters.items() if value is not None)):
        known = {name: filters[name] for name in names}
        later = any(map(is_known_later, known.values()))
        found.append(Said(tuple(known.items()), None if later else condition_of(schema, known)))
    taken = {name for each in found for name, _ in each.filters}
    return found + [_alone(schema, name, value) for name, value in filters.items() if name not in taken]


def _alone(schema: ModelSchema, name: str, value: Any) -> Said:
    if not is_known_later(value):
        return Said(((name, value),), condition(schema, name, value))
    check_later(schema, name, value)
    return Said(((name, value),), None)


def condition_of(schema: ModelSchema, filters: Mapping[str, Any]) -> Condition:
    """Return the condition that *filters* say, which are answered as one.

    Raises:
        ImplementationError, ArgumentTypeError, ArgumentError: as :func:`said`.
    """
    if len(filters) == 1:
        ((name, value),) = filters.items()
        return condition(schema, name, value)
    index, asked = _index_of(schema, tuple(filters))
    values = [
        (each.entry, _values(index, each, value, f"{schema.name}.{name}"))
        for each, (name, value) in zip(asked, filters.items(), strict=True)
    ]
    return Filter(index.field, index.lookup_together(schema.keys, values))


def _values(index: EqualIndexWith, asked: FilterName, value: Any, what: str) -> tuple[str, ...]:
    field = asked.field
    given = several(value, what) if asked.suffix == "in" else (value,)
    for each in given:
        check_target(field, each, what)
    freely = field is index.field and index.spells_freely
    return tuple(_freely(each, what) if freely else spelled_value(each, field.holds, what) for each in given)


def _freely(value: Any, what: str) -> str:
    """Return *value*, which is compared with what a transform gives, as text."""
    return plainly(value) if isinstance(value, str | int | float) else spelled(value, None, what)


@functools.lru_cache(maxsize=4096)
def grouped(schema: ModelSchema, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return which of the *names* of filters are answered together, in the order of the fields of their index."""
    found: list[tuple[str, ...]] = []
    left = dict.fromkeys(names)
    for index in schema.together:
        together = [next((name for name in left if _asked(index, field, name)), None) for field in index.fields]
        if None not in together:
            found.append(tuple(filter(None, together)))
            for name in found[-1]:
                del left[name]
    return tuple(found)


def _index_of(schema: ModelSchema, names: tuple[str, ...]) -> tuple[EqualIndexWith, Sequence[FilterName]]:
    for index in schema.together:
        if len(index.fields) == len(names):
            asked = [_asked(index, field, name) for field, name in zip(index.fields, names, strict=True)]
            if all(asked):
                return index, list(filter(None, asked))
    raise AssertionError(names)  # they were grouped by one


def _asked(index: EqualIndexWith, field: FieldSchema, name: str) -> FilterName | None:
    """Return what the filter *name* asks of *field*, one of those of *index*; None where it asks something else."""
    first, _, rest = name.partition("__")
    if first != field.name:
        return None
    prefix = index.prefix if field is index.field else None
    for suffix in sorted(EQUALITY, reverse=True):
        tail = "__".join(filter(None, (prefix, suffix)))
        if not field.by_entry:
            if rest == tail:
                return FilterName(field, "", index, suffix)
        elif rest and (not tail or rest.endswith(f"__{tail}")):
            return FilterName(field, rest.removesuffix(f"__{tail}") if tail else rest, index, suffix)
    return None
