"""Presence: nothing is written to an object that is not there, nothing is created twice."""

import pytest

from tests.planner.stage import BIKE, SHOP, create, delete, hset, planned, steps, stored
from uowredis import DoesNotExist, UniquenessError
from uowredis.commands.identity import Identity, State

RED = {("HGET", ":bike:1:hash", "color"): "red"}


def shop(pk: str = "x") -> Identity:
    return Identity(SHOP, pk, State.CREATED, 1)


def test_an_object_that_is_not_there_is_refused() -> None:
    """Whatever is said of it but its creation: the error names the object and where it was looked up."""
    with pytest.raises(DoesNotExist, match=r"Bike <1> does not exist \(its pk is not in ':bike:collection'\)"):
        planned([hset(stored(BIKE, "1"), "color", "blue")], RED | {("SISMEMBER", ":bike:collection", "1"): 0})


def test_one_of_several_is_missing() -> None:
    """Objects of a model are looked up at once, and the one that is missing is named."""
    said = [hset(stored(BIKE, pk), "note", "n") for pk in ("1", "2", "3")]
    with pytest.raises(DoesNotExist, match="Bike <2> does not exist"):
        planned(said, {("SMISMEMBER", ":bike:collection", "1", "2", "3"): [1, 0, 1]})


def test_deleting_what_is_not_there_is_refused() -> None:
    """A deletion relies on its object, too."""
    answers = {("SISMEMBER", ":shop:collection", "x"): 0, ("HGET", ":shop:x:hash", "city"): None}
    with pytest.raises(DoesNotExist, match="Shop <x> does not exist"):
        planned([delete(stored(SHOP, "x"))], answers)


def test_a_chosen_pk_that_is_taken_is_refused() -> None:
    """The error carries the pk, and the set in which it was found."""
    with pytest.raises(UniquenessError, match="already holds the primary key 'x' of Shop") as caught:
        planned([create(shop(), city="Rome")], {("SISMEMBER", ":shop:collection", "x"): 1})
    assert ("pk", "x", ":shop:collection", "x") == (
        caught.value.field,
        caught.value.value,
        caught.value.key,
        caught.value.pk,
    )


def test_a_chosen_pk_is_watched_by_its_guard_key_which_its_creation_touches() -> None:
    """Another creation, or a deletion, aborts it; the set of all primary keys is not watched."""
    plan = planned([create(shop(), city="Rome")], {("SISMEMBER", ":shop:collection", "x"): 0})
    assert (":shop:__guard__:x",) == plan.watched
    assert [("SET", ":shop:__guard__:x", ""), ("DEL", ":shop:__guard__:x")] == steps(plan)[-2:]


def test_an_update_watches_the_guard_key_and_leaves_it_alone() -> None:
    """Who only relies on presence must not abort others."""
    plan = planned([hset(stored(BIKE, "1"), "note", "n")], {("SISMEMBER", ":bike:collection", "1"): 1})
    assert (":bike:__guard__:1",) == plan.watched
    assert [("HSET", ":bike:1:hash", "note", "n")] == steps(plan)
