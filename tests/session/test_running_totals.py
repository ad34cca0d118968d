"""A total that is looked at after each row: what was tried for one read is not tried again for the next."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.models import things
from tests.tools.backends import Backend
from uowredis import Session

ROWS: dict[str, Callable[[Any, int], Any]] = {
    "sum": lambda thing, row: (thing.indexed_string.incr(), thing.indexed_string.get()),
    "entry": lambda thing, row: (thing.headers.hincrby("n", 1), thing.headers.hget("n")),
    "list": lambda thing, row: (thing.list.rpush(row), thing.list.llen()),
    "scores": lambda thing, row: (thing.zset.zadd({str(row): row}), thing.zset.zcard()),
    "set": lambda thing, row: (thing.set.sadd(row), thing.set.scard()),
}


def calls(operation: Callable[[], Any]) -> int:
    """Return how many Python functions *operation* calls, those of fakeredis too: a measure that no load moves."""
    count = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call"

    former = sys.getprofile()
    sys.setprofile(note)
    try:
        operation()
    finally:
        sys.setprofile(former)
    return count


@pytest.mark.parametrize("each", ROWS.values(), ids=ROWS)
def test_a_row_costs_little_more_behind_many(server: Backend, each: Callable[[Any, int], Any]) -> None:
    """The last of 200 rows calls at most a few functions more for each row before it."""
    on = server.database()
    thing = things(on)(string="0", indexed_string="0", headers={"n": "0"}, list=["x"], zset={"x": 1}, set=["x"])
    with Session(on, on_pending="discard"):
        for row in range(10):
            each(thing, row)
        early = calls(lambda: each(thing, 10))
        for row in range(11, 200):
            each(thing, row)
        late = calls(lambda: each(thing, 200))
    assert late - early <= 190 * 12


def test_what_another_changes_meanwhile_is_seen(server: Backend) -> None:
    """What was tried stands on what was there; where that has changed it is tried anew."""
    on = server.database()
    thing = things(on)(indexed_string="5")
    with Session(on, on_pending="discard"):
        thing.indexed_string.incr()
        assert "6" == thing.indexed_string.get()
        server.client().set(thing.indexed_string.key, 50)
        assert "51" == thing.indexed_string.get()
        thing.indexed_string.incr(10)
        assert "61" == thing.indexed_string.get()


def test_what_is_forgotten_is_tried_no_more(server: Backend) -> None:
    """A savepoint takes back what was tried with what was said."""
    on = server.database()
    thing = things(on)(indexed_string="5")
    with Session(on, on_pending="discard") as session:
        thing.indexed_string.incr()
        with session.savepoint() as savepoint:
            thing.indexed_string.incr(100)
            assert "106" == thing.indexed_string.get()
            savepoint.rollback()
            thing.indexed_string.incr(1000)
            assert "1006" == thing.indexed_string.get()
        assert "1006" == thing.indexed_string.get()


def test_what_was_deleted_is_tried_no_more(server: Backend) -> None:
    """Of a new object: as many writes after a deletion of its field as were tried before it."""
    on = server.database()
    model = things(on)
    with Session(on, on_pending="discard"):
        thing = model()
        thing.list.rpush("a")
        thing.list.rpush("b")
        assert ["a", "b"] == thing.list.lrange(0, -1)
        thing.list.delete()
        thing.list.rpush("c")
        assert ["c"] == thing.list.lrange(0, -1)
        thing.list.rpush("d")
        assert ["c", "d"] == thing.list.lrange(0, -1)
