"""Whether all that is said is in one place (decide, pure): what is in two no transaction holds together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from uowredis.commands.commands import Command, Look, Read
from uowredis.commands.identity import called
from uowredis.commands.journal import Life
from uowredis.exceptions import CrossPlace
from uowredis.schema.index import IndexEntry
from uowredis.schema.keys import Unfilled
from uowredis.schema.models import FieldSchema, ModelSchema

#: Objects of a place that an error names.
_NAMED = 3


def one_place(lives: Sequence[Life], models: Iterable[ModelSchema], commands: Iterable[Command]) -> str | None:
    """Return the one place in which all that is said is, None for none; objects of models without are anywhere.

    Args:
        lives: of what is said.
        models: theirs.
        commands: what was said; only what reads matters.

    Raises:
        CrossPlace: where they are in several.
    """
    found: dict[str, list[object]] = {}
    if any(model.keys.place is not None for model in models):
        for life in lives:
            if (place := life.model.keys.place) is not None:
                found.setdefault(place, []).append(life.identity)
    # What is only read is of no life.
    for command in commands:
        if isinstance(command, Read):
            if (place := command.identity.model.keys.place) is not None:
                found.setdefault(place, []).append(command.identity)
        elif isinstance(command, Look) and (place := command.model.keys.place) is not None:
            found.setdefault(place, []).append(f"a query of {command.model.name}")
    if len(found) > 1:
        places = sorted(found)
        where = "; ".join(f"in {{{place}}} {_some(found[place])}" for place in places)
        raise CrossPlace(
            f"One commit is on objects of {len(found)} places: {where}; nothing was sent. Way out: a commit for each "
            f"place; or one place = ..., or near = ... of a sharded one, for models whose objects change together",
            places,
        )
    return next(iter(found), None)


def check_reference(
    life: Life, field: FieldSchema, before: Collection[IndexEntry], after: Collection[IndexEntry]
) -> None:
    """Check that what an object of a sharded model refers to anew is in its place.

    Raises:
        CrossPlace: where it is not.
    """
    model, to = life.model, None if field.relation is None else field.relation.to
    if model.shard is None or to is None:
        return
    for key in {key for key, _, _ in after} - {key for key, _, _ in before}:
        pk = model.keys.indexed_value(field.stored, key)
        # What is not counted yet is of this commit, and so of this place; what was tried is text.
        uncounted = isinstance(key, Unfilled) or (pk.startswith("<") and pk.endswith(">"))
        if model.keys.is_none(field.stored, key) or (to.auto and uncounted):
            continue
        if (shard := to.shard_of(pk)) != model.shard:
            there = to.declared.facet(shard).keys.place
            raise CrossPlace(
                f"{life}.{field.name} would refer to {called(to, pk)}, which is in {{{there}}}, from "
                f"{{{model.keys.place}}}; nothing was sent. Way out: an object of the same place; or a plain field, "
                f"indexable=True, for what is anywhere",
                sorted((model.keys.place or "", there or "")),
            )


def _some(objects: Sequence[object]) -> str:
    names = list(dict.fromkeys(map(str, objects)))
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
