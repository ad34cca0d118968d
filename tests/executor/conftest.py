"""A proxy in front of the real server, and work whose database goes by way of it."""

from collections.abc import Iterator

import pytest

from tests.executor.unit_of_work import STUBBORN, Work
from tests.tools.proxy import Proxy
from uowredis import RedisDatabase


@pytest.fixture(params=["default", "stubborn"])
def work(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[Work]:
    """Work whose connection has made a transaction; with redis-py's settings as they are, and as bad as can be."""
    settings = STUBBORN if request.param == "stubborn" else {}
    with RedisDatabase.from_url(proxy.url, **settings) as database:
        work = Work(database)
        proxy.reset()
        yield work
