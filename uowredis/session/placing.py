"""In which place a new object of a sharded model will be (say)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, TypeVar

from uowredis.commands.arguments import Placeholder
from uowredis.commands.commands import Borrowed, Create, writes
from uowredis.commands.journal import Journal
from uowredis.exceptions import ArgumentError
from uowredis.schema.models import ModelSchema

T = TypeVar("T")

#: Who seeds the module ``random`` does not mean where objects are.
_any = random.Random()


def facet_for(create: Create, model: ModelSchema, journal: Journal) -> ModelSchema:
    """Return the facet of *model*, a sharded one, of which the object of *create* will be.

    That of the object it is near to; else that in which the session writes already, so that it is one commit; else any.

    Raises:
        ArgumentError: where it is near to something, and is not given to what.
    """
    assert model.facets is not None
    if model.facets.near is not None:
        return model.facet(_shard_near(create, model, model.facets.near))
    for command in journal.commands:
        if writes(command) and (spoken := command.identity.model).shards == model.shards:  # type: ignore[union-attr]
            assert spoken.shard is not None
            return model.facet(spoken.shard)
    return model.facet(_any.randrange(model.facets.count))


def in_places(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return *items*, creations or objects, in batches of at most *size*, each of what is in one place, or anywhere.

    Raises:
        ArgumentError: for an object to be created whose place is not told.
    """
    by_place: dict[int | None, list[T]] = {}
    for item in items:
        by_place.setdefault(_shard_of(item), []).append(item)
    return [some[at : at + size] for some in by_place.values() for at in range(0, len(some), size)]


def _shard_of(item: Any) -> int | None:
    model: ModelSchema = item.identity.model
    if model.facets is None or model.facets.near is None:
        return model.shard
    return _shard_near(item, model, model.facets.near)


def _shard_near(create: Create, model: ModelSchema, near: str) -> int:
    field = model.fields[near]
    pairs = (*create.pairs, *zip(create.strings, create.in_strings, strict=True))
    given = next((value for name, value in pairs if name == field.stored), None)
    if isinstance(given, Placeholder) and (beside := given.identity.model.shard) is not None:
        return int(beside)
    relation = field.relation
    if given is None or isinstance(given, Borrowed) or relation is None or relation.to is None:
        reason = "is not given" if given is None else "is not known yet"
        raise ArgumentError(
            f"A new {model.name} is where its {near} is, which {reason}; nothing was sent. Way out: "
            f"{model.name}({near}=...) with an object, or its primary key"
        )
    shard: int = relation.to.shard_of(given)
    return shard
