"""Eight processes at once: no lost update, no index entry wrong, no half object, one winner for what is unique."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
import redis

from tests.tools.backends import Real
from tests.whole.races import workers
from tests.whole.races.exactness import check_exact
from tests.whole.races.workers import WORKERS, Models, Outcomes


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def client(real: Real) -> redis.Redis:
    return real.client(decode_responses=True)


@pytest.fixture
def models(real: Real) -> Models:
    return Models(real.database())


def run(pool: ProcessPoolExecutor, real: Real, work: Callable[[str, int, int], Outcomes], times: int) -> list[Outcomes]:
    """Run *work* in all processes at once; return their outcomes."""
    running = [pool.submit(work, real.server.url, worker, times) for worker in range(WORKERS)]
    return [future.result(timeout=60) for future in running]


def test_updates_of_different_instances_never_conflict(
    pool: ProcessPoolExecutor, real: Real, client: redis.Redis, models: Models
) -> None:
    """Who updates its own instance meets nobody, though all share the sets of the index: one attempt is enough."""
    for worker in range(WORKERS):
        models.Product(name=worker, hits=0)
    outcomes = run(pool, real, workers.update_its_own, 200)
    assert {"applied": WORKERS * 200} == Counter(one for found in outcomes for one in found)
    assert ["200"] * WORKERS == [client.get(f":product:{pk + 1}:hits") for pk in range(WORKERS)]
    check_exact(client)


def test_one_wins_a_unique_value(pool: ProcessPoolExecutor, real: Real, client: redis.Redis, models: Models) -> None:
    """Of those who create one unique value one wins; of the others nothing is left."""
    rounds = zip(*run(pool, real, workers.claim_a_name, 40), strict=True)
    lost = {"applied": 1, "UniquenessError": WORKERS - 1}
    assert [lost] * 40 == [dict(Counter(found)) for found in rounds]
    assert (40, 40) == (client.scard(":product:collection"), len(client.keys(":product:*:hash")))
    check_exact(client)


def test_one_wins_a_chosen_pk(pool: ProcessPoolExecutor, real: Real, client: redis.Redis, models: Models) -> None:
    """Of those who create one pk one wins, and what is stored is its alone."""
    outcomes = run(pool, real, workers.claim_a_pk, 40)
    for number, found in enumerate(zip(*outcomes, strict=True)):
        assert {"applied": 1, "UniquenessError": WORKERS - 1} == dict(Counter(found))
        winner = found.index("applied")
        stored = client.hget(f":word:word {number}:hash", "kind"), client.get(f":word:word {number}:plain")
        assert (f"kind {winner}", str(winner)) == stored
    assert 40 == client.scard(":word:collection")
    check_exact(client)


def test_updates_of_one_instance_are_applied_or_in_conflict(
    pool: ProcessPoolExecutor, real: Real, client: redis.Redis, models: Models
) -> None:
    """However hot the instance, a commit is applied once or ends in Conflict; the count is that of the applied."""
    models.Product(name="hot", hits=0, color="red")
    counted = Counter(one for found in run(pool, real, workers.update_the_same, 60) for one in found)
    assert {"applied", "Conflict"} >= set(counted)
    assert str(counted["applied"]) == client.get(":product:1:hits")
    check_exact(client)


def test_updates_and_deletions_leave_no_half_objects(
    pool: ProcessPoolExecutor, real: Real, client: redis.Redis, models: Models
) -> None:
    """One deletion of an instance wins; updates are before it or refused; nothing of the instance is left."""
    for number in range(50):
        models.Product(name=number, hits=0, color="red", tags=["a"])
    outcomes = run(pool, real, workers.update_or_delete, 50)
    assert {"applied", "DoesNotExist"} == {one for found in outcomes for one in found}
    deleted = [sum(one == "applied" for one in found) for found in zip(*outcomes[1::2], strict=True)]
    assert [1] * 50 == deleted
    check_exact(client)
    left = sorted(key for key in client.keys(":product:*") if ":__commit__:" not in key)
    assert [":product:__fingerprint__", ":product:max_pk"] == left


def test_unique_values_are_swapped(pool: ProcessPoolExecutor, real: Real, client: redis.Redis, models: Models) -> None:
    """Swaps of unique values that race each other are all applied, one after another: no value is lost or doubled."""
    for name in ("x", "y", "z"):
        models.Product(name=name)
    counted = Counter(one for found in run(pool, real, workers.swap, 15) for one in found)
    assert {"applied": WORKERS * 15} == counted
    assert ["x", "y", "z"] == sorted(client.hget(f":product:{pk}:hash", "name") for pk in (1, 2, 3))
    check_exact(client)
