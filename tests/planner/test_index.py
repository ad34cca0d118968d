"""Who enters and who leaves which set of primary keys: one subtraction a field, merged by key, in the order of keys."""

from tests.planner.stage import BIKE, SHOP, THERE, create, delete, hset, new, planned, put, sadd, steps, stored, write
from uowredis.commands.changes import Added, Removed, Replaced
from uowredis.commands.identity import Identity, State


def test_what_enters_one_key_is_one_call() -> None:
    """However many objects, whatever kind of write brought them; new objects and others."""
    other = new(BIKE, 2)
    said = [
        create(new(BIKE, 1), color="red"),
        hset(stored(BIKE, "1"), "color", "red"),
        create(other, note="x"),
        hset(other, "color", "red"),
    ]
    plan = planned(said, THERE | {("HGET", ":bike:1:hash", "color"): "blue"}, first_pk=7)
    entered = [call for call in steps(plan) if call[:2] == ("SADD", ":bike:color:red")]
    assert [{"7", "8", "1"}] == [set(call[2:]) for call in entered]


def test_what_leaves_one_key_is_one_call() -> None:
    """Objects that change and one that is emptied leave together."""
    said = [
        hset(stored(BIKE, "1"), "color", "blue"),
        write(stored(BIKE, "2"), "color", Removed(("color",)), "HDEL", "color"),
    ]
    answers = {("HGET", f":bike:{pk}:hash", "color"): "red" for pk in ("1", "2")}
    plan = planned(said, answers | {("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1]})
    assert [("SREM", ":bike:color:red", "1", "2"), ("SADD", ":bike:color:blue", "1")] == steps(plan)[2:]


def test_effects_stand_in_the_order_of_their_keys() -> None:
    """Behind all that was said: first what is left, then what is entered, then the collections, then the guards."""
    gone, made = stored(SHOP, "x"), Identity(SHOP, "y", State.CREATED, 1)
    bike = stored(BIKE, "1")
    said = [sadd(bike, "tags", "z", "a"), create(made, city="Rome"), delete(gone), hset(bike, "color", "blue")]
    answers = THERE | {
        ("HGET", ":bike:1:hash", "color"): "red",
        ("HGET", ":shop:x:hash", "city"): "Bern",
        ("SMISMEMBER", ":shop:collection", "y", "x"): [0, 1],
    }
    assert [
        ("SADD", ":bike:1:tags", "z", "a"),
        ("DEL", ":shop:y:hash"),
        ("HSET", ":shop:y:hash", "city", "Rome"),
        ("DEL", ":shop:x:hash"),
        ("HSET", ":bike:1:hash", "color", "blue"),
        ("SREM", ":bike:color:red", "1"),
        ("SREM", ":shop:city:Bern", "x"),
        ("SADD", ":bike:color:blue", "1"),
        ("SADD", ":bike:tags:a", "1"),
        ("SADD", ":bike:tags:z", "1"),
        ("SADD", ":shop:city:Rome", "y"),
        ("SREM", ":shop:collection", "x"),
        ("SADD", ":shop:collection", "y"),
        ("MSET", ":shop:__guard__:x", ":shop:__guard__:x", ":shop:__guard__:y", ":shop:__guard__:y"),
        ("DEL", ":shop:__guard__:x", ":shop:__guard__:y"),
    ] == steps(planned(said, answers))


def test_the_index_of_a_hash_names_entry_and_value() -> None:
    """Two entries with one value are two entries of the index; another value of an entry is another."""
    said = [write(stored(BIKE, "1"), "parts", Replaced((("a", "x"), ("b", "x"))), "HSET", "a", "x", "b", "x")]
    plan = planned(said, THERE | {("HMGET", ":bike:1:parts", "a", "b"): ["x", "y"]})
    assert [
        ("SREM", ":bike:parts:b:y", "1"),
        ("SADD", ":bike:parts:a:x", "1"),
        ("SADD", ":bike:parts:b:x", "1"),
    ] == steps(plan)[1:]


def test_members_are_indexed_without_their_scores() -> None:
    """A sorted set is found by its members."""
    said = [write(stored(BIKE, "1"), "races", Added(("tour",)), "ZADD", "7", "tour")]
    assert [("ZADD", ":bike:1:races", "7", "tour"), ("SADD", ":bike:races:tour", "1")] == steps(planned(said, THERE))


def test_a_field_without_index_has_no_effect() -> None:
    """What was said is all that is sent."""
    bike = stored(BIKE, "1")
    said = [hset(bike, "note", "x"), put(bike, "wheels", "3")]
    assert [("HSET", ":bike:1:hash", "note", "x"), ("SET", ":bike:1:wheels", "3")] == steps(planned(said, THERE))


def test_the_empty_text_is_a_value() -> None:
    """It has an index key of its own, which is left and entered like any other."""
    plan = planned([hset(stored(BIKE, "1"), "color", "")], THERE | {("HGET", ":bike:1:hash", "color"): "red"})
    assert [("SREM", ":bike:color:red", "1"), ("SADD", ":bike:color:", "1")] == steps(plan)[1:]
    plan = planned([hset(stored(BIKE, "1"), "color", "red")], THERE | {("HGET", ":bike:1:hash", "color"): ""})
    assert [("SREM", ":bike:color:", "1"), ("SADD", ":bike:color:red", "1")] == steps(plan)[1:]
