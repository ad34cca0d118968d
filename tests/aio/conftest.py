"""Coroutine tests run on a loop of their own; each leaves no connection held, and no session open."""

import asyncio
import inspect
from typing import Any

import pytest

from tests.aio.models import Models
from tests.tools.backends import Backend
from uowredis import aio


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function; then look for what it left behind."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(run(pyfuncitem.obj, given))
    return True


async def run(test: Any, given: dict[str, Any]) -> None:
    """Run *test*, and look for what it left behind."""
    databases = [each.database for each in given.values() if isinstance(each, Models)]
    try:
        await test(**given)
        for database in databases:
            assert database.session is None
            assert held(database) == 0
    finally:
        for database in databases:
            await database.close()


def held(database: aio.RedisDatabase) -> int:
    """Return how many connections are held on this loop, or waited for."""
    turns: Any = database._executor.pool.turns
    holders = turns._by_loop.get(asyncio.get_running_loop())
    return 0 if holders is None else len(holders.turns)


@pytest.fixture
def on(server: Backend) -> Models:
    """The models on the asyncio face, empty."""
    return Models.on(server)


@pytest.fixture
def on_real(real: Backend) -> Models:
    """The same on the real server alone: what suspends nowhere in process."""
    return Models.on(real)
