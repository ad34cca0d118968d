"""After any walk of two clients, every index says what the fields say, and nothing else is on the server."""

import contextlib
from typing import Any

import pytest
import redis
from hypothesis import given, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.models import EveryKind, every_kind
from tests.tools.backends import Backend
from tests.tools.host import session_on
from tests.whole.walks import oracle
from tests.whole.walks.commands import (
    CHOSEN_PKS,
    FIRST_VALUES,
    IMPOSSIBLE_PKS,
    MOVES,
    RUNS,
    SIMPLE_WRITES,
    WRITES,
    Say,
    runs_of,
)
from tests.whole.walks.replies import outcome
from uowredis import ArgumentError, DoesNotExist, PendingWrites, Rejected, Session

#: How a command may be refused; then nothing was changed.
REFUSALS = (Rejected, DoesNotExist, ArgumentError, PendingWrites)

PLACES = st.integers(0, 9)
PKS = st.one_of(st.sampled_from(CHOSEN_PKS), st.sampled_from(CHOSEN_PKS), st.sampled_from(IMPOSSIBLE_PKS))
CLAIMS = runs_of({field: SIMPLE_WRITES[field] for field in oracle.UNIQUE}, 2)


KINDS = (WRITES, SIMPLE_WRITES, MOVES)


class Left(Exception):
    """Ends a session from inside."""


class Walk(RuleBasedStateMachine):
    """Two clients of one server; the first has a session open at times, the second never has.

    ``data`` is what the server held when it was last looked at. ``lives`` is what was said of whose life since then:
    an object that is spoken of is there, one that was deleted is not.
    """

    def __init__(self, backend: Backend, ours: EveryKind, theirs: EveryKind) -> None:
        super().__init__()
        backend.flush()
        self.client = backend.client()
        self.ours, self.theirs = ours, theirs
        self.handles: list[Any] = []
        self.session: Any = None
        self.stack = contextlib.ExitStack()
        self.data: oracle.Data = {}
        self.journal: list[tuple[Any, bool]] = []

    def teardown(self) -> None:
        if self.session is not None:
            self.session.rollback()
        self.stack.close()
        self.client.close()

    # The first client, in its session or outside.

    @rule(values=FIRST_VALUES)
    def create_thing(self, values: dict[str, Any]) -> None:
        with self.allowed():
            self.made(self.ours.Thing(**values), bool(values))

    @rule(pk=PKS, values=FIRST_VALUES)
    def create_named(self, pk: str, values: dict[str, Any]) -> None:
        with self.allowed():
            self.made(self.ours.Named(key=pk, **values), True)

    @rule(pk=st.sampled_from(["1", "2", "3", *CHOSEN_PKS]))
    def connect(self, pk: str) -> None:
        """Take one more handle of an object: two of one object may meet in a session."""
        model = self.ours.Named if pk in CHOSEN_PKS else self.ours.Thing
        with self.allowed():
            # In a session it was there when it was looked up, and stands on nothing until the commit.
            self.made(model(pk), self.session is None)

    def made(self, instance: Any, lives: bool) -> None:
        self.handles.append(instance)
        if lives:
            self.journal.append((instance, True))

    @precondition(lambda self: self.handles)
    @rule(place=PLACES, commands=st.one_of(RUNS, CLAIMS))
    def say(self, place: int, commands: list[Say]) -> None:
        instance = self.handle(place)
        for command in commands:
            with self.allowed():
                command.on(self.known(instance, command), self.handle(place // 2))
                self.journal.append((instance, True))

    @precondition(lambda self: self.handles)
    @rule(place=PLACES)
    def delete(self, place: int) -> None:
        with self.allowed():
            self.handle(place).delete()
            self.journal.append((self.handle(place), False))

    @precondition(lambda self: self.handles)
    @rule(place=PLACES)
    def ask_pk(self, place: int) -> None:
        """Allocate a pk before anything else is said."""
        instance = self.handle(place)
        new = instance._pk is None
        with self.allowed():
            instance.pk.get()
            if new:
                self.journal.append((instance, True))

    def handle(self, place: int) -> Any:
        return self.handles[-1 - place % len(self.handles)]

    def known(self, instance: Any, command: Say) -> Any:
        """Return *instance*, looked up anew for a bare command: such a write is sent without asking who is there."""
        bare = command.fields and set(command.fields) <= set(oracle.WITHOUT_INDEX)
        if self.session is None and bare and instance._pk is not None:
            return type(instance)(instance._pk)
        return instance

    # Its session.

    @precondition(lambda self: self.session is None)
    @rule()
    def open(self) -> None:
        self.session = self.stack.enter_context(self.new_session())

    def new_session(self) -> Any:
        """Return a session of the first client."""
        return session_on(self.ours.database)

    @precondition(lambda self: self.session is None and self.handles)
    @rule(runs=st.lists(st.tuples(PLACES, RUNS), min_size=1, max_size=3), values=FIRST_VALUES)
    def work(self, runs: list[tuple[int, list[Say]]], values: dict[str, Any]) -> None:
        """A whole session at once: an object is made, several change."""
        self.open()
        self.create_thing(values)
        for place, commands in runs:
            self.say(place, commands)
        self.commit(leave=True)

    @precondition(lambda self: self.session is None)
    @rule(claims=CLAIMS, stored=st.booleans(), together=st.booleans())
    def contend(self, claims: list[Say], stored: bool, together: bool) -> None:
        """Two objects, new or stored, claim the same unique values, in one session or one after the other."""
        for _ in range(2 * stored):
            self.create_thing({"note": "there"})
        if stored and not together:
            self.say(0, claims)
            self.say(1, claims)
            return
        self.open()
        for place in range(2):
            if not stored:
                self.create_thing({})
            self.say(place * stored, claims)
        self.commit(leave=True)

    @precondition(lambda self: self.session is not None)
    @rule(symbolic=st.booleans())
    def plan(self, symbolic: bool) -> None:
        assert self.session is not None
        with self.allowed():
            note(str(self.session.plan(symbolic=symbolic)))

    @precondition(lambda self: self.session is not None)
    @rule(leave=st.booleans())
    def commit(self, leave: bool) -> None:
        """Commit; what is refused changes nothing, is still there, and is then rolled back."""
        assert self.session is not None
        session, self.session = self.session, None
        pending = session.pending
        with self.allowed():
            try:
                session.commit()
            except REFUSALS:
                assert pending == session.pending
                session.rollback()
                raise
        assert () == session.pending
        if leave:
            self.stack.close()
        else:
            self.check()
            self.session = session

    @precondition(lambda self: self.session is not None)
    @rule(leave=st.booleans())
    def roll_back(self, leave: bool) -> None:
        assert self.session is not None
        self.session.rollback()
        self.journal.clear()
        if leave:
            self.session = None
            self.stack.close()

    @precondition(lambda self: self.session is not None)
    @rule()
    def leave_by_an_exception(self) -> None:
        self.session = None
        self.journal.clear()
        with pytest.raises(Left), self.stack:
            raise Left

    # The second client; what it does is on the server at once.

    @rule(named=st.booleans(), pk=st.sampled_from(CHOSEN_PKS), values=FIRST_VALUES)
    def others_create(self, named: bool, pk: str, values: dict[str, Any]) -> None:
        with self.by_others():
            if named:
                self.theirs.Named(key=pk, **values)
            else:
                self.theirs.Thing(**values)

    @rule(place=PLACES, commands=RUNS)
    def others_say(self, place: int, commands: list[Say]) -> None:
        for instance in self.other(place):
            for command in commands:
                with self.by_others():
                    command.on(instance)

    @rule(place=PLACES)
    def others_delete(self, place: int) -> None:
        for instance in self.other(place):
            with self.by_others():
                instance.delete()

    def other(self, place: int) -> list[Any]:
        """Return one object that is there as the second client sees it, or none."""
        there = [
            (model, pk.decode())
            for prefix, model in zip(oracle.MODELS, (self.theirs.Thing, self.theirs.Named), strict=True)
            for pk in sorted(self.data.get(prefix + b":collection", ()))
        ]
        return [model(pk) for model, pk in there[-1 - place % max(len(there), 1) :][:1]]

    @contextlib.contextmanager
    def by_others(self) -> Any:
        """Let a command of the second client be refused; then nothing was changed."""
        try:
            yield
        except REFUSALS as error:
            note(f"refused: {error!r}")
            self.unchanged()
        self.look()

    # What holds.

    @contextlib.contextmanager
    def allowed(self) -> Any:
        """Let a command of the first client be refused; in a session, or refused, it changes nothing."""
        try:
            yield
        except REFUSALS as error:
            note(f"refused: {error!r}")
            self.unchanged()
            if self.session is None:
                self.journal.clear()
        if self.session is not None:
            self.unchanged()
        else:
            self.look()
            self.check_lives()

    def unchanged(self) -> None:
        expected, actual = self.data, oracle.read(self.client)
        assert oracle.without_counters(expected) == oracle.without_counters(actual)

    def look(self) -> None:
        self.data = oracle.read(self.client)
        oracle.check_indexes(self.data)
        oracle.check_unique(self.data)

    def check_lives(self) -> None:
        """Assert that the pks of those who were last said to live are there, the others' not."""
        places = dict(zip((self.ours.Thing, self.ours.Named), oracle.MODELS, strict=True))
        last = {(places[type(instance)], str(instance._pk).encode()): lives for instance, lives in self.journal}
        self.journal.clear()
        assert last == {(model, pk): pk in self.data.get(model + b":collection", ()) for model, pk in last}

    @invariant()
    def check(self) -> None:
        if self.session is None:
            self.look()
        else:
            self.unchanged()


@pytest.fixture
def client(server: Backend) -> EveryKind:
    """A client of the server."""
    return every_kind(server.database(), renamed=True)


@pytest.fixture
def reader(server: Backend) -> redis.Redis:
    """A plain client of the server, for the oracle."""
    return server.client()


def test_every_index_says_what_the_fields_say(server: Backend) -> None:
    """Whatever two clients say, at once, in sessions, committed or not, the indexes agree with the fields."""
    ours, theirs = every_kind(server.database(), renamed=True), every_kind(server.database(), renamed=True)
    run_state_machine_as_test(lambda: Walk(server, ours, theirs))


@pytest.mark.parametrize("field", WRITES, ids=str)
@settings(max_examples=settings.default.max_examples // 3)
@given(data=st.data())
def test_a_field_keeps_its_index(
    server: Backend, client: EveryKind, reader: redis.Redis, field: str | None, data: Any
) -> None:
    """Whatever is said on one field, at once or in sessions, its index agrees after every command and commit."""
    server.flush()
    chunks = st.tuples(st.booleans(), st.one_of(*(runs_of({field: kind[field]}) for kind in KINDS if field in kind)))
    thing = client.Thing(**({"note": "there"} | data.draw(FIRST_VALUES)))
    for in_session, commands in data.draw(st.lists(chunks, min_size=1, max_size=4)):
        if in_session:
            with Session(client.database) as session:
                for command in commands:
                    outcome(lambda command=command: command.on(thing))
                outcome(session.commit)
                session.rollback()
            oracle.check_indexes(oracle.read(reader))
            continue
        for command in commands:
            outcome(lambda command=command: command.on(thing))
            oracle.check_indexes(oracle.read(reader))
