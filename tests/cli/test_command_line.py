"""The command line: the demo leaves nothing behind, and the version is the one of the package."""

import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import uowredis
from tests.tools.backends import Backend, Real
from uowredis.cli import demo, main

PROJECT = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))["project"]


def stored(server: Backend) -> dict[bytes, object]:
    """Store what a user of the same names may have, and return it."""
    with server.client() as client:
        for prefix in ("", "uowredis-demo"):
            client.set(f"{prefix}:bike:max_pk", 7)
            client.sadd(f"{prefix}:bike:name:mountainbike", 7)
    return dict(server.dump())


def fingerprints(server: Backend) -> list[bytes]:
    """Return the keys of fingerprints, which are no part of a dump."""
    with server.client() as client:
        found: list[bytes] = client.keys("*:__fingerprint__")
        return found


def test_the_demo_leaves_nothing_behind(server: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    """All keys are what they were, whatever a user has there; each time it shows the whole page."""
    before = stored(server)
    for _ in range(2):
        demo(server.database())
        shown = capsys.readouterr().out
        assert ">>> class Bike(model.RedisModel):" in shown
        assert "effect: index Bike.name, old" in shown
        assert shown.endswith('__fingerprint__")\n2\n')
        assert before == server.dump()
        assert fingerprints(server) == []


def test_demos_do_not_meet(server: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    """Several at once, each with a database of its own, are as one."""
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(demo, server.database()) for _ in range(4)]:
            done.result()
    assert {} == server.dump()
    assert fingerprints(server) == []


class Full:
    """A place to print to that is full at some moment."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    def write(self, text: str) -> None:
        """Take *text*, until it is full."""
        self.left -= text.count("\n")
        if self.left < 0:
            raise BrokenPipeError("nobody reads")

    def flush(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("lines", [0, 3, 15, 22, 40, 60, 70])
def test_a_demo_that_is_left_half_way_leaves_nothing(
    server: Backend, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    """As with ``| head``: what it stored until then goes."""
    before = stored(server)
    monkeypatch.setattr(sys, "stdout", Full(lines))
    with pytest.raises(BrokenPipeError):
        demo(server.database())
    assert before == server.dump()
    assert fingerprints(server) == []


def test_the_demo_on_a_server(real: Real, capsys: pytest.CaptureFixture[str]) -> None:
    """``demo --url``; a URL that is none, or a server that is not there, is one line on stderr."""
    assert 0 == main(["demo", "--url", real.server.url])
    assert {} == real.dump()
    assert fingerprints(real) == []
    capsys.readouterr()
    assert 2 == main(["demo", "--url", "redis://localhost/abc"])
    assert "uowredis: RedisDatabase.from_url() cannot read" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Said in one place; ``--version`` says it, of the script and of the module."""
    assert PROJECT["version"] == uowredis.__version__
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert (0, f"uowredis {uowredis.__version__}\n") == (left.value.code, capsys.readouterr().out)
    ran = subprocess.run([sys.executable, "-m", "uowredis", "--version"], capture_output=True, text=True, check=True)
    assert f"uowredis {uowredis.__version__}\n" == ran.stdout
    assert {"uowredis": "uowredis.cli:main"} == PROJECT["scripts"]
