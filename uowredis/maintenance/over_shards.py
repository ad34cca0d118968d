"""Looks through all data of a sharded model (decide, pure): each place as one model, the keys of each node once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import attrs

from uowredis.maintenance.checking import Checking, Progress
from uowredis.maintenance.looking import AT_ONCE, Looking, Scan, one
from uowredis.schema.models import FieldSchema, ModelSchema


@attrs.define(slots=False)
class CheckingShards:
    """Looks through the data of *model*, a sharded one; of each place it holds a batch at a time.

    Attributes:
        model: whose data.
        parts: what looks at what is in each place, by the facet that is there.
        nodes: a place of each node.
        progress: told after each batch of keys.
    """

    model: ModelSchema
    parts: Mapping[ModelSchema, Checking]
    nodes: Sequence[str]
    progress: Callable[[Progress], object] = lambda _: None

    @property
    def fields(self) -> Collection[FieldSchema] | None:
        """Those whose indexes are looked at, None for all."""
        return next(iter(self.parts.values())).fields

    @fields.setter
    def fields(self, fields: Collection[FieldSchema]) -> None:
        for part in self.parts.values():
            part.fields = [part.model.fields[field.name] for field in fields]

    def everything(self) -> Looking[None]:
        """Look at all there is."""
        yield from self._scan("keys", Checking.look_at_keys)
        for part in self.parts.values():
            yield from part.objects()
            yield from part.two_holders()
        yield from self._scan("indexes", Checking.look_at_indexes)
        for part in self.parts.values():
            yield from part.counter()

    def fingerprint(self) -> Looking[None]:
        """Look at what the data was written with."""
        for part in self.parts.values():
            yield from part.fingerprint()

    def entries(self) -> Looking[None]:
        """Look at what concerns the indexes."""
        for part in self.parts.values():
            yield from part.objects()
            yield from part.two_holders()
        yield from self._scan("indexes", Checking.look_at_indexes)

    def _scan(self, phase: str, look: Callable[[Checking, list[str]], Looking[None]]) -> Looking[None]:
        """Look at the keys of all nodes, those of each place together as soon as they are many."""
        total, done = (yield from one(("DBSIZE",))), 0
        met: dict[ModelSchema, list[str]] = {}
        for place in self.nodes:
            scan = Scan(("SCAN",), ("MATCH", self.model.keys.owned_beside(place)))
            while not scan.over:
                keys = yield from scan.batch()
                done += len(keys)
                for key in keys:
                    if (facet := self.model.of_key(key)) is not None and self.parts[facet].is_mine(key):
                        met.setdefault(facet, []).append(key)
                for facet in [facet for facet, some in met.items() if len(some) >= AT_ONCE]:
                    yield from look(self.parts[facet], met.pop(facet))
                self.progress(Progress(self.model.name, phase, done, total))
        for facet, some in met.items():
            yield from look(self.parts[facet], some)
