"""How time grows with the number of objects: ``python -m tests.bench.growth [--sizes 1000 10000 100000]``.

The client's processor time of each line is measured at each size, in a process of its own; the exponent is that of the
power law that fits best: 1 where twice as many objects take twice the time. It empties the server's database.
"""

import argparse
import math
import statistics
from collections.abc import Mapping, Sequence

from tests.bench.apart import needed
from tests.tools import servers
from tests.tools.backends import Real

#: What is measured: the lines of the table.
WHAT = ("create", "change", "read", "delete")
SIZES = (1_000, 10_000, 100_000)
#: More are refused in one session: the script that compares what is watched takes no more.
MOST_DELETED = 50_000


def exponent(times: Mapping[int, float]) -> float:
    """Return the exponent of the power law that fits *times* by size."""
    sizes = [math.log(size) for size in times]
    return statistics.linear_regression(sizes, [math.log(time) for time in times.values()]).slope


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print as it goes."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.growth", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of objects")
    parser.add_argument("--rounds", type=int, default=3, help="of which the shortest counts")
    parser.add_argument("--only", nargs="+", choices=WHAT, default=WHAT)
    options = parser.parse_args(arguments)
    print(f"| µs of client CPU each (of so many) |{' |' * len(options.sizes)} exponent |")
    print(f"| --- | {'---: | ' * len(options.sizes)}---: |", flush=True)
    with servers.find() as found:
        server = Real(found)
        for line in options.only:
            times: dict[int, float] = {}
            for size in [min(each, MOST_DELETED) if line == "delete" else each for each in options.sizes]:
                clocks = []
                for _ in range(options.rounds):
                    server.flush()
                    clocks.append(needed(line, "ours", found.url, size).client)
                times[size] = min(clocks)
            each = " | ".join(f"{time / size * 1e6:.1f} ({size:,})" for size, time in times.items())
            print(f"| {line} | {each} | {exponent(times):.2f} |", flush=True)
        server.close()


if __name__ == "__main__":
    main()
