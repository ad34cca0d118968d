"""What the service of docs/examples has beside the lending library: a worker on the other face, and a load."""

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.aio.models import database_on
from tests.docs.test_lending import ANN, QUIXOTE, ROOT
from tests.tools.backends import Backend, Real


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs/examples")


@pytest.fixture
def library(server: Backend) -> Iterator[TestClient]:
    from service.service import service

    with TestClient(service(database_on(server, outside="refuse"))) as client:
        yield client


def test_a_worker_reminds_beside_the_service(server: Backend, library: TestClient) -> None:
    """On the same data: once of each loan that is overdue, and of none that was given back."""
    from service.worker import remind

    library.post("/members", json=ANN)
    for isbn, due in (
        (QUIXOTE["isbn"], "2026-02-02"),
        ("3-16-148410-1", "2026-02-02"),
        ("3-16-148410-2", "2026-05-05"),
    ):
        library.post("/books", json=QUIXOTE | {"isbn": isbn, "title": f"Title {isbn}"})
        assert library.post("/loans", json={"isbn": isbn, "member": "1", "due": due}).status_code == 201
    library.delete("/loans/2")
    database = server.database()
    assert [remind(database, date(2026, 3, 3)), remind(database, date(2026, 3, 4))] == [1, 0]
    assert server.client().lrange("lending:member:1:reminders", 0, -1) == [f"Title {QUIXOTE['isbn']} was due".encode()]
    assert server.client().hget("lending:loan:1:hash", "reminded") == b"2026-03-03"


def test_a_load_finds_no_contradictions(real: Real) -> None:
    """The short form of ``python -m service.load``; what it looks for is found when it is there."""
    from service.load import BOOKS, contradictions, load

    found: dict[str, Any] = asyncio.run(load(real.server.url, requests=400, clients=20))
    assert (found["contradictions"], found["requests"]) == ([], 400)
    assert set(found["statuses"]) <= {200, 201, 204, 409}
    assert min(found["statuses"][status] for status in (200, 201)) > 20
    client = real.client(decode_responses=True)
    assert client.scard("lending:book:collection") == BOOKS
    client.hset("lending:loan:7000:hash", "book", "x")
    client.sadd("lending:loan:book:x", "1", "2", "3")
    assert len(contradictions(client)) == 3
