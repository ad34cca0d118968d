"""What stands for primary keys that Redis has not counted yet, and how it becomes the primary key."""

import copy
import gc
import pickle
import weakref

import pytest

from tests.planner.referring import COUPLE, GROUP, PERSON
from tests.planner.stage import BIKE, create, hset, new, planned, sadd, steps, stored, write
from uowredis.commands.changes import Added, Replaced
from uowredis.commands.commands import WriteCommand
from uowredis.commands.identity import Identity
from uowredis.commands.journal import Journal
from uowredis.plan import Plan
from uowredis.plan.steps import counting
from uowredis.planner import Limits, Planner
from uowredis.planner.rehearsal import Rehearsal

UNIQUE = {("SMEMBERS", ":bike:name:mountain"): []}


def said(bike: Identity) -> list[WriteCommand]:
    return [create(bike, sadd(bike, "tags", "<Bike 1>"), name="mountain", note="<Bike 1>")]


def test_whoever_counts_nothing_gets_a_plan_with_placeholders() -> None:
    """A counter that is answered with None burns no number; the placeholder stands where the pk will be."""
    bike = new(BIKE, 1)
    plan = planned(said(bike), UNIQUE, placeholders=True)
    assert None is bike.pk
    assert [
        ("WATCH", ":bike:name:mountain"),
        ("SCARD", ":bike:collection"),
        ("INCRBY", ":bike:max_pk", "1"),
        ("SMEMBERS", ":bike:name:mountain"),
        ("MULTI",),
        ("HSET", ":bike:<Bike 1>:hash", "name", "mountain", "note", "<Bike 1>"),
        ("SADD", ":bike:<Bike 1>:tags", "<Bike 1>"),
        ("SADD", ":bike:name:mountain", "<Bike 1>"),
        ("SADD", ":bike:tags:<Bike 1>", "<Bike 1>"),
        ("SADD", ":bike:collection", "<Bike 1>"),
        ("EXEC",),
    ] == list(plan.calls())
    assert 2 == plan.round_trips


def test_a_value_that_reads_like_a_placeholder_stays() -> None:
    """Only what was made of the object's primary key is filled; texts of the user are theirs."""
    bike = new(BIKE, 1)
    plan = planned(said(bike), UNIQUE, placeholders=True)
    assert plan == plan.filled()
    bike.pk = "7"
    assert [
        ("HSET", ":bike:7:hash", "name", "mountain", "note", "<Bike 1>"),
        ("SADD", ":bike:7:tags", "<Bike 1>"),
        ("SADD", ":bike:name:mountain", "7"),
        ("SADD", ":bike:tags:<Bike 1>", "7"),
        ("SADD", ":bike:collection", "7"),
    ] == steps(plan.filled())
    assert "said: Bike <7> created" == plan.filled().steps[0].reason


def shown_and_sent(commands: list[WriteCommand], answers: dict[tuple[str, ...], list[str]]) -> tuple[Plan, Plan]:
    """Return the plan with placeholders, and the one that is made afterwards with primary keys."""
    shown = planned(commands, {call: found for call, found in answers.items() if "5" not in call[1]}, placeholders=True)
    return shown, planned(commands, {call: found for call, found in answers.items() if "<" not in call[1]}, first_pk=5)


def referring(ann: Identity, crew: Identity) -> list[WriteCommand]:
    return [
        create(ann, name="ann"),
        create(crew, owner=ann.reference),
        write(crew, "founder", Replaced((("", ann.reference),)), "SET", ann.reference),
        write(crew, "queue", Added((ann.reference, "9")), "RPUSH", ann.reference, "9"),
    ]


def test_the_plan_shown_is_the_plan_sent() -> None:
    """References, keys and index keys of new objects are compared as the primary keys that they become."""
    shown, sent = shown_and_sent(referring(new(PERSON, 1), new(GROUP, 1)), {})
    assert ("SADD", ":group:queue:<Person 1>", "<Group 1>") in steps(shown)
    assert ("SADD", ":group:queue:5", "6") in steps(sent)
    # Effects are in the order of their keys: 9 comes before <Person 1>, and after 5.
    assert sorted(steps(sent)) == sorted(steps(shown.filled()))
    assert steps(sent) != steps(shown.filled())
    assert sent.sends(shown)


def test_a_unique_reference_to_a_new_object_is_asked_for_by_what_it_becomes() -> None:
    """The question about the placeholder is the question about the primary key."""
    ann, couple = new(PERSON, 1), new(COUPLE, 1)
    answers = {("SMEMBERS", f":couple:partner:{pk}"): [] for pk in ("<Person 1>", "5")}
    shown, sent = shown_and_sent([create(ann), create(couple, partner=ann.reference)], answers)
    assert (":couple:partner:<Person 1>",) == shown.watched
    assert (":couple:partner:5",) == sent.watched
    assert sent.sends(shown)


def test_another_attempt_counts_nothing_and_is_the_same_plan() -> None:
    """After a conflict the primary keys are there; the plan that was shown is the one that is made now."""
    bike = new(BIKE, 1)
    shown = planned(said(bike), UNIQUE, placeholders=True)
    bike.pk = "5"
    again = planned(said(bike), UNIQUE)
    assert () == again.rounds[0].fetch.counters
    assert again.sends(shown)


@pytest.mark.parametrize("differs", ["value", "object", "order"])
def test_another_plan_is_not_what_was_shown(differs: str) -> None:
    """A value, an object or the order of what was said makes another plan."""
    bike, other = new(BIKE, 1), new(BIKE, 2)
    first, second = hset(bike, "note", "a"), hset(bike, "note", "b")
    born = [create(bike), create(other)]
    shown = planned([*born, first, second], {}, placeholders=True)
    changed = {
        "value": [first, hset(bike, "note", "c")],
        "object": [first, hset(other, "note", "b")],
        "order": [second, first],
    }[differs]
    assert not planned([*born, *changed], {}).sends(shown)
    assert planned([*born, first, second], {}).sends(shown)


def test_a_plan_that_stands_on_another_reply_is_another_one() -> None:
    """What the plan stands on is a part of it."""

    def plan(old: str | None) -> Plan:
        there = {("SISMEMBER", ":bike:collection", "9"): 1, ("HGET", ":bike:9:hash", "color"): old}
        return planned([hset(stored(BIKE, "9"), "color", "x")], there)

    assert [True, False] == [plan("red").sends(plan("red")), plan("red").sends(plan("x"))]


def test_what_was_stored_elsewhere_is_not_filled() -> None:
    """Read back from JSON, from a pickle, or copied, a placeholder is text: such a plan is another one."""
    bike = new(BIKE, 1)
    shown = planned(said(bike), UNIQUE, placeholders=True)
    assert shown == Plan.from_json(shown.to_json())
    key = shown.steps[0].call[1]
    assert [str, str] == [type(pickle.loads(pickle.dumps(key))), type(copy.deepcopy(key))]
    sent = planned(said(bike), UNIQUE)
    assert [True, False] == [sent.sends(shown), sent.sends(Plan.from_json(shown.to_json()))]


def test_primary_keys_are_given_in_the_order_said() -> None:
    """The reply of INCRBY is the last number; some objects may get theirs before the others."""
    journal = Journal()
    bikes = [new(BIKE, number) for number in (1, 2, 3)]
    person = new(PERSON, 1)
    for identity in (bikes[0], person, bikes[1], bikes[2]):
        journal.add(create(identity))
    counters = journal.counters(bikes[1:2])
    journal.allocate(counters, [4], bikes[1:2])
    assert [("SCARD", ":bike:collection"), ("INCRBY", ":bike:max_pk", "1")] == list(counting(counters))
    counters = journal.counters()
    assert ((BIKE, 2), (PERSON, 1)) == counters
    journal.allocate(counters, [9, None])
    assert ["8", "4", "9", None] == [identity.pk for identity in (*bikes, person)]
    assert [person] == [life.identity for life in journal.placeholders()]
    assert bikes[2] is journal.with_pk(BIKE, "9").identity


def test_a_planner_is_gone_with_its_planning() -> None:
    """Nothing it holds refers back to it: without the collector none survives."""
    journal = Journal()
    bike = stored(BIKE, "1")
    journal.add(hset(bike, "name", "x"))
    gc.disable()
    try:
        planner = Planner(journal, Rehearsal(10, seed=1), Limits())
        kept = weakref.ref(planner)
        turns = planner.turns()
        fetch = next(turns)
        replies = {"HGET": "old", "SISMEMBER": 1, "SMEMBERS": []}
        with pytest.raises(StopIteration):
            turns.send([replies[question.call[0]] for question in fetch.questions])
        del planner, turns
        assert None is kept()
    finally:
        gc.enable()
