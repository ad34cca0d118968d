"""What is said of connections that are not to be had, and which connections are kept."""

import pytest

from tests.models import products
from tests.tools.backends import Real
from uowredis import RedisDatabase, Rejected, Session, Unreachable


def test_an_exhausted_pool_says_so(real: Real) -> None:
    """It is not the server that cannot be reached: how many there are, and the way out."""
    with RedisDatabase.from_url(real.server.url, max_connections=1) as on:
        bread = products(on)(name="bread", stock=1)
        with Session(on, watch_reads=True) as session:
            bread.stock.get()
            with pytest.raises(Unreachable, match=r"All 1 connections of the pool .* are in use.*max_connections"):
                on.executor.send((("PING",),))
            session.rollback()
        assert "1" == bread.stock.get()


def test_a_refused_log_in_is_rejected(real: Real) -> None:
    """The server was reached, and said no."""
    with RedisDatabase.from_url(real.server.url, password="wrong") as on, pytest.raises(Rejected) as caught:
        products(on)(name="bread")
    assert not isinstance(caught.value, Unreachable)
    assert "refused the log-in" in str(caught.value)


def test_a_connect_timeout_in_the_url_has_its_effect() -> None:
    """As it has as an argument; without one the library's own holds."""
    found = [
        database.executor.pool.connections.connection_kwargs["socket_connect_timeout"]
        for database in (
            RedisDatabase.from_url("redis://localhost/0?socket_connect_timeout=7"),
            RedisDatabase(socket_connect_timeout=6),
            RedisDatabase.from_url("redis://localhost/0"),
            RedisDatabase(),
        )
    ]
    assert [7, 6, 1, 1] == found


@pytest.mark.parametrize("user", [["-exec"], ["-multi"]])
def test_a_connection_that_was_left_inside_of_a_transaction_is_closed(real: Real, user: list[str]) -> None:
    """Where EXEC (or MULTI) is refused the next command does not go into an open transaction."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", *user)
    try:
        with RedisDatabase.from_url(real.server.url, username="limited", password="secret") as on:
            product = products(on)
            with pytest.raises(Rejected):
                product(name="bread")
            assert not product.exists("1")
            assert [] == list(product.collection())
            assert on.executor.tell(("SET", "plain", "x")) == b"OK"
            assert [b"x"] == on.executor.send((("GET", "plain"),))
    finally:
        admin.execute_command("ACL", "DELUSER", "limited")
