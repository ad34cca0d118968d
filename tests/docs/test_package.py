"""What a package index shows: a page without links that lead nowhere, the license, and no address that was made up."""

import re
import runpy
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT.joinpath("README.md").read_text("utf-8")
PROJECT = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]
LINK = re.compile(r"\[[^]]*\]\(([^)]+)\)")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    """The page, as setup.py gives it to setuptools, which need not be there."""
    given: dict[str, Any] = {}
    monkeypatch.setitem(sys.modules, "setuptools", types.SimpleNamespace(setup=given.update))
    runpy.run_path(str(ROOT / "setup.py"))
    return str(given["long_description"])


def test_the_links_of_the_readme_lead_to_files() -> None:
    """In a clone each file is where the link says."""
    files = [target.partition("#")[0] for target in LINK.findall(README) if ":" not in target]
    assert len(files) > 15
    assert [] == [file for file in files if not ROOT.joinpath(file).is_file()]


def test_the_page_of_the_package_has_no_link_to_a_file(page: str) -> None:
    """Its index has no files; each is named instead, and nothing else is changed."""
    assert [] == [target for target in LINK.findall(page) if ":" not in target]
    files = {target for target in LINK.findall(README) if ":" not in target}
    assert [] == [file for file in files if f"`{file}`" not in page]
    assert re.findall(r"^```.*?^```", README, re.M | re.S) == re.findall(r"^```.*?^```", page, re.M | re.S)


def test_the_license_is_there() -> None:
    """MIT, in words and as a file that is packed."""
    assert ("MIT", ["LICENSE"]) == (PROJECT["license"], PROJECT["license-files"])
    assert ROOT.joinpath("LICENSE").read_text("utf-8").startswith("MIT License")
    assert "urls" not in PROJECT


def test_the_source_distribution_holds_what_a_clone_holds() -> None:
    """MANIFEST.in names all that is no package, at the top of the clone."""
    named = set(re.findall(r"\S+", ROOT.joinpath("MANIFEST.in").read_text("utf-8")))
    # Taken by setuptools itself.
    own = {"pyproject.toml", "setup.py", "README.md", "LICENSE", "uowredis"}
    assert {"docs", "tests", ".ci", "CONTRIBUTING.md"} <= named
    listed = [path.name for path in ROOT.iterdir() if path.suffix in (".md", ".toml", ".py", ".in")]
    assert [] == [name for name in listed if name not in named | own]
