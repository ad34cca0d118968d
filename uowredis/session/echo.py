"""``Echo``: logs what is really sent, what became of it, and how long it took (say; it stands before what waits)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from uowredis.commands.calls import Call
from uowredis.executor.drive import drive
from uowredis.plan.plan import Plan
from uowredis.plan.printing import quoted
from uowredis.plan.requests import Apply, Collation, Deciding, Lost, Request, Send, Settle, Transact, TransactEach
from uowredis.plan.steps import Fetch

T = TypeVar("T")

#: Where it is written.
LOG = logging.getLogger("uowredis")


class Echo:
    """Answers requests as *answer* does, and logs them: calls when they were answered, a commit as its plan.

    Args:
        answer: waits for the server.
        extended: gives a request with what is read in it besides.
        collation: gives the calls of a :class:`Collation`.
    """

    def __init__(
        self,
        answer: Callable[[Request], Any],
        extended: Callable[[Request], Request],
        collation: Callable[[str], Iterable[Call]],
    ) -> None:
        self._answer = answer
        self._extended = extended
        self._collation = collation

    def answer(self, request: Request) -> Any:
        """Answer *request*, and log its calls."""
        calls = self._calls(request)
        return logged(lambda: self._answer(request), calls) if calls else self._answer(request)

    def commit(self, turns: Deciding[T], plan_of: Callable[[T], Plan]) -> T:
        """Drive a commit, and log each plan that was tried; for one that was refused before, what it read."""
        fetched: list[Call] = []
        tried = False
        begun = time.perf_counter()

        def answer(request: Request) -> Any:
            nonlocal tried, begun
            if not isinstance(request, Apply):
                if isinstance(request, Fetch) and tried:
                    tried, begun = False, time.perf_counter()
                fetched.extend(self._calls(request))
                return self._answer(request)
            tried = True
            fetched.clear()
            became = "not applied, others changed what it stands on"
            try:
                replies = self._answer(request)
                if replies is Lost.VOID:
                    became = "the reply was lost; not applied, and never will be"
                elif replies is not None:
                    became = "applied, the replies were lost" if replies is Lost.APPLIED else "applied"
            except BaseException as error:
                became = failure(error)
                raise
            finally:
                LOG.info("%s\n%s", request.plan, after(begun, became))
            return replies

        try:
            found = drive(turns, answer)
        except BaseException as error:
            if not tried:
                log(fetched, after(begun, f"refused, {failure(error)}"))
            raise
        if not tried:
            LOG.info("%s\n%s", plan_of(found), after(begun, "applied"))
        return found

    def _calls(self, request: Request) -> Iterable[Call]:
        request = self._extended(request)
        if isinstance(request, Send | Transact | TransactEach | Fetch):
            return request.calls
        if isinstance(request, Settle):
            return request.token.claim
        return tuple(self._collation(request.key)) if isinstance(request, Collation) else ()


def logged(act: Callable[[], T], calls: Iterable[Call]) -> T:
    """Return what *act* returns, which sends *calls* in one round trip, and log them."""
    begun, became = time.perf_counter(), ""
    try:
        return act()
    except BaseException as error:
        became = failure(error)
        raise
    finally:
        log(calls, after(begun, became))


def log(calls: Iterable[Call], end: str) -> None:
    """Log each call; behind the last one stands *end*, what became of all."""
    lines = [quoted(call) for call in calls]
    for line in lines[:-1]:
        LOG.info("%s", line)
    LOG.info("%s", f"{lines[-1]}  {end}" if lines else end)


def after(begun: float, became: str) -> str:
    """Return how long it took since *begun*, and what *became* of it."""
    took = f"{(time.perf_counter() - begun) * 1_000:.1f} ms"
    return f"[{took}: {became}]" if became else f"[{took}]"


def failure(error: BaseException) -> str:
    """Return *error* in words."""
    return f"{type(error).__name__}: {error}"
