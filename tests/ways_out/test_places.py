"""What is refused of places names a way out, and each is taken here as it is named."""

import pytest

from tests.cluster.test_places import declare
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import CrossPlace, ImplementationError, InstanceHashField, RedisModel, Session
from uowredis.contrib.related import RelatedModel


@tries("One commit is on objects of {} places")
def test_two_places(told: Told, server: Backend) -> None:
    shop = declare(server)
    with Session(shop.db, on_pending="discard") as s:
        shop.bike(name="b")
        shop.cat(name="c")
        with told(CrossPlace):
            s.commit()
    for model in (shop.bike, shop.cat):
        with Session(shop.db) as s:
            model(name="x")
            s.commit()
    together = declare(server, cat="shop")
    with Session(together.db) as s:
        together.bike(name="b")
        together.cat(name="c")
        s.commit()


@tries("{} refers to {}, which is {}, from {}")
def test_a_relation_to_another_place(told: Told, server: Backend) -> None:
    with told(ImplementationError):
        declare(server, bike="zoo")
    shop = declare(server, bike="zoo", rider="zoo")
    assert [] == list(shop.rider(name="ann").bike_set())

    class Offer(RelatedModel):
        database = shop.db
        place = "shop"
        bike = InstanceHashField(indexable=True)

    bike = shop.bike(name="b")
    offer = Offer(bike=bike.pk.get())
    assert [offer] == list(Offer.collection(bike=bike.pk.get()).instances())


@tries("The place of {} is text")
def test_a_place_of_another_type(told: Told, server: Backend) -> None:
    with told(ImplementationError) as caught:
        type("Bike", (RedisModel,), {"database": server.database(), "place": 7})
    assert str(caught.value).endswith("Way out: place = '7'")
    assert "7" == type("Bike", (RedisModel,), {"database": server.database(), "place": "7"}).place


@tries("The place of {} cannot be {}")
@pytest.mark.parametrize("place", ["", "a{b", "a}b", "a*", "a\nb"])
def test_a_place_that_cannot_be(told: Told, server: Backend, place: str) -> None:
    with told(ImplementationError) as caught:
        type("Bike", (RedisModel,), {"database": server.database(), "place": place})
    assert str(caught.value).endswith("place = 'shop'")
    model = type("Bike", (RedisModel,), {"database": server.database(), "place": "shop", "name": InstanceHashField()})
    assert "{shop}:bike:1:hash" == model(name="b").name.key
