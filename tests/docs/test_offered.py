"""What ``dir()`` and the completion of a console offer are the names that the pages describe, and no others."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jedi
import pytest

from tests.fields.conversations import ADDITIONS, DOCUMENTED
from tests.models import every_kind, groups
from uowredis import Pending, RedisDatabase, RedisModel, Session

PAGE = (Path(__file__).parents[2] / "docs/typing.md").read_text("utf-8")
ROWS = re.findall(r"^\| (an? [a-z ]+) \| (.*`) \|$", PAGE, re.M)


def described(of: str) -> set[str]:
    """Return the names that the page lists, "those" being of the row above."""
    found: set[str] = set()
    for name, names in ROWS:
        found = set(re.findall(r"`(\w+)`", names)) | (found if names.startswith("those") else set())
        if name == of:
            return found
    raise LookupError(of)


def by_dir(thing: object) -> set[str]:
    return set(dir(thing))


def by_completion(thing: object) -> set[str]:
    """Return what a console offers that completes by jedi, as IPython and notebooks do."""
    return {each.name for each in jedi.Interpreter("thing.", [{"thing": thing}]).complete()}


def by_static_completion(source: str) -> Callable[[object], set[str]]:
    """Return what an editor offers that completes by jedi, behind *source*."""
    return lambda _: {each.name for each in jedi.Script(f"from uowredis import *\n{source}.").complete()}


@pytest.fixture(scope="module")
def database() -> Iterator[RedisDatabase]:
    with RedisDatabase.embedded() as made:
        yield made


def public(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


MODEL = "class Bike(RedisModel):\n    database = RedisDatabase()\n"
OFFERED: dict[str, tuple[Callable[[RedisDatabase], object], str]] = {
    "a session": (lambda on: Session(on), "Session(RedisDatabase())"),
    "a pipeline": (lambda on: on.pipeline(), "RedisDatabase().pipeline()"),
    "a reply that waits": (lambda on: Pending("said"), "Pending('said')"),
    "a database": (lambda on: RedisDatabase.embedded(), "RedisDatabase()"),
    "a collection": (lambda on: every_kind(on).Thing.collection(), f"{MODEL}Bike.collection()"),
}


@pytest.mark.parametrize("of", OFFERED)
@pytest.mark.filterwarnings("ignore:.*was never entered")
def test_the_page_lists_what_is_offered(database: RedisDatabase, of: str) -> None:
    """In a console, and in an editor; each name is there."""
    make, source = OFFERED[of]
    thing = make(database)
    if isinstance(thing, Session):
        thing._is_not_needed()
    for offered in (by_dir, by_completion, by_static_completion(source)):
        assert described(of) == public(offered(thing))


FIELDS = ["title", "name", "headers", "tags", "rows", "ranks", "pk"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("offered", [by_dir, by_completion])
def test_a_bound_field_offers_its_commands(
    database: RedisDatabase, field: str, offered: Callable[[object], set[str]]
) -> None:
    """And its key; nothing of the declared field for which it passes."""
    thing: RedisModel = every_kind(database).Thing(title="t", name="n")
    bound: Any = getattr(thing, field)
    documented = {"get", "set", "delete"} if field == "pk" else commands(type(thing)._fields[field])
    assert documented | {"key"} == public(offered(bound))


def commands(field: Any) -> set[str]:
    kind = next(kind for kind in type(field).__mro__ if kind in DOCUMENTED)
    return {name for table in (DOCUMENTED, ADDITIONS) for names in table.get(kind, ()) for name in names.split()}


def test_relations_offer_their_objects_too(database: RedisDatabase) -> None:
    """``instance()`` of a foreign key, ``collection()`` of many."""
    models = groups(database)
    group = models.group(name="g")
    for name, more in (("entry", "instance"), ("members", "collection")):
        bound = getattr(group, name)
        assert (
            commands(type(group)._fields[name]) | {"key", more} == public(by_dir(bound)) == public(by_completion(bound))
        )
