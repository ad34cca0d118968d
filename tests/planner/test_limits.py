"""Large plans: guards that go as a script, and what is refused with the way out."""

import pytest

from tests.planner.stage import BIKE, create, hset, new, planned, sadd, steps, stored
from uowredis.commands.calls import Call
from uowredis.exceptions import PlanTooLarge, TooManyGuards
from uowredis.plan import Plan, script
from uowredis.planner import Limits

UPDATES = [hset(stored(BIKE, str(pk)), "color", "blue") for pk in (1, 2, 3)]
ANSWERS = {("HGET", f":bike:{pk}:hash", "color"): color for pk, color in ((1, "red"), (2, None), (3, "red"))} | {
    ("SMISMEMBER", ":bike:collection", "1", "2", "3"): [1, 1, 1]
}


def large() -> Plan:
    return planned(UPDATES, ANSWERS, limits=Limits(watched=3))


def test_more_guards_than_the_limit_go_as_a_script() -> None:
    """Above the bound nothing is watched: one EVAL carries the replies to compare, then the steps."""
    plan = large()
    assert plan.scripted
    assert () == plan.watched
    (call,) = plan.transaction
    keys = (":bike:1:hash", ":bike:2:hash", ":bike:3:hash", ":bike:collection")
    written = (":bike:1:hash", ":bike:2:hash", ":bike:3:hash", ":bike:color:red", ":bike:color:blue")
    assert ("EVAL", script.APPLY, "9", *keys, *written) == call[:12]
    guards = ["2", "one", "HGET", "1", "color", "3", "$red", "-", "$red"]
    guards += ["list", "SMISMEMBER", "3", "1", "2", "3", "1", "3", ":1", ":1", ":1"]
    applied = ["3", "HSET", "1", "2", "3"] + 3 * ["color", "blue"]
    applied += ["SREM", "1", "2", "1", "1", "3", "SADD", "1", "3", "1", "1", "2", "3"]
    assert ["", *guards, *applied] == list(call[12:])


def test_a_scripted_plan_on_paper() -> None:
    """A script prints with its steps; it says what it compares."""
    assert [
        "plan: 3 Bike changed; 2 round trips; atomic, idempotent",
        "  before: Bike.color             HGET :bike:1:hash color           -> red",
        "  before: Bike.color             HGET :bike:2:hash color           -> (nil)",
        "  before: Bike.color             HGET :bike:3:hash color           -> red",
        "  guard: Bike is there           SMISMEMBER :bike:collection 1 2 3 -> [1, 1, 1]",
        "                                 EVAL: a script compares the 4 replies above, then applies",
        "  said: Bike <1>.color.hset      HSET :bike:1:hash color blue",
        "  said: Bike <2>.color.hset      HSET :bike:2:hash color blue",
        "  said: Bike <3>.color.hset      HSET :bike:3:hash color blue",
        "  effect: index Bike.color, old  SREM :bike:color:red 1 3",
        "  effect: index Bike.color, new  SADD :bike:color:blue 1 2 3",
        "                                 end of EVAL",
    ] == str(large()).splitlines()


def test_the_bound_itself_is_still_watched() -> None:
    """Three objects need six watches: their hashes and their guard keys."""
    plan = planned(UPDATES, ANSWERS, limits=Limits(watched=6))
    assert not plan.scripted
    assert 6 == len(plan.watched)
    assert planned(UPDATES, ANSWERS, limits=Limits(watched=5)).scripted


def test_without_a_bound_all_is_watched() -> None:
    """The embedded server bears any number of watches."""
    assert not planned(UPDATES, ANSWERS, limits=Limits(watched=None, scripts=False)).scripted


def test_a_script_without_scripting_is_refused() -> None:
    """Where scripts are off the bound refuses the plan, before anything was asked."""
    with pytest.raises(TooManyGuards, match=r"more than 3 keys .* Way out: commit in batches"):
        planned(UPDATES, {}, limits=Limits(watched=3, scripts=False))


def test_one_call_of_a_script_has_few_arguments() -> None:
    """Lua cannot unpack long calls: effects are split, what was said and is too long is refused."""
    many = script.MOST_ARGUMENTS + 1
    said = [create(new(BIKE, number), color="red") for number in range(1, many + 1)]
    plan = planned([*said, *UPDATES], ANSWERS, limits=Limits(watched=3), first_pk=10)
    added = [call for call in steps(plan) if call[:2] == ("SADD", ":bike:color:red")]
    assert [script.MOST_ARGUMENTS, 1] == [len(call) - 2 for call in added]
    bike = stored(BIKE, "1")
    too_long = sadd(bike, "tags", *map(str, range(many)))
    with pytest.raises(TooManyGuards, match="too large for one script"):
        planned([*UPDATES, too_long], ANSWERS, limits=Limits(watched=3))


def test_a_merged_effect_is_one_call_outside_of_scripts() -> None:
    """MULTI needs no splitting: entries in one index key are one SADD."""
    said = [create(new(BIKE, number), color="red") for number in range(1, script.MOST_ARGUMENTS + 3)]
    added = [call for call in steps(planned(said, {})) if call[:2] == ("SADD", ":bike:color:red")]
    assert [script.MOST_ARGUMENTS + 2] == [len(call) - 2 for call in added]


@pytest.mark.parametrize("limit", [4, 2])
def test_a_plan_above_the_limit_is_refused(limit: int) -> None:
    """PlanTooLarge names both numbers and the way out, whether what is said is too much or what follows from it."""
    with pytest.raises(PlanTooLarge, match=rf"the limit is {limit}; .* Way out: commit in batches"):
        planned(UPDATES, ANSWERS, limits=Limits(steps=limit))


def test_a_plan_at_the_limit_is_planned() -> None:
    """The limit is a number of steps that is allowed."""
    assert 5 == len(planned(UPDATES, ANSWERS, limits=Limits(steps=5)))


@pytest.mark.parametrize(("steps", "trips"), [(1, 2), (1_000, 2), (1_001, 3)])
def test_the_head_counts_round_trips(steps: int, trips: int) -> None:
    """A fetch is one, MULTI to EXEC another; above a chunk EXEC goes alone."""
    bike = stored(BIKE, "1")
    said = [hset(bike, "note", str(number)) for number in range(steps)]
    there: dict[Call, int] = {("SISMEMBER", ":bike:collection", "1"): 1}
    plan = planned(said, there)
    assert trips == plan.round_trips
    assert f"; {trips} round trips; " in str(plan).splitlines()[0]
