"""The example programs, run as a reader runs them: in a process of their own."""

import os
import re
import runpy
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pycountry
import pytest
from babel.languages import get_territory_language_info
from babel.numbers import get_territory_currencies

from tests.tools.backends import Real

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples"
OBJECTS = sum(map(len, (pycountry.countries, pycountry.subdivisions, pycountry.currencies)))
OF_BELGIUM = sum(subdivision.country_code == "BE" for subdivision in pycountry.subdivisions)
WITH_THE_EURO = sum("EUR" in get_territory_currencies(country.alpha_2) for country in pycountry.countries)
BELGIAN_GUARD = "atlas:country:__guard__:BE"

#: What they print but for counts and times, and the commands of the plans they show, with pks as #.
COUNTRIES = [
    "Country: # objects in # s, # round trips",
    "Subdivision: # objects in # s, # round trips",
    "Currency: # objects in # s, # round trips",
    "CH is Switzerland, CH-ZH is Zürich, CHF is Swiss Franc",
    "A canton exists: True, a galaxy: False",
    "plan: Country <#> changed, Subdivision <#> changed",
    'HSET iso:country:#:hash name "Czech Republic"',
    "HSET iso:subdivision:#:hash type State",
    "SREM iso:country:name:Czechia #",
    "SREM iso:subdivision:type:Canton #",
    'SADD "iso:country:name:Czech Republic" #',
    "SADD iso:subdivision:type:State #",
    f"All {OBJECTS} objects and their indexes are as in pycountry",
]
RELATIONS = [
    "# countries, # currencies, # languages: # commands, # round trips, # s",
    "# subdivisions: # commands, # round trips, # s",
    "Legal tender in Panama: Panamanian Balboa, US Dollar",
    "Countries with the euro: #",
    "Most spoken in Switzerland: German # %, Swiss German # %, English # %, French # %",
    "Romansh is spoken in: Switzerland",
    "German is spoken in # countries, # of them with the euro",
    "Parts of Vlaams Gewest: Antwerpen, Limburg, Oost-Vlaanderen, Vlaams-Brabant, West-Vlaanderen",
    "Antwerp is one of # subdivisions of its country",
    f"Before: {OF_BELGIUM} subdivisions of Belgium, {WITH_THE_EURO} countries with the euro, "
    "Walloon is spoken in Belgium",
    "plan: Country <BE> deleted, # Subdivision deleted by cascade",
    "DEL atlas:country:BE:currencies atlas:country:BE:hash atlas:country:BE:languages",
    "DEL atlas:subdivision:#:hash",
    "SREM atlas:country:currencies:EUR BE",
    "SREM atlas:country:languages:de BE",
    "SREM atlas:country:name:Belgium BE",
    "SREM atlas:subdivision:code:BE-BRU #",
    "SREM atlas:subdivision:country:BE # # # # # # # # # # ... (# arguments)",
    "SREM atlas:subdivision:parent:# # # # # #",
    "SREM atlas:country:collection BE",
    "SREM atlas:subdivision:collection # # # # # # # # # # ... (# arguments)",
    f"MSET {' '.join([BELGIAN_GUARD] * 2 + ['atlas:subdivision:__guard__:#'] * 9)} ... (# arguments)",
    *(
        f"{when}: 0 subdivisions of Belgium, {WITH_THE_EURO - 1} countries with the euro, Walloon is spoken in none"
        for when in ("Pending", "After")
    ),
    "All that is left is as in pycountry and Babel",
]
QUESTIONS = [
    "Country: # objects in # s",
    "Spoken: # objects in # s",
    "Legal: # objects in # s",
    "In Europe and in Asia: RU",
    "United, and not in Europe: AE, UM, US",
    "In one of three regions, with A: AD, AF, AL, AM, AO, AT, AZ, DZ",
    "# saints, and # from Ma to Mc, the first Macao",
    "French is spoken by # to # percent in HT (#), TG (#), CH (#), LB (#), BE (#)",
    "Legal tender in France on #-01-01: EUR, FRF",
    "The euro was it in # countries; # ended in the nineties, # have not",
    "All answers, objects and indexes are as in pycountry and Babel",
]


@attrs.frozen
class Example:
    """A program, the namespace of its keys, and what it prints where all is well."""

    program: str
    namespace: str
    good: list[str]

    def run(self, *arguments: str) -> tuple[int, list[str], str]:
        """Return exit status, the telling lines of stdout, and stderr."""
        finished = subprocess.run(
            [sys.executable, "-W", "error", EXAMPLES / self.program, *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        return finished.returncode, list(filter(None, map(telling, finished.stdout.splitlines()))), finished.stderr


COUNTRIES_EXAMPLE = Example("countries.py", "iso", COUNTRIES)
RELATIONS_EXAMPLE = Example("relations.py", "atlas", RELATIONS)
QUESTIONS_EXAMPLE = Example("questions.py", "tender", QUESTIONS)
every_example = pytest.mark.parametrize(
    "example", [COUNTRIES_EXAMPLE, RELATIONS_EXAMPLE, QUESTIONS_EXAMPLE], ids=lambda each: each.program
)


def telling(line: str) -> str:
    """Return *line* without what differs from run to run, of a plan's line only the call; '' for no telling line."""
    if re.match("(All|Before:|Pending:|After:) ", line):
        return line
    masked = re.sub(r"(?<![^ :<(])\d+(\.\d+)?\b", "#", line)
    if not line.startswith(" "):
        return masked.partition(";")[0] if line.startswith("plan:") else masked
    _, _, call = re.sub(r" {2,}", "  ", masked.strip()).partition("  ")
    # In process there is no token: no connection can be lost.
    return call if re.match("  (said|effect): (?!the token)", line) else ""


@every_example
def test_an_example_on_the_embedded_server(example: Example) -> None:
    """Without arguments an example runs on a server of its own and finds all as it should be."""
    assert (0, example.good, "") == example.run()


@every_example
def test_an_example_on_a_real_server(example: Example, real: Real) -> None:
    """On a real server an example does and says the same, and writes no key but those of its namespace."""
    assert (0, example.good, "") == example.run("--url", real.server.url)
    assert set() == {key for key in real.dump() if not key.startswith(f"{example.namespace}:".encode())}


@every_example
def test_an_example_refuses_a_database_that_holds_its_keys(example: Example, real: Real) -> None:
    """Where keys of an example's models are there, it changes nothing, says so and ends with 1."""
    real.client().sadd(f"{example.namespace}:country:collection", "1")
    before = real.dump()
    message = f"There are keys {example.namespace}:* in this database already; --replace deletes them\n"
    assert (1, [], message) == example.run("--url", real.server.url)
    assert before == real.dump()


def test_an_example_replaces_its_own_keys_when_told(real: Real) -> None:
    """With --replace an example deletes what it left before, and nothing else."""
    client = real.client()
    client.sadd("iso:country:collection", "1")
    client.set("someone:else", "stays")
    assert (0, COUNTRIES, "") == COUNTRIES_EXAMPLE.run("--url", real.server.url, "--replace")
    assert b"stays" == client.get("someone:else")


def functions_of(example: Example, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names that the program of *example* defines; its main function does not run."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return runpy.run_path(str(EXAMPLES / example.program))


def test_countries_would_notice_a_difference(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is no formality: against the rows before the update, it names every key the update changed."""
    COUNTRIES_EXAMPLE.run("--url", real.server.url)
    example = functions_of(COUNTRIES_EXAMPLE, monkeypatch)
    rows = {model: example["rows_of"](model) for model in example["SOURCES"]}
    found = example["differences"](real.client(decode_responses=True), rows)
    assert [
        "iso:country:#:hash",
        "iso:country:name:Czech Republic",
        "iso:country:name:Czechia",
        "iso:subdivision:#:hash",
        "iso:subdivision:type:Canton",
        "iso:subdivision:type:State",
    ] == [re.sub(r"\d+", "#", key) for key in found]


def test_relations_would_notice_a_difference(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against all countries, the comparison names every key that the deletion of one changed, on all sides of it."""
    RELATIONS_EXAMPLE.run("--url", real.server.url)
    differences = functions_of(RELATIONS_EXAMPLE, monkeypatch)["differences"]
    found = differences(real.client(decode_responses=True), without="")
    languages = {f"atlas:country:languages:{code}" for code in get_territory_language_info("BE")}
    assert {
        "atlas:country:BE:currencies",
        "atlas:country:BE:hash",
        "atlas:country:BE:languages",
        "atlas:country:collection",
        "atlas:country:currencies:EUR",
        "atlas:country:name:Belgium",
        "atlas:subdivision:#:hash",
        "atlas:subdivision:code:BE-#",
        "atlas:subdivision:collection",
        "atlas:subdivision:country:BE",
        "atlas:subdivision:parent:#",
    } | languages == {re.sub(r"(?<=:)\d+|(?<=:BE-).*", "#", key) for key in found}


def test_questions_would_notice_a_difference(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither comparison is a formality: a country that is moved and renamed is found in answers, and in keys."""
    QUESTIONS_EXAMPLE.run("--url", real.server.url)
    example = functions_of(QUESTIONS_EXAMPLE, monkeypatch)
    example["Tender"].use_database(real.database())
    for question in ("regions", "names", "shares", "validity"):
        found, told = example[question]()
        assert found == told
    russia = example["Country"].get("RU")
    russia.regions.srem("Asia")
    russia.name.hset("United Russia")
    example["Spoken"].get(country="CH", language="fr").percent.hset(50)
    example["Legal"].get(country="FR", currency="FRF").until.hset(date(1999, 12, 31))
    for question in ("regions", "shares", "validity"):
        found, told = example[question]()
        assert found != told
    assert {
        "tender:country:RU:hash",
        "tender:country:RU:regions",
        "tender:country:name:Russian Federation",
        "tender:country:name:United Russia",
        "tender:country:name:text-range",
        "tender:country:regions:Asia",
        "tender:legal:#:hash",
        "tender:legal:until:1999-12-31",
        "tender:legal:until:2002-02-17",
        "tender:legal:until:text-range",
        "tender:spoken:#:hash",
        "tender:spoken:percent:39",
        "tender:spoken:percent:50",
        "tender:spoken:percent:number-range",
    } >= {re.sub(r"(?<=:)\d+(?=:hash)", "#", key) for key in example["differences"](real.client(decode_responses=True))}
