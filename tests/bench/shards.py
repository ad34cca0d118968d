"""Questions over shards, beside one model that is not sharded: ``python -m tests.bench.shards [--objects N]``.

Each is asked of a model on one server, of 64 and of 1,024 shards there, and of these on a cluster of three nodes, all
with the same objects: milliseconds, the least of some rounds. It starts three nodes, and empties the server's database.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.tools import servers
from tests.tools.backends import Real
from tests.tools.cluster import Cluster
from uowredis import InstanceHashField, RedisDatabase
from uowredis.contrib.related import FKInstanceHashField, RelatedModel

#: What is asked, by its name.
QUESTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "count": lambda person, tenant: person.collection().count(),
    "a filter, counted": lambda person, tenant: person.collection(city="City 3").count(),
    "two filters": lambda person, tenant: len(list(person.collection(city="City 3", state="State 1"))),
    "page of ten": lambda person, tenant: person.collection(city="City 3").sort()[:10],
    "page of ten, by a number": lambda person, tenant: person.collection(city="City 3").sort(by="age")[:10],
    "of one tenant, counted": lambda person, tenant: person.collection(tenant=tenant).count(),
    "one by its primary key": lambda person, tenant: person.exists(tenant._first),
}


def declare(database: RedisDatabase, objects: int, shards: int | None) -> tuple[Any, Any]:
    """Create *objects* in so many shards, None for a model that has none; return their model, and one tenant."""
    where = {"database": database, "namespace": f"s{shards}"}
    spread = {} if shards is None else {"shards": shards}
    tenants = type("Tenant", (RelatedModel,), {**where, **spread, "name": InstanceHashField()})
    fields = {
        "tenant": FKInstanceHashField(tenants),
        "city": InstanceHashField(indexable=True),
        "state": InstanceHashField(indexable=True),
        "age": InstanceHashField(type=int),
    }
    person: Any = type("Person", (RelatedModel,), {**where, **({} if shards is None else {"near": "tenant"}), **fields})
    owners: Any = tenants.create_many([{"name": f"t{at}"} for at in range(objects // 10)], batch=1)
    rows = [
        {"tenant": owners[at % len(owners)], "city": f"City {at % 50}", "state": f"State {at % 3}", "age": at % 90}
        for at in range(objects)
    ]
    people = person.create_many(rows)
    owners[0]._first = people[0].pk.get()
    return person, owners[0]


def milliseconds(ask: Callable[[], Any], rounds: int) -> float:
    """Return the least of some rounds, after one for what is read once."""
    ask()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        ask()
        found.append(time.perf_counter() - begin)
    return 1_000 * min(found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.shards", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--shards", type=int, nargs="+", default=[64, 1_024])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with Cluster.start(3) as cluster, servers.find() as found:
        server = Real(found)
        server.flush()
        sides: dict[str, tuple[Any, Any]] = {}
        for shards in (None, *options.shards):
            called = "one server" if shards is None else f"{shards:,} shards there"
            sides[called] = declare(server.database(), options.objects, shards)
        for shards in options.shards:
            sides[f"{shards:,} on three nodes"] = declare(cluster.database(), options.objects, shards)
        print(f"| {options.objects:,} objects, ms | {' | '.join(sides)} |")
        print(f"| --- |{' --- |' * len(sides)}")
        for name, ask in QUESTIONS.items():
            times = [milliseconds(lambda: ask(*side), options.rounds) for side in sides.values()]  # noqa: B023
            print(f"| {name} | {' | '.join(f'{each:.2f}' for each in times)} |")
        server.close()


if __name__ == "__main__":
    main()
