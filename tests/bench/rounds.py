"""Contestants in turn, on the same data, timed and compared."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from tests.tools.backends import Real

#: Makes the data ready and returns the work to be timed.
Contestant = Callable[[], Callable[[], object]]


class Unequal(Exception):
    """Two contestants did not leave the same data; their times say nothing."""


@attrs.frozen
class Time:
    """What a piece of work took: seconds on the clock, and of this process' processor time."""

    clock: float
    processor: float


@attrs.frozen
class Result:
    """What one contestant needed.

    Attributes:
        name: its name.
        times: of each round.
        count: objects or calls in a round.
    """

    name: str
    times: Sequence[Time]
    count: int

    @property
    def milliseconds(self) -> float:
        """Of the median round."""
        return statistics.median(time.clock for time in self.times) * 1e3

    @property
    def microseconds_each(self) -> float:
        """For one object or call, in the median round."""
        return self.milliseconds * 1e3 / self.count

    @property
    def processor_each(self) -> float:
        """Microseconds of this process' processor time for one object or call, in the median round."""
        return statistics.median(time.processor for time in self.times) / self.count * 1e6

    def against(self, other: "Result") -> float:
        """Return the time of this one by that of *other*: both of one round, and of these ratios the median.

        What slows the machine for a while slows the two of a round alike.
        """
        return statistics.median(
            ours.clock / theirs.clock for ours, theirs in zip(self.times, other.times, strict=True)
        )


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
    times: dict[str, list[Time]] = {name: [] for name in names}
    for round_ in range(-1 if warm_up else 0, rounds):
        dumps: dict[str, Any] = {}
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            server.flush()
            needed = timed(contestants[name]())
            dumps[name] = server.dump()
            if round_ >= 0:
                times[name].append(needed)
        check_equal(dumps)
    return [Result(name, times[name], count) for name in names]


def timed(work: Callable[[], object]) -> Time:
    """Return the time that *work* takes, that of collecting what it leaves in circles included.

    Else whoever leaves its objects to the garbage collector does not pay for them. What was there before is frozen: it
    costs nobody.
    """
    gc.collect()
    gc.freeze()
    clock, processor = time.perf_counter(), time.process_time()
    work()
    gc.collect()
    needed = Time(time.perf_counter() - clock, time.process_time() - processor)
    gc.unfreeze()
    return needed


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
