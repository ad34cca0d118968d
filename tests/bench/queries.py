"""What the benchmark asks: queries over persons, and the same by hand with redis-py.

The hand-written half does what a careful program does: one pipeline a query, in a transaction where it needs a
temporary key, with the same commands and the same shape of the answer, text decoded.
"""

import secrets
from collections.abc import Sequence

import redis

from tests.bench.people import Person

Found = list[dict[str, str]]

#: How many of what a query finds are shown.
PAGE = 20


def pairs(count: int) -> list[tuple[str, str]]:
    """Return the city and the year of birth of *count* queries, each of which finds some."""
    return [(f"City {i % 500}", str(1925 + i % 100)) for i in range(count)]


def page(city: str, birth_year: str) -> Found:
    """Find the first persons of a city and a year, by their names."""
    found: Found = (
        Person.collection(city=city, birth_year=birth_year).sort(by="name", alpha=True).values("pk", "name")[:PAGE]
    )
    return found


def page_by_hand(client: redis.Redis, city: str, birth_year: str) -> Found:
    """Find the same in one MULTI ... EXEC of redis-py's pipeline; *client* decodes."""
    temporary = f":person:__collection__:tmp:{secrets.token_hex(8)}"
    with client.pipeline(transaction=True) as pipe:
        pipe.sinterstore(temporary, [f":person:city:{city}", f":person:birth_year:{birth_year}"])
        pipe.sort(
            temporary, by=":person:*:hash->name", start=0, num=PAGE, get=["#", ":person:*:hash->name"], alpha=True
        )
        pipe.delete(temporary)
        _, flat, _ = pipe.execute()
    return [{"pk": flat[at], "name": flat[at + 1]} for at in range(0, len(flat), 2)]


def retrieve(names: Sequence[str]) -> Found:
    """Return the values of all persons."""
    return list(Person.collection().values(*names))


def retrieve_by_hand(client: redis.Redis, names: Sequence[str]) -> Found:
    """Return the same with a pipeline of HMGETs; *client* decodes."""
    pks = client.smembers(":person:collection")
    with client.pipeline(transaction=False) as pipe:
        for pk in pks:
            pipe.hmget(f":person:{pk}:hash", names)
        return [dict(zip(names, values, strict=True)) for values in pipe.execute()]
