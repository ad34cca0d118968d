"""Fixtures: each place on each server."""

import pytest

from tests.contrib.related.place import Place
from tests.tools.backends import Backend


@pytest.fixture(params=[False, True], ids=["outside", "in a session"])
def place(server: Backend, request: pytest.FixtureRequest) -> Place:
    """An empty database; with a session around what is said, and without."""
    return Place(server.database(), request.param)
