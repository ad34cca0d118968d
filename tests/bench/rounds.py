"""Contestants in turn, on the same data, timed and compared."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from tests.backends import Real

#: Makes the data ready and returns the work to be timed.
Contestant = Callable[[], Callable[[], object]]


class Unequal(Exception):
    """Two contestants did not leave the same data; their times say nothing."""


@attrs.frozen
class Result:
    """What one contestant needed.

    Attributes:
        name: its name.
        seconds: of each round.
        count: objects or calls in a round.
    """

    name: str
    seconds: Sequence[float]
    count: int

    @property
    def median(self) -> float:
        """Seconds of the median round."""
        return statistics.median(self.seconds)

    @property
    def each(self) -> float:
        """Microseconds an object in the median round."""
        return self.median / self.count * 1e6


def compete(
    server: Real, contestants: Mapping[str, Contestant], *, rounds: int, count: int, warm_up: bool = True
) -> list[Result]:
    """Time the contestants in turn, round by round, each on an empty server.

    Each begins a round as often as the others: the order turns by one place from round to round. After each round all
    must have left the same data, read with plain redis-py.

    Raises:
        Unequal: where they have not.
    """
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_ in range(-1 if warm_up else 0, rounds):
        dumps: dict[str, Any] = {}
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            server.flush()
            needed = timed(contestants[name]())
            dumps[name] = server.dump()
            if round_ >= 0:
                seconds[name].append(needed)
        check_equal(dumps)
    return [Result(name, seconds[name], count) for name in names]


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that *work* takes; garbage of what was before is not its own."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def check_equal(dumps: Mapping[str, Any]) -> None:
    """Check that all *dumps*, by name, are equal, and not empty.

    Raises:
        Unequal: where they are not; names the contestants and keys.
    """
    (first, expected), *others = dumps.items()
    for name, dump in [(first, expected), *others]:
        differ = sorted(key for key in expected.keys() | dump.keys() if expected.get(key) != dump.get(key))
        if differ or not dump:
            raise Unequal(f"{first!r} and {name!r} differ in {len(differ)} keys of {len(expected)}: {differ[:5]}")
