"""Collections that are one reply of a pipeline (decide, pure)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uowredis.collection.scattered import in_facet, shards_of
from uowredis.collection.seeker import order_of
from uowredis.collection.wanted import Wanted
from uowredis.commands.query import Query, Sorting
from uowredis.commands.replies import plainly
from uowredis.commands.where import Condition, Members, spans_of
from uowredis.fields import Bound, ListField, SortedSetField
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Search
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.models import ModelSchema


def in_one_reply(
    wanted: Wanted, temporary: str, *, by_keys: bool
) -> tuple[ModelSchema, Sorting, Callable[[Any], list[Any]]] | None:
    """Return the calls one reply of which is the answer, and what reads it; None where more must be asked.

    A sharded model is asked in one place, where the question tells which.

    Args:
        wanted: what is to be found.
        temporary: what begins temporary keys; in the place that is asked the same does.
        by_keys: values are read key by key.

    Returns:
        Whose objects are found, the calls, and what makes primary keys, or columns of values as they are stored, of the
        reply.
    """
    shape = wanted.shape
    asks_more = shape.looked_up or shape.wide or shape.scored or wanted.scores is not None
    where = None if asks_more else _unasked(wanted, by_keys)
    if where is None:
        return None
    if wanted.model.facets is not None:
        shards = shards_of(wanted.model, where)
        if shards is None or len(shards) != 1:
            return None
        facet = wanted.model.facet(*shards)
        temporary = wanted.model.keys.of_another(facet.keys, temporary)
        wanted, where = wanted.told({"model": facet}), in_facet(where, facet)
    order = order_of(wanted, where)
    query = Query(wanted.model, where, order, wanted.shape.columns(wanted.model))
    search = Search(Overlay(Rehearsal(0, 0), by_keys=by_keys), query)
    if query.within is not None or not search.on_server() or _needs_script(query.where):
        return None
    if not wanted.shape.of_values and query.order is None:
        asked = query.members(lambda: temporary)
        answer = len(asked.calls) - (2 if asked.whole else 1)
        if answer and not asked.whole:
            return None
        call = asked.calls[answer]
        return wanted.model, Sorting(asked.calls, answer), lambda reply: plainly(call, reply)

    sorting = search.sorting(0, None, lambda: temporary)

    def read(reply: Any) -> list[Any]:
        table = search.columns_of(sorting, reply)
        return list(table if wanted.shape.of_values else table[0])

    return wanted.model, sorting, read


def _unasked(wanted: Wanted, by_keys: bool) -> Condition | None:
    """Return who is wanted where nothing has to be asked for it first, as of a set in another place."""

    def beside(given: Any) -> Condition | None:
        if not isinstance(given, Bound) or isinstance(given, ListField) or given._owner.identity.pk is None:
            return None
        if wanted.model.facets is not None or (by_keys and not wanted.model.keys.is_beside(given.key)):
            return None
        return Members(given.key, isinstance(given, SortedSetField))

    return wanted.where(beside)


def _needs_script(where: Condition) -> bool:
    """Return whether what is found are primary keys in a text, which the server cuts out where it runs scripts."""
    return any(span.separator for _, span in spans_of(where))
