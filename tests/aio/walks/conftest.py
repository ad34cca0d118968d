"""Each kind of server, with databases of the asyncio face that a host holds."""

import random
from collections.abc import Iterator

import pytest

from tests.aio.models import Awaited
from tests.tools.backends import Backend
from tests.tools.host import Host


@pytest.fixture
def awaited(server: Backend) -> Iterator[Awaited]:
    """The server, whose databases are of the asyncio face."""
    with Host() as host:
        awaited = Awaited(server, host)
        yield awaited
        awaited.close()


@pytest.fixture
def disturbed(server: Backend) -> Iterator[Awaited]:
    """The same; now and then the task is cancelled where it waits for a read or a commit, which it asks once more."""
    chance = random.Random(0)
    with Host(lambda: chance.randrange(4) if chance.random() < 0.4 else None, again=True) as host:
        disturbed = Awaited(server, host)
        yield disturbed
        # In process hardly anything waits.
        host.when = lambda: None
        disturbed.close()
