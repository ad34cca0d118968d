"""One plan, one fault, and what became of it: before or after, and whole; and what the caller was told is true."""

import asyncio
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import attrs

from tests.tools.servers import RealServer
from tests.tools.tap import Fault, Tap
from tests.whole.faults.plans import CASES, Case, Face, World, drawn
from uowredis import CommitError, OutcomeUnknown, Pending, Rejected, ReplyLost, UowError, check

Towards = Literal["server", "client"]
#: What is counted: bytes in a direction, or how often a task waits.
Counted = Towards | Literal["waits"]

#: Seconds for which a reply is waited for where it never comes.
HASTY = 0.25


@attrs.frozen
class Mode:
    """A kind of fault.

    Attributes:
        name: of the mode.
        faults: makes them for one point: what the first connections of the commit meet.
        hasty: a reply never comes, so that little is waited for it.
        cold: the commit goes over a new connection.
        every: at each so many-th byte; 1: at every one.
        cancels: no connection meets a fault; the task is cancelled where it waits.
    """

    name: str
    faults: Callable[["Trials", Towards, int], list[Fault]]
    hasty: bool = False
    cold: bool = False
    every: int = 1
    cancels: bool = False


def _cut(trials: "Trials", towards: Towards, after: int) -> list[Fault]:
    return [Fault(towards, after, "cut")]


def _cut_twice(trials: "Trials", towards: Towards, after: int) -> list[Fault]:
    """What is asked then is cut, too, somewhere."""
    dice = random.Random(after)
    return [
        Fault(towards, after, "cut"),
        *(Fault(dice.choice(("server", "client")), dice.randrange(250), "cut") for _ in range(dice.randrange(1, 4))),
    ]


def _silent(trials: "Trials", towards: Towards, after: int) -> list[Fault]:
    return [Fault(towards, after, "hold" if towards == "server" else "swallow")]


def _killed(trials: "Trials", towards: Towards, after: int) -> list[Fault]:
    return [Fault(towards, after, "cut", trials.kill)]


MODES = (
    Mode("cut at every byte", _cut),
    Mode("cut on a new connection", _cut, cold=True, every=5),
    Mode("cut, and what is asked then", _cut_twice, every=5),
    Mode("swallowed, or held back and late", _silent, hasty=True, every=61),
    Mode("killed and started again", _killed, every=97),
)


#: What only a task meets: cancellation at each of its waits.
OF_TASKS = (
    Mode("cancelled at every wait", lambda *_: [], cancels=True),
    Mode("cancelled on a new connection", lambda *_: [], cancels=True, cold=True),
)


def modes_of(face: Face) -> tuple[Mode, ...]:
    """Return the kinds of fault that a *face* may meet."""
    return MODES + OF_TASKS if face == "aio" else MODES


class Violation(AssertionError):
    """What was promised did not hold."""


class Trials:
    """Plans under faults on a server of their own, which keeps all that it acknowledges (AOF, always).

    Args:
        face: which one commits.

    Attributes:
        found: how often what happened, by mode and word.
        violations: what did not hold, in words.
        is_up: the server was not killed, or started again.
    """

    def __init__(self, face: Face = "blocking") -> None:
        self.face = face
        self.server = RealServer.start("--appendonly", "yes", "--appendfsync", "always", "--hz", "100")
        self.tap = Tap(self.server)
        # It reaches the server itself, where nothing is lost.
        self.looking = World(self.server, self.server.url)
        self.found: dict[str, Counter[str]] = {mode.name: Counter() for mode in modes_of(face)}
        self.violations: list[str] = []
        self.is_up = threading.Event()
        self.is_up.set()

    def close(self) -> None:
        """End the server."""
        self.looking.close()
        self.tap.__exit__(None, None, None)
        self.server.stop()

    def kill(self) -> None:
        """Kill the server, and start it again on what it kept."""
        self.is_up.clear()
        self.server.kill()
        self.server.revive()
        self.looking.database.close()
        self.is_up.set()

    def run(self, mode: Mode, case: Case, points: int | None = None) -> None:
        """Try *case* with the fault of *mode* at its points, at *points* of them at most."""
        options: dict[str, Any] = {"settle_for": 20, "max_watched": 0 if case.scripted else 1_000}
        if mode.hasty:
            options["socket_timeout"] = HASTY
        world = World(self.server, self.tap.url, self.face, **options)
        try:
            self.tap.arm()
            world.fill()
            trial = _Trial(self, mode, case, world)
            for counted, after in trial.points(points):
                trial.at(counted, after)
        finally:
            world.close()

    def numbers(self) -> str:
        """Return what happened, a line a mode."""
        words = [
            "cases",
            "cancelled",
            "applied",
            "sent again",
            "not applied",
            "unknown while reachable",
            "replies",
            "replies lost",
        ]
        lines = [f"{'':34}" + "".join(f"{word:>25}" for word in words)]
        for name, found in self.found.items():
            if not found:
                continue
            lines.append(f"{name:34}" + "".join(f"{found[word]:>25,}" for word in words))
        total = sum(self.found.values(), Counter())
        lines.append(f"{'all':34}" + "".join(f"{total[word]:>25,}" for word in words))
        return "\n".join([*lines, f"violations: {len(self.violations)}", *self.violations[:50]])


class _Trial:
    """One plan under one mode."""

    def __init__(self, trials: Trials, mode: Mode, case: Case, world: World) -> None:
        self.trials, self.mode, self.case, self.world = trials, mode, case, world
        world.anew()
        self.before = world.data()[0]
        self._prepare([])
        pendings = case.commit(world)
        self.lengths: dict[Counted, int] = dict(zip(("server", "client"), trials.tap.counted, strict=True))
        if mode.cancels:
            self.lengths = {"waits": world.waited - 1}
        self.after = world.data()[0]
        self.replies = [_reply(pending) for pending in pendings]
        assert self.before != self.after

    def points(self, most: int | None) -> Iterator[tuple[Counted, int]]:
        """Yield the points: towards the server and towards the client, or those at which it waits."""
        bound = min((number for number in (most, self.case.most) if number is not None), default=None)
        for counted, length in self.lengths.items():
            positions = list(range(0, length + 1, self.mode.every))
            for after in drawn(positions, bound, f"{self.case} {self.mode.name} {counted}"):
                yield counted, after

    def _prepare(self, faults: list[Fault]) -> None:
        world = self.world
        self.trials.tap.arm()
        if self.mode.cold:
            world.disconnect()
        else:
            world.warm()
        world.anew()
        self.trials.tap.arm(faults)

    def at(self, counted: Counted, after: int) -> None:
        """Try it at one point."""
        found = self.trials.found[self.mode.name]
        found["cases"] += 1
        try:
            if counted == "waits":
                self._prepare([])
                told, pendings = self._cancelled(after)
            else:
                self._prepare(self.mode.faults(self.trials, counted, after))
                told, pendings = self._commit()
            assert self.trials.is_up.wait(20)
            found[told] += 1
            self._check(told, pendings)
            if self.world.session is not None and self.world.session._tried > 1:
                found["sent again"] += 1
            # What arrives late changes nothing, whatever was written since; it may burn primary keys.
            self.world.client.set(":thing:2:string", "by another")
            data = self.world.data()[0]
            self.trials.tap.release()
            if self.world.data()[0] != data:
                raise Violation("what came late was applied")
        except Exception as error:
            self.trials.violations.append(f"{self.case}, {self.mode.name}, at {after} ({counted}): {error!r:.600}")
            self.trials.tap.arm()

    def _commit(self) -> tuple[str, list[Any]]:
        try:
            return "applied", self.case.commit(self.world)
        except OutcomeUnknown as error:
            return "unknown while reachable", [error]
        except Rejected as error:
            return "not applied", [error]
        except (CommitError, UowError) as error:
            raise Violation(f"told {error!r}") from error

    def _cancelled(self, after: int) -> tuple[str, list[Any] | None]:
        """Cancel it where it waits for that time; return what the session knows of it, or is told when it asks.

        Replies that come together are waited for once, so that it may wait less often than before.
        """
        try:
            return "applied", self.case.commit(self.world, after)
        except asyncio.CancelledError:
            self.trials.found[self.mode.name]["cancelled"] += 1
            session = self.world.session
            outcome = None if session is None else session.outcome
            return (self.world.settle() if outcome == "unknown" else outcome or "not applied"), None

    def _check(self, told: str, pendings: list[Any] | None) -> None:
        text, burnt = self.world.data()
        if told == "unknown while reachable":
            raise Violation(f"unknown: {pendings and pendings[0]}")
        if text != (self.after if told == "applied" else self.before):
            word = {self.before: "before", self.after: "after"}.get(text, f"half: {text}")
            raise Violation(f"told {told}, but the data is {word}")
        if burnt < 0:
            raise Violation("a counter is behind")
        if findings := [f"{finding}" for finding in check(*self.trials.looking.database.models)]:
            raise Violation(f"a check finds {findings}")
        if held := self.world.holds:
            raise Violation(f"{held} connections are held still")
        if pendings is None:
            return
        if told != "applied":
            if not re.search("nothing was (applied|sent|written)", f"{pendings[0]}"):
                raise Violation(f"not applied, but said: {pendings[0]}")
            return
        found = self.trials.found[self.mode.name]
        for pending, expected in zip(pendings, self.replies, strict=True):
            reply = _reply(pending)
            found["replies" if reply is not ReplyLost else "replies lost"] += 1
            if reply is not ReplyLost and reply != expected:
                raise Violation(f"{pending!r} was answered {reply!r}, not {expected!r}")


def _reply(pending: Any) -> Any:
    if not isinstance(pending, Pending):
        return pending
    try:
        return pending.result
    except ReplyLost:
        return ReplyLost


def all_of_them(
    modes: Sequence[Mode],
    points: int | None = None,
    progress: Callable[[str], object] = lambda line: None,
    face: Face = "blocking",
) -> Trials:
    """Try every plan of a *face* under *modes*; return what was found."""
    trials = Trials(face)
    try:
        for mode in modes:
            for case in CASES:
                trials.run(mode, case, points)
                progress(f"{mode.name}: {case}; {trials.found[mode.name]['cases']:,} cases")
    finally:
        trials.close()
    return trials
