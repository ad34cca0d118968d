"""A unique value is claimed by one object, judged on the net result; what that stands on is watched."""

from typing import Any

import pytest

from tests.planner.stage import (
    BIKE,
    ENDING,
    HOT,
    THERE,
    create,
    delete,
    hset,
    model,
    new,
    planned,
    put,
    sadd,
    steps,
    stored,
    write,
)
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Computed, Removed
from uowredis.exceptions import UniquenessError
from uowredis.schema.models import FieldSchema, Kind


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


#: A set, a list and a sorted set whose members are unique, a number and an entry of the hash that are.
TICKET = model(
    "Ticket",
    FieldSchema("seats", Kind.SET, indexed=True, unique=True),
    FieldSchema("queue", Kind.LIST, indexed=True, unique=True),
    FieldSchema("ranks", Kind.SORTED_SET, indexed=True, unique=True),
    FieldSchema("number", Kind.STRING, indexed=True, unique=True),
    FieldSchema("code", Kind.ENTRY, indexed=True, unique=True),
)
TICKET_THERE = {("SISMEMBER", ":ticket:collection", "1"): 1}
BOTH_THERE = {("SMISMEMBER", ":ticket:collection", "1", "2"): [1, 1]}


def held(call: Call, reply: Any = None, *, there: int = 1) -> dict[Call, Any]:
    """Return what is answered where object 2 is asked for what it holds, *there* or not."""
    name = call[1].split(":")[1]
    return {call: reply, ("SISMEMBER", f":{name}:collection", "2"): there}


def test_a_value_that_another_holds_is_refused() -> None:
    """The text is the documented one; field, value, key and holder are attributes, the way out stands in a note."""
    answers = THERE | {("HGET", ":bike:1:hash", "name"): "mountain", ("SMEMBERS", ":bike:name:city"): ["2"]}
    with pytest.raises(UniquenessError) as caught:
        planned([hset(stored(BIKE, "1"), "name", "city")], answers | held(("HGET", ":bike:2:hash", "name"), "city"))
    error = caught.value
    assert "Key :bike:name:city already exists (for instance 2)" == str(error)
    assert ("name", "city", ":bike:name:city", "2") == (error.field, error.value, error.key, error.pk)
    assert [
        "Bike.name is unique and Bike <1> claims 'city'; nothing was written. Way out: another value, or "
        "Bike.get(name='city') for the instance that has it"
    ] == error.__notes__


@pytest.mark.parametrize("alone", [True, False], ids=["of a constructor alone", "and said later"])
def test_a_new_object_that_claims_what_another_holds_is_refused(alone: bool) -> None:
    """Whether its values are those of the constructor, or what was said of it afterwards."""
    bike = new(BIKE, 1)
    said = [create(bike, name="city")] if alone else [create(bike, color="red"), hset(bike, "name", "city")]
    free = planned(said, {("SMEMBERS", ":bike:name:city"): []}, first_pk=7)
    assert ("SADD", ":bike:name:city", "7") in steps(free)
    bike.pk = None
    with pytest.raises(UniquenessError, match=r"Key :bike:name:city already exists \(for instance 2\)"):
        planned(
            said, {("SMEMBERS", ":bike:name:city"): ["2"]} | held(("HGET", ":bike:2:hash", "name"), "city"), first_pk=7
        )


def test_an_entry_of_ones_own_pk_is_not_ones_own_where_the_object_is_new() -> None:
    """What an index says of the number that a new object gets was said of another."""
    with pytest.raises(UniquenessError, match=r"already exists \(for instance 7\)"):
        planned([create(new(BIKE, 1), name="city")], {("SMEMBERS", ":bike:name:city"): ["7"]}, first_pk=7)


def test_an_object_may_keep_its_value() -> None:
    """It is the holder itself; it enters the index again."""
    answers = THERE | {("HGET", ":bike:1:hash", "name"): "city", ("SMEMBERS", ":bike:name:city"): ["1"]}
    assert [("HSET", ":bike:1:hash", "name", "city"), ("SADD", ":bike:name:city", "1")] == steps(
        planned([hset(stored(BIKE, "1"), "name", "city")], answers)
    )


def test_two_claims_of_one_session_are_refused() -> None:
    """Before anything is asked where the arguments tell it; the error names the first of the two."""
    said = [hset(stored(BIKE, "1"), "name", "city"), hset(stored(BIKE, "2"), "name", "city")]
    with pytest.raises(UniquenessError) as caught:
        planned(said, {})
    assert "Key :bike:name:city already exists (for Bike <1> of the same session)" == str(caught.value)
    assert ("name", "city", ":bike:name:city", "1") == (
        caught.value.field,
        caught.value.value,
        caught.value.key,
        caught.value.pk,
    )


def test_two_new_objects_with_one_value_are_refused() -> None:
    """The first of them has no primary key yet."""
    said = [create(new(BIKE, 1), name="city"), create(new(BIKE, 2), name="city")]
    with pytest.raises(UniquenessError, match=r"already exists \(for <Bike 1> of the same session\)") as caught:
        planned(said, {})
    assert None is caught.value.pk


def test_a_new_object_and_a_change_with_one_value_are_refused() -> None:
    """Whichever was said first."""
    change, made = hset(stored(BIKE, "1"), "name", "city"), create(new(BIKE, 1), name="city")
    for said in ([change, made], [made, change]):
        with pytest.raises(UniquenessError, match="of the same session"):
            planned(said, {})


def test_two_claims_that_only_trying_tells_are_refused() -> None:
    """What INCRBY leads to is known after a read; the claims meet all the same."""
    one, two = stored(TICKET, "1"), stored(TICKET, "2")
    said = [
        write(one, "number", Computed(fallible=True), "INCRBY", "1"),
        write(two, "number", Computed(fallible=True), "INCRBY", "2"),
    ]
    answers = BOTH_THERE | {("GET", ":ticket:1:number"): "4", ("GET", ":ticket:2:number"): "3"}
    with pytest.raises(UniquenessError, match=r"Key :ticket:number:5 already exists \(for Ticket <1> of the same"):
        planned(said, answers)


def test_a_computed_value_is_claimed_in_a_round_of_its_own() -> None:
    """Where it leads must be read before it can be asked who holds that."""
    said = [write(stored(TICKET, "1"), "number", Computed(fallible=True), "INCRBY", "1")]
    answers = TICKET_THERE | {("GET", ":ticket:1:number"): "4"}
    plan = planned(said, answers | {("SMEMBERS", ":ticket:number:5"): []})
    assert (3, (":ticket:1:number", ":ticket:__guard__:1", ":ticket:number:5")) == (plan.round_trips, plan.watched)
    assert [
        ("INCRBY", ":ticket:1:number", "1"),
        ("SREM", ":ticket:number:4", "1"),
        ("SADD", ":ticket:number:5", "1"),
    ] == steps(plan)
    with pytest.raises(UniquenessError, match=r"Key :ticket:number:5 already exists \(for instance 2\)"):
        planned(said, answers | {("SMEMBERS", ":ticket:number:5"): ["2"]} | held(("GET", ":ticket:2:number"), "5"))


def test_what_was_claimed_and_given_up_is_no_claim() -> None:
    """Only the value after the last command is; another may take what was given up."""
    one, two = stored(BIKE, "1"), stored(BIKE, "2")
    said = [hset(one, "name", "city"), hset(one, "name", "road"), hset(two, "name", "city")]
    answers = {
        ("HGET", ":bike:1:hash", "name"): None,
        ("HGET", ":bike:2:hash", "name"): None,
        ("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1],
        ("SMEMBERS", ":bike:name:city"): [],
        ("SMEMBERS", ":bike:name:road"): [],
    }
    assert [("SADD", ":bike:name:city", "2"), ("SADD", ":bike:name:road", "1")] == steps(planned(said, answers))[3:]


def test_a_value_that_its_holder_gives_up_in_the_same_plan_can_be_taken() -> None:
    """By another value, by nothing, or by the end of the holder; who keeps it keeps others from it."""
    one, two = stored(BIKE, "1"), stored(BIKE, "2")
    claim = hset(two, "name", "city")
    claimed = {("HGET", ":bike:2:hash", "name"): None, ("SMEMBERS", ":bike:name:city"): ["1"]}
    both = {("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1]}
    held = {("HGET", ":bike:1:hash", "name"): "city"}
    emptied = write(one, "name", Removed(("name",)), "HDEL", "name")
    assert [("SREM", ":bike:name:city", "1"), ("SADD", ":bike:name:city", "2")] == steps(
        planned([emptied, claim], claimed | both | held)
    )[2:]
    with pytest.raises(UniquenessError, match=r"already exists \(for instance 1\)"):
        planned([hset(one, "note", "x"), claim], claimed | both)
    # It gives up another value than the one that its index key says.
    with pytest.raises(UniquenessError, match=r"already exists \(for instance 1\)"):
        planned([emptied, claim], claimed | both | {("HGET", ":bike:1:hash", "name"): "road"})


def test_who_is_spoken_of_and_keeps_the_value_keeps_others_from_it() -> None:
    """What leads back to the value it had gives nothing up."""
    one, two = stored(TICKET, "1"), stored(TICKET, "2")
    said = [write(one, "number", Computed(fallible=True), "INCRBY", "0"), put(two, "number", "5")]
    answers = BOTH_THERE | {
        ("GET", ":ticket:1:number"): "5",
        ("GET", ":ticket:2:number"): None,
        ("SMEMBERS", ":ticket:number:5"): ["1"],
    }
    with pytest.raises(UniquenessError, match=r"Key :ticket:number:5 already exists \(for Ticket <2> of the same"):
        planned(said, answers)


def test_the_value_of_a_deleted_object_can_be_taken() -> None:
    """In the same plan, whichever was said first."""
    gone = delete(stored(BIKE, "1"))
    for claim in (create(new(BIKE, 1), name="mountain"), create(new(BIKE, 2), color="red", name="mountain")):
        answers = ENDING | {("SMEMBERS", ":bike:name:mountain"): ["1"]}
        plan = planned([claim, gone] if claim.identity.number == 1 else [gone, claim], answers, first_pk=7)
        assert [("SREM", ":bike:name:mountain", "1"), ("SADD", ":bike:name:mountain", "7")] == [
            call for call in steps(plan) if call[1] == ":bike:name:mountain"
        ]


def test_each_member_is_unique() -> None:
    """Each member claimed is asked for and watched; one that another holds refuses all."""
    said = [sadd(stored(TICKET, "1"), "seats", "a", "b")]
    free = TICKET_THERE | {("SMEMBERS", ":ticket:seats:a"): [], ("SMEMBERS", ":ticket:seats:b"): []}
    plan = planned(said, free)
    assert (":ticket:seats:a", ":ticket:seats:b", ":ticket:__guard__:1") == plan.watched
    assert [
        ("SADD", ":ticket:1:seats", "a", "b"),
        ("SADD", ":ticket:seats:a", "1"),
        ("SADD", ":ticket:seats:b", "1"),
    ] == steps(plan)
    with pytest.raises(UniquenessError) as caught:
        planned(said, free | {("SMEMBERS", ":ticket:seats:b"): ["2"]} | held(("SISMEMBER", ":ticket:2:seats", "b"), 1))
    assert "Key :ticket:seats:b already exists (for instance 2)" == str(caught.value)
    assert ("seats", "b", "2") == (caught.value.field, caught.value.value, caught.value.pk)


@pytest.mark.parametrize(
    ("field", "name", "args", "holding"),
    [
        ("queue", "RPUSH", ("a",), held(("LRANGE", ":ticket:2:queue", "0", "-1"), ["b", "a"])),
        ("ranks", "ZADD", ("1", "a"), held(("ZSCORE", ":ticket:2:ranks", "a"), "7")),
    ],
)
def test_members_of_lists_and_sorted_sets_are_unique_too(
    field: str, name: str, args: tuple[str, ...], holding: dict[Call, Any]
) -> None:
    """Refused where another holds them, taken under watch where nobody does."""
    said = [write(stored(TICKET, "1"), field, Added(("a",)), name, *args)]
    plan = planned(said, TICKET_THERE | {("SMEMBERS", f":ticket:{field}:a"): []})
    assert f":ticket:{field}:a" in plan.watched
    assert [("SADD", f":ticket:{field}:a", "1")] == steps(plan)[1:]
    with pytest.raises(UniquenessError, match=rf"Key :ticket:{field}:a already exists \(for instance 2\)"):
        planned(said, TICKET_THERE | {("SMEMBERS", f":ticket:{field}:a"): ["2"]} | holding)


def test_what_was_claimed_and_given_up_is_not_asked_for() -> None:
    """Nobody needs to know who holds what the object will not hold."""
    bike = stored(BIKE, "1")
    said = [hset(bike, "name", "city"), write(bike, "name", Removed(("name",)), "HDEL", "name")]
    plan = planned(said, THERE | {("HGET", ":bike:1:hash", "name"): "road"})
    assert [("SREM", ":bike:name:road", "1")] == steps(plan)[2:]


def test_a_member_changes_hands_in_one_plan() -> None:
    """Who loses it and who gets it are judged together."""
    one, two = stored(TICKET, "1"), stored(TICKET, "2")
    said = [write(one, "seats", Removed(("a",)), "SREM", "a"), sadd(two, "seats", "a")]
    plan = planned(said, BOTH_THERE | {("SMEMBERS", ":ticket:seats:a"): ["1"]})
    assert [("SREM", ":ticket:seats:a", "1"), ("SADD", ":ticket:seats:a", "2")] == steps(plan)[2:]


def test_two_objects_that_add_one_member_are_refused() -> None:
    """Two claims of one session meet member by member."""
    said = [sadd(stored(TICKET, "1"), "seats", "a", "b"), sadd(stored(TICKET, "2"), "seats", "b", "c")]
    with pytest.raises(UniquenessError, match=r"Key :ticket:seats:b already exists \(for Ticket <1> of the same"):
        planned(said, {})


def test_a_member_that_was_added_and_taken_away_is_no_claim() -> None:
    """Neither is one of a set that was emptied afterwards."""
    one, two = stored(TICKET, "1"), stored(TICKET, "2")
    said = [
        sadd(one, "seats", "a", "b"),
        write(one, "seats", Removed(("a",)), "SREM", "a"),
        sadd(two, "seats", "a"),
    ]
    answers = BOTH_THERE | {("SMEMBERS", ":ticket:seats:a"): [], ("SMEMBERS", ":ticket:seats:b"): []}
    assert [("SADD", ":ticket:seats:a", "2"), ("SADD", ":ticket:seats:b", "1")] == [
        call for call in steps(planned(said, answers)) if call[1].startswith(":ticket:seats:") and call[0] == "SADD"
    ]


def test_every_claim_is_watched() -> None:
    """Each by the key of its value, so that claims of different values never meet."""
    said = [create(new(BIKE, 1), name="city"), hset(stored(BIKE, "1"), "name", "road")]
    answers = THERE | {
        ("SMEMBERS", ":bike:name:city"): [],
        ("SMEMBERS", ":bike:name:road"): [],
        ("HGET", ":bike:1:hash", "name"): None,
    }
    assert {":bike:name:city", ":bike:name:road"} <= set(planned(said, answers, first_pk=2).watched)


def test_a_claim_without_watch_is_judged_all_the_same() -> None:
    """``lockable=False`` drops the watch, not the question."""
    said = [hset(stored(HOT, "1"), "code", "k")]
    answers = {("HGET", ":hot:1:hash", "code"): None, ("SISMEMBER", ":hot:collection", "1"): 1}
    assert (":hot:__guard__:1",) == planned(said, answers | {("SMEMBERS", ":hot:code:k"): []}).watched
    with pytest.raises(UniquenessError, match=r"Key :hot:code:k already exists \(for instance 2\)"):
        planned(said, answers | {("SMEMBERS", ":hot:code:k"): ["2"]} | held(("HGET", ":hot:2:hash", "code"), "k"))


@pytest.mark.parametrize(
    "outside",
    [
        held(("HGET", ":bike:2:hash", "name"), "city", there=0),
        held(("HGET", ":bike:2:hash", "name"), None),
        held(("HGET", ":bike:2:hash", "name"), "road"),
    ],
    ids=["not there", "nothing there", "another value"],
)
def test_an_entry_that_is_not_true_is_no_obstacle(outside: dict[Call, Any]) -> None:
    """Somebody deleted or changed the object without the library: the entry leaves, under watch."""
    answers = THERE | {("HGET", ":bike:1:hash", "name"): "mountain", ("SMEMBERS", ":bike:name:city"): ["2"]}
    plan = planned([hset(stored(BIKE, "1"), "name", "city")], answers | outside)
    assert [
        ("HSET", ":bike:1:hash", "name", "city"),
        ("SREM", ":bike:name:city", "2"),
        ("SREM", ":bike:name:mountain", "1"),
        ("SADD", ":bike:name:city", "1"),
    ] == steps(plan)
    assert ":bike:2:hash" in plan.watched


def test_a_member_that_is_not_true_is_no_obstacle() -> None:
    """The same for one of many values."""
    answers = TICKET_THERE | {("SMEMBERS", ":ticket:seats:b"): ["2"]} | held(("SISMEMBER", ":ticket:2:seats", "b"), 0)
    plan = planned([sadd(stored(TICKET, "1"), "seats", "b")], answers)
    assert [("SREM", ":ticket:seats:b", "2"), ("SADD", ":ticket:seats:b", "1")] == steps(plan)[1:]


def test_what_nobody_asked_refuses_nothing() -> None:
    """A symbolic plan judges what the commands alone tell, and no more."""
    said = [hset(stored(BIKE, "1"), "name", "city")]
    assert ("SADD", ":bike:name:city", "1") in steps(planned(said, {}, symbolic=True))
    with pytest.raises(UniquenessError, match="of the same session"):
        planned([*said, hset(stored(BIKE, "2"), "name", "city")], {}, symbolic=True)
