"""An index kind is one small class: what an index holds of an object, and whether its keys are sorted sets."""

import pytest

from tests.planner.stage import create, delete, model, new, planned, put, steps, stored
from uowredis.schema.index import Index, IndexEntry
from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, Kind
from uowredis.schema.ranges import score_of


class Numbers(Index):
    """Finds objects by ranges of numbers: one sorted set, with the value as score."""

    redis_type = "zset"

    def entry(self, keys: Keys, entry: str, value: str, pk: str) -> IndexEntry:
        return keys.index(self.field.stored, ""), pk, value


@pytest.mark.parametrize(
    ("spelled", "score"),
    [
        ("-0", "0"),
        ("0.0", "0"),
        ("-0.0", "0"),
        ("1e3", "1000"),
        ("2.50", "2.5"),
        ("inf", "inf"),
        ("nan", None),
        ("x", None),
    ],
)
def test_a_number_has_one_score(spelled: str, score: str | None) -> None:
    """However it is spelled; Redis tells -0 and 0 apart, and versions of it spell others in their own ways."""
    assert score == score_of(spelled)


BIKE = model("Bike", FieldSchema("price", Kind.STRING, indexed=True, declared=(Numbers,)))


def test_entries_are_subtracted_and_spelled_by_their_kind() -> None:
    """A change moves the object within the one key of the index, a deletion takes it out, a creation puts it in."""
    answers = {
        ("GET", ":bike:1:price"): "5",
        ("GET", ":bike:2:price"): "7",
        ("SMISMEMBER", ":bike:collection", "1", "2"): [1, 1],
    }
    said = [put(stored(BIKE, "1"), "price", "6"), delete(stored(BIKE, "2")), create(bike := new(BIKE, 1))]
    plan = planned([*said, put(bike, "price", "8")], answers, first_pk=3)
    effects = [step.call for step in plan if step.reason.startswith("effect: index")]
    assert [("ZREM", ":bike:price:", "1", "2"), ("ZADD", ":bike:price:", "8", "3", "6", "1")] == effects


def test_what_stays_is_no_entry_to_move() -> None:
    """The same score before and after is the same entry; it leaves nothing, and enters again."""
    answers = {("GET", ":bike:1:price"): "5", ("SISMEMBER", ":bike:collection", "1"): 1}
    assert [("SET", ":bike:1:price", "5"), ("ZADD", ":bike:price:", "5", "1")] == steps(
        planned([put(stored(BIKE, "1"), "price", "5")], answers)
    )
