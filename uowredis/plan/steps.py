"""The pieces of a plan (decide, pure): ``Question``, ``Fetch``, ``Round`` and ``Step``.

The planner speaks in these: it yields a ``Fetch``, is sent the replies, and ends with a ``Plan`` of ``Step``s. Every
call is a tuple of text, the command's name first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Command, Look
from uowredis.commands.identity import called
from uowredis.plan import script
from uowredis.schema.models import ModelSchema


class _Unknown(str):
    __slots__ = ()


#: What a question is answered with where nobody asks the server; it is known by its identity, not by its text.
UNKNOWN: Final = _Unknown("<unknown>")


@attrs.frozen
class Question:
    """One read that planning needs, and why.

    Attributes:
        call: the Redis call.
        why: the reason, for eyes.
        public: how much of the key holds no value, where values are hidden; None: all of it.
        guards: the plan stands on the reply; not where the field was declared ``lockable=False``.
    """

    call: Call
    why: str
    public: str | None = None
    guards: bool = True


@attrs.frozen
class Fetch:
    """What the planner must know to go on, in one round trip.

    It is answered with the replies of the counters, then of the questions.

    Attributes:
        watch: keys that must not change until EXEC.
        questions: reads to make.
        counters: the calls that count new primary keys; see :func:`counting`.
        token: the key of the commit's token, watched with the others. It must be by the time EXEC is sent: a WATCH that
            arrives late, together with EXEC, would come after a claim.
    """

    watch: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    counters: tuple[Call, ...] = ()
    token: str | None = attrs.field(default=None, eq=False)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls as they are sent."""
        keys = self.watch if self.token is None else (*self.watch, self.token)
        watch: tuple[Call, ...] = (("WATCH", *keys),) if keys else ()
        return (*watch, *self.counters, *[question.call for question in self.questions])


def counting(counters: Iterable[tuple[ModelSchema, int]]) -> tuple[Call, ...]:
    """Return the calls that count new primary keys, so many of each model, each behind how many objects there are.

    That many were counted before: a counter that says less was lost, or an import forgot it.
    """
    return tuple(
        call
        for model, count in counters
        for call in (("SCARD", model.keys.collection), ("INCRBY", model.keys.counter, str(count)))
    )


@attrs.frozen
class Round:
    """A fetch that was answered; the replies are plain and in the order of the questions."""

    fetch: Fetch
    replies: tuple[Any, ...] = attrs.field(converter=tuple)

    def __iter__(self) -> Iterator[tuple[Question, Any]]:
        return zip(self.fetch.questions, self.replies, strict=True)


# A tuple, because a plan has tens of thousands: a frozen attrs object takes three times as long to make.
class Step(NamedTuple):
    """One call of the transaction.

    Attributes:
        call: the Redis call.
        why: the command that was said, or the reason of an effect in words.
        command: position of the command that this call answers, None for an effect.
        pk: of the object of the command, or what stands for it.
        public: how much of the key holds no value, where values are hidden; None: all of it.
    """

    call: Call
    why: Command | str
    command: int | None = None
    pk: str = ""
    public: str | None = None

    @property
    def reason(self) -> str:
        """Why the step is there: ``said: ...`` or ``effect: ...``."""
        if isinstance(self.why, str | Look):
            why = str(self.why)
        else:
            why = self.why.said(called(self.why.identity.model, self.pk))
        return f"{'effect' if self.command is None else 'said'}: {why}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Step):
            return NotImplemented
        return (self.call, self.command, self.reason) == (other.call, other.command, other.reason)

    def __ne__(self, other: object) -> bool:
        return not self == other  # a tuple has one of its own

    def __hash__(self) -> int:
        return hash(self.call)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it writes."""
        return script.keys_of(self.call)


def with_order(call: Call, reply: Any) -> Any:
    """Return the plain *reply* of *call*, sorted where it is a set and has no order."""
    return sorted(reply) if call[0] in ("SMEMBERS", "SINTER", "SUNION", "SDIFF") and isinstance(reply, list) else reply
