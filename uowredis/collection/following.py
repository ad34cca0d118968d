"""What follows a place in a collection, which is where what was given before ended (say)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

from uowredis.collection.conditions import spelled_value
from uowredis.collection.wanted import Wanted
from uowredis.commands.arguments import shown
from uowredis.commands.values import pk_value
from uowredis.exceptions import ArgumentTypeError, ImplementationError
from uowredis.overlay.along import Place
from uowredis.schema.models import FieldSchema
from uowredis.schema.ranges import NumberRangeIndex, RangeIndex, score_of

R = TypeVar("R")


class Following(list[R]):
    """Some of what a collection gives, in order.

    Attributes:
        last: the place of the last one, the value that orders and the primary key: what ``after()`` takes to go on;
            None where nothing was found, for nothing follows.
    """

    last: tuple[Any, Any] | None = None

    def __init__(self, found: Sequence[R], last: tuple[Any, Any] | None) -> None:
        super().__init__(found)
        self.last = last


def order_of_following(wanted: Wanted) -> tuple[FieldSchema, RangeIndex]:
    """Return the field that orders, and its index that is in the same order.

    Raises:
        ImplementationError: where there is none.
    """
    model, sort = wanted.model, wanted.sort
    if sort is None or sort.by is None or sort.further or sort.scores is not None:
        raise ImplementationError(
            f"after() of {model.name} goes by the index of one field. Way out: sort(by=...) of one field that has an "
            f"index of ranges; a slice goes by any order"
        )
    field = model.fields[sort.by]
    alpha = sort.order(model).alpha
    for index in field.indexes:
        plain = isinstance(index, RangeIndex) and not index.prefix and not index.spells_freely
        if plain and isinstance(index, RangeIndex) and isinstance(index, NumberRangeIndex) != alpha:
            return field, index
    kind, other = ("TextRangeIndex", ", alpha=True") if alpha else ("NumberRangeIndex", "")
    typed = ' or with a type indexable="range",' if field.holds is None else ""
    raise ImplementationError(
        f"after() of {model.name} goes by an index that orders {field.name} as sort() does, and there is none. Way "
        f"out: indexes=[EqualIndex, {kind}] on {model.name}.{field.name},{typed} and rebuild({model.name}, "
        f"{field.name!r}) for what is there, then sort(by={field.name!r}{other}); a slice goes by any order"
    )


def place_of(wanted: Wanted, field: FieldSchema, index: RangeIndex, after: Any) -> Place | None:
    """Return the place that *after* says: a value and a primary key, as they are stored.

    Raises:
        ArgumentTypeError: for anything else.
        ArgumentError: for a value that the field cannot hold.
    """
    if after is None:
        return None
    model = wanted.model
    if not isinstance(after, tuple | list) or len(after) != 2:
        raise ArgumentTypeError(
            f"after() takes a value of {model.name}.{field.name} and a primary key, not {shown(after)}. Way "
            f"out: the last of what was given before"
        )
    value, pk = after
    what = f"{model.name}.{field.name} in after()"
    spelled_pk = spelled_value(pk, model.pk_holds, f"a primary key of {model.name} in after()")
    if not isinstance(index, NumberRangeIndex):
        return spelled_value(value, field.holds, what), spelled_pk
    number = type(value) in (int, float, Decimal)
    score = score_of(str(value) if number else spelled_value(value, field.holds, what))
    if score is None:
        raise ArgumentTypeError(f"{what} is a number, not {shown(value)}. Way out: the last of what was given before")
    return score, spelled_pk


def told(wanted: Wanted, field: FieldSchema, index: RangeIndex, last: Place | None) -> tuple[Any, Any] | None:
    """Return a place for callers; a number as one, for that is what the index has."""
    if last is None:
        return None
    text, pk = last
    value: Any = text
    if isinstance(index, NumberRangeIndex):
        value = float(text) if "." in text or "e" in text or "n" in text else int(text)
    elif field.holds is not None:
        value = field.holds.read(text)
    return value, pk_value(wanted.model, pk)
