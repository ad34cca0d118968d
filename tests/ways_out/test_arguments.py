"""What arguments, replies and attributes are refused for names a way out, and each is taken here as it is named."""

import enum
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.models import every_kind
from tests.session.doors import Stock
from tests.tools.backends import Backend, Real
from tests.tools.relay import Relay
from tests.tools.servers import RealServer
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    ImplementationError,
    InstanceHashField,
    RedisDatabase,
    RedisModel,
    Session,
    StringField,
    UnreadableValue,
    UowError,
)


class Color(enum.Enum):
    """No text."""

    RED = "red"


@tries("{} cannot be {} ({}): Redis stores text and numbers")
def test_what_has_no_spelling(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")

    def way(value: Any) -> str:
        with told(ArgumentTypeError) as caught:
            bread.price.hset(value)
        return str(caught.value).partition("Way out: ")[2]

    def becomes(expected: str, value: Any) -> None:
        bread.price.hset(value)
        assert expected == bread.price.hget()

    assert "int(...), 1 or 0" == way(True)
    becomes("1", int(True))
    becomes("0", 0)
    assert "leave it out; delete() of the field clears a value" == way(None)
    assert 1 == bread.price.delete()
    assert ".isoformat() or .timestamp(), .total_seconds()" == way(date(2026, 1, 2)) == way(timedelta(1))
    becomes("2026-01-02", date(2026, 1, 2).isoformat())
    becomes("86400.0", timedelta(1).total_seconds())
    assert "its .value" == way(Color.RED)
    becomes("red", Color.RED.value)
    assert "str(...)" == way(Decimal("1.50"))
    becomes("1.50", str(Decimal("1.50")))
    assert "a SetField or ListField, or json.dumps(...)" == way(["a"])
    becomes('["a"]', json.dumps(["a"]))
    bread.tags.sadd("a")
    bread.shelf.rpush("a")
    assert "a HashField, or json.dumps(...)" == way({"a": 1})
    becomes('{"a": 1}', json.dumps({"a": 1}))
    bread.notes.hset("a", 1)
    assert "str(...) or json.dumps(...)" == way(1j)
    becomes("1j", str(1j))


@tries("{} cannot be {}: that primary key is not allocated yet")
def test_a_primary_key_to_be(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        cake = stock.Product(name="cake")
        with told(ArgumentError):
            stock.Product("1").price.hset(cake.identity.reference)
        session.commit()
        stock.Product("1").price.hset(cake.pk.get())
        session.commit()
    assert "2" == stock.Product("1").price.hget()


@tries("{} is of a former class")
def test_a_former_class(told: Told, server: Backend) -> None:
    on = server.database()

    def declare() -> Any:
        class Bike(RedisModel):
            database = on
            name = StringField()

        return Bike

    former = declare()
    bike = former(name="x")
    latest = declare()
    with told(ImplementationError) as caught:
        bike.name.set("y")
    assert "Bike.get('1') for the same object" in str(caught.value)
    latest.get("1").name.set("y")
    assert "y" == latest("1").name.get()


@tries("{} was answered by an array {}")
def test_an_array_that_is_none(told: Told, real: Real, real_server: RealServer) -> None:
    with Relay(real_server) as relay, RedisDatabase.from_url(relay.url) as on:
        thing = every_kind(on).Thing(name="a", title="a", tags=["a"])
        relay.answer("SMEMBERS", b"*1\r\n:1\r\n")
        with told(UowError):
            thing.tags.smembers()
        relay.stop()
        # Compared with what redis-cli gives, without what is in between.
        assert {"a"} == thing.tags.smembers() == set(real.client(decode_responses=True).smembers(":thing:1:tags"))


@tries("{} cannot be None, which is no {}")
def test_none_for_a_value(told: Told, server: Backend) -> None:
    class Bike(RedisModel):
        database = server.database()
        year = InstanceHashField(type=int, default=1965)
        price = StringField(type=int)

    bike = Bike(year=None, price=3)
    assert None is bike.year.hget()
    for field, say in ((bike.year, bike.year.hset), (bike.price, bike.price.set)):
        with told(ArgumentTypeError):
            say(None)
        say(1)
        assert 1 == field.delete()
    bike.year.hset(1)
    assert 1 == bike.year.hdel()


@tries("{}.{} holds {}, and {} is stored, which cannot be read")
def test_what_cannot_be_read(told: Told, server: Backend) -> None:
    class Bike(RedisModel):
        database = server.database()
        year = InstanceHashField(type=int)

    bike = Bike(year=1)
    with server.client() as client:
        client.hset(bike.year.key, "year", "x")
    with told(UnreadableValue):
        bike.year.hget()
    assert "x" == Bike.database.connection.hget(bike.year.key, "year")
    bike.year.hset(2)
    assert 2 == bike.year.hget()
