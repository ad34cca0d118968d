"""``Pending``: the reply of a write that has not been sent yet (say)."""

from __future__ import annotations

from typing import Any, Generic, NoReturn, TypeVar

from uowredis.exceptions import NotCommitted, ReplyLost

T = TypeVar("T")

_WAITING, _SETTLED, _DROPPED, _LOST = range(4)


_WORDS = {_WAITING: "waits for the commit", _DROPPED: "rolled back", _LOST: "applied, the reply was lost"}


class Pending(Generic[T]):
    """A reply that is not there yet; ``result`` gives it after the commit.

    Whatever would take it for the reply itself raises: truth, comparison, arithmetic, iteration, conversion.
    """

    __slots__ = ("_command", "_reply", "_state")

    def __init__(self, command: object) -> None:
        self._command = command
        self._state = _WAITING
        self._reply: Any = None

    @property
    def result(self) -> T:
        """The reply.

        Raises:
            NotCommitted: before the commit, and for ever after a rollback.
            ReplyLost: where the commit was applied, and the reply lost with the connection.
        """
        if self._state == _SETTLED:
            reply: T = self._reply
            return reply
        if self._state == _LOST:
            raise ReplyLost(
                f"{self._command} was applied with its commit, but its reply was lost with the connection. Way out: "
                f"read what is there now, and do not say it again"
            )
        if self._state == _DROPPED:
            raise NotCommitted(f"{self._command} was rolled back; it has no reply")
        raise NotCommitted(
            f"{self._command} waits for the commit; it has no reply yet. Way out: session.commit() first"
        )

    @property
    def waits(self) -> bool:
        """Whether the reply is still to come."""
        return self._state == _WAITING

    def _settle(self, reply: T) -> None:
        """Take the reply."""
        self._reply = reply
        self._state = _SETTLED

    def _lose(self) -> None:
        """Note that the commit was applied and the reply lost."""
        self._state = _LOST

    def _drop(self) -> None:
        """Note that there will never be a reply."""
        self._state = _DROPPED

    def __repr__(self) -> str:
        if self._state == _SETTLED:
            return f"<Pending {self._command}: {self._reply!r}>"
        return f"<Pending {self._command}: {_WORDS[self._state]}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise NotCommitted(
            f"{self!r} is not the reply itself. Way out: session.commit(), then .result; or read before you write"
        )

    __bool__ = __len__ = __iter__ = __int__ = __float__ = __index__ = __contains__ = __getitem__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __neg__ = __pos__ = __abs__ = __round__ = _refuse
    __hash__ = object.__hash__
