"""One transaction: MULTI or EVAL, and what its replies say became of it (do). A connection runs it, which waits.

What is known of the outcome is raised; a reply that proves nothing is never taken for success.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import redis

from uowredis.commands.calls import Call
from uowredis.commands.commands import Look, Read
from uowredis.exceptions import OutcomeUnknown, PartiallyApplied, Rejected
from uowredis.executor.connection import LOST, MULTI, Connection, Exchanging, refusal, shown
from uowredis.plan import script
from uowredis.plan.plan import CHUNK, Plan

#: What ends a transaction.
EXEC: Call = ("EXEC",)


def apply(connection: Connection, plan: Plan) -> Exchanging[list[Any] | None]:
    """Send the transaction of *plan*; return the raw reply of each step, or None where a guard had changed.

    Raises:
        Rejected: nothing was applied.
        PartiallyApplied: a command failed, the others were applied.
        OutcomeUnknown: the connection was lost around EXEC.
    """
    return (yield from _evaluated(connection, plan) if plan.scripted else _executed(connection, plan))


def transact(connection: Connection, calls: Sequence[Call]) -> Exchanging[list[Any]]:
    """Send reading *calls* that need temporary keys in one transaction; return their raw replies.

    Raises:
        Rejected: where the server refuses one; the others may have run.
    """
    left = yield from connection.opened((MULTI, *calls, EXEC))
    replies = yield left
    result = replies[-1]
    _note_end(connection, left, result)
    if isinstance(result, Exception):
        _check_queued(connection, left[:-1], replies[:-1])
        connection.note(result)
        raise refusal(result)(f"Redis refused the transaction of a query: {result}") from result
    if not isinstance(result, list) or len(result) != len(calls):
        raise redis.InvalidResponse(f"EXEC was answered by {type(result).__name__}")
    return connection.checked(calls, result)


def transact_each(connection: Connection, each: Sequence[Sequence[Call]]) -> Exchanging[list[list[Any]]]:
    """Same as :meth:`transact` for several transactions, one behind the other in one write.

    Raises:
        Rejected: the server refuses one; the others may have run.
    """
    left = yield from connection.opened([call for calls in each for call in (MULTI, *calls, EXEC)])
    replies = yield left
    _note_end(connection, left, replies[-1])
    found: list[list[Any]] = []
    end = len(replies)
    # From the last on: the first may have begun before.
    for calls in reversed(each):
        begin = max(0, end - len(calls) - 2)
        result = replies[end - 1]
        if isinstance(result, Exception):
            _check_queued(connection, left[begin : end - 1], replies[begin : end - 1])
            connection.note(result)
            raise refusal(result)(f"Redis refused the transaction of a query: {result}") from result
        if not isinstance(result, list) or len(result) != len(calls):
            raise redis.InvalidResponse(f"EXEC was answered by {type(result).__name__}")
        found.append(connection.checked(calls, result))
        end = begin
    return found[::-1]


def _executed(connection: Connection, plan: Plan) -> Exchanging[list[Any] | None]:
    if plan.bare:
        return connection.checked(plan.transaction, (yield plan.transaction))
    calls = yield from connection.opened(plan.transaction)
    if len(plan.steps) > CHUNK:
        queueing = list(itertools.takewhile(EXEC.__ne__, calls))
        queued = yield queueing
        _check_multi(plan, queueing, queued)
        _check_queued(connection, queueing, queued)
        calls = calls[len(queueing) :]
    replies = yield from _final(connection, plan, calls)
    _check_multi(plan, calls, replies)
    # EXEC is the last, but for the wait behind it.
    result = replies[-1 if plan.wait is None else -2]
    if isinstance(result, Exception):
        queueing = list(itertools.takewhile(EXEC.__ne__, calls))
        _check_queued(connection, queueing, replies[: len(queueing)])
        connection.note(result)
        raise refusal(result)(f"Redis refused the transaction: {result}; nothing was applied") from result
    return None if result is None else _applied(plan, _of_steps(connection, plan, result))


def _of_steps(connection: Connection, plan: Plan, result: Any) -> list[Any]:
    noted = plan.token is not None and not plan.scripted
    if isinstance(result, list) and len(result) == len(plan.steps) + noted:
        return result[: len(plan.steps)]
    raise OutcomeUnknown(
        f"Redis at {connection.pool.address} answered EXEC by what is no reply to it ({type(result).__name__}): all of "
        f"it was applied, or nothing"
    )


def _evaluated(connection: Connection, plan: Plan) -> Exchanging[list[Any] | None]:
    at = next(at for at, call in enumerate(plan.transaction) if call[0] == "EVAL")
    reply = (yield from _final(connection, plan, plan.transaction))[at]
    if isinstance(reply, Exception):
        kind = refusal(reply)
        raise kind(f"Redis refused the script: {reply}; nothing was applied. Way out: commit in batches") from reply
    if not isinstance(reply, list) or not reply or reply[0] not in (b"conflict", b"failed", b"applied"):
        _of_steps(connection, plan, None)
    if reply[0] == b"conflict":
        return None
    # A script that failed answers only for the steps before.
    replies = [
        int(answer) if step.call[0] in script.COUNTERS else answer
        for step, answer in zip(plan.steps, reply[1], strict=False)
    ]
    if reply[0] == b"failed":
        error = redis.ResponseError(str(reply[2], "utf-8", "replace"))
        if not replies:
            connection.note(error)
            raise refusal(error)(f"Redis refused {shown(plan.steps[0].call)}: {error}; nothing was applied")
        missing = [None] * (len(plan.steps) - len(replies) - 1)
        return _applied(plan, [*replies, error, *missing])
    return replies


def _final(connection: Connection, plan: Plan, calls: Sequence[Call]) -> Exchanging[list[Any]]:
    """Send the calls that end in EXEC, the EVAL, or the wait for replicas behind it, and read all replies."""
    try:
        replies = yield calls
    except LOST as error:
        raise OutcomeUnknown(
            f"The connection to {connection.pool.address} was lost ({error}) around EXEC: all of it was applied, or "
            f"nothing"
        ) from error
    waited = plan.wait is not None
    _note_end(connection, calls[: len(calls) - waited], replies[len(replies) - waited - 1])
    if waited and isinstance(replies[-1], int):
        connection.acknowledged = replies[-1]
    return replies


def _note_end(connection: Connection, calls: Sequence[Call], result: Any) -> None:
    """Note that the transaction is over; an EXEC refused for another reason than what was queued leaves it open."""
    if calls[-1][0] == "EVAL" or not isinstance(result, Exception) or str(result).startswith("EXECABORT"):
        connection.closed()


def _check_multi(plan: Plan, calls: Sequence[Call], replies: list[Any]) -> None:
    """Check that the steps did not run one by one because MULTI was refused in the same write.

    Raises:
        Rejected: where none did.
        PartiallyApplied: where some did.
    """
    if MULTI not in calls or not isinstance(refused := replies[ahead := calls.index(MULTI)], Exception):
        return
    results = replies[ahead + 1 :][: len(plan.steps)]
    if all(isinstance(reply, Exception) for reply in results):
        raise Rejected(f"Redis refused MULTI: {refused}; nothing was applied")
    raise PartiallyApplied(
        f"Redis refused MULTI ({refused}), which it took before on this connection, and ran the steps one by one. "
        f"Way out: look at error.results and error.plan, and mend by hand",
        results,
    )


def _check_queued(connection: Connection, calls: Sequence[Call], replies: list[Any]) -> None:
    if {*map(type, replies)} <= {bytes}:
        return
    # Not what stands before MULTI: nobody asks how it is answered.
    first = calls.index(MULTI) if MULTI in calls else 0
    for call, reply in zip(calls[first:], replies[first:], strict=True):
        if isinstance(reply, Exception):
            connection.note(reply)
            raise refusal(reply)(f"Redis refused to queue {shown(call)}: {reply}; nothing was applied") from reply


def _applied(plan: Plan, replies: list[Any]) -> list[Any]:
    failed = [at for at, reply in enumerate(replies) if isinstance(reply, Exception)]
    if not failed:
        return replies
    step, error = plan.steps[failed[0]], replies[failed[0]]
    if len(failed) == len(replies) or all(isinstance(step.why, Read | Look) for step in plan.steps):
        raise Rejected(f"Redis refused {shown(step.call)}: {error}; nothing was applied") from error
    raise PartiallyApplied(
        f"{shown(step.call)} failed inside EXEC: {error}; the other commands were applied. Way out: look at "
        f"error.results and error.plan, and mend by hand",
        replies,
    ) from error
