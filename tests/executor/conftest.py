"""A proxy in front of the real server, and a shop whose database goes by way of it."""

from collections.abc import Iterator

import pytest

from tests.executor.shop import STUBBORN, Shop
from tests.tools.proxy import Proxy
from uowredis import RedisDatabase


@pytest.fixture(params=["default", "stubborn"])
def shop(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[Shop]:
    """A shop whose connection has made a transaction; with redis-py's settings as they are, and as bad as can be."""
    settings = STUBBORN if request.param == "stubborn" else {}
    with RedisDatabase.from_url(proxy.url, **settings) as database:
        shop = Shop(database)
        proxy.reset()
        yield shop
