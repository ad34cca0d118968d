"""A read in a session answers as it is answered right after the commit."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from tests.models import EveryKind, every_kind
from tests.tools.backends import Backend
from tests.tools.host import session_on
from tests.whole.walks import oracle
from tests.whole.walks.commands import ENTRIES, FIRST_VALUES, READS, VALUES, WRITES, Say
from tests.whole.walks.replies import ordered, outcome
from uowredis import DoesNotExist, PendingWrites, Rejected

FIELDS = tuple(READS)
#: How the object of the session comes about.
BEGINNINGS = ("stored", "empty", "created", "created again", "deleted")
INDEXED = [name for name in oracle.FIELDS if name not in oracle.WITHOUT_INDEX]


def names(field: str | None) -> str:
    return field or "instance"


def writes_near(field: str | None) -> Any:
    """Draw writes on what *field* is stored with, or read with: the entries of an instance share one hash."""
    if field == "tags":
        return st.one_of(WRITES["tags"], WRITES["tags"], WRITES["badges"])
    if field not in ("name", None):
        return WRITES[field]
    return st.one_of(WRITES["name"], WRITES["note"], WRITES[None])


def begin(model: Any, beginning: str, stored: Any, first: dict[str, Any]) -> Any:
    """Return the object of the session, said to begin as *beginning* tells."""
    match beginning:
        case "stored" | "deleted":
            return model(stored.pk.get())
        case "empty":
            return model()
        case "created":
            return model(**first)
        case _:
            model("x").delete()
            return model(key="x", **first)


def ask(instance: Any, command: Say) -> Any:
    """Return the answer, or PendingWrites itself, or the class of another refusal."""
    try:
        return ordered(command, outcome(lambda: command.on(instance)))
    except PendingWrites:
        return PendingWrites


@attrs.frozen
class Drawn:
    """What SRANDMEMBER may give."""

    members: frozenset[str]
    number: int | None

    def allows(self, answer: Any) -> bool:
        """Return whether *answer* is one that Redis may draw."""
        if self.number is None:
            return answer in self.members if self.members else answer is None
        size = -self.number if self.number < 0 and self.members else min(abs(self.number), len(self.members))
        different = self.number < 0 or len(set(answer)) == len(answer)
        return set(answer) <= self.members and len(answer) == size and different


#: Commands that draw, and how what they draw from is read.
DRAWN: dict[str, Callable[[Any], Any]] = {
    "srandmember": lambda one: one.tags.smembers(),
    "zrandmember": lambda one: one.ranks.zrange(0, -1),
    "hrandfield": lambda one: one.headers.hkeys(),
}


def same(command: Say, answer: Any, after: Any, instance: Any) -> bool:
    """Return whether *answer*, given in the session, is that of after the commit; a draw has to be a possible one."""
    if command.method not in DRAWN or isinstance(after, type):
        return bool(answer == after) and type(answer) is type(after)
    drawn = Drawn(frozenset(DRAWN[command.method](instance)), command.args[0] if command.args else None)
    return drawn.allows(answer) and drawn.allows(after)


def pending_is_excused(command: Say, writes: Sequence[Say], indexed: bool, refused: bool) -> bool:
    """Return whether *command* may raise PendingWrites over *writes*.

    That is where one of them would fail, or where only the server can know the result of one on a field without index.
    """
    return refused or any(write.opaque and not (indexed and write.field != "note") for write in writes)


@pytest.fixture(params=[True, False], ids=["indexed", "bare"])
def indexed(request: pytest.FixtureRequest) -> bool:
    """Whether the fields have an index."""
    return bool(request.param)


@pytest.fixture
def clients(server: Backend, indexed: bool) -> tuple[EveryKind, EveryKind]:
    """Two clients of the server."""
    return every_kind(server.database(), indexed=indexed, renamed=True), every_kind(
        server.database(), indexed=indexed, renamed=True
    )


@pytest.mark.parametrize("field", FIELDS, ids=names)
@settings(max_examples=settings.default.max_examples // 3)
@given(data=st.data())
def test_a_read_sees_the_pending_writes(
    server: Backend, clients: tuple[EveryKind, EveryKind], indexed: bool, field: str | None, data: Any
) -> None:
    """Every reading command of a field answers over any pending writes as it does right after the commit."""
    read_over_pending_writes(server, *clients, field, data, indexed=indexed)


def read_over_pending_writes(
    server: Backend, ours: EveryKind, theirs: EveryKind, field: str | None, data: Any, *, indexed: bool
) -> None:
    """Read in a session of *ours*, commit, and read once more by *theirs*."""
    server.flush()
    beginning = data.draw(st.sampled_from(BEGINNINGS))
    here, there = (ours.Named, theirs.Named) if beginning == "created again" else (ours.Thing, theirs.Thing)
    stored = there(key="x") if there is theirs.Named else there(note="there")
    for write in data.draw(st.lists(writes_near(field), max_size=6)):
        outcome(lambda write=write: write.on(stored))
    writes = data.draw(st.lists(writes_near(field), max_size=6))
    reads = data.draw(st.lists(READS[field], min_size=3, max_size=10))
    first = data.draw(FIRST_VALUES)
    before = server.dump()
    with session_on(ours.database) as session:
        instance = begin(here, beginning, stored, first)
        for write in writes:
            outcome(lambda write=write: write.on(instance))
        if beginning == "deleted":
            instance.delete()
        answers = [ask(instance, read) for read in reads]
        assert before == server.dump()
        refused = outcome(session.commit) is Rejected
        session.rollback()
    event(f"{field} {beginning} {refused=}")
    if refused:
        # What was created has burnt its primary key.
        assert oracle.without_counters(before) == oracle.without_counters(server.dump())
    elif instance._pk is not None:
        # Another client reads: it knows nothing of what was pending.
        reader = instance if beginning == "deleted" else there(instance._pk)
        for read, answer in zip(reads, answers, strict=True):
            after = ask(reader, read)
            note(f"{read} -> {answer!r}, after the commit {after!r}")
            excused = answer is PendingWrites and pending_is_excused(read, writes, indexed, refused)
            assert excused or same(read, answer, after, reader)


def queries() -> Any:
    """Draw conditions: one to three fields with a value, now and then a pk."""
    conditions = st.sampled_from([name if name != "headers" else "headers__" for name in INDEXED])
    some = st.dictionaries(conditions, VALUES, min_size=1, max_size=3)
    entries = ENTRIES.map(lambda entry: f"headers__{entry}")
    pks = st.sampled_from(["1", "2", "3", "9"])
    named = st.builds(
        lambda found, entry: {(entry if name == "headers__" else name): value for name, value in found.items()},
        some,
        entries,
    )
    return st.tuples(
        st.booleans(), st.one_of(named, named, st.builds(lambda found, pk: found | {"pk": pk}, named, pks))
    )


def matching(model: Any, only_whether: bool, filters: dict[str, Any]) -> Any:
    """Return the pk of the object that matches, or whether there is one, or why there is no answer."""
    if only_whether:
        return outcome(lambda: model.exists(**filters))
    return outcome(lambda: model.get(**filters).pk.get())


def held(instance: Any) -> list[dict[str, Any]]:
    """Return conditions, each of which *instance* meets as the session sees it."""
    return [
        *({name: value} for name in ("title", "code", "name", "email") if (value := getattr(instance, name).get())),
        *({f"headers__{entry}": value} for entry, value in instance.headers.hgetall().items()),
        *({name: value} for name in ("tags", "badges") for value in getattr(instance, name).smembers()),
        *({"rows": value} for value in instance.rows.lrange(0, -1)),
        *({"ranks": value} for value in instance.ranks.zrange(0, -1)),
    ]


ANY_INDEXED = st.one_of(*(WRITES[name] for name in INDEXED), WRITES[None])


#: What is stored, what is said of which object, and what is asked.
QUERIED: dict[str, Any] = {
    "base": st.lists(FIRST_VALUES, min_size=1, max_size=3),
    "steps": st.lists(
        st.tuples(st.integers(0, 4), st.one_of(ANY_INDEXED, ANY_INDEXED, ANY_INDEXED, FIRST_VALUES, st.just("delete"))),
        max_size=8,
    ),
    "asked": st.lists(queries(), min_size=8, max_size=12),
}


@given(**QUERIED)
def test_a_query_sees_the_pending_writes(server: Backend, base: Any, steps: Any, asked: Any) -> None:
    """``exists`` and ``get`` with filters answer over any pending writes as they do right after the commit."""
    # No unique fields: what is refused at the commit would leave little to compare.
    ours, theirs = (every_kind(server.database(), unique=False, renamed=True) for _ in range(2))
    query_over_pending_writes(server, ours, theirs, base, steps, asked)


def query_over_pending_writes(
    server: Backend, ours: EveryKind, theirs: EveryKind, base: Any, steps: Any, asked: Any
) -> None:
    """Query in a session of *ours*, commit, and query once more by *theirs*."""
    server.flush()
    stored = [theirs.Thing(**{"note": "there", **values}) for values in base]
    before = oracle.without_counters(oracle.read(server.client()))
    with session_on(ours.database) as session:
        instances = [ours.Thing(instance.pk.get()) for instance in stored]
        for place, step in steps:
            instance = instances[place % len(instances)]
            if step == "delete":
                outcome(instance.delete)
            elif isinstance(step, Say):
                outcome(lambda step=step, instance=instance: step.on(instance))
            else:
                instances.append(ours.Thing(**step))
        for instance in instances:
            try:
                asked = asked + [(False, condition) for condition in held(instance)]
            except (DoesNotExist, PendingWrites) as error:
                note(f"{instance}: {error!r}")
        answers: list[Any] = []
        for only_whether, filters in asked:
            try:
                answers.append(matching(ours.Thing, only_whether, filters))
            except PendingWrites:
                answers.append(PendingWrites)
        refused = outcome(session.commit) is Rejected
        session.rollback()
    if refused:
        assert before == oracle.without_counters(oracle.read(server.client()))
        return
    after = [matching(theirs.Thing, only_whether, filters) for only_whether, filters in asked]
    note(f"asked: {asked}")
    assert after == answers
