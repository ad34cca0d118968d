"""A stock of related objects, and faults planted in it by plain redis-py, each with what a check must say of it."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import attrs
import redis

from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.contrib.related import FKInstanceHashField, FKStringField, M2MListField, M2MSetField, RelatedModel

#: Fault, model, and what tells it from others of its kind.
Said = tuple[Any, ...]


@attrs.frozen
class Stock:
    """Shelves (chosen primary keys), parts (counted ones) that stand on them, and bills (values of all types)."""

    database: RedisDatabase
    Shelf: type[Any]
    Part: type[Any]
    Bill: type[Any]

    @property
    def models(self) -> tuple[type[Any], ...]:
        """All of them."""
        return self.Shelf, self.Part, self.Bill


def stock(on: RedisDatabase) -> Stock:
    """Declare the models; nothing is stored."""

    class Shelf(RelatedModel):
        database = on
        spot = PKField()
        label = StringField(unique=True)
        aisle = InstanceHashField(indexable=True)
        note = StringField()

    class Part(RelatedModel):
        database = on
        number = InstanceHashField(unique=True)
        color = InstanceHashField(indexable=True)
        state = StringField(indexable=True)
        tags = SetField(indexable=True)
        codes = SetField(unique=True)
        steps = ListField(indexable=True)
        ranks = SortedSetField(indexable=True)
        size = HashField(indexable=True)
        remark = StringField()
        shelf = FKInstanceHashField(Shelf, related_name="parts")
        former = FKStringField(Shelf, related_name="former_parts")
        beside = M2MSetField("self", related_name="neighbours")
        history = M2MListField(Shelf, related_name="past_parts")

    class Bill(RedisModel):
        database = on
        number = PKField(type=UUID)
        sum = StringField(type=Decimal, indexable=True)
        sent = InstanceHashField(type=date)
        paid = SetField(type=Decimal)
        items = ListField(type=int, indexable=True)
        weights = HashField(type=Decimal)
        marks = SortedSetField(type=float, unique=True)

    return Stock(on, Shelf, Part, Bill)


def fill(stock: Stock, random: Random, parts: int) -> None:
    """Store shelves and *parts*, all of them whole; values hold colons, and no text at all."""
    with stock.database.begin():
        shelves = [stock.Shelf(spot=f"s:{n}", label=f"label {n}", aisle=str(n % 3), note="x") for n in range(6)]
        for number in range(parts):
            part = stock.Part(
                number=f"n{number}",
                color=random.choice(["red", "blue", "a:b:c", "\udcff"]),
                state=str(random.randrange(4)),
                tags=random.sample(["new", "used", "x:y", ""], random.randrange(1, 4)),
                codes=[f"c{number}", f"d{number}"],
                steps=["cut", "drill", "cut"],
                ranks={"first": 1, "second": 2.5},
                size={"w": str(random.randrange(3)), "h w": "1:2"},
                remark="plain",
                shelf=random.choice(shelves),
                former=random.choice(shelves),
                history=random.sample(shelves, 3),
            )
            part.beside.sadd(part)
            stock.Bill(
                number=UUID(int=number + 1),
                sum=Decimal("1.5"),
                sent=date(2026, 1, 2),
                paid=[Decimal(1), Decimal("0.5")],
                items=[1, 1],
                weights={"w:h": Decimal("2.5")},
                marks={number + 0.5: 1},
            )


#: What plants a fault at the part with a primary key, or at a shelf made for it; it yields what must be said of it.
Plant = Callable[[redis.Redis, str], Iterator[Said]]


def _entry(fault: str, field: str, pk: str, value: str, model: str = "Part") -> Said:
    return fault, model, field, pk, f":{model.lower()}:{field}:{value}", pk, None


def missing_entry(client: redis.Redis, pk: str) -> Iterator[Said]:
    """Index entries of every kind of field are taken away."""
    for field, value in (("number", f"n{int(pk) - 1}"), ("steps", "cut"), ("ranks", "second"), ("size", "h w:1:2")):
        assert client.srem(f":part:{field}:{value}", pk)
        yield _entry("missing entry", field, pk, value)


def stale_entry(client: redis.Redis, pk: str) -> Iterator[Said]:
    """Entries are made of what no field holds."""
    for field, value in (
        ("color", "no"),
        ("tags", "no:where"),
        ("ranks", "last"),
        ("size", "w:9"),
        ("codes", "zz" + pk),
    ):
        client.sadd(f":part:{field}:{value}", pk)
        yield _entry("stale entry", field, pk, value)


def changed_outside(client: redis.Redis, pk: str) -> Iterator[Said]:
    """A value is changed with redis-cli: one entry too many, one missing."""
    former = client.get(f":part:{pk}:state").decode()
    client.set(f":part:{pk}:state", "x:1")
    yield _entry("missing entry", "state", pk, "x:1")
    yield _entry("stale entry", "state", pk, former)


def vanished(client: redis.Redis, pk: str) -> Iterator[Said]:
    """An object that never was stands in indexes."""
    client.sadd(":part:color:red", f"9{pk}00")
    yield _entry("entry of a vanished object", "color", f"9{pk}00", "red")


def two_holders(client: redis.Redis, pk: str) -> Iterator[Said]:
    """A second object gets the unique values of a shelf that is made for it, its index not told."""
    for place in ("one", "two"):
        client.sadd(":shelf:collection", f"{place}{pk}")
        client.set(f":shelf:{place}{pk}:label", f"twin{pk}")
        yield _entry("missing entry", "label", f"{place}{pk}", f"twin{pk}", "Shelf")
    yield "two holders of a unique value", "Shelf", "label", f":shelf:label:twin{pk}", (f"one{pk}", f"two{pk}")


def orphan(client: redis.Redis, pk: str) -> Iterator[Said]:
    """A shelf loses its place among the objects: its entries are there still."""
    client.set(f":shelf:lost{pk}:label", f"lost{pk}")
    client.sadd(f":shelf:label:lost{pk}", f"lost{pk}")
    client.set(f":shelf:lost{pk}:note", "x")
    yield "data without primary key", "Shelf", f"lost{pk}"


def dangling(client: redis.Redis, pk: str) -> Iterator[Said]:
    """References lead nowhere, their indexes right."""
    former = client.get(f":part:{pk}:former").decode()
    client.srem(f":part:former:{former}", pk)
    client.set(f":part:{pk}:former", f"gone{pk}")
    client.sadd(f":part:former:gone{pk}", pk)
    yield "reference to a missing object", "Part", "former", pk, f"gone{pk}"
    client.rpush(f":part:{pk}:history", f"gone{pk}", "x", f"gone{pk}")
    for value in (f"gone{pk}", "x"):
        client.sadd(f":part:history:{value}", pk)
        yield "reference to a missing object", "Part", "history", pk, value
    client.sadd(f":part:{pk}:beside", f"8{pk}00")
    client.sadd(f":part:beside:8{pk}00", pk)
    yield "reference to a missing object", "Part", "beside", pk, f"8{pk}00"


def undeclared_index(client: redis.Redis, pk: str) -> Iterator[Said]:
    """An index of former days is there."""
    client.sadd(f":part:weight:{pk}:kg", pk)
    yield "index not declared", "Part", "weight", f":part:weight:{pk}:kg"


def undeclared_field(client: redis.Redis, pk: str) -> Iterator[Said]:
    """Data of former days is there, in a key and in the hash."""
    client.set(f":part:{pk}:weight", "3")
    client.hset(f":part:{pk}:hash", "maker", "m")
    yield "field not declared", "Part", pk, "weight", None
    yield "field not declared", "Part", pk, "hash", "maker"


def empty(client: redis.Redis, pk: str) -> Iterator[Said]:
    """An object has nothing: that is a note."""
    client.sadd(":shelf:collection", f"bare{pk}")
    yield "object without data", "Shelf", f"bare{pk}"


def wrong_type(client: redis.Redis, pk: str) -> Iterator[Said]:
    """A key of a field without index is of another type."""
    client.delete(f":part:{pk}:remark")
    client.rpush(f":part:{pk}:remark", "x")
    yield "key of another type", "Part", f":part:{pk}:remark", "string"


def unreadable(client: redis.Redis, pk: str) -> Iterator[Said]:
    """Texts are stored that are no values, the indexes told; one is a primary key."""
    bill = str(UUID(int=int(pk)))
    client.hset(f":bill:{bill}:hash", "sent", "2026-02-30")
    yield "unreadable value", "Bill", "sent", bill, "2026-02-30", "sent"
    client.hset(f":bill:{bill}:weights", "h:w", "heavy")
    yield "unreadable value", "Bill", "weights", bill, "heavy", "h:w"
    client.rpush(f":bill:{bill}:items", "one", "one")
    client.sadd(":bill:items:one", bill)
    yield "unreadable value", "Bill", "items", bill, "one", ""
    client.sadd(f":bill:{bill}:paid", b"\xff")
    yield "unreadable value", "Bill", "paid", bill, "\udcff", ""
    client.sadd(":bill:collection", f"no{pk}")
    client.set(f":bill:no{pk}:sum", "1.5")
    client.sadd(":bill:sum:1.5", f"no{pk}")
    yield "unreadable value", "Bill", "number", f"no{pk}", f"no{pk}", ""


def misspelled(client: redis.Redis, pk: str) -> Iterator[Said]:
    """Values are stored in another spelling, the indexes told; where nobody finds by it, that is no fault."""
    bill = str(UUID(int=int(pk)))
    client.set(f":bill:{bill}:sum", "1.50")
    client.srem(":bill:sum:1.5", bill)
    client.sadd(":bill:sum:1.50", bill)
    yield "value of another spelling", "Bill", "sum", bill, "1.50", ""
    client.zadd(f":bill:{bill}:marks", {f"{pk}.70": 1})
    client.sadd(f":bill:marks:{pk}.70", bill)
    yield "value of another spelling", "Bill", "marks", bill, f"{pk}.70", ""
    client.sadd(f":bill:{bill}:paid", "1.0")
    yield "value of another spelling", "Bill", "paid", bill, "1.0", ""
    client.hset(f":bill:{bill}:weights", "w:h", "2.50")


PLANTS: tuple[Plant, ...] = (
    missing_entry,
    stale_entry,
    changed_outside,
    vanished,
    two_holders,
    orphan,
    dangling,
    undeclared_index,
    undeclared_field,
    empty,
    wrong_type,
    unreadable,
    misspelled,
)

#: Names of the fields that `undeclared_index` and `undeclared_field` are of.
FORGOTTEN = ("weight", "maker")


def counter_behind(client: redis.Redis, highest: int) -> Said:
    """Set the counter of parts behind."""
    client.set(":part:max_pk", highest - 1)
    return "counter of primary keys behind", "Part", highest


def said(findings: Any) -> list[Said]:
    """Return what *findings* say, in order."""
    return sorted(
        (tuple(v for k, v in each.facts().items() if k not in ("note", "types", "claims")) for each in findings),
        key=repr,
    )
