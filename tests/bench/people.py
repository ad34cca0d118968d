"""What the benchmark writes: a model, its data, and the same by hand with redis-py.

The hand-written half does what a careful program does without the library, no more: one command per effect, text that
is ready to send, one pipeline object for all.
"""

from collections.abc import Sequence

import redis

from uowredis import InstanceHashField, RedisDatabase, RedisModel, Session, StringField

Row = tuple[str, str, str, str]


class Person(RedisModel):
    database = RedisDatabase()

    name = InstanceHashField()
    city = InstanceHashField(indexable=True)
    birth_year = InstanceHashField(indexable=True)
    notes = StringField()
    visits = StringField()


def rows(count: int) -> list[Row]:
    """Return (name, city, birth year, notes) of *count* persons: 500 cities, 100 years."""
    return [(f"Person {i}", f"City {i % 500}", str(1925 + i % 100), f"Notes about number {i}") for i in range(count)]


def new_cities(count: int) -> list[str]:
    """Return the city to which each of *count* persons moves."""
    return [f"City {(i + 1) % 500}" for i in range(count)]


def create(database: RedisDatabase, people: Sequence[Row]) -> list[Person]:
    """Create *people* in one session."""
    with Session(database) as s:
        made = [
            Person(name=name, city=city, birth_year=birth_year, notes=notes) for name, city, birth_year, notes in people
        ]
        s.commit()
    return made


def create_by_hand(client: redis.Redis, people: Sequence[Row]) -> None:
    """Create *people* in one MULTI ... EXEC of redis-py's pipeline."""
    last = client.incrby(":person:max_pk", len(people))
    with client.pipeline(transaction=True) as pipe:
        for pk, (name, city, birth_year, notes) in enumerate(people, start=last - len(people) + 1):
            pipe.hset(f":person:{pk}:hash", mapping={"name": name, "city": city, "birth_year": birth_year})
            pipe.set(f":person:{pk}:notes", notes)
            pipe.sadd(f":person:city:{city}", pk)
            pipe.sadd(f":person:birth_year:{birth_year}", pk)
            pipe.sadd(":person:collection", pk)
        pipe.execute()


def change(database: RedisDatabase, people: Sequence[Person], cities: Sequence[str]) -> None:
    """Move *people* to *cities* in one session."""
    with Session(database) as s:
        for person, city in zip(people, cities, strict=True):
            person.city.hset(city)
        s.commit()


def change_by_hand(client: redis.Redis, pks: Sequence[str], cities: Sequence[str]) -> None:
    """Move persons to *cities*, each under WATCH, as redis-py's documentation shows it."""
    with client.pipeline() as pipe:
        for pk, city in zip(pks, cities, strict=True):
            change_one_by_hand(pipe, pk, city)


def change_one_by_hand(pipe: redis.client.Pipeline, pk: str, city: str, prefix: str = ":person") -> None:
    """Move one person: WATCH, read, MULTI ... EXEC, again where somebody else was faster."""
    key = f"{prefix}:{pk}:hash"
    while True:
        try:
            pipe.watch(key)
            old = pipe.hget(key, "city")
            pipe.multi()
            pipe.hset(key, "city", city)
            if old is not None:
                pipe.srem(f"{prefix}:city:".encode() + old, pk)
            pipe.sadd(f"{prefix}:city:{city}", pk)
            pipe.execute()
            return
        except redis.WatchError:
            continue


def change_without_watch(client: redis.Redis, pks: Sequence[str], cities: Sequence[str]) -> None:
    """Move persons to *cities* in two round trips; whoever writes in between is overwritten, and the index wrong."""
    with client.pipeline(transaction=False) as pipe:
        for pk in pks:
            pipe.hget(f":person:{pk}:hash", "city")
        olds = pipe.execute()
    with client.pipeline(transaction=True) as pipe:
        for pk, old, city in zip(pks, olds, cities, strict=True):
            pipe.hset(f":person:{pk}:hash", "city", city)
            pipe.srem(b":person:city:" + old, pk)
            pipe.sadd(f":person:city:{city}", pk)
        pipe.execute()
