"""What the rules of one round ask, merged: a key is watched once, a read is made once (decide)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.replies import plain
from uowredis.plan.steps import UNKNOWN, Fetch, Question, Round, counting, with_order
from uowredis.schema.models import ModelSchema


@attrs.define
class Questions:
    """The questions of a plan, round by round.

    Attributes:
        most_watched: how many keys may be watched before the guards go as a script instead; None: any number.
        standing: what the caller read and watched; it need not be asked again.
        rounds: the answered rounds.
        scripted: whether there were more.
        unknown: whether a question was answered with ``UNKNOWN``.
    """

    most_watched: int | None
    standing: Sequence[Round] = ()
    rounds: list[Round] = attrs.field(factory=list)
    scripted: bool = False
    unknown: bool = False
    _watched: dict[str, None] = attrs.field(factory=dict)
    _questions: dict[Call, Question] = attrs.field(factory=dict)
    _new_watches: list[str] = attrs.field(factory=list)
    _new_questions: list[Question] = attrs.field(factory=list)
    _replies: dict[Call, Any] = attrs.field(factory=dict)
    _counters: tuple[Call, ...] = ()

    def __attrs_post_init__(self) -> None:
        for each in self.standing:
            self._watched |= dict.fromkeys(each.fetch.watch)
            self._questions |= {question.call: question for question in each.fetch.questions}
            self._replies |= {question.call: reply for question, reply in each}

    def count(self, counters: Sequence[tuple[ModelSchema, int]]) -> None:
        """Ask for new primary keys: so many of each model."""
        self._counters = counting(counters) if counters else ()

    def watch(self, key: str) -> None:
        """Ask that *key* does not change until EXEC."""
        if key not in self._watched:
            self._watched[key] = None
            self._new_watches.append(key)

    def read(self, call: Call, why: str, public: str | None = None, *, guards: bool = True) -> None:
        """Ask for the reply of *call*."""
        if call not in self._questions:
            self._questions[call] = question = Question(call, why, public, guards)
            self._new_questions.append(question)

    def read_again(self, call: Call, why: str) -> None:
        """Ask for the reply of *call* once more; the later reply holds."""
        self._new_questions.append(Question(call, why))

    @property
    def replies(self) -> Mapping[Call, Any]:
        """The plain replies of earlier rounds."""
        return self._replies

    def reply(self, call: Call) -> Any:
        """Return the plain reply of a *call* of an earlier round."""
        return self._replies[call]

    def fetch(self, token: str | None = None) -> Fetch | None:
        """Return the questions of this round, None where there are none; *token* is watched with the rest."""
        if not self._new_questions and not self._new_watches and not self._counters:
            return None
        if self.most_watched is not None and len(self._watched) > self.most_watched:
            self.scripted = True
        # A script compares what was read, and leaves its word itself.
        watch, token = ((), None) if self.scripted else (tuple(self._new_watches), token)
        fetch = Fetch(watch, tuple(self._new_questions), self._counters, token)
        self._new_watches, self._new_questions, self._counters = [], [], ()
        return fetch

    def answered(self, fetch: Fetch, raw: Sequence[Any]) -> None:
        """Take the *raw* replies to the questions of *fetch*; sets have no order, so they are given one."""
        replies = []
        for question, reply in zip(fetch.questions, raw, strict=True):
            if type(reply) is bytes or type(reply) is list:
                reply = with_order(question.call, plain(reply))
            elif reply is UNKNOWN:
                self.unknown = True
            self._replies[question.call] = reply
            replies.append(reply)
        self.rounds.append(Round(fetch, replies))
