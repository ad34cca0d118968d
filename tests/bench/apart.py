"""Each contestant in a process of its own, in turn, again and again; what they leave is compared.

``python -m tests.bench.apart LINE SIDE URL COUNT`` is one of these processes; it prints what it needed, as JSON.
"""

import hashlib
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs
import redis

from tests.bench import lines, of_aio, slow, typed
from tests.bench.lines import Line, Stage
from tests.bench.rounds import check_equal, timed
from tests.tools.backends import Real

ROOT = Path(__file__).parents[2]

#: Each line of the table, and those of types and of asyncio, which are measured where they are asked for.
LINES: dict[str, Line] = {**lines.LINES, **typed.LINES, **of_aio.LINES}


@attrs.frozen
class Needed:
    """What one process needed for its work.

    Attributes:
        clock: seconds.
        client: seconds of the processor, of this process and those it started.
        server: the same of the server.
        commands: how many the server was sent.
        peak: kilobytes of memory at most.
        answer: a digest of what it answered, where that is compared.
    """

    clock: float
    client: float
    server: float
    commands: int
    peak: int
    answer: str = ""


@attrs.frozen
class Figures:
    """A line of the table: what each side needed, repetition by repetition."""

    line: str
    count: int
    most: float
    sides: dict[str, list[Needed]]

    def ratios(self, side: str, figure: str = "clock") -> list[float]:
        """Return by repetition how much of what ``hand`` needed *side* did."""
        pairs = zip(self.sides[side], self.sides["hand"], strict=True)
        return sorted(getattr(one, figure) / max(getattr(other, figure), 1e-9) for one, other in pairs)

    def shown(self) -> str:
        """Return the line as Markdown: medians, and the spread of the ratio."""
        ours = self.ratios("ours")
        best = f"{statistics.median(self.ratios('best')):.2f}" if "best" in self.sides else ""
        median = statistics.median(ours)
        cells = [
            f"{self.line} {self.count:,}",
            f"{median:.3f} ({ours[0]:.3f}-{ours[-1]:.3f})",
            best,
            f"{self.most:g}",
            "yes" if median <= self.most else "no",
            f"{statistics.median(self.ratios('ours', 'client')):.2f}",
            f"{statistics.median(each.client / each.clock for each in self.sides['ours']):.2f}",
            *(f"{statistics.median(each.commands for each in self.sides[side]):,.0f}" for side in ("ours", "hand")),
            *(f"{statistics.median(each.peak for each in self.sides[side]) / 1024:.0f}" for side in ("ours", "hand")),
        ]
        return f"| {' | '.join(cells)} |"


HEAD = """\
| line | ours / hand (spread) | best / hand | wanted | met | client CPU, ours / hand | client CPU / clock | \
commands, ours | hand | peak MB, ours | hand |
| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def measured(server: Real, names: Iterable[str], repetitions: int, count: int | None) -> Iterator[Figures]:
    """Yield the figures of the lines *names*; who goes first turns from one repetition to the next."""
    for name in names:
        line = LINES[name]
        sides = [side for side in ("ours", "hand", "best") if getattr(line, side) is not None]
        figures: dict[str, list[Needed]] = {side: [] for side in sides}
        many = line.count if count is None else count
        with slow.behind(server.server.url, line.delay) if line.delay else nullcontext(server.server.url) as url:
            for at in range(repetitions):
                dumps = {}
                for side in sides[at % len(sides) :] + sides[: at % len(sides)]:
                    server.flush()
                    figures[side].append(needed(name, side, url, many))
                    dumps[side] = server.dump() | {"what it answered": figures[side][-1].answer}
                check_equal(dumps)
        yield Figures(name, many, line.most, figures)


def needed(name: str, side: str, url: str, count: int) -> Needed:
    """Return what *side* needs for the line *name* on the server at *url*, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.apart", name, side, url, str(count)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Needed(**json.loads(told.stdout))


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str]) -> None:
    """Be one contestant."""
    from tests.bench import finding, groups, people
    from uowredis.contrib.database import PipelineDatabase

    name, side, url, count = arguments
    database = PipelineDatabase.from_url(url)
    people.Person.use_database(database)
    finding.use(database)
    groups.Related.use_database(database)
    beside = redis.Redis.from_url(url)
    stage = Stage(
        url, database, redis.Redis.from_url(url), redis.Redis.from_url(url, decode_responses=True), int(count)
    )
    work = getattr(LINES[name], side)(stage)
    before, used = _of_server(beside), _of_children()
    answers: list[object] = []
    took = timed(lambda: answers.append(work()))
    used, after = took.processor + _of_children() - used, _of_server(beside)
    # One INFO each is ours.
    plain = LINES[name].plain
    answer = "" if plain is None else hashlib.sha256(repr(plain(answers[0])).encode()).hexdigest()
    figures = Needed(took.clock, used, after[0] - before[0], int(after[1] - before[1]) - 1, _peak(), answer)
    print(json.dumps(attrs.asdict(figures)))


def _peak() -> int:
    """Return the kilobytes that this process had at most; what ``getrusage`` tells is also of who started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))


def _of_server(client: redis.Redis) -> tuple[float, int]:
    found: Any = client.info("everything")
    return found["used_cpu_user"] + found["used_cpu_sys"], found["total_commands_processed"]


if __name__ == "__main__":
    main(sys.argv[1:])
