"""``check``, ``repair`` and ``rebuild`` on the command line: what they print, and their exit status."""

import json
import sys
from collections.abc import Iterator
from random import Random

import pytest

from tests.maintenance.stock import Stock, fill, stock
from tests.tools.backends import Real
from uowredis.cli import main

PART, SHELF = "tests.maintenance.models:Part", "tests.maintenance.models:Shelf"


@pytest.fixture
def data(real: Real, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stock]:
    """Ten parts on a real server, where the models of the command line look, too."""
    data = stock(real.database())
    fill(data, Random(3), 10)
    monkeypatch.setenv("UOWREDIS_TEST_URL", real.server.url)
    yield data
    if (models := sys.modules.pop("tests.maintenance.models", None)) is not None:
        models.STOCK.database.close()


@pytest.mark.usefixtures("data")
def test_clean_data_is_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stdout, a line on stderr."""
    assert 0 == main(["check", PART, SHELF])
    assert ("", "nothing found\n") == capsys.readouterr()


@pytest.mark.usefixtures("data")
def test_findings_are_status_1_and_notes_are_not(real: Real, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, and as JSON, one a line."""
    with real.client() as client:
        client.sadd(":shelf:collection", "bare")
        assert 0 == main(["check", PART, SHELF])
        client.delete(":part:1:state")
    capsys.readouterr()
    assert 1 == main(["check", PART, SHELF])
    out, err = capsys.readouterr()
    assert "stale entry: Part <1>.state does not hold" in out
    assert "1 stale entry, 1 object without data\n" == err
    assert 1 == main(["check", "--json", PART])
    (line,) = capsys.readouterr().out.splitlines()
    assert ("stale entry", "1") == (json.loads(line)["fault"], json.loads(line)["pk"])


@pytest.mark.usefixtures("data")
def test_a_rebuild_shows_its_plans_first(real: Real, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run sends nothing; then it is done, and done once."""
    with real.client() as client:
        client.delete(":part:1:state")
    assert 0 == main(["rebuild", "--dry-run", f"{PART}.state"])
    out, err = capsys.readouterr()
    assert "SREM :part:state:" in out
    assert "1 would be mended, 0 left\n" == err
    for mended in ("1 mended, 0 left\n", "0 mended, 0 left\n"):
        assert 0 == main(["rebuild", f"{PART}.state"])
        assert mended == capsys.readouterr().err


@pytest.mark.usefixtures("data")
def test_what_a_repair_leaves_is_status_1(real: Real, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, until somebody says what becomes of it."""
    with real.client() as client:
        client.set(":shelf:late:note", "x")
        client.set(":part:1:weight", "3")
    assert 1 == main(["repair", PART, SHELF])
    out, err = capsys.readouterr()
    assert "left as it is: data without primary key: Shelf <late>" in out
    assert "left as it is: field not declared: ':part:1:weight'" in out
    assert "0 mended, 2 left\n" == err
    assert 0 == main(["repair", "--orphans", "delete", "--forget", "weight", "--references", "clear", PART, SHELF])
    assert 0 == main(["check", PART, SHELF])


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("tests.maintenance.models", "is no model. Way out: module:Model"),
        ("tests.maintenance.nowhere:Part", "cannot be imported"),
        ("tests.maintenance.models:Wheel", "there is no 'Wheel'"),
        (f"{PART}.wheel", "has no field 'wheel'"),
        ("tests.maintenance.models:STOCK", "is no model but"),
        (f"{PART}.state", f"names a field. Way out: {PART}"),
    ],
)
def test_what_is_no_model_is_status_2(capsys: pytest.CaptureFixture[str], target: str, why: str) -> None:
    """With the reason in a line."""
    assert 2 == main(["check", target])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("uowredis: ")
    assert why in line


def test_a_server_that_is_not_there_is_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could look."""
    monkeypatch.setenv("UOWREDIS_TEST_URL", "redis://127.0.0.1:1")
    assert 2 == main(["check", PART])
    del sys.modules["tests.maintenance.models"]
    assert "127.0.0.1:1" in capsys.readouterr().err
