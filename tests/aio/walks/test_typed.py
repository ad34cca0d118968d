"""Typed fields on the asyncio face give what Python holds, and what is stored and indexed is spelled right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aio.models import Awaited
from tests.aio.walks import FEW
from tests.tools.backends import Backend
from tests.tools.host import declared
from tests.whole.walks.test_typed import bikes_and_python, declare


@pytest.mark.parametrize("way", ["session", "alone"])
@FEW
@given(data=st.data())
def test_typed_fields_are_what_python_holds(awaited: Awaited, server: Backend, way: str, data: Any) -> None:
    """Over pending writes, after a rollback of a part, after the commit."""
    bikes_and_python(server, declared(declare, awaited.database()), way, data)
