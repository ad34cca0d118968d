"""The house keeps its plan: which package imports which, who waits, and that each noun stands in the glossary."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

import uowredis
import uowredis.collection
import uowredis.contrib.collection
import uowredis.contrib.database
import uowredis.contrib.related
from tests.architecture import (
    FILES,
    KNOW_SERVERS,
    MAY_IMPORT,
    PACKAGE,
    SERVER_LIBRARIES,
    arrows_upward,
    circles,
    imports_of,
    operations,
    package_of,
    packages_of,
    waiting,
)
from uowredis import contrib

#: What users import from; their pages explain it.
PUBLIC = (uowredis, uowredis.collection, contrib.collection, contrib.database, contrib.related)

GLOSSARY = (PACKAGE.parent / "docs" / "glossary.md").read_text("utf-8")
HOW_IT_WORKS = (PACKAGE.parent / "docs" / "how-it-works.md").read_text("utf-8")

#: Which of our code may be on the stack while the server is waited for: the executor, what drives generators, and the
#: shells through which users come in.
MAY_WAIT = {
    "executor": None,
    "session": {
        "session.py",
        "work.py",
        "begin.py",
        "run.py",
        "single.py",
        "reader.py",
        "learning.py",
        "opens.py",
        "pipeline.py",
    },
    "database": None,
    "fields": {"methods.py", "base.py", "pk.py"},
    "collection": {"manager.py"},
    "model": {"redis_model.py"},
    "contrib": None,
}


def test_a_package_imports_only_what_the_list_allows() -> None:
    """No import goes upward, and planner and overlay know nothing of the executor."""
    assert [] == arrows_upward()


def test_every_allowed_import_is_used() -> None:
    """The list of packages says what is, not what might be."""
    used: dict[str, set[str]] = {package: set() for package in MAY_IMPORT}
    for path in FILES:
        used[package_of(path)] |= packages_of(path)
    assert {package: set(others.split()) for package, others in MAY_IMPORT.items()} == used


def test_there_are_no_circles() -> None:
    """No module imports one that imports it, by whatever way round."""
    assert [] == circles()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_executor_and_the_rehearsal_know_the_server_libraries(path: pathlib.Path) -> None:
    """Only what waits, and the in-process Redis, import redis, fakeredis or hiredis at run time."""
    used = {name.split(".")[0] for name in imports_of(path, at_run_time=True)} & SERVER_LIBRARIES
    assert not used or KNOW_SERVERS & {package_of(path), path.relative_to(PACKAGE).as_posix()}


def test_every_module_has_its_place_and_says_what_it_is_for() -> None:
    """Each file belongs to a package of the list, and opens with a docstring."""
    assert set(MAY_IMPORT) == {package_of(path) for path in FILES}
    assert [] == [path.name for path in FILES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]


def test_only_the_executor_waits() -> None:
    """While a reply is waited for, what decides is not on the stack: only drivers, and the shells of the library."""
    with waiting() as found:
        list(operations())
    assert found, "something was waited for"
    places = {module for module, _ in found}
    wrong = set()
    for place in places:
        package, _, file = place.partition("/")
        allowed = MAY_WAIT.get(package.removesuffix(".py"), set())
        if allowed is not None and file.rpartition("/")[2] not in allowed:
            wrong.add(place)
    assert set() == wrong


def nouns() -> dict[str, str]:
    """Return the classes of the library that users do not import by name, each with its file."""
    found: dict[str, str] = {}
    public = {name for package in PUBLIC for name in package.__all__}
    for path in FILES:
        if package_of(path) in ("exceptions", "cli", "fields"):
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith(("_", "Bound", "Meta")):
                found[node.name] = path.relative_to(PACKAGE).as_posix()
    return {name: path for name, path in found.items() if name not in public}


@pytest.mark.parametrize(("name", "path"), nouns().items())
def test_a_noun_stands_in_the_glossary(name: str, path: str) -> None:
    """Whoever reads the middle of the house finds each of its words explained."""
    words = set(re.findall(r"\*\*(\w+)\*\*|`(\w+)`", GLOSSARY))
    assert name in {word for pair in words for word in pair}, path


def test_the_page_names_every_package() -> None:
    """docs/how-it-works.md says in a line what each package is for."""
    for package in MAY_IMPORT:
        assert package == "__main__" or f"`{package}" in HOW_IT_WORKS
