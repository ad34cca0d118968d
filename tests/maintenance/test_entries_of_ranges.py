"""What is wrong in an index of ranges is found and mended as in any: planted by plain redis-py, and whole after it."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.tools.backends import Backend
from tests.whole.questions.people import entitled, indexed, people, stored
from uowredis import check, rebuild, repair

#: How it is planted, and what is found: fault, field, and the key behind that of the model.
FAULTS: dict[str, tuple[Callable[[redis.Redis], Any], list[tuple[str, str, str]]]] = {
    "another score": (
        lambda client: client.zadd(":person:price:number-range", {"1": 7}),
        [("missing entry", "price", "price:number-range"), ("stale entry", "price", "price:number-range")],
    ),
    "no number": (
        lambda client: client.zrem(":person:born:number-range", "1"),
        [("missing entry", "born", "born:number-range")],
    ),
    "no text": (
        lambda client: client.zrem(":person:name:text-range", "a b:TEXT-RANGE-SEPARATOR:1"),
        [("missing entry", "name", "name:text-range")],
    ),
    "another text": (
        lambda client: client.zadd(":person:name:text-range", {"b:TEXT-RANGE-SEPARATOR:1": 0}),
        [("stale entry", "name", "name:text-range")],
    ),
    "no separator": (
        lambda client: client.zadd(":person:name:text-range", {"a b": 0}),
        [("entry of a vanished object", "name", "name:text-range")],
    ),
    "one of many numbers": (
        lambda client: client.zrem(":person:marks:number-range", "10:NUMBER-RANGE-SEPARATOR:1"),
        [("missing entry", "marks", "marks:number-range")],
    ),
    "of an entry of a hash": (
        lambda client: client.zadd(":person:sizes:x:number-range", {"9": 1}),
        [("entry of a vanished object", "sizes", "sizes:x:number-range")],
    ),
    "of no value": (
        lambda client: client.sadd(":person:__none__:name", "1"),
        [("stale entry", "name", "__none__:name")],
    ),
    "no value": (
        lambda client: client.srem(":person:__none__:name", "2"),
        [("missing entry", "name", "__none__:name")],
    ),
    "of what is transformed": (
        lambda client: (client.srem(":person:ranks:low:a", "1"), client.sadd(":person:ranks:low:A", "1")),
        [("missing entry", "ranks", "ranks:low:a"), ("stale entry", "ranks", "ranks:low:A")],
    ),
}


def person(server: Backend) -> Any:
    """Declare persons, and store two."""
    model = people(server.database())
    first = {"name": "a b", "born": 5, "code": "x", "price": "2.5", "tags": ["a", "b"], "marks": ["10", "1"]}
    model(**first, ranks={"A": 1}, sizes={"x": "1"})
    model(born=5)
    return model


@pytest.mark.parametrize("mend", ["repair", "rebuild"])
@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_found_and_mended(server: Backend, what: str, mend: str) -> None:
    """Nothing else is found, and nothing is left."""
    model, client = person(server), server.client()
    before = server.dump()
    plant, expected = FAULTS[what]
    plant(client)
    found = [(each.fault, each.facts()["field"], each.facts()["key"]) for each in check(model)]
    assert sorted((fault, field, f":person:{key}") for fault, field, key in expected) == sorted(found)
    for done in repair(model) if mend == "repair" else rebuild(model):
        assert done.applied
    assert before == server.dump()
    assert [] == list(check(model))


def test_all_is_filled(server: Backend) -> None:
    """Where every index was lost."""
    model, client = person(server), server.client()
    for key in indexed(client):
        client.delete(key)
    list(rebuild(model))
    assert entitled(stored(client)) == indexed(client)
    assert [] == list(check(model))


def test_a_key_of_another_type_is_told(server: Backend) -> None:
    """A set where a sorted set is expected, and the reverse."""
    model, client = person(server), server.client()
    client.delete(":person:code:text-range", ":person:tags:a")
    client.sadd(":person:code:text-range", "1")
    client.zadd(":person:tags:a", {"1": 1})
    wrong = {each.facts()["key"] for each in check(model) if each.fault == "key of another type"}
    assert {":person:code:text-range", ":person:tags:a"} == wrong
