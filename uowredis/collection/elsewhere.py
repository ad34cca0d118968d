"""What a collection stands on that is on another database, which has its own sessions (say)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from uowredis.collection.conditions import shown_value
from uowredis.collection.wanted import Other, Wanted
from uowredis.database import RedisDatabase
from uowredis.exceptions import ImplementationError
from uowredis.fields import Bound, ListField, SetField, SortedSetField

#: Fields with many values.
MANY = (SetField, ListField, SortedSetField)


def asked(wanted: Wanted, database: RedisDatabase) -> dict[int, Any]:
    """Ask what is not on *database*; return it by the ``id()`` of what was given."""
    return {id(value): asked_now(value, database) for value in not_on(wanted, database)}


def shown(wanted: Wanted, database: RedisDatabase) -> dict[int, Any]:
    """Return what stands for the same, for eyes."""
    return {
        id(value): frozenset(("<pk>",)) if isinstance(value, Other) else shown_value(value)
        for value in not_on(wanted, database)
    }


def not_on(wanted: Wanted, database: RedisDatabase) -> Iterator[Any]:
    """Yield what *wanted* stands on that is not on *database*."""
    for value in wanted.stands_on():
        if is_elsewhere(value, database):
            yield value
        elif isinstance(value, Other):
            yield from not_on(value.wanted, database)


def is_elsewhere(value: Any, database: RedisDatabase) -> bool:
    """Return whether *value*, a field or a collection, is not on *database*."""
    if isinstance(value, Other):
        return value.of._database is not database
    return isinstance(value, Bound) and value._owner.database is not database


def asked_now(value: Any, database: RedisDatabase) -> Any:
    """Return what a field or a collection on another database holds.

    Raises:
        ImplementationError: for a field with many values, which Redis would have to intersect.
    """
    if isinstance(value, Other):
        return frozenset(value.of._as_stored())
    check_here([value], database)
    return value._current() if hasattr(value, "get") else value


def check_here(given: Iterable[Any], database: RedisDatabase) -> None:
    """Check that fields with many values are on *database*.

    Raises:
        ImplementationError: where one is not.
    """
    for value in given:
        if isinstance(value, MANY) and is_elsewhere(value, database):
            bound: Any = value  # it passes for its declared field
            raise ImplementationError(
                f"{value!r} is on {bound._owner.database!r}, and this collection on {database!r}. Way out: give what "
                f"it holds"
            )
