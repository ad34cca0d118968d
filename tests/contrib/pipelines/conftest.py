"""Fixtures: a database with pipelines on each kind of server."""

from collections.abc import Iterator

import pytest

from tests.contrib.pipelines.people import on
from tests.models import Groups, groups
from tests.tools.backends import Backend
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture
def database(server: Backend) -> Iterator[PipelineDatabase]:
    """A database with pipelines on each kind of server in turn, empty."""
    with on(server) as database:
        yield database


@pytest.fixture
def people(database: PipelineDatabase) -> Groups:
    """The models of these tests on that database, nothing stored."""
    return groups(database)
