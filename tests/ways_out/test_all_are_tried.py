"""Each message that names a way out has a test that provokes it and takes the way, in the rooms that are told here."""

import pytest

from tests.tools.ways_out import TRIED, Message, all_messages, messages
from tests.ways_out import (
    test_arguments,
    test_blocks,
    test_collections,
    test_commits,
    test_contrib,
    test_fields,
    test_models,
    test_planning,
    test_sessions,
    test_upkeep,
)

#: The rooms all of whose ways out are tried, by how their files begin. The others are yet to come; none leaves.
ROOMS = (
    "cli/",
    "collection/",
    "commands/",
    "contrib/",
    "database.py",
    "fields/",
    "maintenance/",
    "model/",
    "overlay/",
    "planner/",
    "schema/",
    "session/",
    "values/",
)

MODULES = (
    test_arguments,
    test_blocks,
    test_collections,
    test_commits,
    test_contrib,
    test_fields,
    test_models,
    test_planning,
    test_sessions,
    test_upkeep,
)


@pytest.mark.parametrize("room", ROOMS)
def test_each_message_is_tried(room: str) -> None:
    """A new message without a test of its way out is found here."""
    there = [each for each in all_messages() if each.place.startswith(room)]
    assert there
    assert [] == [each for each in there if not any(each.is_meant(*meant) for meant in TRIED)]


def test_each_test_is_of_one_message() -> None:
    """Of one that is there."""
    assert [] == [meant for meant in TRIED if 1 != sum(each.is_meant(*meant) for each in all_messages())]
    assert {name for tests in TRIED.values() for name in tests} <= {name for each in MODULES for name in vars(each)}


def test_messages_are_read_from_code() -> None:
    """Whole, with values left out; docstrings are none."""
    code = '''
def f(x):
    """Way out: none."""
    raise ValueError(f"{x!r} is no {x}. Way " f"out: {x}") if x else KeyError("a" " Way out: b")
'''
    assert [Message("", "{} is no {}. Way out: {}"), Message("", "a Way out: b")] == sorted(
        messages(code), key=lambda each: each.text, reverse=True
    )
