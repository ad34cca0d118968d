"""What may be wrong with where the objects of a sharded model are (decide, pure)."""

from __future__ import annotations

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import called
from uowredis.maintenance.finding import Finding, Replies, there_call


@attrs.frozen(repr=False)
class Misplaced(Finding):
    """An object that is not in the place that its primary key says, where it is looked for; nobody finds it.

    It is left to the caller: what it refers to is in the wrong place, too, or in another one.

    Attributes:
        pk: of the object.
    """

    fault = "object in the wrong place"
    pk: str

    @property
    def calls(self) -> tuple[Call, ...]:
        """Whether it is there."""
        return (there_call(self.model, self.pk),)

    @property
    def watched(self) -> tuple[str, ...]:
        """Nothing: it is not mended."""
        return ()

    def holds(self, replies: Replies) -> bool:
        """Return whether it is there."""
        return bool(replies[self.calls[0]])

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        right = self.model.declared.at(self.pk).keys.place
        return f"{called(self.model, self.pk)} is in {{{self.model.keys.place}}}, and is looked for in {{{right}}}"
