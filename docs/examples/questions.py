"""Countries by regions, names and languages, and what was legal tender when: ranges, prefixes, dates and unions.

Countries are those of pycountry (ISO 3166-1); the regions of their time zones, the share of people who speak a
language, and from when to when a currency was legal tender are Babel's (Unicode CLDR). Each question is one round
trip, also where it puts several together; each answer is compared with what plain Python finds in the packages, and at
the end all that is in Redis, indexes too, with plain redis-py.

    python docs/examples/questions.py                                on a server inside this process
    python docs/examples/questions.py --url redis://localhost:6379   on a real one
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date

import pycountry
import redis
from asked import asked_for, differing, everything
from babel.core import get_global
from babel.languages import get_territory_language_info

from uowredis import InstanceHashField, PKField, RedisDatabase, RedisModel, SetField
from uowredis.indexes import EqualIndex, TextRangeIndex

#: A country, a currency, from when to when; None for a date that is not known, or has not come.
Validity = tuple[str, str, date | None, date | None]


class Tender(RedisModel):
    """What the models share. No connection is opened here: ``main`` moves them to the database that was asked for."""

    abstract = True
    database = RedisDatabase()
    namespace = "tender"


class Country(Tender):
    """A country of ISO 3166-1, found by how its name begins; some lie in several regions."""

    code = PKField()
    name = InstanceHashField(indexable=True, indexes=[EqualIndex, TextRangeIndex])
    regions = SetField(indexable=True)


class Spoken(Tender):
    """A language that is spoken in a country, by so many percent of the people."""

    country = InstanceHashField(indexable=True)
    language = InstanceHashField(indexable=True)
    percent = InstanceHashField(type=float, indexable="range")


class Legal(Tender):
    """A currency that is legal tender in a country, from a day on, and until another, if it has come."""

    country = InstanceHashField(indexable=True)
    currency = InstanceHashField(indexable=True)
    since = InstanceHashField(type=date, indexable="range", none=True)
    until = InstanceHashField(type=date, indexable="range", none=True)


CODES = [country.alpha_2 for country in pycountry.countries]


def regions_of(country: str) -> set[str]:
    """Return the regions of the time zones of a country: Africa, Europe, Pacific ..."""
    return {zone.partition("/")[0] for zone in get_global("territory_zones").get(country, ())}


def languages_of(country: str) -> dict[str, float]:
    """Return language to percentage of speakers, where it is known."""
    told = get_territory_language_info(country).items()
    return {code: float(about["population_percent"]) for code, about in told if about["population_percent"]}


def validities() -> Iterator[Validity]:
    """Yield what was or is legal tender, country by country."""
    for country in CODES:
        for currency, begin, end, tender in get_global("territory_currencies").get(country, ()):
            if tender:
                yield country, currency, begin and date(*begin), end and date(*end)


def load() -> None:
    """Create all objects, in a transaction for each kind."""
    rows: dict[type[Tender], list[dict[str, object]]] = {
        Country: [
            {"code": row.alpha_2, "name": row.name, "regions": regions_of(row.alpha_2)} for row in pycountry.countries
        ],
        Spoken: [
            {"country": country, "language": language, "percent": percent}
            for country in CODES
            for language, percent in languages_of(country).items()
        ],
        Legal: [
            {"country": country, "currency": currency, "since": since, "until": until}
            for country, currency, since, until in validities()
        ],
    }
    for model, given in rows.items():
        began = time.perf_counter()
        made = model.create_many(given, batch=2_000)
        print(f"{model.__name__}: {len(made)} objects in {time.perf_counter() - began:.2f} s")


def regions() -> tuple[list[str], list[str]]:
    """Ask for unions, intersections and differences of regions; return both answers, of Redis and of Python."""
    europe, asia = Country.collection(regions="Europe"), Country.collection(regions="Asia")
    africa = Country.collection(regions="Africa")
    united = Country.collection(name__startswith="United")
    asked: list[Iterable[str]] = [europe & asia, united - europe, (europe | asia | africa).exclude(name__gte="B")]

    def within(condition: Callable[[str, set[str]], bool]) -> list[str]:
        return [row.alpha_2 for row in pycountry.countries if condition(row.name, regions_of(row.alpha_2))]

    expected = [
        within(lambda _, lies: {"Europe", "Asia"} <= lies),
        within(lambda name, lies: name.startswith("United") and "Europe" not in lies),
        within(lambda name, lies: bool({"Europe", "Asia", "Africa"} & lies) and name < "B"),
    ]
    print("In Europe and in Asia:", listed(asked[0]))
    print("United, and not in Europe:", listed(asked[1]))
    print("In one of three regions, with A:", listed(asked[2]))
    return [listed(each) for each in asked], [listed(each) for each in expected]


def names() -> tuple[list[str], list[str]]:
    """Ask how names begin, and for those between two texts, in their order."""
    saints = Country.collection(name__startswith="Saint ").sort(by="name", alpha=True).values_list("name", flat=True)
    between = Country.collection(name__gte="Ma", name__lt="Mc").sort(by="name", alpha=True)
    found = [*filter(None, saints), *filter(None, between.values_list("name", flat=True))]
    print(
        f"{len(saints)} saints, and {len(between)} from Ma to Mc, the first {between.values_list('name', flat=True)[0]}"
    )
    told = sorted(row.name for row in pycountry.countries)
    return found, [*(n for n in told if n.startswith("Saint ")), *(n for n in told if "Ma" <= n < "Mc")]


def shares() -> tuple[list[str], list[str]]:
    """Ask for a range of numbers beside an equal value."""
    french = Spoken.collection(language="fr", percent__gte=20, percent__lt=50).sort(by="-percent")
    rows = french.values_list("country", "percent")[:]
    print(
        "French is spoken by 20 to 50 percent in",
        ", ".join(f"{country} ({percent:g})" for country, percent in rows[:5]),
    )
    told = ((languages_of(country).get("fr", 0), country) for country in CODES)
    expected = [f"{country} {percent}" for percent, country in told if 20 <= percent < 50]
    return sorted(f"{country} {percent}" for country, percent in rows), sorted(expected)


def validity() -> tuple[list[str], list[str]]:
    """Ask what was legal tender on a day: since then or before, and not until before then."""
    day = date(2000, 1, 1)
    then = Legal.collection(since__lte=day).exclude(until__lt=day)
    in_france = then.copy().filter(country="FR").values_list("currency", flat=True)
    euro = then.copy().filter(currency="EUR")
    nineties = Legal.collection(until__gte=date(1990, 1, 1), until__lt=day)
    today = Legal.collection(until=None)
    print(f"Legal tender in France on {day}:", listed(filter(None, in_france)))
    print(f"The euro was it in {len(euro)} countries; {len(nineties)} ended in the nineties, {len(today)} have not")
    told = list(validities())
    on_the_day = [row for row in told if row[2] and row[2] <= day and not (row[3] and row[3] < day)]
    expected = [
        listed(currency for country, currency, *_ in on_the_day if country == "FR"),
        listed(country for country, currency, *_ in on_the_day if currency == "EUR"),
        str(sum(until is not None and date(1990, 1, 1) <= until < day for *_, until in told)),
        str(sum(until is None for *_, until in told)),
    ]
    countries = listed(filter(None, euro.values_list("country", flat=True)))
    return [listed(filter(None, in_france)), countries, str(len(nineties)), str(len(today))], expected


def listed(found: Iterable[str]) -> str:
    """Return texts in one line."""
    return ", ".join(sorted(found)) or "none"


def differences(client: redis.Redis) -> list[str]:
    """Compare all that is in Redis, objects and indexes, with the packages; return the keys that differ."""
    expected: dict[str, object] = {}
    sets: dict[str, set[str]] = defaultdict(set)
    sorted_sets: dict[str, dict[str, float]] = defaultdict(dict)

    def hold(model: str, pk: str, values: dict[str, str | None], texts: Iterable[str] = ()) -> None:
        expected[f"tender:{model}:{pk}:hash"] = {name: value for name, value in values.items() if value is not None}
        sets[f"tender:{model}:collection"].add(pk)
        for name, value in values.items():
            sets[f"tender:{model}:{name}:{value}" if value is not None else f"tender:{model}:__none__:{name}"].add(pk)
            if name in texts and value is not None:
                sorted_sets[f"tender:{model}:{name}:text-range"][f"{value}:TEXT-RANGE-SEPARATOR:{pk}"] = 0

    for row in pycountry.countries:
        hold("country", row.alpha_2, {"name": row.name}, ["name"])
        for region in regions_of(row.alpha_2):
            sets[f"tender:country:{row.alpha_2}:regions"].add(region)
            sets[f"tender:country:regions:{region}"].add(row.alpha_2)
    spoken = [(country, language, n) for country in CODES for language, n in languages_of(country).items()]
    for pk, (country, language, percent) in enumerate(spoken, start=1):
        shown = f"{percent:g}"
        hold("spoken", str(pk), {"country": country, "language": language, "percent": shown})
        sorted_sets["tender:spoken:percent:number-range"][str(pk)] = percent
    for pk, (country, currency, since, until) in enumerate(validities(), start=1):
        days = {name: day.isoformat() if day else None for name, day in (("since", since), ("until", until))}
        hold("legal", str(pk), {"country": country, "currency": currency, **days}, days)
    expected |= {"tender:spoken:max_pk": str(len(spoken)), "tender:legal:max_pk": str(len(list(validities())))}
    return differing(expected | sets | sorted_sets, everything(client, "tender"))


def main() -> int:
    """Run the example; return 0 where all is as it should be."""
    with asked_for(__doc__, "tender") as db:
        Tender.use_database(db)
        load()
        for question in (regions, names, shares, validity):
            found, told = question()
            if found != told:
                print(f"{question.__name__}: {found} is not {told}", file=sys.stderr)
                return 1
        if differ := differences(db.connection):
            print(f"{len(differ)} keys differ from the packages: {', '.join(differ[:10])}", file=sys.stderr)
            return 1
        print("All answers, objects and indexes are as in pycountry and Babel")
    return 0


if __name__ == "__main__":
    sys.exit(main())
