"""The lending library of docs/examples, on either face, asked over HTTP."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.aio.models import database_on
from tests.tools.backends import Backend

ROOT = Path(__file__).parents[2]
QUIXOTE = {"isbn": "3-16-148410-0", "title": "Don Quixote", "year": 1605, "copies": 1, "tags": ["novel", "spain"]}
ANN = {"name": "Ann", "email": "ann@example.org", "joined": "2026-01-02"}


@pytest.fixture(params=["blocking", "awaited"])
def library(server: Backend, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.syspath_prepend(ROOT / "docs/examples")
    import lending.service
    import service.service

    database: Any
    if request.param == "blocking":
        database = server.database(outside="refuse")
        app = lending.service.service(database)
    else:
        database = database_on(server, outside="refuse")
        app = service.service.service(database)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
    assert database.session is None


def post(library: TestClient, path: str, **body: Any) -> tuple[int, Any]:
    answer = library.post(path, json=body)
    return answer.status_code, answer.json()


def get(library: TestClient, path: str) -> Any:
    answer = library.get(path)
    return answer.json() if answer.status_code == 200 else answer.status_code


def stored(server: Backend) -> dict[bytes, Any]:
    """Return what is there, but for the tokens of commits."""
    return {key: value for key, value in server.dump().items() if b":__commit__:" not in key}


def test_members_join_once(server: Backend, library: TestClient) -> None:
    """What goes in comes out, with a primary key; a second one with the same address is told so."""
    assert (201, {"pk": "1", **ANN}) == post(library, "/members", **ANN)
    assert {"pk": "1", **ANN} == get(library, "/members/1")
    assert {b"name": b"Ann", b"email": b"ann@example.org", b"joined": b"2026-01-02"} == server.client().hgetall(
        "lending:member:1:hash"
    )
    before = stored(server)
    assert (409, {"detail": "email 'ann@example.org' is taken"}) == post(library, "/members", **ANN | {"name": "Bob"})
    assert 422 == post(library, "/members", **ANN | {"joined": "soon"})[0]
    # A primary key that was counted is gone.
    assert before | {b"lending:member:max_pk": b"2"} == stored(server) | {b"lending:member:max_pk": b"2"}
    assert 404 == get(library, "/members/7")


def test_books_are_listed_by_pages(library: TestClient) -> None:
    """By tags and year, all of which must hold, in the order of their titles, with the number of all."""
    for number in range(25):
        book = {"isbn": f"3-16-148410-{number}", "title": f"Title {number:02}", "year": 2000 + number % 2}
        assert 201 == post(library, "/books", **book, tags=["all", *(["few"] if number < 5 else [])])[0]
    first, last = get(library, "/books?tag=all"), get(library, "/books?page=3")
    assert [f"Title {number:02}" for number in range(10)] == [book["title"] for book in first["books"]]
    assert (25, 25, 5) == (first["total"], last["total"], len(last["books"]))
    few = get(library, "/books?tag=all&tag=few&year=2001&size=1&page=2")
    assert {"total": 2, "books": [{"isbn": "3-16-148410-3", "title": "Title 03", "year": 2001, "copies": 1}]} == few
    assert {"total": 0, "books": []} == get(library, "/books?tag=none")
    assert 422 == get(library, "/books?page=0")
    assert 409 == post(library, "/books", **QUIXOTE | {"isbn": "3-16-148410-3"})[0]


def test_a_book_is_lent_and_given_back(server: Backend, library: TestClient) -> None:
    """As long as there are copies; neither book nor member goes meanwhile."""
    post(library, "/books", **QUIXOTE)
    post(library, "/members", **ANN)
    loan = {"isbn": QUIXOTE["isbn"], "member": "1", "due": "2026-02-02"}
    assert (201, {"pk": "1", **loan}) == post(library, "/loans", **loan)
    assert [{"pk": "1", **loan}] == get(library, "/members/1/loans")
    assert (409, {"detail": "All copies are out"}) == post(library, "/loans", **loan)
    assert 404 == post(library, "/loans", **loan | {"member": "7"})[0]
    assert 409 == library.delete(f"/books/{QUIXOTE['isbn']}").status_code
    assert [204, 404] == [library.delete("/loans/1").status_code for _ in range(2)]
    assert [] == get(library, "/members/1/loans")
    assert 204 == library.delete(f"/books/{QUIXOTE['isbn']}").status_code
    left = {key for key in stored(server) if not key.endswith(b":max_pk")}
    assert {b"lending:member:1:hash", b"lending:member:collection", b"lending:member:email:ann@example.org"} < left
    assert not any(b":book:" in key or b":loan:" in key for key in left)


def test_the_last_copy_goes_to_one(library: TestClient) -> None:
    """However many ask at once: the others are told that it is out, or that another was faster."""
    post(library, "/books", **QUIXOTE)
    post(library, "/members", **ANN)
    start = threading.Barrier(4)

    def ask(day: int) -> int:
        start.wait()
        return post(library, "/loans", isbn=QUIXOTE["isbn"], member="1", due=f"2026-02-0{day}")[0]

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(ask, range(1, 5)))
    assert 201 == statuses[0]
    assert {409, 503} >= set(statuses[1:])
    assert 1 == len(get(library, "/members/1/loans"))


def test_the_program_runs() -> None:
    """As its page says."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "lending"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "docs/examples")])},
        capture_output=True,
        text=True,
    )
    first, second = run.stdout.splitlines()
    assert ("", True, "All copies are out" in second) == (run.stderr, "'pk': '1'" in first, True)
