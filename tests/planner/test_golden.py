"""Whole plans, to the letter: what was said, what follows from it, and what must not change meanwhile."""

from textwrap import dedent

from tests.planner.stage import (
    BIKE,
    HOT,
    SHOP,
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
from uowredis.commands.changes import Added, Computed, Removed, Replaced
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan

THERE = {("SISMEMBER", ":bike:collection", "1"): 1}
#: All that a deletion of Bike 1 asks.
ENDING = THERE | {
    ("HGET", ":bike:1:hash", "name"): "mountain",
    ("HGET", ":bike:1:hash", "color"): "red",
    ("GET", ":bike:1:price"): None,
    ("SMEMBERS", ":bike:1:tags"): ["fast", "big"],
    ("LRANGE", ":bike:1:stages", "0", "-1"): ["b", "a", "b"],
    ("HGETALL", ":bike:1:parts"): ["bell", "gold"],
    ("ZRANGE", ":bike:1:races", "0", "-1", "WITHSCORES"): ["tour", "1"],
}


def check(plan: Plan, golden: str) -> None:
    assert dedent(golden).strip() == str(plan)


def test_creation() -> None:
    """New objects get their pks by one INCRBY in the first round; entries of a constructor are one HSET."""
    first, second = new(BIKE, 1), new(BIKE, 2)
    said = [
        create(first, sadd(first, "tags", "fast", "big"), name="mountain", color="red"),
        create(second, name="city", color="red"),
        put(second, "wheels", "3"),
    ]
    plan = planned(said, {("SMEMBERS", ":bike:name:mountain"): [], ("SMEMBERS", ":bike:name:city"): []}, first_pk=7)
    check(
        plan,
        """
        plan: 2 Bike created; 2 round trips; atomic, idempotent
          guard: nothing of this changes  WATCH :bike:name:mountain :bike:name:city
          new primary keys                INCRBY :bike:max_pk 2
          guard: Bike.name is unique      SMEMBERS :bike:name:mountain -> (empty)
          guard: Bike.name is unique      SMEMBERS :bike:name:city     -> (empty)
                                          MULTI
          said: Bike <7> created          HSET :bike:7:hash name mountain color red
          said: Bike <7> created          SADD :bike:7:tags fast big
          said: Bike <8> created          HSET :bike:8:hash name city color red
          said: Bike <8>.wheels.set       SET :bike:8:wheels 3
          effect: index Bike.color, new   SADD :bike:color:red 7 8
          effect: index Bike.name, new    SADD :bike:name:city 8
          effect: index Bike.name, new    SADD :bike:name:mountain 7
          effect: index Bike.tags, new    SADD :bike:tags:big 7
          effect: index Bike.tags, new    SADD :bike:tags:fast 7
          effect: pks of Bike, new        SADD :bike:collection 7 8
                                          EXEC
        """,
    )
    assert [0, 0, 1, 2, None, None, None, None, None, None] == [step.command for step in plan]


def test_indexed_update() -> None:
    """An update reads the old value and the presence under watch, and moves the object between index keys."""
    plan = planned([hset(stored(BIKE, "1"), "color", "blue")], THERE | {("HGET", ":bike:1:hash", "color"): "red"})
    check(
        plan,
        """
        plan: Bike <1> changed; 2 round trips; atomic, idempotent
          guard: nothing of this changes  WATCH :bike:1:hash :bike:__guard__:1
          before: Bike.color              HGET :bike:1:hash color      -> red
          guard: Bike is there            SISMEMBER :bike:collection 1 -> 1
                                          MULTI
          said: Bike <1>.color.hset       HSET :bike:1:hash color blue
          effect: index Bike.color, old   SREM :bike:color:red 1
          effect: index Bike.color, new   SADD :bike:color:blue 1
                                          EXEC
        """,
    )
    assert (
        ("WATCH", ":bike:1:hash", ":bike:__guard__:1"),
        ("HGET", ":bike:1:hash", "color"),
        ("SISMEMBER", ":bike:collection", "1"),
        ("MULTI",),
        ("HSET", ":bike:1:hash", "color", "blue"),
        ("SREM", ":bike:color:red", "1"),
        ("SADD", ":bike:color:blue", "1"),
        ("EXEC",),
    ) == plan.calls()


def test_an_update_to_the_same_value_leaves_the_index_alone() -> None:
    """The index keys are one subtraction: what is there before and after is not touched."""
    plan = planned([hset(stored(BIKE, "1"), "color", "blue")], THERE | {("HGET", ":bike:1:hash", "color"): "blue"})
    assert [("HSET", ":bike:1:hash", "color", "blue")] == steps(plan)


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


def test_deletion() -> None:
    """A deletion reads every indexed field under watch, deletes all keys, and touches the guard key last."""
    plan = planned([delete(stored(BIKE, "1"))], ENDING)
    check(
        plan,
        """
        plan: Bike <1> deleted; 2 round trips; atomic, idempotent; O(N): DEL
          guard: nothing of this changes               WATCH :bike:1:hash :bike:1:price :bike:1:tags :bike:1:stages :bike:1:parts :bike:1:races :bike:__guard__:1
          before: Bike.name                            HGET :bike:1:hash name               -> mountain
          before: Bike.color                           HGET :bike:1:hash color              -> red
          before: Bike.price                           GET :bike:1:price                    -> (nil)
          before: Bike.tags                            SMEMBERS :bike:1:tags                -> [big, fast]
          before: Bike.stages                          LRANGE :bike:1:stages 0 -1           -> [b, a, b]
          before: Bike.parts                           HGETALL :bike:1:parts                -> [bell, gold]
          before: Bike.races                           ZRANGE :bike:1:races 0 -1 WITHSCORES -> [tour, 1]
          guard: Bike is there                         SISMEMBER :bike:collection 1         -> 1
                                                       MULTI
          said: Bike <1> deleted                       DEL :bike:1:hash :bike:1:parts :bike:1:price :bike:1:races :bike:1:stages :bike:1:tags :bike:1:wheels
          effect: index Bike.color, old                SREM :bike:color:red 1
          effect: index Bike.name, old                 SREM :bike:name:mountain 1
          effect: index Bike.parts, old                SREM :bike:parts:bell:gold 1
          effect: index Bike.races, old                SREM :bike:races:tour 1
          effect: index Bike.stages, old               SREM :bike:stages:a 1
          effect: index Bike.stages, old               SREM :bike:stages:b 1
          effect: index Bike.tags, old                 SREM :bike:tags:big 1
          effect: index Bike.tags, old                 SREM :bike:tags:fast 1
          effect: pks of Bike, old                     SREM :bike:collection 1
          effect: guard key of a creation or deletion  SET :bike:__guard__:1 ""
          effect: guard key of a creation or deletion  DEL :bike:__guard__:1
                                                       EXEC
        """,  # noqa: E501  # these lines are a plan's
    )


def test_deletion_after_an_update_forgets_what_the_server_holds() -> None:
    """The index loses what was there before the session, and never gains what did not last."""
    bike = stored(BIKE, "1")
    plan = planned([hset(bike, "color", "blue"), delete(bike)], ENDING)
    assert [] == [call for call in steps(plan) if call[0] == "SADD"]
    assert ("SREM", ":bike:color:red", "1") in steps(plan)
    assert [] == [call for call in steps(plan) if "blue" in call[1]]


def test_deletion_and_re_creation() -> None:
    """The keys go where delete() was said, so that what is created after it survives; the set of pks stays as it is."""
    again = Identity(SHOP, "x", State.CREATED, 1)
    answers = {("HGET", ":shop:x:hash", "city"): "Bern", ("SISMEMBER", ":shop:collection", "x"): 1}
    plan = planned([delete(stored(SHOP, "x")), create(again, city="Rome")], answers)
    check(
        plan,
        """
        plan: Shop <x> replaced; 2 round trips; atomic, idempotent; O(N): DEL
          guard: nothing of this changes               WATCH :shop:x:hash :shop:__guard__:x
          before: Shop.city                            HGET :shop:x:hash city       -> Bern
          guard: Shop is there                         SISMEMBER :shop:collection x -> 1
                                                       MULTI
          said: Shop <x> deleted                       DEL :shop:x:hash
          said: Shop <x> created                       HSET :shop:x:hash city Rome
          effect: index Shop.city, old                 SREM :shop:city:Bern x
          effect: index Shop.city, new                 SADD :shop:city:Rome x
          effect: guard key of a creation or deletion  SET :shop:__guard__:x ""
          effect: guard key of a creation or deletion  DEL :shop:__guard__:x
                                                       EXEC
        """,
    )


def test_creation_with_a_chosen_pk() -> None:
    """A chosen pk is looked up under its guard key, which the creation touches; nothing of it costs O(N)."""
    plan = planned(
        [create(Identity(SHOP, "x", State.CREATED, 1), city="Rome")], {("SISMEMBER", ":shop:collection", "x"): 0}
    )
    check(
        plan,
        """
        plan: Shop <x> created; 2 round trips; atomic, idempotent
          guard: nothing of this changes               WATCH :shop:__guard__:x
          guard: new Shop                              SISMEMBER :shop:collection x -> 0
                                                       MULTI
          said: Shop <x> created                       HSET :shop:x:hash city Rome
          effect: index Shop.city, new                 SADD :shop:city:Rome x
          effect: pks of Shop, new                     SADD :shop:collection x
          effect: guard key of a creation or deletion  SET :shop:__guard__:x ""
          effect: guard key of a creation or deletion  DEL :shop:__guard__:x
                                                       EXEC
        """,
    )


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
    """LREM of one of two copies leaves the index alone; LPOP and RPUSH move it."""
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
    """After DEL only what is said later remains; what is in again stays in its index."""
    bike = stored(BIKE, "1")
    said = [write(bike, "tags", Removed(None), "DEL"), sadd(bike, "tags", "big")]
    plan = planned(said, THERE | {("SMEMBERS", ":bike:1:tags"): ["fast", "big"]})
    assert [("DEL", ":bike:1:tags"), ("SADD", ":bike:1:tags", "big"), ("SREM", ":bike:tags:fast", "1")] == steps(plan)


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


def test_what_is_made_and_unmade_in_one_session_leaves_no_entry() -> None:
    """An object created and deleted before the commit enters no index and no set of pks."""
    bike = new(BIKE, 1)
    plan = planned([create(bike, color="red"), delete(bike)], {})
    assert ["HSET", "DEL"] == [call[0] for call in steps(plan)]
    assert () == plan.watched


def test_equal_commands_give_equal_plans() -> None:
    """A plan depends on the commands and the answers, on nothing else, not even on the order of a set's members."""

    def plan(tags: list[str]) -> Plan:
        bike, other = stored(BIKE, "1"), new(BIKE, 1)
        said = [write(bike, "tags", Removed(None), "DEL"), create(other, color="red"), hset(bike, "note", "new")]
        return planned(said, THERE | {("SMEMBERS", ":bike:1:tags"): tags})

    assert plan(["c", "a", "b"]) == plan(["c", "a", "b"])
    assert str(plan(["c", "a", "b"])) == str(plan(["c", "a", "b"]))
    assert steps(plan(["c", "a", "b"])) == steps(plan(["b", "c", "a"]))
    assert plan(["c", "a", "b"]) != plan(["c", "a"])
