"""What only the library stands on has changed: db.run() plans the same commands again, without calling the function."""

import threading
from collections.abc import Callable
from typing import Any

from tests.session.doors import Stock, stocked
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import RedisDatabase, Session


def test_a_changed_guard_alone_is_planned_again(real: Real, real_server: RealServer) -> None:
    """What only the library read has changed before EXEC: the function is called once, the commit is tried twice.

    Read under watch was the stock; the index entry of the kind is asked for by the planner alone.
    """
    other = stocked(real)
    with Proxy(real_server) as proxy, RedisDatabase.from_url(proxy.url) as database:
        bread = Stock(database).Product("1")
        calls: list[str] = []
        bread.stock.get()

        def function(s: Session) -> Session:
            calls.append(bread.stock.get())
            bread.kind.hset("drink")
            return s

        session = during_exec(proxy, lambda: other.Product("1").kind.hset("tool"), lambda: database.run(function))
        assert ["5"] == calls
        assert 2 == session._tried
        assert 2 == sum(command[0] == b"EXEC" for command in proxy.seen)
        client = real.client(decode_responses=True)
        assert {"1"} == client.smembers(":product:kind:drink")
        assert [] == client.keys(":product:kind:[tf]o*")


def test_a_changed_unique_value_alone_is_planned_again(real: Real, real_server: RealServer) -> None:
    """A unique value is taken and given back: the index key changed, its answer did not, the function runs once."""
    stocked(real)
    client = real.client()
    with Proxy(real_server) as proxy, RedisDatabase.from_url(proxy.url) as database:
        stock = Stock(database)
        calls: list[str] = []

        def function(s: Session) -> Any:
            calls.append(stock.Product("1").stock.get())
            return stock.Product(name="cake")

        def take_and_give() -> None:
            client.sadd(":product:name:cake", "7")
            client.srem(":product:name:cake", "7")

        cake = during_exec(proxy, take_and_give, lambda: database.run(function))
        assert ["5"] == calls
        assert "cake" == cake.name.hget()


def during_exec(proxy: Proxy, act: Callable[[], object], call: Callable[[], Any]) -> Any:
    """Return what *call* gives; another *acts* where its first EXEC is held."""
    proxy.stall(before="EXEC")

    def play() -> None:
        try:
            proxy.wait_stalled()
            act()
        finally:
            proxy.resume()

    player = threading.Thread(target=play)
    player.start()
    try:
        return call()
    finally:
        player.join()
