"""Whether all that is said is in one place (decide, pure): what is in two no transaction holds together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uowredis.commands.commands import Command, Look, Read
from uowredis.commands.journal import Life
from uowredis.exceptions import CrossPlace
from uowredis.schema.models import ModelSchema

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
    for model in models:
        if (place := model.keys.place) is not None:
            found.setdefault(place, []).extend(life.identity for life in lives if life.model is model)
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
            f"place; or one place = ... for models whose objects change together",
            places,
        )
    return next(iter(found), None)


def _some(objects: Sequence[object]) -> str:
    names = list(dict.fromkeys(map(str, objects)))
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
