"""Each test of this room is a coroutine function: awaited as it is, and, made plain, run on the blocking face."""

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from tests.aio.conftest import run
from tests.aio.models import Models
from tests.tools.backends import Backend
from tests.tools.colour import blocking


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run the body in the colour of the models that it is given."""
    assert inspect.iscoroutinefunction(pyfuncitem.obj), "a body of both faces is an async def"
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if given["on"].is_awaited:
        asyncio.run(run(pyfuncitem.obj, given))
    else:
        blocking(pyfuncitem.obj)(**given)
        assert given["on"].database.session is None
    return True


@pytest.fixture(params=["awaited", "blocking"])
def on(request: pytest.FixtureRequest, server: Backend) -> Iterator[Models]:
    """The models of either face on either server, empty."""
    if request.param == "awaited":
        yield Models.on(server)
        return
    models = Models.blocking(server)
    yield models
    models.database.close()
