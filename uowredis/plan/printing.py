"""How a plan looks on paper (decide, pure)."""

from __future__ import annotations

from typing import Any

from uowredis.commands.calls import Call
from uowredis.commands.replies import encode
from uowredis.plan.steps import Round, Step
from uowredis.plan.token import Token
from uowredis.schema.keys import shown_token

#: Commands whose cost grows with what the key holds, not only with their arguments.
_SLOW = frozenset(["DEL", "LINSERT", "LREM", "LSET", "LTRIM", "ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE"])

#: Longer arguments and replies are cut on paper; ``Plan.commands()`` has them whole.
_WIDEST = 60
_MOST_ARGUMENTS = 12


_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:._-+/@%,=*{}")
_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\", 10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b"}


def quote(text: str) -> str:
    """Return *text* as redis-cli reads it: bare where it is plain, else in double quotes with escapes."""
    if text and _BARE.issuperset(text):
        return text
    return '"' + "".join(_ESCAPES.get(byte) or _byte(byte) for byte in encode(text)) + '"'


def _byte(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"


def quoted(call: Call) -> str:
    """Return *call* as one line for redis-cli."""
    return " ".join(map(quote, call))


def printed(
    head: str,
    standing: tuple[Round, ...],
    rounds: tuple[Round, ...],
    steps: tuple[Step, ...],
    *,
    opening: str | None,
    token: Token | None,
    wait: Call | None,
    show_replies: bool,
    hide_values: bool,
) -> str:
    """Return a plan as text: *head*, then a line a call, reasons on the left.

    Args:
        head: the first line.
        standing: what the caller read and watched before.
        rounds: the fetches with their replies.
        steps: of the transaction.
        opening: MULTI, EVAL, or None where the steps go on their own.
        token: of the commit; each attempt has its own, so that its name is not shown.
        wait: the call behind EXEC.
        show_replies: what was answered stands behind each read.
        hide_values: show no values.
    """
    rows: list[tuple[str, str, str]] = []
    for round_ in standing:
        rows += _rows(round_, "watched before", show_replies, hide_values)
    for round_ in rounds:
        rows += _rows(round_, "guard: nothing of this changes", show_replies, hide_values)
    if steps:
        closing = "EXEC"
        if opening == "EVAL":
            reads = sum(len(round_.fetch.questions) for round_ in (*standing, *rounds))
            opening, closing = f"EVAL: a script compares the {reads} replies above, then applies", "end of EVAL"
            rows += _tidying(token)
            rows.append(("", opening, ""))
            if token is not None:
                rows.append(("guard: nobody has claimed the token", _of_token(("EXISTS", token.key)), ""))
        elif opening is not None:
            rows += _tidying(token)
            rows.append(("", opening, ""))
        rows += [(step.reason, _line(step.call, step.public, hide_values), "") for step in steps]
        if opening is not None:
            if token is not None:
                rows.append(("effect: the token says that it was applied", _of_token(token.note), ""))
            rows.append(("", closing, ""))
        if wait is not None:
            rows.append(("replicas have it", quoted(wait), ""))
    left = max((len(row[0]) for row in rows), default=0)
    middle = max((len(row[1]) for row in rows if row[2] and len(row[1]) <= _WIDEST), default=0)
    body = [
        f"  {why:{left}}  {call:{middle}} -> {reply}" if reply else f"  {why:{left}}  {call}".rstrip()
        for why, call, reply in rows
    ]
    return "\n".join([head, *body])


def _tidying(token: Token | None) -> list[tuple[str, str, str]]:
    # How many there are is an accident of what was committed before.
    return [] if token is None or not token.spent else [("tokens that are spent", "DEL ...", "")]


def _of_token(call: Call) -> str:
    name, key, *more = call
    return " ".join([name, shown_token(key), *more])


def _rows(round_: Round, watching: str, show_replies: bool, hide_values: bool) -> list[tuple[str, str, str]]:
    watch, token = round_.fetch.watch, round_.fetch.token
    rows = [(watching, _line(("WATCH", *watch), None, hide_values), "")] if watch else []
    if token is not None:
        rows.append(("guard: nobody claims the token", _of_token(("WATCH", token)), ""))
    for call in round_.fetch.counters:
        rows.append(("new primary keys" if call[0] == "INCRBY" else "guard: the counter is right", quoted(call), ""))
    for question, reply in round_:
        shown = "" if not show_replies else "?" if hide_values else _reply(reply)
        rows.append((question.why, _line(question.call, question.public, hide_values), shown))
    return rows


def slow(steps: tuple[Step, ...]) -> list[str]:
    """Return the commands among *steps* whose cost grows with what their key holds."""
    # An effect deletes single values and guard keys; only on a list it has to look for something.
    return sorted(
        {step.call[0] for step in steps if step.call[0] in (_SLOW if step.command is not None else ("LREM",))}
    )


def _line(call: Call, public: str | None, hide_values: bool) -> str:
    if hide_values and call[0] not in ("WATCH", "DEL"):
        key = call[1] if public is None else f"{public}?"
        return " ".join([call[0], quote(key) if public is None else key, *("?" for _ in call[2:3])])
    if hide_values and call[0] == "WATCH":
        return f"WATCH ({len(call) - 1} keys)"
    shown = [argument if len(argument) <= _WIDEST else f"{argument[: _WIDEST - 3]}..." for argument in call]
    if len(shown) > _MOST_ARGUMENTS:
        return f"{quoted(tuple(shown[:_MOST_ARGUMENTS]))} ... ({len(call) - 1} arguments)"
    return quoted(tuple(shown))


def _reply(reply: Any) -> str:
    if reply is None:
        return "(nil)"
    if isinstance(reply, list):
        if not reply:
            return "(empty)"
        shown = ", ".join(_reply(item) for item in reply[:_MOST_ARGUMENTS])
        return f"[{shown}{f', ... ({len(reply)})' if len(reply) > _MOST_ARGUMENTS else ''}]"
    if isinstance(reply, str):
        return quote(reply) if len(reply) <= _WIDEST else quote(f"{reply[: _WIDEST - 3]}...")
    return str(reply)
