"""What the planner, and reads over pending writes, refuse names a way out, and each is taken here as it is named."""

from typing import Any

import pytest

from tests.session.doors import Stock
from tests.tools.backends import Backend, Real
from tests.tools.ways_out import Told, tries
from tests.ways_out.test_sessions import in_thread
from uowredis import (
    CommitError,
    DoesNotExist,
    HashField,
    InstanceHashField,
    PendingWrites,
    RedisDatabase,
    Rejected,
    Session,
    SessionError,
    SetField,
    UniquenessError,
    UowError,
)
from uowredis.contrib.related import CASCADE, RESTRICT, FKInstanceHashField, RelatedModel


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


def rooms(on: RedisDatabase, **options: Any) -> tuple[Any, Any]:
    """Declare houses, and rooms that refer to them."""

    class House(RelatedModel):
        database = on
        name = InstanceHashField(indexable=True)

    class Room(RelatedModel):
        database = on
        name = InstanceHashField()
        house = FKInstanceHashField(House, related_name="rooms", **options)

    return House, Room


# What follows from what was said.


@tries("{}.{} would refer to {} <{}>")
def test_a_reference_to_what_is_not_there(told: Told, on: RedisDatabase) -> None:
    house, room = rooms(on, check=True)
    with told(DoesNotExist):
        room(house="7")
    room(house=house(name="x"))
    with on.begin():
        room(house=house(name="y"))
    assert [["2"], ["3"]] == [list(room.collection(house=pk)) for pk in ("1", "2")]


@tries("{} cannot be deleted: {} refer to it")
def test_a_restricted_deletion(told: Told, on: RedisDatabase) -> None:
    house, room = rooms(on, on_delete=RESTRICT)
    one, other = house(name="x"), house(name="y")
    hall, attic = room(house=one), room(house=one)
    with told(CommitError):
        one.delete()
    with on.begin():
        hall.delete()
        attic.house.hset(other)
        one.delete()
    assert ["2"] == list(house.collection())


@tries("{} and {} claims {}")
def test_a_value_that_is_taken(told: Told, stock: Stock) -> None:
    with pytest.raises(UniquenessError) as caught:
        stock.Product(name="bread")
    told.sees(*caught.value.__notes__)
    assert "milk" == stock.Product(name="milk").name.hget()
    assert "1" == stock.Product.get(name="bread").pk.get()


@tries("{} was given as a value and refers to nothing")
def test_a_value_that_refers_to_nothing(told: Told, on: RedisDatabase) -> None:
    house, room = rooms(on)
    empty, full = room(name="a"), room(name="b", house=house(name="x"))
    with told(UowError), on.begin():
        full.house.hset(empty.house)
    with on.begin():
        room(name="c")  # left out
        empty.house.hset(house("1"))
    assert {"1", "2"} == set(room.collection(house="1"))


@tries("{} depends on what is there")
def test_more_than_is_rehearsed(told: Told, on: RedisDatabase) -> None:
    class Shelf(RelatedModel):
        database = on
        names = SetField(indexable=True)

    shelf = Shelf(names=map(str, range(30)))
    with Session(on, rehearsal_limit=20) as session:
        shelf.names.spop(2)
        with told(UowError):
            session.commit()
        session.rollback()
    with Session(on, rehearsal_limit=30) as session:
        shelf.names.spop(2)
        session.commit()
    shelf.names.spop(2)
    assert 26 == shelf.names.scard()


@tries("{} would fail: {}")
def test_a_command_that_would_fail(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    bread.code.set("abc")
    with told(UowError):
        bread.code.incr()
    if not (bread.code.get() or "0").isdecimal():
        bread.code.set(0)
    assert 1 == bread.code.incr()


@tries("{} counts primary keys of {} that are there already")
def test_a_counter_that_was_lost(told: Told, server: Backend, stock: Stock) -> None:
    for name in "abc":
        stock.Product(name=name)
    with server.client() as client:
        client.delete(":product:max_pk")
        with told(Rejected):
            stock.Product(name="d")
        (highest,) = client.execute_command("SORT", ":product:collection", "LIMIT", 0, 1, "DESC")
        client.set(":product:max_pk", highest)
    assert "5" == stock.Product(name="d").pk.get()


# Plans that are too large.


@tries("the plan has {} steps or more")
def test_too_many_steps(told: Told, stock: Stock) -> None:
    db = stock.database
    with Session(db, max_steps=5) as session:
        for number in range(6):
            stock.Product("1").shelf.rpush(number)
        with told(UowError):
            session.commit()
        session.rollback()
        for batch in (range(3), range(3, 6)):
            for number in batch:
                stock.Product("1").shelf.rpush(number)
            session.commit()
    with Session(db, max_steps=6) as session:
        for number in range(6):
            stock.Product("1").shelf.rpush(number)
        session.commit()
    assert 12 == stock.Product("1").shelf.llen()


@tries("the plan watches more than {} keys and is too large for one script")
def test_too_large_for_a_script(told: Told, real: Real) -> None:
    db = real.database(max_watched=0)
    stock = Stock(db)
    bread = stock.Product(name="bread")
    many = list(map(str, range(9_000)))
    with Session(db) as session:
        bread.tags.sadd(*many)
        bread.code.set("x")
        with told(UowError):
            session.commit()
        session.rollback()
        for batch in (many[:4_500], many[4_500:]):
            bread.tags.sadd(*batch)
            bread.code.set("x")
            session.commit()
    assert 9_000 == bread.tags.scard()


@tries("the plan watches more than {} keys and scripts are off")
def test_scripts_are_off(told: Told, real: Real) -> None:
    db = real.database(max_watched=4, scripts=False)
    stock = Stock(db)
    products = [stock.Product(name=name) for name in "abc"]
    with Session(db) as session:
        for product in products:
            product.color.hset("red")
        with told(UowError):
            session.commit()
        session.rollback()
        for product in products:
            product.color.hset("red")
            session.commit()
    assert 3 == len(stock.Product.collection(color="red"))


# Reads over what is pending.


@tries("{} is created by a session that is open elsewhere")
def test_an_object_of_another_session(told: Told, stock: Stock) -> None:
    with Session(stock.database) as session:
        cake = stock.Product(name="cake")

        def refused() -> None:
            with told(SessionError):
                cake.name.hget()

        def used() -> None:
            with session.use():
                assert "cake" == cake.name.hget()

        in_thread(refused)
        in_thread(used)
        session.commit()
        in_thread(lambda: cake.price.hset(3))
    assert "3" == cake.price.hget()


@tries("{} {}; nothing was sent")
def test_an_object_that_was_deleted(told: Told, stock: Stock) -> None:
    bread = stock.Product("1")
    bread.delete()
    with told(DoesNotExist):
        bread.price.hset(3)
    assert "3" == stock.Product(name="bread", price=3).price.hget()


@tries("{} cannot be given as a value before the commit")
def test_a_value_that_is_pending(told: Told, on: RedisDatabase) -> None:
    house, room = rooms(on)
    one, other = room(name="a", house=house(name="x")), room(name="b")
    with Session(on) as session:
        one.house.hsetnx("7")
        with told(PendingWrites):
            other.house.hset(one.house)
        other.house.hset(one.house.hget())  # read, and given
        session.commit()
        one.house.hsetnx("7")
        session.commit()
        other.house.hset(one.house)
        session.commit()
    assert "1" == other.house.hget()


@tries("What is deleted with others cannot be known")
def test_what_goes_along(told: Told, server: Backend, on: RedisDatabase) -> None:
    class House(RelatedModel):
        database = on
        name = InstanceHashField(indexable=True)

    class Room(RelatedModel):
        database = on
        name = InstanceHashField(indexable=True)
        house = FKInstanceHashField(House, related_name="rooms", on_delete=CASCADE)

    class Chair(RelatedModel):
        database = on
        room = FKInstanceHashField(Room, related_name="chairs", on_delete=RESTRICT)

    one = House(name="x")
    hall, attic = Room(name="hall", house=one), Room(name="attic")
    chair = Chair(room=hall)
    with Session(on) as session:
        one.delete()
        with told(PendingWrites):
            list(Room.collection(name="attic"))
        session.rollback()
        chair.room.hset(attic)
        session.commit()
        one.delete()
        session.commit()
        assert ["2"] == list(Room.collection(name="attic"))


@tries("{} cannot be answered before the commit: only Redis can know")
def test_what_only_redis_knows(told: Told, on: RedisDatabase) -> None:
    class Shelf(RelatedModel):
        database = on
        names = SetField()

    shelf = Shelf(names=["a", "b"])
    with Session(on) as session:
        assert 2 == shelf.names.scard()
        shelf.names.spop()
        with told(PendingWrites):
            shelf.names.smembers()
        session.commit()
        assert 1 == len(shelf.names.smembers())


@tries("{} cannot be answered before the commit: its key holds")
def test_a_read_of_too_much(told: Told, on: RedisDatabase) -> None:
    class Shelf(RelatedModel):
        database = on
        parts = HashField()

    shelf = Shelf(parts={f"{n}": n for n in range(30)})
    with Session(on, rehearsal_limit=20) as session:
        shelf.parts.hincrby("1", 1)
        with told(PendingWrites):
            shelf.parts.hgetall()
        session.commit()
        assert "2" == shelf.parts.hgetall()["1"]
    with Session(on, rehearsal_limit=30) as session:
        shelf.parts.hincrby("1", 1)
        assert "3" == shelf.parts.hgetall()["1"]
        session.commit()


@tries("The values sorted by are not numbers")
def test_sorted_text(told: Told, stock: Stock) -> None:
    stock.Product(name="cake")
    with told(Rejected):
        list(stock.Product.collection().sort(by="name"))
    assert ["1", "2"] == list(stock.Product.collection().sort(by="name", alpha=True))
