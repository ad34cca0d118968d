"""A plan as JSON (decide, pure): one table says how each attribute is written and read back.

Text that is not UTF-8 goes as ``{"base64": ...}``. The token is left out: it is of one attempt, and no part of what
the plan says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from uowredis.commands.replies import encode
from uowredis.plan.steps import Fetch, Question, Round, Step

Table: TypeAlias = Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]


def _plain(item: Any) -> Any:
    return item


def _packed(item: Any) -> Any:
    if isinstance(item, str):
        raw = encode(item)
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(raw).decode("ascii")}
    return [_packed(part) for part in item] if isinstance(item, tuple | list) else item


def _unpacked(item: Any) -> Any:
    if isinstance(item, dict):
        return base64.b64decode(item["base64"]).decode("utf-8", "surrogateescape")
    return [_unpacked(part) for part in item] if isinstance(item, list) else item


def _call(item: Any) -> tuple[str, ...]:
    return tuple(_unpacked(item))


def _calls(items: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(map(_call, items))


def _written(table: Table, found: Any) -> dict[str, Any]:
    return {name: pack(getattr(found, name)) for name, (pack, _) in table.items()}


def _read(table: Table, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: unpack(data[name]) for name, (_, unpack) in table.items()}


_QUESTION: Table = {
    "call": (_packed, _call),
    "why": (_packed, _unpacked),
    "public": (_packed, _unpacked),
    "guards": (_plain, _plain),
}
_FETCH: Table = {
    "watch": (_packed, _call),
    "counters": (_packed, _calls),
    "questions": (
        lambda questions: [_written(_QUESTION, question) for question in questions],
        lambda items: tuple(Question(**_read(_QUESTION, item)) for item in items),
    ),
}
_ROUND: Table = {
    "fetch": (lambda fetch: _written(_FETCH, fetch), lambda data: Fetch(**_read(_FETCH, data))),
    "replies": (_packed, _unpacked),
}
_ROUNDS = (
    lambda rounds: [_written(_ROUND, each) for each in rounds],
    lambda items: tuple(Round(**_read(_ROUND, item)) for item in items),
)
#: A step from JSON knows its reason in words, not the command that was said.
_STEP: Table = {
    "call": (_packed, _call),
    "command": (_plain, _plain),
    "public": (_packed, _unpacked),
}
_PLAN: Table = {
    "title": (_packed, _unpacked),
    "scripted": (_plain, _plain),
    "symbolic": (_plain, _plain),
    "bare": (_plain, _plain),
    "wait": (lambda call: None if call is None else _packed(call), lambda item: None if item is None else _call(item)),
    "standing": _ROUNDS,
    "rounds": _ROUNDS,
    "steps": (
        lambda steps: [_written(_STEP, step) | {"why": _packed(step.reason.partition(": ")[2])} for step in steps],
        lambda items: tuple(Step(why=_unpacked(item["why"]), **_read(_STEP, item)) for item in items),
    ),
}


def written(plan: Any) -> str:
    """Return *plan* as JSON."""
    return json.dumps(_written(_PLAN, plan), ensure_ascii=False)


def attributes(text: str) -> dict[str, Any]:
    """Return the attributes of the plan that :func:`written` wrote."""
    return _read(_PLAN, json.loads(text))
