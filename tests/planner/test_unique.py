"""Uniqueness: no two instances hold one value of a unique field, judged on the net result."""

from typing import Any

import pytest

from tests.planner.stage import BIKE, create, delete, hset, model, new, planned, sadd, steps, stored, write
from uowredis import UniquenessError
from uowredis.commands.changes import Added, Removed
from uowredis.plan import Plan
from uowredis.schema.models import FieldSchema, Kind

THERE = {("SISMEMBER", ":bike:collection", "1"): 1}
BOTH = {("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1]}
#: Of every kind with many values.
TEAM = model(
    "Team",
    FieldSchema("players", Kind.SET, indexed=True, unique=True),
    FieldSchema("bench", Kind.LIST, indexed=True, unique=True),
    FieldSchema("scores", Kind.SORTED_SET, indexed=True, unique=True),
)


def name(pk: str, held: str | None) -> dict[tuple[str, ...], Any]:
    return {("HGET", f":bike:{pk}:hash", "name"): held}


def holder(value: str, *pks: str) -> dict[tuple[str, ...], Any]:
    return {("SMEMBERS", f":bike:name:{value}"): list(pks)}


def test_a_value_that_another_holds_is_refused() -> None:
    """The error carries field, value, key and holder; the note has the way out."""
    answers = THERE | name("1", "old") | holder("taken", "9")
    with pytest.raises(UniquenessError, match=r"^Key :bike:name:taken already exists \(for instance 9\)") as caught:
        planned([hset(stored(BIKE, "1"), "name", "taken")], answers)
    error = caught.value
    assert ("name", "taken", ":bike:name:taken", "9") == (error.field, error.value, error.key, error.pk)
    assert "Bike.get(name='taken')" in error.__notes__[0]


def test_a_new_object_with_a_taken_value_is_refused() -> None:
    """A constructor claims as any command does."""
    with pytest.raises(UniquenessError, match="for instance 9"):
        planned([create(new(BIKE, 1), name="taken")], holder("taken", "9"))


def test_two_claims_of_one_value_in_one_session_are_refused_before_anything_is_asked() -> None:
    """Nobody is asked for what cannot be."""
    said = [create(new(BIKE, 1), name="same"), create(new(BIKE, 2), name="same")]
    with pytest.raises(UniquenessError, match="<Bike 1> of the same session"):
        planned(said, {})


def test_an_object_may_claim_what_it_holds() -> None:
    """Its own entry is no other's."""
    plan = planned([hset(stored(BIKE, "1"), "name", "mine")], THERE | name("1", "mine") | holder("mine", "1"))
    assert [("HSET", ":bike:1:hash", "name", "mine")] == steps(plan)


@pytest.mark.parametrize("first", ["release", "claim"])
def test_a_value_released_by_the_same_plan_may_be_claimed(first: str) -> None:
    """In either order: what counts is what will be."""
    one, two = stored(BIKE, "1"), stored(BIKE, "2")
    said = [hset(one, "name", "free"), hset(two, "name", "mine")]
    answers = BOTH | name("1", "mine") | name("2", "other") | holder("free") | holder("mine", "1")
    if first == "claim":
        said.reverse()
        answers[("SMISMEMBER", ":bike:collection", "2", "1")] = answers.pop(
            ("SMISMEMBER", ":bike:collection", "1", "2")
        )
    plan = planned(said, answers)
    assert ("SADD", ":bike:name:mine", "2") in steps(plan)
    assert ("SREM", ":bike:name:mine", "1") in steps(plan)


def test_the_holder_is_deleted_by_the_same_plan() -> None:
    """A deletion releases what its object holds."""
    answers = {
        ("SISMEMBER", ":bike:collection", "1"): 1,
        **name("1", "mine"),
        ("HGET", ":bike:1:hash", "color"): None,
        ("GET", ":bike:1:price"): None,
        ("SMEMBERS", ":bike:1:tags"): [],
        ("LRANGE", ":bike:1:stages", "0", "-1"): [],
        ("HGETALL", ":bike:1:parts"): [],
        ("ZRANGE", ":bike:1:races", "0", "-1", "WITHSCORES"): [],
        **holder("mine", "1"),
    }
    plan = planned([delete(stored(BIKE, "1")), create(new(BIKE, 1), name="mine")], answers, first_pk=5)
    assert ("SADD", ":bike:name:mine", "5") in steps(plan)


def test_a_claim_that_is_not_kept_is_not_judged() -> None:
    """What is claimed and given up again in the same plan takes nothing from its holder."""
    bike = stored(BIKE, "1")
    said = [hset(bike, "name", "taken"), write(bike, "name", Removed(("name",)), "HDEL", "name")]
    plan = planned(said, THERE | name("1", "old"))
    assert ("SREM", ":bike:name:old", "1") in steps(plan)
    assert not [call for call in steps(plan) if call[:2] == ("SADD", ":bike:name:taken")]


def plan_of_members(kind: str, held: list[str]) -> Plan:
    command = {"players": "SADD", "bench": "RPUSH", "scores": "ZADD"}[kind]
    args = ("1", "ann") if kind == "scores" else ("ann",)
    said = [write(stored(TEAM, "1"), kind, Added(("ann",)), command, *args)]
    answers = {("SISMEMBER", ":team:collection", "1"): 1, ("SMEMBERS", f":team:{kind}:ann"): held}
    return planned(said, answers)


@pytest.mark.parametrize("kind", ["players", "bench", "scores"])
def test_members_of_a_unique_field_belong_to_one_instance(kind: str) -> None:
    """Each member is a claim of its own: refused where another holds it, taken where nobody does."""
    with pytest.raises(UniquenessError, match="for instance 2"):
        plan_of_members(kind, ["2"])
    assert ("SADD", f":team:{kind}:ann", "1") in steps(plan_of_members(kind, []))
    assert f":team:{kind}:ann" in plan_of_members(kind, []).watched


def test_two_new_members_of_one_session_are_two_claims() -> None:
    """Two teams cannot take one player in one session."""
    with pytest.raises(UniquenessError, match="of the same session"):
        planned([sadd(stored(TEAM, "1"), "players", "ann"), sadd(stored(TEAM, "2"), "players", "ann")], {})
