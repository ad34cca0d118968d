"""A foreign key given as a value is read when an answer depends on it, and stands for what it holds."""

import pytest

from tests.overlay.stage import finding, hget, read, reading, seen
from tests.planner.referring import GROUP, OWNER_OF_8, owner_of
from tests.planner.stage import create, hset, new, sadd, stored
from uowredis.exceptions import PendingWrites

CREW = stored(GROUP, "7")
GIVEN = hset(CREW, "owner", owner_of("8"))


def test_it_is_asked_for_and_is_the_answer() -> None:
    """Of the field to which it was given nothing is asked."""
    assert ["3"] == seen([GIVEN], reading(hget(CREW, "owner")), {OWNER_OF_8: "3"})


def test_it_is_a_member_like_any_other() -> None:
    """What was there stays, and it is counted and found once."""
    said = [sadd(CREW, "members", owner_of("8"), "2")]
    members = {("SMEMBERS", ":group:7:members"): ["3", "4"]}
    (found,) = seen(said, reading(read(CREW, "members", "SMEMBERS")), members | {OWNER_OF_8: "3"})
    assert ["2", "3", "4"] == sorted(found)
    asked = read(CREW, "members", "SISMEMBER", "3", members=("3",))
    assert [1] == seen(said, reading(asked), {OWNER_OF_8: "3"})


def test_a_query_finds_by_what_it_holds() -> None:
    """New objects and stored ones."""
    said = [GIVEN, create(new(GROUP, 1), owner=owner_of("8"))]
    answers = {
        OWNER_OF_8: "3",
        ("SMEMBERS", ":group:owner:3"): [],
        ("HGET", ":group:7:hash", "owner"): "1",
        ("SISMEMBER", ":group:owner:3", "7"): 0,
    }
    assert ["7", "<Group 1>"] == seen(said, finding(GROUP, owner="3"), answers)


def test_one_that_refers_to_nothing_leaves_no_answer() -> None:
    """The commit would be refused; the error says why."""
    with pytest.raises(PendingWrites, match=r"<Group <8>.owner> was given as a value and refers to nothing"):
        seen([GIVEN], reading(hget(CREW, "owner")), {OWNER_OF_8: None})
