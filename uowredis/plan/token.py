"""``Token``: tells for ever whether one transaction was applied (decide, pure).

The key is watched before EXEC is sent, and set by the transaction. Who lost its reply sets the key where it is not set
(a *claim*): then the transaction was not applied and never will be, however late its EXEC arrives; else the key says
what became of it. To look would not do: EXEC may arrive after the look.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from uowredis.commands.calls import Call

#: What became of a commit.
Outcome: TypeAlias = Literal["applied", "not applied", "partially applied", "unknown"]

#: What the key holds, and what it says.
SAID: dict[bytes, Outcome] = {b"applied": "applied", b"failed": "partially applied", b"void": "not applied"}

#: Of its lifetime a token is asked for so much: the clocks of two machines differ.
_SURE = 0.9


@attrs.frozen
class Token:
    """By which a commit can be settled whose reply was lost; it can be pickled, and settled by another process.

    Attributes:
        key: where the transaction leaves its word.
        made: when, in seconds since 1970 by this machine's clock.
        lifetime: seconds for which Redis keeps the word.
        spent: the keys of tokens that nobody will ask for; they are deleted on the way.
    """

    key: str
    made: float
    lifetime: int
    spent: tuple[str, ...] = attrs.field(default=(), eq=False)

    @property
    def tidy(self) -> tuple[Call, ...]:
        """What deletes the tokens that are spent: nobody asks how it is answered."""
        return (("DEL", *self.spent),) if self.spent else ()

    @property
    def note(self) -> Call:
        """The call that leaves the word, the last of the transaction."""
        return ("SET", self.key, "applied", "EX", str(self.lifetime))

    @property
    def claim(self) -> tuple[Call, Call]:
        """The calls that forbid the transaction where it was not applied, and tell which it is."""
        return ("SET", self.key, "void", "EX", str(self.lifetime), "NX"), ("GET", self.key)

    def is_over(self, now: float) -> bool:
        """Return whether Redis may have forgotten the word at *now*, or will while it is asked."""
        return now - self.made >= _SURE * self.lifetime
