"""Countries with their subdivisions, their currencies and the languages spoken there, as related objects in Redis.

Countries and subdivisions are those of pycountry (ISO 3166), currencies and the share of people who speak a language
those of Babel (Unicode CLDR). Two sessions create all: new objects refer to each other before they have primary keys.
Then the relations are asked from both sides, and a country is deleted with all that hangs on it, after a look at what
that means; at the end everything that is in Redis is compared with the two packages.

    python docs/examples/relations.py                                on a server inside this process
    python docs/examples/relations.py --url redis://localhost:6379   on a real one
"""

import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import pycountry
import redis
from asked import asked_for, differing, everything
from babel import Locale
from babel.languages import get_territory_language_info
from babel.numbers import get_currency_name, get_territory_currencies

from uowredis import InstanceHashField, PKField, Plan, RedisDatabase, Session
from uowredis.contrib.collection import SORTED_SCORE
from uowredis.contrib.related import CASCADE, FKInstanceHashField, M2MSetField, M2MSortedSetField, Related, RelatedModel

ENGLISH = Locale("en")


class Atlas(RelatedModel):
    """What the models share. No connection is opened here: ``main`` moves them to the database that was asked for."""

    abstract = True
    database = RedisDatabase()
    namespace = "atlas"


class Country(Atlas):
    """A country of ISO 3166-1; a language counts with the percentage of the people who speak it."""

    code = PKField()
    name = InstanceHashField(indexable=True)
    currencies = M2MSetField("Currency")
    languages = M2MSortedSetField("Language", related_name="spoken_in")
    subdivision_set: Related["Subdivision"]


class Currency(Atlas):
    """A currency; ``currency.country_set()`` are those where it is legal tender."""

    code = PKField()
    name = InstanceHashField()
    country_set: Related[Country]


class Language(Atlas):
    """A language, in some countries in a script of its own; ``language.spoken_in()`` are its countries."""

    code = PKField()
    name = InstanceHashField()
    spoken_in: Related[Country]


class Subdivision(Atlas):
    """A subdivision of ISO 3166-2, gone with its country; it may be part of another one."""

    code = InstanceHashField(unique=True)
    name = InstanceHashField()
    country = FKInstanceHashField(Country, on_delete=CASCADE)
    parent = FKInstanceHashField("self", related_name="children")
    children: Related["Subdivision"]


def currencies_of(country: str) -> list[str]:
    """Return what is legal tender today."""
    found: list[str] = get_territory_currencies(country)
    return found


def languages_of(country: str) -> dict[str, float]:
    """Return language to percentage of speakers."""
    return {
        code: float(about["population_percent"] or 0) for code, about in get_territory_language_info(country).items()
    }


def name_of_currency(code: str) -> str:
    """Return the English name."""
    return str(get_currency_name(code, locale=ENGLISH))


def name_of_language(code: str) -> str:
    """Return the English name, the code where there is none."""
    return str(ENGLISH.languages.get(code, code))


def make_countries() -> str:
    """Create countries, currencies and languages, and say of them what they have to do with each other."""
    codes = [country.alpha_2 for country in pycountry.countries]
    currencies = {
        code: Currency(code=code, name=name_of_currency(code))
        for code in sorted({code for country in codes for code in currencies_of(country)})
    }
    languages = {
        code: Language(code=code, name=name_of_language(code))
        for code in sorted({code for country in codes for code in languages_of(country)})
    }
    for row in pycountry.countries:
        country = Country(code=row.alpha_2, name=row.name)
        if tender := [currencies[code] for code in currencies_of(row.alpha_2)]:
            country.currencies.sadd(*tender)
        if spoken := {languages[code]: percent for code, percent in languages_of(row.alpha_2).items()}:
            country.languages.zadd(spoken)
    return f"{len(codes)} countries, {len(currencies)} currencies, {len(languages)} languages"


def make_subdivisions() -> str:
    """Create all subdivisions; a part may be created before the whole it belongs to."""
    made = {
        row.code: Subdivision(code=row.code, name=row.name, country=row.country_code) for row in pycountry.subdivisions
    }
    for row in pycountry.subdivisions:
        if row.parent_code:
            made[row.code].parent.hset(made[row.parent_code])  # neither has a primary key yet
    return f"{len(made)} subdivisions"


def load(db: RedisDatabase, make: Callable[[], str]) -> None:
    """Have *make* create objects that refer to each other, all in one transaction."""
    began = time.perf_counter()
    with Session(db) as s:
        what = make()
        s.commit()
    seconds = time.perf_counter() - began
    print(f"{what}: {len(s.last_plan)} commands, {s.last_plan.round_trips} round trips, {seconds:.2f} s")


def names(found: Iterable[str | None]) -> str:
    """Return names in one line."""
    return ", ".join(sorted(filter(None, found))) or "none"


def look() -> None:
    """Ask the relations from both sides; each question is a query that Redis answers from its indexes."""
    switzerland, panama = Country.get("CH"), Country.get("PA")
    euro, german, romansh = Currency.get("EUR"), Language.get("de"), Language.get("rm")
    print("Legal tender in Panama:", names(panama.currencies().values_list("name", flat=True)))
    print("Countries with the euro:", len(euro.country_set()))
    most = switzerland.languages().sort(by_score=switzerland.languages, desc=True).values_list("name", SORTED_SCORE)
    print("Most spoken in Switzerland:", ", ".join(f"{name} {percent} %" for name, percent in most[:4]))
    print("Romansh is spoken in:", names(romansh.spoken_in().values_list("name", flat=True)))
    both = german.spoken_in(currencies=euro)
    print(f"German is spoken in {len(german.spoken_in())} countries, {len(both)} of them with the euro")
    flanders = Subdivision.get(code="BE-VLG")
    print(f"Parts of {flanders.name.hget()}:", names(flanders.children().values_list("name", flat=True)))
    if belgium := Subdivision.get(code="BE-VAN").country.instance():
        print(f"Antwerp is one of {len(belgium.subdivision_set())} subdivisions of its country")


def look_at_belgium(when: str) -> None:
    """Tell from the other sides what refers to Belgium."""
    euro, walloon = Currency.get("EUR"), Language.get("wa")
    print(f"{when}: {len(Subdivision.collection(country='BE'))} subdivisions of Belgium", end=", ")
    print(f"{len(euro.country_set())} countries with the euro, Walloon is spoken in", end=" ")
    print(names(walloon.spoken_in().values_list("name", flat=True)))


def delete_belgium(db: RedisDatabase) -> None:
    """Delete a country with its subdivisions: first see what will be sent, then send exactly that."""
    look_at_belgium("Before")
    belgium = Country.get("BE")
    with Session(db) as s:
        belgium.delete()
        plan = s.plan()  # made with reads only
        print(shortened(plan))
        look_at_belgium("Pending")  # as it will be right after the commit
        s.commit(plan)  # exactly this, or Conflict
    look_at_belgium("After")


def shortened(plan: Plan) -> str:
    """Return the head of *plan* and, of what it writes, the first line for each reason."""
    head, *lines = str(plan).splitlines()
    first: dict[str, str] = {}
    for line in lines:
        if re.match("  (said|effect): ", line):
            first.setdefault(line.strip().partition("  ")[0], line)
    return "\n".join([head, *first.values(), f"  ... {len(lines)} lines in all"])


def differences(client: redis.Redis, without: str) -> list[str]:
    """Compare all that is in Redis with the packages, but for the country *without*; return the keys that differ."""
    expected: dict[str, object] = {"atlas:subdivision:max_pk": str(len(pycountry.subdivisions))}
    index: dict[str, set[str]] = defaultdict(set)

    def hold(model: str, pk: str, values: dict[str, str], *indexed: str) -> None:
        expected[f"atlas:{model}:{pk}:hash"] = values
        index[f"atlas:{model}:collection"].add(pk)
        for field in indexed:
            if field in values:
                index[f"atlas:{model}:{field}:{values[field]}"].add(pk)

    def refer(pk: str, field: str, references: set[str] | dict[str, float]) -> None:
        if references:
            expected[f"atlas:country:{pk}:{field}"] = references
        for reference in references:
            index[f"atlas:country:{field}:{reference}"].add(pk)

    for row in pycountry.countries:
        tender, spoken = set(currencies_of(row.alpha_2)), languages_of(row.alpha_2)
        for code in tender:
            hold("currency", code, {"name": name_of_currency(code)})
        for code in spoken:
            hold("language", code, {"name": name_of_language(code)})
        if row.alpha_2 != without:
            hold("country", row.alpha_2, {"name": row.name}, "name")
            refer(row.alpha_2, "currencies", tender)
            refer(row.alpha_2, "languages", spoken)
    pks = {row.code: str(pk) for pk, row in enumerate(pycountry.subdivisions, start=1)}
    for row in pycountry.subdivisions:
        values = {"code": row.code, "name": row.name, "country": row.country_code}
        if row.parent_code:
            values["parent"] = pks[row.parent_code]
        if row.country_code != without:
            hold("subdivision", pks[row.code], values, "code", "country", "parent")
    return differing(expected | index, everything(client, "atlas"))


def main() -> int:
    """Run the example; return 0 where all is as it should be."""
    with asked_for(__doc__, "atlas") as db:
        Atlas.use_database(db)
        load(db, make_countries)
        load(db, make_subdivisions)
        look()
        delete_belgium(db)
        if found := differences(db.connection, without="BE"):
            print(f"{len(found)} keys differ from the packages: {', '.join(found[:10])}", file=sys.stderr)
            return 1
        print("All that is left is as in pycountry and Babel")
    return 0


if __name__ == "__main__":
    sys.exit(main())
