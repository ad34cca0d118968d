"""Targets are deleted while others refer to them: no reference outlives its target, no relation is there by half."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.contrib.related.wholeness import decoded, held
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.whole.races.relations import GROUPS, TARGETS, Models, check_relations, delete_or_create, refer
from tests.whole.races.test_interleavings import applied, meanwhile
from tests.whole.races.workers import WORKERS
from uowredis import DoesNotExist, RedisDatabase, RestrictedError, Session

Act = Callable[[Models], object]

#: How the guards travel: keys that may be watched before a script is sent, for the one who deletes and for the others.
GUARDS = {"WATCH": (1_000, 1_000), "script": (0, 0), "both": (0, 1_000), "small": (12, 4)}
FIELDS = ["boss", "owner", "members", "line", "ranks"]


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("guards", GUARDS)
def test_one_deletes_while_eight_refer(pool: ProcessPoolExecutor, real: Real, guards: str) -> None:
    """Who refers is before the deletion and loses the reference, or goes with it, or is after it and refused."""
    ours, theirs = GUARDS[guards]
    models = Models(real.database(max_watched=ours))
    for name in TARGETS:
        models.Target(name=name)
    for name in GROUPS:
        models.Group(name=name)
    running = [pool.submit(refer, real.server.url, worker, 60, theirs) for worker in range(WORKERS)]
    assert real.client(socket_timeout=None).blpop(["begun"], timeout=60)
    done: list[str] = []
    while not all(future.done() for future in running) or len(done) < 2 * len(TARGETS):
        done.append(delete_or_create(models, len(done)))
    met = {one for future in running for one in future.result()}
    check_relations(real.dump())
    assert {"applied"} <= met <= {"applied", "DoesNotExist", "Conflict"}
    assert {"deleted", "created"} <= set(done) <= {"deleted", "created", "kept"}
    for name in TARGETS:
        if models.Target.exists(name):
            models.Target(name).delete()
    check_relations(real.dump())


# Another writes between the plan and EXEC, exactly there.


@pytest.fixture
def other(real: Real) -> Models:
    return Models(real.database())


@pytest.fixture
def ours(proxy: Proxy, how: str, other: Models) -> Iterator[Models]:
    """Our models, by way of the proxy: all fields of g0 refer to t0; of t0 there is a part, and a part of that."""
    with RedisDatabase.from_url(proxy.url, max_watched=0 if how == "script" else 1_000) as database:
        models = Models(database)
        for name in TARGETS[:2]:
            models.Target(name=name)
        for name in GROUPS[:2]:
            models.Group(name=name)
        for field in FIELDS:
            put(models, field, "t0", "g0")
        models.Part(name="part", whole="t0")
        models.Part(name="deeper", of="part")
        proxy.reset()
        yield models


def put(models: Models, field: str, target: str, group: str = "g1") -> None:
    """Refer by the one command that the field has for it."""
    commands: dict[str, Callable[[Any], object]] = {
        "boss": lambda bound: bound.set(target),
        "owner": lambda bound: bound.hset(target),
        "members": lambda bound: bound.sadd(target),
        "line": lambda bound: bound.rpush(target),
        "ranks": lambda bound: bound.zadd({target: 0}),
        "loose": lambda bound: bound.sadd(target),
    }
    commands[field](getattr(models.Group(group), field))


def delete_target(models: Models) -> None:
    models.Target("t0").delete()


def delete_and_create(models: Models) -> None:
    delete_target(models)
    models.Target(name="t0")


def move_all(models: Models) -> None:
    """Have g0 refer to t1 in place of t0."""
    group = models.Group("g0")
    with Session(models.database) as session:
        for field in FIELDS:
            getattr(group, field).delete()
            put(models, field, "t1", "g0")
        session.commit()


def references(real: Real, group: str) -> dict[str, list[str]]:
    """Return what the fields of a group hold that hold anything."""
    data = decoded(real.dump())
    found = {field: held(data, "group", group, field) for field in (*FIELDS, "loose")}
    return {field: pks for field, pks in found.items() if pks}


@pytest.mark.parametrize("field", [*FIELDS, "loose"])
@pytest.mark.parametrize("group", ["stored", "new"])
def test_a_reference_that_comes_before_the_deletion_goes(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real, field: str, group: str
) -> None:
    """Added between the plan and EXEC it is not missed: the deletion is planned again and takes it along."""

    def act(other: Models) -> None:
        if group == "stored":
            put(other, field, "t0")
        else:
            other.Group(name="g2", **{field: {"t0": 1} if field == "ranks" else "t0"})

    with meanwhile(proxy, how, act, other):
        delete_target(ours)
    assert 2 == applied(proxy)
    assert [{}] * 3 == [references(real, name) for name in GROUPS]
    check_relations(real.dump())


@pytest.mark.parametrize(
    ("act", "parts"),
    [
        (lambda other: other.Part(name="new", whole="t0"), set()),
        (lambda other: other.Part(name="new", of="part"), set()),
        (lambda other: other.Part(name="new", of="deeper"), set()),
        (lambda other: other.Part("part").whole.hset("t1"), {"part", "deeper"}),
        (lambda other: other.Part("deeper").of.delete(), {"deeper"}),
        (lambda other: other.Part("deeper").delete(), set()),
        (lambda other: other.Part("part").delete(), set()),
    ],
    ids=["new part", "of a part", "of the last", "moved away", "cut off", "deleted", "all deleted"],
)
def test_what_is_deleted_with_others_is_what_refers_at_the_end(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real, act: Act, parts: set[str]
) -> None:
    """A cascade follows the references as they are when it is applied, however far from the beginning they change."""
    with meanwhile(proxy, how, act, other):
        delete_target(ours)
    assert 2 == applied(proxy)
    assert parts == decoded(real.dump()).get(":part:collection", set())
    check_relations(real.dump())


def test_a_reference_that_restricts_comes_in_time(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real
) -> None:
    """Planned again, the deletion is refused; nothing of it is there."""
    with meanwhile(proxy, how, lambda other: other.Pin(name="pin", holds="t0"), other), pytest.raises(RestrictedError):
        delete_target(ours)
    assert 1 == applied(proxy)
    assert {field: ["t0"] for field in FIELDS} == references(real, "g0")
    check_relations(real.dump())


def test_references_that_are_moved_in_time_are_kept(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real
) -> None:
    """What refers elsewhere when the deletion is applied is not taken away."""
    with meanwhile(proxy, how, move_all, other):
        delete_target(ours)
    assert 2 == applied(proxy)
    assert {field: ["t1"] for field in FIELDS} == references(real, "g0")
    check_relations(real.dump())


@pytest.mark.parametrize("field", FIELDS)
def test_a_stale_entry_becomes_true_in_time(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real, field: str
) -> None:
    """An entry that no field bore out when it was read, but one does when it is applied, is a reference like others."""
    put(ours, field, "t1")
    real.client().sadd(f":group:{field}:t0", "g1")
    with meanwhile(proxy, how, lambda other: put(other, field, "t0"), other):
        delete_target(ours)
    assert ({field: ["t1"]} if field in FIELDS[2:] else {}) == references(real, "g1")
    check_relations(real.dump())


@pytest.mark.parametrize("say", [*FIELDS, "part", "part of a part", "pin"])
def test_who_refers_too_late_is_refused(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real, say: str
) -> None:
    """A checked reference whose target is deleted between the plan and EXEC, or goes with another, is not made."""
    made: dict[str, Callable[[], object]] = {
        "part": lambda: ours.Part(name="new", whole="t0"),
        "part of a part": lambda: ours.Part(name="new", of="deeper"),
        "pin": lambda: ours.Pin(name="new", holds="t0"),
    }
    with meanwhile(proxy, how, delete_target, other), pytest.raises(DoesNotExist):
        made.get(say, lambda: put(ours, say, "t0"))()
    assert 1 == applied(proxy)
    assert {} == references(real, "g1")
    check_relations(real.dump())


@pytest.mark.parametrize("field", FIELDS)
def test_a_target_that_is_there_again_can_be_referred_to(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real, field: str
) -> None:
    """Deleted and created between the plan and EXEC: the reference is made to the new one, whole."""
    with meanwhile(proxy, how, delete_and_create, other):
        put(ours, field, "t0")
    assert {field: ["t0"]} == references(real, "g1")
    check_relations(real.dump())


@pytest.mark.parametrize("field", FIELDS)
def test_a_reference_is_moved_from_what_is_deleted(
    proxy: Proxy, how: str, ours: Models, other: Models, real: Real, field: str
) -> None:
    """Whoever replaces or extends what the deletion clears ends with its own reference alone."""
    with meanwhile(proxy, how, delete_target, other):
        put(ours, field, "t1", "g0")
    assert {field: ["t1"]} == references(real, "g0")
    check_relations(real.dump())


def test_others_do_not_disturb(proxy: Proxy, how: str, ours: Models, other: Models, real: Real) -> None:
    """References to others, by fields that hold many too, do not keep a deletion from being applied at once."""

    def act(other: Models) -> None:
        for field in FIELDS:
            put(other, field, "t1")
        for field in FIELDS[2:]:
            put(other, field, "t1", "g0")
        other.Part(name="new", whole="t1")

    with meanwhile(proxy, how, act, other):
        delete_target(ours)
    assert 1 == applied(proxy)
    assert {field: ["t1"] for field in FIELDS[2:]} == references(real, "g0")
    check_relations(real.dump())
