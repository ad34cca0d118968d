"""Counters that worker processes increment: each function is given the server's URL, its place, and how often.

The value is read and then written, as if INCR did not exist; only what watches it keeps the count exact.
"""

from typing import Any

from tests.whole.races.workers import together
from uowredis import RedisModel, Session, StringField
from uowredis.contrib.database import PipelineDatabase

#: Seconds for which one increment is tried again; an increment that others overtake for so long fails the test.
RETRY_FOR = 60


class Counters:
    """A page with hits, and with the same number in a field with an index."""

    def __init__(self, on: PipelineDatabase) -> None:
        class Page(RedisModel):
            database = on
            hits = StringField(default=0)
            shown = StringField(default=0, indexable=True)

        self.database, self.Page = on, Page


def begin(url: str) -> tuple[PipelineDatabase, Any]:
    """Return the database and page 1 when all workers are there."""
    counters = Counters(PipelineDatabase.from_url(url))
    page = counters.Page("1")
    together(url)
    return counters.database, page


def by_transaction(url: str, worker: int, times: int) -> int:
    """Increment by ``transaction()``, as the documentation does; return how often the function was called."""
    database, page = begin(url)
    calls = 0

    def do_incr(pipeline: Any) -> None:
        nonlocal calls
        calls += 1
        hits = int(page.hits.get())
        pipeline.multi()
        page.hits.set(hits + 1)

    for _ in range(times):
        assert [True] == database.transaction(do_incr, page.hits, retry_for=RETRY_FOR)
    return calls


def by_run(url: str, worker: int, times: int) -> int:
    """Increment by ``db.run()``; return how often the function was called."""
    database, page = begin(url)
    calls = 0

    def do_incr(session: Session) -> None:
        nonlocal calls
        calls += 1
        page.hits.set(int(page.hits.get()) + 1)

    for _ in range(times):
        database.run(do_incr, retry_for=RETRY_FOR)
    return calls


def with_index(url: str, worker: int, times: int) -> int:
    """Increment a field with an index, by both in turns; return how often a function was called."""
    database, page = begin(url)
    calls = 0

    def transacted(pipeline: Any) -> None:
        nonlocal calls
        calls += 1
        shown = int(page.shown.get())
        pipeline.multi()
        page.shown.set(shown + 1)

    def run(session: Session) -> None:
        nonlocal calls
        calls += 1
        page.shown.set(int(page.shown.get()) + 1)

    for number in range(times):
        if number % 2:
            database.transaction(transacted, page.shown, retry_for=RETRY_FOR)
        else:
            database.run(run, retry_for=RETRY_FOR)
    return calls
