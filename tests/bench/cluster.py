"""One indexed ``hset`` in a place of a cluster, and on one server: ``python -m tests.bench.cluster [--calls N]``.

Each is divided by the same by hand, WATCH and all, at the node that has the place, and at the server; and the one by
the other: what a cluster costs beyond. The four take turns. It starts three nodes, and empties the server's database.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import redis

from tests.bench.people import change_one_by_hand
from tests.tools import servers
from tests.tools.backends import Real
from tests.tools.cluster import Cluster
from uowredis import InstanceHashField, RedisDatabase, RedisModel
from uowredis.schema.keys import slot_of


def _ours(database: RedisDatabase) -> Callable[[int], object]:
    person = type(
        "Person", (RedisModel,), {"database": database, "place": "bench", "city": InstanceHashField(indexable=True)}
    )(city="City 0")
    return lambda at: person.city.hset(f"City {at % 50}")


def _hand(client: redis.Redis) -> Callable[[int], object]:
    def work(at: int) -> None:
        with client.pipeline() as pipe:
            change_one_by_hand(pipe, "7", f"City {at % 50}", "{bench}:hand")

    client.hset("{bench}:hand:7:hash", "city", "City 0")
    return work


def _seconds(work: Callable[[int], object], calls: int) -> float:
    begin = time.perf_counter()
    for at in range(calls):
        work(at)
    return time.perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.cluster", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with Cluster.start(3) as cluster, servers.find() as found:
        server = Real(found)
        server.flush()
        node = cluster.clients()[cluster.having(slot_of("bench"))]
        sides = {
            "cluster": (_ours(cluster.database()), _hand(node)),
            "server": (_ours(server.database()), _hand(server.client())),
        }
        ratios: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, (ours, hand) in sides.items():
                ratios[name].append(_seconds(ours, options.calls) / _seconds(hand, options.calls))
        medians = {name: statistics.median(each) for name, each in ratios.items()}
        for name, each in ratios.items():
            print(f"hset in a place of a {name}, ours / hand: {medians[name]:.2f} ({min(each):.2f}-{max(each):.2f})")
        print(f"cluster / server: {medians['cluster'] / medians['server']:.2f}; wanted at most 1.15")
        server.close()


if __name__ == "__main__":
    main()
