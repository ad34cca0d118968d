"""What a package index shows: a page without links that lead nowhere, the license, and no address that was made up."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT.joinpath("README.md").read_text("utf-8")
PROJECT_FILE = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))
PROJECT = PROJECT_FILE["project"]
LINK = re.compile(r"\[[^]]*\]\(([^)]+)\)")


@pytest.fixture
def page() -> str:
    """The page, made as the build does it: the readme, with its substitutions."""
    made = README
    for each in PROJECT_FILE["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        made = re.sub(each["pattern"], each["replacement"], made)
    return made


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
    """Whatever stands at the top of the clone, but what the build makes itself."""
    packed = {path.strip("/") for path in PROJECT_FILE["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]}
    listed = {path.name for path in ROOT.iterdir() if path.suffix == ".md" or path.name in ("LICENSE", "docs", "tests")}
    assert listed | {"uowredis", ".ci"} <= packed
