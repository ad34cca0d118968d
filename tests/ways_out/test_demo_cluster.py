"""``demo --cluster`` on servers of its own: nothing is lost while a place moves, and nothing is left running."""

import subprocess
from pathlib import Path

import pytest

from tests.tools.servers import server_binary
from tests.tools.ways_out import Told, tries
from uowredis import ImplementationError
from uowredis.cli import demo_cluster, main


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with the tests' server, and nothing else."""
    tmp_path.joinpath("redis-server").symlink_to(server_binary())
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_nothing_is_lost(on_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The counter is what was told, and the servers are gone."""
    assert 0 == main(["demo", "--cluster"])
    shown = capsys.readouterr().out
    assert "; place {shop}, slot 3808 at 127.0.0.1:" in shown
    assert "; 64 places on 3 nodes, one write each" in shown
    assert "\n30 visitors, 10 of them bob: [" in shown
    told, counter = shown.splitlines()[-1].split(";")[:2]
    assert int(told.rpartition(" ")[2]) == int(counter.rpartition(" ")[2]) > 60
    assert shown.endswith("its index finds Counter 1.\n")
    running = subprocess.run(["/bin/ps", "ax", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert str(on_path) not in running


@tries("No redis-server is on the PATH")
def test_no_server(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with told(ImplementationError):
        demo_cluster.demo_cluster()
    assert 0 == main(["demo"])
    tmp_path.joinpath("redis-server").symlink_to(server_binary())
    demo_cluster.demo_cluster()


@tries("The servers were not ready in time")
def test_slow_servers(told: Told, on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(demo_cluster, "_PATIENCE", -1.0)
        with told(ImplementationError):
            demo_cluster.demo_cluster()
    demo_cluster.demo_cluster()
