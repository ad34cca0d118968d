"""Interrupt a call at its n-th point inside some code, as an exception of a signal handler does.

A point is where a function is entered or gone on with, and where a line begins: that is about where the interpreter
looks for signals, which it does on entering a function, after a call, and at the end of a loop's round. Left out are
lines that do nothing (``try``, ``while True``), and that of a ``with`` when its block ends: nothing comes between the
end of the block and the call of ``__exit__``, and an ``__exit__`` written in Python is a point itself.
"""

import dis
import functools
import gc
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import attrs

import uowredis

PACKAGE = str(Path(uowredis.__file__).parent)


@attrs.define
class Interruption:
    """What was met.

    Attributes:
        error: raised at point number *at*, None to count the points only.
        at: from 1 on.
        inside: folders of the code that counts.
        points: how many were met.
        place: where it was raised, None where it was not.
    """

    error: BaseException | None
    at: int
    inside: tuple[str, ...] = (PACKAGE,)
    points: int = 0
    place: str | None = None

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """Be called by the interpreter."""
        if not frame.f_code.co_filename.startswith(self.inside):
            return None
        if event in ("call", "line") and frame.f_lasti not in no_points(frame.f_code):
            self.points += 1
            if self.points == self.at and self.error is not None:
                code = frame.f_code
                self.place = f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_qualname} ({event})"
                raise self.error
        return self.trace


@functools.cache
def no_points(code: CodeType) -> frozenset[int]:
    """Return the offsets of what does nothing, and at which ``with`` blocks end, cleanly or by an exception."""
    found = list(dis.get_instructions(code))
    loads = [each.opname.startswith("LOAD_CONST") and each.argval is None for each in found]
    nothing = [each.offset for each in found if each.opname == "NOP"]
    clean = [found[at].offset for at in range(len(found) - 2) if all(loads[at : at + 3])]
    pairs = [pair for pair in itertools.pairwise(found) if pair[1].opname == "WITH_EXCEPT_START"]
    return frozenset((*nothing, *clean, *(each.offset for pair in pairs for each in pair)))


@contextmanager
def interrupted(error: BaseException | None, at: int, *inside: str) -> Iterator[Interruption]:
    """Raise *error* at point number *at* of the code *inside*, by default the library's, that runs in the block."""
    interruption = Interruption(error, at, inside or (PACKAGE,))
    former, hook = sys.gettrace(), sys.unraisablehook
    # One that comes while a generator is collected goes nowhere.
    sys.unraisablehook = lambda _: None
    # What other calls have left would end inside this one when the collector comes by, and be points of it.
    collects = gc.isenabled()
    gc.disable()
    sys.settrace(interruption.trace)
    try:
        yield interruption
    finally:
        sys.settrace(former)
        sys.unraisablehook = hook
        if collects:
            gc.enable()


def points(call: Callable[[], object], *inside: str) -> int:
    """Return how many points *call* meets when it is called again: what is kept for ever is there by then."""
    call()
    with interrupted(None, 0, *inside) as counted:
        call()
    return counted.points
