"""Random transfers of eight processes at once: no money is lost or made, the index is exact, no transfer is lost."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
import redis

from tests.tools.backends import Real
from tests.whole.races import bank
from tests.whole.races.bank import ACCOUNTS, BALANCE, CLASSES, TOTAL, Bank, class_of
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
def ours(real: Real) -> Bank:
    ours = Bank(real.database())
    ours.open_accounts()
    return ours


def balances(client: redis.Redis) -> dict[str, int]:
    """Return what each account has."""
    return {str(number): int(client.get(f":account:{number}:balance")) for number in range(ACCOUNTS)}


def check_index(client: redis.Redis) -> None:
    """Each account stands in the index of its class alone, and its class is that of its balance."""
    found = balances(client)
    classes = {name: {owner for owner, held in found.items() if class_of(held) == name} for name in CLASSES}
    assert classes == {name: client.smembers(f":account:wealth:{name}") for name in CLASSES}
    assert {f":account:wealth:{name}" for name, there in classes.items() if there} == set(
        client.keys(":account:wealth:*")
    )
    assert [class_of(held) for held in found.values()] == [
        client.hget(f":account:{owner}:hash", "wealth") for owner in found
    ]
    assert [] == client.keys("*__guard__*")


def test_transfers_of_eight_processes(pool: ProcessPoolExecutor, real: Real, client: redis.Redis, ours: Bank) -> None:
    """The sum never changes, whenever it is read; every transfer is applied once; attempts are bounded."""
    reader = pool.submit(bank.sums, real.server.url, END)
    running = [pool.submit(bank.work, real.server.url, worker, TRANSFERS) for worker in range(WORKERS)]
    try:
        done = [future.result(timeout=120) for future in running]
    finally:
        client.set(END, 1)
    sums = reader.result(timeout=30)
    client.delete(END)

    assert {TOTAL} == set(sums)
    assert [TRANSFERS] * WORKERS == [each.applied for each in done]
    expected = {
        str(number): BALANCE + sum(each.moved.get(str(number), 0) for each in done) for number in range(ACCOUNTS)
    }
    assert expected == balances(client)
    assert TOTAL == sum(expected.values())
    check_index(client)
    transfers = WORKERS * TRANSFERS
    assert max(each.most_attempts for each in done) <= 20
    assert sum(each.calls for each in done) <= 2 * transfers


def test_without_watched_reads_money_is_made(real: Real, client: redis.Redis, ours: Bank) -> None:
    """Another transfer between the reads and the commit is lost, and the sum is wrong; the index is right."""
    other = Bank(real.database())
    with Session(ours.database) as s:
        ours.transfer("1", "2", 50)
        with other.database.begin():
            other.transfer("1", "3", 40)
        s.commit()
    found = balances(client)
    assert {"1": 50, "2": 150, "3": 140} == {owner: found[owner] for owner in "123"}
    assert TOTAL + 40 == sum(found.values())
    check_index(client)


def test_with_watched_reads_it_is_a_conflict(real: Real, client: redis.Redis, ours: Bank) -> None:
    """The same transfers, one in conflict: the other's is all that is applied."""
    other = Bank(real.database())
    with Session(ours.database, watch_reads=True) as s:
        ours.transfer("1", "2", 50)
        with other.database.begin():
            other.transfer("1", "3", 40)
        with pytest.raises(Conflict) as caught:
            s.commit()
        assert ("Account <1>.balance",) == caught.value.fields
        s.rollback()
    assert {"1": 60, "2": 100, "3": 140} == {owner: balances(client)[owner] for owner in "123"}
    check_index(client)
