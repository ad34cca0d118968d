"""A key is put together and taken apart in schema/keys.py alone: another layout is another class there, and no more."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

import uowredis
from tests.tools.backends import Embedded
from uowredis.schema.keys import Keys

PACKAGE = pathlib.Path(uowredis.__file__).parent
HOME = PACKAGE / "schema" / "keys.py"

#: Names that hold keys, or parts of them, wherever they stand.
_KEYS = {"key", "keys", "prefix", "temporary"}
#: What takes text apart, or asks how it begins.
_APART = {"startswith", "removeprefix", "removesuffix", "endswith", "split", "rsplit", "partition", "rpartition"}
#: Methods of ``Keys`` and its like whose result is a key, or what one begins with.
_MADE = {"storage", "index", "entry_index", "index_key", "index_opening", "index_public", "guard", "stored", "pattern"}


def _is_key(node: ast.expr, known: set[str]) -> bool:
    """Return whether an expression is a key or a part of one, by its name or by what made it."""
    if isinstance(node, ast.Name):
        return node.id in known
    if isinstance(node, ast.Attribute):
        return node.attr in _KEYS
    if isinstance(node, ast.Subscript):
        return _is_key(node.value, known)
    if isinstance(node, ast.Call):
        made = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        apart = made in _APART and isinstance(node.func, ast.Attribute) and _is_key(node.func.value, known)
        return made in _MADE or apart
    return False


def _glued(node: ast.JoinedStr, known: set[str]) -> bool:
    """Return whether an f-string puts a key beside text without a space, as no sentence does."""
    parts = node.values
    for place, part in enumerate(parts):
        if not (isinstance(part, ast.FormattedValue) and part.conversion == -1 and _is_key(part.value, known)):
            continue
        around = [str(each.value) if isinstance(each, ast.Constant) else "{}" for each in parts]
        before, after = "".join(around[:place])[-1:], "".join(around[place + 1 :])[:2]
        if before in (":", "}") or (after != ": " and after[:1] in (":", "-", "{")):
            return True
    return False


def found_in(source: str) -> Iterator[int]:
    """Yield the lines on which a key is put together, taken apart, or asked how it begins."""
    tree = ast.parse(source)
    known = set(_KEYS)
    growing = True
    while growing:
        growing = False
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and _is_key(node.value, known):
                for target in node.targets:
                    names = {each.id for each in ast.walk(target) if isinstance(each, ast.Name)} - known
                    known |= names
                    growing = growing or bool(names)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and _glued(node, known):
            yield node.lineno
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from [node.lineno] if _is_key(node.left, known) or _is_key(node.right, known) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _APART:
            yield from [node.lineno] if any(_is_key(each, known) for each in (node.func.value, *node.args)) else []


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != HOME)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_file_makes_keys(path: pathlib.Path) -> None:
    """No f-string, no sum, no prefix cut off: ``Keys`` has a method for each."""
    assert [] == list(found_in(path.read_text()))


def test_the_home_of_keys_is_found() -> None:
    """Where it is done, the test above would see it."""
    assert 8 <= len(list(found_in(HOME.read_text())))


@pytest.mark.parametrize(
    "source",
    [
        'opening = self.keys.index(field.name, "")\nreturned = {opening + value for _, value in values}',
        'opening = life.model.keys.index(field.name, "")\nfor value in values:\n    move(opening + value)',
        'rest = key.removeprefix(f"{self.keys.prefix}:")\nfirst, _, others = rest.partition(":")',
        'pk, _, storage = key.rpartition(":")',
        'rest = key.removeprefix(start)\npk, _, storage = rest.rpartition(":")',
        'first = key.removeprefix(f"{self.keys.prefix}:").partition(":")[0]',
        "value = key.removeprefix(index_public(life.model, field))",
        "cleared = condition.key.removeprefix(index_public(model, field))",
        "prefix = index_public(delta.life.model, delta.field)\npks = [each.removeprefix(prefix) for each in keys]",
        'any(key.startswith(f"{model.keys.prefix}:") for model in models)',
        'spelled.startswith(f"{self._schema.keys.prefix}:")',
        'not spelled.startswith(self._schema.keys.stored(""))',
        'any(key.startswith(keys.index(field.name, "")) for field in named)',
        'key = model.keys.storage("*", field.storage)\npattern = f"{key}->{field.name}"',
        'temporaries.append(f"{temporary}:within")',
        'text = f"{model.keys.prefix}:collection"',
    ],
)
def test_every_way_to_make_a_key_is_seen(source: str) -> None:
    """Each of these stood somewhere in the package once."""
    assert [] != list(found_in(source))


@pytest.mark.parametrize(
    "source",
    [
        'raise ArgumentError(f"store() cannot write {key!r}: keys of {self.name} begin so")',
        'text = f"Key {key} already exists (for {holder})"',
        'name, _, entry = name.partition("__")',
        "keys = tuple(condition.key for condition in self.filters)",
    ],
)
def test_what_makes_no_key_is_let_be(source: str) -> None:
    """Messages may name keys, other text may be cut."""
    assert [] == list(found_in(source))


def test_the_pattern_of_a_model_is_literal(embedded: Embedded) -> None:
    """Characters that SCAN reads as a pattern stand for themselves."""
    with embedded.client() as client:
        for prefix in ("a?[b]^\\*", "axb", "a?b^\\x"):
            client.set(f"{prefix}:1:x", "")
        assert [rb"a?[b]^\*:1:x"] == list(client.scan_iter(Keys("a?[b]^\\*").owned))
