"""Values: every index says what its field says, whatever the index said before."""

import pytest

from tests.planner.stage import BIKE, hset, planned, put, sadd, steps, stored, write
from uowredis import Rejected
from uowredis.commands.changes import Computed, Removed

THERE = {("SISMEMBER", ":bike:collection", "1"): 1}
BIKE_1 = stored(BIKE, "1")


def test_what_the_index_must_forget_is_what_the_field_holds() -> None:
    """Not what the session said before, nor what another client left in the index: the field is read under watch."""
    said = [hset(BIKE_1, "color", "green"), hset(BIKE_1, "color", "blue")]
    plan = planned(said, THERE | {("HGET", ":bike:1:hash", "color"): "red"})
    assert [("SREM", ":bike:color:red", "1"), ("SADD", ":bike:color:blue", "1")] == steps(plan)[2:]
    assert ":bike:1:hash" in plan.watched


@pytest.mark.parametrize(("held", "left"), [(None, []), ("red", [("SREM", ":bike:color:red", "1")])])
def test_what_is_deleted_leaves_its_index(held: str | None, left: list[tuple[str, ...]]) -> None:
    """Where the field held nothing there is nothing to leave."""
    said = [write(BIKE_1, "color", Removed(("color",)), "HDEL", "color")]
    assert left == steps(planned(said, THERE | {("HGET", ":bike:1:hash", "color"): held}))[1:]


def test_members_named_are_not_read_where_the_changes_tell_all() -> None:
    """Adding and removing members of a set needs no look at the set."""
    said = [sadd(BIKE_1, "tags", "new", "both"), write(BIKE_1, "tags", Removed(("both", "old")), "SREM", "both", "old")]
    plan = planned(said, THERE)
    assert [
        ("SREM", ":bike:tags:both", "1"),
        ("SREM", ":bike:tags:old", "1"),
        ("SADD", ":bike:tags:new", "1"),
    ] == steps(plan)[2:]


def test_a_computed_value_is_tried_on_what_is_there() -> None:
    """What INCRBY will leave is found by the rehearsal, on the value that is watched."""
    said = [write(BIKE_1, "price", Computed(fallible=True), "INCRBY", "5")]
    plan = planned(said, THERE | {("GET", ":bike:1:price"): "7"})
    assert [("SREM", ":bike:price:7", "1"), ("SADD", ":bike:price:12", "1")] == steps(plan)[1:]
    assert ":bike:1:price" in plan.watched


@pytest.mark.parametrize("field", ["price", "wheels"])
def test_a_command_that_would_fail_refuses_the_plan(field: str) -> None:
    """With an index or without: EXEC would not undo the others, so nothing is sent."""
    said = [put(BIKE_1, "price", "1"), write(BIKE_1, field, Computed(fallible=True), "INCRBY", "1")]
    said = said[1:] if field == "price" else said
    answers = THERE | {("GET", ":bike:1:price"): "x" if field == "price" else None}
    if field == "wheels":
        answers |= {("GET", ":bike:1:wheels"): "x"}
    with pytest.raises(Rejected, match=rf"Bike <1>.{field}.incr would fail: .*not an integer.*nothing was sent"):
        planned(said, answers)
