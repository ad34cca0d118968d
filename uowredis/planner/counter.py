"""Counters of primary keys that are behind: evicted, restored, forgotten by an import (decide).

A counter has counted at least as many as there are objects, and their number is asked beside it. Only where it has not,
the new primary keys are looked up, in one more round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.exceptions import Rejected
from uowredis.schema.models import ModelSchema

#: Pks looked up in one SMISMEMBER.
_AT_ONCE = 1_000


@attrs.frozen
class Numbering:
    """What became of :func:`uowredis.plan.steps.counting`.

    Attributes:
        counters: so many new primary keys of each model.
        replies: those of its calls; None where nobody was asked.
    """

    counters: Sequence[tuple[ModelSchema, int]]
    replies: Sequence[int | None]

    @property
    def reached(self) -> Sequence[int | None]:
        """To which number each was counted."""
        return self.replies[1::2]

    def lookups(self) -> tuple[Call, ...]:
        """Return the calls that look up the new primary keys that might be there."""
        return tuple(
            ("SMISMEMBER", model.keys.collection, *map(model.pk_of, range(first, min(first + _AT_ONCE, last + 1))))
            for (model, count), there, last in zip(self.counters, self.replies[::2], self.reached, strict=True)
            if there is not None and last is not None and there > last - count
            for first in range(last - count + 1, last + 1, _AT_ONCE)
        )

    def check(self, lookups: Iterable[Call], found: Iterable[Any]) -> None:
        """Check that none of the new primary keys is there, by what was *found*.

        Raises:
            Rejected: where one is.
        """
        models = {model.keys.collection: model for model, _ in self.counters}
        for (_, collection, *pks), marks in zip(lookups, found, strict=True):
            taken = [pk for pk, mark in zip(pks, marks, strict=True) if mark]
            if taken:
                model = models[collection]
                name, counter = model.name, model.keys.counter
                shards = "" if model.shard is None else f", divided by {model.shards}"
                raise Rejected(
                    f"{counter!r} counts primary keys of {name} that are there already, {taken[0]!r} for one: the "
                    f"counter was lost, or objects were imported without it; nothing was written. Way out: SET it to "
                    f"the highest one, which SORT {collection} LIMIT 0 1 DESC tells{shards}"
                )
