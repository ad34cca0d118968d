"""What a read answers over pending writes: what it will answer right after the commit, asking as little as can be."""

import pytest

from tests.overlay.stage import asked, hget, read
from tests.planner.stage import BIKE, create, delete, hset, new, put, sadd, stored, write
from uowredis import PendingWrites
from uowredis.commands.changes import Added, Computed, Opaque, Removed

BIKE_1 = stored(BIKE, "1")


def test_with_nothing_pending_it_is_the_plain_read() -> None:
    """Nothing is rehearsed, nothing else is asked."""
    assert b"red" == asked([], hget(BIKE_1, "color"), {("HGET", ":bike:1:hash", "color"): b"red"})


def test_what_is_pending_on_another_field_does_not_concern_it() -> None:
    """Of the same object, in the same hash."""
    said = [hset(BIKE_1, "note", "n"), put(BIKE_1, "price", "9")]
    assert b"red" == asked(said, hget(BIKE_1, "color"), {("HGET", ":bike:1:hash", "color"): b"red"})


def test_what_was_said_last_is_known() -> None:
    """The server is not asked for what the changes tell."""
    said = [hset(BIKE_1, "color", "green"), hset(BIKE_1, "color", "blue")]
    assert b"blue" == asked(said, hget(BIKE_1, "color"), {})
    assert b"9" == asked([put(BIKE_1, "price", "9")], read(BIKE_1, "price", "GET"), {})
    gone = [write(BIKE_1, "color", Removed(("color",)), "HDEL", "color")]
    assert None is asked(gone, hget(BIKE_1, "color"), {})


def test_members_that_were_named_are_known_and_others_are_asked() -> None:
    """What was added is in, what was removed is out; of the rest the server decides."""
    said = [sadd(BIKE_1, "tags", "new", "both"), write(BIKE_1, "tags", Removed(("both",)), "SREM", "both")]
    found = [
        asked(said, read(BIKE_1, "tags", "SISMEMBER", tag, members=(tag,)), answers)
        for tag, answers in (("new", {}), ("both", {}), ("old", {("SISMEMBER", ":bike:1:tags", "old"): 1}))
    ]
    assert [1, 0, 1] == found


def test_a_computed_change_is_tried_on_what_is_there() -> None:
    """What it names of the key is read, the pending writes are run on it, in their order."""
    said = [
        write(BIKE_1, "price", Computed(fallible=True), "INCRBY", "5"),
        write(BIKE_1, "price", Computed(fallible=True), "INCRBY", "1"),
    ]
    assert b"13" == asked(said, read(BIKE_1, "price", "GET"), {("GET", ":bike:1:price"): b"7"})


def test_a_value_known_before_a_computed_change_is_asked_for_no_more() -> None:
    """A string that was set begins anew; what follows is tried on that."""
    said = [put(BIKE_1, "price", "7"), write(BIKE_1, "price", Computed(fallible=True), "INCRBY", "5")]
    assert b"12" == asked(said, read(BIKE_1, "price", "GET"), {})


def test_the_whole_of_a_key_is_what_is_there_and_what_is_pending() -> None:
    """All members are read, and the pending writes are run on them."""
    said = [sadd(BIKE_1, "tags", "new"), write(BIKE_1, "tags", Removed(("old",)), "SREM", "old")]
    found = asked(said, read(BIKE_1, "tags", "SMEMBERS"), {("SMEMBERS", ":bike:1:tags"): [b"old", b"kept"]})
    assert {b"new", b"kept"} == set(found)


def test_a_count_is_told_by_the_count_and_what_was_named() -> None:
    """A set of a million members is not read to be counted."""
    said = [sadd(BIKE_1, "tags", "new", "there")]
    answers = {("SCARD", ":bike:1:tags"): 3, ("SMISMEMBER", ":bike:1:tags", "new", "there"): [0, 1]}
    assert 4 == asked(said, read(BIKE_1, "tags", "SCARD", counts=True), answers)
    pushed = [write(BIKE_1, "stages", Added(("a", "b")), "RPUSH", "a", "b")]
    assert 5 == asked(pushed, read(BIKE_1, "stages", "LLEN", counts=True), {("LLEN", ":bike:1:stages"): 3})


def test_a_new_object_begins_with_nothing() -> None:
    """Nobody is asked about an object that is not there yet."""
    bike = new(BIKE, 1)
    said = [create(bike, color="red"), sadd(bike, "tags", "x")]
    assert b"red" == asked(said, hget(bike, "color"), {})
    assert None is asked(said, hget(bike, "note"), {})
    assert [b"x"] == list(asked(said, read(bike, "tags", "SMEMBERS"), {}))


def test_a_deleted_object_holds_nothing() -> None:
    """Whatever handle asks, and whatever the server still holds."""
    assert None is asked([delete(stored(BIKE, "1"))], hget(stored(BIKE, "1"), "color"), {})


def test_what_only_the_server_can_know_is_not_answered() -> None:
    """The error names the command and both ways out."""
    said = [write(BIKE_1, "wheels", Opaque(fallible=True), "INCRBYFLOAT", "0.5")]
    with pytest.raises(PendingWrites, match=r"only Redis can know the result of Bike <1>\.wheels\.incrbyfloat"):
        asked(said, read(BIKE_1, "wheels", "GET"), {})


def test_what_would_fail_is_not_answered() -> None:
    """After a commit that cannot be there is no answer."""
    said = [write(BIKE_1, "price", Computed(fallible=True), "INCRBY", "5")]
    with pytest.raises(PendingWrites, match="one would fail: value is not an integer"):
        asked(said, read(BIKE_1, "price", "GET"), {("GET", ":bike:1:price"): b"x"})
