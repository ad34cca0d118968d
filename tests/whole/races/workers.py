"""What runs in processes of its own: each function is given the server's URL, its place among the workers, a number.

It waits until all workers are there, goes to work, and returns what became of each of its attempts.
"""

from collections.abc import Callable
from typing import Any

import redis

from tests.models import products, words
from uowredis import (
    Conflict,
    DoesNotExist,
    RedisDatabase,
    Session,
    UniquenessError,
)

WORKERS = 8
#: Few values, so that the workers meet in the index keys.
COLORS = ["red", "green", "blue"]

Outcomes = list[str]


class Models:
    def __init__(self, on: RedisDatabase) -> None:
        self.database, self.Product, self.Word = on, products(on), words(on)


def together(url: str) -> None:
    """Return when all workers have called this."""
    # redis-py gives up a blocking command after five seconds of its own.
    with redis.Redis.from_url(url, socket_timeout=None) as client:
        if client.incr("arrived") == WORKERS:
            client.rpush("go", *range(WORKERS))
        assert client.blpop(["go"], timeout=30), "the others never came"


def outcome(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except (Conflict, DoesNotExist, UniquenessError) as error:
        return type(error).__name__
    return "applied"


def begin(url: str) -> Models:
    models = Models(RedisDatabase.from_url(url))
    models.database.connection.ping()
    together(url)
    return models


def update_its_own(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    product = models.Product(str(worker + 1))

    def update(number: int) -> None:
        # One attempt: whoever met anybody else would be in conflict.
        with Session(models.database, attempts=1, on_pending="discard") as session:
            product.color.hset(COLORS[(number + worker) % len(COLORS)])
            product.hits.incr()
            product.tags.sadd(COLORS[number % len(COLORS)])
            product.tags.srem(COLORS[(number + 1) % len(COLORS)])
            session.commit()

    return [outcome(lambda number=number: update(number)) for number in range(times)]


def update_the_same(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    product = models.Product("1")

    def update(number: int) -> None:
        with Session(models.database, attempts=2, on_pending="discard") as session:
            product.color.hset(COLORS[(number + worker) % len(COLORS)])
            product.hits.incr()
            session.commit()

    return [outcome(lambda number=number: update(number)) for number in range(times)]


def claim_a_name(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    return [
        outcome(lambda number=number: models.Product(name=f"name {number}", color=COLORS[worker % 3], tags=[worker]))
        for number in range(times)
    ]


def connect(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    found = [models.Product.get_or_connect(color=f"new {number}") for number in range(times)]
    return [f"{'created' if created else 'found'} {product.pk.get()}" for product, created in found]


def claim_a_pk(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    return [
        outcome(lambda number=number: models.Word(key=f"word {number}", kind=f"kind {worker}", plain=worker))
        for number in range(times)
    ]


def update_or_delete(url: str, worker: int, times: int) -> Outcomes:
    models = Models(RedisDatabase.from_url(url))
    # They are all there yet.
    handles = [models.Product(str(pk)) for pk in range(1, times + 1)]
    together(url)

    def attempt(product: Any) -> None:
        if worker % 2:
            product.delete()
            return
        with Session(models.database, attempts=100, on_pending="discard") as session:
            product.color.hset(COLORS[worker % 3])
            product.hits.incr()
            product.tags.sadd(worker)
            session.commit()

    return [outcome(lambda product=product: attempt(product)) for product in handles]


def swap(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    handles = [models.Product("1"), models.Product("2"), models.Product("3")]
    names = ["x", "y", "z"]

    def attempt(number: int) -> None:
        with Session(models.database, attempts=100, on_pending="discard") as session:
            for place, product in enumerate(handles):
                product.name.hset(names[(place + number + worker) % 3])
            session.commit()

    return [outcome(lambda number=number: attempt(number)) for number in range(times)]
