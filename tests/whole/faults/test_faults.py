"""A sample of ``python -m tests.whole.faults``, which tries every byte, and of ``python -m tests.whole.soak``."""

import os
import socket
from collections.abc import Iterator

import pytest

from tests.tools.backends import Real
from tests.tools.servers import RealServer
from tests.tools.tap import Fault, Tap
from tests.whole.faults.plans import CASES
from tests.whole.faults.trials import Mode, Trials, modes_of
from tests.whole.soak import soak


@pytest.fixture(scope="module")
def trials(request: pytest.FixtureRequest) -> Iterator[Trials]:
    """A server of their own, which keeps all that it acknowledges."""
    trials = Trials(request.param)
    yield trials
    trials.close()


@pytest.mark.parametrize(
    ("trials", "mode"),
    [pytest.param(face, mode, id=f"{face}, {mode.name}") for face in ("blocking", "aio") for mode in modes_of(face)],
    indirect=["trials"],
)
def test_whatever_is_lost(trials: Trials, mode: Mode) -> None:
    """The data is exactly before or after, what was told is true, and it is never unknown while it can be asked."""
    few = 4 if trials.face == "aio" or mode.name.startswith(("killed", "swallowed")) else 9
    place = modes_of(trials.face).index(mode)
    for case in CASES if os.environ.get("HYPOTHESIS_PROFILE") == "long" else CASES[place :: len(CASES) // few]:
        trials.run(mode, case, 4 if mode.cancels else 3)
    assert [] == trials.violations
    found = trials.found[mode.name]
    assert 0 == found["unknown while reachable"]
    assert found["cases"] == found["applied"] + found["not applied"]
    assert min(found["applied"], found["not applied"]) > 0
    assert found["cancelled"] > found["cases"] // 2 if mode.cancels else not found["cancelled"]


def test_processes_under_faults() -> None:
    """What each was told to be applied is there once, nothing else, nothing by half."""
    findings, numbers = soak(minutes=0.08, processes=3, seed=1, kill_every=2)
    assert [] == findings, numbers


@pytest.mark.parametrize("after", range(0, 28, 3))
def test_the_tap_counts_bytes(real: Real, real_server: RealServer, after: int) -> None:
    """What was counted arrives and is executed, what comes then does not, until it is released."""
    sent = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
    assert 27 == len(sent)
    with Tap(real_server) as tap:
        port = int(tap.url.rsplit(":", 1)[1].partition("/")[0])
        tap.arm([Fault("server", after, "hold")])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            if after == len(sent):
                assert b"+OK\r\n" == client.recv(100)
            assert tap.happened.wait(10)
        if after < len(sent):
            assert None is real.client().get("a")
        tap.release()
        assert b"1" == real.client().get("a")
