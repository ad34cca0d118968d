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
        places: of how many the same is asked.
    """

    rounds: tuple[tuple[Call, ...], ...]
    note: str = ""
    places: int = 1

    def calls(self) -> tuple[Call, ...]:
        """Return every call, in order."""
        return tuple(call for round_ in self.rounds for call in round_)

    def __str__(self) -> str:
        trips = f"{len(self.rounds)} round trip{'' if len(self.rounds) == 1 else 's'}"
        head = f"query: {trips}{f'; {self.note}' if self.note else ''}"
        shown = []
        for round_ in self.rounds:
            # Of each place the same; of the first all.
            alike = self.places > 1 and len(round_) % self.places == 0
            some = round_[: len(round_) // self.places] if alike else round_
            shown += [f"  {quoted(_without_script(call))}" for call in some]
            shown += [f"  ... and the same in {self.places - 1:,} more places"] if alike else []
        return "\n".join([head, *shown])

    __repr__ = __str__


def _without_script(call: Call) -> Call:
    return tuple(["<script>" if part == SIFT else part for part in call])
