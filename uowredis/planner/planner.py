"""The planner: pending commands in, turn by turn, a plan out (decide). It sends nothing and waits for nothing.

The contract: ``turns()`` yields a ``Fetch`` (keys to watch, primary keys to count, reads to make, in one round trip),
is sent the raw replies of its counters and then of its questions, and returns the ``Plan``. Whoever counts no primary
keys answers None for a counter, and placeholders stay. Whoever asks nobody answers each question with ``UNKNOWN``.
Equal commands and answers give equal plans.
"""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.commands import Borrowed, Command, Create, Delete, Look, Read, WriteCommand, writes
from uowredis.commands.identity import check_current
from uowredis.commands.journal import Journal, Life
from uowredis.exceptions import ArgumentError, PlanTooLarge, TooManyGuards
from uowredis.plan import script
from uowredis.plan.plan import Plan
from uowredis.plan.steps import UNKNOWN, Fetch, Round, Step
from uowredis.plan.token import Token
from uowredis.planner.counter import Numbering
from uowredis.planner.declaration import NOTHING_ASKED, Declaration, Known
from uowredis.planner.index import Index, in_parts
from uowredis.planner.key import Delta
from uowredis.planner.places import check_reference, one_place
from uowredis.planner.presence import Presence
from uowredis.planner.questions import Questions
from uowredis.planner.rehearsal import Rehearsal, Rewrite
from uowredis.planner.relations import Relations
from uowredis.planner.unique import Unique
from uowredis.planner.values import Values
from uowredis.schema.keys import INSTANCE_HASH, placed
from uowredis.schema.models import ModelSchema

T = TypeVar("T")

#: What yields fetches and is sent their replies.
Turns: TypeAlias = Generator[Fetch, Sequence[Any], T]

#: Why there is a step of a query that is not its answer.
_TEMPORARY = "temporary key of a query"

#: Why there are steps that leave nothing.
_GUARD_KEYS = "guard key of a creation or deletion"


@attrs.frozen
class Limits:
    """What a plan may grow to, and what the server bears.

    Attributes:
        watched: keys that may be watched before the guards travel as a script; None: any number (embedded server).
        scripts: whether the server runs scripts.
        steps: steps that a plan may have.
        bare: reads need no transaction where there is nothing else.
    """

    watched: int | None = 1_000
    scripts: bool = True
    steps: int = 1_000_000
    bare: bool = False


def refers_to_nothing(borrowed: Borrowed) -> ArgumentError:
    """Return the error for an empty foreign key that was given as a value."""
    return ArgumentError(
        f"{borrowed} was given as a value and refers to nothing; nothing was written. Way out: give an object, or "
        f"leave it out"
    )


class Planner:
    """One planning of a *journal*; a conflict takes a new one.

    Args:
        journal: the pending commands; they must not grow while they are planned.
        rehearsal: where commands are tried.
        limits: what the plan may grow to.
        standing: what the caller read and watched before.
        unwatched: not all of it is watched, so that a script must compare it.
        token: by which the commit is settled where its reply is lost.
        wait: what is sent behind the transaction.
        known: of the fingerprints of models; by default nothing is asked of them.
        node_of: tells which node of a cluster has a slot, for eyes.

    Attributes:
        declaration: the fingerprints.
    """

    def __init__(
        self,
        journal: Journal,
        rehearsal: Rehearsal,
        limits: Limits,
        *,
        standing: Sequence[Round] = (),
        unwatched: bool = False,
        token: Token | None = None,
        wait: Call | None = None,
        known: Known = NOTHING_ASKED,
        node_of: Callable[[int], str | None] = lambda _: None,
    ) -> None:
        self.rewrites: Mapping[int, Rewrite] = {}
        self._journal = journal
        self._limits = limits
        self._token = token
        self._token_to_watch = None if token is None else token.key
        self._wait = wait
        self._node_of = node_of
        self._questions = Questions(limits.watched, standing, scripted=unwatched)
        self._values = Values(self._questions, rehearsal)
        self._presence = Presence(self._questions)
        self._unique = Unique(self._questions, journal)
        self._relations = Relations(self._questions, self._values, self._presence, journal)
        self._index = Index()
        self.declaration = Declaration(self._questions, journal, known)
        self._counters: Sequence[tuple[ModelSchema, int]] = ()
        self._place: str | None = None

    def turns(self) -> Turns[Plan]:
        """Decide, fetch by fetch; return the plan."""
        lives = list(self._journal)
        models = dict.fromkeys(map(_MODEL, lives))
        self._check_current(lives, models)
        commands: Sequence[Command] = self._journal.commands if self._journal.asks else ()
        if self._journal.borrowing:
            # What was given is read, and watched.
            commands = [*commands, *(each.read for each in self._journal.borrowed)]
        self._place = one_place(lives, models, commands)
        self._check_size(len(self._journal.commands))
        self._counters = self._journal.counters()
        self._questions.count(self._counters)
        self.declaration.ask(lives)
        borrowed = self._borrow()
        if self._journal.waiting or borrowed:
            # What else is asked depends on the primary keys that commands refer to.
            yield from self._ask()
            self._lend(borrowed)
        self._relations.ask()
        for life in lives:
            self._values.ask(life)
        for life, field, key in self._values.claims():
            self._unique.claim(life, field, key)
        self._presence.ask(lives)
        yield from self._ask()
        self._presence.judge()
        self.declaration.judge()
        following = self._decided()
        if following or not self._relations.idle:
            for _ in self._relations.turns(following):
                yield from self._ask()
        if self._unique.claims:
            # What the rehearsal found to be claimed.
            yield from self._ask()
            self._unique.ask_holders(following.values())
            yield from self._ask()
        for life, field, before, after in (*self._unique.judge(), *following.values()):
            self._index.take(life.model, field, before, after)
        self.rewrites = self._values.rewrites
        plan = self._finished([*lives, *self._relations.added])
        if plan.steps and not plan.scripted and (token := self._token_to_watch) is not None:
            fetch = Fetch(token=token)
            yield fetch
            plan = attrs.evolve(plan, rounds=(*plan.rounds, Round(fetch, ())))
        return plan

    @property
    def cascaded(self) -> Collection[Life]:
        """What is deleted only because it refers to something deleted."""
        return self._relations.cascaded.keys()

    def _check_current(self, lives: list[Life], models: Iterable[ModelSchema]) -> None:
        """Check that no class of which something was said was declared again since.

        Raises:
            ImplementationError: where one was.
        """
        for model in models:
            if model.successor is not None:
                check_current(next(life.identity for life in lives if life.model is model))
        for command in self._journal.commands if self._journal.asks else ():
            if isinstance(command, Look):
                check_current(command.model)
            elif isinstance(command, Read) and command.identity.model.successor is not None:
                check_current(command.identity)

    def _borrow(self) -> dict[Borrowed, Call]:
        """Ask for the foreign keys that were given as values; return the calls that read them."""
        calls: dict[Borrowed, Call] = {}
        for borrowed in self._journal.borrowed if self._journal.borrowing else ():
            read = borrowed.read
            identity = read.identity
            check_current(identity)
            call = (read.name, identity.model.keys.storage(identity.reference, read.storage), *read.args)
            self._questions.watch(call[1])
            self._questions.read(call, f"before: {read}, given as a value")
            calls[borrowed] = call
        return calls

    def _lend(self, borrowed: Mapping[Borrowed, Call]) -> None:
        """Put the foreign keys that were read where they were given.

        Raises:
            ArgumentError: for one that refers to nothing.
        """
        values = {text: self._questions.reply(call) for text, call in borrowed.items()}
        for text, value in values.items():
            if value is None:
                raise refers_to_nothing(text)
        self._journal.lend({text: value for text, value in values.items() if value is not UNKNOWN})

    def _decided(self) -> dict[tuple[Life, str], Delta]:
        """Note what becomes of the indexes; return what rules may have more to say about."""
        following = {}
        all_of_them = not self._relations.idle
        for life, field, before, after in self._values.deltas():
            if life.model.shard is not None:
                check_reference(life, field, before, after)
            if field.claiming and self._values.claims_late:
                for entry in sorted(after):
                    if entry not in before and field.claims(life.model.keys, entry[0]):
                        self._unique.claim(life, field, entry[0])
            # What leaves nothing releases nothing, and what it claims it keeps.
            if all_of_them or (field.claiming and before):
                following[life, field.name] = Delta(life, field, before, after)
            else:
                self._index.take(life.model, field, before, after)
        return following

    def _ask(self) -> Turns[None]:
        fetch = self._questions.fetch(self._token_to_watch)
        if fetch is None:
            return
        if self._questions.scripted and not self._limits.scripts:
            raise TooManyGuards(
                f"the plan watches more than {self._limits.watched} keys and scripts are off on this server; nothing "
                f"was sent. Way out: commit in batches"
            )
        if fetch.token is not None:
            self._token_to_watch = None
        replies = yield fetch
        counters = len(fetch.counters)
        self._questions.answered(fetch, replies[counters:])
        if counters:
            yield from self._number(Numbering(self._counters, replies[:counters]))

    def _number(self, numbering: Numbering) -> Turns[None]:
        """Give new objects their primary keys, unless a counter is behind."""
        if lookups := numbering.lookups():
            fetch = Fetch(counters=lookups)
            numbering.check(lookups, (yield fetch))
            self._questions.rounds.append(Round(fetch, ()))
        self._journal.allocate(self._counters, numbering.reached)

    def _finished(self, lives: list[Life]) -> Plan:
        steps = self._steps(lives)
        self._check_size(len(steps))
        plan = Plan(
            self._title(lives),
            tuple(self._questions.rounds),
            tuple(steps),
            self._questions.scripted,
            self._questions.unknown,
            tuple(self._questions.standing),
            self._limits.bare and all(isinstance(step.why, Read | Look) for step in steps),
            self._token if steps else None,
            self._wait if steps else None,
        )
        if plan.scripted and plan.steps:
            self._check_script(plan)
        return plan

    def _check_size(self, steps: int) -> None:
        if steps > self._limits.steps:
            raise PlanTooLarge(
                f"the plan has {steps:,} steps or more, the limit is {self._limits.steps:,}; nothing was sent. "
                f"Way out: commit in batches, or Session(db, max_steps=...)"
            )

    def _check_script(self, plan: Plan) -> None:
        longest = max(len(call) for call in [step.call for step in plan.steps] + [call for call, _ in plan.reads])
        if longest > script.MOST_ARGUMENTS + 2 or len(plan.transaction[-1]) > script.MOST_IN_ALL:
            raise TooManyGuards(
                f"the plan watches more than {self._limits.watched} keys and is too large for one script; nothing was "
                f"sent. Way out: commit in batches"
            )

    def _steps(self, lives: list[Life]) -> list[Step]:
        steps: list[Step] = []
        looks: list[tuple[int, Look]] = []
        for position, (command, life) in enumerate(zip(self._journal.commands, self._journal.of_command, strict=True)):
            if isinstance(command, Look):
                looks.append((position, command))
            elif isinstance(command, Read):
                if position not in self._journal.answered:
                    identity = command.identity
                    pk = identity.reference if life is None else life.reference
                    call = (command.name, identity.model.keys.storage(pk, command.storage), *command.args)
                    steps.append(Step(call, command, position, pk))
            elif life is not None:
                self._say(steps, position, command, life)
        most = script.MOST_ARGUMENTS if self._questions.scripted else sys.maxsize
        if not self._relations.idle:
            steps += self._relations.steps()
        steps += self._index.steps(most)
        steps += self._instances(lives, most)
        for position, look in looks:
            for place, call in enumerate(look.calls):
                answers = place == look.answer
                public = look.model.public(call[1])
                steps.append(
                    Step(call, look, position, "", public) if answers else Step(call, _TEMPORARY, public=public)
                )
        steps += self._guard_keys(sorted(self._presence.touched(lives, self.cascaded)), most)
        steps += self.declaration.steps()
        return steps

    @staticmethod
    def _guard_keys(keys: list[str], most: int) -> Iterator[Step]:
        """Yield what touches the guard *keys*; none of them lasts."""
        for some in in_parts(keys, most // 2) if keys else ():
            if len(some) == 1:
                yield Step(("SET", some[0], ""), _GUARD_KEYS)
            else:
                # What is stored does not matter; a script tells keys from values by their places, and here needs not.
                yield Step(("MSET", *(text for key in some for text in (key, key))), _GUARD_KEYS)
            yield Step(("DEL", *some), _GUARD_KEYS)

    def _say(self, steps: list[Step], position: int, command: WriteCommand, life: Life) -> None:
        keys, pk = life.model.keys, life.reference
        if isinstance(command, Create):
            if not (life.fresh or life.from_server or life.ended) and (storages := _storages(life)):
                # A command without index on a handle of a deleted object may have left a key.
                steps.append(Step(("DEL", *storages), f"new {life.model.name} begins with nothing"))
            if command.entries:
                entries = itertools.chain.from_iterable(command.pairs)
                steps.append(Step(("HSET", keys.storage(pk, INSTANCE_HASH), *entries), command, position, pk))
            for name, value in zip(command.strings, command.in_strings, strict=True):
                steps.append(Step(("SET", keys.storage(pk, name), value), command, position, pk))
            for write in command.writes:
                steps.append(Step((write.name, keys.storage(pk, write.storage), *write.args), command, position, pk))
        elif isinstance(command, Delete):
            if storages := _storages(life):
                steps.append(Step(("DEL", *storages), command, position, pk))
        else:
            rewrite = self.rewrites.get(position)
            key = keys.storage(pk, command.storage)
            if rewrite is None:
                steps.append(Step((command.name, key, *command.args), command, position, pk))
            elif rewrite.name is not None:
                steps.append(Step((rewrite.name, key, *rewrite.args), command, position, pk))

    def _instances(self, lives: list[Life], most: int) -> list[Step]:
        """Return the effects on the collections of all pks."""
        born: dict[ModelSchema, list[str]] = {}
        gone: dict[ModelSchema, list[str]] = {}
        cascaded = self.cascaded
        for life in lives:
            alive = life.alive and life not in cascaded
            if life.from_server and not alive:
                gone.setdefault(life.model, []).append(life.reference)
            elif not life.from_server and alive:
                born.setdefault(life.model, []).append(life.reference)
        return [
            Step((command, model.keys.collection, *pks), f"pks of {model.name}, {word}")
            for command, noted, word in (("SREM", gone, "old"), ("SADD", born, "new"))
            for model in sorted(noted, key=lambda model: model.keys.collection)
            for pks in in_parts(noted[model], most)
        ]

    def _title(self, lives: list[Life]) -> str:
        """Return what changes: ``Bike <1> changed``, or ``3 Bike created, 2 Bike deleted``."""
        if others := {*self._relations.added, *self.cascaded}:
            lives = [life for life in lives if life not in others]
        counts: dict[tuple[ModelSchema, bool, bool, bool], int] = {}
        for sort in map(_sort_of, lives):
            counts[sort] = counts.get(sort, 0) + 1
        found: dict[tuple[ModelSchema, str], int] = {}
        firsts: dict[tuple[ModelSchema, str], Life] = {}
        for sort, count in counts.items():
            model, alive, from_server, deleted = sort
            if not alive and not from_server:
                continue
            word = "deleted" if not alive else "created" if not from_server else "replaced" if deleted else "changed"
            found[model, word] = found.get((model, word), 0) + count
            firsts.setdefault((model, word), next(life for life in lives if _sort_of(life) == sort))
        parts = [
            f"{firsts[model, word]} {word}" if count == 1 else f"{count} {model.name} {word}"
            for (model, word), count in found.items()
        ]
        reads = sum(not writes(command) for command in self._journal.commands) if self._journal.asks else 0
        if reads:
            parts.append(f"{reads:,} read{'' if reads == 1 else 's'}")
        if not self._relations.idle:
            parts += self._relations.title()
        place = "" if self._place is None else f"; {placed(self._place, self._node_of)}"
        return (", ".join(parts) or "nothing changes") + place


_sort_of: Callable[[Life], tuple[ModelSchema, bool, bool, bool]] = operator.attrgetter(
    "model", "alive", "from_server", "deleted"
)


_MODEL: Callable[[Life], ModelSchema] = operator.attrgetter("model")


def _storages(life: Life) -> list[str]:
    """Return every key that the object of *life* may have."""
    return [life.model.keys.storage(life.reference, storage) for storage, _ in life.model.storages]
