"""Many objects in batches, each of which is committed whole (say)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from uowredis.commands.arguments import integer, shown
from uowredis.exceptions import ArgumentTypeError, DoesNotExist
from uowredis.session import context
from uowredis.session.begin import Joined
from uowredis.session.placing import in_places
from uowredis.session.telling import tell_outside

T = TypeVar("T")

#: Objects that a batch holds by default: a transaction that holds up the server for some ten milliseconds.
BATCH = 1_000

#: Is called after each batch with how many objects are done, of how many.
AfterBatch: TypeAlias = Callable[[int, int], object]


class Batches:
    """How many objects go by one commit, and who is told of each.

    Args:
        what: the method that is called, for errors.
        batch: objects in a batch.
        progress: what is called after each batch, None for nothing.

    Raises:
        ArgumentError: for a number below 1.
        ArgumentTypeError: for what is no number, or cannot be called.
    """

    def __init__(self, what: str, batch: int, progress: AfterBatch | None) -> None:
        if progress is not None and not callable(progress):
            raise ArgumentTypeError(f"{what}(progress=...) takes a function of two numbers, not {shown(progress)}")
        self._what = what
        self._size = int(integer(batch, f"batch of {what}()", 1))
        self._progress = progress

    def say(
        self,
        database: context.Database,
        items: Sequence[T],
        say: Callable[[Sequence[T]], object],
        still: Callable[[Sequence[T]], Sequence[T]],
    ) -> int:
        """Commit what *say* says of each batch; return of how many. In an open session all of it is one part of that.

        What is in several places of a sharded model goes by batches of one place.

        Args:
            database: where.
            items: what is said something of.
            say: says it of one batch.
            still: those of a batch that are still there: with the others left out it is tried again.
        """
        alone = context.find(database) is None
        if alone and items and database._outside != "send":
            tell_outside(self._what, database, database._outside)
        committed = done = 0
        for part in in_places(items, self._size) if alone else [items] if items else ():
            try:
                committed += _committed(database, part, say, still)
            except BaseException as error:
                if done:
                    error.add_note(
                        f"uowredis: {self._what}() has committed {done:,} of {len(items):,} before; these stay"
                    )
                raise
            done += len(part)
            self._tell(done, len(items))
        return committed

    def _tell(self, done: int, of: int) -> None:
        if self._progress is not None:
            self._progress(done, of)


def _committed(
    database: context.Database,
    part: Sequence[T],
    say: Callable[[Sequence[T]], object],
    still: Callable[[Sequence[T]], Sequence[T]],
) -> int:
    while part:
        try:
            with Joined(database, {}):
                say(part)
            return len(part)
        except DoesNotExist:
            left = still(part)
            if len(left) == len(part):
                raise
            part = left
    return 0
