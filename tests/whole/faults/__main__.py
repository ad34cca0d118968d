"""Cut, silence and kill at every byte of some twenty plans: ``python -m tests.whole.faults [--face aio] [--mode M]``.

It starts a redis-server of its own (AOF, always) and prints what happened; the exit status is 1 where a promise did not
hold. ``--points`` bounds the points of each plan, direction and mode; without it some 57,000 cases take over an hour.
``--mode cut`` takes only the modes whose names begin so. On the asyncio face (``--face aio``) the task is cancelled at
every wait, too.
"""

import argparse
import sys
import time

from tests.whole.faults.trials import all_of_them, modes_of


def main() -> int:
    """Run all of them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--face", choices=["blocking", "aio"], default="blocking")
    parser.add_argument("--mode", default="")
    parser.add_argument("--points", type=int, default=None)
    begun, given = time.monotonic(), parser.parse_args()
    modes = [mode for mode in modes_of(given.face) if mode.name.startswith(given.mode)]
    trials = all_of_them(modes, given.points, lambda line: print(line, file=sys.stderr), given.face)
    print(trials.numbers())
    print(f"{time.monotonic() - begun:.0f} s")
    return bool(trials.violations)


sys.exit(main())
