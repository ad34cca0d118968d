"""A place stands in braces before every key of its models; a commit is in one. On any server the same."""

import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import (
    CrossPlace,
    ImplementationError,
    InstanceHashField,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.contrib.related import FKInstanceHashField, M2MSetField, RelatedModel
from uowredis.maintenance import check
from uowredis.schema.keys import slot_of


def declare(server: Backend, **places: str | None) -> SimpleNamespace:
    """Declare a shop of bikes and their riders, and a cat, each in its place."""

    class Placed(RelatedModel):
        abstract = True
        database = server.database()
        namespace = "ns"

    class Rider(Placed):
        place = places.get("rider", "shop")
        name = InstanceHashField(indexable=True, unique=True)

    class Bike(Placed):
        place = places.get("bike", "shop")
        name = InstanceHashField(indexable=True)
        price = InstanceHashField(type=int, indexable="range")
        tags = SetField(indexable=True)
        ranks = SortedSetField()
        note = StringField()
        owner = FKInstanceHashField(Rider)
        riders = M2MSetField(Rider, related_name="rides")

    class Cat(RedisModel):
        database = Placed.database
        place = places.get("cat", "zoo")
        name = InstanceHashField(indexable=True)

    return SimpleNamespace(db=Placed.database, rider=Rider, bike=Bike, cat=Cat)


def keys(server: Backend) -> set[bytes]:
    return set(server.client().keys("*"))


def test_every_key_begins_with_the_place(server: Backend) -> None:
    """Of objects, indexes, counters, tokens and fingerprints; braces in values and namespaces do not count."""
    shop = declare(server)
    with Session(shop.db) as s:
        ann = shop.rider(name="{ann}")
        bike = shop.bike(name="a}{b", price=3, tags=["x{y}"], note="n", owner=ann, riders=[ann], ranks={"r": 1})
        s.commit()
    assert keys(server)
    assert all(key.startswith(b"{shop}:ns:") for key in keys(server))
    assert [bike] == list(shop.bike.collection(name="a}{b", price__lt=4, tags="x{y}").instances())
    assert [bike] == list(ann.rides().instances()) == list(ann.bike_set().instances())
    assert [] == list(check(shop.rider)) == list(check(shop.bike))
    ann.delete()
    bike.delete()
    # Counters, fingerprints and the token of the last commit.
    assert {b"{shop}:ns:%b" % left for left in (b"rider:max_pk", b"bike:max_pk")} <= keys(server)
    assert not any(b":hash" in key or b":name:" in key for key in keys(server))


def test_a_model_without_namespace_has_none(server: Backend) -> None:
    cat = declare(server).cat(name="tom")
    assert "{zoo}:cat:1:hash" == cat.name.key


def test_the_plan_names_place_and_slot(server: Backend) -> None:
    shop = declare(server)
    with Session(shop.db, on_pending="discard") as s:
        shop.bike(name="b")
        assert "<Bike 1> created; place {shop}, slot 3808; " in str(s.plan()).partition("\n")[0]
    assert 3808 == slot_of("shop")


def test_what_a_pipeline_reads_is_in_its_place(server: Backend) -> None:
    """It is part of the one transaction, as what it writes is."""
    shop = declare(server)
    bike, cat = shop.bike(name="b"), shop.cat(name="c")
    for look in (cat.name.hget, shop.cat.collection):
        with pytest.raises(CrossPlace, match=r"in \{shop\} Bike <1>; in \{zoo\}"), shop.db.pipeline() as pipe:
            bike.name.hset("e")
            look()
            pipe.execute()
    assert "b" == bike.name.hget()


@pytest.mark.parametrize("say", ["write", "create", "delete"])
def test_a_commit_is_in_one_place(server: Backend, say: str) -> None:
    """Else it is refused by the plan already, nothing is sent, and what is said is there still."""
    shop = declare(server)
    bike, cat = shop.bike(name="b"), shop.cat(name="c")
    before = server.dump()
    said: dict[str, Callable[[], Any]] = {
        "write": lambda: cat.name.hset("d"),
        "create": lambda: shop.cat(name="d"),
        "delete": lambda: cat.delete(),
    }
    with Session(shop.db, on_pending="discard") as s:
        bike.name.hset("e")
        with contextlib.suppress(CrossPlace), s.savepoint():
            said[say]()
            with pytest.raises(CrossPlace, match=r"in \{shop\} Bike <1>; in \{zoo\} (Cat <1>|<Cat 1>)") as refused:
                s.plan()
            assert ("shop", "zoo") == refused.value.places
            raise refused.value
        assert before == server.dump()
        s.commit()
        assert "e" == bike.name.hget()
        bike.name.hset("f")
        said[say]()
        with pytest.raises(CrossPlace):
            s.commit()
    assert "e" == bike.name.hget()


def test_reads_are_free(server: Backend) -> None:
    """In a session what is in other places is read as ever; each is its own moment."""
    shop = declare(server)
    shop.cat(name="tom")
    with Session(shop.db) as s:
        shop.bike(name="b")
        assert "tom" == shop.cat("1").name.hget()
        assert [{"name": "tom"}] == list(shop.cat.collection(name="tom").values("name"))
        s.commit()


@pytest.mark.parametrize(("bike", "rider"), [("shop", "zoo"), (None, "shop"), ("shop", None)])
def test_a_relation_is_within_a_place(server: Backend, bike: str | None, rider: str | None) -> None:
    with pytest.raises(ImplementationError, match=r"Way out: one place = \.\.\. for both"):
        declare(server, bike=bike, rider=rider)


def test_objects_without_a_place_are_anywhere(server: Backend) -> None:
    """On a server that is no cluster, so that models can be given their places one by one."""
    shop = declare(server, cat=None)
    with Session(shop.db) as s:
        shop.bike(name="b")
        shop.cat(name="c")
        s.commit()
    assert ["1"] == list(shop.cat.collection(name="c"))
