"""commit(plan): exactly the plan that was shown, planned once more and no oftener."""

import pytest

from tests.session.stock import Stock, stocked
from tests.tools.backends import Backend
from uowredis import Conflict, Session
from uowredis.planner import Planner


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


def test_what_was_shown_is_planned_once(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    """With primary keys to count or without, the commit makes one plan and compares it."""
    made: list[Planner] = []
    turns = Planner.turns
    monkeypatch.setattr(Planner, "turns", lambda planner: (made.append(planner), turns(planner))[1])
    with Session(stock.database) as s:
        stock.Product("1").kind.hset("baked")
        cake = stock.Product(name="cake", kind="baked")
        plan = s.plan()
        made.clear()
        s.commit(plan)
        assert 1 == len(made)
        stock.Product("1").kind.hset("food")
        plan = s.plan()
        made.clear()
        s.commit(plan)
        assert 1 == len(made)
    assert ["2", "baked", "food"] == [cake.pk.get(), cake.kind.hget(), stock.Product("1").kind.hget()]


def test_a_plan_counts_nothing(stock: Stock) -> None:
    """plan() burns no primary key, however often it is asked for."""
    with Session(stock.database) as s:
        cake = stock.Product(name="cake")
        assert s.plan() == s.plan()
        assert "INCRBY :product:max_pk 1" in s.plan().commands()
        assert "1" == stock.database.connection.get(":product:max_pk")
        s.commit(s.plan())
        assert "2" == cake.pk.get() == stock.database.connection.get(":product:max_pk")


def test_a_refused_plan_has_its_primary_keys(stock: Stock) -> None:
    """The plan that is shown again is the one that is committed then."""
    with Session(stock.database) as s:
        cake = stock.Product(name="cake")
        plan = s.plan()
        cake.stock.incr()
        with pytest.raises(Conflict, match="not the plan that was shown"):
            s.commit(plan)
        s.commit(s.plan())
    assert ["2", "1"] == [cake.pk.get(), cake.stock.get()]
