"""Beside others who write: no false finding, no lost write; killed in the middle, it is begun again."""

import signal
import subprocess
import sys
import threading
from random import Random

import pytest

from tests.maintenance.stock import FORGOTTEN, PLANTS, Stock, fill, said, stock
from tests.maintenance.test_check_and_repair import UNDECIDED
from tests.tools.backends import Backend, Real
from uowredis import Conflict, DoesNotExist, UniquenessError, check, rebuild, repair

COLORS = ("red", "blue", "green", "a:b:c")


class Writers:
    """Four threads that create, change and delete parts, each in sessions of its own."""

    def __init__(self, server: Backend, parts: int) -> None:
        self.written = 0
        self._over = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._write, args=(server, n, parts)) for n in range(4)]

    def _write(self, server: Backend, number: int, parts: int) -> None:
        data, random = stock(server.database()), Random(number)
        turn = 0
        try:
            while not self._over.is_set():
                turn += 1
                try:
                    with data.database.begin():
                        self._turn(data, random, f"{number}-{turn}", parts)
                except (Conflict, DoesNotExist, UniquenessError):
                    continue
                self.written += 1
        except BaseException as failure:
            self._failures.append(failure)

    def _turn(self, data: Stock, random: Random, name: str, parts: int) -> None:
        match random.randrange(5):
            case 0:
                data.Part(number=name, color=random.choice(COLORS), tags=["new"], codes=[name], former="s:1")
            case 1:
                newest = max(map(int, data.Part.collection()))
                if newest > parts:
                    data.Part(newest).delete()
            case 2:
                data.Part(random.randrange(1, parts)).number.hset(name)
            case 3:
                part = data.Part(random.randrange(1, parts))
                part.color.hset(random.choice(COLORS))
                part.steps.rpush(random.choice(COLORS))
                part.tags.srem("new")
            case _:
                part = data.Part(random.randrange(1, parts))
                part.former.set(f"s:{random.randrange(6)}")
                part.size.hset("w", random.randrange(5))

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]


@pytest.fixture
def data(real: Real) -> Stock:
    """Sixty parts on a real server."""
    data = stock(real.database())
    fill(data, Random(3), 60)
    return data


def test_a_check_beside_writers_finds_nothing(real: Real, data: Stock) -> None:
    """However often it is made while four write: what it met half-way it looks at again."""
    with Writers(real, 60) as writers:
        checks = 0
        while checks < 10 or writers.written < 300:
            assert [] == said(check(*data.models))
            checks += 1
    assert [] == said(check(*data.models))


def test_a_repair_beside_writers_mends_what_was_planted(real: Real, data: Stock) -> None:
    """And nothing of what they write is lost: afterwards a check is clean of all that can be mended."""
    random = Random(4)
    with real.client() as client:
        for pk in random.sample(range(1, 60), 30):
            plant = PLANTS[pk % len(PLANTS)]
            list(plant(client, str(pk)))
    with Writers(real, 60) as writers:
        while writers.written < 200:
            for _ in repair(*data.models, orphans="adopt", references="clear", forget=FORGOTTEN):
                pass
    for _ in repair(*data.models, orphans="adopt", references="clear", forget=FORGOTTEN):
        pass
    assert {finding.fault for finding in check(*data.models)} <= UNDECIDED


def test_an_index_is_built_beside_writers(real: Real, data: Stock) -> None:
    """One that was dropped is whole after one rebuild, whatever was written meanwhile."""
    with real.client() as client, Writers(real, 60):
        for field in ("color", "size", "steps"):
            for key in client.keys(f":part:{field}:*"):
                client.delete(key)
            for _ in rebuild(data.Part, field):
                pass
    assert [] == said(check(*data.models))


def test_a_repair_that_is_killed_is_begun_again(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its first batch, no entry is half there; the second run mends the rest."""
    data = stock(real.database())
    fill(data, Random(5), 2_000)
    with real.client() as client:
        for key in client.keys(":part:color:*") + client.keys(":part:ranks:*"):
            client.delete(key)
    monkeypatch.setenv("UOWREDIS_TEST_URL", real.server.url)
    command = [sys.executable, "-m", "uowredis", "repair", "tests.maintenance.models:Part"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert "missing entry of Part" in run.stdout.readline()
        run.send_signal(signal.SIGKILL)
    left = len(said(check(data.Part)))
    assert 0 < left < 6_000
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0
    assert f"{left:,} mended, 0 left" in again.stderr
    assert [] == said(check(*data.models))
