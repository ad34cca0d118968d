"""What the time of a question is made of: ``python -m tests.bench.parts``.

It prints the client's processor time of each, the smallest of some, in microseconds: by hand; of the library; and what
that is made of. *Waiting* is what the very calls take that the library sends, given to the executor as they are:
packing, redis-py's pool, the kernel, hiredis. *Saying* is what it takes to make the collection. The rest is deciding:
which calls these are, and what the replies mean. So waiting and saying together are what no cleverer deciding can go
below. It empties the server's database.
"""

import time
from collections.abc import Callable, Iterator

import attrs
import redis

from tests.bench import finding, people
from tests.bench.finding import QUESTIONS, Citizen, use
from tests.tools import servers
from tests.tools.backends import Real
from uowredis import RedisDatabase
from uowredis.collection import CollectionManager
from uowredis.collection.scattered import seeker_of
from uowredis.commands.calls import Call
from uowredis.commands.query import Order
from uowredis.session.single import here

#: Objects, how often something is asked in a row, and how often all of that is measured.
OBJECTS, OFTEN, TIMES = 10_000, 100, 15

CITY, YEAR = "City 7", 1950


@attrs.frozen
class Made:
    """A question, of which the parts are told apart.

    Attributes:
        say: makes the collection.
        ask: asks it.
        hand: the same by hand.
        part: the first one wanted and how many, where not all are.
    """

    say: Callable[[], CollectionManager[Citizen]]
    ask: Callable[[CollectionManager[Citizen]], object]
    hand: Callable[[redis.Redis], object]
    part: tuple[int, int] | None = None


def _page() -> CollectionManager[Citizen]:
    found = Citizen.collection(birth_year__gte=YEAR, birth_year__lt=YEAR + 2)
    return found.sort(by="name", alpha=True).values("pk", "name")  # type: ignore[return-value]


_MADE = {
    "range": Made(
        lambda: Citizen.collection(birth_year__gte=YEAR, birth_year__lt=YEAR + 2),
        list,
        lambda client: QUESTIONS["range"].hand(client, YEAR - 1925, OBJECTS),
    ),
    "range-page": Made(
        _page,
        lambda found: found[0:20],
        lambda client: QUESTIONS["range-page"].hand(client, YEAR - 1925, OBJECTS),
        (0, 20),
    ),
    "prefix": Made(
        lambda: Citizen.collection(name__startswith="Person 17"),
        list,
        lambda client: QUESTIONS["prefix"].hand(client, 7, OBJECTS),
    ),
    "in": Made(
        lambda: Citizen.collection(city__in=["City 7", "City 14", "City 28"]),
        list,
        lambda client: QUESTIONS["in"].hand(client, 7, OBJECTS),
    ),
    "or": Made(
        lambda: Citizen.collection(city="City 7") | Citizen.collection(city="City 14"),
        list,
        lambda client: QUESTIONS["or"].hand(client, 7, OBJECTS),
    ),
}


def _calls(database: RedisDatabase, found: CollectionManager[Citizen], part: tuple[int, int] | None) -> list[Call]:
    """Return the calls that *found* would send, in their one round trip."""
    start, count, order = (0, None, None) if part is None else (*part, Order())
    with here(database, found._schema) as session:
        (calls,) = session._explain(lambda overlay: seeker_of(found._wanted, overlay, {}).found(start, count, order))
    return [call for call in calls if call[0] not in ("MULTI", "EXEC")]


def _waiting(database: RedisDatabase, calls: list[Call]) -> Callable[[], object]:
    executor = database._executor
    return (lambda: executor.transact(calls)) if len(calls) > 1 else (lambda: executor.send(calls))


def timed(work: Callable[[], object], often: int = OFTEN, times: int = TIMES) -> float:
    """Return the processor time of one *work*, the smallest of some, in microseconds."""
    found = []
    for _ in range(times):
        begin = time.process_time()
        for _ in range(often):
            work()
        found.append((time.process_time() - begin) / often * 1e6)
    return min(found)


def measured(
    database: RedisDatabase, client: redis.Redis, objects: int = OBJECTS, often: int = OFTEN, times: int = TIMES
) -> Iterator[str]:
    """Yield the lines of the table, as Markdown, of questions on *objects* citizens."""
    finding.create_by_hand(client, people.rows(objects))
    yield "| question | by hand | ours | waiting | saying | deciding | ours / hand | floor / hand |"
    yield f"| --- |{' ---: |' * 7}"
    for name, made in _MADE.items():
        made.ask(made.say())  # what is worked out once
        hand = timed(lambda made=made: made.hand(client), often, times)  # type: ignore[misc]
        ours = timed(lambda made=made: made.ask(made.say()), often, times)  # type: ignore[misc]
        waiting = timed(_waiting(database, _calls(database, made.say(), made.part)), often, times)
        saying = timed(made.say, often, times)
        figures = (hand, ours, waiting, saying, ours - waiting - saying)
        ratios = (ours / hand, (waiting + saying) / hand)
        cells = [f"{each:.0f}" for each in figures] + [f"{each:.2f}" for each in ratios]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print as it goes."""
    with servers.find() as found:
        server = Real(found)
        database = server.database()
        use(database)
        for line in measured(database, server.client(decode_responses=True)):
            print(line, flush=True)
        server.close()


if __name__ == "__main__":
    main()
