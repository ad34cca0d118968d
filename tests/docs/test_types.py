"""What the documents show is clean to mypy --strict and to pyright, and so are the programs in docs/examples.

Each page is one module: its blocks in the order and on the lines of the page, also those that are not run. Both
checkers run here, in every run of the suite: mypy and pyright are among the ``dev`` extra, pyright with a node of its
own (``pyright[nodejs]``), so that nothing else is installed for it.
"""

import doctest
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.test_blocks import BLOCK, PAGES, ROOT

EXAMPLES = sorted(ROOT.glob("docs/examples/**/*.py"))

#: Django has no types, and its stubs are a plugin for one of the two; what is untyped is not judged.
MYPY = """
[mypy]
strict = True
python_version = 3.11
[mypy-django.*]
ignore_missing_imports = True
"""
PYRIGHT = {
    "include": ["."],
    "pythonVersion": "3.11",
    "extraPaths": [str(ROOT)],
    "useLibraryCodeForTypes": False,
    # A page shows what an expression gives.
    "reportUnusedExpression": False,
    # What a file of tests/typing says to be refused must be refused by both.
    "reportUnnecessaryTypeIgnoreComment": True,
}


def module(page: str) -> str:
    """Return the blocks of a page as one module, each line where it stands on the page."""
    lines = [""] * (page.count("\n") + 1)
    for block in BLOCK.finditer(page):
        first, source = page[: block.start("source")].count("\n"), block["source"]
        examples = doctest.DocTestParser().get_examples(source) if ">>>" in source else []
        for begin, code in [(each.lineno, each.source) for each in examples] or [(0, source)]:
            for number, line in enumerate(code.splitlines(), start=first + begin):
                lines[number] = line
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all that is checked: pages, examples, and what checkers must see of the library."""
    place = tmp_path_factory.mktemp("typed")
    for page in PAGES:
        # Not by its own name: there is a module ``collections``.
        place.joinpath(f"page_{page.stem.replace('-', '_')}.py").write_text(module(page.read_text("utf-8")), "utf-8")
    for file in EXAMPLES:
        copy = place / file.relative_to(ROOT / "docs/examples")
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes())
    for file in ROOT.glob("tests/typing/*.py"):
        place.joinpath(f"typing_{file.name}").write_bytes(file.read_bytes())
    place.joinpath("mypy.ini").write_text(MYPY)
    place.joinpath("pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    return place


def mypy(place: Path) -> list[str]:
    """Return what mypy has against *place*."""
    cache = ROOT / ".mypy_cache"
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", cache, "--config-file", "mypy.ini", "."],
        cwd=place,
        env={"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "" == run.stderr
    return run.stdout.splitlines()


def pyright(place: Path) -> list[str]:
    """Return what pyright has against *place*."""
    run = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", place],
        cwd=place,
        capture_output=True,
        text=True,
    )
    found = json.loads(run.stdout)["generalDiagnostics"]
    return [f"{Path(each['file']).name}:{each['range']['start']['line'] + 1}: {each['message']}" for each in found]


def test_mypy_has_nothing_against_what_is_shown(checked: Path) -> None:
    """With --strict, and without a word that would silence it on a page."""
    assert [] == mypy(checked)


def test_pyright_has_nothing_against_what_is_shown(checked: Path) -> None:
    """Nor has pyright, which reads the same types by other rules."""
    assert [] == pyright(checked)


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES], ids=lambda page: page.name)
def test_no_page_silences_a_checker(page: Path) -> None:
    """Who copies it would copy that along."""
    text = page.read_text("utf-8")
    shown = "\n".join(block["source"] for block in BLOCK.finditer(text)) if page.suffix == ".md" else text
    for silencer in ("type: ignore", "pyright:", "cast(", "# noqa"):
        assert silencer not in shown


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_an_error_on_a_page_is_found_on_its_line(checker: Callable[[Path], list[str]], tmp_path: Path) -> None:
    """Of a block, and of an example in the console, also where the block is not run."""
    page = "Title\n\n```python\nnumber: int = 1\n```\n\n<!-- not run: no -->\n```python\n>>> number.upper()\n1\n```\n"
    tmp_path.joinpath("page.py").write_text(module(page))
    tmp_path.joinpath("mypy.ini").write_text(MYPY)
    tmp_path.joinpath("pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    (found,) = [line for line in checker(tmp_path) if "upper" in line]
    assert "page.py:9:" in found
