"""What a server is reached by: the arguments of redis-py, checked when they are given (do).

Each has its effect or is refused by name here, because at the first command a mistake would be blamed on Redis.
"""

from __future__ import annotations

import codecs
import difflib
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

import redis
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
            raise ArgumentError(f"{what} must be one of {', '.join(map(repr, allowed))}, not {cut(value)}")
        return value

    return check


def _instance(*kinds: type) -> _Check:
    def check(value: Any, what: str) -> Any:
        if not isinstance(value, kinds):
            named = " or ".join(kind.__name__ for kind in kinds)
            raise ArgumentTypeError(f"{what} must be a {named}, not {cut(value)}")
        return value

    return check


def _function(value: Any, what: str) -> Any:
    if not callable(value):
        raise ArgumentTypeError(f"{what} must be a function, not {cut(value)}")
    return value


def _errors(value: Any, what: str) -> Any:
    if not isinstance(value, list | tuple | set) or not all(
        isinstance(kind, type) and issubclass(kind, Exception) for kind in value
    ):
        raise ArgumentTypeError(f"{what} must be a list of exception classes, not {cut(value)}")
    return value


def _flags(value: Any, what: str) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(each, int) for each in value):
        raise ArgumentTypeError(f"{what} must be a list of ssl.VerifyFlags, not {cut(value)}")
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
        raise ArgumentError(f"{what}: OpenSSL knows no cipher in {cut(value)}") from None
    return str(value)


def _anything(value: Any, _: str) -> Any:
    return value


def _nodes(value: Any, what: str) -> tuple[tuple[str, int], ...]:
    """Return nodes of a cluster, or sentinels, given as ``"host:port"``, as (host, port)."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
        raise ArgumentTypeError(f"{what} must be a list of 'host:port', not {cut(value)}")
    found = []
    for node in value:
        host, _, port = node.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ArgumentError(f"{what} takes nodes as 'host:port', not {cut(node)}")
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

#: Those that are true or false.
FLAGS = frozenset(name for name, check in _CHECKS.items() if check is flag) | {"socket_keepalive"}

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


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return *settings*, each as redis-py takes it.

    Raises:
        ImplementationError: for one that is not known, is not for the library, or has no effect beside the others.
        ArgumentError: for a value that cannot be.
    """
    for name in settings:
        check_name(name, "The server of RedisDatabase" if name in _OWN else "RedisDatabase")
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


def check_name(name: str, where: str) -> None:
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
        raise ImplementationError(f"{where} has no option {cut(name)}. Way out: {way}")


def _check_idle(found: Mapping[str, Any], is_idle: Callable[[str], bool], beside: str, way_out: str) -> None:
    idle = sorted(name for name, value in found.items() if is_idle(name) and value is not None and value is not False)
    if idle:
        raise ImplementationError(f"RedisDatabase: {', '.join(idle)} has no effect with {beside}. Way out: {way_out}")


def not_by_position(value: object) -> ArgumentTypeError:
    """Return the error for a *value* that was given by position, as redis-py takes host, port and db."""
    shown = cut(hidden(value)) if isinstance(value, str) else cut(value)
    way = "RedisDatabase(host=..., port=..., db=...)"
    if isinstance(value, str):
        way = (
            f"RedisDatabase.from_url({shown})" if "://" in value else f"{way}, or RedisDatabase.from_url(...) for a URL"
        )
    return ArgumentTypeError(f"RedisDatabase takes keywords, not {shown}. Way out: {way}")


def hidden(text: str) -> str:
    """Return *text*, perhaps a URL, without user and password."""
    return re.sub(r"(password=)[^&]*", r"\1***", re.sub(r"//.*@", "//***@", text, flags=re.S))


def cut(value: object) -> str:
    """Return *value* for an error, cut where it is long."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
