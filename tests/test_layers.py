"""The house keeps its floors: a module imports only from those above it."""

from __future__ import annotations

import ast
import pathlib

import pytest

import uowredis

PACKAGE = pathlib.Path(uowredis.__file__).parent

#: From the ground up; a package imports only from those before it, and its members may import each other.
FLOORS = [
    *("exceptions", "schema", "commands", "plan", "planner", "executor", "overlay", "session", "database", "fields"),
    *("collection", "model", "contrib", "cli", "__main__"),
]

SERVER_LIBRARIES = {"redis", "fakeredis", "hiredis"}
MAY_IMPORT_THEM = {"executor", "planner/rehearsal.py"}


def floor_of(path: pathlib.Path) -> str:
    """Return the floor a file stands on: its top-level module or package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: pathlib.Path) -> set[str]:
    """Return every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_above(path: pathlib.Path) -> None:
    """No module imports one that stands below it."""
    floor = floor_of(path)
    known = {name.split(".")[1] for name in imports_of(path) if name.startswith("uowredis.")} & set(FLOORS)
    below = {name for name in known if name != floor and FLOORS.index(name) > FLOORS.index(floor)}
    assert set() == below


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_executor_and_the_rehearsal_know_the_server_libraries(path: pathlib.Path) -> None:
    """Only what waits, and the private Redis of the planner, import redis, fakeredis or hiredis."""
    used = {name.split(".")[0] for name in imports_of(path)} & SERVER_LIBRARIES
    assert not used or MAY_IMPORT_THEM & {floor_of(path), path.relative_to(PACKAGE).as_posix()}


def test_every_module_has_its_floor() -> None:
    """A new module is put into the order above, and every name there is a module."""
    assert set(FLOORS) == {floor_of(path) for path in FILES}


def test_every_module_says_what_it_is_for() -> None:
    """A module opens with a docstring."""
    silent = [path.name for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [] == silent
