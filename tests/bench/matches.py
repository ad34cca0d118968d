"""How questions grow with the objects there, and with those that match: ``python -m tests.bench.matches``.

It prints for each question the smallest time of some, in milliseconds, on so many objects of which so many match. It
empties the server's database.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import redis

from tests.bench import finding
from tests.bench.finding import Citizen
from tests.tools import servers
from tests.tools.backends import Real
from uowredis import Session
from uowredis.collection import CollectionManager

#: Objects, and how many of them match.
SIZES = ((1_000, 100), (10_000, 100), (100_000, 100), (100_000, 1_000), (100_000, 10_000))

QUESTIONS: dict[str, Callable[[], object]] = {
    "one filter": lambda: list(Citizen.collection(city="City 0")),
    "length of it": lambda: Citizen.collection(city="City 0").count(),
    "in of three": lambda: list(Citizen.collection(city__in=["City 0", "City 1", "City 2"])),
    "OR of two": lambda: list(Citizen.collection(city="City 0") | Citizen.collection(city="City 1")),
    "one without another": lambda: list(Citizen.collection(city="City 0") - Citizen.collection(city="City 1")),
    "all without some": lambda: list(Citizen.collection().exclude(city="City 0")),
    "range": lambda: list(_in_range()),
    "length of a range": lambda: _in_range().count(),
    "range and filter": lambda: list(_in_range().filter(city="City 0")),
    "page of a range": lambda: _in_range().sort(by="name", alpha=True).values("pk", "name")[:20],
    "prefix": lambda: list(Citizen.collection(name__startswith="Group 0 ")),
    "prefix and filter": lambda: list(Citizen.collection(name__startswith="Group 0 ", city="City 0")),
    "values of one filter": lambda: list(Citizen.collection(city="City 0").values("pk", "name")),
    "loaded": lambda: list(Citizen.collection(city="City 0").instances(load=("name", "city"))),
    "page with total": lambda: Citizen.collection(city="City 0").sort(by="birth_year").page(0, 20),
    "after a place": lambda: _by_name().after(PLACE, 20),
    "after it, most match": lambda: _by_name().exclude(city="City 0").after(PLACE, 20),
    "after it, few match": lambda: _by_name().filter(city="City 9").after(PLACE, 20),
    "after it, over pending writes": lambda: _over_pending(lambda: _by_name().after(PLACE, 20)),
    "one filter, over pending writes": lambda: _over_pending(lambda: list(Citizen.collection(city="City 5"))),
    "get_many of 100": lambda: Citizen.get_many(range(1, 101)),
}

#: Behind some that are not wanted, before others.
PLACE = ("Group 5 ", 1)


def _by_name() -> CollectionManager[Citizen]:
    return Citizen.collection().sort(by="name", alpha=True)


def _over_pending(ask: Callable[[], object]) -> object:
    """Ask where a hundred objects are changed."""
    with Session(Citizen.database, on_pending="discard"):
        for pk in range(1, 101):
            Citizen.lazy_connect(pk).city.hset("Rome")
        return ask()


def _in_range() -> CollectionManager[Citizen]:
    return Citizen.collection(birth_year__gte=0, birth_year__lt=1)


def rows(objects: int, matches: int) -> list[tuple[str, str, str, str]]:
    """Return groups of *matches*, one after the other: of one city and year each, with names that begin alike."""
    groups = [number // matches for number in range(objects)]
    return [(f"Group {group} {at}", f"City {group}", str(group), "") for at, group in enumerate(groups)]


def measured(
    server: Real, client: redis.Redis, sizes: Sequence[tuple[int, int]] = SIZES, often: int = 10
) -> Iterator[str]:
    """Yield the lines of the table, as Markdown."""
    found: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for objects, matches in sizes:
        server.flush()
        finding.create_by_hand(client, rows(objects, matches))
        for name, ask in QUESTIONS.items():
            found[name].append(min(_timed(ask) for _ in range(often)) * 1e3)
    heads = [f"{matches:,} of {objects:,}" for objects, matches in sizes]
    yield f"| question | {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(sizes)}"
    for name, times in found.items():
        yield f"| {name} | {' | '.join(f'{each:.2f}' for each in times)} |"


def _timed(ask: Callable[[], object]) -> float:
    begin = time.perf_counter()
    ask()
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print as it goes."""
    with servers.find() as found:
        server = Real(found)
        Citizen.use_database(server.database())
        for line in measured(server, server.client()):
            print(line, flush=True)
        server.close()


if __name__ == "__main__":
    main()
