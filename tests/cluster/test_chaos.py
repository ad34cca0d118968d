"""The short form of ``python -m tests.cluster.chaos``, and what becomes of tokens when their slot has moved."""

import os
import time
from typing import Any

from tests.cluster.chaos import chaos
from tests.cluster.test_places import declare
from tests.tools.cluster import Cluster
from uowredis import Session
from uowredis.executor.drive import drive
from uowredis.plan.requests import Apply, Request
from uowredis.plan.token import Token
from uowredis.schema.keys import slot_of


def test_commits_are_whole_while_slots_move_and_a_master_dies() -> None:
    """Every counter is what was told, every index what the objects hold."""
    numbers, wrong = chaos(7.0, 2, int.from_bytes(os.urandom(4), "big"), kill=True)
    assert [] == wrong, numbers
    assert numbers["killed"] == 1
    assert min(numbers["moved"], numbers["commits"]) > 10, numbers


def test_shards_move_under_commits() -> None:
    """The same where the objects are spread over 1,024 places, and what is near them is changed by the same commits."""
    numbers, wrong = chaos(6.0, 2, int.from_bytes(os.urandom(4), "big"), kill=True, shards=1_024)
    assert [] == wrong, numbers
    assert numbers["killed"] == 1
    assert min(numbers["moved"], numbers["commits"]) > 10, numbers


def test_a_token_is_settled_where_its_slot_is_by_then(cluster: Cluster) -> None:
    """Applied where it says so; claimed for ever where it says nothing."""
    shop = declare(cluster)
    keys = shop.bike._schema.keys
    noted, silent = (Token(keys.token(word), time.time(), 3_600) for word in ("noted", "silent"))
    shop.db.connection.set(noted.key, "applied")
    slot = slot_of("shop")
    cluster.move(slot, (cluster.having(slot) + 1) % 3)
    assert "applied" == shop.db.settle(noted)
    assert "not applied" == shop.db.settle(silent)
    cluster.move(slot, (cluster.having(slot) + 1) % 3)
    assert "not applied" == shop.db.settle(silent)
    assert shop.db.connection.get(silent.key) not in (None, "applied")


def test_what_is_refused_elsewhere_is_no_conflict(cluster: Cluster) -> None:
    """Only those are counted whose transaction others' changes were the end of."""
    shop, slot = declare(cluster), slot_of("shop")
    bike, elsewhere = shop.bike(name="a", price=1), shop.db.connection
    meanwhile = iter(
        (
            lambda: cluster.move(slot, (cluster.having(slot) + 1) % 3),
            lambda: elsewhere.hset(bike.price.key, "price", "5"),
            lambda: None,
        )
    )
    with Session(shop.db, attempts=2) as s:
        bike.price.hincrby(1)
        committer, answer = s._committer, s._reader.answer

        def answered(request: Request) -> Any:
            if isinstance(request, Apply):
                next(meanwhile)()
            return answer(request)

        drive(committer.turns(None, s._limits(), []), answered)
        assert 2 == committer.tried
        s.rollback()
    assert 6 == bike.price.hget()


def test_a_commit_goes_on_where_its_slot_has_gone(cluster: Cluster) -> None:
    """Also one that watches what was read, on a connection to the node that had it."""
    shop = declare(cluster)
    bike = shop.bike(name="a", price=1)
    slot = slot_of("shop")

    def add(s: object) -> None:
        price = bike.price.hget()
        cluster.move(slot, (cluster.having(slot) + 1) % 3)
        bike.price.hset(price + 1)

    shop.db.run(add)
    assert 2 == bike.price.hget()
    assert ["1"] == list(shop.bike.collection(price=2)) == list(shop.bike.collection(price__gt=1))
