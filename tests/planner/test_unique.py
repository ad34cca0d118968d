"""A unique value is claimed by one object, judged on the net result; what that stands on is watched."""

from tests.planner.stage import BIKE, hset, planned, steps, stored


def test_two_objects_swap_a_unique_value() -> None:
    """Uniqueness is judged on the net result: both index keys are watched, both values change hands."""
    answers = {
        ("HGET", ":bike:1:hash", "name"): "mountain",
        ("HGET", ":bike:2:hash", "name"): "city",
        ("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1],
        ("SMEMBERS", ":bike:name:city"): ["2"],
        ("SMEMBERS", ":bike:name:mountain"): ["1"],
    }
    plan = planned([hset(stored(BIKE, "1"), "name", "city"), hset(stored(BIKE, "2"), "name", "mountain")], answers)
    assert (
        ":bike:1:hash",
        ":bike:2:hash",
        ":bike:name:city",
        ":bike:name:mountain",
        ":bike:__guard__:1",
        ":bike:__guard__:2",
    ) == plan.watched
    assert [
        ("HSET", ":bike:1:hash", "name", "city"),
        ("HSET", ":bike:2:hash", "name", "mountain"),
        ("SREM", ":bike:name:city", "2"),
        ("SREM", ":bike:name:mountain", "1"),
        ("SADD", ":bike:name:city", "1"),
        ("SADD", ":bike:name:mountain", "2"),
    ] == steps(plan)
