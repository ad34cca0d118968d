"""Takes ``async`` and ``await`` from code: what is left is what the other face would be told."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import uowredis
from uowredis.contrib.related import RelatedModel

#: What stands in the place of ``aio`` in a body that is run on the blocking face.
BLOCKING = SimpleNamespace(Session=uowredis.Session, RedisModel=uowredis.RedisModel, RelatedModel=RelatedModel)


class Colourless(ast.NodeTransformer):
    """Makes plain functions, blocks, loops and values of those that wait."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """Leave what is awaited."""
        return self.visit(node.value)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Make a plain function of it."""
        return self.visit_FunctionDef(ast.copy_location(ast.FunctionDef(**dict(ast.iter_fields(node))), node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Leave it, but for what stands in it."""
        return self.generic_visit(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """Make a plain block of it."""
        return self.generic_visit(ast.copy_location(ast.With(**dict(ast.iter_fields(node))), node))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Make a plain loop of it."""
        return self.generic_visit(ast.copy_location(ast.For(**dict(ast.iter_fields(node))), node))

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """The same inside brackets."""
        node.is_async = 0
        return self.generic_visit(node)


class Blocking(Colourless):
    """Says by Python's own means what cannot be awaited otherwise: a constructor, ``list(c)``, ``item in c``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Translate the names that only the asyncio face has."""
        self.generic_visit(node)
        called = node.func
        if not isinstance(called, ast.Attribute):
            return node
        said: ast.expr = node
        if called.attr == "create":
            said = ast.Call(called.value, node.args, node.keywords)
        elif called.attr == "list" and not node.args:
            said = ast.Call(ast.Name("list", ast.Load()), [called.value], [])
        elif called.attr == "contains":
            said = ast.Compare(node.args[0], [ast.In()], [called.value])
        return ast.fix_missing_locations(ast.copy_location(said, node))


@functools.cache
def blocking(body: Callable[..., Any]) -> Callable[..., Any]:
    """Return the coroutine function *body* as a plain one on the blocking face; so are those of ours that it calls."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(body)))
    (function,) = tree.body
    assert isinstance(function, ast.AsyncFunctionDef)
    function.decorator_list = []
    ast.increment_lineno(tree, body.__code__.co_firstlineno - 1)
    code = compile(ast.fix_missing_locations(Blocking().visit(tree)), body.__code__.co_filename, "exec")
    within = dict(body.__globals__)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {body.__name__}
    within |= {name: blocking(within[name]) for name in used if inspect.iscoroutinefunction(within.get(name))}
    within["aio"] = BLOCKING
    exec(code, within)
    made: Callable[..., Any] = within[body.__name__]
    return made
