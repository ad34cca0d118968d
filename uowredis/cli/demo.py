"""``python -m uowredis demo``: the documentation's first page, run and shown (do)."""

from __future__ import annotations

import argparse
import contextlib
import secrets
from typing import Any

from uowredis import model
from uowredis.cli.demo_cluster import demo_cluster
from uowredis.database import RedisDatabase
from uowredis.exceptions import UowError
from uowredis.session.session import Session

#: Stands for a namespace that each run has for itself, so that it meets nobody's keys and can leave none.
_NAMESPACE = "uowredis-demo"

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
    (
        "A model keeps its counter, so that no primary key is given twice, and how it was declared; here they go, too:",
        f'main_database.connection.delete("{_NAMESPACE}:bike:max_pk", "{_NAMESPACE}:bike:__fingerprint__")',
    ),
)


def demo(database: RedisDatabase) -> None:
    """Run the documentation's first page on *database*; whatever becomes of it, it leaves nothing there.

    Args:
        database: where to run it; the keys begin with ``uowredis-demo-``.
    """
    names: dict[str, Any] = {"model": model, "Session": Session, "main_database": database, "__name__": __name__}
    namespace = f"{_NAMESPACE}-{secrets.token_hex(4)}"
    print(f"On {database._executor.address}.")
    try:
        for heading, *statements in _PAGE:
            print(f"\n{heading}\n")
            for statement in statements:
                said = statement.replace(_NAMESPACE, namespace)
                first, *others = said.splitlines()
                print("\n".join([f">>> {first}", *(f"... {line}" for line in others)]))
                exec(compile(said, "<demo>", "single"), names)
    except BaseException:
        if "Bike" in names:
            _tidy(names["Bike"], f"{namespace}:bike:max_pk", f"{namespace}:bike:__fingerprint__")
        raise


def _tidy(bike: Any, *kept: str) -> None:
    """Delete what a page that was left half-way has stored; where the server is gone that is for nobody to do."""
    with contextlib.suppress(UowError), Session(bike.database) as session:
        for pk in bike.collection():
            bike(pk).delete()
        session.commit()
        bike.database.connection.delete(*kept)


def add(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser("demo", help="run the documentation's first page")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a server, e.g. redis://localhost:6379/0; an embedded one by default")
    where.add_argument("--cluster", action="store_true", help="start three servers, and move a place between them")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    if given.cluster:
        demo_cluster()
        return 0
    with RedisDatabase.embedded() if given.url is None else RedisDatabase.from_url(given.url) as database:
        demo(database)
    return 0
