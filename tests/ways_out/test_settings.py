"""What databases refuse of their settings names a way out, and each is taken here as it is named."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis

from tests.session.doors import Stock
from tests.tools.backends import Real
from tests.tools.servers import RealServer
from tests.tools.ways_out import Told, tries
from uowredis import ArgumentError, ArgumentTypeError, ImplementationError, RedisDatabase, UowError


def works(database: RedisDatabase) -> None:
    """Check that something can be said there."""
    with database:
        bread = Stock(database).Product(name="bread")
        assert "bread" == bread.name.hget()
        bread.delete()


@pytest.fixture
def at(real: Real) -> dict[str, Any]:
    """Where the real server is."""
    return {"host": real.server.host, "port": real.server.port}


@pytest.fixture
def secret(real: Real) -> Iterator[str]:
    """A user of the real server one of whose passwords has all that means something in URLs; the other is 7#7."""
    client = real.client()
    client.execute_command("ACL", "SETUSER", "ann", "on", ">p#a/s?s:word", ">7#7", "~*", "+@all")
    yield "p#a/s?s:word"
    client.execute_command("ACL", "DELUSER", "ann")


# What redis-py takes and the library does not.


@tries("it makes its own connections")
def test_a_pool(told: Told, at: dict[str, Any]) -> None:
    with told(ImplementationError):
        RedisDatabase(connection_pool=redis.ConnectionPool())
    works(RedisDatabase(**at, db=0))
    works(RedisDatabase.from_url(f"redis://{at['host']}:{at['port']}"))


@tries("it decodes by itself")
def test_decoding(told: Told, at: dict[str, Any]) -> None:
    with told(ImplementationError):
        RedisDatabase(**at, decode_responses=True)
    works(RedisDatabase(**at))


@tries("sessions need connections of their own")
def test_one_connection(told: Told, at: dict[str, Any]) -> None:
    with told(ImplementationError):
        RedisDatabase(**at, single_connection_client=True)
    works(RedisDatabase(**at, max_connections=1))


@tries("a value from a cache is not what a commit")
@pytest.mark.parametrize("name", ["cache", "cache_config"])
def test_a_cache(told: Told, at: dict[str, Any], name: str) -> None:
    with told(ImplementationError):
        RedisDatabase(**at, **{name: object()})
    works(RedisDatabase(**at))


@tries("its connections take no messages but replies")
@pytest.mark.parametrize("name", ["maint_notifications_config", "oss_cluster_maint_notifications_handler"])
def test_notifications(told: Told, at: dict[str, Any], name: str) -> None:
    with told(ImplementationError):
        RedisDatabase(**at, **{name: object()})
    works(RedisDatabase(**at))


# Names and values.


@tries("{} has no option {}. Way out: {}", "executor/")
def test_an_option(told: Told, at: dict[str, Any]) -> None:
    def way(make: Any, *args: Any, **given: Any) -> str:
        with told(ImplementationError) as caught:
            make(*args, **given)
        return str(caught.value).partition("Way out: ")[2]

    url = f"redis://{at['host']}:{at['port']}"
    assert "RedisDatabase.from_url(...)" == way(RedisDatabase, url="redis://x")
    works(RedisDatabase.from_url(url))
    assert "host=..." == way(RedisDatabase, hots="x")
    works(RedisDatabase(host=at["host"], port=at["port"]))
    assert "RedisDatabase(attempts=...), as a keyword" == way(RedisDatabase.from_url, f"{url}?attempts=3")
    works(RedisDatabase.from_url(url, attempts=3))
    assert way(RedisDatabase, quite_another=1).startswith("the arguments of redis.Redis: host, port, db, password, ssl")
    works(RedisDatabase(**at, db=0, password=None, ssl=False))


@tries("RedisDatabase: {} has no effect with {}")
def test_what_has_no_effect(told: Told, at: dict[str, Any], tmp_path: Path) -> None:
    def way(**given: Any) -> str:
        with told(ImplementationError) as caught:
            RedisDatabase(**given)
        return str(caught.value).partition("Way out: ")[2]

    with RealServer.start("--unixsocket", f"{tmp_path}/r.sock") as server:
        assert "leave one of the two out" == way(unix_socket_path=f"{tmp_path}/r.sock", host="localhost")
        works(RedisDatabase(unix_socket_path=f"{tmp_path}/r.sock"))
        works(RedisDatabase(host=server.host, port=server.port))
    assert "ssl=True, or a URL with rediss://" == way(**at, ssl_keyfile="key.pem")
    RedisDatabase(**at, ssl=True, ssl_keyfile="key.pem").close()
    RedisDatabase.from_url(f"rediss://{at['host']}:{at['port']}", ssl_keyfile="key.pem").close()


@tries("{} must be at most {} seconds")
def test_too_long(told: Told, at: dict[str, Any]) -> None:
    with told(ArgumentError):
        RedisDatabase(**at, timeout=2 * threading.TIMEOUT_MAX)
    works(RedisDatabase(**at, timeout=None))


@tries("{} must be more than 0 seconds")
def test_no_time(told: Told, at: dict[str, Any]) -> None:
    with told(ArgumentError):
        RedisDatabase(**at, socket_timeout=0)
    works(RedisDatabase(**at, socket_timeout=None))


@tries("RedisDatabase takes keywords, not {}")
def test_by_position(told: Told, at: dict[str, Any]) -> None:
    make: Any = RedisDatabase

    def way(given: Any) -> str:
        with told(ArgumentTypeError) as caught:
            make(given)
        return str(caught.value).partition("Way out: ")[2]

    url = f"redis://{at['host']}:{at['port']}/0"
    assert f"RedisDatabase.from_url({url!r})" == way(url)
    works(RedisDatabase.from_url(url))
    assert "RedisDatabase(host=..., port=..., db=...), or RedisDatabase.from_url(...) for a URL" == way("localhost")
    works(RedisDatabase(**at, db=0))


# URLs.


@tries("nothing can stand behind '#'")
def test_a_hash_sign(told: Told, at: dict[str, Any], secret: str) -> None:
    where = f"{at['host']}:{at['port']}"
    with told(ImplementationError):
        RedisDatabase.from_url(f"redis://ann:7#7@{where}")
    works(RedisDatabase.from_url(f"redis://ann:7%237@{where}"))


@tries("its port is no number")
def test_a_password_that_is_taken_for_a_port(told: Told, at: dict[str, Any], secret: str) -> None:
    where = f"{at['host']}:{at['port']}"
    with told(ImplementationError):
        RedisDatabase.from_url(f"redis://ann:{secret}@{where}")
    for url in (f"redis://7?hunter@{where}", f"redis+cluster://ann:7?hunter@{where}"):
        with told(ImplementationError) as caught:
            RedisDatabase.from_url(url)
        assert "hunter" not in str(caught.value)
    escaped = secret.replace("#", "%23").replace("/", "%2F").replace("?", "%3F").replace(":", "%3A")
    works(RedisDatabase.from_url(f"redis://ann:{escaped}@{where}"))


@tries("the path of the socket is missing")
def test_a_socket(told: Told, tmp_path: Path) -> None:
    with told(ImplementationError):
        RedisDatabase.from_url("unix://run/redis.sock")
    with RealServer.start("--unixsocket", f"{tmp_path}/r.sock"):
        works(RedisDatabase.from_url(f"unix://{tmp_path}/r.sock"))


@tries("{} is said twice")
def test_said_twice(told: Told, at: dict[str, Any]) -> None:
    url = f"redis://{at['host']}:{at['port']}"
    with told(ImplementationError):
        RedisDatabase.from_url(f"{url}?host=elsewhere")
    works(RedisDatabase.from_url(url))


# In process.


@tries("RedisDatabase.embedded() does not take {}")
def test_an_address_of_what_is_embedded(told: Told) -> None:
    with told(ImplementationError):
        RedisDatabase.embedded(host="localhost")
    works(RedisDatabase.embedded())


@tries("RedisDatabase.embedded() takes a fakeredis.FakeServer")
def test_a_url_of_what_is_embedded(told: Told, at: dict[str, Any]) -> None:
    url: Any = f"redis://{at['host']}:{at['port']}"
    with told(UowError):
        RedisDatabase.embedded(url)
    works(RedisDatabase.embedded(fakeredis.FakeServer()))
    works(RedisDatabase.from_url(url))
