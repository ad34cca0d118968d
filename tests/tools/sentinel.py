"""A master with a replica, and a sentinel that watches them: where the master dies, the replica takes its place."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs
import redis

from tests.tools.cluster import until
from tests.tools.servers import LOOPBACK, RealServer, answers, free_port, server_binary

SERVICE = "mymaster"


@attrs.define
class Watched:
    """What runs."""

    master: RealServer
    replica: RealServer
    url: str

    def fail_over(self) -> None:
        """Kill the master, and wait until the replica has taken its place."""
        self.master.kill()
        with self.replica.client() as client:

            def is_master() -> bool:
                try:
                    return bool(client.info("replication")["role"] == "master")
                except redis.ConnectionError:
                    # A sentinel that makes a replica the master has it close its connections (CLIENT KILL TYPE normal).
                    return False

            until(is_master)


@contextlib.contextmanager
def watched() -> Iterator[Watched]:
    """Start all three; return when the replica has what the master has, and the sentinel knows it."""
    with RealServer.start() as master, RealServer.start("--replicaof", LOOPBACK, str(master.port)) as replica:
        with replica.client() as client:
            until(lambda: client.info("replication").get("master_link_status") == "up")
        with tempfile.TemporaryDirectory(prefix="uowredis-tests-") as directory:
            port, settings = free_port(), Path(directory, "sentinel.conf")
            settings.write_text(
                f"port {port}\nbind {LOOPBACK}\ndir {directory}\n"
                f"sentinel monitor {SERVICE} {LOOPBACK} {master.port} 1\n"
                f"sentinel down-after-milliseconds {SERVICE} 500\nsentinel failover-timeout {SERVICE} 3000\n"
            )
            process = subprocess.Popen(
                [str(server_binary()), str(settings), "--sentinel"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                assert answers(port, process)
                with RealServer(LOOPBACK, port, f"redis://{LOOPBACK}:{port}", "", "").client() as sentinel:
                    until(lambda: len(sentinel.execute_command("SENTINEL", "REPLICAS", SERVICE)) == 1)
                # The first sentinel does not answer.
                url = f"redis+sentinel://{LOOPBACK}:{free_port()},{LOOPBACK}:{port}/{SERVICE}/0"
                yield Watched(master, replica, url)
            finally:
                process.kill()
                process.wait()
