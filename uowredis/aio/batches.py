"""Many objects in batches on the loop of asyncio, each of which is committed whole (say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, func-returns-value, attr-defined, union-attr, arg-type, no-any-return"

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from uowredis.aio.begin import Joined
from uowredis.aio.work import awaited
from uowredis.exceptions import DoesNotExist
from uowredis.session import batches, context
from uowredis.session.placing import in_places
from uowredis.session.telling import tell_outside

T = TypeVar("T")


class Batches(batches.Batches):
    """How many objects go by one commit, and who is told of each; a coroutine function is awaited."""

    async def say(
        self,
        database: context.Database,
        items: Sequence[T],
        say: Callable[[Sequence[T]], Awaitable[object]],
        still: Callable[[Sequence[T]], Awaitable[Sequence[T]]],
    ) -> int:
        """Same as the blocking one."""
        alone = context.find(database) is None
        if alone and items and database._outside != "send":
            tell_outside(self._what, database, database._outside)
        committed = done = 0
        for part in in_places(items, self._size) if alone else [items] if items else ():
            try:
                committed += await _committed(database, part, say, still)
            except BaseException as error:
                if done:
                    error.add_note(
                        f"uowredis: {self._what}() has committed {done:,} of {len(items):,} before; these stay"
                    )
                raise
            done += len(part)
            await self._tell(done, len(items))
        return committed

    async def _tell(self, done: int, of: int) -> None:
        if self._progress is not None:
            await awaited(self._progress(done, of))


async def _committed(
    database: context.Database,
    part: Sequence[T],
    say: Callable[[Sequence[T]], Awaitable[object]],
    still: Callable[[Sequence[T]], Awaitable[Sequence[T]]],
) -> int:
    while part:
        try:
            async with Joined(database, {}):
                await say(part)
            return len(part)
        except DoesNotExist:
            left = await still(part)
            if len(left) == len(part):
                raise
            part = left
    return 0
