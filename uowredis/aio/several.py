"""Several objects at once, and all that one holds, on the loop of asyncio (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, attr-defined, union-attr, arg-type, no-any-return"

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from uowredis.aio.batches import Batches
from uowredis.commands.commands import Create
from uowredis.model.declaration import database_of, schema_of
from uowredis.model.several import (
    all_held,
    check_there,
    creations,
    given_many,
    handle_of,
    not_looked_up,
    of_pks,
    whole,
)

if TYPE_CHECKING:
    from uowredis.aio.model import RedisModel

S = TypeVar("S")
T = TypeVar("T", bound="RedisModel")


async def get_many(model: type[T], pks: Iterable[Any], missing: str) -> list[T]:
    """Same as the blocking one."""
    given = given_many(model, pks, missing)
    found, absentees = await model._find(lambda overlay: of_pks(schema_of(model), given, overlay))
    check_there(model, absentees, missing)
    return model._handles(*found)


async def lazy_connect(model: type[T], pk: Any) -> T:
    """Same as the blocking one."""
    return handle_of(model, await model._find(lambda overlay: not_looked_up(schema_of(model), pk, overlay)))


async def create_many(model: type[T], rows: Iterable[Mapping[str, Any]], batches: Batches) -> list[T]:
    """Same as the blocking one."""
    made: dict[int, T] = {}

    async def say(part: Sequence[Create]) -> None:
        for create in part:
            instance = made[id(create)] = model.__new__(model)
            await instance._begin(create)

    database, creates = database_of(model), creations(model, rows)
    assert database is not None
    await batches.say(database, creates, say, lambda part: same(part))
    return [made[id(create)] for create in creates]


async def same(part: Sequence[S]) -> Sequence[S]:
    """Same as the blocking one."""
    return part


async def to_dict(instance: RedisModel) -> dict[str, Any]:
    """Same as the blocking one."""
    return whole(instance, await instance._find(lambda overlay: all_held(instance, overlay)))
