"""What a sharded model is in each of its places (declare): the same fields, with keys of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.schema.shards import shard_of_tag, tag_of


@attrs.define(eq=False)
class Facets:
    """The facets of one sharded model, each made when it is first used.

    Attributes:
        count: how many shards there are.
        near: the foreign key whose object says the shard, None where nothing does.
        kin: what is equal for models whose places follow from one another.
        keys: makes the keys of a place.
        fields: makes fields anew, so that each facet has its own; None where they may share them.
    """

    count: int
    near: str | None
    kin: str
    keys: Callable[[str], Keys]
    fields: Callable[[], Mapping[str, FieldSchema]] | None
    _made: dict[int, ModelSchema] = attrs.field(init=False, factory=dict)
    # One that is made may make others, to which it refers.
    _lock: Any = attrs.field(init=False, factory=threading.RLock)

    def of(self, whole: ModelSchema, shard: int) -> ModelSchema:
        """Return what *whole*, the model of these, is in *shard*."""
        found = self._made.get(shard)
        return self._make(whole, shard) if found is None else found

    def _make(self, whole: ModelSchema, shard: int) -> ModelSchema:
        with self._lock:
            if shard in self._made:
                return self._made[shard]
            facet = ModelSchema(
                whole.name,
                self.keys(tag_of(shard, self.count)),
                whole.pk_field,
                whole.auto,
                whole.fields if self.fields is None else self.fields(),
                whole.path,
                pk_holds=whole.pk_holds,
                absent=whole.absent,
                shard=shard,
                whole=whole,
            )
            if whole.successor is not None:
                facet.give_way(_beside(whole.successor, shard))
            # Before the others are made, which refer to it.
            self._made[shard] = facet
            self._connect(whole, facet, shard)
            return facet

    def connect(self, whole: ModelSchema) -> None:
        """Have the facets refer to each other as their models do by now."""
        with self._lock:
            for shard, facet in list(self._made.items()):
                self._connect(whole, facet, shard)

    def _connect(self, whole: ModelSchema, facet: ModelSchema, shard: int) -> None:
        for name, field in whole.fields.items():
            relation = facet.fields[name].relation
            if field.relation is not None and relation is not None:
                relation.to = None if field.relation.to is None else _beside(field.relation.to, shard)
                relation.other_side = field.relation.other_side
        referrers = [(_beside(model, shard), field.name) for model, field in whole.referrers]
        facet.referrers[:] = [(model, model.fields[name]) for model, name in referrers]

    def give_way(self, successor: ModelSchema) -> None:
        """Have the facets that were made be of a former declaration from now on."""
        with self._lock:
            for shard, facet in self._made.items():
                facet.give_way(_beside(successor, shard))

    def at(self, whole: ModelSchema, key: str) -> ModelSchema | None:
        """Return the facet that *key* is of, None for a key of something else."""
        place = whole.keys.in_another(key)
        shard = None if place is None else shard_of_tag(place, self.count)
        return None if shard is None else self.of(whole, shard)


def _beside(model: ModelSchema, shard: int) -> ModelSchema:
    return model if model.facets is None or shard >= model.facets.count else model.facet(shard)
