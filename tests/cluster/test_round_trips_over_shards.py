"""How often each server is asked by a question over shards: once a round, however many places there are."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.shards import declare
from tests.tools.cluster import Cluster
from tests.tools.proxy import Proxy
from uowredis import RedisDatabase, Session

QUESTIONS: dict[str, tuple[Callable[[SimpleNamespace], Any], int]] = {
    "count": (lambda firm: firm.person.collection().count(), 1),
    "a filter, counted": (lambda firm: firm.person.collection(name="ann").count(), 1),
    "two filters": (lambda firm: list(firm.person.collection(name="ann", tags="a")), 1),
    "page of ten": (lambda firm: firm.person.collection(name="ann").sort()[:10], 1),
    "page of ten, of two filters, with its total": (
        lambda firm: firm.person.collection(name="ann", tags="a").sort().page(0, 10),
        1,
    ),
    "instances, looked up": (lambda firm: firm.person.collection(name="ann").sort().instances()[:10], 2),
    "what follows": (lambda firm: firm.person.collection().sort(by="age").after(None, 10), 1),
}


@pytest.mark.parametrize("shards", [64, 1_024])
def test_on_one_server(proxy: Proxy, shards: int) -> None:
    """A question over all places is one round trip, as that of one is; a session costs what it costs without shards."""
    with RedisDatabase(host=proxy.host, port=proxy.port) as database:
        firm = declare(SimpleNamespace(database=lambda: database), shards)  # type: ignore[arg-type]
        tenant = firm.tenant(name="t")
        for number in range(5):
            firm.person(tenant=tenant, name="ann", age=number, tags=["a"])
        for ask, _ in QUESTIONS.values():
            ask(firm)
        for name, (ask, trips) in QUESTIONS.items():
            proxy.reset()
            ask(firm)
            assert trips == proxy.round_trips(), name
        proxy.reset()
        assert 5 == firm.person.collection(tenant=tenant).count()
        assert 1 == proxy.round_trips()
        proxy.reset()
        with Session(database) as s:
            firm.person(tenant=tenant, name="bob")
            s.commit()
        assert 2 == proxy.round_trips()


@pytest.fixture
def spread(cluster: Cluster) -> SimpleNamespace:
    """Persons in 64 shards on three nodes."""
    firm = declare(cluster, 64)
    for number in range(5):
        firm.person(tenant=firm.tenant(name=f"t{number}"), name="ann", age=number, tags=["a"])
    return firm


def reads(cluster: Cluster) -> list[int]:
    """Return how often each node has read from its sockets."""
    return [client.info("stats")["total_reads_processed"] for client in cluster.clients()]


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "instances, looked up"])
def test_on_a_cluster(cluster: Cluster, spread: SimpleNamespace, name: str) -> None:
    """Each node is asked once, for all its places; by the near field one node is."""
    ask, _ = QUESTIONS[name]
    ask(spread)
    if name == "what follows":
        # Values are read key by key, of those found.
        ask(spread)
    before = reads(cluster)
    ask(spread)
    after = reads(cluster)
    # One more is that of INFO itself.
    assert [1, 1, 1] == [there - here - 1 for here, there in zip(before, after, strict=True)]


def test_the_near_field_asks_one_node(cluster: Cluster, spread: SimpleNamespace) -> None:
    tenant = spread.tenant.collection(name="t3").instances()[0]
    asks: list[Callable[[], Any]] = [
        lambda: spread.person.collection(tenant=tenant).count(),
        lambda: list(tenant.person_set(name="ann")),
        lambda: spread.person.exists("64"),
    ]
    for ask in asks:
        ask()
        before = reads(cluster)
        ask()
        after = reads(cluster)
        assert [0, 0, 1] == sorted(there - here - 1 for here, there in zip(before, after, strict=True))
