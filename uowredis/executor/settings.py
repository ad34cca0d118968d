"""What a server is reached by: the arguments of redis-py, checked when they are given; a URL is read into them (do).

Each has its effect or is refused by name here, because at the first command a mistake would be blamed on Redis.
"""

from __future__ import annotations

import codecs
import difflib
import math
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import redis
from redis.connection import parse_ssl_verify_flags
from redis.credentials import CredentialProvider
from redis.retry import Retry

from uowredis.commands.arguments import flag, integer, span
from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError

#: Seconds for which a connection of the pool is waited for when all are in use, where the caller says nothing.
POOL_TIMEOUT = 20.0

#: Takes a value and what it is, and returns it as redis-py takes it.
_Check = Callable[[Any, str], Any]


def _text(value: Any, what: str) -> str:
    # Not the value: it may be a password.
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{what} must be text, not of type {type(value).__name__}")
    return value


def _name(value: Any, what: str) -> str:
    if not _text(value, what):
        raise ArgumentError(f"{what} must not be empty")
    return str(value)


def _text_or_bytes(value: Any, what: str) -> str | bytes:
    return value if isinstance(value, bytes) else _text(value, what)


def _whole(low: int, high: int) -> _Check:
    return lambda value, what: int(integer(value, what, low, high))


def _patience(value: Any, what: str) -> float:
    seconds = span(value, what)
    if seconds > threading.TIMEOUT_MAX:
        raise ArgumentError(f"{what} must be at most {threading.TIMEOUT_MAX:g} seconds. Way out: None for no bound")
    return seconds


def _bound(value: Any, what: str) -> float:
    seconds = _patience(value, what)
    if not seconds:
        raise ArgumentError(f"{what} must be more than 0 seconds. Way out: None for no bound of its own")
    return seconds


def _one_of(*allowed: Any) -> _Check:
    def check(value: Any, what: str) -> Any:
        if isinstance(value, bool) or value not in allowed:
            raise ArgumentError(f"{what} must be one of {', '.join(map(repr, allowed))}, not {_cut(value)}")
        return value

    return check


def _instance(*kinds: type) -> _Check:
    def check(value: Any, what: str) -> Any:
        if not isinstance(value, kinds):
            named = " or ".join(kind.__name__ for kind in kinds)
            raise ArgumentTypeError(f"{what} must be a {named}, not {_cut(value)}")
        return value

    return check


def _function(value: Any, what: str) -> Any:
    if not callable(value):
        raise ArgumentTypeError(f"{what} must be a function, not {_cut(value)}")
    return value


def _errors(value: Any, what: str) -> Any:
    if not isinstance(value, list | tuple | set) or not all(
        isinstance(kind, type) and issubclass(kind, Exception) for kind in value
    ):
        raise ArgumentTypeError(f"{what} must be a list of exception classes, not {_cut(value)}")
    return value


def _flags(value: Any, what: str) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(each, int) for each in value):
        raise ArgumentTypeError(f"{what} must be a list of ssl.VerifyFlags, not {_cut(value)}")
    return value


def _codec(look_up: Callable[[str], Any]) -> _Check:
    def check(value: Any, what: str) -> str:
        try:
            look_up(_name(value, what))
        except LookupError as error:
            raise ArgumentError(f"{what}: {error}") from None
        return str(value)

    return check


def _ciphers(value: Any, what: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(_name(value, what))
    except ssl.SSLError:
        raise ArgumentError(f"{what}: OpenSSL knows no cipher in {_cut(value)}") from None
    return str(value)


def _anything(value: Any, _: str) -> Any:
    return value


def _nodes(value: Any, what: str) -> tuple[tuple[str, int], ...]:
    """Return nodes of a cluster, or sentinels, given as ``"host:port"``, as (host, port)."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
        raise ArgumentTypeError(f"{what} must be a list of 'host:port', not {_cut(value)}")
    found = []
    for node in value:
        host, _, port = node.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ArgumentError(f"{what} takes nodes as 'host:port', not {_cut(node)}")
        found.append((host.removeprefix("[").removesuffix("]"), int(port)))
    return tuple(found)


def _or_none(check: _Check) -> _Check:
    return lambda value, what: None if value is None else check(value, what)


#: What each argument of ``redis.Redis`` that is taken may be; ``timeout`` is that of its BlockingConnectionPool.
_CHECKS: dict[str, _Check] = {
    "cluster": _nodes,
    "sentinels": _nodes,
    "service": _name,
    "host": _name,
    "port": _whole(1, 65_535),
    "db": _whole(0, 2**31 - 1),
    "username": _or_none(_text),
    "password": _or_none(_text_or_bytes),
    "unix_socket_path": _or_none(_name),
    "socket_timeout": _or_none(_bound),
    "socket_connect_timeout": _or_none(_bound),
    "socket_read_size": _whole(1, 2**31 - 1),
    "socket_keepalive": _or_none(flag),
    "socket_keepalive_options": _or_none(_instance(Mapping)),
    "max_connections": _or_none(_whole(1, 2**31 - 1)),
    "timeout": _or_none(_patience),
    "client_name": _or_none(_text),
    "lib_name": _or_none(_text),
    "lib_version": _or_none(_text),
    "driver_info": _or_none(_instance(redis.DriverInfo)),
    "redis_connect_func": _or_none(_function),
    "credential_provider": _or_none(_instance(CredentialProvider)),
    "event_dispatcher": _anything,
    "ssl": flag,
    "ssl_keyfile": _or_none(_name),
    "ssl_certfile": _or_none(_name),
    "ssl_cert_reqs": _or_none(
        _one_of("none", "optional", "required", ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED)
    ),
    "ssl_include_verify_flags": _or_none(_flags),
    "ssl_exclude_verify_flags": _or_none(_flags),
    "ssl_ca_certs": _or_none(_name),
    "ssl_ca_path": _or_none(_name),
    "ssl_ca_data": _or_none(_text_or_bytes),
    "ssl_check_hostname": flag,
    "ssl_password": _or_none(_text_or_bytes),
    "ssl_validate_ocsp": flag,
    "ssl_validate_ocsp_stapled": flag,
    "ssl_ocsp_context": _anything,
    "ssl_ocsp_expected_cert": _or_none(_text),
    "ssl_min_version": _or_none(_one_of(*ssl.TLSVersion)),
    "ssl_ciphers": _or_none(_ciphers),
    # Of `database.connection` alone: the library's own connections are not retried, checked or decoded.
    "encoding": _codec(codecs.lookup),
    "encoding_errors": _codec(codecs.lookup_error),
    "retry": _or_none(_instance(Retry)),
    "retry_on_timeout": flag,
    "retry_on_error": _or_none(_errors),
    "health_check_interval": span,
    "protocol": _or_none(_whole(2, 3)),
    "legacy_responses": flag,
}

#: What ``redis.Redis`` takes and the library does not, and why.
_REFUSED = {
    "connection_pool": "it makes its own connections. Way out: give host, port, db and the like, or use "
    "RedisDatabase.from_url()",
    "decode_responses": "it decodes by itself; fields answer in text. Way out: leave it out",
    "single_connection_client": "sessions need connections of their own. Way out: max_connections=...",
    "cache": "a value from a cache is not what a commit would stand on. Way out: leave it out",
    "cache_config": "a value from a cache is not what a commit would stand on. Way out: leave it out",
    "maint_notifications_config": "its connections take no messages but replies. Way out: leave it out",
    "oss_cluster_maint_notifications_handler": "its connections take no messages but replies. Way out: leave it out",
}

#: What ``RedisDatabase`` takes beside them, as keywords alone; for those who misspell one, or say it elsewhere.
_OWN = (
    "attempts",
    "certain",
    "changed",
    "echo",
    "max_steps",
    "max_watched",
    "on_pending",
    "outside",
    "rehearsal_limit",
    "replicas",
    "replicas_for",
    "retry_for",
    "scripts",
    "settle_for",
    "token_lifetime",
    "watch_reads",
)

#: What says nothing to a Unix socket.
_OF_TCP = ("host", "port", "socket_keepalive", "socket_keepalive_options", "ssl")

#: What names one server.
_OF_ONE = ("host", "port", "unix_socket_path")

#: How the URL of a cluster begins, and whether it is TLS; and that of a master by its sentinels.
_CLUSTERS = {"redis+cluster": False, "rediss+cluster": True, "valkey+cluster": False, "valkeys+cluster": True}
_SENTINELS = {"redis+sentinel": False, "rediss+sentinel": True, "valkey+sentinel": False, "valkeys+sentinel": True}

#: How a URL begins, and whether it is TCP, and TLS.
_SCHEMES = {
    "redis": (True, False),
    "rediss": (True, True),
    "valkey": (True, False),
    "valkeys": (True, True),
    "unix": (False, False),
}


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return *settings*, each as redis-py takes it.

    Raises:
        ImplementationError: for one that is not known, is not for the library, or has no effect beside the others.
        ArgumentError: for a value that cannot be.
    """
    for name in settings:
        _check_name(name, "The server of RedisDatabase" if name in _OWN else "RedisDatabase")
    found = {name: _CHECKS[name](value, f"RedisDatabase({name}=...)") for name, value in settings.items()}
    if found.get("unix_socket_path") is not None:
        _check_idle(found, lambda name: name in _OF_TCP, "unix_socket_path", "leave one of the two out")
    if found.get("cluster") is not None:
        idle = (*_OF_ONE, "db", "sentinels", "service")
        _check_idle(found, lambda name: name in idle, "cluster", "cluster=['host:port', ...] names the nodes")
    if found.get("sentinels") is not None:
        _check_idle(found, lambda name: name in _OF_ONE, "sentinels", "these know where the master is")
    if ("sentinels" in found) is not ("service" in found):
        raise ImplementationError(
            "RedisDatabase(sentinels=[...], service=...) are given together. Way out: service='mymaster', as the "
            "sentinels call it, and sentinels=['host:port', ...]"
        )
    if not found.get("ssl"):
        _check_idle(found, lambda name: name.startswith("ssl_"), "no TLS", "ssl=True, or a URL with rediss://")
    return found


def _check_name(name: str, where: str) -> None:
    """Check that there is an argument *name*, and that it is taken.

    Raises:
        ImplementationError: where not.
    """
    if name in _REFUSED:
        raise ImplementationError(f"{where} does not take {name!r}: {_REFUSED[name]}")
    if name not in _CHECKS:
        near = [name] if name in _OWN else difflib.get_close_matches(name, (*_CHECKS, *_OWN), 1)
        if name in ("url", "uri", "dsn"):
            way = "RedisDatabase.from_url(...)"
        elif near and near[0] in _OWN:
            way = f"RedisDatabase({near[0]}=...), as a keyword"
        elif near:
            way = f"{near[0]}=..."
        else:
            way = "the arguments of redis.Redis: host, port, db, password, ssl ..."
        raise ImplementationError(f"{where} has no option {_cut(name)}. Way out: {way}")


def _check_idle(found: Mapping[str, Any], is_idle: Callable[[str], bool], beside: str, way_out: str) -> None:
    idle = sorted(name for name, value in found.items() if is_idle(name) and value is not None and value is not False)
    if idle:
        raise ImplementationError(f"RedisDatabase: {', '.join(idle)} has no effect with {beside}. Way out: {way_out}")


def not_by_position(value: object) -> ArgumentTypeError:
    """Return the error for a *value* that was given by position, as redis-py takes host, port and db."""
    shown = _cut(hidden(value)) if isinstance(value, str) else _cut(value)
    way = "RedisDatabase(host=..., port=..., db=...)"
    if isinstance(value, str):
        way = (
            f"RedisDatabase.from_url({shown})" if "://" in value else f"{way}, or RedisDatabase.from_url(...) for a URL"
        )
    return ArgumentTypeError(f"RedisDatabase takes keywords, not {shown}. Way out: {way}")


def read(url: Any) -> dict[str, Any]:
    """Return the settings that *url* names, as keywords.

    Raises:
        ArgumentTypeError: for something else than text.
        ImplementationError: for a URL that cannot be read, or with an option that is not known.
        ArgumentError: for a value that cannot be.
    """
    if not isinstance(url, str):
        raise ArgumentTypeError(
            f"RedisDatabase.from_url() takes text such as 'redis://localhost:6379/0', not {_cut(url)}"
        )
    if url.partition("://")[0] in {**_CLUSTERS, **_SENTINELS}:
        return _of_several(url)
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        # Python's own message may show a part of the password.
        raise _no_port(url) from None
    if split.scheme not in _SCHEMES or not url[len(split.scheme) :].startswith("://"):
        schemes = (*_SCHEMES, *_CLUSTERS, *_SENTINELS)
        raise _unreadable(url, f"it must begin with {', '.join(f'{scheme}://' for scheme in schemes)}")
    if split.fragment or url.endswith("#"):
        raise _unreadable(url, "nothing can stand behind '#'. Way out: write a '#' of a password as %23")
    is_tcp, is_tls = _SCHEMES[split.scheme]
    found: dict[str, Any] = {"username": split.username, "password": split.password}
    if is_tcp:
        found |= {"host": split.hostname, "port": port, "ssl": is_tls or None, "db": _db(url, split)}
    else:
        found |= {"unix_socket_path": _socket_path(url, split)}
    found = {
        name: unquote(value) if isinstance(value, str) else value
        for name, value in found.items()
        if value not in (None, "")
    }
    return found | _queried(url, split, found)


def _of_several(url: str) -> dict[str, Any]:
    """Return the settings of a cluster, or of a master that is named by its sentinels.

    ``redis+cluster://user:password@host:port,host:port?option=value``, ``redis+sentinel://host:port,host:port/service/db``.
    """
    scheme, _, rest = url.partition("://")
    where, _, query = rest.partition("?")
    login, _, hosts = where.rpartition("@")
    hosts, _, path = hosts.partition("/")
    username, _, password = login.partition(":")
    said = {"username": unquote(username), "password": unquote(password)}
    found: dict[str, Any] = {name: value for name, value in said.items() if value}
    if {**_CLUSTERS, **_SENTINELS}[scheme]:
        found["ssl"] = True
    if scheme in _CLUSTERS:
        if path:
            raise _unreadable(url, "a cluster has no db but 0. Way out: leave it out")
        found["cluster"] = _with_ports(hosts, 6_379)
    else:
        service, _, db = path.partition("/")
        if not service or (db and not db.isdecimal()):
            raise _unreadable(
                url, "the name of the service is missing, or its db is no number. Way out: .../mymaster/0"
            )
        found |= {"sentinels": _with_ports(hosts, 26_379), "service": unquote(service)}
        if db:
            found["db"] = int(db)
    return found | _queried(url, urlsplit(f"redis://node?{query}"), found)


def _with_ports(hosts: str, port: int) -> list[str]:
    return [host if host.rpartition("]")[2].count(":") else f"{host}:{port}" for host in hosts.split(",")]


def _db(url: str, split: SplitResult) -> Any:
    db = split.path.removeprefix("/").removesuffix("/")
    if db and not db.isdecimal():
        raise _unreadable(url, f"the db behind the host must be a number, not {_cut(db)}")
    return db


def _socket_path(url: str, split: SplitResult) -> str:
    if split.hostname or not split.path:
        raise _unreadable(
            url, "the path of the socket is missing. Way out: three slashes, as in unix:///run/redis.sock"
        )
    return split.path


def _queried(url: str, split: SplitResult, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options behind '?', which are all text, as keywords."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(split.query, keep_blank_values=True):
        if "@" in name:
            # It is the end of a password.
            raise _no_port(url)
        where = f"the URL's option {name!r}"
        _check_name(name, "The URL of RedisDatabase")
        if not value:
            raise ArgumentError(f"{where} has no value")
        if name in found or (name in said and name != "db"):
            raise ImplementationError(f"{where} is said twice. Way out: say it once")
        try:
            found[name] = _of_text(name, value)
        except ValueError:
            raise ArgumentError(f"{where} cannot be {_cut(value)}") from None
    return found


#: How the text of a URL is read, by the kind of what it says.
_NUMBERS = ("socket_timeout", "socket_connect_timeout", "timeout", "health_check_interval")
_FLAGS = frozenset(name for name, check in _CHECKS.items() if check is flag) | {"socket_keepalive"}
_TRUTH = dict.fromkeys(("1", "t", "true", "y", "yes"), True) | dict.fromkeys(("0", "f", "false", "n", "no"), False)


def _of_text(name: str, value: str) -> Any:
    if name in _NUMBERS:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(value)
        return number
    if name in _FLAGS:
        if value.lower() not in _TRUTH:
            raise ValueError(value)
        return _TRUTH[value.lower()]
    if name in ("ssl_include_verify_flags", "ssl_exclude_verify_flags"):
        return parse_ssl_verify_flags(value)  # type: ignore[no-untyped-call]
    return ssl.TLSVersion(int(value)) if name == "ssl_min_version" else value


def _no_port(url: str) -> ImplementationError:
    return _unreadable(
        url, "its port is no number. Way out: write '#', '/', '?' and ':' of a password as %23, %2F, %3F and %3A"
    )


def _unreadable(url: str, why: str) -> ImplementationError:
    return ImplementationError(f"RedisDatabase.from_url() cannot read {_cut(hidden(url))}: {why}")


def hidden(text: str) -> str:
    """Return *text*, perhaps a URL, without user and password."""
    return re.sub(r"(password=)[^&]*", r"\1***", re.sub(r"//.*@", "//***@", text, flags=re.S))


def _cut(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
