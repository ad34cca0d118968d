"""Another client writes between the plan and EXEC, exactly there: the commit is planned again and right, or refused.

The connection is held before EXEC (or EVAL) when the server has answered all before it; the other writes; it goes on.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.tools.backends import Real
from tests.tools.meanwhile import applied, meanwhile
from tests.tools.proxy import Proxy
from tests.whole.races.exactness import check_exact
from tests.whole.races.workers import Models
from uowredis import Conflict, DoesNotExist, RedisDatabase, Rejected, Session, UniquenessError

Act = Callable[[Models], object]


@pytest.fixture
def ours(proxy: Proxy, how: str, other: Models) -> Iterator[Models]:
    """Our models, by way of the proxy, on a connection that is set up."""
    with RedisDatabase.from_url(proxy.url, max_watched=0 if how == "script" else 1_000) as database:
        models = Models(database)
        models.Product(name="one", color="red", hits=5, tags=["a", "b", "c"])
        models.Product(name="two", color="blue", hits=5)
        models.Word(key="corner", kind="Bern", plain="ann")
        proxy.reset()
        yield models


#: What we say, what the other does before it is applied, and what is there in the end.
REPLANNED: dict[str, tuple[Act, Act, dict[str, Any]]] = {
    "an indexed value changes": (
        lambda ours: ours.Product("1").color.hset("green"),
        lambda other: other.Product("1").color.hset("black"),
        {"color": "green"},
    ),
    "an indexed value goes": (
        lambda ours: ours.Product("1").color.hset("green"),
        lambda other: other.Product("1").color.hdel(),
        {"color": "green"},
    ),
    "a sum": (
        lambda ours: ours.Product("1").hits.incr(10),
        lambda other: other.Product("1").hits.set(100),
        {"hits": "110"},
    ),
    "a float": (
        lambda ours: ours.Product("1").hits.incrbyfloat("0.5"),
        lambda other: other.Product("1").hits.incrbyfloat("0.25"),
        {"hits": "5.75"},
    ),
    "a conditional write": (
        lambda ours: ours.Product("1").hits.setnx(7),
        lambda other: other.Product("1").hits.delete(),
        {"hits": "7"},
    ),
    "all members go": (
        lambda ours: ours.Product("1").tags.delete(),
        lambda other: other.Product("1").tags.sadd("d"),
        {"tags": set()},
    ),
    "a unique value becomes free": (
        lambda ours: [ours.Product("1").name.hset("two"), ours.Product("2").name.hset("one")],
        lambda other: other.Product("2").name.hset("free"),
        {"name": "two"},
    ),
    "a deletion": (
        lambda ours: ours.Product("1").delete(),
        lambda other: [other.Product("1").color.hset("black"), other.Product("1").tags.sadd("d")],
        {"name": None, "color": None, "hits": None, "tags": set()},
    ),
    "a deletion and a new beginning": (
        lambda ours: ours.Word("corner").kind.hset("Rome"),
        lambda other: [other.Word("corner").delete(), other.Word(key="corner", kind="Oslo")],
        {"kind": "Rome"},
    ),
}


@pytest.mark.parametrize("case", REPLANNED)
def test_a_commit_is_planned_again(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis, case: str
) -> None:
    """What the plan stands on changed: nothing of it is applied, the commands are planned anew and applied once."""
    say, act, expected = REPLANNED[case]
    with Session(ours.database) as session:
        say(ours)
        said = session.pending
        with meanwhile(proxy, how, act, other):
            assert len(said) == len(session.commit())
    assert 2 == applied(proxy)
    assert expected == {name: stored(client, name) for name in expected}
    check_exact(client)


def stored(client: redis.Redis, name: str) -> Any:
    if name == "tags":
        return client.smembers(":product:1:tags")
    if name == "kind":
        return client.hget(":word:corner:hash", "kind")
    return client.get(":product:1:hits") if name == "hits" else client.hget(":product:1:hash", name)


def take_name(models: Models) -> object:
    return models.Product(name="wanted", color="pink")


def take_pk(models: Models) -> object:
    return models.Word(key="new", kind="Rome", plain="Bob")


@pytest.mark.parametrize(
    ("say", "act", "error"),
    [
        (take_name, take_name, UniquenessError),
        (lambda ours: ours.Product("1").name.hset("wanted"), take_name, UniquenessError),
        (take_pk, take_pk, UniquenessError),
        (lambda ours: ours.Product("1").color.hset("green"), lambda other: other.Product("1").delete(), DoesNotExist),
        (lambda ours: ours.Product("1").tags.sadd("d"), lambda other: other.Product("1").delete(), DoesNotExist),
        (lambda ours: ours.Product("1").delete(), lambda other: other.Product("1").delete(), DoesNotExist),
    ],
    ids=["name created", "name claimed", "pk", "update", "tag", "deletion"],
)
def test_what_can_no_longer_be_is_refused(
    proxy: Proxy,
    how: str,
    ours: Models,
    other: Models,
    client: redis.Redis,
    real: Real,
    say: Act,
    act: Act,
    error: type[Exception],
) -> None:
    """Planned again, the commit may be refused: then nothing of it is there, only what the other did."""
    after: list[Any] = []
    with Session(ours.database) as session:
        say(ours)
        with (
            meanwhile(proxy, how, lambda other: [act(other), after.append(real.dump())], other),
            pytest.raises(error),
        ):
            session.commit()
        session.rollback()
    dumps = [
        {key: value for key, value in dump.items() if not key.endswith(b":max_pk")} for dump in (*after, real.dump())
    ]
    assert dumps[0] == dumps[1]
    check_exact(client)
    assert 1 == applied(proxy)


def test_a_conflict_names_what_differs(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis, real: Real
) -> None:
    """With attempts used up it is a Conflict: nothing applied, the keys that differ named; a commit later succeeds."""
    with Session(ours.database, attempts=1) as session:
        ours.Product("1").color.hset("green")
        ours.Product("1").hits.incr()
        with (
            meanwhile(proxy, how, lambda other: other.Product("1").hits.set(100), other),
            pytest.raises(Conflict, match=":product:1:hits") as caught,
        ):
            session.commit()
        assert (":product:1:hits",) == caught.value.keys
        assert session.last_plan == caught.value.plan
        expected = () if how == "script" else (":product:1:hash", ":product:1:hits", ":product:__guard__:1")
        assert expected == caught.value.watched
        assert ("not applied", 2) == (session.outcome, len(session.pending))
        assert ("red", "100") == (client.hget(":product:1:hash", "color"), client.get(":product:1:hits"))
        check_exact(client)
        assert [0, 101] == session.commit()
    check_exact(client)


def test_attempts_are_counted(proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis) -> None:
    """A commit is tried so many times, and each time nothing or all of it is applied."""
    with Session(ours.database, attempts=3, on_pending="discard") as session:
        ours.Product("1").hits.incr()
        with (
            meanwhile(proxy, how, lambda other: other.Product("1").hits.incr(100), other, times=3),
            pytest.raises(Conflict, match="3 times"),
        ):
            session.commit()
        assert (3, "305") == (applied(proxy), client.get(":product:1:hits"))
    check_exact(client)


def test_outside_a_session_a_conflict_is_not_seen(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """A single command is tried again by time, more often than a session's attempts."""
    product = ours.Product("1")
    with meanwhile(proxy, how, lambda other: other.Product("1").hits.incr(100), other, times=12):
        assert 1_206 == product.hits.incr()
    assert 13 == applied(proxy)
    check_exact(client)


def test_what_was_drawn_is_what_was_removed(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """SPOP draws anew from what is there then: its reply is what left the set."""
    product = ours.Product("1")
    with meanwhile(
        proxy, how, lambda other: [other.Product("1").tags.delete(), other.Product("1").tags.sadd("z")], other
    ):
        assert "z" == product.tags.spop()
    assert set() == client.smembers(":product:1:tags")
    check_exact(client)


def test_a_shown_plan_is_kept_over_attempts(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """Where what it stands on is touched and not changed, the next attempt is the same plan, and counts nothing."""
    with Session(ours.database) as session:
        new = ours.Product(name="wanted")
        ours.Product("1").hits.incr()
        shown = session.plan()
        with meanwhile(proxy, how, lambda other: other.Product("1").hits.set(5), other):
            session.commit(shown)
        assert (1 if how == "script" else 2) == session._tried
    assert 1 == sum(command[:2] == (b"INCRBY", b":product:max_pk") for command in proxy.seen)
    assert ("3", "3") == (new.pk.get(), client.get(":product:max_pk"))
    check_exact(client)


def test_a_pk_is_kept_over_attempts(proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis) -> None:
    """Allocated once, the pks of new objects stay: one INCRBY, however often the commit is planned."""
    with Session(ours.database) as session:
        new = ours.Product(name="wanted")
        ours.Product("1").hits.incr()
        with meanwhile(proxy, how, lambda other: other.Product("1").hits.incr(100), other):
            session.commit()
    assert 1 == sum(command[:2] == (b"INCRBY", b":product:max_pk") for command in proxy.seen)
    assert ("3", "3") == (new.pk.get(), client.get(":product:max_pk"))
    check_exact(client)


@pytest.mark.parametrize(
    "act",
    [
        lambda other: other.Product(name="third", color="green"),
        lambda other: other.Product("2").color.hset("green"),
        lambda other: other.Product("2").delete(),
        lambda other: other.Product("1").tags.sadd("d"),
        lambda other: other.Word(key="new", kind="Rome"),
    ],
    ids=["creation", "update", "deletion", "other field", "other model"],
)
def test_others_do_not_disturb(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis, act: Act
) -> None:
    """What the plan does not stand on may change, though it shares index sets: one attempt is enough."""
    with Session(ours.database, attempts=1) as session:
        ours.Product("1").hits.set(6)
        ours.Product("1").name.hset("first")
        ours.Product(name="another", color="green")
        with meanwhile(proxy, how, act, other):
            session.commit()
    assert 1 == applied(proxy)
    check_exact(client)


def test_exactly_the_plan_that_was_shown(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """commit(plan) sends the plan shown, or raises Conflict: before EXEC, or when EXEC finds a change."""
    with Session(ours.database, attempts=1) as session:
        ours.Product("1").color.hset("green")
        ours.Product(name="new")
        shown = session.plan()
        other.Product("1").color.hset("black")
        with pytest.raises(Conflict, match="not the plan that was shown"):
            session.commit(shown)
        assert 0 == applied(proxy)
        shown = session.plan()
        with (
            meanwhile(proxy, how, lambda other: other.Product("1").color.hset("white"), other),
            pytest.raises(Conflict),
        ):
            session.commit(shown)
        assert 1 == applied(proxy)
        check_exact(client)
        session.commit(session.plan())
    assert "green" == client.hget(":product:1:hash", "color")
    check_exact(client)


@pytest.mark.parametrize("foreign", [False, True], ids=["taken", "foreign type"])
def test_a_refused_commit_leaves_no_watch_behind(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis, foreign: bool
) -> None:
    """What a refused commit watched does not disturb the next one, whichever connection that takes."""
    if foreign:
        client.rpush(":product:name:wanted", "no set")
    else:
        take_name(other)
    product = ours.Product("1")
    with Session(ours.database, attempts=1) as session:
        product.name.hset("wanted")
        with pytest.raises(Rejected):
            session.commit()
        session.rollback()
        client.delete(":product:name:wanted") if foreign else other.Product("1").color.hset("black")
        product.hits.incr()
        assert [6] == session.commit()
    check_exact(client)


def test_planning_again_and_again_leaves_no_watch_behind(
    proxy: Proxy, how: str, ours: Models, other: Models, client: redis.Redis
) -> None:
    """A plan with nothing to send lets go of what it read under watch."""
    product = ours.Product("2")
    with Session(ours.database, attempts=1) as session:
        product.tags.spop()
        assert [None] == session.commit()
        other.Product("2").tags.sadd("z")
        product.hits.incr()
        assert [6] == session.commit()
    check_exact(client)
