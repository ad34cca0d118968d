"""How an object is found by its values, and made where there is none, on the loop of asyncio (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="attr-defined, arg-type"

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from uowredis.aio.collection import CollectionManager
from uowredis.exceptions import Conflict
from uowredis.model.declaration import schema_of
from uowredis.model.getting import check_finds, check_one, none_found, wanted_by, with_defaults

if TYPE_CHECKING:
    from uowredis.aio.model import RedisModel

T = TypeVar("T", bound="RedisModel")


async def get(model: type[T], pk: Any, filters: dict[str, Any]) -> T:
    """Same as the blocking one."""
    found = await _only(model, wanted_by(model, pk, filters, "get"), pk, filters)
    if found is None:
        raise none_found(model, pk, filters)
    return found


async def get_or_connect(model: type[T], filters: dict[str, Any], defaults: Mapping[str, Any] | None) -> tuple[T, bool]:
    """Same as the blocking one."""
    # What could not be asked, or not be created, is refused whether it is there or not.
    schema, conditions = schema_of(model), dict(filters)
    check_finds(schema, filters)
    wanted = wanted_by(model, conditions.pop("pk", None), conditions, "get_or_connect")
    values = with_defaults(schema, filters, defaults)
    model._creation(schema, values)
    assert model.database is not None
    deadline = time.monotonic() + model.database._retry_for
    while True:
        found = await _only(model, wanted, None, filters)
        if found is not None:
            return found, False
        instance = model.__new__(model)
        instance._others = wanted._is_there()
        try:
            await instance._begin(instance._creation(schema, values))
        except Conflict:
            # Another client created it in between: it is found now.
            if time.monotonic() >= deadline:
                raise
        else:
            return instance, True


async def _only(model: type[T], wanted: CollectionManager, pk: Any, filters: dict[str, Any]) -> T | None:
    """Same as the blocking one."""
    found, several = await wanted._the_one()
    check_one(model, several, pk, filters)
    return model._handle(*found[0]) if found else None
