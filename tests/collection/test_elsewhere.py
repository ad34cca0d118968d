"""A collection that stands on what is on another database: that is asked there, and found here."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend, Embedded
from uowredis import InstanceHashField, RedisDatabase, RedisModel


def person(on: RedisDatabase) -> Any:
    """Declare a model with one indexed field."""
    return type("Person", (RedisModel,), {"database": on, "name": InstanceHashField(indexable=True)})


ASKED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a filter": lambda here, one, _: here.collection(name=one.name),
    "what is left out": lambda here, one, _: here.collection().exclude(name=one.name),
    "a collection": lambda here, _, there: here.collection().intersect(there.collection(name="x")),
}


@pytest.mark.parametrize(("ask", "expected"), [*zip(ASKED.values(), (["2"], ["1"], ["1"]), strict=True)], ids=ASKED)
@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a session"])
def test_what_is_on_another_database(server: Backend, ask: Any, expected: list[str], inside: bool) -> None:
    """A field's value, and the primary keys of a collection, as they are there; also over what is pending here."""
    other = Embedded()
    here, there = person(server.database()), person(other.database())
    one = there(name="x")
    for name in ("y", "x"):
        here(name=name)
    if inside:
        with here.database.begin():
            assert expected == list(ask(here, one, there))
    else:
        assert expected == list(ask(here, one, there))
    other.close()
