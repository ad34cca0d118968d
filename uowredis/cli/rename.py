"""``python -m uowredis rename``: a field of all objects is stored under another name (do)."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from uowredis.cli.target import find
from uowredis.exceptions import ArgumentError
from uowredis.maintenance.rename import Renamed, rename

#: Seconds between two lines of progress.
_EVERY = 1.0


def add(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "rename",
        help="store a field of all objects under another name",
        description="Move what is stored of a field, and its index, to another name in Redis; then declare "
        "stored_as=NEW. It may be ended and started again at any moment. Exit status: 0 all is under the new name, 1 "
        "something was left under the old one, 2 it could not be done.",
    )
    parser.add_argument("target", metavar="module:Model.field", help="the field by its name in Python")
    parser.add_argument("new", metavar="NEW", help="its new name in Redis")
    parser.add_argument("--from", dest="old", metavar="OLD", help="its name in Redis by now; as declared by default")
    parser.add_argument(
        "--both",
        choices=("leave", "old", "new"),
        default="leave",
        help="which value stays where an object has two: none is moved (the default), the old name's, the new name's",
    )
    parser.add_argument("--dry-run", action="store_true", help="only look, and count")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    model, field = find(given.target)
    if field is None:
        raise ArgumentError(f"{given.target!r} names no field. Way out: {given.target}.field")
    done = rename(
        model,
        field,
        given.new,
        old=given.old,
        both=given.both,
        dry_run=given.dry_run,
        tell=print,
        progress=_Progress(),
    )
    would = "would be " if given.dry_run else ""
    print(
        f"{given.target}: {done.moved:,} {would}moved, {done.dropped:,} {would}dropped, {done.left:,} left, "
        f"{done.stale:,} stale index entries {would}taken out; passes: {done.passes}"
    )
    if done.busy:
        print(f"{done.busy:,} or more were written under the old name meanwhile. Way out: start it again")
    return 0 if done.is_done and not (given.dry_run and (done.moved or done.dropped)) else 1


class _Progress:
    """Says on stderr how far it is, now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, seen: int, total: int, done: Renamed) -> None:
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            print(f"pass {done.passes}: {seen:,} of {total:,} objects, {done.moved:,} moved", file=sys.stderr)
