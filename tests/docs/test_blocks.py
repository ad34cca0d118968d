"""Every Python block that the documents show runs, and prints what it shows."""

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

from tests.tools.backends import Real
from uowredis import RedisDatabase

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README.md"), *ROOT.glob("docs/*.md")])

#: A fenced block of Python, with the comment that leaves it out, if there is one.
BLOCK = re.compile(r"(?P<left_out><!-- not run: [^>]+-->\s*\n)?^```python\n(?P<source>.*?)^```$", re.M | re.S)


def run(page: Path) -> int:
    """Run the blocks of *page* in order, in one namespace, under the page's line numbers; return how many."""
    text = page.read_text("utf-8")
    namespace: dict[str, Any] = {"__name__": page.stem.replace("-", "_")}
    blocks = [block for block in BLOCK.finditer(text) if not block["left_out"]]
    for block in blocks:
        before, source = text[: block.start("source")].count("\n"), block["source"]
        if ">>>" not in source:
            exec(compile("\n" * before + source, page, "exec"), namespace)
            continue
        test = doctest.DocTestParser().get_doctest(source, namespace, page.name, str(page), before)
        report: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append, clear_globs=False)
        namespace.update(test.globs)
        assert "" == "".join(report)
    return len(blocks)


def test_the_plan_that_the_readme_shows_is_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """It stands in a block of its own, which nothing runs."""
    page = ROOT / "README.md"
    run(page)
    (shown,) = re.findall(r"^```\n(plan: .*?)^```$", page.read_text("utf-8"), re.M | re.S)
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page: Path) -> None:
    """Blocks run in order as a reader would type them; those with ``>>>`` print what the page shows."""
    opened = page.read_text("utf-8").count("```python\n")
    assert opened == run(page) + page.read_text("utf-8").count("<!-- not run: ")


def test_the_recipes_run_on_a_real_server(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied from the cookbook is copied for one."""
    monkeypatch.setattr(RedisDatabase, "embedded", lambda: real.database())
    assert run(ROOT / "docs/cookbook.md")
    assert 30 == real.client().scard(":bike:collection")


def test_a_page_is_run_with_its_own_line_numbers(tmp_path: Path) -> None:
    """What fails names the line of the page; a block left out does not run."""
    page = tmp_path / "page.md"
    blocks = ["```python\nx = 1\n```", "<!-- not run: no -->\n```python\n1 / 0\n```", "```python\n>>> x\n2\n```"]
    page.write_text("\n\n".join(["# Title", *blocks, ""]))
    with pytest.raises(AssertionError, match=r'page\.md", line 13'):
        run(page)
    page.write_text("One\n\n```python\nx = 1\n\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as error:
        run(page)
    assert 6 == error.traceback[-1].lineno + 1
