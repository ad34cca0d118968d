"""``python -m uowredis demo``: the documentation's first page, run and shown (do)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from uowredis import model
from uowredis.database import RedisDatabase
from uowredis.exceptions import UowError
from uowredis.session.session import Session

#: Headings, and the statements under them; what is shown is what is run.
_PAGE = (
    (
        "The models:",
        """\
class Bike(model.RedisModel):
    database = main_database
    namespace = "uowredis-demo"
    name = model.InstanceHashField(indexable=True, unique=True)
    color = model.InstanceHashField()
    wheels = model.StringField(default=2)
""",
    ),
    (
        "Outside a session every command is sent at once:",
        'mountainbike = Bike(name="mountainbike")',
        "mountainbike.wheels.get()",
        "mountainbike.wheels.incr()",
        "mountainbike.wheels.get()",
    ),
    (
        "In a session writes wait, reads see them, and the plan shows every Redis command before it is sent:",
        """\
with Session(main_database) as s:
    mountainbike.name.set("tricycle")
    unicycle = Bike(name="unicycle", color="red", wheels=1)
    mountainbike.name.get()
    print(s.plan())
    s.commit()
""",
    ),
    (
        "What is then read back:",
        'tricycle = Bike.get(name="tricycle")',
        "tricycle.wheels.get()",
        'tricycle.hmset(color="blue")',
        'tricycle.hmget("color", "name")',
        'Bike.exists(name="mountainbike")',
        'Bike.get(name="unicycle").hgetall()',
    ),
    (
        "And tidied up, as a plan that was shown and is sent exactly so:",
        """\
with Session(main_database) as s:
    tricycle.delete()
    unicycle.delete()
    plan = s.plan()
    print(plan)
    s.commit(plan)
""",
    ),
)


def demo(database: RedisDatabase) -> None:
    """Run the documentation's first page on *database*; what it stores is deleted at the end.

    Args:
        database: where to run it; the keys begin with ``uowredis-demo:bike``.
    """
    names: dict[str, Any] = {"model": model, "Session": Session, "main_database": database, "__name__": __name__}
    print(f"On {database.executor.address}.")
    for heading, *statements in _PAGE:
        print(f"\n{heading}\n")
        for statement in statements:
            first, *others = statement.splitlines()
            print("\n".join([f">>> {first}", *(f"... {line}" for line in others)]))
            exec(compile(statement, "<demo>", "single"), names)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Args:
        arguments: those of the command line by default.
    """
    parser = argparse.ArgumentParser(prog="uowredis", description="An object mapper for Redis: a unit of work.")
    commands = parser.add_subparsers(dest="command", required=True)
    shows = commands.add_parser("demo", help="run the documentation's first page")
    shows.add_argument("--url", help="a server, e.g. redis://localhost:6379/0; an embedded one by default")
    given = parser.parse_args(arguments)
    try:
        with RedisDatabase.embedded() if given.url is None else RedisDatabase.from_url(given.url) as database:
            demo(database)
    except (UowError, ValueError) as error:
        print(f"uowredis: {error}", file=sys.stderr)
        return 1
    return 0
