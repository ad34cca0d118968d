"""One question has one order, however it is cut and wherever it is asked: what is equal goes by primary key.

The data is written, and the truth is read, by plain redis-py: nothing here is shared with what is judged.
"""

import random
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import every_kind
from tests.tools.backends import Backend
from uowredis import Session

TEXTS = (None, b"", b"a", b"b", b"ab", b"\xc3\xa9", b"B", b"a\0z", b"\xff")
NUMBERS = (None, b"", b"0", b"1", b"1.0", b"-2", b"10", b"1e1", b"inf")


@attrs.frozen
class Case:
    """Objects in groups of equal values, shuffled, and how they are sorted and cut."""

    chosen: bool
    alpha: bool
    desc: bool
    groups: tuple[tuple[bytes | None, int], ...]
    cuts: tuple[slice, ...]
    seed: int


@st.composite
def cases(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Case:
    """Draw a case: groups that lie within what is fetched around a cut, and others that do not."""
    alpha = draw(st.booleans())
    values = st.sampled_from(TEXTS if alpha else NUMBERS)
    groups = draw(st.lists(st.tuples(values, st.sampled_from([1, 2, 3, 7, 40, 99, 100, 101, 150])), max_size=5))
    bound = st.one_of(st.none(), st.integers(-5, 420), st.integers(-420, 0), st.sampled_from([100, 101, 200]))
    cut = st.builds(slice, bound, bound, st.sampled_from([None, None, 1, 2, 7, -1, -3]))
    cuts = draw(st.lists(cut, min_size=1, max_size=6))
    return Case(draw(st.booleans()), alpha, draw(st.booleans()), tuple(groups), tuple(cuts), draw(st.integers(0, 99)))


def fill(client: redis.Redis, case: Case) -> None:
    """Store the objects of *case*, as items of counted pks or names of chosen ones."""
    model = "named" if case.chosen else "thing"
    values = [value for value, count in case.groups for _ in range(count)]
    random.Random(case.seed).shuffle(values)
    pipe = client.pipeline(transaction=False)
    pipe.flushdb()
    pipe.set(f":{model}:max_pk", len(values))
    for number, value in enumerate(values, 1):
        # Names among which as text and as numbers are two orders.
        pk = f"{'x' if number % 3 else ''}{number}" if case.chosen else str(number)
        pipe.sadd(f":{model}:collection", pk)
        pipe.hset(f":{model}:{pk}:hash", "note", "1")
        pipe.sadd(f":{model}:title:same", pk)
        pipe.set(f":{model}:{pk}:title", "same")
        if value is not None:
            pipe.hset(f":{model}:{pk}:hash", "name", value)
    pipe.execute()


def truth(client: redis.Redis, case: Case) -> list[str]:
    """Return the pks in the order that docs/collections.md promises."""
    model = "named" if case.chosen else "thing"
    pks = [pk.decode() for pk in client.smembers(f":{model}:collection")]
    pipe = client.pipeline(transaction=False)
    for pk in pks:
        pipe.hget(f":{model}:{pk}:hash", "name")
    values = dict(zip(pks, pipe.execute(), strict=True))

    def place(pk: str) -> Any:
        value = values[pk]
        by: Any = [] if value is None else [value.split(b"\0")[0]]
        return by if case.alpha else float(value or 0), pk.encode() if case.chosen else int(pk)

    return sorted(pks, key=place, reverse=case.desc)


@settings(max_examples=settings.default.max_examples // 4)
@given(case=cases())
def test_the_order_is_the_promised_one_however_it_is_cut(server: Backend, case: Case) -> None:
    """Of pks, values, and in sessions: with nothing pending, under watch, and over what is pending."""
    compare(server, case)


@pytest.mark.parametrize("desc", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("alpha", [False, True], ids=["numbers", "text"])
@pytest.mark.parametrize("chosen", [False, True], ids=["counted", "chosen"])
def test_groups_that_reach_beyond_what_is_fetched_around_a_cut(
    server: Backend, chosen: bool, alpha: bool, desc: bool
) -> None:
    """Cut in the middle of three hundred equal values, at their ends, and behind the first of all."""
    groups = ((b"1", 300), (b"2", 120), (None, 130))
    bounds = (0, 5, 110, 130, 249, 260, 400, 430, None)
    cuts = tuple(slice(start, stop) for start in bounds for stop in bounds if stop is None or (start or 0) + 20 >= stop)
    compare(server, Case(chosen, alpha, desc, groups, cuts, 1))


@pytest.mark.parametrize("desc", [False, True], ids=["ascending", "descending"])
def test_primary_keys_that_go_on_after_a_nul(server: Backend, desc: bool) -> None:
    """As text the server takes them for equal: what follows decides here, however it is cut."""
    named = every_kind(server.database()).Named
    pks = [f"a\0{letter}" for letter in "caebd"]
    for pk in pks:
        named(key=pk, note="1")
    expected = sorted(pks, reverse=desc)
    found = named.collection().sort(alpha=True, by="-key" if desc else "key")
    assert expected == list(found)
    assert (expected[:2], expected[2:4], expected[4:]) == (found[:2], found[2:4], found[4:])


def compare(server: Backend, case: Case) -> None:
    """Compare what is asked in all places with the truth."""
    items = every_kind(server.database())
    model = items.Named if case.chosen else items.Thing
    client = server.client()
    fill(client, case)
    whole = truth(client, case)
    expected: list[Any] = []
    for _ in range(2):
        expected += [whole, *[whole[cut] for cut in case.cuts], *whole[case.cuts[0]]]
    assert expected == ask(model, case)
    for session in (Session(model.database), Session(model.database, watch_reads=True)):
        with session:
            assert expected == ask(model, case)
    if whole:
        with Session(model.database, on_pending="discard"):
            model(whole[0]).note.hset("2")
            assert expected == ask(model, case)


def ask(model: Any, case: Case) -> list[Any]:
    """Return the whole and the cuts as primary keys, of everything and by a filter, and the pks of rows of values."""
    found: list[Any] = []
    for filters in ({}, {"title": "same"}):
        collection = model.collection(**filters).sort(by="name", alpha=case.alpha, desc=case.desc)
        found += [list(collection), *[collection[cut] for cut in case.cuts]]
        found += [pk for pk, _ in collection.copy().values_list("pk", "name")[case.cuts[0]]]
    return found
