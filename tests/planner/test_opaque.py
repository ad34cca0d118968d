"""What only the server could decide is decided here where an index depends on it, and sent as such."""

import pytest

from tests.planner.stage import BIKE, planned, steps, stored, write
from uowredis.commands.changes import Computed, Opaque
from uowredis.exceptions import Rejected

THERE = {("SISMEMBER", ":bike:collection", "1"): 1}


def test_spop_is_sent_as_srem() -> None:
    """SPOP on an indexed set removes the members that were drawn under watch, and only these leave the index."""
    plan = planned(
        [write(stored(BIKE, "1"), "tags", Opaque(), "SPOP", "2")],
        THERE | {("SMEMBERS", ":bike:1:tags"): ["a", "b", "c"]},
    )
    (name, key, *drawn), *effects = steps(plan)
    assert ("SREM", ":bike:1:tags", 2) == (name, key, len(set(drawn) & {"a", "b", "c"}))
    assert [("SREM", f":bike:tags:{member}", "1") for member in sorted(drawn)] == effects
    assert (":bike:1:tags", ":bike:__guard__:1") == plan.watched
    assert ["said: Bike <1>.tags.spop", "effect: index Bike.tags, old", "effect: index Bike.tags, old"] == [
        step.reason for step in plan
    ]


def test_spop_of_more_than_there_is_empties_the_set() -> None:
    """Asked for more than there is, all is drawn."""
    plan = planned(
        [write(stored(BIKE, "1"), "tags", Opaque(), "SPOP", "5")], THERE | {("SMEMBERS", ":bike:1:tags"): ["b", "a"]}
    )
    assert {"a", "b"} == set(steps(plan)[0][2:])


def test_the_draw_does_not_depend_on_the_order_of_the_reply() -> None:
    """A set's members come in any order; the plan that was shown and the plan that is sent draw the same."""
    said = [write(stored(BIKE, "1"), "tags", Opaque(), "SPOP")]
    plans = [
        planned(said, THERE | {("SMEMBERS", ":bike:1:tags"): members})
        for members in (["a", "b", "c", "d"], ["d", "b", "c", "a"])
    ]
    assert steps(plans[0]) == steps(plans[1])


def test_spop_of_nothing_sends_nothing() -> None:
    """Where nothing is drawn there is nothing to send; the plan says so."""
    plan = planned([write(stored(BIKE, "1"), "tags", Opaque(), "SPOP")], THERE | {("SMEMBERS", ":bike:1:tags"): []})
    assert [] == steps(plan)
    assert () == plan.transaction
    assert "plan: Bike <1> changed; 1 round trip; nothing to send" == str(plan).splitlines()[0]


@pytest.mark.parametrize(
    ("old", "amount", "expected"),
    [
        (None, "0.5", "0.5"),
        ("0.1", "0.2", "0.3"),
        ("2.5", "0.5", "3"),
        ("3", "-3", "0"),
        ("1e3", "1", "1001"),
        ("10", "1e-3", "10.001"),
    ],
)
def test_a_float_increment_is_sent_as_a_set(old: str | None, amount: str, expected: str) -> None:
    """INCRBYFLOAT on an indexed string is a SET of the canonical sum that keeps the time to live."""
    said = [write(stored(BIKE, "1"), "price", Opaque(fallible=True), "INCRBYFLOAT", amount)]
    plan = planned(said, THERE | {("GET", ":bike:1:price"): old})
    forgotten = [] if old is None else [("SREM", f":bike:price:{old}", "1")]
    assert [
        ("SET", ":bike:1:price", expected, "KEEPTTL"),
        *forgotten,
        ("SADD", f":bike:price:{expected}", "1"),
    ] == steps(plan)


def test_a_float_increment_in_a_hash_is_sent_as_hset() -> None:
    """HINCRBYFLOAT on an indexed hash is a HSET of the sum, decided on the one entry that it names."""
    said = [write(stored(BIKE, "1"), "parts", Opaque(("bell",), fallible=True), "HINCRBYFLOAT", "bell", "0.2")]
    plan = planned(said, THERE | {("HGET", ":bike:1:parts", "bell"): "0.1"})
    assert [
        ("HSET", ":bike:1:parts", "bell", "0.3"),
        ("SREM", ":bike:parts:bell:0.1", "1"),
        ("SADD", ":bike:parts:bell:0.3", "1"),
    ] == steps(plan)


def test_without_index_the_real_command_is_sent() -> None:
    """INCRBYFLOAT on a field without index goes as said; that it does not fail is tried on the watched value."""
    said = [write(stored(BIKE, "1"), "wheels", Opaque(fallible=True), "INCRBYFLOAT", "0.5")]
    plan = planned(said, THERE | {("GET", ":bike:1:wheels"): "1"})
    assert [("INCRBYFLOAT", ":bike:1:wheels", "0.5")] == steps(plan)
    assert (":bike:1:wheels", ":bike:__guard__:1") == plan.watched


@pytest.mark.parametrize(
    ("change", "name", "amount", "old"),
    [
        (Computed(fallible=True), "INCRBY", "1", "three"),
        (Computed(fallible=True), "INCRBY", "1", str(2**63 - 1)),
        (Opaque(fallible=True), "INCRBYFLOAT", "1", "three"),
    ],
)
@pytest.mark.parametrize("field", ["price", "wheels"])
def test_what_would_fail_is_refused(field: str, change: Computed, name: str, amount: str, old: str) -> None:
    """A command that Redis would refuse for what it meets makes no plan, with index or without."""
    said = [write(stored(BIKE, "1"), field, change, name, amount)]
    with pytest.raises(Rejected, match=f"Bike <1>.{field}.incr.* would fail"):
        planned(said, THERE | {("GET", f":bike:1:{field}"): old})
