"""``Layouts``: what is known of in how many shards the models on a server are (say, pure).

Where an object is follows from that number, so that another one would find nothing. It is stored once, before the first
object is written, and compared once for each connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.replies import plain
from uowredis.exceptions import ImplementationError
from uowredis.plan.requests import Deciding, Send
from uowredis.schema.keys import LAYOUT
from uowredis.schema.models import ModelSchema


@attrs.define(eq=False)
class Layouts:
    """What one process knows of the layout on one server.

    Attributes:
        wanted: the sharded models of which it is yet to be read, or written.
    """

    wanted: dict[ModelSchema, None] = attrs.field(factory=dict)
    _known: set[ModelSchema] = attrs.field(factory=set)

    def want(self, model: ModelSchema) -> None:
        """Read the layout of *model*, where it is sharded, before the next answer."""
        if model.facets is not None and model not in self._known:
            self.wanted[model] = None

    def is_known(self, model: ModelSchema) -> bool:
        """Return whether *model* is not sharded, or in as many shards as its data."""
        return model.facets is None or model in self._known

    def turns(self, *, writing: bool) -> Deciding[None]:
        """Read what is wanted (HGET); where something is written that is not there is stored (HSETNX).

        Raises:
            ImplementationError: where a model is declared with another number of shards than its data is in.
        """
        models = list(self.wanted)
        self._compare(models, (yield Send([_read(model) for model in models])))
        missing = list(self.wanted)
        if writing and missing:
            stored = [("HSETNX", LAYOUT, model.keys.without_place, str(model.shards)) for model in missing]
            replies = yield Send([*stored, *map(_read, missing)])
            self._compare(missing, replies[len(stored) :])

    def _compare(self, models: Sequence[ModelSchema], replies: Sequence[Any]) -> None:
        for model, reply in zip(models, map(plain, replies), strict=True):
            if reply is None:
                continue
            if reply != str(model.shards):
                raise ImplementationError(
                    f"{model.name} is declared with {model.shards} shards, and its data is in {reply}, as {LAYOUT!r} "
                    f"says; nothing else was sent. Way out: shards = {reply}; with another number each object would be "
                    f"elsewhere, and would have to be created anew"
                )
            self._known.add(model)
            self.wanted.pop(model, None)


def _read(model: ModelSchema) -> Call:
    return "HGET", LAYOUT, model.keys.without_place
