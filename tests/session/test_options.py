"""What a session does by default is said on the database, and otherwise on the session."""

import logging
from typing import Any

import pytest

from tests.session.doors import Stock, stocked
from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    Conflict,
    PlanTooLarge,
    RedisDatabase,
    Session,
    UncommittedWrites,
)

KEY = ":product:1:stock"


def test_attempts(server: Backend) -> None:
    """How often a commit is tried in all, by the function of run."""
    stock = stocked(server, attempts=2)
    client = server.client()
    calls: list[int] = []

    def function(s: Session) -> None:
        calls.append(int(stock.Product("1").stock.get()))
        client.incr(KEY)
        stock.Product("1").price.hset(1)

    for options, expected in (({}, 2), ({"attempts": 3}, 3)):
        calls.clear()
        with pytest.raises(Conflict):
            stock.database.run(function, **options)
        assert expected == len(calls)


def test_on_pending(server: Backend) -> None:
    """Leaving with unsent writes warns where the database says so, and raises where the session says so."""
    stock = stocked(server, on_pending="warn")
    with pytest.warns(UserWarning, match="never sent"), Session(stock.database):
        stock.Product("1").stock.incr()
    with pytest.raises(UncommittedWrites), Session(stock.database, on_pending="raise"):
        stock.Product("1").stock.incr()
    with Session(stock.database, on_pending="discard"):
        stock.Product("1").stock.incr()
    assert "5" == stock.Product("1").stock.get()


def test_watch_reads(server: Backend) -> None:
    """All sessions of the database watch, begin() too, but those that say no."""
    stock = stocked(server, watch_reads=True)
    client = server.client()

    def overtaken(s: Session) -> None:
        stock.Product("1").stock.get()
        client.incr(KEY)
        stock.Product("1").price.hset(client.get(KEY))

    for opened in (Session(stock.database, on_pending="discard"), stock.database.begin()):
        with pytest.raises(Conflict), opened as s:
            overtaken(s)
            s.commit()
    for opened in (Session(stock.database, watch_reads=False), stock.database.begin(watch_reads=False)):
        with opened as s:
            overtaken(s)
            s.commit()
    assert client.get(KEY).decode() == stock.Product("1").price.hget()


def test_echo(server: Backend, caplog: pytest.LogCaptureFixture) -> None:
    """What is sent is logged, reads and the plan, where the database says so."""
    stock = stocked(server, echo=True)
    bread = stock.Product("1")
    with caplog.at_level(logging.INFO, logger="uowredis"):
        with Session(stock.database) as s:
            bread.stock.get()
            bread.stock.incr()
            s.commit()
        read, plan = caplog.messages[-2:]
        assert [f"GET {KEY}", str(s.last_plan)] == [read.partition("  [")[0], plan.rpartition("\n[")[0]]
        caplog.clear()
        with Session(stock.database, echo=False) as s:
            stock.Product("1").stock.incr()
            s.commit()
    assert [] == caplog.messages


def test_max_steps(server: Backend) -> None:
    """A larger plan is refused."""
    stocked(server)
    stock = Stock(server.database(max_steps=1))
    with pytest.raises(PlanTooLarge), stock.database.begin():
        stock.Product("1").tags.sadd("a")
    with stock.database.begin(max_steps=10):
        stock.Product("1").tags.sadd("a")
    assert {"a"} == stock.Product("1").tags.smembers()


def test_what_the_session_says_holds_for_it_alone(server: Backend) -> None:
    """The next session does as the database says again."""
    stock = stocked(server)
    with Session(stock.database, on_pending="discard", watch_reads=True, attempts=3):
        stock.Product("1").stock.incr()
    with pytest.raises(UncommittedWrites), Session(stock.database):
        stock.Product("1").stock.incr()


#: Options that both take, with what they do not take.
BAD: list[tuple[str, Any]] = [
    ("attempts", 0),
    ("attempts", -1),
    ("attempts", "many"),
    ("attempts", True),
    ("on_pending", "ignore"),
    ("on_pending", True),
    ("watch_reads", 1),
    ("watch_reads", "yes"),
    ("echo", 0),
    ("rehearsal_limit", -1),
    ("rehearsal_limit", 1.5),
    ("max_steps", 0),
    ("max_steps", "1e6x"),
    ("retry_for", "long"),
    ("retry_for", float("nan")),
    ("retry_for", True),
]


@pytest.mark.parametrize(("option", "value"), [*BAD, ("max_watched", -1), ("max_watched", "many"), ("scripts", "no")])
def test_bad_options_of_a_database(option: str, value: Any) -> None:
    """They are refused by name when the database is made, whichever way."""
    options: dict[str, Any] = {option: value}
    makers = (RedisDatabase, RedisDatabase.embedded, lambda **options: RedisDatabase.from_url("redis://x", **options))
    for make in makers:
        with pytest.raises(ArgumentError, match=f"{option}="):
            make(**options)


@pytest.mark.parametrize(("option", "value"), [*BAD, ("dry_run", "no"), ("dry_run", 1)])
def test_bad_options_of_a_session(embedded: Backend, option: str, value: Any) -> None:
    """They are refused by name when the session is made, and none is open."""
    database = Stock(embedded.database()).database
    options: dict[str, Any] = {option: value}
    for opened in (lambda: Session(database, **options), lambda: database.begin(**options)):
        with pytest.raises(ArgumentError, match=f"{option}="):
            opened()
    with Session(database):
        pass
