"""The countries of the world, their subdivisions and currencies, as objects in Redis.

The data is ISO 3166-1, ISO 3166-2 and ISO 4217 as the package pycountry ships it: some 5,000 objects. Each kind is
created in one session, so in one transaction. Then two objects are looked up and changed, with a look at the exact
Redis commands before they are sent; at the end everything that is in Redis is compared with pycountry.

    python docs/examples/countries.py                                on a server inside this process
    python docs/examples/countries.py --url redis://localhost:6379   on a real one
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import pycountry
import redis

from uowredis import InstanceHashField, RedisDatabase, RedisModel, Session

Rows = list[dict[str, str]]


class Iso(RedisModel):
    """What the models share. No connection is opened here: ``main`` moves them to the database that was asked for."""

    abstract = True
    database = RedisDatabase()
    namespace = "iso"


class Country(Iso):
    """A country of ISO 3166-1."""

    alpha_2 = InstanceHashField(unique=True)
    alpha_3 = InstanceHashField(unique=True)
    numeric = InstanceHashField()
    name = InstanceHashField(indexable=True)


class Subdivision(Iso):
    """A subdivision of ISO 3166-2: a canton, a prefecture, a state."""

    code = InstanceHashField(unique=True)
    type = InstanceHashField(indexable=True)
    country_code = InstanceHashField(indexable=True)
    name = InstanceHashField()


class Currency(Iso):
    """A currency of ISO 4217."""

    alpha_3 = InstanceHashField(unique=True)
    numeric = InstanceHashField()
    name = InstanceHashField()


#: For each model the rows it is filled with, and its fields with an index, in Redis a set of pks for each value.
SOURCES = {Country: pycountry.countries, Subdivision: pycountry.subdivisions, Currency: pycountry.currencies}
FIELDS = {
    Country: ("alpha_2", "alpha_3", "numeric", "name"),
    Subdivision: ("code", "type", "country_code", "name"),
    Currency: ("alpha_3", "numeric", "name"),
}
INDEXED = {
    Country: ("alpha_2", "alpha_3", "name"),
    Subdivision: ("code", "type", "country_code"),
    Currency: ("alpha_3",),
}


def rows_of(model: type[Iso]) -> Rows:
    """Return the rows of pycountry for *model*, by field."""
    return [{field: getattr(record, field) for field in FIELDS[model]} for record in SOURCES[model]]


def load(db: RedisDatabase, model: type[Iso], rows: Rows) -> None:
    """Create an object for each row, all of them or none."""
    began = time.perf_counter()
    with Session(db) as s:
        for row in rows:
            model(**row)
        s.commit()
    seconds = time.perf_counter() - began
    print(f"{model.__name__}: {len(rows)} objects in {seconds:.2f} s, {s.last_plan.round_trips} round trips")


def look_up() -> None:
    """Find objects by a unique value; each read is one command, sent at once."""
    swiss = Country.get(alpha_2="CH")
    zurich = Subdivision.get(code="CH-ZH")
    franc = Currency.get(alpha_3="CHF")
    print(f"CH is {swiss.name.hget()}, CH-ZH is {zurich.name.hget()}, CHF is {franc.name.hget()}")
    print(f"A canton exists: {Subdivision.exists(type='Canton')}, a galaxy: {Subdivision.exists(type='Galaxy')}")


def update(db: RedisDatabase, countries: Rows, subdivisions: Rows) -> None:
    """Rename a country and change the type of a subdivision in one transaction, and note both in the rows."""
    country, subdivision = Country.get(alpha_3="CZE"), Subdivision.get(code="CH-ZH")
    with Session(db) as s:
        country.name.hset("Czech Republic")
        subdivision.type.hset("State")
        plan = s.plan()
        print(plan)
        s.commit(plan)  # exactly this, or Conflict
    next(row for row in countries if row["alpha_3"] == "CZE")["name"] = "Czech Republic"
    next(row for row in subdivisions if row["code"] == "CH-ZH")["type"] = "State"


def differences(client: redis.Redis, rows: dict[type[Iso], Rows]) -> list[str]:
    """Compare all that is in Redis, objects and indexes, with *rows*; return what differs, in words.

    It reads with plain redis-py: the library is not its own witness.
    """
    expected: dict[str, object] = {}
    for model, given in rows.items():
        prefix = f"iso:{model.__name__.lower()}"
        index: dict[str, set[str]] = defaultdict(set)
        for pk, row in enumerate(given, start=1):
            expected[f"{prefix}:{pk}:hash"] = row
            for field in INDEXED[model]:
                index[f"{prefix}:{field}:{row[field]}"].add(str(pk))
        expected |= index
        expected[f"{prefix}:collection"] = {str(pk) for pk in range(1, len(given) + 1)}
        expected[f"{prefix}:max_pk"] = str(len(given))
    found = everything(client)
    return sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))


def everything(client: redis.Redis) -> dict[str, object]:
    """Return all keys of the models with what they hold."""
    keys = list(client.scan_iter("iso:*", count=1000))
    pipeline = client.pipeline(transaction=False)
    read: dict[str, Callable[[str], object]] = {"hash": pipeline.hgetall, "set": pipeline.smembers}
    for key in keys:
        pipeline.type(key)
    for key, kind in zip(keys, pipeline.execute(), strict=True):
        read.get(kind, pipeline.get)(key)
    return dict(zip(keys, pipeline.execute(), strict=True))


def make_room(client: redis.Redis, replace: bool) -> bool:
    """Delete what earlier runs left if *replace* says so; return whether there is nothing (any more)."""
    keys = list(client.scan_iter("iso:*", count=1000))
    if keys and replace:
        client.unlink(*keys)
    return replace or not keys


def main() -> int:
    """Run the example; return 0 where all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a Redis server, redis://host:port/db; by default one inside this process")
    parser.add_argument("--replace", action="store_true", help="delete the keys iso:* that are there first")
    options = parser.parse_args()

    with RedisDatabase.from_url(options.url) if options.url else RedisDatabase.embedded() as db:
        if not make_room(db.connection, options.replace):
            print("There are keys iso:* in this database already; --replace deletes them", file=sys.stderr)
            return 1
        Iso.use_database(db)
        rows = {model: rows_of(model) for model in SOURCES}
        for model in rows:
            load(db, model, rows[model])
        look_up()
        update(db, rows[Country], rows[Subdivision])
        if found := differences(db.connection, rows):
            print(f"{len(found)} keys differ from pycountry: {', '.join(found[:10])}", file=sys.stderr)
            return 1
        print(f"All {sum(map(len, rows.values()))} objects and their indexes are as in pycountry")
    return 0


if __name__ == "__main__":
    sys.exit(main())
