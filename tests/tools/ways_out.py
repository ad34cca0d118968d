"""Which messages of the library name a way out, read from its code, and which test takes it.

A message is known by its text with ``{}`` in the place of values, and a test that takes its way out by how that begins.
"""

import ast
import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest

import uowredis

PACKAGE = Path(uowredis.__file__).parent

F = TypeVar("F", bound=Callable[..., Any])

#: The tests that take the way out of a message, by where it stands and how its text begins.
TRIED: dict[tuple[str, str], list[str]] = {}


@attrs.frozen
class Message:
    """A text that names a way out.

    Attributes:
        place: the file, from the package on.
        text: with ``{}`` in the place of values.
    """

    place: str
    text: str

    def is_meant(self, place: str, beginning: str) -> bool:
        """Return whether a test that says this is of the message."""
        return self.place.startswith(place) and self.text.startswith(beginning)

    @property
    def pattern(self) -> str:
        """What it looks like with values in it."""
        return ".*".join(map(re.escape, self.text.split("{}")))


def _text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def messages(code: str, place: str = "") -> Iterator[Message]:
    """Yield the messages in some *code* that name a way out; docstrings are none."""
    tree = ast.parse(code)
    nodes = list(ast.walk(tree))
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part != node}
    documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        text = None if id(node) in parts | documents else _text_of(node)
        if text is not None and "way out" in text.lower():
            yield Message(place, text)


@functools.cache
def all_messages() -> tuple[Message, ...]:
    """Return the messages of the package that name a way out, each text once in a file."""
    found = ((file.read_text("utf-8"), f"{file.relative_to(PACKAGE)}") for file in sorted(PACKAGE.rglob("*.py")))
    return tuple(dict.fromkeys(each for code, place in found for each in messages(code, place)))


def tries(beginning: str, place: str = "") -> Callable[[F], F]:
    """Say that a test provokes the message that begins so, by the fixture ``told``, and takes its way out.

    Args:
        beginning: as much as tells it from others.
        place: how the names of its files begin, where others say the same.
    """

    def note(test: F) -> F:
        TRIED.setdefault((place, beginning), []).append(test.__qualname__)
        test.tries = place, beginning  # type: ignore[attr-defined]
        return test

    return note


@attrs.define
class Told:
    """Checks that the message was told.

    Attributes:
        message: the one whose way out is tried.
        times: how often it was.
    """

    message: Message
    times: int = 0

    @contextmanager
    def __call__(self, kind: type[Exception]) -> Iterator[Any]:
        """Check that the block raises the message as an error, or warns of it."""
        expected = pytest.warns if issubclass(kind, Warning) else pytest.raises
        with expected(kind, match=f"(?s){self.message.pattern}") as caught:
            yield caught
        self.times += 1

    def sees(self, *shown: object) -> None:
        """Check that the message is all of one of what was *shown* somewhere, or a part of it."""
        assert any(re.search(f"(?s){self.message.pattern}", f"{each}") for each in shown), shown
        self.times += 1
