"""What a query will send, for eyes (decide, pure)."""

from __future__ import annotations

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.sift import SIFT
from uowredis.plan.printing import quoted


@attrs.frozen
class Explanation:
    """The Redis commands of a query; it prints like a plan.

    Attributes:
        rounds: the calls, one tuple a round trip.
        note: what it costs beyond that, "" for nothing.
    """

    rounds: tuple[tuple[Call, ...], ...]
    note: str = ""

    def calls(self) -> tuple[Call, ...]:
        """Return every call, in order."""
        return tuple(call for round_ in self.rounds for call in round_)

    def __str__(self) -> str:
        trips = f"{len(self.rounds)} round trip{'' if len(self.rounds) == 1 else 's'}"
        head = f"query: {trips}{f'; {self.note}' if self.note else ''}"
        return "\n".join([head, *(f"  {quoted(_without_script(call))}" for call in self.calls())])

    __repr__ = __str__


def _without_script(call: Call) -> Call:
    return tuple(["<script>" if part == SIFT else part for part in call])
