"""A collection of the asyncio face answers in a session with pending writes as it answers right after the commit."""

from typing import Any

import pytest
from hypothesis import given

from tests.aio.models import Awaited
from tests.aio.walks import FEW
from tests.tools.backends import Backend
from tests.tools.host import declared
from tests.whole.walks.collection_questions import Models, declare
from tests.whole.walks.test_queries import QUERIED, query_and_commit


@pytest.fixture(params=[False, True], ids=["counted pks", "chosen pks"])
def models(disturbed: Awaited, request: pytest.FixtureRequest) -> Models:
    """The models on one database, which every example empties."""
    found: Models = declared(declare, disturbed.database(), chosen=request.param)
    return found


@FEW
@given(**QUERIED)
def test_the_answer_in_a_session_is_that_after_its_commit(server: Backend, models: Models, **drawn: Any) -> None:
    """What ``list()``, a slice, ``count()`` and ``contains()`` say of a query, whatever is pending and cancelled."""
    query_and_commit(server, models, **drawn)
