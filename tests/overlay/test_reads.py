"""A read answers what it will answer right after the commit: told by what is pending, tried, or asked as it is."""

import pytest

from tests.overlay.stage import get, hget, read, reading, seen, whole_hash
from tests.planner.stage import BIKE, SHOP, create, delete, hset, model, new, put, sadd, stored, write
from uowredis.commands.changes import Added, Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity, State
from uowredis.commands.replies import plain
from uowredis.exceptions import DoesNotExist, PendingWrites
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind

ONE = stored(BIKE, "1")
TAGS = read(ONE, "tags", "SMEMBERS")
INCR = write(ONE, "price", Computed(fallible=True), "INCRBY", "2")


#: A hash without index.
NOTED = model("Noted", FieldSchema("notes", Kind.HASH))

# Nothing pending concerns it


def test_with_nothing_pending_it_is_the_plain_read() -> None:
    """One call, and its reply."""
    assert ["red"] == seen([], reading(hget(ONE, "color")), {("HGET", ":bike:1:hash", "color"): "red"})


def test_what_is_pending_elsewhere_does_not_count() -> None:
    """Another object, another key, another entry of the hash, another member: the read is sent as it is."""
    said = [
        hset(stored(BIKE, "2"), "color", "blue"),
        hset(ONE, "note", "x"),
        put(ONE, "wheels", "3"),
        sadd(ONE, "tags", "a"),
        hset(stored(SHOP, "1"), "city", "Bern"),
    ]
    reads = (hget(ONE, "color"), get(ONE, "price"), read(ONE, "tags", "SISMEMBER", "b", members=("b",)))
    answers = {
        ("HGET", ":bike:1:hash", "color"): "red",
        ("GET", ":bike:1:price"): "7",
        ("SISMEMBER", ":bike:1:tags", "b"): 1,
    }
    assert ["red", "7", 1] == seen(said, reading(*reads), answers)


# What is pending tells it


def test_what_the_session_said_is_not_asked() -> None:
    """Values that were set, entries that were deleted, members that were added or taken away."""
    said = [
        put(ONE, "price", "7"),
        put(ONE, "price", "8"),
        hset(ONE, "color", "blue"),
        write(ONE, "note", Removed(("note",)), "HDEL", "note"),
        sadd(ONE, "tags", "a", "b"),
        write(ONE, "tags", Removed(("b",)), "SREM", "b"),
    ]
    reads = (
        get(ONE, "price"),
        hget(ONE, "color"),
        hget(ONE, "note"),
        read(ONE, "tags", "SISMEMBER", "a", members=("a",)),
        read(ONE, "tags", "SISMEMBER", "b", members=("b",)),
    )
    assert ["8", "blue", None, 1, 0] == seen(said, reading(*reads))


def test_a_new_object_is_known_whole() -> None:
    """Its constructor and what was said since; what was not given is not there. Nothing is asked."""
    bike = new(BIKE, 1)
    said = [create(bike, sadd(bike, "tags", "a"), color="red"), sadd(bike, "tags", "b"), hset(bike, "note", "x")]
    reads = (
        hget(bike, "color"),
        hget(bike, "name"),
        get(bike, "price"),
        read(bike, "tags", "SCARD"),
        read(bike, "stages", "LRANGE", "0", "-1"),
        whole_hash(bike),
    )
    assert ["red", None, None, 2, [], ["color", "red", "note", "x"]] == seen(said, reading(*reads))


def test_an_emptied_key_is_known_whole() -> None:
    """After DEL there is only what was said since; a SET of a string says all of it."""
    said = [
        sadd(ONE, "tags", "a"),
        write(ONE, "tags", Removed(None), "DEL"),
        sadd(ONE, "tags", "b"),
        put(ONE, "price", "3"),
        INCR,
    ]
    assert [["b"], 1, "5"] == seen(said, reading(TAGS, read(ONE, "tags", "SCARD"), get(ONE, "price")))


def test_several_entries_are_answered_each_in_its_place() -> None:
    """In the order asked, told by what is pending or read from what is there."""
    both = Read(ONE, INSTANCE_HASH, None, "HMGET", ("note", "color"), plain, ("note", "color"))
    said = [hset(ONE, "color", "blue"), hset(ONE, "note", "x")]
    assert [["x", "blue"]] == seen(said, reading(both))
    there = {("HMGET", ":bike:1:hash", "color", "note"): ["red", "old"]}
    assert [["x", "red"]] == seen(said[1:], reading(both), there)
    assert [["old", "blue"]] == seen(said[:1], reading(both), there)


# It is tried on what is there


def test_a_sum_is_tried_on_what_is_there() -> None:
    """However many increments: one read of the value, under the very call that reads it."""
    assert ["7"] == seen([INCR, INCR], reading(get(ONE, "price")), {("GET", ":bike:1:price"): "3"})


def test_many_members_are_read_whole() -> None:
    """What was added and taken away is laid over what is there."""
    said = [sadd(ONE, "tags", "a", "b"), write(ONE, "tags", Removed(("c",)), "SREM", "c")]
    (found,) = seen(said, reading(TAGS), {("SMEMBERS", ":bike:1:tags"): ["b", "c", "d"]})
    assert ["a", "b", "d"] == sorted(found)


def test_a_list_is_read_in_its_order() -> None:
    """Pushed, popped and trimmed as Redis would."""
    said = [
        write(ONE, "stages", Added(("z",)), "LPUSH", "z"),
        write(ONE, "stages", Added(("e",)), "RPUSH", "e"),
        write(ONE, "stages", Computed(), "LREM", "1", "a"),
    ]
    answers = {("LRANGE", ":bike:1:stages", "0", "-1"): ["a", "b", "a"]}
    assert [["z", "b", "a", "e"]] == seen(said, reading(read(ONE, "stages", "LRANGE", "0", "-1")), answers)


def test_the_whole_hash_holds_what_is_pending_of_each_entry() -> None:
    """All of it is read, as the answer depends on all."""
    said = [hset(ONE, "color", "blue"), write(ONE, "note", Removed(("note",)), "HDEL", "note")]
    answers = {("HGETALL", ":bike:1:hash"): ["color", "red", "note", "x", "name", "n"]}
    (found,) = seen(said, reading(whole_hash(ONE)), answers)
    assert {"color": "blue", "name": "n"} == dict(zip(found[::2], found[1::2], strict=True))


def test_only_the_members_concerned_are_read() -> None:
    """A write that depends on what is there needs that entry, and no other."""
    said = [
        write(ONE, "parts", Computed(("bell",), fallible=True), "HINCRBY", "bell", "1"),
        write(ONE, "parts", Computed(("lamp",), fallible=True), "HINCRBY", "lamp", "1"),
    ]
    bell = read(ONE, "parts", "HGET", "bell", members=("bell",))
    assert ["4"] == seen(said, reading(bell), {("HGET", ":bike:1:parts", "bell"): "3"})


def test_members_that_writes_name_together_are_read_together() -> None:
    """A write that names several of them is tried on all, and so is what was said of the others; no more is read."""
    said = [
        write(ONE, "races", Computed(("c", "d")), "ZADD", "GT", "1", "c", "9", "d"),
        write(ONE, "races", Computed(("b", "c")), "ZADD", "GT", "1", "b", "8", "c"),
        write(ONE, "races", Computed(("a", "b")), "ZADD", "LT", "7", "a", "6", "b"),
        write(ONE, "races", Computed(("z",)), "ZADD", "GT", "1", "z"),
    ]
    score = read(ONE, "races", "ZSCORE", "a", members=("a",))
    assert ["5"] == seen(said, reading(score), {("ZMSCORE", ":bike:1:races", *"abcd"): ["5", None, "2", None]})
    assert ["7"] == seen(said, reading(score), {("ZMSCORE", ":bike:1:races", *"abcd"): ["8", None, "2", None]})


def test_a_number_is_the_number_there_and_what_is_pending_changes_of_it() -> None:
    """What was there already is not counted twice; a list need not be read to be counted."""
    said = [
        sadd(ONE, "tags", "a", "b"),
        write(ONE, "tags", Removed(("c", "d")), "SREM", "c", "d"),
        write(ONE, "stages", Added(("x", "y")), "RPUSH", "x", "y"),
    ]
    answers = {
        ("SCARD", ":bike:1:tags"): 10,
        ("SMISMEMBER", ":bike:1:tags", "a", "b", "c", "d"): [1, 0, 1, 0],
        ("LLEN", ":bike:1:stages"): 5,
    }
    assert [10, 7] == seen(said, reading(read(ONE, "tags", "SCARD"), read(ONE, "stages", "LLEN")), answers)


def test_a_list_that_was_not_only_pushed_on_is_read_to_be_counted() -> None:
    """How many a removal takes is known from what is there."""
    said = [
        write(ONE, "stages", Added(("a",)), "RPUSH", "a"),
        write(ONE, "stages", Computed(), "LREM", "0", "a"),
    ]
    length = read(ONE, "stages", "LLEN")
    assert [1] == seen(said, reading(length), {("LRANGE", ":bike:1:stages", "0", "-1"): ["a", "b", "a"]})


def test_what_a_draw_takes_is_gone() -> None:
    """SPOP of an indexed set is drawn here, and the commit draws the same."""
    said = [write(ONE, "tags", Opaque(), "SPOP", "2")]
    answers = {("SMEMBERS", ":bike:1:tags"): ["a", "b", "c"]}
    (left,) = seen(said, reading(TAGS), answers)
    assert (1, left) == (len(left), seen(said, reading(TAGS), answers)[0])


# Objects that end, and begin again


def test_what_was_deleted_holds_nothing() -> None:
    """Read through another handle of it; nothing is asked."""
    other = stored(BIKE, "1")
    said = [hset(ONE, "color", "blue"), delete(ONE)]
    assert [None, [], 0] == seen(said, reading(hget(other, "color"), TAGS, read(other, "tags", "SCARD")))


def test_what_was_deleted_and_created_again_holds_what_was_said_since() -> None:
    """What the server holds of it goes with the deletion."""
    again = Identity(SHOP, "x", State.CREATED, 1)
    said = [delete(stored(SHOP, "x")), create(again, city="Rome")]
    assert ["Rome"] == seen(said, reading(hget(stored(SHOP, "x"), "city")))


@pytest.mark.parametrize("state", [State.DELETED, State.FORGOTTEN])
def test_a_handle_of_what_is_no_more_is_refused(state: State) -> None:
    """It was deleted, or made in a session that was rolled back."""
    with pytest.raises(DoesNotExist, match="Bike"):
        seen([], reading(hget(Identity(BIKE, "1", state), "color")))


# What cannot be known


def test_what_only_the_server_can_know_is_no_answer() -> None:
    """The error names the read, the writes, and the way out; what they do not concern is answered."""
    said = [write(ONE, "wheels", Opaque(fallible=True), "INCRBYFLOAT", "0.1")]
    with pytest.raises(PendingWrites) as caught:
        seen(said, reading(get(ONE, "wheels")))
    assert (
        "Bike <1>.wheels.get cannot be answered before the commit: only Redis can know the result of Bike "
        "<1>.wheels.incrbyfloat. Way out: commit first, or read before you write"
    ) == str(caught.value)
    assert ["3"] == seen(said, reading(get(ONE, "price")), {("GET", ":bike:1:price"): "3"})
    assert ["1"] == seen([*said, put(ONE, "wheels", "1")], reading(get(ONE, "wheels")))


def test_the_neighbours_of_what_only_the_server_can_know_are_answered() -> None:
    """An entry beside one with a pending float increment is asked as it is; all of the hash cannot be known."""
    noted = stored(NOTED, "1")
    said = [write(noted, "notes", Opaque(("sum",), fallible=True), "HINCRBYFLOAT", "sum", "0.1")]
    beside = read(noted, "notes", "HGET", "text", members=("text",))
    assert ["x"] == seen(said, reading(beside), {("HGET", ":noted:1:notes", "text"): "x"})
    for unknown in (read(noted, "notes", "HGET", "sum", members=("sum",)), read(noted, "notes", "HGETALL")):
        with pytest.raises(PendingWrites, match="only Redis can know"):
            seen(said, reading(unknown))


def test_the_result_of_what_would_fail_is_no_answer() -> None:
    """The commit would be refused; the error says why."""
    with pytest.raises(PendingWrites) as caught:
        seen([INCR], reading(get(ONE, "price")), {("GET", ":bike:1:price"): "three"})
    assert (
        "Bike <1>.price.get cannot be answered: of Bike <1>.price.incr one would fail: value is not an integer or out "
        "of range"
    ) == str(caught.value)


def test_what_is_too_large_to_try_is_no_answer() -> None:
    """The error names how much is there, and the way out; what is known of it is answered all the same."""
    said = [sadd(ONE, "tags", "a")]
    with pytest.raises(PendingWrites, match=r"holds 3 members, more than are rehearsed, and Bike <1>.tags.sadd"):
        seen(said, reading(TAGS), {("SMEMBERS", ":bike:1:tags"): ["x", "y", "z"]}, rehearsed=2)
    assert [1] == seen(said, reading(read(ONE, "tags", "SISMEMBER", "a", members=("a",))), rehearsed=2)


def test_several_reads_are_answered_each_by_its_own_replies() -> None:
    """Told, tried and asked as they are, side by side."""
    said = [
        INCR,
        hset(ONE, "color", "blue"),
        sadd(ONE, "tags", "a"),
        write(ONE, "parts", Replaced((("b", "1"),)), "HSET"),
    ]
    reads = (get(ONE, "price"), hget(ONE, "name"), hget(ONE, "color"), read(ONE, "tags", "SCARD"), get(ONE, "wheels"))
    answers = {
        ("GET", ":bike:1:price"): "1",
        ("HGET", ":bike:1:hash", "name"): "n",
        ("SCARD", ":bike:1:tags"): 4,
        ("SISMEMBER", ":bike:1:tags", "a"): 0,
        ("GET", ":bike:1:wheels"): "2",
    }
    assert ["3", "n", "blue", 5, "2"] == seen(said, reading(*reads), answers)
