"""Every way to read, with what another client changes of it, and what it changes beside it."""

from collections.abc import Callable
from typing import Any

import attrs

from tests.models import groups
from tests.session.doors import Stock
from uowredis import RedisDatabase
from uowredis.contrib.collection import SORTED_SCORE

Act = Callable[["World"], Any]


class World(Stock):
    """Products, persons, and groups of persons, as one client has them."""

    def __init__(self, on: RedisDatabase) -> None:
        super().__init__(on)

        models = groups(on, chosen=True)
        self.Person, self.Group = models.person, models.group
        self.client = on.connection

    def fill(self) -> None:
        """Store what the ways read."""
        with self.database.begin():
            self._say()
        self.client.sadd("a set", "ann")

    def _say(self) -> None:
        self.Product(
            name="bread",
            kind="food",
            price=3,
            stock=5,
            code="A",
            tags=["a", "b"],
            shelf=["x", "y", "x"],
            sold={"ann": 1, "bob": 2},
            notes={"n": 1, "m": 2},
        )
        self.Product(name="milk", kind="food", price=2, stock=4, code="B", tags=["a"])
        self.Product(name="saw", kind="tool", price=9, stock=0)
        for name, city, age in (("ann", "Bern", 40), ("bob", "Paris", 30), ("cid", "Paris", 20)):
            self.Person(login=name, city=city, age=age)
        both, given = ["ann", "bob"], {"ann": 1, "bob": 2}
        self.Group(name="n", key="ann", entry="ann", members=both, history=both, scores=given)
        self.Group(name="n", key="bob", entry="bob")

    def one(self, pk: str = "1") -> Any:
        """Return a product, not looked up."""
        return self.Product._handle(pk, tested=True)

    def person(self, name: str) -> Any:
        """Return a person, not looked up."""
        return self.Person._handle(name, tested=True)

    def box(self) -> Any:
        """Return group 1, not looked up."""
        return self.Group._handle("1", tested=True)


@attrs.frozen
class Way:
    """A way to read.

    Attributes:
        read: reads something.
        change: what another does that changes the answer.
        beside: what another does that leaves the answer as it is, though it is near.
    """

    read: Act
    change: Act
    beside: Act = lambda w: w.one("3").shelf.rpush("z")


def _field(name: str, change: Act, beside: Act, **reads: Act) -> dict[str, Way]:
    return {f"{name}.{how}": Way(read, change, beside) for how, read in reads.items()}


FIELDS = {
    **_field(
        "string",
        lambda w: w.one().stock.set(77),
        lambda w: w.one().code.set("Z"),
        get=lambda w: w.one().stock.get(),
        strlen=lambda w: w.one().stock.strlen(),
        getrange=lambda w: w.one().stock.getrange(0, 0),
        getbit=lambda w: w.one().stock.getbit(6),
        bitcount=lambda w: w.one().stock.bitcount(),
        bitpos=lambda w: w.one().stock.bitpos(1, 1, 5),
    ),
    **_field(
        "entry",
        lambda w: w.one().price.hset(8),
        lambda w: w.one().name.hset("rye"),
        hget=lambda w: w.one().price.hget(),
        get=lambda w: w.one().price.get(),
        hmget=lambda w: w.one().hmget("kind", "price"),
    ),
    **_field(
        "instance",
        lambda w: (w.one().price.hdel(), w.one("1").shelf.rpush("z")),
        lambda w: w.one("2").price.hset(8),
        hgetall=lambda w: w.one().hgetall(),
        hkeys=lambda w: w.one().hkeys(),
        hvals=lambda w: w.one().hvals(),
        hlen=lambda w: w.one().hlen(),
    ),
    **_field(
        "hash",
        lambda w: (w.one().notes.hset("n", 9), w.one().notes.hset("new", 1), w.one().notes.hdel("m")),
        lambda w: w.one("2").notes.hset("n", 9),
        hget=lambda w: w.one().notes.hget("n"),
        hgetall=lambda w: w.one().notes.hgetall(),
        hmget=lambda w: w.one().notes.hmget(["n", "x"]),
        hkeys=lambda w: w.one().notes.hkeys(),
        hvals=lambda w: w.one().notes.hvals(),
        hexists=lambda w: w.one().notes.hexists("new"),
        hscan=lambda w: w.one().notes.hscan(),
        hrandfield=lambda w: w.one().notes.hrandfield(),
    ),
    "entry.hstrlen": Way(lambda w: w.one().price.hstrlen(), lambda w: w.one().price.hset(88)),
    "hash.hstrlen": Way(lambda w: w.one().notes.hstrlen("n"), lambda w: w.one().notes.hset("n", 88)),
    "sorted set.zlexcount": Way(lambda w: w.one().sold.zlexcount("-", "+"), lambda w: w.one().sold.zadd(zoe=1)),
    "hash.hlen": Way(lambda w: w.one().notes.hlen(), lambda w: w.one().notes.hset("new", 1)),
    **_field(
        "set",
        lambda w: w.one().tags.sadd("c"),
        lambda w: w.one("2").tags.sadd("c"),
        smembers=lambda w: w.one().tags.smembers(),
        scard=lambda w: w.one().tags.scard(),
        sismember=lambda w: w.one().tags.sismember("c"),
        smismember=lambda w: w.one().tags.smismember("c", "a"),
        sscan=lambda w: w.one().tags.sscan(),
        sinter=lambda w: w.one().tags.sinter(w.one().tags),
        sunion=lambda w: w.one("3").tags.sunion(w.one().tags),
        sdiff=lambda w: w.one().tags.sdiff(w.one("3").tags),
        srandmember=lambda w: w.one().tags.srandmember(),
        several=lambda w: w.one().tags.srandmember(-3),
    ),
    **_field(
        "list",
        lambda w: w.one().shelf.lpush("first"),
        lambda w: w.one("2").shelf.lpush("first"),
        lrange=lambda w: w.one().shelf.lrange(0, -1),
        lindex=lambda w: w.one().shelf.lindex(0),
        llen=lambda w: w.one().shelf.llen(),
        lpos=lambda w: w.one().shelf.lpos("first"),
    ),
    **_field(
        "key",
        lambda w: w.one().shelf.delete(),
        lambda w: w.one("2").shelf.delete(),
        exists=lambda w: w.one().shelf.exists(),
        ttl=lambda w: w.one().shelf.ttl(),
        pttl=lambda w: w.one().shelf.pttl(),
    ),
    **_field(
        "sorted set",
        lambda w: w.one().sold.zadd({"ann": 1.5, "zoe": 1}),
        lambda w: w.one("2").sold.zadd({"ann": 1.5}),
        zcard=lambda w: w.one().sold.zcard(),
        zcount=lambda w: w.one().sold.zcount("(1", "2"),
        zscore=lambda w: w.one().sold.zscore("ann"),
        zmscore=lambda w: w.one().sold.zmscore(["ann", "x"]),
        zrangebylex=lambda w: w.one().sold.zrangebylex("-", "+"),
        zrevrangebylex=lambda w: w.one().sold.zrevrangebylex("+", "-"),
        zrandmember=lambda w: w.one().sold.zrandmember(),
        zscan=lambda w: w.one().sold.zscan(),
        zrank=lambda w: w.one().sold.zrank("ann"),
        zrevrank=lambda w: w.one().sold.zrevrank("zoe"),
        zrange=lambda w: w.one().sold.zrange(0, -1),
        zrevrange=lambda w: w.one().sold.zrevrange(0, -1),
        zrangebyscore=lambda w: w.one().sold.zrangebyscore(1, 1),
        zrevrangebyscore=lambda w: w.one().sold.zrevrangebyscore(1.7, 1),
    ),
}

_NEW: Act = lambda w: w.Product(name="cake", kind="food", price=1)  # noqa: E731
_OTHER: Act = lambda w: w.Product(name="axe", kind="tool", tags=["c"])  # noqa: E731

OBJECTS = {
    "pk": Way(lambda w: w.Product("1"), lambda w: w.Product("1").delete(), _NEW),
    "exists(pk=)": Way(lambda w: w.Product.exists(pk=1), lambda w: w.Product("1").delete(), _NEW),
    "exists(pk=) not": Way(lambda w: w.Person.exists(login="eve"), lambda w: w.Person(login="eve"), _NEW),
    "exists(unique)": Way(lambda w: w.Product.exists(name="cake"), _NEW, _OTHER),
    "exists(two)": Way(lambda w: w.Product.exists(kind="food", tags="c"), lambda w: w.one().tags.sadd("c"), _OTHER),
    "get(unique)": Way(lambda w: w.Product.get(name="bread"), lambda w: w.one().name.hset("rye"), _OTHER),
    "get(two)": Way(lambda w: w.Product.get(kind="food", tags="b"), lambda w: w.one().tags.srem("b"), _OTHER),
    "get_or_connect": Way(lambda w: w.Product.get_or_connect(name="bread"), lambda w: w.one().name.hset("rye"), _OTHER),
}

COLLECTIONS = {
    "all": Way(lambda w: list(w.Product.collection()), _OTHER, lambda w: w.one().kind.hset("tool")),
    "len all": Way(lambda w: len(w.Product.collection()), _OTHER, lambda w: w.one().kind.hset("tool")),
    "filtered": Way(lambda w: list(w.Product.collection(kind="food")), _NEW, _OTHER),
    "two filters": Way(lambda w: list(w.Product.collection(kind="food", tags="b")), lambda w: w.one().tags.srem("b")),
    "len": Way(lambda w: len(w.Product.collection(kind="food")), _NEW, _OTHER),
    "len of two": Way(lambda w: len(w.Product.collection(kind="food", tags="b")), lambda w: w.one("2").tags.sadd("b")),
    "bool": Way(lambda w: bool(w.Product.collection(kind="none")), lambda w: w.one().kind.hset("none"), _OTHER),
    "in": Way(lambda w: "1" in w.Product.collection(kind="food"), lambda w: w.one().kind.hset("tool"), _OTHER),
    "instance in": Way(lambda w: w.one() in w.Product.collection(tags="b"), lambda w: w.one().tags.srem("b"), _OTHER),
    "==": Way(lambda w: w.Product.collection(kind="food") == ["1", "2"], _NEW, _OTHER),
    "repr": Way(lambda w: repr(w.Product.collection(kind="food")), _NEW, _OTHER),
    "pk filter": Way(lambda w: list(w.Product.collection(pk=1)), lambda w: w.Product("1").delete(), _OTHER),
    "iter": Way(lambda w: list(w.Product.collection(kind="food").iter(chunk=1)), _NEW, _OTHER),
    "iter all": Way(lambda w: list(w.Product.collection().iter()), _OTHER, lambda w: w.one().kind.hset("tool")),
    "sorted, who": Way(lambda w: list(w.Product.collection(kind="food").sort(by="price")), _NEW, _OTHER),
    "sorted, by": Way(
        lambda w: list(w.Product.collection(kind="food").sort(by="price")),
        lambda w: w.one().price.hset(1),
        lambda w: w.one("3").price.hset(1),
    ),
    "sorted by a string": Way(
        lambda w: list(w.Product.collection(kind="food").sort(by="-stock")),
        lambda w: w.one().stock.set(1),
        lambda w: w.one("3").stock.set(1),
    ),
    "sorted as text": Way(
        lambda w: list(w.Product.collection().sort(by="name", alpha=True)), lambda w: w.one().name.hset("zoo")
    ),
    "item": Way(lambda w: w.Product.collection(kind="food")[0], lambda w: w.one().kind.hset("tool"), _OTHER),
    "sliced": Way(lambda w: w.Product.collection(kind="food")[:1], lambda w: w.one().kind.hset("tool"), _OTHER),
    "sorted and sliced": Way(
        lambda w: w.Product.collection().sort(by="price")[:2],
        lambda w: w.one("3").price.hset(0),
        lambda w: w.one().shelf.rpush("z"),
    ),
    "instances": Way(
        lambda w: list(w.Product.collection(kind="food").instances()), lambda w: w.Product("2").delete(), _OTHER
    ),
    "values": Way(
        lambda w: list(w.Product.collection(kind="food").values("name", "price", "stock")),
        lambda w: w.one("2").stock.set(1),
        lambda w: w.one("2").code.set("Z"),
    ),
    "values of an entry": Way(
        lambda w: list(w.Product.collection(kind="food").values("price")),
        lambda w: w.one("2").price.hset(1),
        lambda w: w.one("3").price.hset(1),
    ),
    "values_list": Way(
        lambda w: list(w.Product.collection(kind="food").sort(by="price").values_list("name", flat=True)),
        lambda w: w.one("2").name.hset("tea"),
        lambda w: w.one("3").name.hset("axe"),
    ),
    "sliced values": Way(
        lambda w: w.Product.collection(kind="food").sort(by="price").values_list("pk", "stock")[0:1],
        lambda w: w.one("2").stock.set(1),
    ),
}


def _bob_moves(w: World) -> None:
    w.person("bob").city.hset("Bern")


def _new_in_paris(w: World) -> None:
    w.Person(login="dan", city="Paris")


RELATIONS = {
    "foreign key": Way(lambda w: w.box().key.get(), lambda w: w.box().key.set("bob")),
    "foreign key's object": Way(lambda w: w.box().key.instance(), lambda w: w.box().key.set("bob")),
    "foreign key's object goes": Way(
        lambda w: w.box().entry.instance(), lambda w: w.person("ann").delete(), _new_in_paris
    ),
    "lazy object": Way(lambda w: w.box().entry.instance(lazy=True), lambda w: w.box().entry.hset("bob")),
    "M2M set": Way(lambda w: w.box().members.smembers(), lambda w: w.box().members.sadd("cid")),
    "M2M call": Way(lambda w: list(w.box().members()), lambda w: w.box().members.sadd("cid"), _new_in_paris),
    "M2M call, who is there": Way(lambda w: list(w.box().members()), lambda w: w.person("bob").delete(), _new_in_paris),
    "M2M call, filtered": Way(lambda w: list(w.box().members(city="Paris")), _bob_moves, _new_in_paris),
    "M2M list call": Way(lambda w: list(w.box().history()), lambda w: w.box().history.rpush("cid"), _new_in_paris),
    "M2M scores call": Way(lambda w: len(w.box().scores()), lambda w: w.box().scores.zrem("ann"), _new_in_paris),
    "related collection": Way(
        lambda w: list(w.person("ann").by_key()), lambda w: w.box().key.set("bob"), _new_in_paris
    ),
    "related collection grows": Way(
        lambda w: len(w.person("cid").by_members()), lambda w: w.box().members.sadd("cid"), _new_in_paris
    ),
    "related, filtered": Way(lambda w: list(w.person("ann").by_entry(name="n")), lambda w: w.box().name.hset("m")),
    "intersect field": Way(
        lambda w: list(w.Person.collection(city="Paris").intersect(w.box().members)),
        lambda w: w.box().members.srem("bob"),
        lambda w: w.box().history.rpush("cid"),
    ),
    "intersect list": Way(
        lambda w: list(w.Person.collection().intersect(w.box().history)),
        lambda w: w.box().history.rpush("cid"),
        lambda w: w.box().members.sadd("cid"),
    ),
    "intersect sorted set": Way(
        lambda w: list(w.Person.collection().intersect(w.box().scores)), lambda w: w.box().scores.zrem("bob")
    ),
    "intersect key": Way(
        lambda w: list(w.Person.collection().intersect("a set")), lambda w: w.client.sadd("a set", "bob")
    ),
    "intersect pks": Way(
        lambda w: list(w.Person.collection(city="Paris").intersect(["ann", "bob"])), _bob_moves, lambda w: None
    ),
    "intersect collection": Way(
        lambda w: list(w.Person.collection().intersect(w.Person.collection(city="Paris"))), _bob_moves
    ),
    "filter by a field": Way(
        lambda w: list(w.Person.collection(city=w.person("bob").city)), _bob_moves, lambda w: w.person("bob").age.set(1)
    ),
    "filter by a foreign key": Way(
        lambda w: list(w.Group.collection(key=w.box().entry)), lambda w: w.box().entry.hset("bob")
    ),
    "by_score": Way(
        lambda w: list(w.Person.collection().sort(by_score=w.box().scores)),
        lambda w: w.box().scores.zadd({"ann": 7}),
    ),
    "by_score, values": Way(
        lambda w: list(w.Person.collection().sort(by_score=w.box().scores).values("login", SORTED_SCORE)),
        lambda w: w.box().scores.zincrby(0.5, "ann"),
    ),
}

WAYS = FIELDS | OBJECTS | COLLECTIONS | RELATIONS
