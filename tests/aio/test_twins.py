"""The two shells say the same: what the asyncio face redefines is its twin, but for ``async`` and ``await``."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

import uowredis
from tests.tools.colour import Colourless

PACKAGE = pathlib.Path(uowredis.__file__).parent

#: Each module of the asyncio face, with those of its twins.
TWINS = {
    "executor/aio/drive.py": ("executor/drive.py",),
    "executor/aio/connection.py": ("executor/connection.py",),
    "executor/aio/executor.py": ("executor/executor.py",),
    "executor/aio/line.py": ("executor/line.py",),
    "executor/aio/server.py": ("executor/server.py",),
    "aio/reader.py": ("session/reader.py", "session/learning.py", "session/echo.py"),
    "aio/work.py": ("session/work.py",),
    "aio/single.py": ("session/single.py",),
    "aio/session.py": ("session/session.py", "session/use.py", "session/record.py"),
    "aio/begin.py": ("session/begin.py",),
    "aio/run.py": ("session/run.py",),
    "aio/getting.py": ("model/getting.py",),
    "aio/several.py": ("model/several.py",),
    "aio/model.py": ("model/redis_model.py", "model/any_model.py"),
    "aio/collection.py": ("collection/manager.py", "collection/refined.py"),
    "aio/database.py": ("database.py", "session/opens.py"),
    "aio/batches.py": ("session/batches.py",),
    "aio/many.py": ("collection/many.py",),
    "aio/pipelines.py": ("session/pipeline.py",),
}

#: What cannot be the same, and why.
DIFFER = {
    "Connection._its_socket": "a connection of redis-py's asyncio has a writer",
    "Connection.__attrs_post_init__": "replies come in by a protocol of the loop",
    "Connection._send": "redis-py's own would connect anew",
    "Connection._read": "replies come in by a protocol of the loop",
    "Executor._sent": "reads that are started together share a write",
    "Lent.__exit__": "leaving waits for nothing and is that of the blocking one",
    "Lent._disconnect": "it waits for nothing",
    "asked_beside": "redis-py's own connecting has one bound here, by asyncio",
    "Server.connect": "other settings are for every loop",
    "Server.close": "connections are kept by loop, and closed by loop",
    "Server._make_executor": "connections are kept by loop",
    "Server._client": "of redis-py's asyncio",
    "Server._embedded_client": "of fakeredis' asyncio",
    "Work._delete": "it waits for nothing",
    "call_all": "what a callback returns is awaited",
    "SingleCall._committed": "some of what is said is awaited",
    "Savepoint.__enter__": "its block is entered by async with; so are those of the others",
    "Savepoint.__exit__": "it waits for nothing",
    "Use.__enter__": "the same",
    "Session.__enter__": "the same",
    "Session._check_nothing_pending": "nothing that was called is left unawaited",
    "Session._check_can_commit": "the same",
    "Session.on_commit": "it takes coroutine functions, too",
    "Joined.__enter__": "the first of two refuses with",
    "RunSession._commit_all": "super() is the refusing one there",
    "_each_call_in": "what it returns is async",
    "get_or_connect": "a constructor cannot wait",
    "RedisModel.__init__": "a constructor cannot wait",
    "RedisModel._begin": "it waits for nothing where a session is open",
    "RedisModel._say": "a write is said in a session, and awaited outside of one",
    "Batches._tell": "it awaits what can be awaited",
    "ChangesMany.update": "what it says is awaited there, though it waits for nothing",
    "ChangesMany._of_all": "there is no list()",
    "CollectionManager._elsewhere": "another database is not asked",
    "CollectionManager._intersected": "nothing is asked while a collection is refined",
    "CollectionManager.iter": "an asynchronous generator",
    "CollectionManager.exists": "there is no len()",
    "CollectionManager.count": "there is no len()",
    "CollectionManager.__repr__": "it cannot wait",
    "RedisDatabase.__enter__": "the same",
    "RedisDatabase.session": "typed",
    "RedisDatabase.pipeline": "no threads share it",
    "Pipeline._known": "what needs no asking waits for nothing",
    "TransactionPipeline._commit_all": "super() is the refusing one there",
}

_NAMES = {"__aenter__": "__enter__", "__aexit__": "__exit__", "asyncio": "time", "aclose": "close"}


class Strip(Colourless):
    """Takes away what notes that something is to be awaited, annotations and docstrings, too."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        """Leave what it does."""
        node.name = _NAMES.get(node.name, node.name)
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        node.returns = None
        node.decorator_list = [each for each in node.decorator_list if "noted" not in ast.unparse(each)]
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:  # noqa: N802
        """Leave the assignment, where there is one."""
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=0))

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        """Leave the name that the twin has."""
        return ast.Name(_NAMES.get(node.id, node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        """Leave the name that the twin has."""
        node.attr = _NAMES.get(node.attr, node.attr)
        return self.generic_visit(node)


def functions(path: str) -> Iterator[tuple[str, str]]:
    """Yield the functions and methods of a file that do something, each as it is without colour."""
    for node in ast.parse((PACKAGE / path).read_text("utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in inside:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                if any(isinstance(each, ast.Name) and each.id == "overload" for each in function.decorator_list):
                    continue
                stripped = Strip().visit(function)
                name = f"{node.name}.{stripped.name}" if isinstance(node, ast.ClassDef) else stripped.name
                yield name, ast.unparse(stripped)


def pairs() -> Iterator[tuple[str, str, str]]:
    """Yield the name of each function that has a twin, what it is, and what the twin is."""
    for path, twins in TWINS.items():
        blocking = dict(pair for twin in twins for pair in functions(twin))
        # A model's parts stand in two classes there.
        blocking |= {name.replace("AnyModel.", "RedisModel."): text for name, text in blocking.items()}
        blocking |= {name.replace("Refined.", "CollectionManager."): text for name, text in blocking.items()}
        blocking |= {name.replace("OpensSessions.", "RedisDatabase."): text for name, text in blocking.items()}
        for name, text in functions(path):
            if name in blocking:
                yield name, text, blocking[name]


@pytest.mark.parametrize(("name", "awaited", "blocking"), [each for each in pairs() if each[0] not in DIFFER])
def test_twins_say_the_same(name: str, awaited: str, blocking: str) -> None:
    """What waits in both faces is the same text, but for its colour."""
    assert blocking == awaited, name


def test_what_differs_is_there_and_differs() -> None:
    """The list of what differs says what is."""
    assert set(DIFFER) == {name for name, awaited, blocking in pairs() if awaited != blocking and name in DIFFER}


def test_every_module_has_its_twins() -> None:
    """No module of the asyncio face is left out, but those that have no twin."""
    alone = {"aio/__init__.py", "aio/later.py", "aio/related.py", "aio/unawaited.py"}
    alone |= {f"executor/aio/{name}.py" for name in ("__init__", "turns", "connections", "wire", "together")}
    found = {
        path.relative_to(PACKAGE).as_posix()
        for room in ("aio", "executor/aio")
        for path in (PACKAGE / room).glob("*.py")
    }
    assert set(TWINS) | alone == found
