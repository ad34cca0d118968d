"""Queries over pending writes: the server answers for what the session did not touch, the rest is judged here."""

from collections.abc import Callable
from typing import Any

from tests.overlay.stage import asked
from tests.planner.stage import BIKE, create, delete, hset, new, sadd, stored, write
from uowredis.commands.changes import Computed
from uowredis.commands.query import Filter, Query
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Search
from uowredis.plan.requests import Deciding

BIKE_1 = stored(BIKE, "1")


def red(field: str = "color", value: str = "red") -> Callable[[Overlay], Deciding[list[str]]]:
    query = Query(BIKE, (Filter(BIKE.fields[field], BIKE.index_key(BIKE.fields[field], "", value)),))
    return lambda overlay: Search(overlay, query).members()


RED = {("SMEMBERS", ":bike:color:red"): [b"1", b"2"]}


def is_red(reply: int) -> dict[tuple[str, ...], Any]:
    return {("SISMEMBER", ":bike:color:red", "1"): reply}


def held(color: str | None) -> dict[tuple[str, ...], Any]:
    return {("HGET", ":bike:1:hash", "color"): None if color is None else color.encode()}


def test_with_nothing_pending_the_server_answers() -> None:
    """One round trip, no more."""
    assert ["1", "2"] == asked([], red(), RED)


def test_who_leaves_is_not_found() -> None:
    """The entry is there still; the pending value says otherwise."""
    assert ["2"] == asked([hset(BIKE_1, "color", "blue")], red(), RED | held("red") | is_red(1))


def test_who_comes_is_found() -> None:
    """Though the server does not know of it yet."""
    answers = {("SMEMBERS", ":bike:color:red"): [b"2"]} | held("blue") | is_red(0)
    assert ["1", "2"] == sorted(asked([hset(BIKE_1, "color", "red")], red(), answers))


def test_what_is_pending_on_another_field_changes_nothing() -> None:
    """The object is not judged, nothing more is asked."""
    assert ["1", "2"] == asked([hset(BIKE_1, "note", "n")], red(), RED)


def test_who_is_deleted_is_not_found() -> None:
    """However many filters it matched."""
    assert ["2"] == asked([delete(BIKE_1)], red(), RED)


def test_a_new_object_gets_its_primary_key_to_be_listed() -> None:
    """Nobody is asked about its values."""
    assert ["1", "2", "7"] == asked([create(new(BIKE, 1), color="red")], red(), RED)


def test_a_computed_value_is_judged_by_what_it_will_be() -> None:
    """The value is read and the command tried; a member of a set that nobody named is asked for."""
    said = [write(BIKE_1, "price", Computed(fallible=True), "INCRBY", "1")]
    answers = {
        ("SMEMBERS", ":bike:price:8"): [],
        ("GET", ":bike:1:price"): b"7",
        ("SISMEMBER", ":bike:price:8", "1"): 0,
    }
    assert ["1"] == asked(said, red("price", "8"), answers)


def test_a_member_that_nobody_named_stays() -> None:
    """Adding one tag says nothing of another."""
    said = [sadd(BIKE_1, "tags", "new")]
    answers = {("SMEMBERS", ":bike:tags:old"): [b"1"], ("SISMEMBER", ":bike:tags:old", "1"): 1}
    assert ["1"] == asked(said, red("tags", "old"), answers)


def test_whether_an_object_is_there() -> None:
    """By what is pending where that tells it, else by the server."""

    def there(pk: str) -> Callable[[Overlay], Deciding[bool]]:
        return lambda overlay: overlay.holds(BIKE, pk)

    assert True is asked([], there("1"), {("SISMEMBER", ":bike:collection", "1"): 1})
    assert False is asked([delete(stored(BIKE, "1"))], there("1"), {})
    assert True is asked([create(new(BIKE, 1))], there("7"), {("SISMEMBER", ":bike:collection", "7"): 0})
