"""The replies of a commit that were lost with its connection, told again where that is exact (decide).

What a plan read under watch was so until EXEC: where it tells all that a command's reply depends on, the steps are
tried on it. A reply that depends on anything else stays lost.
"""

from __future__ import annotations

from typing import Any

from uowredis.commands.commands import Write
from uowredis.plan.plan import Plan
from uowredis.plan.steps import Step
from uowredis.planner.content import Part, load_call
from uowredis.planner.rehearsal import KEY, Refused, Rehearsal
from uowredis.schema.models import Kind

#: What reads members of a key, and what reads all of it, so that it tells what is there.
_SOME = {
    "HGET": Kind.HASH,
    "HMGET": Kind.HASH,
    "SISMEMBER": Kind.SET,
    "SMISMEMBER": Kind.SET,
    "ZSCORE": Kind.SORTED_SET,
    "ZMSCORE": Kind.SORTED_SET,
}
_ALL = {
    ("HGETALL",): Kind.HASH,
    ("SMEMBERS",): Kind.SET,
    ("ZRANGE", "0", "-1", "WITHSCORES"): Kind.SORTED_SET,
    ("LRANGE", "0", "-1"): Kind.LIST,
    ("GET",): Kind.STRING,
}

#: Every how many arguments these name a member of theirs; their replies depend on no other.
_NAMING = {"HDEL": 1, "HINCRBY": 2, "HMSET": 2, "HSET": 2, "HSETNX": 2, "SADD": 1, "SREM": 1, "ZREM": 1}

#: What replies by all that the key holds, and by nothing else.
_WHOLE = frozenset(
    (*_NAMING, "APPEND", "DECRBY", "DEL", "GETSET", "INCRBY", "LINSERT", "LPOP", "LPUSH", "LREM", "LSET", "LTRIM")
) | frozenset(("RPOP", "RPUSH", "SET", "SETNX", "SETRANGE", "ZADD", "ZINCRBY", "ZREMRANGEBYSCORE"))


def recalled(plan: Plan, rehearsal: Rehearsal) -> dict[int, Any]:
    """Return the raw replies of steps of *plan* that follow from what it read under watch, by position."""
    by_key: dict[str, list[tuple[int, Step]]] = {}
    for position, step in enumerate(plan.steps):
        for key in step.keys:
            by_key.setdefault(key, []).append((position, step))
    wanted = {
        key: steps
        for key, steps in by_key.items()
        if any(step.command is not None and isinstance(step.why, Write) for _, step in steps)
    }
    known: dict[str, list[tuple[Kind, Part, Any]]] = {}
    watched = set(plan.watched)
    for question, reply in plan.asked():
        key = question.call[1]
        if key in wanted and question.guards and (plan.scripted or key in watched):
            if (kind := _ALL.get((question.call[0], *question.call[2:]))) is not None:
                known.setdefault(key, []).append((kind, None, reply))
            elif (kind := _SOME.get(question.call[0])) is not None:
                known.setdefault(key, []).append((kind, question.call[2:], reply))
    found: dict[int, Any] = {}
    for key, steps in wanted.items():
        found |= _tried(steps, known.get(key, []), rehearsal)
    return found


def _tried(steps: list[tuple[int, Step]], known: list[tuple[Kind, Part, Any]], rehearsal: Rehearsal) -> dict[int, Any]:
    """Return the replies of the *steps* on one key, up to the first that depends on what is not *known*."""
    whole = any(part is None for _, part, _ in known)
    members = {member for _, part, _ in known for member in part or ()}
    found: dict[int, Any] = {}
    try:
        rehearsal.clear()
        for kind, part, reply in known:
            if (call := load_call(kind, KEY, part, reply)) is not None:
                rehearsal.run(call)
        for position, step in steps:
            name, *args = step.call[0], *step.call[2:]
            if not (name in _WHOLE if whole else _names_only(name, args, members)):
                break
            reply = rehearsal.run((name, KEY) if name == "DEL" else (name, KEY, *args))
            if step.command is not None and isinstance(step.why, Write):
                found[position] = reply
    except Refused:
        return {}
    return found


def _names_only(name: str, args: list[str], members: set[str]) -> bool:
    every = _NAMING.get(name)
    return every is not None and members.issuperset(args[::every])
