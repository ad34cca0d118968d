"""Random questions on every kind of index are answered on the asyncio face as Python's own comparison answers them."""

from typing import Any

import pytest
from hypothesis import settings

from tests.aio.models import Awaited
from tests.tools.backends import Backend
from tests.tools.host import declared
from tests.whole.questions.people import people
from tests.whole.questions.test_questions import ask_in_sessions, ask_outside
from uowredis.maintenance import check

#: More where the profile is the long one.
SEEDS = range(100, 100 + settings.default.max_examples // 25)


def without_faults(server: Backend) -> bool:
    """Return whether a check, by a model of the blocking face, finds nothing amiss."""
    return all(finding.is_note for finding in check(people(server.database())))


def declare(awaited: Awaited) -> Any:
    """Declare people whose fields have every kind of index."""
    return declared(people, awaited.database())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_found_is_what_python_finds(awaited: Awaited, server: Backend, seed: int) -> None:
    """Outside of sessions, after any changes: ranges, prefixes, ``in``, exclusion, and what is put together."""
    ask_outside(server, declare(awaited), seed)
    assert without_faults(server)


@pytest.mark.parametrize("watching", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_finds_what_will_be_there(awaited: Awaited, server: Backend, seed: int, watching: bool) -> None:
    """Over pending writes, as right after the commit."""
    ask_in_sessions(server, declare(awaited), seed, watching=watching)
    assert without_faults(server)
