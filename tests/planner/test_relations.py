"""Golden plans of relations: what is asked, what follows, in how many rounds."""

from textwrap import dedent

import pytest

from tests.planner.stage import create, delete, hset, model, new, planned, sadd, stored, write
from uowredis import DoesNotExist, RestrictedError
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Replaced
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan
from uowredis.schema.models import FieldSchema, Kind, ModelSchema, OnDelete, Relation


def related(to: ModelSchema, *declared: tuple[str, Kind, OnDelete, bool]) -> tuple[FieldSchema, ...]:
    """Return fields that refer to *to*: name, kind, on_delete, check."""
    return tuple(
        FieldSchema(name, kind, indexed=True, relation=Relation(to.name, on_delete, check, to))
        for name, kind, on_delete, check in declared
    )


def referring(name: str, fields: tuple[FieldSchema, ...], *, auto: bool = True) -> ModelSchema:
    """Return a model with *fields* that those they refer to know of."""
    schema = model(name, *fields, auto=auto)
    for field in fields:
        assert field.relation is not None
        assert field.relation.to is not None
        field.relation.to.referrers.append((schema, field))
    return schema


PERSON = model("Person", FieldSchema("name", Kind.ENTRY, indexed=True))
GROUP = referring(
    "Group",
    related(
        PERSON,
        ("owner", Kind.ENTRY, OnDelete.CLEAR, False),
        ("members", Kind.SET, OnDelete.CLEAR, False),
        ("queue", Kind.LIST, OnDelete.CLEAR, False),
        ("ranks", Kind.SORTED_SET, OnDelete.CLEAR, False),
        ("founder", Kind.STRING, OnDelete.CLEAR, False),
    ),
)
COUPLE = model(
    "Couple",
    FieldSchema("partner", Kind.ENTRY, indexed=True, unique=True, relation=Relation("Person", to=PERSON)),
)
#: Deleted with its person; its page keeps it from that.
ACCOUNT_OWNER = model("Owner", FieldSchema("name", Kind.ENTRY, indexed=True))
ACCOUNT = referring("Account", related(ACCOUNT_OWNER, ("owner", Kind.ENTRY, OnDelete.CASCADE, True)))
STALL_OWNER = model("Owner", FieldSchema("name", Kind.ENTRY, indexed=True))
STALL = referring("Stall", related(STALL_OWNER, ("owner", Kind.ENTRY, OnDelete.CASCADE, False)), auto=False)
MEMBER = model("Member", FieldSchema("name", Kind.ENTRY, indexed=True))
CLUB = referring("Club", related(MEMBER, ("members", Kind.SET, OnDelete.RESTRICT, False)))
PAGE = referring("Page", related(ACCOUNT, ("account", Kind.STRING, OnDelete.RESTRICT, False)))

BEARER = model("Bearer", FieldSchema("note", Kind.ENTRY))
BADGE = model(
    "Badge",
    *related(BEARER, ("bearer", Kind.ENTRY, OnDelete.CASCADE, False)),
    FieldSchema("code", Kind.ENTRY, indexed=True, unique=True),
)
BEARER.referrers.append((BADGE, BADGE.fields["bearer"]))

NOBODY = {("SMEMBERS", f":group:{name}:1"): [] for name in ("owner", "members", "queue", "ranks", "founder")} | {
    ("HGET", ":person:1:hash", "name"): None,
    ("SISMEMBER", ":person:collection", "1"): 1,
}


def steps_but_guards(plan: Plan) -> list[Call]:
    return [step.call for step in plan if "guard" not in step.reason]


def test_a_deletion_clears_every_kind_of_reference() -> None:
    """Two rounds: who refers, then what single values really hold; members are just taken away."""
    answers = NOBODY | {
        ("SMEMBERS", ":group:owner:1"): ["7"],
        ("SMEMBERS", ":group:members:1"): ["7", "8"],
        ("SMEMBERS", ":group:queue:1"): ["8"],
        ("SMEMBERS", ":group:ranks:1"): ["7"],
        ("SMEMBERS", ":group:founder:1"): ["7"],
        ("HGET", ":group:7:hash", "owner"): "1",
        ("GET", ":group:7:founder"): "1",
    }
    plan = planned([delete(stored(PERSON, "1"))], answers)
    assert [
        ("DEL", ":person:1:hash"),
        ("DEL", ":group:7:founder"),
        ("HDEL", ":group:7:hash", "owner"),
        ("SREM", ":group:7:members", "1"),
        ("ZREM", ":group:7:ranks", "1"),
        ("SREM", ":group:8:members", "1"),
        ("LREM", ":group:8:queue", "0", "1"),
        ("SREM", ":group:founder:1", "7"),
        ("SREM", ":group:members:1", "7", "8"),
        ("SREM", ":group:owner:1", "7"),
        ("SREM", ":group:queue:1", "8"),
        ("SREM", ":group:ranks:1", "7"),
        ("SREM", ":person:collection", "1"),
    ] == steps_but_guards(plan)
    assert 3 == plan.round_trips
    assert {":group:owner:1", ":group:members:1", ":person:1:hash", ":person:__guard__:1"} <= set(plan.watched)


def test_a_foreign_key_that_points_elsewhere_is_left_alone() -> None:
    """Where the index is stale its entry goes, and the value stays."""
    answers = NOBODY | {("SMEMBERS", ":group:owner:1"): ["7"], ("HGET", ":group:7:hash", "owner"): "2"}
    plan = planned([delete(stored(PERSON, "1"))], answers)
    assert [
        ("DEL", ":person:1:hash"),
        ("SREM", ":group:owner:1", "7"),
        ("SREM", ":person:collection", "1"),
    ] == steps_but_guards(plan)


@pytest.mark.parametrize("order", [1, -1], ids=["deleted-first", "moved-first"])
def test_a_reference_moved_by_the_same_plan_is_none(order: int) -> None:
    """It is judged on the net result: the reference to the other object stays."""
    said = [delete(stored(PERSON, "1")), hset(stored(GROUP, "7"), "owner", "2")][::order]
    answers = NOBODY | {
        ("SMEMBERS", ":group:owner:1"): ["7"],
        ("HGET", ":group:7:hash", "owner"): "1",
        ("SISMEMBER", ":group:collection", "7"): 1,
    }
    calls = steps_but_guards(planned(said, answers))
    assert ("HSET", ":group:7:hash", "owner", "2") in calls
    assert ("SREM", ":group:owner:1", "7") in calls
    assert ("SADD", ":group:owner:2", "7") in calls
    assert not [call for call in calls if call[0] == "HDEL"]


def test_a_reference_made_by_the_same_plan_is_cleared() -> None:
    """What was said is sent; the effect takes it away, and the index never hears of it."""
    said = [sadd(stored(GROUP, "7"), "members", "1", "2"), delete(stored(PERSON, "1"))]
    calls = steps_but_guards(planned(said, NOBODY | {("SISMEMBER", ":group:collection", "7"): 1}))
    assert [
        ("SADD", ":group:7:members", "1", "2"),
        ("DEL", ":person:1:hash"),
        ("SREM", ":group:7:members", "1"),
        ("SADD", ":group:members:2", "7"),
        ("SREM", ":person:collection", "1"),
    ] == calls


OWNED = {
    ("SMEMBERS", ":account:owner:1"): ["4"],
    ("HGET", ":owner:1:hash", "name"): "ann",
    ("SISMEMBER", ":owner:collection", "1"): 1,
    ("HGET", ":account:4:hash", "owner"): "1",
    ("SMEMBERS", ":page:account:4"): [],
}


def test_a_cascade_prints_with_its_reasons() -> None:
    """Each step along the graph is one round; what is deleted with others is a step like any other."""
    plan = planned([delete(stored(ACCOUNT_OWNER, "1"))], OWNED)
    expected = """
        plan: Owner <1> deleted, 1 Account deleted by cascade; 3 round trips; atomic, idempotent; O(N): DEL
          guard: nothing of this changes                        WATCH :account:owner:1 :owner:1:hash :owner:__guard__:1
          before: who refers to Owner <1> by Account.owner      SMEMBERS :account:owner:1     -> [4]
          before: Owner.name                                    HGET :owner:1:hash name       -> ann
          guard: Owner is there                                 SISMEMBER :owner:collection 1 -> 1
          guard: nothing of this changes                        WATCH :account:4:hash :page:account:4
          before: Account.owner                                 HGET :account:4:hash owner    -> 1
          before: who refers to Account <4> by Page.account     SMEMBERS :page:account:4      -> (empty)
                                                                MULTI
          said: Owner <1> deleted                               DEL :owner:1:hash
          effect: Account.owner referred to deleted Owner <1>   DEL :account:4:hash
          effect: index Account.owner, old                      SREM :account:owner:1 4
          effect: index Owner.name, old                         SREM :owner:name:ann 1
          effect: pks of Account, old                           SREM :account:collection 4
          effect: pks of Owner, old                             SREM :owner:collection 1
          effect: guard key of a creation or deletion           SET :account:__guard__:4 ""
          effect: guard key of a creation or deletion           DEL :account:__guard__:4
          effect: guard key of a creation or deletion           SET :owner:__guard__:1 ""
          effect: guard key of a creation or deletion           DEL :owner:__guard__:1
                                                                EXEC
    """
    lines = [" ".join(line.split()) for line in dedent(expected).strip().splitlines()]
    assert lines == [" ".join(line.split()) for line in str(plan).splitlines()]


def test_what_goes_with_another_claims_nothing() -> None:
    """A unique value that it takes in the same plan is not judged, though another holds it."""
    said = [hset(stored(BADGE, "4"), "code", "taken"), delete(stored(BEARER, "1"))]
    answers = {
        ("SISMEMBER", ":badge:collection", "4"): 1,
        ("SISMEMBER", ":bearer:collection", "1"): 1,
        ("HGET", ":badge:4:hash", "code"): "old",
        ("HGET", ":badge:4:hash", "bearer"): "1",
        ("SMEMBERS", ":badge:code:taken"): ["9"],
        ("SMEMBERS", ":badge:bearer:1"): ["4"],
    }
    plan = planned(said, answers)
    assert ("SREM", ":badge:code:old", "4") in steps_but_guards(plan)
    assert not [call for call in steps_but_guards(plan) if call[:2] == ("SADD", ":badge:code:taken")]


def test_a_restricting_reference_refuses_the_plan() -> None:
    """It is found behind a cascade, too, and named."""
    answers = OWNED | {("SMEMBERS", ":page:account:4"): ["9"], ("GET", ":page:9:account"): "4"}
    with pytest.raises(RestrictedError, match=r"Account <4> cannot be deleted: Page <9>.account") as caught:
        planned([delete(stored(ACCOUNT_OWNER, "1"))], answers)
    assert (("Page", "9", "account"),) == caught.value.referrers


def test_a_restricting_reference_that_goes_too_is_none() -> None:
    """The order of the commands does not matter."""
    answers = OWNED | {
        ("SMEMBERS", ":page:account:4"): ["9"],
        ("GET", ":page:9:account"): "4",
        ("SISMEMBER", ":page:collection", "9"): 1,
    }
    calls = steps_but_guards(planned([delete(stored(ACCOUNT_OWNER, "1")), delete(stored(PAGE, "9"))], answers))
    assert ("DEL", ":page:9:account") in calls
    assert ("DEL", ":account:4:hash") in calls


def test_a_checked_reference_asks_for_its_object_in_the_first_round() -> None:
    """Its guard key is watched, so that a deletion of it meanwhile is seen."""
    said = [hset(stored(ACCOUNT, "4"), "owner", "2")]
    answers = {
        ("HGET", ":account:4:hash", "owner"): "1",
        ("SISMEMBER", ":account:collection", "4"): 1,
        ("SISMEMBER", ":owner:collection", "2"): 1,
    }
    plan = planned(said, answers)
    assert 2 == plan.round_trips
    assert ":owner:__guard__:2" in plan.watched
    with pytest.raises(DoesNotExist, match=r"Account <4>.owner would refer to Owner <2>, which does not exist"):
        planned(said, answers | {("SISMEMBER", ":owner:collection", "2"): 0})


def test_new_objects_refer_to_each_other_by_the_keys_that_are_counted_first() -> None:
    """A placeholder in a command becomes the primary key before anything is asked."""
    ann, crew = new(PERSON, 1), new(GROUP, 1)
    said = [
        create(ann, name="ann"),
        create(crew, owner=ann.reference),
        write(crew, "founder", Replaced((("", ann.reference),)), "SET", ann.reference),
        write(crew, "queue", Added((ann.reference,)), "RPUSH", ann.reference),
    ]
    plan = planned(said, {}, first_pk=5)
    assert [("INCRBY", ":person:max_pk", "1"), ("INCRBY", ":group:max_pk", "1")] == list(plan.calls()[:2])
    assert [(), ()] == [plan.watched, plan.reads]
    assert [
        ("HSET", ":person:5:hash", "name", "ann"),
        ("HSET", ":group:6:hash", "owner", "5"),
        ("SET", ":group:6:founder", "5"),
        ("RPUSH", ":group:6:queue", "5"),
        ("SADD", ":group:founder:5", "6"),
        ("SADD", ":group:owner:5", "6"),
        ("SADD", ":group:queue:5", "6"),
        ("SADD", ":person:name:ann", "5"),
        ("SADD", ":group:collection", "6"),
        ("SADD", ":person:collection", "5"),
    ] == [step.call for step in plan]


def test_equal_commands_give_equal_plans() -> None:
    """Whatever the order in which the server names the members of a set."""
    answers = NOBODY | {("HGET", f":group:{pk}:hash", "owner"): "1" for pk in ("7", "8", "9")}

    def plan(*pks: str) -> list[Call]:
        said = [delete(Identity(PERSON, "1"))]
        return steps_but_guards(planned(said, answers | {("SMEMBERS", ":group:owner:1"): list(pks)}))

    assert plan("7", "8", "9") == plan("9", "7", "8")


def test_a_stale_entry_of_a_new_object_is_taken_away() -> None:
    """What is created has what its commands say, whatever the index said of that primary key before."""
    shop = Identity(STALL, "s", State.CREATED, 1)
    answers = {
        ("SMEMBERS", ":stall:owner:1"): ["s"],
        ("HGET", ":owner:1:hash", "name"): None,
        ("SISMEMBER", ":owner:collection", "1"): 1,
        ("SISMEMBER", ":stall:collection", "s"): 0,
    }
    calls = steps_but_guards(planned([create(shop), delete(stored(STALL_OWNER, "1"))], answers))
    assert [
        ("SREM", ":stall:owner:1", "s"),
        ("SREM", ":owner:collection", "1"),
        ("SADD", ":stall:collection", "s"),
    ] == [call for call in calls if call[0] != "DEL"]


def test_a_member_that_is_added_keeps_its_object() -> None:
    """Where the index is stale and the same plan makes the reference true, it restricts the deletion."""
    said = [sadd(stored(CLUB, "7"), "members", "1"), delete(stored(MEMBER, "1"))]
    answers = {
        ("SMEMBERS", ":club:members:1"): ["7"],
        ("HGET", ":member:1:hash", "name"): None,
        ("SISMEMBER", ":member:collection", "1"): 1,
        ("SISMEMBER", ":club:collection", "7"): 1,
    }
    with pytest.raises(RestrictedError, match=r"Club <7>.members refer"):
        planned(said, answers)
