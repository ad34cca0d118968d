"""What the benchmark asks of indexes beyond equality, and of many at once, and the same by hand with redis-py.

The hand-written half sends the one command, or the one transaction, that answers it, and gives the same: text, decoded.
It trusts what it wrote itself: it sifts nothing out of a prefix, and asks for no fingerprint. It looks whether objects
are there where the library does, and orders a page as Redis does, by a name that nobody shares.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import redis

from tests.bench import people
from uowredis import InstanceHashField, RedisDatabase, RedisModel, SetField
from uowredis.contrib.related import FKInstanceHashField, RelatedModel
from uowredis.indexes import NumberRangeIndex, TextRangeIndex

#: How many primary keys ``get_many()`` is given.
MANY = 1_000

#: How many tales stand on a shelf, and are read with their tags and the names of their writers.
SHELF = 100

#: Stands between text and primary key in the members of a text index.
SEPARATOR = ":TEXT-RANGE-SEPARATOR:"


class Citizen(RedisModel):
    database = RedisDatabase()

    name = InstanceHashField(indexable=True, indexes=[TextRangeIndex])
    city = InstanceHashField(indexable=True)
    birth_year = InstanceHashField(indexable=True, indexes=[NumberRangeIndex])


class Telling(RelatedModel):
    """What tales and their writers share."""

    abstract = True
    database = RedisDatabase()


class Writer(Telling):
    name = InstanceHashField()


class Tale(Telling):
    title = InstanceHashField()
    shelf = InstanceHashField(indexable=True)
    tags = SetField()
    author = FKInstanceHashField(Writer)


def use(database: RedisDatabase) -> None:
    """Move all models to *database*."""
    Citizen.use_database(database)
    Telling.use_database(database)


def create_by_hand(client: redis.Redis, rows: Sequence[people.Row]) -> None:
    """Have citizens there, as the library would write them but for their fingerprint; and tales, shelf by shelf."""
    with client.pipeline(transaction=True) as pipe:
        for pk, (name, city, birth_year, _) in enumerate(rows, start=1):
            pipe.hset(f":citizen:{pk}:hash", mapping={"name": name, "city": city, "birth_year": birth_year})
            pipe.zadd(":citizen:name:text-range", {f"{name}{SEPARATOR}{pk}": 0})
            pipe.sadd(f":citizen:city:{city}", pk)
            pipe.zadd(":citizen:birth_year:number-range", {pk: birth_year})
            pipe.sadd(":citizen:collection", pk)
        pipe.set(":citizen:max_pk", len(rows))
        for pk in range(1, _tales(len(rows)) + 1):
            shelf, author = (pk - 1) // SHELF, pk % 50 + 1
            pipe.hset(f":tale:{pk}:hash", mapping={"title": f"Tale {pk}", "shelf": shelf, "author": author})
            pipe.sadd(f":tale:{pk}:tags", "all", f"t{pk % 7}", f"t{pk % 11}")
            pipe.sadd(f":tale:shelf:{shelf}", pk)
            pipe.sadd(f":tale:author:{author}", pk)
            pipe.sadd(":tale:collection", pk)
            pipe.hset(f":writer:{author}:hash", "name", f"Writer {author}")
            pipe.sadd(":writer:collection", author)
        pipe.execute()


def _tales(objects: int) -> int:
    return max(SHELF, min(objects, 10 * SHELF))


@attrs.frozen
class Question:
    """One question, asked again and again of other values.

    Attributes:
        ours, hand: ask it for the so many-th time, of so many objects; both answers hold the same.
        plain: what makes an answer comparable; it is not timed.
    """

    ours: Callable[[int, int], list[Any]]
    hand: Callable[[redis.Redis, int, int], list[Any]]
    plain: Callable[[list[Any]], list[Any]] = list


def _year(at: int) -> int:
    return 1925 + at % 100


def _prefix(at: int) -> str:
    return f"Person {10 + at % 90}"


def _cities(at: int) -> list[str]:
    return [f"City {(at + step) % 500}" for step in (0, 7, 21)]


def _pks(at: int, count: int) -> list[str]:
    many = min(MANY, count)
    return [str(1 + (at * 13 + step) % count) for step in range(many)]


def _range(at: int, _: int) -> list[str]:
    return list(Citizen.collection(birth_year__gte=_year(at), birth_year__lt=_year(at) + 2))


def _range_by_hand(client: redis.Redis, at: int, _: int) -> list[str]:
    found: list[str] = client.zrangebyscore(":citizen:birth_year:number-range", _year(at), f"({_year(at) + 2}")
    return found


def _page(at: int, _: int) -> list[dict[str, str]]:
    found = Citizen.collection(birth_year__gte=_year(at), birth_year__lt=_year(at) + 2)
    page: list[dict[str, str]] = found.sort(by="name", alpha=True).values("pk", "name")[:20]
    return page


def _page_by_hand(client: redis.Redis, at: int, _: int) -> list[dict[str, str]]:
    temporary = f":citizen:__collection__:tmp:{secrets.token_hex(8)}"
    name = ":citizen:*:hash->name"
    with client.pipeline(transaction=True) as pipe:
        pipe.zrangestore(temporary, ":citizen:birth_year:number-range", _year(at), f"({_year(at) + 2}", byscore=True)
        pipe.sort(temporary, by=name, start=0, num=20, get=["#", name], alpha=True)
        pipe.delete(temporary)
        _, flat, _ = pipe.execute()
    return [{"pk": flat[at], "name": flat[at + 1]} for at in range(0, len(flat), 2)]


def _in_order(page: list[Any]) -> list[Any]:
    """Return the items of a *page* with their places: answers are compared in any order."""
    return list(enumerate(page))


def _startswith(at: int, _: int) -> list[str]:
    return list(Citizen.collection(name__startswith=_prefix(at)))


def _startswith_by_hand(client: redis.Redis, at: int, _: int) -> list[str]:
    prefix = _prefix(at).encode()
    members = client.zrangebylex(":citizen:name:text-range", b"[" + prefix, b"[" + prefix + b"\xff")
    return [member.rpartition(SEPARATOR)[2] for member in members]


def _in(at: int, _: int) -> list[str]:
    return list(Citizen.collection(city__in=_cities(at)))


def _in_by_hand(client: redis.Redis, at: int, _: int) -> list[str]:
    return list(client.sunion([f":citizen:city:{city}" for city in _cities(at)]))


def _or(at: int, _: int) -> list[str]:
    one, other, _ = _cities(at)
    return list(Citizen.collection(city=one) | Citizen.collection(city=other))


def _or_by_hand(client: redis.Redis, at: int, _: int) -> list[str]:
    one, other, _ = _cities(at)
    return list(client.sunion([f":citizen:city:{one}", f":citizen:city:{other}"]))


class ByHand:
    """What a program of one's own hands around for an object."""

    __slots__ = ("pk",)

    def __init__(self, pk: str) -> None:
        self.pk = pk


def _get_many(at: int, count: int) -> list[Citizen]:
    return Citizen.get_many(_pks(at, count))


def _get_many_by_hand(client: redis.Redis, at: int, count: int) -> list[ByHand]:
    pks = _pks(at, count)
    marks = client.smismember(":citizen:collection", pks)
    if not all(marks):
        raise KeyError([pk for pk, mark in zip(pks, marks, strict=True) if not mark])
    return [ByHand(pk) for pk in pks]


def _pks_of(objects: list[Citizen | ByHand]) -> list[str]:
    return [each.pk if isinstance(each, ByHand) else each.pk.get() for each in objects]


def _load(at: int, count: int) -> list[Tale]:
    shelf = at % (_tales(count) // SHELF)
    return list(Tale.collection(shelf=shelf).instances(load=("title", "tags", "author__name")))


def _load_by_hand(client: redis.Redis, at: int, count: int) -> list[dict[str, Any]]:
    pks = list(client.smembers(f":tale:shelf:{at % (_tales(count) // SHELF)}"))
    with client.pipeline(transaction=False) as pipe:
        for pk in pks:
            pipe.hmget(f":tale:{pk}:hash", "title", "author")
            pipe.smembers(f":tale:{pk}:tags")
        # Who is in the index only is left out.
        pipe.smismember(":tale:collection", pks)
        *found, marks = pipe.execute()
    authors = list(dict.fromkeys(author for _, author in found[::2] if author is not None))
    with client.pipeline(transaction=False) as pipe:
        for author in authors:
            pipe.hget(f":writer:{author}:hash", "name")
        names = dict(zip(authors, pipe.execute(), strict=True))
    rows = zip(pks, found[::2], found[1::2], marks, strict=True)
    return [
        {"pk": pk, "title": title, "tags": tags, "author__name": names.get(author)}
        for pk, (title, author), tags, mark in rows
        if mark
    ]


def _loaded(tales: list[Any]) -> list[Any]:
    rows = [each if isinstance(each, dict) else {"pk": each.pk.get(), **each.loaded} for each in tales]
    return [(row["pk"], row["title"], sorted(row["tags"]), row["author__name"]) for row in rows]


#: The questions, by what they are called in the tables.
QUESTIONS: Mapping[str, Question] = {
    "range": Question(_range, _range_by_hand),
    "range-page": Question(_page, _page_by_hand, _in_order),
    "prefix": Question(_startswith, _startswith_by_hand),
    "in": Question(_in, _in_by_hand),
    "or": Question(_or, _or_by_hand),
    "get-many": Question(_get_many, _get_many_by_hand, _pks_of),
    "prefetch": Question(_load, _load_by_hand, _loaded),
}
