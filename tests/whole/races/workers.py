"""What runs in processes of its own: each function is given the server's URL, its place among the workers, a number.

It waits until all workers are there, goes to work, and returns what became of each of its attempts.
"""

from collections.abc import Callable
from typing import Any

import redis

from uowredis import (
    Conflict,
    DoesNotExist,
    InstanceHashField,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    StringField,
    UniquenessError,
)

WORKERS = 8
#: Few values, so that the workers meet in the index keys.
COLORS = ["red", "green", "blue"]

Outcomes = list[str]


class Models:
    def __init__(self, on: RedisDatabase) -> None:
        class Bike(RedisModel):
            database = on
            name = InstanceHashField(unique=True)
            color = InstanceHashField(indexable=True)
            hits = StringField(indexable=True)
            tags = SetField(indexable=True)

        class Shop(RedisModel):
            database = on
            code = PKField()
            city = InstanceHashField(indexable=True)
            owner = StringField()

        self.database, self.Bike, self.Shop = on, Bike, Shop


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
    bike = models.Bike(str(worker + 1))

    def update(number: int) -> None:
        # One attempt: whoever met anybody else would be in conflict.
        with Session(models.database, attempts=1, on_pending="discard") as session:
            bike.color.hset(COLORS[(number + worker) % len(COLORS)])
            bike.hits.incr()
            bike.tags.sadd(COLORS[number % len(COLORS)])
            bike.tags.srem(COLORS[(number + 1) % len(COLORS)])
            session.commit()

    return [outcome(lambda number=number: update(number)) for number in range(times)]


def update_the_same(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    bike = models.Bike("1")

    def update(number: int) -> None:
        with Session(models.database, attempts=2, on_pending="discard") as session:
            bike.color.hset(COLORS[(number + worker) % len(COLORS)])
            bike.hits.incr()
            session.commit()

    return [outcome(lambda number=number: update(number)) for number in range(times)]


def claim_a_name(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    return [
        outcome(lambda number=number: models.Bike(name=f"name {number}", color=COLORS[worker % 3], tags=[worker]))
        for number in range(times)
    ]


def claim_a_pk(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    return [
        outcome(lambda number=number: models.Shop(code=f"shop {number}", city=f"city {worker}", owner=worker))
        for number in range(times)
    ]


def update_or_delete(url: str, worker: int, times: int) -> Outcomes:
    models = Models(RedisDatabase.from_url(url))
    # They are all there yet.
    bikes = [models.Bike(str(pk)) for pk in range(1, times + 1)]
    together(url)

    def attempt(bike: Any) -> None:
        if worker % 2:
            bike.delete()
            return
        with Session(models.database, attempts=100, on_pending="discard") as session:
            bike.color.hset(COLORS[worker % 3])
            bike.hits.incr()
            bike.tags.sadd(worker)
            session.commit()

    return [outcome(lambda bike=bike: attempt(bike)) for bike in bikes]


def swap(url: str, worker: int, times: int) -> Outcomes:
    models = begin(url)
    bikes = [models.Bike("1"), models.Bike("2"), models.Bike("3")]
    names = ["x", "y", "z"]

    def attempt(number: int) -> None:
        with Session(models.database, attempts=100, on_pending="discard") as session:
            for place, bike in enumerate(bikes):
                bike.name.hset(names[(place + number + worker) % 3])
            session.commit()

    return [outcome(lambda number=number: attempt(number)) for number in range(times)]
