"""How the data of a model is looked at, batch by batch (decide, pure): requests out, findings between them.

What looks is a generator of requests, as all that decides. Beside them it yields ``Found``: findings that were looked
at again in one transaction, so that no writer who writes whole was met half-way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.replies import plain
from uowredis.exceptions import Rejected
from uowredis.maintenance.finding import Finding
from uowredis.plan.requests import Deciding, Request, Send, Transact

T = TypeVar("T")

#: How many elements one SCAN or SSCAN is asked for, and how many objects are looked at together.
AT_ONCE = 500

#: What a call is answered with where its key is of another type.
WRONG = object()

#: The Redis type that a call needs; whatever is not here takes any.
_NEEDS = {
    "GET": "string",
    "HEXISTS": "hash",
    "HGET": "hash",
    "HGETALL": "hash",
    "HKEYS": "hash",
    "HMGET": "hash",
    "LRANGE": "list",
    "SCARD": "set",
    "SISMEMBER": "set",
    "SMEMBERS": "set",
    "SMISMEMBER": "set",
    "SSCAN": "set",
    "ZMSCORE": "zset",
    "ZSCAN": "zset",
    "ZRANGE": "zset",
    "ZSCORE": "zset",
}


@attrs.frozen
class Found:
    """Findings that hold."""

    findings: Sequence[Finding]


#: A generator that looks: what it found is handed out, and answered with nothing.
Looking: TypeAlias = Generator[Request | Found, Any, T]


def asked(calls: Sequence[Call]) -> Deciding[list[Any]]:
    """Return the plain replies of *calls*, ``WRONG`` for each whose key is of another type than it needs."""
    if not calls:
        return []
    try:
        return list(map(plain, (yield Send(calls))))
    except Rejected as error:
        if "WRONGTYPE" not in str(error):
            raise
    types = list(map(plain, (yield Send([("TYPE", call[1]) for call in calls]))))
    fit = [found in ("none", _NEEDS.get(call[0], found)) for call, found in zip(calls, types, strict=True)]
    able = [call for call, fits in zip(calls, fit, strict=True) if fits]
    replies = iter((yield Send(able)) if able else ())
    return [plain(next(replies)) if fits else WRONG for fits in fit]


def one(call: Call) -> Deciding[Any]:
    """Return the plain reply of one *call*."""
    (reply,) = yield from asked((call,))
    return reply


@attrs.define
class Scan:
    """One SCAN, SSCAN or ZSCAN, element by element of all that is there from its beginning to its end.

    Attributes:
        call: the call up to its cursor.
        options: what stands behind the cursor.
        cursor: from where it goes on.
        over: whether all was seen.
    """

    call: Call
    options: Call = ()
    cursor: str = "0"
    over: bool = False

    def next_call(self) -> Call:
        """Return the call that brings some more."""
        return (*self.call, self.cursor, *self.options, "COUNT", str(AT_ONCE))

    def take(self, reply: Any) -> list[Any]:
        """Return the elements in the *reply* of :meth:`next_call`; of a ZSCAN each with its score."""
        if reply is WRONG:
            self.over = True
            return []
        self.cursor, elements = str(reply[0]), reply[1]
        self.over = self.cursor == "0"
        if self.call[0] == "ZSCAN":
            return list(dict(zip(elements[::2], elements[1::2], strict=True)).items())
        return list(dict.fromkeys(elements))

    def batch(self) -> Deciding[list[Any]]:
        """Return some more elements, perhaps none; one may come twice."""
        return self.take((yield from one(self.next_call())))


def confirmed(candidates: Sequence[Finding]) -> Looking[None]:
    """Look at *candidates* again, in one transaction; hand out those that hold."""
    if not candidates:
        return
    findings = list(dict.fromkeys(candidates))
    calls = list(dict.fromkeys(call for finding in findings for call in finding.calls))
    try:
        replies = yield Transact(calls)
    except Rejected:
        # Of another type, meanwhile or all along: then it is another fault.
        if len(findings) > 1:
            half = len(findings) // 2
            yield from confirmed(findings[:half])
            yield from confirmed(findings[half:])
        return
    known = dict(zip(calls, map(plain, replies), strict=True))
    if holding := [finding for finding in findings if finding.holds(known)]:
        yield Found(holding)


def stream(looking: Looking[None], answer: Callable[[Request], Any]) -> Iterator[Sequence[Finding]]:
    """Drive *looking*; yield what it finds, batch by batch."""
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            request = looking.send(reply) if error is None else looking.throw(error)
        except StopIteration:
            return
        reply, error = None, None
        if isinstance(request, Found):
            yield request.findings
            continue
        try:
            reply = answer(request)
        except BaseException as raised:
            error = raised
