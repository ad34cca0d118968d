"""A read of the asyncio face, in a session, answers as the blocking face is answered right after the commit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aio.models import Awaited
from tests.aio.walks import FEW
from tests.models import EveryKind, every_kind
from tests.tools.backends import Backend
from tests.tools.host import declared
from tests.whole.walks.test_reads import FIELDS, QUERIED, query_over_pending_writes, read_over_pending_writes


@pytest.fixture(params=[True, False], ids=["indexed", "bare"])
def indexed(request: pytest.FixtureRequest) -> bool:
    """Whether the fields have an index."""
    return bool(request.param)


@pytest.fixture
def clients(disturbed: Awaited, server: Backend, indexed: bool) -> tuple[EveryKind, EveryKind]:
    """A client of each face."""
    options = {"indexed": indexed, "renamed": True}
    return declared(every_kind, disturbed.database(), **options), every_kind(server.database(), **options)


@FEW
@given(field=st.sampled_from(FIELDS), data=st.data())
def test_a_read_sees_the_pending_writes(
    server: Backend, clients: tuple[EveryKind, EveryKind], indexed: bool, field: str | None, data: Any
) -> None:
    """Every reading command, over any pending writes, whatever is cancelled."""
    read_over_pending_writes(server, *clients, field, data, indexed=indexed)


@FEW
@given(**QUERIED)
def test_a_query_sees_the_pending_writes(
    disturbed: Awaited, server: Backend, base: Any, steps: Any, asked: Any
) -> None:
    """``exists`` and ``get`` with filters, over any pending writes, whatever is cancelled."""
    ours = declared(every_kind, disturbed.database(), unique=False, renamed=True)
    theirs = every_kind(server.database(), unique=False, renamed=True)
    query_over_pending_writes(server, ours, theirs, base, steps, asked)
