"""What the tests of sessions share: products, another client that changes them, and the three doors to a session."""

from collections.abc import Callable
from typing import Any

import attrs

from tests.models import products
from tests.tools.backends import Backend, Dump
from uowredis import (
    RedisDatabase,
    Session,
)


class Stock:
    """Products on one database: every type of field, a unique one, indexed ones."""

    def __init__(self, on: RedisDatabase) -> None:
        self.database, self.Product = on, products(on)


def stocked(server: Backend, **options: Any) -> Stock:
    """Return products on a database of *server* with bread, number 1, in it."""
    stock = Stock(server.database(**options))
    stock.Product(name="bread", kind="food", stock=5)
    return stock


def data(server: Backend) -> Dump:
    """Return what is stored, but for the counters of primary keys, which may have gaps."""
    return {key: value for key, value in server.dump().items() if not key.endswith(b":max_pk")}


class Planned(Exception):
    """An error of the caller's own."""


@attrs.frozen
class Door:
    """A way into a session: each lets a function say what it says inside."""

    name: str
    through: Callable[..., Any]

    def __str__(self) -> str:
        return self.name


def _session(database: RedisDatabase, inside: Callable[[Session], Any], **options: Any) -> Any:
    with Session(database, **options) as s:
        return inside(s)


def _begin(database: RedisDatabase, inside: Callable[[Session], Any], **options: Any) -> Any:
    with database.begin(**options) as s:
        return inside(s)


def _run(database: RedisDatabase, inside: Callable[[Session], Any], **options: Any) -> Any:
    return database.run(inside, **options)


SESSION, BEGIN, RUN = Door("Session", _session), Door("begin", _begin), Door("run", _run)
DOORS = (SESSION, BEGIN, RUN)
