"""The example programs, run as a reader runs them: in a process of their own."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pycountry

from tests.backends import Real

ROOT = Path(__file__).parents[2]
COUNTRIES = ROOT / "docs/examples/countries.py"
OBJECTS = sum(map(len, (pycountry.countries, pycountry.subdivisions, pycountry.currencies)))

#: What it prints but for counts and times, and the commands of the plan it shows, with pks as #.
GOOD = [
    "Country: # objects in # s, # round trips",
    "Subdivision: # objects in # s, # round trips",
    "Currency: # objects in # s, # round trips",
    "CH is Switzerland, CH-ZH is Zürich, CHF is Swiss Franc",
    "A canton exists: True, a galaxy: False",
    'HSET iso:country:#:hash name "Czech Republic"',
    "HSET iso:subdivision:#:hash type State",
    "SREM iso:country:name:Czechia #",
    "SREM iso:subdivision:type:Canton #",
    'SADD "iso:country:name:Czech Republic" #',
    "SADD iso:subdivision:type:State #",
    f"All {OBJECTS} objects and their indexes are as in pycountry",
]


def run(*arguments: str) -> tuple[int, list[str], str]:
    """Return exit status, the telling lines of stdout, and stderr."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", COUNTRIES, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return finished.returncode, list(filter(None, map(telling, finished.stdout.splitlines()))), finished.stderr


def telling(line: str) -> str:
    """Return *line* without what differs from run to run, of a plan's line only the call; '' for no telling line."""
    if line.startswith("All "):
        return line
    masked = re.sub(r"(?<=[ :])\d+(\.\d+)?\b", "#", line)
    if not line.startswith(" "):
        return "" if line.startswith("plan:") else masked
    _, _, call = re.sub(r" {2,}", "  ", masked.strip()).partition("  ")
    return call if re.match("  (said|effect): ", line) else ""


def test_countries_on_the_embedded_server() -> None:
    """Without arguments the example runs on a server of its own and finds all as it should be."""
    assert (0, GOOD, "") == run()


def test_countries_on_a_real_server(real: Real) -> None:
    """On a real server the example does and says the same, and writes no key but those that begin with iso:."""
    assert (0, GOOD, "") == run("--url", real.server.url)
    assert set() == {key for key in real.dump() if not key.startswith(b"iso:")}


def test_countries_refuses_a_database_that_holds_its_keys(real: Real) -> None:
    """Where keys of the example's models are there, it changes nothing, says so and ends with 1."""
    real.client().sadd("iso:country:collection", "1")
    before = real.dump()
    message = "There are keys iso:* in this database already; --replace deletes them\n"
    assert (1, [], message) == run("--url", real.server.url)
    assert before == real.dump()


def test_countries_replaces_its_own_keys_when_told(real: Real) -> None:
    """With --replace the example deletes what it left before, and nothing else."""
    client = real.client()
    client.sadd("iso:country:collection", "1")
    client.set("someone:else", "stays")
    assert (0, GOOD, "") == run("--url", real.server.url, "--replace")
    assert b"stays" == client.get("someone:else")


def test_countries_would_notice_a_difference(real: Real) -> None:
    """The comparison is no formality: against the rows before the update, it names every key the update changed."""
    run("--url", real.server.url)
    example = runpy.run_path(str(COUNTRIES))
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
