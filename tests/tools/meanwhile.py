"""Let another client act exactly between the plan of a commit and its EXEC."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.tools.proxy import Proxy


@contextmanager
def meanwhile(
    proxy: Proxy, how: str, act: Callable[[Any], Any], other: Any, times: int = 1, *, after: bool = False
) -> Iterator[None]:
    """Let the other *act* whenever our connection is about to apply, or has just applied, *times* times."""
    failed: list[BaseException] = []
    proxy.stall(**{"after" if after else "before": "EVAL" if how == "script" else "EXEC"}, times=times)

    def play() -> None:
        try:
            for _ in range(times):
                proxy.wait_stalled()
                act(other)
                proxy.resume()
        except BaseException as error:
            failed.append(error)
            proxy.down()

    player = threading.Thread(target=play)
    player.start()
    try:
        yield
    finally:
        player.join()
        assert [] == failed


def applied(proxy: Proxy) -> int:
    """Return how often our client tried to apply."""
    return sum(command[0] in (b"EXEC", b"EVAL") for command in proxy.seen)
