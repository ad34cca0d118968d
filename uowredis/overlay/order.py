"""How what is found is ordered here, as Redis' SORT orders (decide, pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from uowredis.commands.arguments import is_number, sort_number
from uowredis.commands.query import Order
from uowredis.commands.replies import encode


@attrs.frozen
class Row:
    """One object found.

    Attributes:
        pk: its primary key.
        by: the value it is ordered by.
        values: those of the columns.
    """

    pk: str
    by: str | None
    values: tuple[str | None, ...]


def ordered(rows: Iterable[Row], order: Order | None) -> list[Row]:
    """Return *rows* ordered as Redis' SORT does: missing values first or 0, ties of numbers by pk.

    By primary key numbers come before text.

    Raises:
        ValueError: where numbers are compared and a value is none.
    """
    if order is None:
        order = Order()
    by_value = order.column is not None or order.scores is not None

    def key(row: Row) -> Any:
        pk = encode(row.pk)
        if not by_value:
            numeric = is_number(row.pk) and not order.alpha
            return (0, float(row.pk), pk) if numeric else (1, 0.0, pk)
        if order.alpha:
            return (row.by is not None, encode(row.by or ""), pk)
        return (sort_number(row.by or "0"), pk)

    return sorted(rows, key=key, reverse=order.desc)
