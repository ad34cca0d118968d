"""What is said of all that a collection finds, on the loop of asyncio (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, attr-defined, union-attr, arg-type, no-any-return"

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic

from uowredis.aio.batches import Batches
from uowredis.aio.unawaited import noted
from uowredis.collection import many
from uowredis.collection.many import change, checked_values
from uowredis.collection.refined import R, T
from uowredis.session.batches import BATCH, AfterBatch


class ChangesMany(many.ChangesMany[T, R], Generic[T, R]):
    """A collection whose objects are deleted or changed together, in batches."""

    @noted("_database")
    async def delete(self, *, batch: int = BATCH, progress: AfterBatch | None = None) -> int:
        """Same as the blocking one; *progress* may be a coroutine function."""
        return await self._of_all(Batches("delete", batch, progress), lambda instance: instance.delete())

    @noted("_database")
    async def update(
        self,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        batch: int = BATCH,
        progress: AfterBatch | None = None,
        **fields: Any,
    ) -> int:
        """Same as the blocking one; *progress* may be a coroutine function."""
        said = checked_values(self._model, self._schema, values, fields)
        return await self._of_all(Batches("update", batch, progress), lambda instance: _changed(instance, said))

    async def _of_all(self, batches: Batches, say: Callable[[Any], Awaitable[object]]) -> int:
        """Say by *say* something of each object that is found; return of how many."""

        async def of_part(part: Sequence[Any]) -> None:
            for instance in part:
                await say(instance)

        model, found = self._model, await self.copy().instances().list()
        return await batches.say(self._database, found, of_part, lambda part: model.get_many(part, missing="skip"))


async def _changed(instance: Any, values: Mapping[str, Any]) -> None:
    """Say what ``update()`` says; in a session that waits for nothing."""
    change(instance, values)
