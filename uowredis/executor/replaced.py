"""The executor of a master that another may replace: what is refused meanwhile is sent again for some time (do)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.exceptions import Unreachable
from uowredis.executor.executor import LONGEST_PAUSE, PAUSE, Executor

T = TypeVar("T")


@attrs.define(eq=False)
class ReplacedExecutor(Executor):
    """Sends calls to whoever is the master by then; redis-py's pool asks the sentinels with each new connection."""

    _is_replaced = True

    def send(self, calls: Sequence[Call]) -> list[Any]:
        """Same as of one server."""
        return self._again(lambda: Executor.send(self, calls))

    def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Same as of one server."""
        return self._again(lambda: Executor.transact(self, calls))

    def transact_each(self, each: Sequence[Sequence[Call]]) -> list[list[Any]]:
        """Same as of one server."""
        return self._again(lambda: Executor.transact_each(self, each))

    def tell(self, call: Call) -> Any:
        """Same as of one server."""
        return self._again(lambda: Executor.tell(self, call))

    def lasts(self, error: Exception, since: float) -> bool:
        """Return whether what was refused by *error*, first at the moment *since*, is not worth another try."""
        if not isinstance(error, Unreachable):
            return True
        try:
            # Also where it is too late for this one: the next call knows.
            self.look()
        except Unreachable:
            return True
        return time.monotonic() - since > self._patience

    def look(self) -> None:
        """Find out who serves by now, where that is not done with each new connection."""

    def _again(self, sending: Callable[[], T]) -> T:
        """Return what *sending* does, which is harmless to repeat, or was not done where it is refused."""
        since, pause = time.monotonic(), PAUSE
        while True:
            try:
                return sending()
            except Unreachable as error:
                if self.lasts(error, since):
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
