"""The countries of the world, their subdivisions and currencies, as objects in Redis.

The data is ISO 3166-1, ISO 3166-2 and ISO 4217 as the package pycountry ships it: some 5,000 objects. Each kind is
created in one session, so in one transaction. Then two objects are looked up and changed, with a look at the exact
Redis commands before they are sent; at the end everything that is in Redis is compared with pycountry.

    python docs/examples/countries.py                                on a server inside this process
    python docs/examples/countries.py --url redis://localhost:6379   on a real one
"""

import sys
import time
from collections import defaultdict

import pycountry
import redis
from asked import asked_for, differing, everything

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
    """Compare all that is in Redis, objects and indexes, with *rows*; return the keys that differ."""
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
    return differing(expected, everything(client, "iso"))


def main() -> int:
    """Run the example; return 0 where all is as it should be."""
    with asked_for(__doc__, "iso") as db:
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
