"""Fields and models that were declared once, or are in another program: what the docs say of them."""

from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import ArgumentError, InstanceHashField, RedisModel, Session, SetField, StringField
from uowredis.contrib.related import FKInstanceHashField, RelatedModel


def cars(server: Backend) -> Any:
    """A car of last year, seen by the model of today, which has lost all fields but its name."""

    class Before:
        class Car(RedisModel):
            database = server.database()
            name = InstanceHashField(indexable=True)
            color = InstanceHashField(indexable=True)
            note = StringField(indexable=True)
            tags = SetField()

    class Car(RedisModel):
        database = server.database()
        name = InstanceHashField(indexable=True)

    Before.Car(name="n", color="red", note="x", tags=["t"])
    return Car


def test_what_the_hash_still_holds(server: Backend) -> None:
    """The hash is shown as it is, before and over what is pending; by name only what is declared is reached."""
    car = cars(server)(1)
    assert ({"name": "n", "color": "red"}, 2) == (car.hgetall(), car.hlen())
    for reach in (lambda: car.hmget("color"), lambda: car.hmset(color="x"), lambda: car.hdel("color")):
        with pytest.raises(ArgumentError, match="'color'"):
            reach()
    with Session(type(car).database) as session:
        car.name.hset("m")
        assert {"name": "m", "color": "red"} == car.hgetall()
        session.commit()
    assert [{"pk": "1", "name": "m"}] == list(type(car).collection().values())


def test_what_a_deletion_leaves(server: Backend) -> None:
    """The keys and index entries of what is declared go; those of former fields stay."""
    cars(server)(1).delete()
    assert {b":car:max_pk", b":car:1:note", b":car:1:tags", b":car:color:red", b":car:note:x"} == set(server.dump())


def test_references_of_another_program(server: Backend) -> None:
    """Who is not declared here keeps its reference to what is deleted here."""

    class Owner(RelatedModel):
        database = server.database()
        name = InstanceHashField()

    class Elsewhere:
        class Owner(RelatedModel):
            database = server.database()
            name = InstanceHashField()

    class Car(RelatedModel):
        database = Elsewhere.Owner.database
        owner = FKInstanceHashField(Elsewhere.Owner)

    owner = Owner(name="ann")
    car = Car(owner=owner.pk.get())
    owner.delete()
    assert ("1", {"1"}) == (car.owner.hget(), set(Car.collection(owner="1")))
    with pytest.raises(LookupError):
        car.owner.instance()
