"""What a question would ask, recorded in place of being sent (decide, pure).

The same generator that answers is driven by made-up replies, so that what is shown cannot differ from what is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uowredis.commands.calls import Call
from uowredis.plan.requests import Collation, Request, Scripts, Send, Transact, TransactEach
from uowredis.plan.steps import Fetch

#: Stands for each primary key that only the server knows.
SHOWN_PK = "<pk>"

#: The same, and what stands for a value, as replies.
_PK, _VALUE = SHOWN_PK.encode(), b"0"

#: Made-up replies by command, but those that depend on the arguments.
_REPLIES: dict[str, Any] = {
    "EXISTS": 1,
    "HGETALL": [],
    "LRANGE": [_PK],
    "SDIFF": [_PK],
    "SCARD": 1,
    "SINTER": [_PK],
    "SISMEMBER": 1,
    "SMEMBERS": [_PK],
    "SUNION": [_PK],
    "TYPE": b"set",
    "ZDIFF": [_PK],
    "ZINTER": [_PK],
    "ZRANGEBYLEX": [],
    "ZRANGEBYSCORE": [_PK],
    "ZUNION": [_PK],
}


class Recorder:
    """Answers requests out of nothing.

    Args:
        collation: the calls that tell how the server sorts text; none where that is known.
        by_bytes: whether it does by the bytes, as far as is known.
        scripts: whether the server runs scripts.

    Attributes:
        rounds: the calls asked for, one tuple a round trip.
    """

    def __init__(self, collation: Sequence[Call] = (), *, by_bytes: bool = True, scripts: bool = True) -> None:
        self.rounds: list[tuple[Call, ...]] = []
        self._collation = tuple(collation)
        self._by_bytes = by_bytes
        self._scripts = scripts

    def answer(self, request: Request) -> Any:
        """Record the calls of *request*; return made-up replies."""
        match request:
            case Send(calls):
                self.rounds.append(tuple(calls))
                return [_reply(call) for call in calls]
            case Transact(calls):
                self.rounds.append((("MULTI",), *calls, ("EXEC",)))
                return [_reply(call) for call in calls]
            case TransactEach(each):
                self.rounds.append(tuple(call for calls in each for call in (("MULTI",), *calls, ("EXEC",))))
                return [[_reply(call) for call in calls] for calls in each]
            case Fetch():
                self.rounds.append(request.calls)
                return [*(None for _ in request.counters), *(_reply(each.call) for each in request.questions)]
            case Collation(key):
                if self._collation:
                    shown = tuple(tuple(key if part == "" else part for part in call) for call in self._collation)
                    self.rounds.append((("MULTI",), *shown, ("EXEC",)))
                return self._by_bytes
            case Scripts():
                return self._scripts
        return None


def _reply(call: Call) -> Any:
    match call[0]:
        case "SORT" | "SORT_RO":
            gets = [call[at + 1] for at, part in enumerate(call) if part == "GET"]
            return [_PK if pattern == "#" else _VALUE for pattern in gets or ["#"]]
        case "SMISMEMBER":
            return [1] * (len(call) - 2)
        case "ZMSCORE" | "HMGET":
            return [_VALUE] * (len(call) - 2)
        case "ZRANGE":
            return [_PK, _VALUE] if call[-1] == "WITHSCORES" else [_PK]
        case name:
            return _REPLIES.get(name, _VALUE if name in ("GET", "HGET", "ZSCORE") else None)
