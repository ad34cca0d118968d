"""The service of docs/examples in a process of its own, asked over real sockets, is ended amid requests.

What was acknowledged is there, what was not is whole or not there; a blocking worker on the same data goes on.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import attrs
import httpx2
import pytest
import redis

from tests.docs.test_lending import ROOT
from tests.tools.backends import Real

CLIENTS, BOOKS = 6, 10
#: So many answers are waited for before the service is ended.
ANSWERS = 120


@attrs.frozen
class Service:
    """The process, and where it listens."""

    process: subprocess.Popen[str]
    url: str

    @classmethod
    @contextlib.contextmanager
    def start(cls, redis_url: str) -> Iterator["Service"]:
        """Start it, and end it at the end of the block."""
        command = [sys.executable, "-m", "uvicorn", "--factory", "service.service:on_url", "--port", "0"]
        environment = {**os.environ, "LENDING_URL": redis_url, "PYTHONPATH": f"{ROOT}:{ROOT / 'docs/examples'}"}
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as (process):
            assert process.stderr is not None
            line = next(line for line in process.stderr if "running on" in line)
            try:
                yield cls(process, line.split(" on ")[1].split()[0])
            finally:
                process.kill()

    def end(self, how: signal.Signals) -> str:
        """Send it a signal; return what it said since it began, when it has ended."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=60)
        assert self.process.returncode in (0, -how)
        return said


@attrs.define
class Told:
    """What clients were told, and what they have asked last.

    Attributes:
        members: primary key to the address of each that has joined.
        lent: the loans that were made.
        given_back: those that are over.
        asked_back: those of which it was asked.
        answers: counts the answers.
        unanswered: how many requests had no answer.
    """

    members: dict[str, str] = attrs.field(factory=dict)
    lent: set[str] = attrs.field(factory=set)
    given_back: set[str] = attrs.field(factory=set)
    asked_back: set[str] = attrs.field(factory=set)
    answers: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))
    unanswered: int = 0


def isbn_of(book: int) -> str:
    """Return the primary key of a book."""
    return f"000000000{book}"


def visit(url: str, number: int, told: Told) -> None:
    """Join, borrow and give back, one request after the other, until there is no answer."""
    with httpx2.Client(base_url=url, timeout=30) as client:
        try:
            for turn in itertools.count():
                email = f"{number}-{turn}@example.org"
                joined = client.post("/members", json={"name": "Ann", "email": email, "joined": "2026-01-02"})
                assert joined.status_code == 201
                member = joined.json()["pk"]
                told.members[member] = email
                told.answers.release()
                loan = {"isbn": isbn_of((number + turn) % BOOKS), "member": member, "due": "2026-02-02"}
                lent = client.post("/loans", json=loan)
                assert lent.status_code in (201, 409), lent.text
                told.answers.release()
                if lent.status_code == 201:
                    pk = lent.json()["pk"]
                    told.lent.add(pk)
                    if turn % 2:
                        told.asked_back.add(pk)
                        assert client.delete(f"/loans/{pk}").status_code == 204
                        told.given_back.add(pk)
                        told.answers.release()
        except httpx2.TransportError:
            told.unanswered += 1


def remind_until(over: threading.Event, real: Real) -> int:
    """Let the worker work, again and again; return how many reminders there were."""
    from service.worker import remind

    reminders = 0
    with real.database() as database:
        while not over.wait(0.02):
            reminders += remind(database, date(2026, 3, 3))
    return reminders


def check_members(client: redis.Redis, told: Told) -> None:
    """Each that has joined is there with all it has, no other one by half, and the index of addresses is exact."""
    there = client.smembers("lending:member:collection")
    held = {pk: client.hgetall(f"lending:member:{pk}:hash") for pk in there}
    assert told.members.items() <= {pk: each["email"] for pk, each in held.items()}.items()
    assert {("Ann", "2026-01-02")} == {(each["name"], each["joined"]) for each in held.values()}
    assert {key.split(":")[2] for key in client.keys("lending:member:*:hash")} == there
    assert {f"lending:member:email:{each['email']}": {pk} for pk, each in held.items()} == {
        key: client.smembers(key) for key in client.keys("lending:member:email:*")
    }


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_ended_amid_requests(real: Real, how: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was acknowledged is there, and nothing by half; asked to end, it ends without a complaint."""
    monkeypatch.syspath_prepend(ROOT / "docs/examples")
    from service.load import COPIES, contradictions

    client = real.client(decode_responses=True)
    told, over = Told(), threading.Event()
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS + 1))
        stack.callback(over.set)
        service = stack.enter_context(Service.start(real.server.url))
        for at in range(BOOKS):
            book = {"isbn": isbn_of(at), "title": f"Title {at}", "year": 1605, "copies": COPIES}
            assert httpx2.post(f"{service.url}/books", json=book).status_code == 201
        worker = pool.submit(remind_until, over, real)
        visitors = [pool.submit(visit, service.url, number, told) for number in range(CLIENTS)]
        for _ in range(ANSWERS):
            assert told.answers.acquire(timeout=60)
        said = service.end(how)
        for visitor in visitors:
            visitor.result(60)
        over.set()
        reminders = worker.result(60)
    assert CLIENTS == told.unanswered
    assert "Traceback" not in said, said
    assert "never awaited" not in said, said
    check_members(client, told)
    loans = client.smembers("lending:loan:collection")
    assert told.lent - told.asked_back <= loans
    assert not told.given_back & loans
    assert [] == contradictions(client)
    assert reminders == sum(client.llen(key) for key in client.keys("lending:member:*:reminders")) > 0
