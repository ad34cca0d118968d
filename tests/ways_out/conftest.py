"""The message whose way out a test takes."""

from collections.abc import Iterator

import pytest

from tests.session.doors import Stock, stocked
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, all_messages


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """What checks that the message was told; a test that never sees it fails."""
    (message,) = (each for each in all_messages() if each.is_meant(*request.function.tries))
    told = Told(message)
    yield told
    assert told.times


@pytest.fixture
def stock(server: Backend) -> Stock:
    """Products, bread with a stock of 5 among them."""
    return stocked(server)
