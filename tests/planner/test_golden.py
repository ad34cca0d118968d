"""Whole plans, to the letter: what was said, what follows from it, and what must not change meanwhile."""

from tests.planner.stage import (
    BIKE,
    ENDING,
    SHOP,
    THERE,
    check,
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
from uowredis.commands.changes import Removed
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan


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
          guard: the counter is right     SCARD :bike:collection
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


def test_what_is_created_is_counted_however_it_came_to_be() -> None:
    """One that was made, deleted and made again is new, as the other one."""
    first, again, other = (Identity(SHOP, pk, State.CREATED, n) for pk, n in (("x", 1), ("x", 2), ("y", 3)))
    answers = {("SMISMEMBER", ":shop:collection", "x", "y"): [0, 0]}
    said = [create(first), delete(first), create(again, city="Rome"), create(other, city="Rome")]
    assert str(planned(said, answers)).startswith("plan: 2 Shop created; ")


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
    """A chosen pk is looked up under its guard key, which the creation touches; what a stale handle left is deleted."""
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
          effect: new Shop begins with nothing         DEL :shop:x:hash
          said: Shop <x> created                       HSET :shop:x:hash city Rome
          effect: index Shop.city, new                 SADD :shop:city:Rome x
          effect: pks of Shop, new                     SADD :shop:collection x
          effect: guard key of a creation or deletion  SET :shop:__guard__:x ""
          effect: guard key of a creation or deletion  DEL :shop:__guard__:x
                                                       EXEC
        """,
    )


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
