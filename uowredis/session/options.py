"""What a session does, unless it says otherwise (declare)."""

from __future__ import annotations

import sys
from typing import Any, Literal, TypedDict

import attrs

from uowredis.commands.arguments import flag, integer
from uowredis.exceptions import ArgumentError


class RunOptions(TypedDict, total=False):
    """What the session of ``run()`` can be told besides; to a type checker each is named."""

    on_pending: Literal["raise", "warn", "discard"] | None
    watch_reads: bool | None
    echo: bool | None
    rehearsal_limit: int | None
    max_steps: int | None
    replicas: int | None


class SessionOptions(RunOptions, total=False):
    """What any session can be told."""

    attempts: int | None
    dry_run: bool
    retry_for: float | None


@attrs.frozen
class Options:
    """What a session does, unless it says otherwise.

    Attributes:
        attempts: how often a commit is tried when others change what it stands on.
        on_pending: what leaving with unsent writes does: "raise" ``UncommittedWrites``, "warn", or "discard".
        watch_reads: whatever is read is watched until the commit.
        echo: log what is really sent.
        rehearsal_limit: members a key may hold for commands to be tried on it.
        max_steps: steps a plan may have.
        replicas: how many replicas a commit waits for.
    """

    attempts: int = 10
    on_pending: str = "raise"
    watch_reads: bool = False
    echo: bool = False
    rehearsal_limit: int = 10_000
    max_steps: int = 1_000_000
    replicas: int = 0

    def changed(self, owner: str, **given: Any) -> Options:
        """Return the same with what *owner* was *given*, None for nothing.

        Raises:
            ArgumentError: for what cannot be; names the argument.
        """
        changes = {name: value for name, value in given.items() if value is not None}
        for name, value in changes.items():
            what = f"{owner}({name}=...)"
            if name == "on_pending":
                if value not in ("raise", "warn", "discard"):
                    raise ArgumentError(f"{what} takes 'raise', 'warn' or 'discard', not {value!r}")
            elif name in ("watch_reads", "echo"):
                flag(value, what)
            else:
                integer(value, what, 0 if name in ("rehearsal_limit", "replicas") else 1)
        return attrs.evolve(self, **changes) if changes else self

    def of_one_call(self) -> Options:
        """Return the same for a session of one call: keys of any size are rehearsed, nothing is read before it."""
        return attrs.evolve(self, rehearsal_limit=sys.maxsize, watch_reads=False)
