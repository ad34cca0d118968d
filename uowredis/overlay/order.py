"""How what is found is ordered here, as Redis' SORT orders (decide, pure)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.arguments import is_number, sort_number
from uowredis.commands.query import Order
from uowredis.commands.replies import encode
from uowredis.schema.models import ModelSchema

#: The place of each text in the order of a server's locale.
Ranks: TypeAlias = Mapping[str, int]


@attrs.frozen
class Row:
    """One object found.

    Attributes:
        pk: its primary key.
        by: the value it is ordered by.
        values: those of the columns.
        further: the values by which what is equal is ordered, one after the other.
    """

    pk: str
    by: str | None
    values: tuple[str | None, ...]
    further: tuple[str | None, ...] = ()


def ordered(rows: Iterable[Row], order: Order | None, model: ModelSchema, ranks: Ranks | None = None) -> list[Row]:
    """Return *rows* ordered as Redis' SORT does: missing values first or 0, ties by primary key.

    By primary key numbers come before text.

    Args:
        rows: what was found.
        order: how to order; None: by primary key.
        model: whose objects they are.
        ranks: the place of each text where the server sorts text by a locale; None: text goes by its bytes.

    Raises:
        ValueError: where numbers are compared and a value is none.
    """
    orders = (order or Order(), *(order.further if order is not None else ()))
    # Each sort leaves what is equal as the one before has put it.
    found = sorted(rows, key=lambda row: by_pk(row.pk, model), reverse=orders[-1].desc)
    for place in reversed(range(len(orders))):
        each = orders[place]
        found.sort(key=functools.partial(_placed, place=place, order=each, ranks=ranks), reverse=each.desc)
    return found


def _placed(row: Row, *, place: int, order: Order, ranks: Ranks | None) -> Any:
    """Return what puts *row* in its place by the value at *place* of those that order.

    Raises:
        ValueError: where numbers are compared and the value is none.
    """
    if order.column is None and order.scores is None and not order.alpha:
        numeric = is_number(row.pk)
        return not numeric, float(row.pk) if numeric else 0.0, encode(row.pk)
    value = tie(row, order, place)
    if order.alpha and value is not None:
        value = encode(value) if ranks is None else ranks[value]
    return value is not None, value


def ties_ordered(pks: Sequence[str], values: Sequence[Any], desc: bool, model: ModelSchema) -> Sequence[int]:
    """Return the places of *pks*, which the server has ordered by *values*, so that equal values go by primary key.

    Raises:
        ValueError: where numbers are compared and a value is none.
    """
    places: list[int] = []
    for _, equal in itertools.groupby(range(len(pks)), key=values.__getitem__):
        group = list(equal)
        if len(group) > 1:
            group.sort(key=lambda place: by_pk(pks[place], model), reverse=desc)
        places += group
    return places


def compared(texts: Sequence[str | None], order: Order) -> Sequence[Any]:
    """Return what SORT compares of values, or of primary keys, as :func:`tie` does one by one."""
    if order.alpha:
        if "\0" not in "".join(filter(None, texts)):
            return texts
        return [text and _up_to_nul(text) for text in texts]
    numbers = {text: sort_number(text or "0") for text in set(texts)}
    return [numbers[text] for text in texts]


def _up_to_nul(text: str) -> str:
    """Return what strcoll() reads."""
    return text.partition("\0")[0] if "\0" in text else text


def tie(row: Row, order: Order, place: int = 0) -> Any:
    """Return what SORT compares of *row*, as text or number: rows for which it is equal tie; None for a missing text.

    Args:
        row: of which.
        order: by what.
        place: of its value among those that order.

    Raises:
        ValueError: where numbers are compared and the value is none.
    """
    by = row.further[place - 1] if place else row.by
    if not order.alpha:
        return sort_number(by or "0")
    text = row.pk if order.column is None and order.scores is None else by
    return None if text is None else _up_to_nul(text)


def by_pk(pk: str, model: ModelSchema) -> tuple[bool, int, bytes]:
    """Return what orders ties: the primary key, as a number where Redis counts it, else as text."""
    if model.auto and pk.isdecimal():
        return False, int(pk), b""
    return True, 0, encode(pk)
