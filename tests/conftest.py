"""Fixtures: the real server of the run, and the servers that a test runs on."""

from collections.abc import Iterator
from importlib.metadata import version

import pytest

from tests import servers
from tests.backends import Backend, Embedded, Real


def pytest_report_header() -> list[str]:
    """Name what the tests run on."""
    return [
        f"real server: {servers.describe()}",
        f"fakeredis {version('fakeredis')}, redis-py {version('redis')}, hiredis {version('hiredis')}",
    ]


@pytest.fixture(scope="session")
def real_server() -> Iterator[servers.RealServer]:
    """The one real server of the run; a run without is an error, not a skip."""
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


@pytest.fixture(params=["embedded", "redis"])
def server(request: pytest.FixtureRequest) -> Backend:
    """Each kind of server in turn, empty."""
    return request.getfixturevalue("real" if request.param == "redis" else "embedded")
