"""A URL is read into the arguments of redis-py that it names (do)."""

from __future__ import annotations

import math
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.connection import parse_ssl_verify_flags

from uowredis.exceptions import ArgumentError, ArgumentTypeError, ImplementationError
from uowredis.executor.settings import FLAGS, check_name, cut, hidden

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


def read(url: Any) -> dict[str, Any]:
    """Return the settings that *url* names, as keywords.

    Raises:
        ArgumentTypeError: for something else than text.
        ImplementationError: for a URL that cannot be read, or with an option that is not known.
        ArgumentError: for a value that cannot be.
    """
    if not isinstance(url, str):
        raise ArgumentTypeError(
            f"RedisDatabase.from_url() takes text such as 'redis://localhost:6379/0', not {cut(url)}"
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
        raise _unreadable(url, f"the db behind the host must be a number, not {cut(db)}")
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
        where = f"the URL's option {name!r}"
        try:
            check_name(name, "The URL of RedisDatabase")
        except ImplementationError:
            if "@" in split.query:
                # It is a part of a password.
                raise _no_port(url) from None
            raise
        if not value:
            raise ArgumentError(f"{where} has no value")
        if name in found or (name in said and name != "db"):
            raise ImplementationError(f"{where} is said twice. Way out: say it once")
        try:
            found[name] = _of_text(name, value)
        except ValueError:
            raise ArgumentError(f"{where} cannot be {cut(value)}") from None
    return found


#: How the text of a URL is read, by the kind of what it says.
_NUMBERS = ("socket_timeout", "socket_connect_timeout", "timeout", "health_check_interval")
_TRUTH = dict.fromkeys(("1", "t", "true", "y", "yes"), True) | dict.fromkeys(("0", "f", "false", "n", "no"), False)


def _of_text(name: str, value: str) -> Any:
    if name in _NUMBERS:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(value)
        return number
    if name in FLAGS:
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
    return ImplementationError(f"RedisDatabase.from_url() cannot read {cut(hidden(url))}: {why}")
