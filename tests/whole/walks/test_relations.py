"""After any walk of two clients over a graph, what refers and what is referred to agree, and nothing dangles."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.tools.backends import Backend
from tests.tools.host import session_on
from tests.whole.walks.graph import Graph, declare
from tests.whole.walks.graph_oracle import (
    COUNTERS,
    Command,
    Ended,
    Key,
    Made,
    New,
    Outcome,
    State,
    committed,
    references,
    said,
    settled,
    spelled,
)
from tests.whole.walks.graph_questions import ASKED, Asked, about_changes
from tests.whole.walks.graph_walk import BIRTHS, CHOSEN_PKS, MOVES, PLACES, Birth, Move, Speaker
from tests.whole.walks.oracle import read
from uowredis import Conflict, DoesNotExist, PendingWrites, Rejected, UniquenessError

REFUSALS = (Rejected, DoesNotExist)
#: One step of a session or of another client: an object is made, a field changes, an object is deleted (by its place).
STEPS = st.one_of(MOVES, MOVES, MOVES, BIRTHS, PLACES, PLACES)


def refusal(call: Callable[[], Any]) -> type[Exception] | None:
    """Return how *call* is refused, None where it is not."""
    try:
        call()
    except REFUSALS as error:
        note(f"refused: {error!r}")
        # Each model has a class of its own for what is not there.
        return DoesNotExist if isinstance(error, DoesNotExist) else type(error)
    return None


#: A walk looks at the whole server after every step.
FEWER = settings(max_examples=settings.default.max_examples * 2 // 3)


Step = Move | Birth | int | Key


class Left(Exception):
    """Ends a session from inside."""


class Walk(RuleBasedStateMachine):
    """Two clients of one server; the first has a session open at times, the second never has.

    ``state`` is what the server has to hold, ``said`` what the open session has been told.
    """

    def __init__(self, backend: Backend, ours: Graph, theirs: Graph) -> None:
        super().__init__()
        backend.flush()
        self.client = backend.client()
        self.ours, self.theirs = Speaker(ours), Speaker(theirs)
        self.session: Any = None
        self.stack = contextlib.ExitStack()
        self.state: State = {}
        self.said: list[Command] = []

    def teardown(self) -> None:
        if self.session is not None:
            self.session.rollback()
        self.stack.close()
        self.client.close()

    @initialize(births=st.lists(BIRTHS, min_size=4, max_size=8), moves=st.lists(MOVES, min_size=5, max_size=10))
    def begin(self, births: list[Birth], moves: list[Move]) -> None:
        for step in [*births, *moves]:
            self.at_once(self.theirs, step)

    # What the first client says, in its session or outside.

    @rule(step=STEPS)
    def say(self, step: Step) -> None:
        if self.session is None:
            self.at_once(self.ours, step)
        else:
            self.say_in_session(step)

    def say_in_session(self, step: Step) -> None:
        standing, _ = said(self.state, self.said)
        commands, call = self.commands(self.ours, step, standing, self.ended - standing.keys())
        if not commands:
            return
        expected = self.refused_at_once(commands[-1])
        assert expected == refusal(call)
        if expected is None:
            self.said += commands

    @property
    def ended(self) -> set[Key]:
        return {command.key for command in self.said if isinstance(command, Ended)}

    def refused_at_once(self, command: Command) -> type[Exception] | None:
        """Return how the session refuses *command* by what it was told before."""
        before = [each for each in self.said if each.key == command.key]
        if not before or isinstance(before[-1], Ended) == isinstance(command, Made):
            return None
        return UniquenessError if isinstance(command, Made) else DoesNotExist

    def commands(
        self, speaker: Speaker, step: Step, standing: State, ended: set[Key]
    ) -> tuple[list[Command], Callable[[], Any]]:
        """Return the commands that *step* is as things stand, and what says them."""
        keys = sorted([*standing, *(key for key in ended if isinstance(key[1], str))], key=str)
        command: Command
        if isinstance(step, Birth):
            values, given = speaker.birth(step, standing, ended)
            if step.model == "Named":
                free = [pk for pk in CHOSEN_PKS if (step.model, pk) not in standing] if step.label else []
                given["key"] = pk = (free or CHOSEN_PKS)[step.pk % len(free or CHOSEN_PKS)]
                command = Made((step.model, pk), values)
            else:
                command = Made((step.model, New(None)), values)

            def call() -> None:
                made = speaker.graph.models[step.model](**given)
                if isinstance(command.key[1], New):
                    command.key[1].handle = made

        elif isinstance(step, tuple):
            command = Ended(step)
            call = speaker.handle(step).delete
        elif not keys:
            return [], lambda: None
        elif isinstance(step, Move):
            command, call = speaker.move(keys[step.who % len(keys)], step, standing, ended)
        else:
            command = Ended(keys[step % len(keys)])
            call = speaker.handle(command.key).delete
        note(str(command))
        return [*self.begun(command, standing), command], call

    def begun(self, command: Command, standing: State) -> list[Command]:
        """Return the creations of empty objects that *command* refers to."""
        return [
            Made(key, {})
            for key in dict.fromkeys(command.referred)
            if isinstance(key[1], New) and key not in standing and key != command.key
        ]

    def at_once(self, speaker: Speaker, step: Step) -> None:
        """Say *step* outside a session."""
        commands, call = self.commands(speaker, step, self.state, set())
        if commands:
            self.allowed(committed(self.state, commands), call)

    def allowed(self, outcome: Outcome, call: Callable[[], Any]) -> bool:
        """Let *call* be refused exactly where *outcome* says so; then nothing was changed."""
        refused = refusal(call)
        event(f"refused: {refused}")
        if refused is None:
            assert set() == outcome.refused
            self.state = settled(outcome.state)
        else:
            assert refused in outcome.refused
        return refused is None

    # Its session.

    @precondition(lambda self: self.session is None)
    @rule()
    def open(self) -> None:
        self.session = self.stack.enter_context(session_on(self.ours.graph.database))

    @precondition(lambda self: self.session is None)
    @rule(steps=st.lists(STEPS, min_size=2, max_size=8), asked=st.lists(ASKED, max_size=3))
    def work(self, steps: list[Any], asked: list[Asked]) -> None:
        """A whole session at once."""
        self.open()
        for step in steps:
            self.say(step)
        self.ask(asked)
        self.commit(leave=True)

    @precondition(lambda self: self.session is None and self.state)
    @rule(place=PLACES, spared=st.integers(-1, 3), asked=st.lists(ASKED, max_size=3))
    def fell(self, place: int, spared: int, asked: list[Asked]) -> None:
        """An object is deleted together with those that keep it, all of them or all but one."""
        kept = {to for key in self.state for link, _, to in references(self.state, key) if link.on_delete == "restrict"}
        ends = sorted(kept & self.state.keys()) or sorted(self.state)
        ends = [ends[place % len(ends)]]
        for key in ends:
            ends += [
                other
                for other in sorted(self.state)
                for link, _, to in references(self.state, other)
                if to == key and link.on_delete == "restrict" and other not in ends
            ]
        self.open()
        for key in [key for at, key in enumerate(ends) if at != spared + 1 or at == 0]:
            self.say_in_session(key)
        self.ask(asked)
        self.commit(leave=True)

    @precondition(lambda self: self.session is not None)
    @rule(symbolic=st.booleans())
    def plan(self, symbolic: bool) -> None:
        assert self.session is not None
        with contextlib.suppress(*REFUSALS):
            note(str(self.session.plan(symbolic=symbolic)))

    @precondition(lambda self: self.session is not None)
    @rule(leave=st.booleans())
    def commit(self, leave: bool) -> None:
        """Commit; what is refused changes nothing, is still there, and is then rolled back."""
        assert self.session is not None
        pending = [command.identity for command in self.session.pending]
        outcome = committed(self.state, self.said)
        event(f"gone with others: {len(self.state) - len(outcome.state) > len(self.ended) > 0}")
        if not self.allowed(outcome, self.session.commit):
            # The commands themselves may name pks now that are allocated meanwhile.
            assert pending == [command.identity for command in self.session.pending]
            self.session.rollback()
        assert () == self.session.pending
        self.finish(leave)

    @precondition(lambda self: self.said)
    @rule(steps=st.lists(STEPS, max_size=2), leave=st.booleans())
    def commit_what_was_shown(self, steps: list[Any], leave: bool) -> None:
        """A plan that others made wrong is a conflict, or does what it does on what they made."""
        assert self.session is not None
        outcome = committed(self.state, self.said)
        refused = refusal(self.session.plan)
        assert refused in (outcome.refused or {None})
        if refused is not None:
            return
        plan = self.session.plan()
        for step in steps:
            self.at_once(self.theirs, step)
        try:
            self.allowed(committed(self.state, self.said), lambda: self.session.commit(plan))
        except Conflict:
            event("conflict")
            assert steps
        self.session.rollback()
        self.finish(leave)

    @precondition(lambda self: self.session is not None)
    @rule(leave=st.booleans())
    def roll_back(self, leave: bool) -> None:
        assert self.session is not None
        self.session.rollback()
        self.finish(leave)

    @precondition(lambda self: self.session is not None)
    @rule()
    def leave_by_an_exception(self) -> None:
        self.session = None
        self.said = []
        with pytest.raises(Left), self.stack:
            raise Left

    def finish(self, leave: bool) -> None:
        self.said = []
        if leave:
            self.session = None
            self.stack.close()

    # The second client; what it does is on the server at once.

    @rule(step=STEPS)
    def others_say(self, step: Step) -> None:
        self.at_once(self.theirs, step)

    # What holds.

    @precondition(lambda self: self.state or self.said)
    @rule(asked=st.lists(ASKED, min_size=2, max_size=5))
    def ask(self, asked: list[Asked]) -> None:
        """Answers are those of right after the commit, where it would not be refused."""
        outcome = committed(self.state, self.said)
        there = sorted(outcome.state, key=str)
        if not there:
            return
        drawn = [question for each in asked if (question := each.of(there)) is not None]
        for question in [*drawn, *about_changes(said(self.state, self.said)[0], outcome.state, asked)]:
            note(str(question))
            try:
                answer = question.answer(self.ours)
            except (PendingWrites, DoesNotExist):
                if outcome.refused:
                    continue
                raise
            if not outcome.refused:
                assert question.expected(outcome.state) == answer

    @invariant()
    def check(self) -> None:
        data = {key: value for key, value in read(self.client).items() if key not in COUNTERS}
        assert spelled(self.state) == data


def test_relations_agree_and_nothing_dangles(server: Backend) -> None:
    """Whatever two clients say, at once, in sessions, committed or not, a model in plain Python tells what is there."""
    ours, theirs = declare(server.database()), declare(server.database())
    run_state_machine_as_test(lambda: Walk(server, ours, theirs), settings=FEWER)
