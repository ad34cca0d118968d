"""Fixtures: the real server of the run, and the servers that a test runs on."""

import gc
import os
import signal
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.tools import servers
from tests.tools.backends import Backend, Embedded, Real
from tests.tools.cluster import Cluster
from tests.tools.place import Place
from tests.tools.proxy import Proxy

# A walk asks a server at every step, so that no example has a deadline, and some are slow; each empties its server.
settings.register_profile(
    "walks",
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("long", settings.get_profile("walks"), max_examples=2_000, stateful_step_count=50)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "walks"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Let ``-n auto`` take one worker where there is one server: each empties its own."""
    return 1 if os.environ.get("REDIS_URL") else None


def pytest_report_header() -> list[str]:
    """Name what the tests run on."""
    return [
        f"real server: {servers.describe()}",
        f"fakeredis {version('fakeredis')}, redis-py {version('redis')}, hiredis {version('hiredis')}",
    ]


@pytest.fixture(scope="module", autouse=True)
def _out_of_collections() -> None:
    """Keep what there is by now, tests and what they left, out of garbage collections, which grow slow with it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Let SIGINT interrupt, also where the tests run in the background of a shell, which has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_server() -> Iterator[servers.RealServer]:
    """The one real server of the run; a run without is an error, not a skip."""
    if "REDIS_URL" in os.environ and int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
        raise servers.NoServer("Workers would empty the server of REDIS_URL for each other. Way out: -n auto takes one")
    with servers.find() as server:
        yield server


@pytest.fixture
def embedded() -> Iterator[Embedded]:
    """An empty in-process server of this test's own."""
    backend = Embedded()
    yield backend
    backend.close()


@pytest.fixture
def real(real_server: servers.RealServer) -> Iterator[Real]:
    """The real server, flushed before the test."""
    backend = Real(real_server)
    backend.flush()
    yield backend
    backend.close()


@pytest.fixture
def proxy(real: Real, real_server: servers.RealServer) -> Iterator[Proxy]:
    """A proxy before the real server, which can count, stall, and cut."""
    with Proxy(real_server) as proxy:
        yield proxy


@pytest.fixture(params=["WATCH", "script"])
def how(request: pytest.FixtureRequest) -> str:
    """How the guards travel."""
    return request.param


@pytest.fixture(scope="session")
def second_server() -> Iterator[servers.RealServer]:
    """Another real server, for what must be compared on equal data."""
    with servers.RealServer.start() as server:
        yield server


@pytest.fixture
def twin(second_server: servers.RealServer) -> Iterator[Real]:
    """The second real server, of this test's own."""
    twin = Real(second_server)
    twin.flush()
    yield twin
    twin.close()


@pytest.fixture(params=["embedded", "redis"])
def server(request: pytest.FixtureRequest) -> Backend:
    """Each kind of server in turn, empty."""
    return request.getfixturevalue("real" if request.param == "redis" else "embedded")


@pytest.fixture(params=[False, True], ids=["outside", "in a session"])
def place(server: Backend, request: pytest.FixtureRequest) -> Place:
    """An empty database; with a session around what is said, and without."""
    return Place(server.database(), request.param)


@pytest.fixture
def _bounded() -> Iterator[None]:
    """Let nothing hang: what is waited for too long, after a `signal.alarm`, is given up by an error."""

    def hang(*_: Any) -> None:
        raise AssertionError("this hangs")

    former = signal.signal(signal.SIGALRM, hang)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


@pytest.fixture(scope="session")
def running_cluster() -> Iterator[Cluster]:
    """A real cluster of three masters, for the whole run."""
    with Cluster.start(3) as cluster:
        yield cluster


@pytest.fixture
def cluster(running_cluster: Cluster) -> Cluster:
    """The same, empty."""
    running_cluster.flush()
    return running_cluster
