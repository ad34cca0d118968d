"""The benchmark works and would notice contestants that leave different data; nothing is said here about times."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import matches, parts, people
from tests.bench.finding import QUESTIONS, Citizen, create_by_hand, use
from tests.bench.growth import exponent
from tests.bench.rounds import Unequal, check_equal, compete
from tests.tools.backends import Real

ROOT = Path(__file__).parents[2]


def test_benchmark_prints_a_table_for_each_contest() -> None:
    """``python -m tests.bench`` compares writes, calls, queries, relations and memory, and names what it ran on."""
    # 600 objects to change are more than 1,000 watched keys: the guards go as a script, as they do with 10,000.
    sizes = ["--objects", "600", "--calls", "3", "--queries", "3", "--memory", "100", "--rounds", "1"]
    sizes += ["--groups", "3", "--deletions", "1"]
    finished = subprocess.run([sys.executable, "-m", "tests.bench", *sizes], cwd=ROOT, capture_output=True, text=True)
    assert (0, "") == (finished.returncode, finished.stderr)
    head, *tables = finished.stdout.split("\n\n")
    assert re.match(r"Redis \S+, Python \S+, \S+; redis \S+, hiredis \S+, attrs \S+; medians of 1 rounds$", head)
    rows = [[line.split("|")[1].strip() for line in table.strip().splitlines()] for table in tables]
    ours, hand, unguarded, comparing = "uowredis", "redis-py by hand", "redis-py, no guard", "redis-py, comparing"
    assert [
        ["creating 600", "---", ours, hand],
        ["changing 600", "---", ours, hand, unguarded],
        ["one incr, no index", "---", ours, hand],
        ["one hset, indexed", "---", ours, hand],
        ["asking 3 times", "---", ours, hand],
        ["retrieving 600", "---", ours, hand],
        *([f"{name}, 3 times", "---", ours, hand] for name in QUESTIONS),
        ["10 of 30 members each to 3 groups", "---", ours, hand],
        ["10 of 10 members each to 3 groups", "---", ours, hand],
        ["deleting 1 with 200 referrers", "---", ours, hand, comparing],
        ["memory for creating 100 in one transaction", "---", ours, hand],
    ] == rows


def test_the_table_has_each_line_as_figures(real: Real) -> None:
    """Each side runs in a process of its own, with its figures, and all must leave the same data."""
    only = ["create", "get", "prefix"]
    sizes = ["--table", "--only", *only, "--count", "5", "--rounds", "1", "--json"]
    finished = subprocess.run([sys.executable, "-m", "tests.bench", *sizes], cwd=ROOT, capture_output=True, text=True)
    assert (0, "") == (finished.returncode, finished.stderr)
    lines = {line["line"]: line["sides"] for line in map(json.loads, finished.stdout.splitlines())}
    three, two = {"ours", "hand", "best"}, {"ours", "hand"}
    assert {"create": three, "get": two, "prefix": two} == {name: set(sides) for name, sides in lines.items()}
    needed = [each for sides in lines.values() for side in sides.values() for each in side]
    assert len(needed) == 7
    assert all(each["clock"] > 0 and each["commands"] > 0 and each["peak"] > 0 for each in needed)
    assert [5] == [each["commands"] for each in lines["get"]["hand"]]
    assert len({each["answer"] for side in lines["prefix"].values() for each in side} - {""}) == 1


def test_the_time_of_a_question_is_told_in_parts(real: Real) -> None:
    """Its parts make up the whole, and each question is there with the calls that it really sends."""
    database = real.database()
    use(database)
    client = real.client(decode_responses=True)
    _, _, *rows = parts.measured(database, client, objects=600, often=1, times=1)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert ["range", "range-page", "prefix", "in", "or"] == [name for name, *_ in cells]
    for _, hand, ours, waiting, saying, deciding, *_ in cells:
        assert min(float(hand), float(waiting), float(saying)) > 0
        assert float(ours) == pytest.approx(float(waiting) + float(saying) + float(deciding), abs=2)


@pytest.mark.parametrize("name", QUESTIONS)
def test_both_sides_of_a_question_answer_what_was_asked(name: str, real: Real) -> None:
    """And something: an empty answer would say nothing."""
    question = QUESTIONS[name]
    create_by_hand(real.client(), people.rows(600))
    use(real.database())
    for at in (0, 7):
        ours, hand = (
            question.plain(question.ours(at, 600)),
            question.plain(question.hand(real.client(decode_responses=True), at, 600)),
        )
        assert sorted(map(str, ours)) == sorted(map(str, hand)) != []


def test_the_asyncio_face_is_measured_against_the_other(real: Real) -> None:
    """The same work, the same data; reads that are started together go against the asyncio client of redis-py."""
    sizes = ["--table", "--only", "aio-create", "aio-gather", "--count", "5", "--rounds", "1", "--json"]
    finished = subprocess.run([sys.executable, "-m", "tests.bench", *sizes], cwd=ROOT, capture_output=True, text=True)
    assert (0, "") == (finished.returncode, finished.stderr)
    lines = {line["line"]: line["sides"] for line in map(json.loads, finished.stdout.splitlines())}
    assert {"aio-create": {"ours", "hand"}, "aio-gather": {"ours", "hand", "best"}} == {
        name: set(sides) for name, sides in lines.items()
    }
    assert [500] == [each["commands"] for each in lines["aio-gather"]["ours"]]


def test_a_slow_network_makes_round_trips_count(real: Real) -> None:
    """Replies arrive later, so that who waits for more of them takes longer; the data is the same."""
    sizes = ["--only", "create-far", "change-far", "--count", "5", "--rounds", "1", "--json"]
    finished = subprocess.run([sys.executable, "-m", "tests.bench", *sizes], cwd=ROOT, capture_output=True, text=True)
    assert (0, "") == (finished.returncode, finished.stderr)
    lines = {line["line"]: line["sides"] for line in map(json.loads, finished.stdout.splitlines())}
    # By hand each object changed is waited for three times.
    assert lines["change-far"]["hand"][0]["clock"] > 3 * 5 * 0.002


def test_growth_and_pauses_are_told(real: Real) -> None:
    """Each has a command of its own; a power law is found where there is one."""
    assert exponent({10: 3.0, 100: 300.0, 1_000: 30_000.0}) == pytest.approx(2)
    for arguments, rows in (
        (["growth", "--sizes", "5", "10", "--rounds", "1", "--only", "delete"], 3),
        (["pauses", "20"], 3),
    ):
        module = f"tests.bench.{arguments[0]}"
        finished = subprocess.run(
            [sys.executable, "-m", module, *arguments[1:]], cwd=ROOT, capture_output=True, text=True
        )
        assert (0, "") == (finished.returncode, finished.stderr)
        assert len(finished.stdout.splitlines()) == rows


def test_contestants_that_leave_different_data_give_no_result(real: Real) -> None:
    """A round whose contestants leave different data raises and names the keys."""
    client = real.client()
    contestants = {
        "one": lambda: lambda: client.set("key", "1"),
        "two": lambda: lambda: client.set("key", "2"),
    }
    with pytest.raises(Unequal, match=r"'one' and 'two' differ in 1 keys of 1: \[b'key'\]|'two' and 'one' differ"):
        compete(real, contestants, rounds=1, count=1)


def test_contestants_that_leave_nothing_give_no_result() -> None:
    """No data is no agreement."""
    with pytest.raises(Unequal):
        check_equal({"one": {}, "two": {}})


def test_how_questions_grow_has_a_line_for_each(real: Real) -> None:
    """Each is timed on each size, and finds as many as the table says that match."""
    Citizen.use_database(real.database())
    _, _, *lines = matches.measured(real, real.client(), ((100, 10), (120, 20)), 1)
    assert list(matches.QUESTIONS) == [line.split(" | ")[0].removeprefix("| ") for line in lines]
    answers: dict[str, Any] = {name: ask() for name, ask in matches.QUESTIONS.items()}
    found = {name: answer if isinstance(answer, int) else len(answer) for name, answer in answers.items()}
    others = {"in of three": 60, "OR of two": 40, "all without some": 100, "get_many of 100": 100}
    others |= {"after it, few match": 0}
    assert dict.fromkeys(matches.QUESTIONS, 20) | others == found
