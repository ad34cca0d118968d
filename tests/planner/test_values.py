"""Every index says what its field says: what is read for that, and which entries are left and entered."""

import pytest

from tests.planner.stage import (
    BIKE,
    ENDING,
    HOT,
    THERE,
    create,
    delete,
    hset,
    new,
    planned,
    put,
    sadd,
    steps,
    stored,
    write,
)
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Computed, Removed, Replaced


def test_an_update_to_the_same_value_makes_its_entry_right() -> None:
    """An index that was declared later, or lost, learns of what is said again."""
    plan = planned([hset(stored(BIKE, "1"), "color", "blue")], THERE | {("HGET", ":bike:1:hash", "color"): "blue"})
    assert [("HSET", ":bike:1:hash", "color", "blue"), ("SADD", ":bike:color:blue", "1")] == steps(plan)


def test_however_many_commands_touch_a_field_its_index_is_written_once() -> None:
    """Effects follow from the values after the last command; what was said is neither merged nor reordered."""
    bike = stored(BIKE, "1")
    said = [hset(bike, "color", "blue"), hset(bike, "color", "green"), hset(bike, "color", "black")]
    plan = planned(said, THERE | {("HGET", ":bike:1:hash", "color"): "red"})
    assert [
        ("HSET", ":bike:1:hash", "color", "blue"),
        ("HSET", ":bike:1:hash", "color", "green"),
        ("HSET", ":bike:1:hash", "color", "black"),
        ("SREM", ":bike:color:red", "1"),
        ("SADD", ":bike:color:black", "1"),
    ] == steps(plan)


def test_deletion_after_an_update_forgets_what_the_server_holds() -> None:
    """The index loses what was there before the session, and never gains what did not last."""
    bike = stored(BIKE, "1")
    plan = planned([hset(bike, "color", "blue"), delete(bike)], ENDING)
    assert [] == [call for call in steps(plan) if call[0] == "SADD"]
    assert ("SREM", ":bike:color:red", "1") in steps(plan)
    assert [] == [call for call in steps(plan) if "blue" in call[1]]


def test_computed_values_are_rehearsed() -> None:
    """INCRBY on an indexed field is sent as said; where it leads is computed from the value under watch."""
    bike = stored(BIKE, "1")
    incr = write(bike, "price", Computed(fallible=True), "INCRBY", "2")
    plan = planned([incr, incr], THERE | {("GET", ":bike:1:price"): "3"})
    assert (":bike:1:price", ":bike:__guard__:1") == plan.watched
    assert [
        ("INCRBY", ":bike:1:price", "2"),
        ("INCRBY", ":bike:1:price", "2"),
        ("SREM", ":bike:price:3", "1"),
        ("SADD", ":bike:price:7", "1"),
    ] == steps(plan)
    assert not plan.idempotent


def test_lists_keep_a_value_in_the_index_while_a_copy_remains() -> None:
    """LREM of one of two copies leaves its entry, and what it names is made right; LPOP and RPUSH move it."""
    bike = stored(BIKE, "1")
    said = [
        write(bike, "stages", Computed(), "LREM", "1", "x"),
        write(bike, "stages", Computed(), "LPOP"),
        write(bike, "stages", Added(("z",)), "RPUSH", "z"),
    ]
    plan = planned(said, THERE | {("LRANGE", ":bike:1:stages", "0", "-1"): ["y", "x", "x", "w"]})
    assert [
        ("LREM", ":bike:1:stages", "1", "x"),
        ("LPOP", ":bike:1:stages"),
        ("RPUSH", ":bike:1:stages", "z"),
        ("SREM", ":bike:stages:y", "1"),
        ("SADD", ":bike:stages:x", "1"),
        ("SADD", ":bike:stages:z", "1"),
    ] == steps(plan)
    assert "O(N): LREM" in str(plan).splitlines()[0]


def test_what_arguments_tell_is_not_read() -> None:
    """Sets, sorted sets and all copies in a list are known from the arguments; of a hash only the entries named are."""
    bike = stored(BIKE, "1")
    said = [
        sadd(bike, "tags", "fast", "big"),
        write(bike, "tags", Removed(("big",)), "SREM", "big"),
        write(bike, "races", Added(("tour",)), "ZADD", "1", "tour"),
        write(bike, "races", Removed(("giro",)), "ZREM", "giro"),
        write(bike, "stages", Removed(("x",)), "LREM", "0", "x"),
        write(bike, "parts", Replaced((("bell", "gold"), ("saddle", "red"))), "HSET", "bell", "gold", "saddle", "red"),
        write(bike, "parts", Removed(("saddle",)), "HDEL", "saddle"),
    ]
    plan = planned(said, THERE | {("HMGET", ":bike:1:parts", "bell", "saddle"): ["tin", None]})
    assert (":bike:1:parts", ":bike:__guard__:1") == plan.watched
    assert [
        ("SREM", ":bike:parts:bell:tin", "1"),
        ("SREM", ":bike:races:giro", "1"),
        ("SREM", ":bike:stages:x", "1"),
        ("SREM", ":bike:tags:big", "1"),
        ("SADD", ":bike:parts:bell:gold", "1"),
        ("SADD", ":bike:races:tour", "1"),
        ("SADD", ":bike:tags:fast", "1"),
    ] == steps(plan)[len(said) :]


def test_a_field_emptied_and_filled_again() -> None:
    """After DEL only what is said later remains; what is in again enters its index again."""
    bike = stored(BIKE, "1")
    said = [write(bike, "tags", Removed(None), "DEL"), sadd(bike, "tags", "big")]
    plan = planned(said, THERE | {("SMEMBERS", ":bike:1:tags"): ["fast", "big"]})
    assert [
        ("DEL", ":bike:1:tags"),
        ("SADD", ":bike:1:tags", "big"),
        ("SREM", ":bike:tags:fast", "1"),
        ("SADD", ":bike:tags:big", "1"),
    ] == steps(plan)


def test_lockable_false_plans_no_watch_for_its_fields() -> None:
    """Old values and unique claims of such fields are read without watch, their INCR is not tried; presence stays."""
    hot = stored(HOT, "1")
    said = [
        write(hot, "hits", Computed(fallible=True), "INCRBY", "1"),
        put(hot, "rank", "2"),
        hset(hot, "code", "k"),
    ]
    answers = {
        ("GET", ":hot:1:rank"): "1",
        ("HGET", ":hot:1:hash", "code"): None,
        ("SMEMBERS", ":hot:code:k"): [],
        ("SISMEMBER", ":hot:collection", "1"): 1,
    }
    plan = planned(said, answers)
    assert (":hot:__guard__:1",) == plan.watched
    assert [
        ("INCRBY", ":hot:1:hits", "1"),
        ("SET", ":hot:1:rank", "2"),
        ("HSET", ":hot:1:hash", "code", "k"),
        ("SREM", ":hot:rank:1", "1"),
        ("SADD", ":hot:code:k", "1"),
        ("SADD", ":hot:rank:2", "1"),
    ] == steps(plan)


def test_every_old_value_is_read_under_watch() -> None:
    """Whatever kind of field: else another could change it in between, and its entry would stay in the index."""
    bike = stored(BIKE, "1")
    said = {
        ":bike:1:hash": (hset(bike, "color", "blue"), ("HGET", ":bike:1:hash", "color"), None),
        ":bike:1:price": (put(bike, "price", "3"), ("GET", ":bike:1:price"), None),
        ":bike:1:tags": (
            write(bike, "tags", Removed(None), "DEL"),
            ("SMEMBERS", ":bike:1:tags"),
            [],
        ),
        ":bike:1:stages": (
            write(bike, "stages", Computed(), "LPOP"),
            ("LRANGE", ":bike:1:stages", "0", "-1"),
            ["a"],
        ),
        ":bike:1:parts": (
            write(bike, "parts", Replaced((("bell", "tin"),)), "HSET", "bell", "tin"),
            ("HGET", ":bike:1:parts", "bell"),
            None,
        ),
        ":bike:1:races": (
            write(bike, "races", Computed(), "ZREMRANGEBYRANK", "0", "0"),
            ("ZRANGE", ":bike:1:races", "0", "-1", "WITHSCORES"),
            ["a", "1"],
        ),
    }
    for key, (command, question, reply) in said.items():
        assert (key, ":bike:__guard__:1") == planned([command], THERE | {question: reply}).watched


def test_a_constructor_reads_nothing_for_its_index() -> None:
    """What a new object holds is what its constructor and the session say."""
    bike = new(BIKE, 1)
    said = [
        create(bike, sadd(bike, "tags", "a", "b"), color="red"),
        write(bike, "tags", Removed(("a",)), "SREM", "a"),
        write(bike, "price", Computed(fallible=True), "INCRBY", "2"),
        hset(bike, "color", "blue"),
    ]
    plan = planned(said, {}, first_pk=4)
    assert [(), ()] == [plan.watched, plan.reads]
    assert [
        ("SADD", ":bike:color:blue", "4"),
        ("SADD", ":bike:price:2", "4"),
        ("SADD", ":bike:tags:b", "4"),
        ("SADD", ":bike:collection", "4"),
    ] == steps(plan)[5:]


@pytest.mark.parametrize(("held", "left"), [(None, []), ("red", [("SREM", ":bike:color:red", "1")])])
def test_what_is_taken_out_of_a_field_leaves_its_index(held: str | None, left: list[Call]) -> None:
    """Where the field held nothing there is nothing to leave."""
    said = [write(stored(BIKE, "1"), "color", Removed(("color",)), "HDEL", "color")]
    assert left == steps(planned(said, THERE | {("HGET", ":bike:1:hash", "color"): held}))[1:]
