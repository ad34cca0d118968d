"""What fields and their types refuse names a way out, and each is taken here as it is named."""

import ast
import enum
import itertools
import json
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
import pydantic
import pytest

from tests.session.doors import Stock
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    AutoPKField,
    DateTime,
    HashField,
    ImplementationError,
    Json,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    StringField,
)

_numbers = itertools.count()


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


def model_with(on: RedisDatabase, field: Any, **more: Any) -> Any:
    """Declare a model with one field, and others, on keys of its own."""
    where = {"database": on, "__module__": __name__, "stored_as": f"bike{next(_numbers)}"}
    return type(RedisModel)("Bike", (RedisModel,), {**where, "field": field, **more})


def stores(on: RedisDatabase, field: Any, value: Any) -> Any:
    """Return what a field gives that a value was stored in."""
    return model_with(on, field)(field=value).field.get()


# Declarations and calls.


@tries("{} cannot be assigned to")
def test_assigned(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with told(AttributeError) as caught:
        bread.price = 3
    assert "Way out: a command of the field, e.g. price.hset(...)" in str(caught.value)
    assert 1 == bread.price.hset(3)


@tries("{} cannot be deleted so")
def test_deleted(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with told(AttributeError) as caught:
        del bread.stock
    assert "Way out: stock.delete()" in str(caught.value)
    assert 1 == bread.stock.delete()


@tries("{} has no key: its object has no primary key yet")
def test_no_key_yet(told: Told, on: RedisDatabase) -> None:
    bike = model_with(on, StringField())()
    with told(ImplementationError):
        bike.field.key  # asked for
    assert "1" == bike.pk.get()
    assert bike.field.key.endswith(":1:field")


@tries("{} holds {}, of which {}() can make no sense")
def test_a_command_without_sense(told: Told, on: RedisDatabase) -> None:
    bike = model_with(on, StringField(type=date))(field=date(2026, 1, 2))
    with told(ImplementationError) as caught:
        bike.field.incr()
    assert "Way out: read the value by get(), and store another one" in str(caught.value)
    bike.field.set(bike.field.get().replace(year=2027))
    assert date(2027, 1, 2) == bike.field.get()


@tries("{} is indexed and takes no expiry")
def test_expiry(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with told(ImplementationError):
        bread.code.set("x", ex=100)
    assert bread.visits.set(1, ex=100)


@tries("{} has no option {}", "fields/")
def test_an_option(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError) as caught:
        StringField(index=True)  # type: ignore[call-arg]
    for option in ("default", "type", "indexable", "unique", "lockable", "stored_as"):
        assert option in str(caught.value).partition("Way out: it takes ")[2]
    fields = (StringField(default=1), StringField(type=int), StringField(indexable=True), StringField(unique=True))
    for value, field in enumerate((*fields, StringField(lockable=False), StringField(stored_as="x"))):
        assert value == int(stores(on, field, value))


@attrs.frozen
class Point:
    """Hashable, with a spelling of its own below."""

    x: int


@tries("{} tells its values apart, and those of {} are not hashable")
def test_values_that_are_not_hashable(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        SetField(type=Json)
    assert [{"a": 1}] == model_with(on, ListField(type=Json))(field=[{"a": 1}]).field.lrange(0, -1)
    assert {"a": [1]} == model_with(on, HashField(type=Json))(field={"a": [1]}).field.hgetall()
    assert {Point(1)} == model_with(on, SetField(type=Json(Point)))(field=[Point(1)]).field.smembers()


@tries("An entry of {} cannot be {}: the field is indexed")
def test_an_entry_with_a_colon(told: Told, on: RedisDatabase) -> None:
    bike = model_with(on, HashField(indexable=True))(field={"a": 1})
    with told(ArgumentError):
        bike.field.hset("a:b", 1)
    assert 1 == bike.field.hset("a.b", 1)


@tries("HashField cannot be unique")
def test_a_unique_hash(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        HashField(unique=True)
    bike = model_with(on, HashField(indexable=True))
    bike(field={"a": 1})
    assert ["1"] == list(bike.collection(field__a=1))


@tries("{} has no InstanceHashField {}")
def test_no_such_entry(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with told(ArgumentError) as caught:
        bread.hmget("stock")
    for name in str(caught.value).partition("Way out: it has ")[2].split(", "):
        assert 1 == len(bread.hmget(name))


@tries("{} is a field, not its value")
def test_a_field_for_its_value(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    for field in (bread.stock, bread.price, bread.tags, bread.shelf, bread.sold, bread.notes, bread.pk):
        with told(ArgumentTypeError) as caught:
            bool(field)
        taken(field, str(caught.value))


@tries("{} has no {}: it is a field")
def test_an_attribute_of_its_value(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    for field in (bread.stock, bread.price, bread.tags, bread.shelf, bread.sold, bread.notes, bread.pk):
        with told(AttributeError) as caught:
            field.upper()
        taken(field, str(caught.value))


def taken(field: Any, message: str) -> None:
    """Call what *message* names of *field*."""
    call = ast.parse(message.partition("Way out: .")[2], mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    getattr(field, call.func.id)(*map(ast.literal_eval, call.args))


# Types of values.


@tries("{} is no type that fields know")
def test_no_type(told: Told, on: RedisDatabase) -> None:
    class Codec:
        def encode(self, value: Any) -> str:
            return f"{value.x}"

        def decode(self, stored: str) -> Point:
            return Point(int(stored))

    with told(ImplementationError) as caught:
        StringField(type=Point)
    assert "Way out: Json(Point), or a codec of your own" in str(caught.value)
    assert Point(1) == stores(on, StringField(type=Json(Point)), Point(1))
    with told(ImplementationError) as caught:
        StringField(type=Codec)  # type: ignore[arg-type]
    assert "Way out: an instance of it" in str(caught.value)
    assert Point(1) == stores(on, StringField(type=Codec()), Point(1))


@tries("Json({}) needs cattrs")
def test_without_cattrs(told: Told, on: RedisDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    class Spot(pydantic.BaseModel):
        x: int

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "cattrs.preconf.json", None)
        with told(ImportError):
            Json(Point)
        assert Spot(x=1) == stores(on, StringField(type=Json(Spot)), Spot(x=1))
    assert Point(1) == stores(on, StringField(type=Json(Point)), Point(1))  # it is installed here


@tries("keys of JSON are str")
def test_keys_of_json(told: Told, on: RedisDatabase) -> None:
    field = StringField(type=Json)
    with told(ArgumentTypeError):
        stores(on, field, {1: "x"})
    assert {"1": "x"} == stores(on, field, {str(1): "x"})


@tries("{} has members of {}")
def test_a_mixed_enum(told: Told, on: RedisDatabase) -> None:
    class Mixed(enum.Enum):
        A = 1
        B = "b"

    class Alike(enum.Enum):
        A = "a"
        B = "b"

    class Codec:
        def encode(self, value: Mixed) -> str:
            return json.dumps(value.value)

        def decode(self, stored: str) -> Mixed:
            return Mixed(json.loads(stored))

    with told(ImplementationError):
        StringField(type=Mixed)
    assert Alike.B is stores(on, StringField(type=Alike), Alike.B)
    assert Mixed.B is stores(on, StringField(type=Codec()), Mixed.B)


@tries("a float cannot hold all of its digits")
def test_an_int_that_no_float_holds(told: Told, on: RedisDatabase) -> None:
    number = 2**53 + 1
    with told(ArgumentError):
        stores(on, StringField(type=float), number)
    assert number == stores(on, StringField(type=int), number)


@tries("it is beyond what a float can hold. Way out")
def test_an_int_beyond_floats(told: Told, on: RedisDatabase) -> None:
    with told(ArgumentError):
        stores(on, StringField(type=float), 10**400)
    assert Decimal(10**400) == stores(on, StringField(type=Decimal), 10**400)


@tries("it is no integer. Way out")
def test_a_fraction(told: Told, on: RedisDatabase) -> None:
    with told(ArgumentError):
        stores(on, StringField(type=int), 1.5)
    assert 2 == stores(on, StringField(type=int), round(1.5))
    assert 1.5 == stores(on, StringField(type=float), 1.5)


@tries("a time with a zone has no order")
def test_a_time_with_zone(told: Told, on: RedisDatabase) -> None:
    noon = time(12, tzinfo=UTC)
    with told(ArgumentError):
        stores(on, StringField(type=time), noon)
    assert time(12) == stores(on, StringField(type=time), noon.replace(tzinfo=None))


@tries("DateTime: aware must be True or False")
def test_neither_aware_nor_not(told: Told, on: RedisDatabase) -> None:
    with told(TypeError):
        DateTime(aware=None)  # type: ignore[arg-type]
    for moment in (datetime(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC)):
        assert moment == stores(on, StringField(type=datetime), moment)


@tries("it must be a datetime {} time zone")
@pytest.mark.parametrize("aware", [True, False])
def test_the_other_kind_of_datetime(told: Told, on: RedisDatabase, aware: bool) -> None:
    field = StringField(type=DateTime(aware=aware))
    now, plain = datetime.now(UTC), datetime(2026, 1, 2)
    with told(ArgumentError) as caught:
        stores(on, field, plain if aware else now)
    assert str(caught.value).endswith(f"Way out: {'datetime.now(UTC)' if aware else '.replace(tzinfo=None)'}")
    right = datetime.now(UTC) if aware else now.replace(tzinfo=None)
    assert right == stores(on, field, right)


# Primary keys.


@tries("{} is the primary key and has no key of its own")
def test_the_key_of_a_primary_key(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with told(ImplementationError):
        bread.pk.key  # asked for
    assert ":product:1:stock" == bread.stock.key


@tries("{} is the primary key and cannot be changed")
def test_a_primary_key_that_is_changed(told: Told, on: RedisDatabase) -> None:
    bike = model_with(on, StringField(), id=PKField())
    one = bike(id="a")
    with told(ImplementationError):
        one.pk.set("b")
    assert "b" == bike(id="b").pk.get()


@tries("{} is the primary key and cannot be deleted")
def test_a_primary_key_that_is_deleted(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    with told(ImplementationError):
        bread.pk.delete()
    bread.delete()
    assert not stock.Product.exists("1")


@tries("{} takes no options, not {}. Way out")
def test_options_of_a_primary_key(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        PKField(unique=True)
    assert "a" == model_with(on, StringField(), id=PKField())(id="a").pk.get()
    assert UUID(int=1) == model_with(on, StringField(), id=PKField(type=UUID))(id=UUID(int=1)).pk.get()
    assert "1" == model_with(on, StringField(), id=AutoPKField())(field="x").pk.get()


# Two fields.


@tries("{} of {} takes a field of an object that is a {}, too")
def test_no_field_of_an_object(told: Told, on: RedisDatabase) -> None:
    model = model_with(on, SetField())
    here, other = model(field=["a"]), model(field=["a", "b"])
    for wrong in (other, {"a"}, model.field):
        with told(ArgumentTypeError) as caught:
            here.field.sinter(wrong)
        assert str(caught.value).endswith("Way out: other.field, where other is the object")
    assert {"a"} == here.field.sinter(other.field)


@tries("{} of {} takes a field on the same database")
def test_a_field_of_another_database(told: Told, server: Backend, on: RedisDatabase) -> None:
    here = model_with(on, SetField())(field=["a"])
    there = model_with(server.database(), SetField())(field=["b"])
    with told(ArgumentTypeError):
        here.field.smove(there.field, "a")
    assert (True, 1, 1) == (here.field.sismember("a"), there.field.sadd("a"), here.field.srem("a"))


@tries("{} of {} takes a field that holds the same")
def test_a_field_of_another_type(told: Told, on: RedisDatabase) -> None:
    bike = model_with(on, ListField(type=int), text=ListField())(field=[1], text=["x"])
    with told(ArgumentTypeError):
        bike.field.lmove(bike.text)
    bike.text.rpush(str(bike.field.lpop()))
    assert ["x", "1"] == bike.text.lrange(0, -1)
