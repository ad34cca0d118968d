"""Errors are data: they can be copied, pickled, and sent to another process with all that they carry."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import products
from uowredis import (
    Conflict,
    NotReplicated,
    OutcomeUnknown,
    PartiallyApplied,
    Plan,
    RedisDatabase,
    RestrictedError,
    Session,
    Token,
    UniquenessError,
    UnreadableValue,
    UowError,
    exceptions,
)

#: Those with attributes of their own, filled.
CARRYING = [
    Conflict("c", ["k"], ["w", "k"], ["Bike <1>.name"]),
    UniquenessError("u", field="name", value="v", key=":bike:name:v", pk="1"),
    RestrictedError("r", referrers=[("Group", "1", "owner")]),
    PartiallyApplied("p", [1, ValueError("x")]),
    OutcomeUnknown("o", token=Token(":bike:__commit__:a", 1.5, 60)),
    NotReplicated("n", replicas=1),
    UnreadableValue("v", model="Bike", pk="1", field="year", text="x"),
]
PLAIN = [
    error(f"a {name}")
    for name, error in vars(exceptions).items()
    if isinstance(error, type) and issubclass(error, UowError) and not any(isinstance(e, error) for e in CARRYING)
]
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
    "old pickle": lambda error: pickle.loads(pickle.dumps(error, 0)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("error", [*CARRYING, *PLAIN], ids=lambda error: type(error).__name__)
def test_an_error_goes_through_with_all_it_carries(error: UowError, way: Callable[[Any], Any]) -> None:
    """Its kind, its text, its attributes, its notes."""
    given, error = error, copy.copy(error)
    assert (str(given), given.args) == (str(error), error.args)
    error.add_note("a note")
    again = way(error)
    assert (type(error), str(error), repr(vars(error))) == (type(again), str(again), repr(vars(again)))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_refused_commit_goes_through_with_its_plan(way: Callable[[Any], Any]) -> None:
    """The plan that was tried is there for looking; it compares equal and prints the same."""
    on = RedisDatabase.embedded()
    product = products(on)
    bread = product(name="bread")
    with Session(on) as session:
        bread.stock.incr()
        bread.tags.sadd("a")
        product(name="milk")
        plan = session.plan()
        session.rollback()
    error = Conflict("others changed it")
    error.plan = plan
    again: Plan = way(error).plan
    assert (plan, str(plan), plan.calls()) == (again, str(again), again.calls())


def test_a_message_has_a_bounded_length() -> None:
    """It begins with what happened, ends with the way out, and says what was cut."""
    on = RedisDatabase.embedded()
    product = products(on)
    product(name="x" * 1_000_000)
    with pytest.raises(UniquenessError) as caught:
        product(name="x" * 1_000_000)
    notes = caught.value.__notes__
    assert all(len(text) <= exceptions.MOST_CHARACTERS for text in (str(caught.value), *notes))
    assert str(caught.value).startswith("Key :product:name:xxx")
    assert "cut: 1,0" in str(caught.value)
    assert str(caught.value).endswith("already exists (for instance 1)")
    assert "x" * 1_000_000 == caught.value.value
