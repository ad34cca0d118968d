"""Somebody changed the data without the library: a unique value is free again when nobody holds it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Backend, Real
from tests.tools.meanwhile import applied, meanwhile
from tests.tools.proxy import Proxy
from uowredis import RedisDatabase, Session, UniquenessError

#: What was done outside to the object `old`, whose code is "c", email "e" and badges "b".
OUTSIDE: dict[str, Callable[[Any], object]] = {
    "the values expired": lambda client: client.delete(":named:old:code", ":named:old:hash", ":named:old:badges"),
    "the values changed": lambda client: (
        client.set(":named:old:code", "x"),
        client.hset(":named:old:hash", "email", "x"),
        client.srem(":named:old:badges", "b"),
    ),
    "the object left": lambda client: client.srem(":named:collection", "old"),
}
#: Claims of each value: by a new object, and by one that is there.
CLAIMS: dict[str, Callable[[Any], object]] = {
    "a new one": lambda named: named(key="new", code="c", email="e", badges=["b"]),
    "one that is there": lambda named: (
        named("there").code.set("c"),
        named("there").hmset(email="e"),
        named("there").badges.sadd("b"),
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_what_nobody_holds_can_be_taken(server: Backend, outside: str, claim: str) -> None:
    """The entries of the one that does not hold it leave with the same transaction."""
    named = every_kind(server.database()).Named
    named(key="old", code="c", email="e", badges=["b"]), named(key="there")
    OUTSIDE[outside](server.client())
    with Session(named.database) as session:
        CLAIMS[claim](named)
        session.commit()
    client, taker = server.client(decode_responses=True), "new" if claim == "a new one" else "there"
    for key in ("code:c", "email:e", "badges:b"):
        assert {taker} == client.smembers(f":named:{key}")
    with pytest.raises(UniquenessError, match=rf"for instance {taker}"):
        named(key="late", code="c")


MEANWHILE: dict[str, tuple[Callable[[Any], object], Callable[[Any], object]]] = {
    "it holds it again": (
        lambda client: client.hdel(":named:old:hash", "email"),
        lambda named: named.database.connection.hset(":named:old:hash", "email", "e"),
    ),
    "it is there again": (
        lambda client: (client.srem(":named:collection", "old"), client.delete(":named:old:hash")),
        lambda named: named(key="old", email="e"),
    ),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_what_somebody_holds_meanwhile_is_refused(real: Real, proxy: Proxy, how: str, case: str) -> None:
    """What was looked at is watched until EXEC."""
    outside, act = MEANWHILE[case]
    with RedisDatabase.from_url(proxy.url, max_watched=1_000 if how == "WATCH" else 0) as ours:
        named, other = every_kind(ours).Named, every_kind(real.database()).Named
        other(key="old", email="e"), other(key="there")
        outside(real.client())
        with Session(ours) as session:
            named("there").hmset(email="e")
            with meanwhile(proxy, how, act, other), pytest.raises(UniquenessError, match="for instance old"):
                session.commit()
            session.rollback()
    assert 1 == applied(proxy)
    assert {b"old"} == real.client().smembers(":named:email:e")
