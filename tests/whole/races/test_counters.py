"""Eight processes read a counter, add one, and write it back: with what watches it no increment is lost."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
import redis

from tests.models import products
from tests.tools.backends import Real
from tests.whole.races import counting
from tests.whole.races.workers import WORKERS
from uowredis.contrib.database import PipelineDatabase


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def client(real: Real) -> redis.Redis:
    """A client of the server, on which product 1 is stored, with none in stock and no hits."""
    with PipelineDatabase.from_url(real.server.url) as database:
        products(database)(hits=0)
    return real.client(decode_responses=True)


def run(pool: ProcessPoolExecutor, real: Real, work: Callable[[str, int, int], int], times: int) -> int:
    """Run *work* in all processes at once; return how often their functions were called in all."""
    running = [pool.submit(work, real.server.url, worker, times) for worker in range(WORKERS)]
    return sum(future.result(timeout=240) for future in running)


def test_a_counter_made_with_transaction_is_exact(pool: ProcessPoolExecutor, real: Real, client: redis.Redis) -> None:
    """The documentation's ``incr_hits``: 8 processes, 500 increments each."""
    calls = run(pool, real, counting.by_transaction, 500)
    assert str(WORKERS * 500) == client.get(":product:1:stock")
    # Else nobody was ever in the way, and nothing was shown.
    assert calls > WORKERS * 500


def test_a_counter_made_with_run_is_exact(pool: ProcessPoolExecutor, real: Real, client: redis.Redis) -> None:
    """``db.run()`` watches what the function reads: 8 processes, 500 increments each."""
    calls = run(pool, real, counting.by_run, 500)
    assert str(WORKERS * 500) == client.get(":product:1:stock")
    assert calls > WORKERS * 500


def test_a_counter_with_an_index_is_exact(pool: ProcessPoolExecutor, real: Real, client: redis.Redis) -> None:
    """By both in turns; the index holds the last value and no other."""
    run(pool, real, counting.with_index, 50)
    total = WORKERS * 50
    assert str(total) == client.get(":product:1:hits")
    assert {f":product:hits:{total}": {"1"}} == {key: client.smembers(key) for key in client.keys(":product:hits:*")}
    assert [] == client.keys("*__guard__*")
