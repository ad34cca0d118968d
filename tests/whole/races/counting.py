"""Counters that worker processes increment: each function is given the server's URL, its place, and how often.

The value is read and then written, as if INCR did not exist; only what watches it keeps the count exact.
"""

from typing import Any

from tests.models import products
from tests.whole.races.workers import together
from uowredis import Session
from uowredis.contrib.database import PipelineDatabase

#: Seconds for which one increment is tried again; an increment that others overtake for so long fails the test.
RETRY_FOR = 60


def begin(url: str) -> tuple[PipelineDatabase, Any]:
    """Return the database and product 1 when all workers are there."""
    database = PipelineDatabase.from_url(url)
    product = products(database)("1")
    together(url)
    return database, product


def by_transaction(url: str, worker: int, times: int) -> int:
    """Increment by ``transaction()``, as the documentation does; return how often the function was called."""
    database, product = begin(url)
    calls = 0

    def do_incr(pipeline: Any) -> None:
        nonlocal calls
        calls += 1
        stock = int(product.stock.get())
        pipeline.multi()
        product.stock.set(stock + 1)

    for _ in range(times):
        assert [True] == database.transaction(do_incr, product.stock, retry_for=RETRY_FOR)
    return calls


def by_run(url: str, worker: int, times: int) -> int:
    """Increment by ``db.run()``; return how often the function was called."""
    database, product = begin(url)
    calls = 0

    def do_incr(session: Session) -> None:
        nonlocal calls
        calls += 1
        product.stock.set(int(product.stock.get()) + 1)

    for _ in range(times):
        database.run(do_incr, retry_for=RETRY_FOR)
    return calls


def with_index(url: str, worker: int, times: int) -> int:
    """Increment a field with an index, by both in turns; return how often a function was called."""
    database, product = begin(url)
    calls = 0

    def transacted(pipeline: Any) -> None:
        nonlocal calls
        calls += 1
        hits = int(product.hits.get())
        pipeline.multi()
        product.hits.set(hits + 1)

    def run(session: Session) -> None:
        nonlocal calls
        calls += 1
        product.hits.set(int(product.hits.get()) + 1)

    for number in range(times):
        if number % 2:
            database.transaction(transacted, product.hits, retry_for=RETRY_FOR)
        else:
            database.run(run, retry_for=RETRY_FOR)
    return calls
