"""What deletions take along, as a session sees it: objects that go with others, references that are cleared."""

from typing import Any

from tests.overlay.stage import asked, hget
from tests.planner.stage import delete, stored
from tests.planner.test_relations import ACCOUNT, ACCOUNT_OWNER, GROUP, PERSON
from uowredis.commands.query import Filter, Query
from uowredis.overlay.search import Search

#: What the planner asks to know who goes with owner 1.
GOING: dict[tuple[str, ...], Any] = {
    ("SMEMBERS", ":account:owner:1"): [b"4"],
    ("HGET", ":owner:1:hash", "name"): b"ann",
    ("SISMEMBER", ":owner:collection", "1"): 1,
    ("HGET", ":account:4:hash", "owner"): b"1",
    ("SMEMBERS", ":page:account:4"): [],
}


def test_what_goes_with_another_is_not_there() -> None:
    """Nobody said so; the planner is asked who refers, and what refers with CASCADE holds nothing and is not found."""
    said = [delete(stored(ACCOUNT_OWNER, "1"))]
    assert None is asked(said, hget(stored(ACCOUNT, "4"), "owner"), GOING)
    assert False is asked(said, lambda overlay: overlay.holds(ACCOUNT, "4"), GOING)
    there = GOING | {("SISMEMBER", ":account:collection", "5"): 1}
    assert True is asked(said, lambda overlay: overlay.holds(ACCOUNT, "5"), there)


def test_a_cleared_reference_is_none() -> None:
    """A foreign key to a deleted object reads as nothing, one to another object as it is."""
    said = [delete(stored(PERSON, "1"))]
    found = [
        asked(said, hget(stored(GROUP, "7"), "owner"), {("HGET", ":group:7:hash", "owner"): owner})
        for owner in (b"1", b"2")
    ]
    assert [None, b"2"] == found


def test_nobody_is_found_by_a_reference_to_what_is_deleted() -> None:
    """The index may say so still."""
    query = Query(GROUP, (Filter(GROUP.fields["owner"], ":group:owner:1"),))
    answers = {("SMEMBERS", ":group:owner:1"): [b"7"]}
    assert [] == asked([delete(stored(PERSON, "1"))], lambda overlay: Search(overlay, query).members(), answers)
