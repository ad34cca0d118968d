"""``get()`` and ``exists()`` transfer little, however many match: what the server has sent is counted there."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.models import products
from tests.tools.backends import Real
from uowredis import ArgumentError, DoesNotExist, RedisDatabase, Session

#: Of the first so many have one color, of those every second one tag, and one a second tag.
MANY = 5_000
#: What the primary keys of all of them would take, in the shortest spelling.
ALL = MANY * 8


@pytest.fixture
def product(real: Real) -> Any:
    """Many products, written by plain redis-py."""
    product = products(real.database())
    pipe = real.client().pipeline(transaction=False)
    pipe.sadd(":product:collection", *range(1, MANY + 1))
    pipe.sadd(":product:color:red", *range(1, MANY + 1))
    pipe.sadd(":product:tags:even", *range(2, MANY + 1, 2))
    pipe.sadd(":product:kind:odd", *range(1, MANY + 1, 2))
    pipe.sadd(":product:tags:one", 7)
    pipe.sadd(":product:tags:rare", *range(10, 400, 10))
    pipe.sadd(":product:kind:odd and 2", 2, *range(1, MANY + 1, 2))
    pipe.execute()
    return product


@pytest.fixture
def client(real: Real) -> redis.Redis:
    return real.client()


def sent(client: redis.Redis, act: Callable[[], Any]) -> int:
    """Return how many bytes the server sends while *act* runs."""
    before = client.info("stats")["total_net_output_bytes"]
    act()
    # The answer to INFO is some 3 KB of it.
    return int(client.info("stats")["total_net_output_bytes"]) - int(before)


def refused(act: Callable[[], Any], count: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{count} Product match .* get\\(\\) needs exactly one"):
        act()


CASES: dict[str, Callable[[Any], None]] = {
    "several of one index": lambda p: refused(lambda: p.get(color="red"), "5,000"),
    "several of two large ones": lambda p: refused(lambda: p.get(color="red", tags="even"), "(2,500|1,001 or more)"),
    "several of a small one": lambda p: refused(lambda: p.get(color="red", tags="rare"), "39"),
    "one of one index": lambda p: is_equal("7", p.get(tags="one").pk.get()),
    "one of two": lambda p: is_equal("7", p.get(color="red", tags="one").pk.get()),
    "one of two large ones": lambda p: is_equal("2", p.get(tags="even", kind="odd and 2").pk.get()),
    "none of two large ones": lambda p: is_equal(False, p.exists(tags="even", kind="odd")),
    "there, by one index": lambda p: is_equal(True, p.exists(color="red")),
    "there, by two": lambda p: is_equal(True, p.exists(color="red", tags="even")),
    "connected": lambda p: is_equal(("2", False), named(p.get_or_connect(tags="even", kind="odd and 2"))),
}


def is_equal(expected: object, found: object) -> None:
    assert expected == found


def named(found: tuple[Any, bool]) -> tuple[str, bool]:
    return found[0].pk.get(), found[1]


@pytest.mark.parametrize("case", CASES)
def test_little_is_transferred(product: Any, client: redis.Redis, case: str) -> None:
    """A part of what all primary keys would take, also in a session that has nothing to do with it; nothing is left."""
    keys = client.keys("*")
    assert sent(client, lambda: CASES[case](product)) < ALL / 4
    with Session(product.database):
        assert sent(client, lambda: CASES[case](product)) < ALL / 4
    assert sorted(keys) == sorted(client.keys("*"))


@pytest.mark.parametrize("case", CASES)
def test_the_same_under_watch_and_over_what_is_pending(product: Any, case: str) -> None:
    """There all that match is transferred; the answers are the same."""
    with Session(product.database, watch_reads=True):
        CASES[case](product)
    with Session(product.database, on_pending="discard"):
        product(color="blue")
        CASES[case](product)


@pytest.mark.parametrize("denied", [["sintercard"], ["sintercard", "sinterstore"]], ids=["6.2", "6.2, replica"])
def test_what_a_server_does_not_do(product: Any, real: Real, client: redis.Redis, denied: list[str]) -> None:
    """Redis 6.2 counts by a temporary key; where it may not be written either, all that match are transferred."""
    admin = real.client()
    known = [f"-{name}" for name in denied if name in client.command()]
    admin.execute_command("ACL", "SETUSER", "reader", "reset", "on", ">secret", "+@all", "~*", *known)
    try:
        with RedisDatabase.from_url(real.server.url, username="reader", password="secret") as on:
            reading = products(on)
            for case in CASES.values():
                case(reading)
    finally:
        admin.execute_command("ACL", "DELUSER", "reader")


def test_none(product: Any) -> None:
    """Nothing is intersected where one of the sets is empty."""
    with pytest.raises(DoesNotExist):
        product.get(color="red", tags="none")
    assert not product.exists(color="red", tags="none")
