"""What will be sent, as data (decide, pure).

A ``Plan`` is frozen and holds every call in its order, each with its reason. It is exactly what is sent; the printed
form is for eyes, :meth:`Plan.commands` for redis-cli. Nothing here sends anything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Look, Read
from uowredis.plan import json as as_json
from uowredis.plan import script
from uowredis.plan.printing import printed, quoted, slow
from uowredis.plan.steps import Fetch, Question, Round, Step
from uowredis.plan.token import Token
from uowredis.schema.keys import filled

#: Commands that leave the same data when they are sent twice.
_IDEMPOTENT = frozenset(
    [
        "DEL",
        "EXPIREAT",
        "GETDEL",
        "HDEL",
        "HMSET",
        "HSET",
        "LTRIM",
        "MSET",
        "PERSIST",
        "PEXPIREAT",
        "SADD",
        "SET",
        "SETBIT",
        "SETRANGE",
        "SREM",
        "ZADD",
        "ZREM",
        "ZREMRANGEBYSCORE",
    ]
)  # LSET is not here: between two sends the list may have moved.

#: How many calls go out in one write; a longer plan sends EXEC alone at the end.
CHUNK = 1_000


@attrs.frozen(repr=False)
class Plan:
    """The exact Redis commands of a commit, in order, each with its reason.

    Two plans are equal when they would send the same commands for the same reasons; a pk that is not counted yet is
    spelled ``<Bike 1>`` in both.

    Attributes:
        title: what changes, in words.
        rounds: the fetches on which the plan stands, with their replies; new primary keys are counted in the first.
        steps: the calls of the transaction.
        scripted: the steps go in one EVAL that compares the replies of the rounds, in place of WATCH and MULTI.
        symbolic: made without asking the server; what is not known stands between angle brackets.
        standing: what the caller read and watched before, on which the plan stands, too.
        bare: the steps only read, and go without MULTI and EXEC.
        token: by which the commit is settled where its reply is lost; each attempt has its own. None where there is no
            connection to lose.
        wait: the call behind EXEC that waits for replicas, None for none.
    """

    title: str
    rounds: tuple[Round, ...] = ()
    steps: tuple[Step, ...] = ()
    scripted: bool = False
    symbolic: bool = False
    standing: tuple[Round, ...] = ()
    bare: bool = False
    token: Token | None = attrs.field(default=None, eq=False)
    wait: Call | None = attrs.field(default=None, eq=False)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return True

    def __copy__(self) -> Plan:
        return self

    def __deepcopy__(self, memo: object) -> Plan:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # What was said refers to models and instances of this process; a plan elsewhere is for looking and comparing.
        return Plan.from_json, (self.to_json(),)

    @property
    def watched(self) -> tuple[str, ...]:
        """Every watched key, in order."""
        return tuple(key for round_ in (*self.standing, *self.rounds) for key in round_.fetch.watch)

    @property
    def reads(self) -> tuple[tuple[Call, Any], ...]:
        """Every planning read with its plain reply."""
        return tuple((question.call, reply) for each in self.rounds for question, reply in each)

    def asked(self) -> Iterator[tuple[Question, Any]]:
        """Yield every read on which the plan stands, the caller's too, with its plain reply."""
        for each in (*self.standing, *self.rounds):
            yield from each

    @property
    def idempotent(self) -> bool:
        """True where sending the steps twice would leave the same data."""
        return all(map(_is_idempotent, self.steps))

    @property
    def round_trips(self) -> int:
        """How often the commit waits for the server; setting up a connection is not counted."""
        if not self.steps:
            return len(self.rounds)
        in_one_write = self.scripted or self.bare or len(self.steps) <= CHUNK
        return len(self.rounds) + (1 if in_one_write else 2)

    @functools.cached_property
    def transaction(self) -> tuple[Call, ...]:
        """The calls that apply the steps: MULTI ... EXEC, or one EVAL, with the token's and the wait for replicas."""
        steps = tuple([step.call for step in self.steps])
        if not steps:
            return ()
        if self.scripted:
            watched = self.watched or any(round_.fetch.token for round_ in self.rounds)
            unwatch: tuple[Call, ...] = (("UNWATCH",),) if watched else ()
            guards = [(question.call, reply) for question, reply in self.asked() if question.guards]
            tidy = () if self.token is None else self.token.tidy
            return (*unwatch, *tidy, script.evaluate(guards, steps, self.token), *self._behind)
        if self.bare:
            return steps
        if self.token is None:
            return (("MULTI",), *steps, ("EXEC",), *self._behind)
        return (*self.token.tidy, ("MULTI",), *steps, self.token.note, ("EXEC",), *self._behind)

    @property
    def _behind(self) -> tuple[Call, ...]:
        return () if self.wait is None else (self.wait,)

    def calls(self) -> tuple[Call, ...]:
        """Return every call that the commit sends, in order, as text."""
        return tuple(call for round_ in self.rounds for call in round_.fetch.calls) + self.transaction

    def filled(self) -> Plan:
        """Return the plan with the primary key in place of each placeholder whose object has got one by now.

        A placeholder knows its object; text that only looks like one stays. So does what was pickled, or read from
        JSON: there it is text.
        """
        return attrs.evolve(
            self,
            rounds=tuple(map(_filled_round, self.rounds)),
            steps=tuple(step._replace(call=_filled(step.call), pk=filled(step.pk)) for step in self.steps),
        )

    def sends(self, shown: Plan) -> bool:
        """Return whether this is the plan that was *shown*, with primary keys in place of its placeholders.

        What is sent is compared, and what it stands on. Primary keys that a plan counts follow from the objects that
        it creates: they are left out, because another attempt counts none. Effects are in the order of their keys, so
        a primary key in place of a placeholder may stand elsewhere in it.
        """
        sent = self._sent()
        return sent == shown._sent() or sent == shown.filled()._sent()

    def _sent(self) -> tuple[object, ...]:
        rounds = [
            (sorted(each.fetch.watch), sorted(((question.call, reply) for question, reply in each), key=_call))
            for each in self.rounds
            if each.fetch.watch or each.fetch.questions
        ]
        said = [(step.call, step.command) for step in self.steps if step.command is not None]
        effects = sorted((*step.call[:2], *sorted(step.call[2:])) for step in self.steps if step.command is None)
        return self.standing, rounds, said, effects, self.scripted, self.bare

    def commands(self) -> str:
        """Return every call on a bare line of its own, quoted for redis-cli."""
        return "".join(f"{quoted(call)}\n" for call in self.calls())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{self._head()}>"

    def text(self, *, hide_values: bool = False) -> str:
        """Return the plan for eyes.

        Args:
            hide_values: show ``?`` in place of every value, argument and reply.
        """
        return printed(
            self._head(),
            self.standing,
            self.rounds,
            self.steps,
            opening=None if self.bare else "EVAL" if self.scripted else "MULTI",
            token=self.token,
            wait=self.wait,
            show_replies=not self.symbolic,
            hide_values=hide_values,
        )

    def _head(self) -> str:
        trips = f"{self.round_trips} round trip{'' if self.round_trips == 1 else 's'}"
        if not self.steps:
            return f"plan: {self.title}; {trips}; nothing to send"
        atomic, again = "not atomic" if self.bare else "atomic", "idempotent" if self.idempotent else "not idempotent"
        facts = [self.title, trips, f"{atomic}, {again}"]
        if found := slow(self.steps):
            facts.append(f"O(N): {', '.join(found)}")
        if self.symbolic:
            facts.append("symbolic: nothing was asked")
        return f"plan: {'; '.join(facts)}"

    def to_json(self) -> str:
        """Return the plan as JSON; text that is not UTF-8 goes as ``{"base64": ...}``."""
        return as_json.written(self)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that :meth:`to_json` wrote, for looking and comparing; no session executes it."""
        return cls(**as_json.attributes(text))


def _is_idempotent(step: Step) -> bool:
    name = step.call[0]
    # LREM that takes away all copies leaves nothing for the next one.
    return name in _IDEMPOTENT or isinstance(step.why, Read | Look) or (name == "LREM" and step.call[2] == "0")


def _call(read: tuple[Call, Any]) -> Call:
    return read[0]


def _filled(call: Call) -> Call:
    return tuple(map(filled, call))


def _filled_round(round_: Round) -> Round:
    fetch = round_.fetch
    questions = tuple(attrs.evolve(each, call=_filled(each.call)) for each in fetch.questions)
    return Round(Fetch(_filled(fetch.watch), questions, fetch.counters, fetch.token), round_.replies)
