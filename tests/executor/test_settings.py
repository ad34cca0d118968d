"""The arguments of redis-py, in a URL or as keywords: each has its effect, or is refused where the database is made."""

import inspect
import ssl
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.cache import CacheConfig
from redis.connection import parse_url
from redis.retry import Retry

from tests.models import things
from tests.tools.backends import Real
from tests.tools.refusing import raises
from uowredis import ArgumentError, ArgumentTypeError, ImplementationError, RedisDatabase, UowError
from uowredis.executor import settings, urls

#: What redis-py takes and the library cannot bear.
REFUSED = {
    "connection_pool": redis.ConnectionPool(),
    "decode_responses": True,
    "single_connection_client": True,
    "cache": object(),
    "cache_config": CacheConfig(),
    "maint_notifications_config": object(),
    "oss_cluster_maint_notifications_handler": object(),
}

#: A value of each other argument that is not the default; `ssl` beside what needs it.
TAKEN: dict[str, Any] = {
    "host": "example.org",
    "port": 6380,
    "db": 3,
    "username": "ann",
    "password": "secret",
    "socket_timeout": 2.5,
    "socket_connect_timeout": 1.5,
    "socket_read_size": 4096,
    "socket_keepalive": False,
    "socket_keepalive_options": {},
    "max_connections": 7,
    "client_name": "tester",
    "driver_info": redis.DriverInfo(name="tester"),
    "redis_connect_func": lambda connection: connection.on_connect(),
    "ssl": True,
    "ssl_keyfile": "key.pem",
    "ssl_certfile": "cert.pem",
    "ssl_cert_reqs": "none",
    "ssl_include_verify_flags": [ssl.VerifyFlags.VERIFY_X509_STRICT],
    "ssl_exclude_verify_flags": [ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN],
    "ssl_ca_certs": "ca.pem",
    "ssl_ca_path": "certificates",
    "ssl_ca_data": "PEM",
    "ssl_check_hostname": False,
    "ssl_password": "secret",
    "ssl_validate_ocsp": True,
    "ssl_validate_ocsp_stapled": True,
    "ssl_ocsp_context": object(),
    "ssl_ocsp_expected_cert": "PEM",
    "ssl_min_version": ssl.TLSVersion.TLSv1_3,
    "ssl_ciphers": "ECDHE+AESGCM",
}
#: What holds for `database.connection` alone.
OF_THE_CLIENT: dict[str, Any] = {
    "encoding": "latin-1",
    "encoding_errors": "replace",
    "retry": Retry(NoBackoff(), 3),
    "retry_on_error": [redis.TimeoutError],
    "health_check_interval": 5,
    "protocol": 2,
    "legacy_responses": False,
}
#: Arguments with a test of their own, deprecated ones, and one that has no value to be compared.
OTHERS = {"unix_socket_path", "credential_provider", "retry_on_timeout", "lib_name", "lib_version", "event_dispatcher"}


def connected_by(database: RedisDatabase) -> dict[str, Any]:
    """Return what the library's own connections are made of."""
    pool = database._executor.pool.connections
    return pool.connection_kwargs | {"class": pool.connection_class, "max_connections": pool.max_connections}


def test_every_argument_of_redis_py_is_known() -> None:
    """One that redis-py adds is refused until it is judged here."""
    known = set(inspect.signature(redis.Redis.__init__).parameters) - {"self"}
    assert known == set(REFUSED) | set(TAKEN) | set(OF_THE_CLIENT) | OTHERS


@pytest.mark.parametrize("name", TAKEN)
def test_an_argument_has_its_effect(name: str) -> None:
    """It is what the library's own connections are made of."""
    beside = {"ssl": True} if name.startswith("ssl") else {}
    with RedisDatabase(**beside, **{name: TAKEN[name]} if name != "ssl" else {}) as database:
        found = connected_by(database)
        assert (redis.SSLConnection if beside else redis.Connection) in found["class"].__mro__
        if name != "ssl":
            assert TAKEN[name] == found[name]


@pytest.mark.parametrize("name", OF_THE_CLIENT)
def test_an_argument_of_the_client_has_its_effect_there(name: str) -> None:
    """Retries, health checks and decoding are those of `database.connection`."""
    with RedisDatabase(**{name: OF_THE_CLIENT[name]}) as database:
        found = database.connection.connection_pool.connection_kwargs[name]
        assert OF_THE_CLIENT[name] == found or (name == "retry" and 3 == found.get_retries())


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_library_cannot_bear_is_refused_by_name(name: str) -> None:
    """The same in both spellings, as an argument of from_url(), and of connect()."""
    for make in (
        lambda: RedisDatabase(**{name: REFUSED[name]}),
        lambda: RedisDatabase.from_url("redis://localhost", **{name: REFUSED[name]}),
        lambda: RedisDatabase.from_url(f"redis://localhost?{name}=True"),
        lambda: RedisDatabase.embedded(**{name: REFUSED[name]}),
        lambda: RedisDatabase().connect(**{name: REFUSED[name]}),
    ):
        with raises(ImplementationError, f"does not take {name!r}", "Way out"):
            make()


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("hots", "host=..."),
        ("uri", "RedisDatabase.from_url(...)"),
        ("connection_class", "Way out"),
        ("parser_class", "Way out"),
        ("path", "Way out"),
        ("queue_class", "Way out"),
        ("x" * 10_000, "..."),
    ],
)
def test_what_redis_py_does_not_have_is_refused_by_name(name: str, way_out: str) -> None:
    """A misspelling too, and what redis-py's connections would take from a URL as text."""
    for make in (
        lambda: RedisDatabase(**{name: "x"}),
        lambda: RedisDatabase.from_url(f"redis://localhost?{name}=x"),
        lambda: RedisDatabase.from_url(f"redis://localhost?{name}="),
        lambda: RedisDatabase.from_url("redis://localhost", **{name: "x"}),
        lambda: RedisDatabase.embedded(**{name: "x"}),
    ):
        with raises(ImplementationError, name[:40], way_out) as caught:
            make()
        assert len(str(caught.value)) < 400


OWN = sorted(
    name
    for name, given in inspect.signature(RedisDatabase.__init__).parameters.items()
    if given.kind is given.KEYWORD_ONLY
)


@pytest.mark.parametrize("name", OWN)
def test_an_option_of_the_library_has_its_place(name: str) -> None:
    """Misspelled, in a URL, or said to connect(): the way out is the keyword."""
    for make in (
        lambda: RedisDatabase(**{f"{name}s": 1}),
        lambda: RedisDatabase.from_url(f"redis://localhost?{name}=1"),
        lambda: RedisDatabase().connect(**{name: 1}),
    ):
        with raises(ImplementationError, f"'{name}", f"Way out: RedisDatabase({name}=...)"):
            make()


@pytest.mark.parametrize(
    ("name", "value", "in_url"),
    [
        ("port", "x", "x"),
        ("port", 0, "0"),
        ("port", 65_536, "65536"),
        ("port", True, None),
        ("port", None, None),
        ("db", -1, "-1"),
        ("db", "abc", "abc"),
        ("db", 1.5, "1.5"),
        ("host", 5, None),
        ("host", "", None),
        ("password", 5, None),
        ("socket_timeout", "5", "x"),
        ("socket_timeout", 0, "0"),
        ("socket_timeout", -1, "-1"),
        ("socket_timeout", float("inf"), "inf"),
        ("socket_timeout", True, None),
        ("socket_connect_timeout", float("nan"), "nan"),
        ("socket_connect_timeout", [], None),
        ("socket_read_size", 0, "0"),
        ("socket_keepalive", "yes", "perhaps"),
        ("socket_keepalive_options", 5, "5"),
        ("max_connections", 0, "0"),
        ("max_connections", "many", "many"),
        ("socket_timeout", 1e300, "1e300"),
        ("timeout", -1, "-1"),
        ("timeout", 1e300, "1e300"),
        ("retry", 5, "5"),
        ("retry_on_error", ["x"], "x"),
        ("retry_on_timeout", 5, "5"),
        ("health_check_interval", "x", "x"),
        ("protocol", 4, "4"),
        ("legacy_responses", "x", "x"),
        ("encoding", "utf-9", "utf-9"),
        ("encoding_errors", "x", "x"),
        ("redis_connect_func", "x", "x"),
        ("credential_provider", "x", "x"),
        ("driver_info", "x", "x"),
        ("ssl", "x", "x"),
        ("ssl_cert_reqs", "perhaps", "perhaps"),
        ("ssl_cert_reqs", True, None),
        ("ssl_check_hostname", "x", "x"),
        ("ssl_validate_ocsp", "yes", "x"),
        ("ssl_include_verify_flags", "x", "x"),
        ("ssl_min_version", 5, "5"),
        ("ssl_ciphers", "x", "x"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name: str, value: object, in_url: str | None) -> None:
    """Where the database is made: the first command would blame it on Redis, or on nobody."""
    beside = {"ssl": True} if name.startswith("ssl_") else {}
    with raises(ArgumentError, name):
        RedisDatabase(**beside, **{name: value})
    if in_url is not None:
        with raises(ArgumentError, name):
            RedisDatabase.from_url(f"redis://?{name}={in_url}", **beside)


def test_a_password_is_in_no_message() -> None:
    """Of another type, in a URL that cannot be read, or in one given by position."""
    for make in (
        lambda: RedisDatabase(password=51_423),
        lambda: RedisDatabase.from_url("http://ann:51423@localhost"),
        lambda: RedisDatabase.from_url("redis://:51#423@localhost"),
        lambda: RedisDatabase.from_url("redis://:51/423@localhost"),
        lambda: RedisDatabase.from_url("redis://localhost/x?password=51423"),
        lambda: RedisDatabase("redis://:51423@localhost"),  # type: ignore[arg-type]  # that is the mistake
    ):
        with pytest.raises(UowError) as caught:
            make()
        assert not {"51423", "51", "423"} & set(str(caught.value).replace("#", " ").replace("/", " ").split())
        assert "51423" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"unix_socket_path": "/x", "host": "localhost"}, "host"),
        ({"unix_socket_path": "/x", "port": 6379, "ssl": True}, "port, ssl"),
        ({"unix_socket_path": "/x", "socket_keepalive": True}, "socket_keepalive"),
        ({"ssl_ca_certs": "ca.pem"}, "ssl_ca_certs"),
        ({"ssl": False, "ssl_keyfile": "key.pem"}, "ssl_keyfile"),
    ],
)
def test_an_argument_without_effect_beside_others_is_refused(given: dict[str, Any], named: str) -> None:
    """redis-py drops it without a word."""
    with raises(ImplementationError, f"{named} has no effect", "Way out"):
        RedisDatabase(**given)


def test_what_redis_py_itself_refuses_is_refused_at_once() -> None:
    """A credential provider beside a password: redis-py says so when it makes a connection."""
    with raises(ImplementationError, "credential_provider"):
        RedisDatabase(password="x", credential_provider=redis.UsernamePasswordCredentialProvider("ann", "x"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://localhost/abc", ["'abc'"]),
        ("redis://localhost/0/1", ["'0/1'"]),
        ("redis://localhost/-1", ["'-1'"]),
        ("redis://localhost:x/0", ["port"]),
        ("redis://localhost:99999", ["port"]),
        ("redis://localhost:0", ["port"]),
        ("redis://localhost/0#fragment", ["%23"]),
        ("redis:localhost", ["redis://"]),
        ("localhost:6379", ["redis://", "valkey://"]),
        ("", ["redis://"]),
        ("unix://run/redis.sock", ["three slashes"]),
        ("unix://", ["three slashes"]),
        ("redis://localhost?db", ["'db'", "no value"]),
        ("redis://localhost?db=1&db=2", ["'db'", "twice"]),
        ("redis://localhost?host=elsewhere", ["'host'", "twice"]),
        ("rediss://localhost?ssl=false", ["'ssl'", "twice"]),
        ("unix:///x?ssl_keyfile=x", ["ssl_keyfile", "no effect"]),
        ("unix:///x?socket_keepalive=1", ["socket_keepalive", "no effect"]),
        ("redis://localhost?ssl_keyfile=x", ["ssl_keyfile", "no effect", "rediss://"]),
    ],
)
def test_a_url_with_a_mistake_is_refused_where_it_is_given(url: str, words: list[str]) -> None:
    """With the part that is wrong."""
    with raises((ImplementationError, ArgumentError), *words):
        RedisDatabase.from_url(url)


@pytest.mark.parametrize("url", [b"redis://localhost", None, 6379, ["redis://localhost"], object()])
def test_a_url_that_is_no_text_is_refused(url: Any) -> None:
    """It says what it takes."""
    with raises(ArgumentTypeError, "from_url() takes text", "redis://localhost:6379/0"):
        RedisDatabase.from_url(url)


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        ("redis://localhost:6379/0", "RedisDatabase.from_url('redis://localhost:6379/0')"),
        ("localhost", "RedisDatabase.from_url(...)"),
        (redis.Redis(), "RedisDatabase(host=..."),
    ],
)
def test_what_is_given_by_position_is_refused(given: Any, way_out: str) -> None:
    """With the way that takes it, by connect() too."""
    for act in (RedisDatabase, RedisDatabase().connect, lambda url: RedisDatabase(url, 6379)):
        with raises(ArgumentTypeError, "takes keywords", way_out):
            act(given)


@pytest.mark.parametrize("given", [{"host": "localhost"}, {"port": 6379}, {"db": 0}, {"timeout": 5}, {"ssl": False}])
def test_an_embedded_database_takes_no_address(given: dict[str, Any]) -> None:
    """It would have no effect."""
    with raises(ImplementationError, f"embedded() does not take {next(iter(given))}", "Way out"):
        RedisDatabase.embedded(**given)
    with raises(ArgumentTypeError, "fakeredis.FakeServer", "str", "from_url"):
        RedisDatabase.embedded("redis://localhost")  # type: ignore[arg-type]  # that is the mistake


URLS = [
    "redis://localhost",
    "redis://localhost/",
    "redis://localhost/3",
    "redis://localhost/3/",
    "redis://localhost:6380/3?db=4",
    "redis://[::1]:6380",
    "redis:///2?host=example.org",
    "redis://ann:p%40ss%23@example.org:6380/1",
    "redis://:secret@localhost",
    "redis://localhost?username=ann&password=a%2Bb%20c&client_name=x",
    "redis://localhost?socket_timeout=2.5&socket_connect_timeout=3&socket_read_size=99&socket_keepalive=no",
    "redis://localhost?max_connections=5&health_check_interval=3&protocol=3&legacy_responses=False",
    "rediss://localhost:6390/1?ssl_cert_reqs=none&ssl_check_hostname=false&ssl_ca_certs=/ca.pem",
    "rediss://localhost?ssl_include_verify_flags=VERIFY_X509_STRICT&ssl_min_version=771",
    "unix:///run/redis.sock?db=3",
    "unix://ann:secret@/run/redis.sock",
]


@pytest.mark.parametrize("url", URLS)
def test_a_url_is_read_as_redis_py_reads_it(url: str) -> None:
    """Nothing more, nothing less; what it says in text has the type it needs."""
    theirs = parse_url(url)  # type: ignore[no-untyped-call]
    kind = theirs.pop("connection_class", redis.Connection)
    ours = settings.checked(urls.read(url))
    if "path" in theirs:
        theirs["unix_socket_path"] = theirs.pop("path")
    assert (kind is redis.SSLConnection) == ours.pop("ssl", False)
    assert theirs == ours


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "redis+sentinel"])
@pytest.mark.parametrize("password", ["12?hush", "12?hush&shh", "12?hush=shh", "12?db=3&hush", "words?hush"])
def test_a_password_with_a_question_mark_is_not_shown(scheme: str, password: str) -> None:
    """What stands behind it is no option, and part of what nobody shall see."""
    with raises(ImplementationError, "cannot read", "***@a:1") as caught:
        urls.read(f"{scheme}://ann:{password}@a:1/m")
    assert not [part for part in ("hush", "shh", "words") if part in str(caught.value)]


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e999"])
def test_a_url_says_numbers_that_are_finite(number: str) -> None:
    """A time without end is none."""
    with raises(ArgumentError, "socket_timeout", f"cannot be '{number}'"):
        urls.read(f"redis://localhost?socket_timeout={number}")


@pytest.mark.parametrize(("theirs", "ours"), [("redis", "valkey"), ("rediss", "valkeys")])
def test_valkey_has_urls_of_its_own(theirs: str, ours: str) -> None:
    """They mean the same."""
    rest = "://ann:secret@example.org:6380/3?client_name=x"
    assert urls.read(theirs + rest) == urls.read(ours + rest)


def test_a_valkey_url_connects(real: Real) -> None:
    """To the same data."""
    with RedisDatabase.from_url(real.server.url.replace("redis://", "valkey://")) as database:
        assert "x" == things(database)(string="x").string.get()
    assert ("string", b"x") == real.dump()[b":thing:1:string"]


def test_what_a_url_says_wins_over_keywords() -> None:
    """As in redis-py; the rest is as the keywords say."""
    with RedisDatabase.from_url(
        "redis://here:6380/3?max_connections=5&socket_connect_timeout=7&timeout=3",
        host="there",
        port=1,
        db=9,
        max_connections=8,
        socket_connect_timeout=2,
        timeout=9,
        client_name="x",
        attempts=4,
    ) as database:
        found = connected_by(database)
        names = ("host", "port", "db", "max_connections", "socket_connect_timeout", "client_name")
        assert ["here", 6380, 3, 5, 7, "x"] == [found[name] for name in names]
        assert (4, "here:6380") == (database._options.attempts, database._executor.address)
    with RedisDatabase.from_url("rediss://here", ssl=False) as database:
        assert redis.SSLConnection in connected_by(database)["class"].__mro__
    with RedisDatabase.from_url("redis://here", ssl=True, db=5) as database:
        found = connected_by(database)
        assert (True, 5) == (redis.SSLConnection in found["class"].__mro__, found["db"])


def test_a_socket_takes_a_connect_timeout() -> None:
    """redis-py drops it for a Unix socket given as an argument."""
    for database in (
        RedisDatabase(unix_socket_path="/x", socket_connect_timeout=7),
        RedisDatabase.from_url("unix:///x?socket_connect_timeout=7"),
    ):
        assert (7, "/x") == (connected_by(database)["socket_connect_timeout"], database._executor.address)
