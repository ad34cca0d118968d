"""What other mappers call otherwise is named, and what it is called here does it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.session.doors import Stock
from tests.tools.ways_out import Told, tries
from uowredis import Session
from uowredis.model.misnamed import OF_A_MODEL, OF_AN_INSTANCE
from uowredis.session.session import _CALLED_HERE


class World(Stock):
    """Bread, and its session where one is open."""

    def __init__(self, stock: Stock) -> None:
        self.database, self.Product = stock.database, stock.Product
        self.bread = stock.Product("1")
        self.session: Any = None


Way = Callable[[World], Any]


def _saved(w: World) -> bool:
    w.bread.price.hset(3)
    with w.database.begin():
        w.bread.visits.incr()
    return (w.bread.price.hget(), w.bread.visits.get()) == ("3", "1")


def _updated(w: World) -> bool:
    return bool(w.bread.hmset(price=3, color="red")) and w.bread.visits.set(1) is True


def _begun(w: World) -> bool:
    w.session.rollback()
    w.session.__exit__(None, None, None)
    with Session(w.database) as s:
        w.bread.stock.incr()
        return [6] == s.commit()


def _in_a_savepoint(w: World) -> bool:
    with w.session.savepoint():
        w.bread.stock.incr()
    return [6] == w.session.commit()


def _committed(w: World) -> bool:
    w.bread.stock.incr()
    return [6] == w.session.commit()


def _closed(w: World) -> bool:
    w.bread.stock.incr()
    w.session.rollback()
    return [] == w.session.commit()


def _seen(w: World) -> bool:
    w.bread.stock.incr()
    return bool("6" == w.bread.stock.get()) and [6] == w.session.commit()


def _said(w: World) -> bool:
    w.bread.stock.set(9)
    cake = w.Product(name="cake")
    w.session.commit()
    return ("9", "cake") == (w.bread.stock.get(), cake.name.hget())


def _pending(w: World) -> bool:
    w.bread.stock.incr()
    return len(w.session.pending) == 1 and [6] == w.session.commit()


def _deleted(w: World) -> bool:
    w.bread.delete()
    return [None] == w.session.commit() and not w.Product.exists("1")


def _made_together(w: World) -> bool:
    cake, roll = w.Product.create_many([{"name": "cake"}, {"name": "roll"}])
    return (cake.name.hget(), roll.name.hget()) == ("cake", "roll")


#: What the way of each name gives: something true.
MODELS: dict[str, Way] = {
    **dict.fromkeys(("objects", "query", "all", "select", "all_pks"), lambda w: ["1"] == list(w.Product.collection())),
    **dict.fromkeys(
        ("filter", "find", "filter_by", "where"), lambda w: ["1"] == list(w.Product.collection(kind="food"))
    ),
    **dict.fromkeys(
        ("first", "last"), lambda w: w.Product.collection().sort()[0] == w.Product.collection().sort()[-1] == "1"
    ),
    **dict.fromkeys(("bulk_create", "insert_many"), _made_together),
    "load": lambda w: w.bread == w.Product("1"),
    "get_or_none": lambda w: w.Product.exists(name="bread") and w.bread == w.Product.get(name="bread"),
    "create": lambda w: "cake" == w.Product(name="cake").name.hget(),
    "get_or_create": lambda w: (w.bread, False) == w.Product.get_or_connect(name="bread"),
    "count": lambda w: len(w.Product.collection()) == 1,
}
INSTANCES: dict[str, Way] = {
    "save": _saved,
    "update": _updated,
    **dict.fromkeys(("refresh", "refresh_from_db"), lambda w: "5" == w.bread.stock.get()),
    **dict.fromkeys(("dict", "model_dump"), lambda w: "bread" == w.bread.to_dict()["name"]),
    "expire": lambda w: w.bread.visits.set(1) and w.bread.visits.expire(100),
    "ttl": lambda w: w.bread.visits.set(1) and -1 == w.bread.visits.ttl(),
    "id": lambda w: "1" == w.bread.pk.get(),
}
SESSIONS: dict[str, Way] = {
    **dict.fromkeys(("add", "add_all"), _said),
    "flush": _seen,
    "query": lambda w: ["1"] == list(w.Product.collection(kind="food")) == [w.Product.get(name="bread").pk.get()],
    "get": lambda w: w.Product("1") == w.Product.get(name="bread"),
    **dict.fromkeys(("refresh", "expire"), lambda w: "5" == w.bread.stock.get()),
    **dict.fromkeys(("new", "dirty", "deleted"), _pending),
    "delete": _deleted,
    "merge": lambda w: w.bread == w.Product("1"),
    "expunge": _closed,
    "scalars": lambda w: ["bread"] == list(w.Product.collection(kind="food").values_list("name", flat=True)),
    "begin": _begun,
    "begin_nested": _in_a_savepoint,
    "close": _closed,
    "execute": _committed,
    "run": lambda w: w.session.__exit__(None, None, None) or w.database.run(lambda _: 6) == 6,
}


@tries(". Way out: {}")
@pytest.mark.parametrize("name", MODELS)
def test_of_a_model(told: Told, stock: Stock, name: str) -> None:
    with told(AttributeError) as caught:
        getattr(stock.Product, name)
    assert str(caught.value).endswith(f"Way out: {OF_A_MODEL[name]}")
    assert MODELS[name](World(stock))


@tries(". Way out: {}")
@pytest.mark.parametrize("name", INSTANCES)
def test_of_an_object(told: Told, stock: Stock, name: str) -> None:
    with told(AttributeError) as caught:
        getattr(stock.Product("1"), name)
    assert str(caught.value).endswith(f"Way out: {OF_AN_INSTANCE[name]}")
    assert INSTANCES[name](World(stock))


@tries(". Way out: {}")
@pytest.mark.parametrize("name", SESSIONS)
def test_of_a_session(told: Told, stock: Stock, name: str) -> None:
    world = World(stock)
    world.session = Session(stock.database).__enter__()
    with told(AttributeError) as caught:
        getattr(world.session, name)
    assert str(caught.value).endswith(f"Way out: {_CALLED_HERE[name]}")
    assert SESSIONS[name](world)
    if world.session.is_open:
        world.session.__exit__(None, None, None)


def test_all_names_are_tried() -> None:
    """A new one without its way is found here."""
    assert (OF_A_MODEL.keys(), OF_AN_INSTANCE.keys()) == (MODELS.keys(), INSTANCES.keys())
    assert _CALLED_HERE.keys() == SESSIONS.keys()
