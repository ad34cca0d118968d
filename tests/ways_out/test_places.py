"""What is refused of places names a way out, and each is taken here as it is named."""

import asyncio
from typing import Any

import pytest

from tests.cluster.test_places import declare
from tests.tools.backends import Backend, Real
from tests.tools.cluster import Cluster
from tests.tools.ways_out import Told, tries
from uowredis import CrossPlace, ImplementationError, InstanceHashField, RedisDatabase, RedisModel, Session, aio
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


# On a cluster.


@tries("{} has no place, and {} is a Redis Cluster")
def test_a_model_without_place(told: Told, cluster: Cluster, server: Backend) -> None:
    cat = declare(cluster, cat=None).cat
    with told(ImplementationError):
        cat(name="c")
    declare(cluster, cat="zoo").cat(name="c")
    declare(server, cat=None).cat(name="c")


@tries("{}:{} is no node of a cluster")
def test_one_server(told: Told, real: Real) -> None:
    def named(**where: Any) -> Any:
        fields = {"database": RedisDatabase(**where), "place": "shop", "name": InstanceHashField()}
        return type("Bike", (RedisModel,), fields)

    with told(ImplementationError) as caught:
        named(cluster=[f"{real.server.host}:{real.server.port}"])(name="b")
    where = str(caught.value).partition("Way out: RedisDatabase(")[2].removesuffix(")")
    assert "b" == named(**eval(f"dict({where})"))(name="b").name.hget()


@tries("What is watched and read for one commit is in several places")
def test_two_places_watched(told: Told, cluster: Cluster) -> None:
    shop = declare(cluster)
    bike, cat = shop.bike(name="b"), shop.cat(name="c")
    with Session(shop.db, watch_reads=True) as s:
        bike.name.hget()
        with told(CrossPlace):
            cat.name.hget()
    for each in (bike, cat):
        with Session(shop.db, watch_reads=True) as s:
            each.name.hset(each.name.hget() + "!")
            s.commit()
    with Session(shop.db, watch_reads=False) as s:
        bike.name.hset(cat.name.hget())
        s.commit()
    assert "c!" == bike.name.hget()


@tries("uowredis.aio takes neither cluster")
def test_a_cluster_on_asyncio(told: Told, cluster: Cluster) -> None:
    with told(ImplementationError):
        aio.RedisDatabase.from_url(cluster.url)
    shop = declare(cluster)

    async def made() -> Any:
        return await asyncio.to_thread(lambda: shop.cat(name="c"))

    assert "c" == asyncio.run(made()).name.hget()


@tries("RedisDatabase(sentinels=[...], service=...) are given together")
@pytest.mark.parametrize("given", [{"sentinels": ["a:1"]}, {"service": "mymaster"}])
def test_half_of_sentinels(told: Told, given: dict[str, Any]) -> None:
    with told(ImplementationError) as caught:
        RedisDatabase(**given)
    words = str(caught.value).partition("Way out: ")[2]
    assert words == "service='mymaster', as the sentinels call it, and sentinels=['host:port', ...]"
    RedisDatabase(service="mymaster", sentinels=["a:1"]).close()


@tries("the name of the service is missing")
def test_a_url_without_service(told: Told) -> None:
    with told(ImplementationError):
        RedisDatabase.from_url("redis+sentinel://a:1")
    RedisDatabase.from_url("redis+sentinel://a:1/mymaster/0").close()


@tries("a cluster has no db but 0")
def test_a_db_of_a_cluster(told: Told, cluster: Cluster) -> None:
    with told(ImplementationError):
        RedisDatabase.from_url(f"{cluster.url}/1")
    with RedisDatabase.from_url(cluster.url) as database:
        assert database.connection.ping()
