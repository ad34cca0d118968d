"""Which objects will match right after the commit: the server's answer, and those that the session touched, judged."""

import pytest

from tests.overlay.stage import finding, holding, listing, query, seen
from tests.planner.stage import BIKE, SHOP, create, delete, hset, model, new, sadd, stored, write
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Computed, Removed
from uowredis.commands.commands import WriteCommand
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import PendingWrites
from uowredis.schema.models import FieldSchema, Kind

ONE, TWO = stored(BIKE, "1"), stored(BIKE, "2")
BLUE, RED = ("SMEMBERS", ":bike:color:blue"), ("SMEMBERS", ":bike:color:red")
OLD = ("HGET", ":bike:1:hash", "color")
IN_BLUE, IN_RED = ("SISMEMBER", ":bike:color:blue", "1"), ("SISMEMBER", ":bike:color:red", "1")
#: Its primary key is chosen.
DEPOT = model(
    "Depot",
    FieldSchema("city", Kind.ENTRY, indexed=True),
    FieldSchema("tags", Kind.SET, indexed=True),
    auto=False,
)
PAINTED = hset(ONE, "color", "blue")


def test_with_nothing_pending_it_is_what_the_server_finds() -> None:
    """One question."""
    assert ["1", "2"] == seen([], finding(BIKE, color="red"), {RED: ["2", "1"]})


def test_what_gets_the_value_is_found() -> None:
    """Beside those that have it, which the session did not touch."""
    assert ["1", "7"] == seen([PAINTED], finding(BIKE, color="blue"), {BLUE: ["7"], OLD: "red", IN_BLUE: 0})


def test_what_loses_the_value_is_not_found() -> None:
    """By another value, or by none; the others are."""
    for lost in (PAINTED, write(ONE, "color", Removed(("color",)), "HDEL", "color")):
        assert ["7"] == seen([lost], finding(BIKE, color="red"), {RED: ["1", "7"], OLD: "red", IN_RED: 1})


def test_only_the_last_value_counts() -> None:
    """What was said in between brings nothing in."""
    said = [PAINTED, hset(ONE, "color", "black")]
    assert [] == seen(said, finding(BIKE, color="blue"), {BLUE: [], OLD: "red", IN_BLUE: 0})


def test_what_was_touched_on_other_fields_is_not_judged() -> None:
    """The query costs what concerns it: nothing of the object is asked."""
    said = [hset(ONE, "note", "x"), sadd(ONE, "tags", "a"), hset(stored(SHOP, "1"), "city", "red")]
    assert ["1"] == seen(said, finding(BIKE, color="red"), {RED: ["1"]})


def test_a_new_object_is_found_by_all_that_it_will_hold() -> None:
    """Nothing is asked about it: what its constructor gave, and what was said since."""
    bike = new(BIKE, 1)
    said = [create(bike, sadd(bike, "tags", "a"), color="red"), sadd(bike, "tags", "b")]
    assert ["<Bike 1>"] == seen(said, finding(BIKE, color="red", tags="b"), {("SINTER", RED[1], ":bike:tags:b"): []})
    assert [] == seen(said, finding(BIKE, color="blue"), {BLUE: []})
    assert [] == seen(said, finding(BIKE, color="red", tags="c"), {("SINTER", RED[1], ":bike:tags:c"): []})


def test_a_new_object_is_one_of_all() -> None:
    """Without a condition every object is found that will be there."""
    said = [create(new(BIKE, 1), color="red"), delete(TWO)]
    assert ["1", "<Bike 1>"] == seen(said, finding(BIKE), {("SMEMBERS", ":bike:collection"): ["1", "2"]})


def test_what_was_deleted_is_not_found() -> None:
    """Whatever was said of it before."""
    assert ["7"] == seen([PAINTED, delete(ONE)], finding(BIKE, color="blue"), {BLUE: ["1", "7"]})


def test_what_was_created_and_deleted_is_not_found() -> None:
    """It never was."""
    bike = new(BIKE, 1)
    assert [] == seen([create(bike, color="red"), delete(bike)], finding(BIKE, color="red"), {RED: []})


def test_what_was_deleted_and_created_again_is_judged_by_what_it_will_hold() -> None:
    """What the index says of it was said of the former object."""
    again = Identity(SHOP, "x", State.CREATED, 1)
    said = [delete(stored(SHOP, "x")), create(again, city="Rome")]
    old = {("HGET", ":shop:x:hash", "city"): "Bern"}
    assert ["x"] == seen(said, finding(SHOP, city="Rome"), {("SMEMBERS", ":shop:city:Rome"): []} | old)
    assert [] == seen(said, finding(SHOP, city="Bern"), {("SMEMBERS", ":shop:city:Bern"): ["x"]} | old)


def test_what_was_created_again_is_judged_by_nothing_that_was_there() -> None:
    """By no condition: what neither epoch said is not in the index, and nobody asks it."""
    said = [delete(stored(DEPOT, "x")), create(Identity(DEPOT, "x", State.CREATED, 1), city="Rome")]
    old: dict[Call, object] = {("HGET", ":depot:x:hash", "city"): "Rome", ("SMEMBERS", ":depot:x:tags"): ["b"]}
    both = ("SINTER", ":depot:city:Rome", ":depot:tags:a")
    assert [] == seen(said, finding(DEPOT, city="Rome", tags="a"), old | {both: []})


#: What is said, what is there, the condition, whether the index says so now, whether it will.
COMPUTED: dict[str, tuple[WriteCommand, dict[Call, object], dict[str, str], bool, bool]] = {
    "a sum, there": (
        write(ONE, "price", Computed(fallible=True), "INCRBY", "2"),
        {("GET", ":bike:1:price"): "3"},
        {"price": "5"},
        False,
        True,
    ),
    "a sum, elsewhere": (
        write(ONE, "price", Computed(fallible=True), "INCRBY", "2"),
        {("GET", ":bike:1:price"): "4"},
        {"price": "5"},
        False,
        False,
    ),
    "a copy that remains": (
        write(ONE, "stages", Computed(), "LPOP"),
        {("LRANGE", ":bike:1:stages", "0", "-1"): ["a", "b", "a"]},
        {"stages": "a"},
        True,
        True,
    ),
    "the last copy": (
        write(ONE, "stages", Computed(), "LPOP"),
        {("LRANGE", ":bike:1:stages", "0", "-1"): ["a", "b"]},
        {"stages": "a"},
        True,
        False,
    ),
}


@pytest.mark.parametrize("case", COMPUTED)
def test_what_needs_what_was_there_is_tried(case: str) -> None:
    """The object is found by the result, and not by what its index says now."""
    said, content, filters, now, then = COMPUTED[case]
    ((name, value),) = filters.items()
    answers: dict[Call, object] = {
        ("SMEMBERS", f":bike:{name}:{value}"): ["1"] if now else [],
        ("SISMEMBER", f":bike:{name}:{value}", "1"): int(now),
    }
    assert (["1"] if then else []) == seen([said], finding(BIKE, **filters), answers | content)


def test_of_two_conditions_the_one_that_is_not_pending_is_asked() -> None:
    """The object has the pending value, and must be in the other index."""
    both = ("SINTER", ":bike:color:blue", ":bike:tags:a")
    for there in (1, 0):
        answers = {both: ["7"], OLD: "red", IN_BLUE: 0, ("SISMEMBER", ":bike:tags:a", "1"): there}
        assert (["1", "7"] if there else ["7"]) == seen([PAINTED], finding(BIKE, color="blue", tags="a"), answers)


def test_members_that_are_added_and_taken_away_are_judged() -> None:
    """A set is found by each member that it will have."""
    for change, found in (
        (write(ONE, "tags", Added(("a",)), "SADD", "a"), True),
        (write(ONE, "tags", Removed(("a",)), "SREM", "a"), False),
    ):
        answers: dict[Call, object] = {("SMEMBERS", ":bike:tags:a"): [] if found else ["1"]}
        answers[("SISMEMBER", ":bike:tags:a", "1")] = 0 if found else 1
        assert (["1"] if found else []) == seen([change], finding(BIKE, tags="a"), answers)


def test_a_member_that_nobody_named_stays() -> None:
    """Adding one tag says nothing of another, which is asked for."""
    answers: dict[Call, object] = {("SMEMBERS", ":bike:tags:old"): ["1"], ("SISMEMBER", ":bike:tags:old", "1"): 1}
    assert ["1"] == seen([sadd(ONE, "tags", "new")], finding(BIKE, tags="old"), answers)


def test_a_new_object_gets_its_primary_key_to_be_listed() -> None:
    """A collection is of primary keys; nobody is asked about the values of the object."""
    said = [create(new(BIKE, 1), color="red"), create(new(BIKE, 2), color="blue"), create(new(BIKE, 3), color="red")]
    assert ["1", "7", "8"] == seen(said, listing(query(BIKE, color="red")), {RED: ["1"]})


def test_a_write_that_would_fail_is_no_answer() -> None:
    """The query depends on it, and the commit would be refused."""
    said = [write(ONE, "price", Computed(fallible=True), "INCRBY", "2")]
    answers: dict[Call, object] = {
        ("SMEMBERS", ":bike:price:5"): [],
        ("GET", ":bike:1:price"): "three",
        ("SISMEMBER", ":bike:price:5", "1"): 0,
    }
    with pytest.raises(PendingWrites, match=r"The query cannot be answered before .*: Bike <1>.price.incr would fail"):
        seen(said, finding(BIKE, price="5"), answers)


# Whether an object is there


def test_whether_an_object_is_there() -> None:
    """What is pending tells it where it creates or deletes; else the server is asked."""
    collection = ("SISMEMBER", ":shop:collection", "x")
    made = create(Identity(SHOP, "x", State.CREATED, 1), city="Rome")
    assert [True, False] == [seen([], holding(SHOP, "x"), {collection: there}) for there in (1, 0)]
    assert True is seen([made], holding(SHOP, "x"))
    assert False is seen([delete(stored(SHOP, "x"))], holding(SHOP, "x"))
    assert True is seen([delete(stored(SHOP, "x")), made], holding(SHOP, "x"), {collection: 1})
    assert [True, False] == [
        seen([hset(stored(SHOP, "x"), "city", "Bern")], holding(SHOP, "x"), {collection: there}) for there in (1, 0)
    ]


def test_a_new_object_gets_its_primary_key_where_one_is_looked_for() -> None:
    """It might be the one that is asked for; where it is not, nobody is there."""
    for pk, there in (("7", True), ("8", False)):
        made = create(new(BIKE, 1), color="red")
        assert there is seen([made], holding(BIKE, pk), {("SISMEMBER", ":bike:collection", pk): 0})
