"""Slices and items of collections are those of a Python list of the same items."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind, products, words
from tests.tools.backends import Backend

#: From beyond the front to beyond the back, with all that lies between, of five items.
BOUNDS = (None, *range(-5, 6))
STEPS = (None, *(step for step in range(-5, 6) if step))
#: A few of them.
SOME_BOUNDS = (None, -5, -2, 0, 1, 5)
SOME_STEPS = (None, 1, 2, -1, -2)

#: Values whose order is not that of the pks, without ties.
NAMES = {"1": "30", "2": "5", "3": "100", "4": "-1", "5": "7"}
TEXT_PKS = {"b": "30", "10": "5", "a": "100", "9": "-1", "é": "7"}


def declare(server: Backend, text_pks: bool) -> tuple[Any, Any]:
    """Return a model of five objects, and an object whose sorted set holds them."""
    on = server.database()
    models = every_kind(on)
    model = models.Named if text_pks else models.Thing
    names = TEXT_PKS if text_pks else NAMES
    for pk, name in names.items():
        model(name=name, title="same", tags="here", **({"key": pk} if text_pks else {}))
    return model, products(on)(sold={pk: float(name) for pk, name in names.items()})


Make = Callable[[Any, Any], Any]

COLLECTIONS: dict[str, Make] = {
    "ascending": lambda model, scores: model.collection().sort(by="name"),
    "descending": lambda model, scores: model.collection().sort(by="-name"),
    "by pk": lambda model, scores: model.collection().sort(),
    "by pk, descending": lambda model, scores: model.collection(title="same").sort(by="-pk"),
    "as text": lambda model, scores: model.collection().sort(by="name", alpha=True),
    "two filters": lambda model, scores: model.collection(title="same", tags="here").sort(by="name"),
    "values": lambda model, scores: model.collection(title="same").sort(by="name").values("name", "pk"),
    "flat values": lambda model, scores: model.collection(title="same").sort(by="name").values_list("name", flat=True),
    "instances": lambda model, scores: model.collection(title="same").sort(by="name").instances(),
    "instances, untested": lambda model, scores: model.collection(title="same").sort(by="name").instances(lazy=True),
    "by score": lambda model, scores: model.collection().sort(by_score=scores.sold),
    "by score, descending": lambda model, scores: model.collection().sort(by_score=scores.sold, desc=True),
    "stored": lambda model, scores: model.collection().sort(by="name").store(),
    "stored values": lambda model, scores: model.collection().sort(by="-name").values("name").store(),
    "stored instances": lambda model, scores: model.collection().sort(by="-name").instances().store(),
    "stored, filtered": lambda model, scores: model.collection().store().filter(title="same").sort(by="name"),
    "intersected": lambda model, scores: model.collection().intersect(list(NAMES), list(NAMES)).sort(),
}

PKS_IN_ORDER = {
    "counted": {
        "ascending": ["4", "2", "5", "1", "3"],
        "by pk": ["1", "2", "3", "4", "5"],
        "as text": ["4", "3", "1", "2", "5"],
        "by score, descending": ["3", "1", "5", "2", "4"],
    },
    "named": {
        "ascending": ["9", "10", "é", "b", "a"],
        "by pk": ["9", "10", "a", "b", "é"],
        "as text": ["9", "a", "b", "10", "é"],
        "by score, descending": ["a", "b", "é", "10", "9"],
    },
}


@pytest.mark.parametrize("pks", ["counted", "named"])
def test_the_orders(server: Backend, pks: str) -> None:
    """Numbers by value, text by bytes, primary keys with numbers before text."""
    model, scores = declare(server, pks == "named")
    for name, expected in PKS_IN_ORDER[pks].items():
        assert (name, expected) == (name, list(COLLECTIONS[name](model, scores)))


def check(collection: Any, bounds: tuple[int | None, ...], steps: tuple[int | None, ...]) -> None:
    """Compare every slice of these bounds and steps with that of a list."""
    items = list(collection)
    assert 5 == len(items)
    slices = [slice(start, stop, step) for start in bounds for stop in bounds for step in steps]
    assert {str(wanted): items[wanted] for wanted in slices} == {str(wanted): collection[wanted] for wanted in slices}


@pytest.mark.parametrize("kind", ["ascending", "descending", "instances", "by score", "stored"])
def test_slices_are_those_of_a_list(server: Backend, kind: str) -> None:
    """All starts, stops and steps from -5 to 5 and None."""
    model, scores = declare(server, text_pks=False)
    check(COLLECTIONS[kind](model, scores), BOUNDS, STEPS)


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_slices_of_every_kind_of_collection(server: Backend, kind: str) -> None:
    """Some of them, of all that a collection can give and all ways to order it."""
    model, scores = declare(server, text_pks=False)
    check(COLLECTIONS[kind](model, scores), SOME_BOUNDS, SOME_STEPS)


@pytest.mark.parametrize("kind", ["ascending", "by pk", "by pk, descending", "values", "instances", "stored"])
def test_slices_with_text_primary_keys(server: Backend, kind: str) -> None:
    """The same with primary keys that are text, where Redis cannot order by them."""
    model, scores = declare(server, text_pks=True)
    check(COLLECTIONS[kind](model, scores), SOME_BOUNDS, SOME_STEPS)


@pytest.mark.parametrize("pks", ["counted", "named"])
def test_slices_of_unsorted_collections(server: Backend, pks: str) -> None:
    """Without a sort no order is promised; a slice has the length of a list's, and holds what is found, each once."""
    model, _ = declare(server, pks == "named")
    collection = model.collection()
    items = set(collection)
    for wanted in (slice(start, stop, step) for start in BOUNDS for stop in BOUNDS for step in SOME_STEPS):
        found = collection[wanted]
        assert (wanted, len(list(items)[wanted])) == (wanted, len(found))
        assert (wanted, set(), len(found)) == (wanted, set(found) - items, len(set(found)))


def test_pages_of_an_unsorted_collection_make_the_whole(server: Backend) -> None:
    """Pages that follow each other hold everything once."""
    model, _ = declare(server, text_pks=False)
    pages = [model.collection(title="same")[start : start + 2] for start in (0, 2, 4, 6)]
    assert [2, 2, 1, 0] == [len(page) for page in pages]
    assert {"1", "2", "3", "4", "5"} == {pk for page in pages for pk in page}


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_items_are_those_of_a_list(server: Backend, kind: str) -> None:
    """One item from the front or the back; beyond them IndexError, as with a list."""
    model, scores = declare(server, text_pks=False)
    collection = COLLECTIONS[kind](model, scores)
    items = list(collection)
    assert [items[index] for index in range(-5, 5)] == [collection[index] for index in range(-5, 5)]
    for index in (-7, -6, 5, 6, 100):
        with pytest.raises(IndexError):
            collection[index]


def test_a_slice_is_a_list_and_evaluated_at_once(server: Backend) -> None:
    """It does not follow what is written later, and is no collection."""
    model, _ = declare(server, text_pks=False)
    first = model.collection().sort(by="name")[:2]
    assert list is type(first)
    model(name="-50")
    assert ["4", "2"] == first
    assert ["6", "4"] == model.collection().sort(by="name")[:2]


def test_a_large_bound_is_a_bound(server: Backend) -> None:
    """Python takes any integer for a bound; so does a collection."""
    model, _ = declare(server, text_pks=False)
    items = list(model.collection().sort(by="name"))
    for wanted in (slice(0, 10**30), slice(10**30, None), slice(None, None, 10**30), slice(-(10**30), 10**30)):
        assert items[wanted] == model.collection().sort(by="name")[wanted]


@pytest.mark.parametrize("step", [0])
def test_a_step_of_0_is_refused(server: Backend, step: int) -> None:
    """As a list refuses it."""
    model, _ = declare(server, text_pks=False)
    with pytest.raises(ValueError, match="step cannot be zero"):
        model.collection()[::step]


def test_primary_keys_that_read_like_special_numbers(server: Backend) -> None:
    """A name is a name, also where a float could be read from it: numbers come before text, in every slice."""
    word = words(server.database())
    for pk in ("b", "nan", "3", "a", "1", "10", "zz", "2"):
        word(key=pk)
    assert ["1", "2", "3", "10", "a", "b", "nan", "zz"] == word.collection().sort()
    assert ["zz", "nan", "b", "a", "10", "3", "2", "1"] == word.collection().sort(desc=True)
