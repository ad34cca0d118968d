"""Random transfers of eight processes at once: nothing is lost or made, the index is exact, no transfer is lost."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
import redis

from tests.tools.backends import Real
from tests.whole.races import transfers
from tests.whole.races.transfers import KINDS, PRODUCTS, STOCK, TOTAL, Stock, kind_of
from tests.whole.races.workers import WORKERS
from uowredis import Conflict, Session

TRANSFERS = 500
END = "the transfers are done"


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(WORKERS + 1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def client(real: Real) -> redis.Redis:
    return real.client(decode_responses=True)


@pytest.fixture
def ours(real: Real) -> Stock:
    ours = Stock(real.database())
    ours.fill()
    return ours


def stocks(client: redis.Redis) -> dict[str, int]:
    """Return what each product has."""
    return {str(number): int(client.get(f":product:{number}:stock")) for number in range(1, PRODUCTS + 1)}


def check_index(client: redis.Redis) -> None:
    """Each product stands in the index of its kind alone, and its kind is that of its stock."""
    found = stocks(client)
    kinds = {name: {pk for pk, held in found.items() if kind_of(held) == name} for name in KINDS}
    assert kinds == {name: client.smembers(f":product:kind:{name}") for name in KINDS}
    assert {f":product:kind:{name}" for name, there in kinds.items() if there} == set(client.keys(":product:kind:*"))
    assert [kind_of(held) for held in found.values()] == [client.hget(f":product:{pk}:hash", "kind") for pk in found]
    assert [] == client.keys("*__guard__*")


def test_transfers_of_eight_processes(pool: ProcessPoolExecutor, real: Real, client: redis.Redis, ours: Stock) -> None:
    """The sum never changes, whenever it is read; every transfer is applied once; attempts are bounded."""
    reader = pool.submit(transfers.sums, real.server.url, END)
    running = [pool.submit(transfers.work, real.server.url, worker, TRANSFERS) for worker in range(WORKERS)]
    try:
        done = [future.result(timeout=120) for future in running]
    finally:
        client.set(END, 1)
    sums = reader.result(timeout=30)
    client.delete(END)

    assert {TOTAL} == set(sums)
    assert [TRANSFERS] * WORKERS == [each.applied for each in done]
    expected = {
        str(number): STOCK + sum(each.moved.get(str(number), 0) for each in done) for number in range(1, PRODUCTS + 1)
    }
    assert expected == stocks(client)
    assert TOTAL == sum(expected.values())
    check_index(client)
    made = WORKERS * TRANSFERS
    assert max(each.most_attempts for each in done) <= 20
    assert sum(each.calls for each in done) <= 2 * made


def test_without_watched_reads_stock_is_made(real: Real, client: redis.Redis, ours: Stock) -> None:
    """Another transfer between the reads and the commit is lost, and the sum is wrong; the index is right."""
    other = Stock(real.database())
    with Session(ours.database) as s:
        ours.transfer("1", "2", 50)
        with other.database.begin():
            other.transfer("1", "3", 40)
        s.commit()
    found = stocks(client)
    assert {"1": 50, "2": 150, "3": 140} == {pk: found[pk] for pk in "123"}
    assert TOTAL + 40 == sum(found.values())
    check_index(client)


def test_with_watched_reads_it_is_a_conflict(real: Real, client: redis.Redis, ours: Stock) -> None:
    """The same transfers, one in conflict: the other's is all that is applied."""
    other = Stock(real.database())
    with Session(ours.database, watch_reads=True) as s:
        ours.transfer("1", "2", 50)
        with other.database.begin():
            other.transfer("1", "3", 40)
        with pytest.raises(Conflict) as caught:
            s.commit()
        assert ("Product <1>.stock",) == caught.value.fields
        s.rollback()
    assert {"1": 60, "2": 100, "3": 140} == {pk: stocks(client)[pk] for pk in "123"}
    check_index(client)
