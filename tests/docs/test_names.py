"""What the code offers is documented, and what the documents describe is there."""

import inspect
import re
from pathlib import Path

import pytest

import uowredis
from uowredis import exceptions

DOCS = Path(__file__).parents[2] / "docs"
ERRORS = {
    name: error
    for name, error in vars(exceptions).items()
    if inspect.isclass(error) and issubclass(error, Exception) and error.__module__ == exceptions.__name__
}


def named_in(text: str) -> set[str]:
    """Return the words that a page sets apart: in headings, in bold, as code."""
    fenced = re.findall(r"^```.*?^```", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    apart = fenced + re.findall(r"^#+ .*|`[^`]+`|\*\*[^*]+\*\*", rest, re.M)
    return set(re.findall(r"\w+", " ".join(apart)))


NAMED = set().union(*(named_in(page.read_text("utf-8")) for page in DOCS.glob("*.md")))


@pytest.mark.parametrize("name", uowredis.__all__)
def test_a_public_name_is_documented(name: str) -> None:
    """Every public name is set apart on some page of docs/: in a heading, in bold, or as code."""
    assert name in NAMED


def test_the_public_names_are_sorted_and_there() -> None:
    """``uowredis.__all__`` is what the package gives, sorted, each once."""
    assert sorted(set(uowredis.__all__)) == uowredis.__all__
    assert all(hasattr(uowredis, name) for name in uowredis.__all__)


def test_every_error_is_public() -> None:
    """Whatever may be raised can be caught by a name of the package."""
    assert set(ERRORS) <= set(uowredis.__all__)


def sections() -> dict[str, str]:
    """Return the sections of the page on errors by their titles."""
    text = Path(DOCS, "errors.md").read_text("utf-8")
    return dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))


def test_every_error_has_its_section_and_the_reverse() -> None:
    """docs/errors.md has one section for each error, and no other."""
    assert sorted(ERRORS) == sorted(sections())


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_cause_and_solution(name: str) -> None:
    """A section says what the error is caught as, then its *Cause* and its *Solution*."""
    bases = " and ".join(f"`{base.__name__}`" for base in ERRORS[name].__bases__)
    assert re.search(rf"^Is an? {bases}\.", sections()[name], re.M)
    for word in ("Cause", "Solution"):
        assert re.search(rf"^\*{word}\*: \S", sections()[name], re.M)


@pytest.mark.parametrize("name", [name for name, error in ERRORS.items() if "Attributes:" in (error.__doc__ or "")])
def test_the_attributes_of_an_error_are_documented(name: str) -> None:
    """What an error carries stands in its section."""
    listed = (ERRORS[name].__doc__ or "").partition("Attributes:")[2]
    for attribute in re.findall(r"^ {8}(\w+):", listed, re.M):
        assert f"`{attribute}`" in sections()[name]
