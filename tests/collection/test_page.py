"""A page is a slice, and knows how many there are in all."""

import contextlib
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import current_user, documented, words
from tests.tools.backends import Backend
from uowredis import ArgumentError, Conflict, Session
from uowredis.collection import Page

WAYS: dict[str, Callable[[Any], Any]] = {
    "everything": lambda model: model.collection(),
    "one filter": lambda model: model.collection(lastname="Doe"),
    "several": lambda model: model.collection(lastname="Doe", firstname="John"),
    "sorted": lambda model: model.collection(city="New York").sort("-birth_year"),
    "by text": lambda model: model.collection().sort("lastname", alpha=True),
    "by several": lambda model: model.collection().sort(("lastname", "birth_year"), alpha=["lastname"]),
    "values": lambda model: model.collection(lastname="Smith").sort().values("pk", "city"),
    "tuples": lambda model: model.collection().values_list("city", "birth_year"),
    "instances": lambda model: model.collection(lastname="Doe").instances(),
    "loaded": lambda model: model.collection(lastname="Doe").instances(load=("city",)),
    "without": lambda model: model.collection().exclude(lastname="Doe"),
    "either": lambda model: model.collection(lastname="Doe") | model.collection(city="New York"),
    "a list": lambda model: model.collection().intersect([1, 3, 77]),
    "no list": lambda model: model.collection().intersect([]),
    "one of none": lambda model: model.collection(city__in=[]),
    "nobody": lambda model: model.collection(city="Rome"),
    "stored": lambda model: model.collection(lastname="Doe").sort().store(),
    "stored, filtered": lambda model: model.collection().store().filter(lastname="Doe"),
}


def session(on: Any, **options: Any) -> Session:
    return Session(on, on_pending="discard", **options)


@pytest.mark.parametrize("how", ["outside", "in a session", "over pending writes", "under watch"])
@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_slice_and_the_length(server: Backend, way: str, how: str) -> None:
    """Of whatever part, in each way to ask, wherever it is asked."""
    model = documented(server.database()).extended
    collection = WAYS[way](model)
    where = contextlib.nullcontext() if how == "outside" else session(model.database, watch_reads=how == "under watch")
    with where:
        if how == "over pending writes":
            model(firstname="Zoe", lastname="Doe", birth_year=1970, city="New York")
            model("1").lastname.hset("Doe")
            model("4").delete()
        for start, count in ((0, 2), (1, 1), (1, 100), (9, 5), (2**61, 2**62)):
            page = collection.page(start, count)
            assert (list(collection[start : start + count]), len(list(collection))) == (page, page.total)
            assert isinstance(page, Page)


def test_text_primary_keys_and_scores(server: Backend) -> None:
    """What is ordered here is counted here."""
    on = server.database()
    people, word = documented(on), words(on)
    for key in ("b", "10", "a"):
        word(key=key, kind="x")
    page = word.collection(kind="x").page(0, 2)
    assert (["10", "a"], 3) == (page, page.total)
    me = current_user(people)
    scored = people.extended.collection(city="New York").sort(by_score=me.met)
    assert (3, 1) == (scored.page(2, 5).total, len(scored.page(2, 5)))
    ranked = people.extended.collection().intersect(me.met).sort().page(0, 2)
    assert (["1", "2"], 3) == (ranked, ranked.total)


def test_under_watch(server: Backend) -> None:
    """The total is decided on, too."""
    model = documented(server.database()).extended
    with Session(model.database, watch_reads=True, on_pending="discard") as s:
        assert 2 == model.collection(lastname="Doe").page(0, 1).total
        model("1").city.hset("Rome")
        with server.client() as client:
            client.sadd(":extended:lastname:Doe", "3")
        with pytest.raises(Conflict):
            s.commit()


def test_what_it_takes(server: Backend) -> None:
    """Numbers, from 0 and from 1; it can be pickled as a list can."""
    collection = documented(server.database()).extended.collection()
    for bad in ((-1, 5), (0, 0), (2**63, 1), ("x", 1), (0, None), (True, 1)):
        with pytest.raises(ArgumentError):
            collection.page(*bad)
    page = collection.page(1, 2)
    again = pickle.loads(pickle.dumps(page))
    assert (page, page.total) == (again, again.total)
