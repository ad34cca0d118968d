"""What goes with a deletion is gone for the session already: references, and whoever is deleted with it."""

from typing import Any

import pytest

from tests.overlay.stage import finding, get, hget, holding, read, reading, seen, whole_hash
from tests.planner.referring import ACCOUNT, ACCOUNT_OWNER, GROUP, PAGE, PERSON
from tests.planner.stage import create, delete, hset, new, sadd, stored, write
from uowredis.commands.calls import Call
from uowredis.commands.changes import Replaced
from uowredis.exceptions import PendingWrites

CREW = stored(GROUP, "7")
GONE = delete(stored(PERSON, "1"))
#: All that the end of owner 1, account 4 with it, asks.
OWNED: dict[Call, Any] = {
    ("SMEMBERS", ":account:owner:1"): ["4"],
    ("HGET", ":owner:1:hash", "name"): "ann",
    ("SISMEMBER", ":owner:collection", "1"): 1,
    ("HGET", ":account:4:hash", "owner"): "1",
    ("SMEMBERS", ":page:account:4"): [],
}
OWNER_GONE = delete(stored(ACCOUNT_OWNER, "1"))


def test_references_to_what_is_deleted_are_not_read() -> None:
    """By every kind of field, as the commit will take them away; the others stay."""
    reads = (
        hget(CREW, "owner"),
        get(CREW, "founder"),
        read(CREW, "members", "SMEMBERS"),
        read(CREW, "queue", "LRANGE", "0", "-1"),
        read(CREW, "ranks", "ZRANGE", "0", "-1"),
    )
    answers = {
        ("HGET", ":group:7:hash", "owner"): "1",
        ("GET", ":group:7:founder"): "1",
        ("SMEMBERS", ":group:7:members"): ["1", "2"],
        ("LRANGE", ":group:7:queue", "0", "-1"): ["1", "2", "1"],
        ("ZRANGE", ":group:7:ranks", "0", "-1", "WITHSCORES"): ["1", "5", "2", "6"],
    }
    assert [None, None, ["2"], ["2"], ["2"]] == seen([GONE], reading(*reads), answers)


def test_references_to_others_are_read_as_they_are() -> None:
    """The deletion of another object of the model takes nothing of them away."""
    reads = (hget(CREW, "owner"), get(CREW, "founder"))
    answers = {("HGET", ":group:7:hash", "owner"): "2", ("GET", ":group:7:founder"): "3"}
    assert ["2", "3"] == seen([GONE], reading(*reads), answers)


def test_members_are_counted_without_those_that_are_deleted() -> None:
    """Whether they are among them is asked; a list is read whole for that."""
    reads = (read(CREW, "members", "SCARD"), read(CREW, "queue", "LLEN"))
    answers = {
        ("SCARD", ":group:7:members"): 10,
        ("SISMEMBER", ":group:7:members", "1"): 1,
        ("LRANGE", ":group:7:queue", "0", "-1"): ["1", "2", "1"],
    }
    assert [9, 1] == seen([GONE], reading(*reads), answers)


def test_a_reference_that_the_session_makes_goes_too() -> None:
    """Said before the deletion or after it."""
    made = [hset(CREW, "owner", "1"), sadd(CREW, "members", "1", "2")]
    members = {("SMEMBERS", ":group:7:members"): []}
    owner = {("HGET", ":group:7:hash", "owner"): None}
    for said in ([*made, GONE], [GONE, *made]):
        assert [None, ["2"]] == seen(
            said, reading(hget(CREW, "owner"), read(CREW, "members", "SMEMBERS")), members | owner
        )


def test_nothing_refers_to_what_is_deleted() -> None:
    """A query by such a reference finds nothing, whatever the index says: it is not asked."""
    assert [] == seen([GONE], finding(GROUP, owner="1"), {})
    assert ["8"] == seen([GONE], finding(GROUP, owner="2"), {("SMEMBERS", ":group:owner:2"): ["8"]})


def test_what_is_deleted_with_others_holds_nothing() -> None:
    """Its fields read as those of a deleted object, whatever they are; they are not asked for."""
    account = stored(ACCOUNT, "4")
    assert [None, []] == seen([OWNER_GONE], reading(hget(account, "owner"), whole_hash(account)), OWNED)


def test_what_is_deleted_with_others_is_not_there() -> None:
    """It is not found by a look-up, nor by a query; others of its model are."""
    assert False is seen([OWNER_GONE], holding(ACCOUNT, "4"), OWNED)
    assert True is seen([OWNER_GONE], holding(ACCOUNT, "5"), OWNED | {("SISMEMBER", ":account:collection", "5"): 1})
    listed = OWNED | {("SMEMBERS", ":account:collection"): ["4", "5"]}
    assert ["5"] == seen([OWNER_GONE], finding(ACCOUNT), listed)


def test_a_new_object_goes_with_what_it_refers_to() -> None:
    """A creation that refers to what the same session deletes is deleted with it."""
    made = create(new(ACCOUNT, 1), owner="1")
    assert ["<Account 1>"] == seen([made], finding(ACCOUNT), {("SMEMBERS", ":account:collection"): []})
    said = [made, OWNER_GONE]
    answers = {call: reply for call, reply in OWNED.items() if call[1].startswith(":owner:")} | {
        ("SMEMBERS", ":account:owner:1"): []
    }
    assert [] == seen(said, finding(ACCOUNT), answers | {("SMEMBERS", ":account:collection"): []})


def test_a_deletion_that_would_be_refused_is_no_answer() -> None:
    """What a page keeps cannot go, and so it is not known what will be there."""
    kept = OWNED | {("SMEMBERS", ":page:account:4"): ["9"], ("GET", ":page:9:account"): "4"}
    with pytest.raises(PendingWrites, match=r"What is deleted with others cannot be known .* Page <9>.account refer"):
        seen([OWNER_GONE], holding(ACCOUNT, "4"), kept)
    # It is known where the same session moves the page.
    moved = write(stored(PAGE, "9"), "account", Replaced((("", "5"),)), "SET", "5")
    assert False is seen([OWNER_GONE, moved], holding(ACCOUNT, "4"), kept | {("SISMEMBER", ":page:collection", "9"): 1})


def test_a_deletion_that_takes_nobody_along_asks_nothing() -> None:
    """Where references are only cleared, who is there is known from what was said."""
    assert False is seen([GONE], holding(PERSON, "1"))
    assert True is seen([GONE], holding(PERSON, "2"), {("SISMEMBER", ":person:collection", "2"): 1})
