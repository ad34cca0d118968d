"""The lines of ``python -m tests.bench --table``: what each contestant does, on data that is there before.

``ours`` is the library. ``hand`` is the careful program that redis-py's documentation teaches: one MULTI ... EXEC
pipeline, one command per effect, WATCH for each object that is changed. ``best`` is the fastest correct program that we
could write with redis-py: calls that take many, one script for changes. All leave exactly the same data.
"""

import itertools
import multiprocessing
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import redis

from tests.bench import finding, groups, people, queries
from uowredis import Session
from uowredis.contrib.database import PipelineDatabase

#: Makes what is there before, and returns the work to be timed.
Contestant = Callable[["Stage"], Callable[[], object]]

NAMES = ("name", "city", "birth_year")

#: Moves many persons at once: nobody comes in between.
MOVE = """
for i = 1, #KEYS do
  local pk, city = ARGV[2 * i - 1], ARGV[2 * i]
  local old = redis.call('HGET', KEYS[i], 'city')
  redis.call('HSET', KEYS[i], 'city', city)
  if old then redis.call('SREM', ':person:city:' .. old, pk) end
  redis.call('SADD', ':person:city:' .. city, pk)
end
"""


@attrs.frozen
class Stage:
    """What a contestant works on.

    Attributes:
        url: of the server.
        database: for ours.
        client: redis-py's, whose replies are bytes.
        reader: the same, whose replies are text.
        count: how many objects, or calls.
    """

    url: str
    database: PipelineDatabase
    client: redis.Redis
    reader: redis.Redis
    count: int

    def people(self) -> list[str]:
        """Have persons there; return their pks."""
        people.create_by_hand(self.client, people.rows(self.count))
        return [str(pk) for pk in range(1, self.count + 1)]


@attrs.frozen
class Line:
    """One line of the table.

    Attributes:
        ours, hand, best: the contestants.
        count: how many objects, or calls.
        most: what ours shall need at most, of what hand needs.
        delay: seconds by which replies arrive later.
        plain: makes an answer comparable where all must give the same; else what they leave says it.
    """

    ours: Contestant
    hand: Contestant
    best: Contestant | None
    count: int
    most: float
    delay: float = 0.0
    plain: Callable[[Any], object] | None = None


def _in_parts(items: Sequence[Any], size: int = 1_000) -> Iterable[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _handles(model: Any, *, lazy: bool = False) -> list[Any]:
    return sorted(model.collection().instances(lazy=lazy), key=lambda each: int(each.pk.get()))


def _persons(stage: Stage) -> list[people.Person]:
    stage.people()
    return _handles(people.Person)


# Creating.


def _create_best(client: redis.Redis, given: Sequence[people.Row]) -> None:
    last = client.incrby(":person:max_pk", len(given))
    first = last - len(given) + 1
    sets: dict[str, list[int]] = defaultdict(list)
    with client.pipeline(transaction=True) as pipe:
        for pk, (name, city, birth_year, _) in enumerate(given, start=first):
            pipe.execute_command("HSET", f":person:{pk}:hash", "name", name, "city", city, "birth_year", birth_year)
            sets[f":person:city:{city}"].append(pk)
            sets[f":person:birth_year:{birth_year}"].append(pk)
        pipe.mset({f":person:{pk}:notes": row[3] for pk, row in enumerate(given, start=first)})
        for key, pks in sets.items():
            pipe.sadd(key, *pks)
        pipe.sadd(":person:collection", *range(first, last + 1))
        pipe.execute()


def _creating(by: Callable[[Stage, Sequence[people.Row]], object]) -> Contestant:
    def ready(stage: Stage) -> Callable[[], object]:
        given = people.rows(stage.count)
        return lambda: by(stage, given)

    return ready


# Changing.


def _change_ours(stage: Stage) -> Callable[[], object]:
    persons, cities = _persons(stage), people.new_cities(stage.count)
    return lambda: people.change(stage.database, persons, cities)


def _change_hand(stage: Stage) -> Callable[[], object]:
    pks, cities = stage.people(), people.new_cities(stage.count)
    return lambda: people.change_by_hand(stage.client, pks, cities)


def _change_best(stage: Stage) -> Callable[[], object]:
    pairs = list(zip(stage.people(), people.new_cities(stage.count), strict=True))

    def work() -> None:
        move = stage.client.register_script(MOVE)
        for some in _in_parts(pairs):
            move(keys=[f":person:{pk}:hash" for pk, _ in some], args=list(itertools.chain.from_iterable(some)))

    return work


# Reading.


def _read_ours(stage: Stage) -> Callable[[], object]:
    stage.people()
    persons = _handles(people.Person, lazy=True)

    def work() -> list[Any]:
        with stage.database.pipeline() as pipeline:
            for person in persons:
                person.hmget(*NAMES)
            return pipeline.execute()

    return work


def _read_by(transaction: bool) -> Contestant:
    def ready(stage: Stage) -> Callable[[], object]:
        pks = stage.people()

        def work() -> list[Any]:
            with stage.reader.pipeline(transaction=transaction) as pipe:
                for pk in pks:
                    pipe.hmget(f":person:{pk}:hash", NAMES)
                return pipe.execute()

        return work

    return ready


def _reading(work: Callable[[Stage], object]) -> Contestant:
    def ready(stage: Stage) -> Callable[[], object]:
        stage.people()
        return lambda: work(stage)

    return ready


def _asking(page: Callable[[Stage, str, str], object]) -> Contestant:
    def ready(stage: Stage) -> Callable[[], object]:
        people.create_by_hand(stage.client, people.rows(20 * stage.count))
        pairs = queries.pairs(stage.count)
        return lambda: [page(stage, *pair) for pair in pairs]

    return ready


# Finding.


def _finding(name: str) -> Line:
    question = finding.QUESTIONS[name]
    # What takes long is asked less often.
    often, objects_each = (50, 20) if name in ("get-many", "prefetch") else (2_000, 5)

    def ready(stage: Stage) -> int:
        objects = objects_each * stage.count
        finding.create_by_hand(stage.client, people.rows(objects))
        return objects

    def ours(stage: Stage) -> Callable[[], object]:
        objects = ready(stage)
        question.ours(0, objects)
        return lambda: [question.ours(at, objects) for at in range(stage.count)]

    def hand(stage: Stage) -> Callable[[], object]:
        objects = ready(stage)
        question.hand(stage.reader, 0, objects)
        return lambda: [question.hand(stage.reader, at, objects) for at in range(stage.count)]

    def plain(answers: Any) -> object:
        return [sorted(map(str, question.plain(answer))) for answer in answers]

    return Line(ours, hand, None, often, 1.3, plain=plain)


# Deleting.


def _deleting(work: Callable[[Stage, list[str]], Callable[[], object]]) -> Contestant:
    def ready(stage: Stage) -> Callable[[], object]:
        with stage.client.pipeline() as pipe:
            for pk in range(1, stage.count + 1):
                pipe.hset(f":member:{pk}:hash", "name", f"Member {pk}")
                pipe.sadd(":member:collection", pk)
            pipe.set(":member:max_pk", stage.count)
            pipe.execute()
        return work(stage, [str(pk) for pk in range(1, stage.count + 1)])

    return ready


def _delete_ours(stage: Stage, pks: list[str]) -> Callable[[], object]:
    members = _handles(groups.Member)

    def work() -> None:
        with Session(stage.database) as s:
            for member in members:
                member.delete()
            s.commit()

    return work


def _delete_hand(stage: Stage, pks: list[str]) -> Callable[[], object]:
    def work() -> None:
        with stage.client.pipeline() as pipe:
            for pk in pks:
                groups_of, rooms_of = f":group:members:{pk}", f":room:keeper:{pk}"
                pipe.watch(groups_of, rooms_of)
                found, kept = pipe.smembers(groups_of), pipe.smembers(rooms_of)
                pipe.multi()
                for group in found:
                    pipe.srem(b":group:%b:members" % group, pk)
                for room in kept:
                    pipe.hdel(b":room:%b:hash" % room, "keeper")
                pipe.delete(f":member:{pk}:hash", groups_of, rooms_of)
                pipe.srem(":member:collection", pk)
                pipe.execute()

    return work


def _delete_best(stage: Stage, pks: list[str]) -> Callable[[], object]:
    def work() -> None:
        reverses = [f":{field}:{pk}" for pk in pks for field in ("group:members", "room:keeper")]
        with stage.client.pipeline() as pipe:
            pipe.watch(*reverses)
            with stage.client.pipeline(transaction=False) as reader:
                for reverse in reverses:
                    reader.smembers(reverse)
                found = reader.execute()
            pipe.multi()
            for pk, in_groups, rooms in zip(pks, found[::2], found[1::2], strict=True):
                for group in in_groups:
                    pipe.srem(b":group:%b:members" % group, pk)
                for room in rooms:
                    pipe.hdel(b":room:%b:hash" % room, "keeper")
            pipe.delete(*(f":member:{pk}:hash" for pk in pks), *reverses)
            pipe.srem(":member:collection", *pks)
            pipe.execute()

    return work


# Relating.


def _relating(add: Callable[[Stage, list[str], list[list[str]]], Callable[[], object]]) -> Contestant:
    def ready(stage: Stage) -> Callable[[], object]:
        many = stage.count * groups.MEMBERS
        with stage.client.pipeline() as pipe:
            for model, count in (("group", stage.count), ("member", many)):
                for pk in range(1, count + 1):
                    pipe.hset(f":{model}:{pk}:hash", "name", f"{model} {pk}")
                    pipe.sadd(f":{model}:collection", pk)
                pipe.set(f":{model}:max_pk", count)
            pipe.execute()
        chosen = [[str(pk) for pk in some] for some in _in_parts(range(1, many + 1), groups.MEMBERS)]
        return add(stage, [str(pk) for pk in range(1, stage.count + 1)], chosen)

    return ready


def _relate_ours(stage: Stage, pks: list[str], chosen: list[list[str]]) -> Callable[[], object]:
    made, there = _handles(groups.Group), {each.pk.get(): each for each in _handles(groups.Member)}
    members = [[there[pk] for pk in each] for each in chosen]
    return lambda: groups.add(stage.database, made, members)


# Single calls.


def _each(
    ours: Callable[[people.Person, int], object], hand: Callable[[redis.Redis, int], object], most: float
) -> Line:
    def by_us(stage: Stage) -> Callable[[], object]:
        people.create_by_hand(stage.client, people.rows(1))
        person = people.Person.get("1")
        ours(person, 0)
        return lambda: [ours(person, at) for at in range(stage.count)]

    def by_hand(stage: Stage) -> Callable[[], object]:
        people.create_by_hand(stage.client, people.rows(1))
        hand(stage.client, 0)
        return lambda: [hand(stage.client, at) for at in range(stage.count)]

    return Line(by_us, by_hand, None, 2_000, most)


def _hset_by_hand(client: redis.Redis, at: int) -> None:
    with client.pipeline() as pipe:
        people.change_one_by_hand(pipe, "1", f"City {at % 50}")


def _at_once(processes: int, same: bool, best: bool = False) -> Callable[[str], Contestant]:
    def of(side: str) -> Contestant:
        def ready(stage: Stage) -> Callable[[], object]:
            people.create_by_hand(stage.client, people.rows(processes))
            stage.client.close()
            barrier = multiprocessing.get_context("fork").Barrier(processes + 1)
            workers = [
                multiprocessing.get_context("fork").Process(
                    target=_work_beside, args=(side, stage, "1" if same else str(number + 1), barrier)
                )
                for number in range(processes)
            ]
            for worker in workers:
                worker.start()

            def work() -> None:
                barrier.wait()
                for worker in workers:
                    worker.join()

            return work

        return ready

    return of


def _work_beside(side: str, stage: Stage, pk: str, barrier: Any) -> None:
    client = redis.Redis.from_url(stage.url)
    if side == "ours":
        person = people.Person.get(pk)
        barrier.wait()
        for at in range(stage.count):
            person.city.hset(f"City {at % 50}")
    elif side == "hand":
        client.ping()
        barrier.wait()
        for at in range(stage.count):
            with client.pipeline() as pipe:
                people.change_one_by_hand(pipe, pk, f"City {at % 50}")
    else:
        move = client.register_script(MOVE)
        client.ping()
        barrier.wait()
        for at in range(stage.count):
            move(keys=[f":person:{pk}:hash"], args=[pk, f"City {at % 50}"])


def _beside(processes: int, *, same: bool, most: float) -> Line:
    of = _at_once(processes, same)
    return Line(of("ours"), of("hand"), of("best"), 300, most)


_CREATE = (
    _creating(lambda stage, given: people.create(stage.database, given)),
    _creating(lambda stage, given: people.create_by_hand(stage.client, given)),
    _creating(lambda stage, given: _create_best(stage.client, given)),
)
_CHANGE = _change_ours, _change_hand, _change_best

LINES: dict[str, Line] = {
    "create": Line(*_CREATE, 10_000, 0.50),
    "change": Line(*_CHANGE, 10_000, 0.06),
    "read": Line(_read_ours, _read_by(True), _read_by(False), 10_000, 1.1),
    "values": Line(
        _reading(lambda stage: queries.retrieve(NAMES)),
        _reading(lambda stage: queries.retrieve_by_hand(stage.reader, NAMES)),
        None,
        10_000,
        0.3,
    ),
    "ask": Line(
        _asking(lambda _, *pair: queries.page(*pair)),
        _asking(lambda stage, *pair: queries.page_by_hand(stage.reader, *pair)),
        None,
        500,
        1.05,
    ),
    **{name: _finding(name) for name in finding.QUESTIONS},
    "delete": Line(_deleting(_delete_ours), _deleting(_delete_hand), _deleting(_delete_best), 1_000, 1.0),
    "relate": Line(
        _relating(_relate_ours),
        _relating(lambda stage, pks, chosen: lambda: groups.add_by_hand(stage.client, pks, chosen)),
        None,
        300,
        0.65,
    ),
    "apart": _beside(8, same=False, most=1.0),
    "together": _beside(4, same=True, most=0.9),
    "hset": _each(lambda person, at: person.city.hset(f"City {at % 50}"), _hset_by_hand, 1.0),
    "get": _each(lambda person, _: person.notes.get(), lambda client, _: client.get(":person:1:notes"), 1.05),
    "set": _each(
        lambda person, at: person.notes.set(f"note {at}"),
        lambda client, at: client.set(":person:1:notes", f"note {at}"),
        1.05,
    ),
    "incr": _each(lambda person, _: person.visits.incr(), lambda client, _: client.incr(":person:1:visits"), 1.05),
    "create-far": Line(*_CREATE, 300, 1.1, delay=0.002),
    "change-far": Line(*_CHANGE, 300, 0.006, delay=0.002),
}
