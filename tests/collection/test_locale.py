"""A server that sorts text by a locale: the order is its own, wherever it is asked for."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Real
from tests.tools.servers import RealServer
from uowredis import InstanceHashField, RedisModel, Session
from uowredis.indexes import TextRangeIndex

LOCALE = "en_US.UTF-8"
TEXTS = ["b", "A", "a", "B", "é", "z", "a", "b\0z", None, "A", ""]
#: By the locale, what is equal by primary key.
IN_ORDER = ["9", "11", "3", "7", "2", "10", "1", "8", "4", "5", "6"]


@pytest.fixture(scope="module")
def by_locale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server with a locale that is compiled for it, where there is what it takes."""
    localedef = shutil.which("localedef")
    if localedef is None:
        pytest.skip("there is no localedef to compile a locale with")
    path: Path = tmp_path_factory.mktemp("locales")
    made = subprocess.run(
        [localedef, "-i", "en_US", "-f", "UTF-8", str(path / LOCALE)], capture_output=True, text=True, check=False
    )
    if not (path / LOCALE / "LC_COLLATE").exists():
        pytest.skip(f"the sources of the locale {LOCALE} are not installed: {made.stderr.strip()[-200:]}")
    with RealServer.start(environment={"LOCPATH": str(path), "LC_ALL": LOCALE}) as server:
        with server.client() as client:
            client.sadd("probe", "a", "B")
            if client.sort("probe", alpha=True) != [b"a", b"B"]:
                pytest.skip(f"{server.origin} sorts by bytes under {LOCALE}, too")
        yield server


@pytest.fixture
def thing(by_locale: RealServer) -> Iterator[Any]:
    """A model with texts."""
    backend = Real(by_locale)
    backend.flush()
    thing = every_kind(backend.database()).Thing
    for text in TEXTS:
        thing(title="same", **({} if text is None else {"name": text}))
    yield thing
    backend.close()


def answers(thing: Any) -> list[Any]:
    collection = thing.collection(title="same").sort(by="name", alpha=True)
    backwards = thing.collection().sort(by="-name", alpha=True)
    pages = [pk for start in range(0, 12, 2) for pk in collection[start : start + 2]]
    return [list(collection), pages, collection[-3:], list(backwards), collection.copy().values_list("pk", "name")[4:6]]


EXPECTED = [IN_ORDER, IN_ORDER, IN_ORDER[-3:], IN_ORDER[::-1], [("2", "A"), ("10", "A")]]


def test_outside_and_in_a_session(thing: Any) -> None:
    """The server orders, and what is equal goes by primary key."""
    assert EXPECTED == answers(thing)
    with Session(thing.database):
        assert EXPECTED == answers(thing)


def test_under_watch(thing: Any) -> None:
    """Values are read one by one, and the server is asked for the order of the texts."""
    with Session(thing.database, watch_reads=True) as s:
        assert EXPECTED == answers(thing)
        thing("1").note.hset("x")
        s.commit()
    assert EXPECTED == thing.database.run(lambda _: answers(thing))


def test_over_what_is_pending(thing: Any) -> None:
    """Of values to be, which the server does not hold yet, too."""
    with Session(thing.database) as s:
        thing("1").note.hset("x")
        assert EXPECTED == answers(thing)
        thing("6").name.hset("ä")
        before = answers(thing)
        s.commit()
    assert before == answers(thing)
    assert [*IN_ORDER[:6], "6", *IN_ORDER[6:-1]] == before[0]


def test_explain_shows_the_question(thing: Any) -> None:
    """The round trip that asks for the order of texts is shown."""
    with Session(thing.database, on_pending="discard"):
        thing("1").note.hset("x")
        collection = thing.collection().sort(by="name", alpha=True)
        list(collection)
        shown = [[call[0] for call in round_] for round_ in collection.explain().rounds]
        assert ["MULTI", "SADD", "SORT", "DEL", "EXEC"] == shown[-1]


@pytest.mark.parametrize("sifted_there", [True, False])
def test_ranges_go_by_bytes(by_locale: RealServer, sifted_there: bool) -> None:
    """Whatever the locale, in the script as well as here, and among texts that begin a bound."""
    texts = [*"abzABZ", "é", "a b", "aé", "", "aB", "ä", "a:TEXT-RANGE-SEPARATOR:b"]
    backend = Real(by_locale)
    backend.flush()

    class Thing(RedisModel):
        database = backend.database(scripts=sifted_there)
        name = InstanceHashField(indexable=True, indexes=[TextRangeIndex])
        kind = InstanceHashField(indexable=True)

    for text in texts:
        Thing(name=text, kind="one")
    for bound in [*texts, "a c", "Ba"]:
        key = bound.encode()
        for word, fits in {
            "lt": [text.encode() < key for text in texts],
            "gte": [text.encode() >= key for text in texts],
            "lte": [text.encode() <= key for text in texts],
            "gt": [text.encode() > key for text in texts],
        }.items():
            found = Thing.collection(kind="one", **{f"name__{word}": bound})
            assert {str(pk) for pk, fit in enumerate(fits, 1) if fit} == found, (word, bound)
    backend.close()
