"""The short form of ``python -m tests.whole.tasks``: many tasks, few connections, an exact result, nothing left."""

from __future__ import annotations

import pytest

from tests.tools.backends import Real
from tests.whole.tasks import run


@pytest.mark.parametrize("cancelled", [0.0, 0.3], ids=["undisturbed", "cancelled"])
async def test_many_tasks_with_few_connections(real: Real, cancelled: float) -> None:
    """Each session is applied once and whole, or not at all; no connection is leaked, none waits for ever."""
    client = real.client(decode_responses=True)
    numbers = await run(real.server.url, client, tasks=60, sessions=6, connections=5, cancelled=cancelled)
    assert numbers.applied > 100
    assert (numbers.cancelled > 0) == (cancelled > 0)
