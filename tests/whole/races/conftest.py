"""The other client of a race, and what it reads."""

import pytest
import redis

from tests.tools.backends import Real
from tests.whole.races.workers import Models


@pytest.fixture
def other(real: Real) -> Models:
    """The same models on a database of the other client's own."""
    return Models(real.database())


@pytest.fixture
def client(real: Real) -> redis.Redis:
    return real.client(decode_responses=True)
