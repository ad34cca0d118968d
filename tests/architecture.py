"""What the house is like, from its source and from counting at run time: ``python -m tests.architecture``.

Prints the packages in the order of their imports, arrows upward and circles (none), lines of code, which functions were
on the stack while the server was waited for, and, for five operations, how many of our functions were called, in how
many modules, how often a call went from one module to another, how deep, and in how many round trips.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import pathlib
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import attrs

import uowredis

PACKAGE = pathlib.Path(uowredis.__file__).parent

#: What each package may import, from the ground up; its own modules always.
MAY_IMPORT: dict[str, str] = {
    "exceptions": "",
    "values": "",
    "schema": "values",
    "indexes": "schema",
    "commands": "exceptions values schema",
    "plan": "schema commands",
    "embedded": "",
    "planner": "exceptions schema commands plan embedded",
    "executor": "exceptions schema commands plan embedded",
    "overlay": "exceptions schema commands plan planner",
    "session": "exceptions schema commands plan planner executor overlay",
    "database": "exceptions schema commands plan executor session",
    "fields": "exceptions values schema commands",
    "collection": "exceptions values schema commands plan planner overlay session database fields",
    "model": "exceptions schema commands plan overlay session database fields collection",
    "contrib": "exceptions values schema commands plan overlay session database fields collection model",
    "aio": "exceptions schema commands plan planner executor overlay session database fields collection model contrib",
    "maintenance": "exceptions values schema commands plan planner executor session database model",
    "cli": "exceptions schema database session model maintenance",
    "__main__": "cli",
}

#: The libraries that know servers, and who may import them.
SERVER_LIBRARIES = {"redis", "fakeredis", "hiredis"}
KNOW_SERVERS = {"executor", "embedded", "planner/rehearsal.py"}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def package_of(path: pathlib.Path) -> str:
    """Return the package or module at the top level that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: pathlib.Path, *, at_run_time: bool = False) -> set[str]:
    """Return every module that a file imports; *at_run_time*: not those for type checkers alone."""
    found: set[str] = set()
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[ast.AST] = set()
    if at_run_time:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                skipped |= {inner for part in node.body for inner in ast.walk(part)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if _is_module(full) else node.module)
    return found


def _is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def packages_of(path: pathlib.Path) -> set[str]:
    """Return the other packages of ours that a file imports."""
    names = {name.split(".")[1] for name in imports_of(path) if name.startswith("uowredis.")}
    return (names & MAY_IMPORT.keys()) - {package_of(path)}


def arrows_upward() -> list[str]:
    """Return the imports that the list does not allow, as ``planner/index.py -> executor``."""
    return [
        f"{path.relative_to(PACKAGE)} -> {other}"
        for path in FILES
        for other in sorted(packages_of(path))
        if other not in MAY_IMPORT[package_of(path)].split()
    ]


def circles() -> list[list[str]]:
    """Return the circles of imports among modules, each once."""
    modules = {_module(path): imports_of(path, at_run_time=True) for path in FILES}
    graph = {name: {other for other in found if other in modules and other != name} for name, found in modules.items()}
    done: set[str] = set()
    found_circles: list[list[str]] = []

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found_circles.append([*path[path.index(name) :], name])
        elif name not in done:
            for other in sorted(graph[name]):
                visit(other, [*path, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found_circles


def _module(path: pathlib.Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def lines_of_code(path: pathlib.Path) -> int:
    """Return the lines of a file that hold code: no blank lines, comments or docstrings."""
    source = path.read_text("utf-8")
    lines: set[int] = set()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def module_of(frame: FrameType) -> str | None:
    """Return the module of ours that *frame* runs in, as ``session/commit.py``; None where it is not ours."""
    path = pathlib.Path(frame.f_code.co_filename)
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else None


@attrs.frozen
class Walk:
    """One operation, counted.

    Attributes:
        calls: of our functions.
        modules: in how many, and how often a call went from one to another.
        rooms: the same for packages (a module at the top level is a room of its own).
        depth: the greatest number of our functions on the stack.
    """

    calls: int
    modules: tuple[int, int]
    rooms: tuple[int, int]
    depth: int


def _visits(names: list[str]) -> tuple[int, int]:
    return len(set(names)), sum(one != other for one, other in itertools.pairwise(names))


def walk(operation: Callable[[], Any]) -> Walk:
    """Run *operation* and count; a generator that goes on is no call."""
    modules: list[str] = []
    deepest = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal deepest
        module = module_of(frame) if event == "call" else None
        # The argument of RESUME is 0 where a function begins.
        if module is None or frame.f_code.co_code[max(frame.f_lasti, 0) + 1] != 0:
            return
        modules.append(module)
        depth, outer = 0, frame
        while outer is not None:
            depth += module_of(outer) is not None
            outer = outer.f_back
        deepest = max(deepest, depth)

    sys.setprofile(note)
    try:
        operation()
    finally:
        sys.setprofile(None)
    rooms = [module.partition("/")[0] for module in modules]
    return Walk(len(modules), _visits(modules), _visits(rooms), deepest)


def lines(operation: Callable[[], Any]) -> int:
    """Run *operation*; return how many lines of ours it ran, each turn of a loop anew: a measure that no load moves."""
    ran = 0

    def note(frame: FrameType, event: str, _: object) -> Any:
        nonlocal ran
        if module_of(frame) is None:
            return None
        ran += event == "line"
        return note

    former = sys.gettrace()
    sys.settrace(note)
    try:
        operation()
    finally:
        sys.settrace(former)
    return ran


@contextlib.contextmanager
def waiting() -> Iterator[Counter[tuple[str, str]]]:
    """Record which of our functions are on the stack while a reply is waited for, inside the block."""
    from uowredis.executor.connection import Connection

    found: Counter[tuple[str, str]] = Counter()
    replies = Connection.replies

    def recorded(self: Connection, count: int) -> list[Any]:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            module = module_of(frame)
            if module is not None:
                found[module, frame.f_code.co_qualname] += 1
            frame = frame.f_back
        return replies(self, count)

    Connection.replies = recorded  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Connection.replies = replies  # type: ignore[method-assign]


def operations() -> Iterator[tuple[str, Walk]]:
    """Yield five operations with their walks: the second time each, when all is imported and connected."""
    from uowredis import InstanceHashField, RedisDatabase, Session, SetField, StringField
    from uowredis.contrib.related import CASCADE, FKStringField, RelatedModel

    db = RedisDatabase.embedded()

    class Person(RelatedModel):
        database = db
        name = InstanceHashField(indexable=True, unique=True)
        age = InstanceHashField(indexable=True)
        visits = StringField()
        tags = SetField(indexable=True)

    class Group(RelatedModel):
        database = db
        owner = FKStringField(Person, on_delete=CASCADE)
        title = InstanceHashField(indexable=True)

    for turn in range(2):
        person = Person(name=f"name {turn}", age=1, tags=["a"])
        Group(owner=person, title="x")
        counted: list[tuple[str, Walk]] = []
        with Session(db) as s:
            counted.append(("a write said", walk(lambda: person.name.set(f"other {turn}"))))  # noqa: B023
            counted.append(("a commit", walk(s.commit)))
            person.age.set(1)
            counted.append(("a read over pending writes", walk(person.age.get)))
            page = Person.collection(age=1).sort("visits")
            counted.append(("a query over pending writes", walk(lambda: page[0:10])))  # noqa: B023
            s.rollback()
            person.delete()
            plan = s.plan()
            counted.append(("a cascade, shown and committed", walk(lambda: s.commit(plan))))  # noqa: B023
    yield from counted


def main() -> None:
    """Print all of it."""
    print("package      imports from                                                             code lines")
    for package, others in MAY_IMPORT.items():
        lines = sum(lines_of_code(path) for path in FILES if package_of(path) == package)
        print(f"{package:12} {others or '-':88.88} {lines:5}")
    print(f"in all: {sum(lines_of_code(path) for path in [*FILES, PACKAGE / '__init__.py'])}")
    print(f"arrows upward: {arrows_upward() or 'none'}; circles among modules: {circles() or 'none'}")
    with waiting() as found:
        walks = list(operations())
    waits: dict[str, set[str]] = {}
    for module, function in found:
        waits.setdefault(module.partition("/")[0].removesuffix(".py"), set()).add(function)
    print("functions on the stack while the server is waited for:")
    for package in MAY_IMPORT:
        if package in waits:
            print(f"  {package:12} {len(waits[package]):3}  {', '.join(sorted(waits[package]))}")
    print("operation                        calls  modules  moves  rooms  moves  depth")
    for name, counted in walks:
        modules, rooms = counted.modules, counted.rooms
        print(f"{name:32} {counted.calls:5} {modules[0]:8} {modules[1]:6} {rooms[0]:6} {rooms[1]:6} {counted.depth:6}")


if __name__ == "__main__":
    main()
