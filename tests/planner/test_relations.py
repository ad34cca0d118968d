"""No reference outlives what it refers to: what is asked, what follows in how many rounds, and what is refused."""

from textwrap import dedent
from typing import Any

import pytest

from tests.planner.referring import (
    ACCOUNT,
    ACCOUNT_OWNER,
    BADGE,
    BEARER,
    CLUB,
    GROUP,
    HOLDER,
    MEMBER,
    NOBODY,
    OWNED,
    OWNER_OF_8,
    PAGE,
    PASS,
    PERSON,
    PLAYER,
    SITE,
    STALL,
    STALL_OWNER,
    STRAY,
    owner_of,
)
from tests.planner.stage import InTurn, create, delete, hset, new, planned, sadd, stored, write
from uowredis import ArgumentError, DoesNotExist, RestrictedError, UniquenessError
from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Replaced
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan


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


#: What tells whether a field with many values says what its index says, and the answer where it does not, and does.
PROVEN = {
    "squad": (("SISMEMBER", ":league:7:squad", "1"), 0, 1),
    "bench": (("LPOS", ":league:7:bench", "1"), None, 0),
    "table": (("ZSCORE", ":league:7:table", "1"), None, "0"),
}


@pytest.mark.parametrize("field", PROVEN)
def test_a_member_keeps_its_object_only_where_the_field_has_it(field: str) -> None:
    """Where only the index says so, asked twice, the entry goes, and nothing is taken away of the field."""
    proof, no, yes = PROVEN[field]
    answers = {
        ("HGET", ":player:1:hash", "name"): None,
        ("SISMEMBER", ":player:collection", "1"): 1,
        **{("SMEMBERS", f":league:{name}:1"): ["7"] if name == field else [] for name in PROVEN},
    }
    plan = planned([delete(stored(PLAYER, "1"))], answers | {proof: InTurn(no, no)})
    assert [
        ("DEL", ":player:1:hash"),
        ("SREM", f":league:{field}:1", "7"),
        ("SREM", ":player:collection", "1"),
    ] == steps_but_guards(plan)
    assert proof[1] in plan.watched
    for reply in (yes, InTurn(no, yes)):
        with pytest.raises(RestrictedError, match=rf"League <7>.{field} refer"):
            planned([delete(stored(PLAYER, "1"))], answers | {proof: reply})


def test_what_contradicts_its_index_is_read_again_under_watch() -> None:
    """The entry may come true before EXEC without its key being touched; the later reply holds."""
    referred = NOBODY | {("SMEMBERS", ":group:owner:1"): ["7"]}
    elsewhere = planned(
        [delete(stored(PERSON, "1"))], referred | {("HGET", ":group:7:hash", "owner"): InTurn("2", "2")}
    )
    assert (4, True) == (elsewhere.round_trips, ":group:7:hash" in elsewhere.watched)
    assert [] == [call for call in steps_but_guards(elsewhere) if call[1] == ":group:7:hash"]
    true = planned([delete(stored(PERSON, "1"))], referred | {("HGET", ":group:7:hash", "owner"): InTurn("2", "1")})
    assert ("HDEL", ":group:7:hash", "owner") in steps_but_guards(true)
    kept = OWNED | {("SMEMBERS", ":page:account:4"): ["9"], ("GET", ":page:9:account"): InTurn("5", "4")}
    with pytest.raises(RestrictedError, match=r"Page <9>.account"):
        planned([delete(stored(ACCOUNT, "4"))], _of_account(kept))


def test_a_reference_that_agrees_with_its_index_needs_no_watch_of_its_own() -> None:
    """Whoever moves it leaves the index key, which is watched."""
    answers = NOBODY | {("SMEMBERS", ":group:owner:1"): ["7"], ("HGET", ":group:7:hash", "owner"): "1"}
    plan = planned([delete(stored(PERSON, "1"))], answers)
    assert (3, False) == (plan.round_trips, ":group:7:hash" in plan.watched)


def _of_account(answers: dict[Call, Any]) -> dict[Call, Any]:
    """Return those of *answers* that the deletion of account 4 alone asks for."""
    asked = (":account:4:hash", ":page:account:4", ":page:9:account")
    return {call: reply for call, reply in answers.items() if call[1] in asked} | {
        ("SISMEMBER", ":account:collection", "4"): 1
    }


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
          effect: guard key of a creation or deletion           MSET :account:__guard__:4 :account:__guard__:4 :owner:__guard__:1 :owner:__guard__:1
          effect: guard key of a creation or deletion           DEL :account:__guard__:4 :owner:__guard__:1
                                                                EXEC
    """  # noqa: E501
    lines = [" ".join(line.split()) for line in dedent(expected).strip().splitlines()]
    assert lines == [" ".join(line.split()) for line in str(plan).splitlines()]


def test_a_restricting_reference_refuses_the_plan() -> None:
    """It is found behind a cascade, too, and named."""
    answers = OWNED | {("SMEMBERS", ":page:account:4"): ["9"], ("GET", ":page:9:account"): "4"}
    with pytest.raises(RestrictedError, match=r"Account <4> cannot be deleted: Page <9>.account") as caught:
        planned([delete(stored(ACCOUNT_OWNER, "1"))], answers)
    assert (("Page", "9", "account"),) == caught.value.referrers


def test_a_refusal_says_what_refers_and_the_way_out() -> None:
    """To the letter; of many who refer ten are named."""
    answers = _of_account(OWNED) | {("SMEMBERS", ":page:account:4"): ["9"], ("GET", ":page:9:account"): "4"}
    with pytest.raises(RestrictedError) as caught:
        planned([delete(stored(ACCOUNT, "4"))], answers)
    assert (
        "Account <4> cannot be deleted: Page <9>.account refer to it (on_delete=RESTRICT); nothing was written. Way "
        "out: delete them, or have them refer to another, in the same session"
    ) == str(caught.value)
    pages = [f"{number:02}" for number in range(12)]
    answers |= {("GET", f":page:{page}:account"): "4" for page in pages} | {("SMEMBERS", ":page:account:4"): pages}
    del answers["GET", ":page:9:account"]
    with pytest.raises(RestrictedError, match=r"Page <00>.account, .* Page <09>.account and 2 more refer") as caught:
        planned([delete(stored(ACCOUNT, "4"))], answers)
    assert 12 == len(caught.value.referrers)


def test_a_restricting_reference_made_by_the_same_plan_refuses_it() -> None:
    """It is judged on the net result, whichever was said first."""
    page = new(PAGE, 1)
    referring = create(page, write(page, "account", Replaced((("", "4"),)), "SET", "4"))
    for said in ([referring, delete(stored(ACCOUNT, "4"))], [delete(stored(ACCOUNT, "4")), referring]):
        page.pk = None
        with pytest.raises(RestrictedError, match=r"Account <4> cannot be deleted: Page <1>.account refer"):
            planned(said, _of_account(OWNED))


def test_a_restricting_reference_that_the_same_plan_moves_is_none() -> None:
    """Page 9 refers to another account right after the commit."""
    answers = _of_account(OWNED) | {
        ("SMEMBERS", ":page:account:4"): ["9"],
        ("GET", ":page:9:account"): "4",
        ("SISMEMBER", ":page:collection", "9"): 1,
    }
    moved = write(stored(PAGE, "9"), "account", Replaced((("", "5"),)), "SET", "5")
    calls = steps_but_guards(planned([delete(stored(ACCOUNT, "4")), moved], answers))
    assert [("SREM", ":page:account:4", "9"), ("SADD", ":page:account:5", "9")] == [
        call for call in calls if call[1].startswith(":page:account:")
    ]


def test_a_claim_that_does_not_last_is_not_judged() -> None:
    """A unique reference that is made to what is deleted is cleared: whoever held that value is no obstacle."""
    said = [hset(stored(BADGE, "1"), "of", "3"), delete(stored(HOLDER, "3"))]
    answers = {
        ("HGET", ":badge:1:hash", "of"): None,
        ("SISMEMBER", ":badge:collection", "1"): 1,
        ("HGET", ":holder:3:hash", "name"): None,
        ("SISMEMBER", ":holder:collection", "3"): 1,
        ("SMEMBERS", ":badge:of:3"): ["2"],
        ("HGET", ":badge:2:hash", "of"): "3",
    }
    assert [
        ("HSET", ":badge:1:hash", "of", "3"),
        ("DEL", ":holder:3:hash"),
        ("HDEL", ":badge:1:hash", "of"),
        ("HDEL", ":badge:2:hash", "of"),
        ("SREM", ":badge:of:3", "2"),
        ("SREM", ":holder:collection", "3"),
    ] == steps_but_guards(planned(said, answers))
    # The same entry keeps it from the value where its holder stays.
    stays = {call: reply for call, reply in answers.items() if call[1].startswith(":badge:") and ":2:" not in call[1]}
    with pytest.raises(UniquenessError, match=r"Key :badge:of:3 already exists \(for instance 2\)"):
        planned(
            said[:1],
            stays | {("HGET", ":badge:2:hash", "of"): "3", ("SISMEMBER", ":badge:collection", "2"): 1},
        )


def test_what_goes_with_another_claims_nothing() -> None:
    """A unique value that it takes in the same plan is not judged, though another holds it."""
    said = [hset(stored(PASS, "4"), "code", "taken"), delete(stored(BEARER, "1"))]
    answers = {
        ("SISMEMBER", ":pass:collection", "4"): 1,
        ("SISMEMBER", ":bearer:collection", "1"): 1,
        ("HGET", ":pass:4:hash", "code"): "old",
        ("HGET", ":pass:4:hash", "bearer"): "1",
        ("SMEMBERS", ":pass:code:taken"): ["9"],
        ("SMEMBERS", ":pass:bearer:1"): ["4"],
    }
    calls = steps_but_guards(planned(said, answers))
    assert ("SREM", ":pass:code:old", "4") in calls
    assert [] == [call for call in calls if call[:2] == ("SADD", ":pass:code:taken")]


def test_the_deletion_of_a_missing_object_is_refused_though_others_refer_to_it() -> None:
    """What dangles is no reason to write."""
    answers = NOBODY | {
        ("SMEMBERS", ":group:members:1"): ["7"],
        ("SISMEMBER", ":person:collection", "1"): 0,
    }
    with pytest.raises(DoesNotExist, match=r"Person <1> does not exist"):
        planned([delete(stored(PERSON, "1"))], answers)


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


def test_a_restricting_reference_that_goes_a_step_later_is_none() -> None:
    """It is judged when all that goes is known: a leaf goes with its chapter; one of no chapter keeps the site."""
    answers: dict[Call, Any] = {
        ("SISMEMBER", ":site:collection", "1"): 1,
        ("SMEMBERS", ":chapter:site:1"): ["2"],
        ("HGET", ":chapter:2:hash", "site"): "1",
        ("SMEMBERS", ":leaf:site:1"): ["4"],
        ("GET", ":leaf:4:site"): "1",
    }
    going = {("SMEMBERS", ":leaf:chapter:2"): ["4"], ("HGET", ":leaf:4:hash", "chapter"): "2"}
    calls = steps_but_guards(planned([delete(stored(SITE, "1"))], answers | going))
    assert ("DEL", ":leaf:4:hash", ":leaf:4:site") in calls
    assert ("SREM", ":leaf:site:1", "4") in calls
    with pytest.raises(RestrictedError, match=r"Site <1> cannot be deleted: Leaf <4>.site refer"):
        planned([delete(stored(SITE, "1"))], answers | {("SMEMBERS", ":leaf:chapter:2"): []})


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


def test_a_checked_reference_to_what_is_not_there_says_so() -> None:
    """To the letter, with the way out."""
    answers = {
        ("HGET", ":account:4:hash", "owner"): None,
        ("SISMEMBER", ":account:collection", "4"): 1,
        ("SISMEMBER", ":owner:collection", "2"): 0,
    }
    with pytest.raises(DoesNotExist) as caught:
        planned([hset(stored(ACCOUNT, "4"), "owner", "2")], answers)
    assert (
        "Account <4>.owner would refer to Owner <2>, which does not exist (check=True); nothing was written. Way out: "
        "create it first, or in the same session"
    ) == str(caught.value)


def test_a_checked_reference_to_a_model_that_is_not_declared_is_refused() -> None:
    """Nothing of that model can be there; one that is said again is judged again."""
    answers = {("HGET", ":stray:4:hash", "owner"): "1", ("SISMEMBER", ":stray:collection", "4"): 1}
    with pytest.raises(DoesNotExist, match=r"Stray <4>.owner would refer to Nobody <2>, which is not declared on this"):
        planned([hset(stored(STRAY, "4"), "owner", "2")], answers)
    with pytest.raises(DoesNotExist, match="Nobody <1>"):
        planned([hset(stored(STRAY, "4"), "owner", "1")], answers)


def test_a_checked_reference_to_what_the_same_plan_creates_is_right() -> None:
    """Nobody is asked whether it is there; it will be."""
    owner, account = new(ACCOUNT_OWNER, 1), new(ACCOUNT, 1)
    plan = planned([create(owner, name="ann"), create(account, owner=owner.reference)], {}, first_pk=5)
    assert (("HSET", ":account:6:hash", "owner", "5"), ()) == (plan.steps[1].call, plan.reads)


def test_a_checked_reference_to_what_the_same_plan_deletes_goes_with_it() -> None:
    """The account is cascaded: nothing of it is indexed."""
    said = [create(new(ACCOUNT, 1), owner="1"), delete(stored(ACCOUNT_OWNER, "1"))]
    answers = {call: reply for call, reply in OWNED.items() if call[1].startswith(":owner:")}
    plan = planned(said, answers | {("SMEMBERS", ":account:owner:1"): []}, first_pk=6)
    assert ("DEL", ":account:6:hash") in steps_but_guards(plan)
    assert [] == [call for call in steps_but_guards(plan) if call[0] == "SADD"]


# A foreign key that is given as a value


INTO_7: dict[Call, Any] = {("HGET", ":group:7:hash", "owner"): "1", ("SISMEMBER", ":group:collection", "7"): 1}


def test_a_foreign_key_given_as_a_value_is_read_under_watch_before_all_else() -> None:
    """What else is asked depends on it; whoever changes it meanwhile is met."""
    plan = planned([hset(stored(GROUP, "7"), "owner", owner_of("8"))], INTO_7 | {OWNER_OF_8: "3"})
    assert [
        ("WATCH", ":group:8:hash"),
        OWNER_OF_8,
        ("WATCH", ":group:7:hash", ":group:__guard__:7"),
        ("HGET", ":group:7:hash", "owner"),
        ("SISMEMBER", ":group:collection", "7"),
        ("MULTI",),
        ("HSET", ":group:7:hash", "owner", "3"),
        ("SREM", ":group:owner:1", "7"),
        ("SADD", ":group:owner:3", "7"),
        ("EXEC",),
    ] == list(plan.calls())


def test_it_stands_wherever_a_value_stands() -> None:
    """In a constructor, among members, and given twice: it is read once."""
    crew = new(GROUP, 1)
    said = [
        create(
            crew, write(crew, "queue", Added((owner_of("8"), "2")), "RPUSH", owner_of("8"), "2"), owner=owner_of("8")
        ),
        sadd(crew, "members", owner_of("8")),
    ]
    plan = planned(said, {OWNER_OF_8: "3"}, first_pk=9)
    assert [OWNER_OF_8] == [call for call, _ in plan.reads]
    assert [
        ("HSET", ":group:9:hash", "owner", "3"),
        ("RPUSH", ":group:9:queue", "3", "2"),
        ("SADD", ":group:9:members", "3"),
        ("SADD", ":group:members:3", "9"),
        ("SADD", ":group:owner:3", "9"),
        ("SADD", ":group:queue:2", "9"),
        ("SADD", ":group:queue:3", "9"),
        ("SADD", ":group:collection", "9"),
    ] == steps_but_guards(plan)


def test_one_that_refers_to_nothing_is_no_value() -> None:
    """The error names it, and the way out."""
    with pytest.raises(ArgumentError) as caught:
        planned([hset(stored(GROUP, "7"), "owner", owner_of("8"))], {OWNER_OF_8: None})
    assert (
        "<Group <8>.owner> was given as a value and refers to nothing; nothing was written. Way out: give an object, "
        "or leave it out"
    ) == str(caught.value)


def test_one_that_refers_to_what_is_deleted_is_cleared_like_any_reference() -> None:
    """It is judged by the value that was read."""
    said = [sadd(stored(GROUP, "7"), "members", owner_of("8")), delete(stored(PERSON, "1"))]
    answers = NOBODY | {
        OWNER_OF_8: "1",
        ("SMEMBERS", ":group:owner:1"): ["8"],
        ("SISMEMBER", ":group:collection", "7"): 1,
    }
    calls = steps_but_guards(planned(said, answers))
    assert [("SREM", ":group:7:members", "1"), ("HDEL", ":group:8:hash", "owner")] == [
        call for call in calls if call[0] in ("SREM", "HDEL") and call[1] in (":group:7:members", ":group:8:hash")
    ]
    assert [] == [call for call in calls if call[:2] == ("SADD", ":group:members:1")]


# New objects


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
    counters = [(":person:collection", ":person:max_pk"), (":group:collection", ":group:max_pk")]
    counting = [call for there, last in counters for call in (("SCARD", there), ("INCRBY", last, "1"))]
    assert counting == list(plan.calls()[:4])
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


# What the index says of an object that the plan speaks of


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
