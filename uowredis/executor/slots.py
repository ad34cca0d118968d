"""Which key a call is about, and its hash slot (do, pure): redis.io, Redis cluster specification."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from uowredis.commands.calls import Call
from uowredis.schema.keys import slot_of

#: Commands that are about no key; any node will do for those that tell of a server.
_OF_NONE = frozenset(("CONFIG", "DBSIZE", "EXEC", "INFO", "MULTI", "UNWATCH", "WAIT"))

#: Commands that say how many keys follow.
_NUMBERED = frozenset(("SINTERCARD", "ZDIFF", "ZINTER", "ZINTERCARD", "ZUNION"))

#: A character of a pattern that stands for itself.
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def key_of(call: Call) -> str | None:
    """Return the first key that *call* is about, None where there is none."""
    name = call[0]
    if name in _OF_NONE:
        return None
    if name == "EVAL":
        return call[3] if call[2] != "0" else None
    if name == "SCAN":
        # Of keys that begin with a place: what its pattern begins with, in which '-' and others are escaped.
        patterns = (value for option, value in itertools.pairwise(call) if option == "MATCH")
        return next((_ESCAPED.sub(r"\1", pattern) for pattern in patterns), None)
    return call[2 if name in _NUMBERED else 1]


def slot_of_key(key: str) -> int:
    """Return the hash slot of *key*: of what stands between its first braces, or of all of it."""
    opening = key.find("{")
    closing = key.find("}", opening + 1) if opening >= 0 else -1
    return slot_of(key[opening + 1 : closing] if closing > opening + 1 else key)


def slots_of(calls: Iterable[Call]) -> Sequence[int | None]:
    """Return the slot of each of *calls*, None for those that are about no key."""
    return [None if (key := key_of(call)) is None else slot_of_key(key) for call in calls]
