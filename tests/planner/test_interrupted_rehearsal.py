"""An interruption of a rehearsal, wherever it comes: no lock is left locked, and the next rehearsal works."""

import queue
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fakeredis
import pytest

from tests.planner.stage import BIKE, stored, write
from tests.tools.backends import Embedded
from tests.tools.interruptions import PACKAGE, interrupted, points
from uowredis import RedisModel, StringField
from uowredis.commands.changes import Opaque
from uowredis.planner.rehearsal import Refused, Rehearsal
from uowredis.schema.models import Kind

#: Where locks are taken by code in Python.
LOCKS = (queue.__file__, threading.__file__)

#: What runs in a rehearsal.
INSIDE = (
    str(Path(fakeredis.__file__).parent),
    str(Path(PACKAGE, "planner", "rehearsal.py")),
    str(Path(PACKAGE, "embedded.py")),
    *LOCKS,
)


class Late(BaseException):
    """What a signal handler raises."""


def rehearse(rehearsal: Rehearsal) -> list[Any]:
    """Try a draw, a sum, and what is refused."""
    rehearsal.load(Kind.SET, None, ["a"])
    drawn = rehearsal.rewrite(write(stored(BIKE, "1"), "tags", Opaque(), "SPOP"), 0)
    left = rehearsal.content(Kind.SET, None)
    rehearsal.load(Kind.STRING, None, "2.5")
    added = rehearsal.write(write(stored(BIKE, "1"), "price", Opaque(fallible=True), "INCRBYFLOAT", "0.5"))
    with pytest.raises(Refused, match="not an integer"):
        rehearsal.run(("INCRBY", "rehearsed", "x"))
    return [drawn.reply, left, added]


def chosen(call: Callable[[], object]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield points of *call*: all where locks are, the first ones, in which a server is made, and some others."""
    for at in range(1, points(call, *LOCKS) + 1):
        signal.alarm(20)  # for each of them
        yield at, LOCKS
    count = points(call, *INSIDE)
    assert count > 500
    for at in [*range(1, 101), *random.Random(1).sample(range(101, count + 1), 100)]:
        signal.alarm(20)
        yield at, INSIDE


@pytest.mark.usefixtures("_bounded")
def test_the_next_rehearsal_works() -> None:
    """Of the same session, with another server."""
    expected = rehearse(Rehearsal(10, 1))
    for at, inside in chosen(lambda: rehearse(Rehearsal(10, 1))):
        rehearsal = Rehearsal(10, 1)
        with pytest.raises(Late), interrupted(Late(), at, *inside):
            rehearse(rehearsal)
        assert expected == rehearse(rehearsal)
        rehearsal.close()


@pytest.mark.usefixtures("_bounded")
def test_the_embedded_server_goes_on(embedded: Embedded) -> None:
    """A commit on it that is interrupted in it leaves it open to everybody: it answers, also other clients.

    What the interrupted command left there may be half of it (docs/fakeredis.md), so that it is emptied.
    """
    on = embedded.database()

    class Page(RedisModel):
        database = on
        hits = StringField(default=0, indexable=True)

    page = Page()
    other = embedded.client()

    def work() -> None:
        page.hits.incr()
        page.hits.incrbyfloat("1")

    for at, inside in chosen(work):
        page.hits.set(1)
        with pytest.raises(Late), interrupted(Late(), at, *inside):
            work()
        assert other.flushall()
        page = Page(hits=7)
        assert (8, b"8") == (page.hits.incr(), other.get(":page:1:hits"))
