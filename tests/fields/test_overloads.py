"""What type checkers see of a command whose reply depends on an argument is what the command takes."""

import ast
from pathlib import Path

import pytest

from uowredis import fields

HERE = Path(fields.__file__).parent


def taken(function: ast.FunctionDef) -> list[tuple[str, str | None]]:
    """Return the arguments of *function* with their defaults, but for the first."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(named) - len(arguments.defaults)) + [ast.unparse(each) for each in arguments.defaults]
    by_name = [ast.unparse(each) if each else None for each in arguments.kw_defaults]
    found = [*zip(named, defaults, strict=True), *zip(arguments.kwonlyargs, by_name, strict=True)]
    return [(each.arg, default) for each, default in found][1:]


#: The overloads of each decorator in ``overloads.pyi``.
OVERLOADS = {
    each.name: [
        function for function in each.body if isinstance(function, ast.FunctionDef) and function.name == "__call__"
    ]
    for each in ast.parse((HERE / "overloads.pyi").read_text("utf-8")).body
    if isinstance(each, ast.ClassDef)
}
#: Each command that has one, with its name.
COMMANDS = [
    (function, decorator.id)
    for path in sorted(HERE.glob("*.py"))
    for function in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(function, ast.FunctionDef)
    for decorator in function.decorator_list
    if isinstance(decorator, ast.Name) and decorator.id in OVERLOADS
]


def test_every_overload_is_of_a_command() -> None:
    """There are no others."""
    assert set(OVERLOADS) == {decorator for _, decorator in COMMANDS}


@pytest.mark.parametrize(("command", "decorator"), COMMANDS, ids=lambda each: getattr(each, "name", each))
def test_an_overload_takes_what_its_command_takes(command: ast.FunctionDef, decorator: str) -> None:
    """The same names in the same order; a default is missing only where another value of it gives another reply."""
    wanted = taken(command)
    for overload in OVERLOADS[decorator]:
        assert sorted(name for name, _ in wanted) == sorted(name for name, _ in taken(overload))
        given = dict(taken(overload))
        changed = [name for name, default in wanted if given[name] != default]
        assert changed in (
            [],
            ["withscores"],
            ["get"],
            ["incr"],
            ["count"],
            ["number"],
            ["count", "withscores"],
            ["count", "withvalues"],
        )
        by_position = [each.arg for each in (*overload.args.posonlyargs, *overload.args.args)][1:]
        assert [name for name, _ in wanted][: len(by_position)] == by_position
