"""What is in one place is what one server is, on a real cluster: the same said there gives the same, and leaves it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from tests.cluster.test_places import declare
from tests.tools.backends import Real, is_data
from tests.tools.cluster import BUS, Cluster
from tests.tools.servers import RealServer
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    CrossPlace,
    DoesNotExist,
    ImplementationError,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    StringField,
    UniquenessError,
    Unreachable,
    aio,
)
from uowredis.contrib.database import PipelineDatabase
from uowredis.executor.urls import read
from uowredis.maintenance import check, repair
from uowredis.maintenance.rename import rename
from uowredis.schema.keys import slot_of

COLORS = ("red", "blue", "green")


def said(shop: SimpleNamespace) -> list[Any]:
    """Say much of what can be said, in sessions and outside; return all that was answered."""
    found: list[Any] = []
    with Session(shop.db) as s:
        ann, bob = shop.rider(name="ann"), shop.rider(name="bob")
        bikes = [
            shop.bike(
                name=f"b{at}", price=at, tags=COLORS[at % 3], note=f"n{at}", owner=(ann, bob)[at % 2], riders=[ann]
            )
            for at in range(12)
        ]
        found.append(sorted(shop.bike.collection(price__gt=3, price__lte=7).values_list("name", flat=True)))
        found.append(len(s.plan().steps))
        s.commit()
    first = bikes[0]
    found += [first.price.hincrby(5), first.note.append("!"), first.tags.sadd("new"), first.ranks.zadd(a=1.5)]
    found += [first.tags.smembers(), first.ranks.zrange(0, -1, withscores=True), first.hgetall()]
    bikes_of = shop.bike.collection
    found += [len(bikes_of()), bikes_of()[2:5], list(bikes_of().sort("name", alpha=True)[:3])]
    found.append(list(bikes_of(tags="red").sort("-price").values("name", "price")))
    found.append(list(bikes_of().sort("price").values_list("name", "price", "owner")[3:6]))
    wide = ("name", "tags", "owner__name")
    found.append(list(bikes_of().sort("price").values_list(*wide)[3:6]))
    found.append([dict(each.loaded) for each in bikes_of(price__lt=4).sort("price").instances(load=wide)])
    found += [(page, page.total) for page in (bikes_of().sort("price").values(*wide).page(0, 2), bikes_of().page(1, 2))]
    found.append(sorted(bikes_of(name__in=["b1", "b2"]) | bikes_of(price=11)))
    found.append(sorted(bikes_of().exclude(tags="red")))
    found.append([each.pk.get() for each in bikes_of(price__lt=4).sort("price").instances()])
    found += [bikes_of(name="b4").first(), bikes_of(name="none").exists(), shop.bike.get(name="b3").pk.get()]
    found += [sorted(ann.bike_set()), sorted(bob.bike_set()), len(ann.rides()), first.owner.instance().name.hget()]
    found.append(sorted(bikes_of(tags="blue").store("{shop}:stored").values_list("name", flat=True)))
    with pytest.raises(UniquenessError):
        shop.rider(name="ann")
    with pytest.raises(DoesNotExist):
        shop.bike("99")
    with Session(shop.db, watch_reads=True) as s:
        total = sum(int(each.price.hget()) for each in bikes)
        first.price.hset(total)
        s.commit()
    found.append(shop.db.run(lambda s: first.price.hget()))
    bob.delete()
    found += [bikes[1].owner.hget(), sorted(bikes_of(price__gte=6)), to_dict(bikes[2])]
    bikes[3].delete()
    found.append(sorted(bikes_of()))
    with Session(shop.db) as s:
        moved = bikes[4].tags.smove(bikes[5].tags, COLORS[1])
        found.append(sorted(bikes[5].tags.sunion(bikes[4].tags)))
        s.commit()
    found += [moved.result, bikes[5].tags.smove(bikes[4].tags, COLORS[1]), sorted(bikes[4].tags.sinter(bikes[1].tags))]
    return [str(sorted(each) if isinstance(each, set) else each) for each in found]


def to_dict(bike: Any) -> dict[str, Any]:
    return {name: sorted(held) if isinstance(held, set) else held for name, held in bike.to_dict().items()}


def data(dump: dict[bytes, Any]) -> set[bytes]:
    return {key for key in dump if is_data(key)}


def test_it_is_as_on_one_server(cluster: Cluster, real: Real) -> None:
    """Each answer, and each key that is left."""
    there, here = declare(cluster), declare(real)
    assert said(here) == said(there)
    left = data(cluster.dump())
    assert data(real.dump()) == left
    assert 10 < len(left)
    for model in (there.bike, there.rider):
        assert [] == list(check(model))


def test_places_are_on_different_nodes(cluster: Cluster) -> None:
    """Reads go to each; a commit is in one place."""
    shop = declare(cluster)
    bike, cat = shop.bike(name="b"), shop.cat(name="c")
    cluster.move(slot_of("zoo"), (cluster.having(slot_of("shop")) + 1) % 3)
    with Session(shop.db) as s:
        bike.name.hset("d")
        assert ("d", "c", ["1"]) == (bike.name.hget(), cat.name.hget(), list(shop.cat.collection(name="c")))
        s.commit()
        cat.name.hset("e")
        s.commit()
    assert ["1"] == list(shop.cat.collection(name="e"))
    with Session(shop.db, on_pending="discard") as s:
        bike.name.hset("f")
        cat.name.hset("f")
        with pytest.raises(CrossPlace):
            s.commit()
    assert ("d", "e") == (bike.name.hget(), cat.name.hget())


def test_a_value_that_looks_like_a_key_brings_no_other_place(cluster: Cluster) -> None:
    """What is to be learned of another place is read beside keys of that place alone."""
    shop = declare(cluster)
    bike = shop.bike(name="b")
    shop.cat.collection()
    with Session(shop.db, watch_reads=True) as s:
        assert not bike.tags.sismember("{zoo}:cat:1")
        bike.tags.sadd("{zoo}:cat:1")
        s.commit()
    assert {"{zoo}:cat:1"} == bike.tags.smembers()


def test_what_is_watched_is_in_one_place(cluster: Cluster) -> None:
    """Two places have no common moment to watch."""
    shop = declare(cluster)
    bike, cat = shop.bike(name="b"), shop.cat(name="c")
    with Session(shop.db, watch_reads=True, on_pending="discard") as s:
        bike.name.hget()
        with pytest.raises(CrossPlace, match=r"\{shop\}:ns:bike:1.*\{zoo\}:cat:1"):
            cat.name.hget()
        bike.name.hset("d")
        s.commit()
    assert "d" == bike.name.hget()
    with Session(shop.db, on_pending="discard") as s, pytest.raises(CrossPlace, match=r"\{shop\}.*\{zoo\}"):
        s.watch(bike.name, cat.name)


def test_a_pipeline_is_in_one_place(cluster: Cluster) -> None:
    """Queries whose values are read key by key are asked when it is executed."""

    class Pipelined:
        def database(self) -> PipelineDatabase:
            return cluster._opened.enter_context(PipelineDatabase.from_url(cluster.url))

    shop: Any = declare(Pipelined())  # type: ignore[arg-type]
    shop.bike(name="a", price=3)
    with shop.db.pipeline() as pipe:
        made = shop.bike(name="b", price=4)
        names = shop.bike.collection(price__gte=3).sort("price").values_list("name", flat=True)
        shop.bike("1").price.hincrby(1)
        pipe.execute()
    assert ["a", "b"] == sorted(names)
    assert [4, 4] == [each.price.hget() for each in (shop.bike("1"), made)]


def test_plans_and_explanations_name_the_node(cluster: Cluster, real: Real) -> None:
    """It is where the slot is by then."""
    shop, slot = declare(cluster), slot_of("shop")
    for _ in range(2):
        at = cluster.masters[cluster.having(slot)]
        words = f"; place {{shop}}, slot {slot} at {at.host}:{at.port}"
        with Session(shop.db, on_pending="discard") as s:
            shop.bike(name="a")
            assert words in str(s.plan()).partition("\n")[0]
        assert words in str(shop.bike.collection(name="a").explain()).partition("\n")[0]
        cluster.move(slot, (cluster.having(slot) + 1) % 3)
    here = declare(real)
    assert "query: 1 round trip; place {shop}, slot 3808\n" in str(here.bike.collection(name="a").explain())


def test_sets_of_another_place_are_fetched(cluster: Cluster) -> None:
    """No command reads keys of two places; the answer is what it would be."""
    shop = declare(cluster)
    bikes = [shop.bike(name=f"b{at}", price=at) for at in range(4)]
    elsewhere = shop.db.connection
    elsewhere.sadd("{zoo}:some", "2", "3", "9")
    elsewhere.zadd("{zoo}:scored", {"3": 1, "1": 2})
    elsewhere.rpush("{zoo}:listed", "3", "4")

    class Basket(RedisModel):
        database = shop.db
        place = "zoo"
        bikes = SetField()

    basket = Basket(bikes=["2", "4"])

    def found(given: Any) -> Any:
        return shop.bike.collection().intersect(given)

    assert ["2", "3"] == sorted(found("{zoo}:some"))
    assert ["1", "3"] == sorted(found("{zoo}:scored"))
    assert ["3", "4"] == sorted(found("{zoo}:listed"))
    assert ["2", "4"] == sorted(found(basket.bikes))
    assert ["2", "3", "1"] == list(shop.bike.collection(price__lt=3).sort(by_score="{zoo}:scored"))
    assert bikes[1] in shop.bike.collection().intersect(basket.bikes).instances()


def test_values_are_read_key_by_key(cluster: Cluster, real: Real) -> None:
    """SORT gets nothing by patterns of what has moved already, without a word; on one server it does the work."""
    there, here = declare(cluster), declare(real)
    for shop, sorts in ((there, False), (here, True)):
        shop.bike(name="a", price=3)
        asked = str(shop.bike.collection(tags="red").sort("price").values("name").explain())
        assert sorts is (" GET " in asked or " BY " in asked)


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_a_query_is_right_or_refused_while_its_slot_moves(cluster: Cluster, moved: int) -> None:
    """However much of it is elsewhere by then, no answer lacks something."""
    shop = declare(cluster)
    shop.db.connect(cluster=[f"{node.host}:{node.port}" for node in cluster.masters])
    for at in range(3):
        shop.bike(name=f"b{at}", price=at)
    slot = slot_of("shop")
    to = (cluster.having(slot) + 1) % 3
    impatient = declare_again(cluster)
    questions: list[Callable[[], Any]] = [
        lambda: list(impatient.bike.collection().sort("price").values_list("name", "price")),
        lambda: sorted(impatient.bike.collection(price__gte=1)),
        lambda: len(impatient.bike.collection()),
    ]
    expected = [question() for question in questions]
    cluster.begin_move(slot, to)
    cluster.move_keys(slot, to, moved * 3)
    reasons: list[str] = []
    try:
        for question, answer in zip(questions, expected, strict=True):
            try:
                found = question()
            except Unreachable as refused:
                reasons.append(str(refused))
            else:
                assert answer == found
    finally:
        cluster.move_keys(slot, to)
        cluster.end_move(slot, to)
    assert expected == [question() for question in questions]
    assert all("TRYAGAIN" in reason or "ASK" in reason for reason in reasons)


def declare_again(cluster: Cluster) -> SimpleNamespace:
    """Declare the same on a database that gives up soon."""

    class Impatient:
        def database(self) -> RedisDatabase:
            return cluster.database(settle_for=0.5)

    return declare(Impatient())  # type: ignore[arg-type]


def test_a_model_without_place_is_refused(cluster: Cluster) -> None:
    """When it is first used; nothing is sent, and both ways out work."""
    shop = declare(cluster, cat=None)
    for use in (
        lambda: shop.cat(name="c"),
        lambda: len(shop.cat.collection()),
        lambda: shop.cat.get("1"),
        lambda: list(check(shop.cat)),
        lambda: list(repair(shop.cat)),
        lambda: rename(shop.cat, "name", "label"),
    ):
        with pytest.raises(ImplementationError, match=r"Cat has no place, and .* is a Redis Cluster"):
            use()
    with Session(shop.db, on_pending="discard"), pytest.raises(ImplementationError):
        shop.cat(name="c")
    assert {} == cluster.dump()


def test_check_and_repair_go_by_the_place(cluster: Cluster) -> None:
    """A ghost in an index is found where it is, and taken away."""
    shop = declare(cluster)
    shop.bike(name="a")
    shop.db.connection.sadd("{shop}:ns:bike:name:ghost", "7")
    (ghost,) = check(shop.bike)
    assert "ghost" in str(ghost)
    list(repair(shop.bike))
    assert [] == list(check(shop.bike))
    assert 0 == shop.db.connection.exists("{shop}:ns:bike:name:ghost")


@pytest.mark.parametrize("place", ["b-c", "a?b", "[x]", "a\\b"])
def test_check_finds_places_that_patterns_escape(cluster: Cluster, place: str) -> None:
    """SCAN goes to the node that has the place, however its pattern spells it."""
    shop = declare(cluster, cat=place)
    shop.cat(name="c")
    shop.db.connection.sadd(f"{{{place}}}:cat:name:ghost", "7")
    (ghost,) = check(shop.cat)
    assert "ghost" in str(ghost)


@pytest.mark.parametrize("changed", [False, True])
def test_what_is_watched_moves_between_two_reads(cluster: Cluster, changed: bool) -> None:
    """It is watched where it is by then; `run()` begins anew only where it has changed."""
    shop, slot = declare(cluster), slot_of("shop")
    bikes = [shop.bike(name=f"b{at}", price=at) for at in range(3)]
    elsewhere = shop.db.connection
    called: list[int] = []

    def add(session: Session) -> None:
        first = bikes[0].price.hget()
        called.append(first)
        if len(called) == 1:
            cluster.move(slot, (cluster.having(slot) + 1) % 3)
            if changed:
                elsewhere.hset(bikes[0].price.key, "price", "10")
        bikes[2].price.hset(first + bikes[1].price.hget())

    shop.db.run(add)
    assert ([0, 10] if changed else [0]) == called
    assert (11 if changed else 1) == bikes[2].price.hget()


def test_a_node_that_does_not_tell_is_passed_over(cluster: Cluster) -> None:
    """One that may not, or is still loading; one that was taken out of the cluster; one that answers nothing."""
    (first, second), slot = cluster.masters[:2], slot_of("shop")
    while cluster.having(slot) == 0:
        cluster.move(slot, 1)
    with RealServer.start("--cluster-enabled", "yes", highest=65_535 - BUS) as lonely, first.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-cluster")
        try:
            for node in (first, lonely):
                named = [f"{each.host}:{each.port}" for each in (node, second)]
                with RedisDatabase(cluster=named) as database:
                    for _ in range(3):
                        declare(SimpleNamespace(database=lambda on=database: on)).rider.collection().first()  # type: ignore[arg-type]
                        database._executor.look()  # type: ignore[attr-defined]
        finally:
            client.execute_command("ACL", "SETUSER", "default", "+cluster")


def test_a_node_that_does_not_know_its_name(cluster: Cluster) -> None:
    """It is where it was asked, whoever was named first."""
    node = cluster.masters[1]
    with node.client() as client:
        try:
            client.config_set("cluster-preferred-endpoint-type", "unknown-endpoint")
        except redis.ResponseError:
            pytest.skip("nodes know their names before Redis 7.0")
        try:
            assert {None} == {entry[2][0] for entry in client.execute_command("CLUSTER", "SLOTS")}
            with RedisDatabase(cluster=["nowhere.invalid:1", f"{node.host}:{node.port}"]) as database:
                shop = declare(SimpleNamespace(database=lambda: database))  # type: ignore[arg-type]
                assert "a" == shop.bike(name="a").name.hget()
        finally:
            client.config_set("cluster-preferred-endpoint-type", "ip")


# What names a cluster.


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("redis+cluster://a:1,b:2", {"cluster": ["a:1", "b:2"]}),
        ("redis+cluster://a", {"cluster": ["a:6379"]}),
        ("valkey+cluster://a,b:2/", {"cluster": ["a:6379", "b:2"]}),
        ("redis+cluster://[::1]:7,a:1", {"cluster": ["[::1]:7", "a:1"]}),
        ("redis+cluster://[::1]", {"cluster": ["[::1]:6379"]}),
        ("rediss+cluster://u:p%40@a:1", {"cluster": ["a:1"], "ssl": True, "username": "u", "password": "p@"}),
        ("redis+cluster://:p@a:1?max_connections=3", {"cluster": ["a:1"], "password": "p", "max_connections": "3"}),
    ],
)
def test_a_url_names_nodes(url: str, settings: dict[str, Any]) -> None:
    assert settings == read(url)
    with RedisDatabase.from_url(url) as database:
        assert repr(database).startswith("<RedisDatabase the cluster at ")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: RedisDatabase.from_url("redis+cluster://a:1/2"), ImplementationError),
        (lambda: RedisDatabase.from_url("redis+cluster://a:x"), ArgumentError),
        (lambda: RedisDatabase(cluster=["a"]), ArgumentError),
        (lambda: RedisDatabase(cluster=["a:0"]), ArgumentError),
        (lambda: RedisDatabase(cluster="a:1"), ArgumentTypeError),
        (lambda: RedisDatabase(cluster=[]), ArgumentTypeError),
        (lambda: RedisDatabase(cluster=["a:1"], host="b"), ImplementationError),
        (lambda: RedisDatabase(cluster=["a:1"], db=1), ImplementationError),
        (lambda: RedisDatabase.embedded(cluster=["a:1"]), ImplementationError),
        (lambda: aio.RedisDatabase(cluster=["a:1"]), ImplementationError),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"cluster|redis\+cluster"):
        make()


def test_one_server_is_no_cluster(real: Real) -> None:
    """It says so at the first command."""

    class Bike(RedisModel):
        database = RedisDatabase(cluster=[f"{real.server.host}:{real.server.port}"])
        place = "shop"
        name = StringField()

    with pytest.raises(ImplementationError, match=r"is no node of a cluster: .*Way out: RedisDatabase\(host="):
        Bike(name="a")
    Bike.database.close()
