"""The counter of primary keys was lost, or never counted what is there: no new object merges into an old one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.models import products
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from uowredis import AutoPKField, InstanceHashField, PKField, RedisDatabase, RedisModel, Rejected, Session

COUNTER, PKS = ":product:max_pk", ":product:collection"


@pytest.fixture
def shop(server: Backend) -> Any:
    """Products 1 to 3; their counter is gone, as after an eviction."""
    model = products(server.database())
    for name in "abc":
        model(name=name, hits=1, shelf=["x"])
    server.client().delete(COUNTER)
    return model


def mend(server: Backend) -> None:
    """Do what the error says."""
    client = server.client()
    (highest,) = client.sort(PKS, start=0, num=1, desc=True)
    client.set(COUNTER, highest)


def without_counter(server: Backend) -> Any:
    return {key: value for key, value in server.dump().items() if key != COUNTER.encode()}


def test_one_by_one(server: Backend, shop: Any) -> None:
    """A constructor of its own is refused and leaves nothing; after the way out it gets the next number."""
    before = without_counter(server)
    with pytest.raises(Rejected, match=r"':product:max_pk' counts .* '1' for one"):
        shop(name="new", hits=7)
    assert before == without_counter(server)
    mend(server)
    assert "4" == shop(name="new", hits=7).pk.get()


def test_a_session_that_tries_again(server: Backend, shop: Any) -> None:
    """Each attempt counts on and is looked up anew, until one is free; what was refused writes nothing."""
    before = without_counter(server)
    with Session(shop.database) as session:
        new = shop(name="new")
        for _ in range(3):
            with pytest.raises(Rejected, match=COUNTER):
                session.commit()
        assert before == without_counter(server)
        session.commit()
    assert "4" == new.pk.get()
    assert ["1", "2", "3", "4"] == sorted(shop.collection())


def test_a_primary_key_that_is_asked_for_before(server: Backend, shop: Any) -> None:
    """It is counted at once, and refused at once."""
    with Session(shop.database) as session:
        new = shop(name="new")
        with pytest.raises(Rejected, match=COUNTER):
            new.pk.get()
        mend(server)
        assert "4" == new.pk.get()
        session.commit()
    assert "new" == shop("4").name.hget()


def test_many_in_one_session(server: Backend, shop: Any) -> None:
    """One that is taken refuses all."""
    server.client().set(COUNTER, 2)
    before = server.dump()
    with Session(shop.database) as session:
        for name in "de":
            shop(name=name)
        with pytest.raises(Rejected, match="'3' for one"):
            session.commit()
        session.rollback()
    assert before | {COUNTER.encode(): server.dump()[COUNTER.encode()]} == server.dump()


def test_a_model_whose_keys_were_chosen_before(server: Backend) -> None:
    """A PKField that became an AutoPKField has counted nothing yet."""

    class Before:
        class Letter(RedisModel):
            database = server.database()
            id = PKField()
            subject = InstanceHashField(indexable=True)

    class Letter(RedisModel):
        database = server.database()
        id = AutoPKField()
        subject = InstanceHashField(indexable=True)

    Before.Letter(id=1, subject="old")
    with pytest.raises(Rejected, match=":letter:max_pk"):
        Letter(subject="new")
    assert "old" == Letter(1).subject.hget()
    assert "2" == Letter(subject="new").pk.get()


def test_gaps_are_no_fault(server: Backend) -> None:
    """Deletions, rollbacks and imports with higher numbers leave the counter right: two round trips, as ever."""
    model = products(server.database())
    made = [model(name=str(number)) for number in range(5)]
    for each in made[1:3]:
        each.delete()
    server.client().incrby(COUNTER, 10)
    with Session(model.database) as session:
        new = model(name="new")
        session.commit()
        assert 2 == session.last_plan.round_trips
    assert "16" == new.pk.get()


def test_whoever_creates_meanwhile_raises_no_doubt(real: Real, proxy: Proxy) -> None:
    """The objects are counted before the number is: whatever is there by then was counted before."""
    start = Barrier(4)

    def create(who: int) -> None:
        with RedisDatabase.from_url(proxy.url) as database:
            model = products(database)
            start.wait()
            for number in range(50):
                model(name=f"{who} {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(4)))
    assert 200 == real.client().scard(PKS)
    assert [] == [command for command in proxy.seen if command[0] == b"SMISMEMBER"]
