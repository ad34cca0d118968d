"""Nothing is written to an object that is not there, and nothing is created twice; both are watched."""

import pytest

from tests.planner.stage import (
    BIKE,
    ENDING,
    SHOP,
    THERE,
    create,
    delete,
    hset,
    new,
    planned,
    sadd,
    steps,
    stored,
    write,
)
from uowredis.commands.changes import Added, Computed, Replaced
from uowredis.commands.commands import WriteCommand
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import DoesNotExist, UniquenessError

LOOKED_UP = ("SISMEMBER", ":bike:collection", "1")
SHOP_LOOKED_UP = ("SISMEMBER", ":shop:collection", "x")
OLD_CITY = ("HGET", ":shop:x:hash", "city")


def chosen(pk: str) -> Identity:
    """Return a handle of a shop that is being created with the primary key *pk*."""
    return Identity(SHOP, pk, State.CREATED, 1)


MISSING: dict[str, tuple[WriteCommand, dict[tuple[str, ...], object]]] = {
    "an indexed field": (hset(stored(BIKE, "1"), "color", "blue"), {("HGET", ":bike:1:hash", "color"): None}),
    "a plain field": (hset(stored(BIKE, "1"), "note", "x"), {}),
    "members": (sadd(stored(BIKE, "1"), "tags", "x"), {}),
    "a computed value": (
        write(stored(BIKE, "1"), "price", Computed(fallible=True), "INCRBY", "1"),
        {("GET", ":bike:1:price"): None},
    ),
    "a unique value": (
        hset(stored(BIKE, "1"), "name", "city"),
        {("HGET", ":bike:1:hash", "name"): None, ("SMEMBERS", ":bike:name:city"): []},
    ),
    "a deletion": (delete(stored(BIKE, "1")), ENDING),
}


@pytest.mark.parametrize("said", MISSING)
def test_a_missing_object_refuses_the_plan(said: str) -> None:
    """Whatever is said of it; the error names the object and where it was looked for."""
    command, answers = MISSING[said]
    with pytest.raises(DoesNotExist) as caught:
        planned([command], answers | {LOOKED_UP: 0})
    assert "Bike <1> does not exist (its pk is not in ':bike:collection'); nothing was written" == str(caught.value)


def test_the_missing_one_of_many_is_named() -> None:
    """All objects of a model are looked up by one command; the reply is read by place."""
    said = [hset(stored(BIKE, pk), "note", "x") for pk in ("1", "2", "3")]
    looked_up = ("SMISMEMBER", ":bike:collection", "1", "2", "3")
    assert 3 == len(planned(said, {looked_up: [1, 1, 1]}))
    with pytest.raises(DoesNotExist, match="Bike <2> does not exist"):
        planned(said, {looked_up: [1, 0, 1]})


def test_each_model_is_looked_up_in_its_own_collection() -> None:
    """One of another model with the same primary key is another object."""
    said = [hset(stored(BIKE, "x"), "note", "n"), hset(stored(SHOP, "x"), "city", "Bern")]
    answers = {("SISMEMBER", ":bike:collection", "x"): 1, OLD_CITY: None}
    assert 3 == len(planned(said, answers | {SHOP_LOOKED_UP: 1}))
    with pytest.raises(DoesNotExist, match="Shop <x> does not exist"):
        planned(said, answers | {SHOP_LOOKED_UP: 0})


def test_presence_is_watched_by_the_guard_key_of_the_object() -> None:
    """Never by the set of all primary keys, which every creation changes."""
    plan = planned([hset(stored(BIKE, "1"), "note", "x")], THERE)
    assert (":bike:__guard__:1",) == plan.watched
    assert [("HSET", ":bike:1:hash", "note", "x")] == steps(plan)


def test_only_creations_with_a_chosen_pk_and_deletions_touch_guard_keys() -> None:
    """All are touched at once, in the transaction, which aborts whoever watches one; an update touches none."""
    gone, made, counted, changed = stored(BIKE, "1"), chosen("x"), new(BIKE, 1), stored(BIKE, "2")
    answers = {call: reply for call, reply in ENDING.items() if call != LOOKED_UP} | {
        ("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1],
        SHOP_LOOKED_UP: 0,
    }
    said = [delete(gone), create(made, city="Rome"), create(counted, note="n"), hset(changed, "note", "m")]
    plan = planned(said, answers, first_pk=7)
    assert [
        ("MSET", ":bike:__guard__:1", ":bike:__guard__:1", ":shop:__guard__:x", ":shop:__guard__:x"),
        ("DEL", ":bike:__guard__:1", ":shop:__guard__:x"),
    ] == [call for call in steps(plan) if "__guard__" in call[1]]
    assert {":bike:__guard__:1", ":bike:__guard__:2", ":shop:__guard__:x"} == {
        key for key in plan.watched if "__guard__" in key
    }


def test_a_chosen_pk_that_is_taken_refuses_the_plan() -> None:
    """The error names model and primary key, and the way out; its parts are attributes."""
    with pytest.raises(UniquenessError) as caught:
        planned([create(chosen("x"), city="Rome")], {SHOP_LOOKED_UP: 1})
    error = caught.value
    assert (
        "Key :shop:collection already holds the primary key 'x' of Shop; choose another, or get it with Shop('x')"
        == str(error)
    )
    assert ("pk", "x", ":shop:collection", "x") == (error.field, error.value, error.key, error.pk)


def test_the_taken_one_of_many_is_named() -> None:
    """New objects are looked up together, too."""
    said = [create(chosen(pk), city="Rome") for pk in ("x", "y")]
    with pytest.raises(UniquenessError, match="already holds the primary key 'y' of Shop"):
        planned(said, {("SMISMEMBER", ":shop:collection", "x", "y"): [0, 1]})


def test_an_object_that_is_only_its_pk_is_looked_up() -> None:
    """A creation without any value is a creation."""
    said = [create(chosen("x"))]
    assert [
        ("DEL", ":shop:x:hash"),
        ("SADD", ":shop:collection", "x"),
        ("SET", ":shop:__guard__:x", ""),
        ("DEL", ":shop:__guard__:x"),
    ] == steps(planned(said, {SHOP_LOOKED_UP: 0}))
    with pytest.raises(UniquenessError, match="already holds the primary key 'x'"):
        planned(said, {SHOP_LOOKED_UP: 1})


def test_a_pk_that_is_counted_is_not_looked_up() -> None:
    """Nobody else can know it: neither question nor guard."""
    plan = planned([create(new(BIKE, 1), note="x")], {}, first_pk=4)
    assert [(), ()] == [plan.watched, plan.reads]
    assert [("HSET", ":bike:4:hash", "note", "x"), ("SADD", ":bike:collection", "4")] == steps(plan)


def test_a_pk_is_free_again_after_the_deletion_of_the_same_plan() -> None:
    """What is deleted and created again must have been there; its guard key is touched once."""
    said = [delete(stored(SHOP, "x")), create(chosen("x"), city="Rome")]
    plan = planned(said, {OLD_CITY: None, SHOP_LOOKED_UP: 1})
    assert [("SET", ":shop:__guard__:x", ""), ("DEL", ":shop:__guard__:x")] == steps(plan)[-2:]
    assert [] == [call for call in steps(plan) if call[1] == ":shop:collection"]
    with pytest.raises(DoesNotExist, match="Shop <x> does not exist"):
        planned(said, {OLD_CITY: None, SHOP_LOOKED_UP: 0})


def test_what_is_created_and_deleted_again_must_not_have_been_there() -> None:
    """It leaves nothing, but it was said to be new."""
    made = chosen("x")
    said = [create(made, city="Rome"), delete(made)]
    assert [] == [call for call in steps(planned(said, {SHOP_LOOKED_UP: 0})) if call[0] == "SADD"]
    with pytest.raises(UniquenessError, match="already holds the primary key 'x'"):
        planned(said, {SHOP_LOOKED_UP: 1})


def test_many_objects_are_looked_up_in_parts() -> None:
    """A thousand at once; a missing one of a later part is found as well."""
    pks = [str(number) for number in range(1, 1_002)]
    said = [hset(stored(BIKE, pk), "note", "x") for pk in pks]
    answers = {
        ("SMISMEMBER", ":bike:collection", *pks[:1_000]): [1] * 1_000,
        ("SISMEMBER", ":bike:collection", "1001"): 1,
    }
    assert 1_001 == len(planned(said, answers))
    with pytest.raises(DoesNotExist, match="Bike <1001> does not exist"):
        planned(said, answers | {("SISMEMBER", ":bike:collection", "1001"): 0})


def test_what_nobody_asked_refuses_nothing() -> None:
    """A symbolic plan looks nothing up, and takes what is said at its word."""
    said = [
        create(chosen("x"), city="Rome"),
        sadd(stored(BIKE, "1"), "tags", "a"),
        hset(stored(BIKE, "2"), "note", "x"),
    ]
    plan = planned(said, {}, symbolic=True)
    assert [
        ("DEL", ":shop:x:hash"),
        ("HSET", ":shop:x:hash", "city", "Rome"),
        ("SADD", ":bike:1:tags", "a"),
        ("HSET", ":bike:2:hash", "note", "x"),
    ] == steps(plan)[:4]


def test_two_handles_of_one_object_are_looked_up_once() -> None:
    """What is said through either is said of the same object."""
    said = [
        hset(stored(BIKE, "1"), "note", "x"),
        write(stored(BIKE, "1"), "tags", Added(("a",)), "SADD", "a"),
        write(stored(BIKE, "1"), "wheels", Replaced((("", "3"),)), "SET", "3"),
    ]
    assert [("SISMEMBER", ":bike:collection", "1")] == [call for call, _ in planned(said, THERE).reads]
