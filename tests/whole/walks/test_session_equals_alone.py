"""Commands said in one session do what the same commands do one by one."""

from typing import Any

import attrs
import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from tests.models import EveryKind, every_kind
from tests.tools.backends import Backend
from tests.whole.walks import oracle
from tests.whole.walks.commands import (
    CERTAIN_RUNS,
    CHOSEN_PKS,
    FIRST_VALUES,
    IMPOSSIBLE_PKS,
    LASTING,
    Say,
    runs_of,
)
from tests.whole.walks.replies import ordered, outcome
from uowredis import Pending, PendingWrites, Rejected, Session


@attrs.frozen
class New:
    """An object is made, with a chosen pk or a counted one."""

    pk: str | None
    values: dict[str, Any]

    def on(self, models: EveryKind, instances: list[Any]) -> Any:
        made = models.Thing(**self.values) if self.pk is None else models.Named(key=self.pk, **self.values)
        instances.append(made)
        return made


@attrs.frozen
class Gone:
    """An object is deleted."""

    place: int

    def on(self, models: EveryKind, instances: list[Any]) -> Any:
        return instances[self.place % len(instances)].delete()


@attrs.frozen
class Said:
    """A command is said on an object."""

    place: int
    command: Say

    def on(self, models: EveryKind, instances: list[Any]) -> Any:
        return self.command.on(instances[self.place % len(instances)], instances[(self.place + 1) % len(instances)])


def flat(lists: list[Any]) -> list[Any]:
    return [step for steps in lists for step in steps]


def said_on(place: int, commands: list[Say]) -> list[Any]:
    return [Said(place, command) for command in commands]


RUNS = st.builds(said_on, st.integers(0, 5), CERTAIN_RUNS)
NEW = st.builds(New, st.one_of(st.none(), st.sampled_from(CHOSEN_PKS + IMPOSSIBLE_PKS)), FIRST_VALUES)
GONE = st.builds(Gone, st.integers(0, 5))
STEPS = st.lists(st.one_of(RUNS, RUNS, RUNS, st.tuples(NEW), st.tuples(GONE)), max_size=6).map(flat)


def plain(step: Any, reply: Any) -> Any:
    """Return a reply that can be compared: the pk for an instance, None for an empty one."""
    if isinstance(reply, Pending):
        reply = reply.result
    if isinstance(step, New) and not isinstance(reply, type):
        return reply._pk
    return ordered(step.command, reply) if isinstance(step, Said) else reply


def begin(backend: Backend, models: EveryKind) -> list[Any]:
    """Empty the server and store what both roads begin with."""
    backend.flush()
    return [
        models.Thing(title="1", name="a", headers={"e1": "1"}, rows=("a", "b", "a"), tags=("a", "b"), ranks={"a": 1}),
        models.Named(key="y", note="there", badges=("1", "2")),
    ]


def one_by_one(backend: Backend, models: EveryKind, steps: list[Any]) -> list[Any]:
    """Say *steps* outside a session; return their replies."""
    instances = begin(backend, models)
    replies = [outcome(lambda step=step: step.on(models, instances)) for step in steps]
    return [plain(step, reply) for step, reply in zip(steps, replies, strict=True)]


@pytest.fixture
def indexed(server: Backend) -> EveryKind:
    """A client whose fields have an index, none of them unique: uniqueness is judged on the net result."""
    return every_kind(server.database(), unique=False, renamed=True)


@pytest.fixture
def bare(server: Backend) -> EveryKind:
    """A client whose fields have no index: their commands are sent as they are."""
    return every_kind(server.database(), indexed=False, renamed=True)


@pytest.mark.parametrize("face", ["indexed", "bare"])
@given(steps=STEPS)
def test_one_session_does_what_single_commands_do(
    server: Backend, indexed: EveryKind, bare: EveryKind, face: str, steps: list[Any]
) -> None:
    """The same commands give the same replies and the same data; where one alone is refused, the session is, whole."""
    models = indexed if face == "indexed" else bare
    expected = one_by_one(server, models, steps)
    alone = server.dump()
    instances = begin(server, models)
    before = server.dump()
    with Session(models.database) as session:
        said = [outcome(lambda step=step: step.on(models, instances)) for step in steps]
        note("\n".join(map(str, session.pending)))
        assert before == server.dump()
        committed = outcome(session.commit)
        session.rollback()
    # What a session can tell at once, a chosen pk that it holds itself, it refuses at once and goes on.
    refused = any(one is Rejected and other is not Rejected for one, other in zip(expected, said, strict=True))
    event(f"{refused=}")
    assert refused == (committed is Rejected)
    if refused:
        assert oracle.without_counters(before) == oracle.without_counters(server.dump())
    elif any(each is PendingWrites for each in said):
        # On a field without index SPOP is the server's, and whether something is there to be moved after it.
        drawn = any(isinstance(step, Said) and step.command.method == "spop" for step in steps)
        assert (face, drawn) == ("bare", True)
    else:
        assert expected == [plain(step, reply) for step, reply in zip(steps, said, strict=True)]
        assert alone == server.dump()


def lasts(step: Any, reply: Any) -> Any:
    """Return a reply of which time does not change what is compared: of how long, whether."""
    timed = isinstance(step, Said) and step.command.method in ("ttl", "pttl") and isinstance(reply, int)
    return min(reply, 1) if timed else plain(step, reply)


@given(steps=st.lists(st.builds(said_on, st.integers(0, 1), runs_of(LASTING, 5)), max_size=4).map(flat))
def test_one_session_lets_fields_last_as_single_commands_do(server: Backend, bare: EveryKind, steps: list[Any]) -> None:
    """The same fields expire, those that are past are gone; how long is told before anything is pending, or not."""
    instances = begin(server, bare)
    expected = [lasts(step, outcome(lambda step=step: step.on(bare, instances))) for step in steps]
    alone, lasting = server.dump(), expiring(server)
    instances = begin(server, bare)
    with Session(bare.database) as session:
        said = [outcome(lambda step=step: step.on(bare, instances)) for step in steps]
        session.commit()
    for step, one, other in zip(steps, expected, said, strict=True):
        assert one == lasts(step, other) or (other is PendingWrites and step.command.method in ("ttl", "pttl"))
    assert (alone, lasting) == (server.dump(), expiring(server))


def expiring(server: Backend) -> set[bytes]:
    """Return the keys of objects that expire."""
    client = server.client()
    return {key for key in server.dump() if client.ttl(key) > 0}


@given(steps=st.lists(RUNS, max_size=4).map(flat))
def test_an_index_changes_no_reply_and_no_value(
    server: Backend, indexed: EveryKind, bare: EveryKind, steps: list[Any]
) -> None:
    """A field with an index answers as the same field without, whose commands go to Redis as they are."""
    expected = one_by_one(server, bare, steps)
    values = server.dump()
    assert expected == one_by_one(server, indexed, steps)
    data = oracle.read(server.client())
    oracle.check_indexes(data)
    held = oracle.Expected.of(data)
    assert values == {key: value for key, value in server.dump().items() if key in held.own}
