"""A counter of primary keys that is behind the objects that are there counts none that is taken."""

import pytest

from tests.planner.stage import BIKE, create, new, planned
from uowredis.exceptions import Rejected


def test_a_counter_that_is_right_looks_nothing_up() -> None:
    """As many objects as were counted before: nothing else is asked."""
    plan = planned([create(new(BIKE, 1), color="red")], {}, first_pk=4, there=3)
    assert ("HSET", ":bike:4:hash", "color", "red") in plan.calls()


def test_what_is_free_is_taken() -> None:
    """More objects than were counted, imported ones for example: the new keys are looked up, and are free."""
    plan = planned(
        [create(new(BIKE, 1), color="red"), create(new(BIKE, 2), color="blue")],
        {("SMISMEMBER", ":bike:collection", "3", "4"): [0, 0]},
        first_pk=3,
        there=3,
    )
    assert ("HSET", ":bike:4:hash", "color", "blue") in plan.calls()
    assert ("SMISMEMBER", ":bike:collection", "3", "4") in plan.calls()
    assert 3 == plan.round_trips


def test_what_is_taken_is_refused() -> None:
    """The first that is taken is named, with the counter and the way out."""
    bikes = [new(BIKE, 1), new(BIKE, 2)]
    with pytest.raises(Rejected) as caught:
        planned(
            [create(bike, color="red") for bike in bikes],
            {("SMISMEMBER", ":bike:collection", "1", "2"): [0, 1]},
            there=1,
        )
    assert (
        "':bike:max_pk' counts primary keys of Bike that are there already, '2' for one: the counter was lost, or "
        "objects were imported without it; nothing was written. Way out: SET it to the highest one, which SORT "
        ":bike:collection LIMIT 0 1 DESC tells" == str(caught.value)
    )
    assert [None, None] == [bike.pk for bike in bikes]


def test_many_are_looked_up_in_parts() -> None:
    """At most a thousand in a call."""
    first = ("SMISMEMBER", ":bike:collection", *map(str, range(1, 1_001)))
    second = ("SMISMEMBER", ":bike:collection", *map(str, range(1_001, 1_501)))
    plan = planned(
        [create(new(BIKE, number), color="red") for number in range(1, 1_501)],
        {first: [0] * 1_000, second: [0] * 500},
        there=1,
    )
    assert [first, second] == [call for call in plan.calls() if call[0] == "SMISMEMBER"]
