"""``Door``: where a session is entered for one call (say)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uowredis.session.session import Session


class Door:
    """Lets in the owner of a session only, or one thread at a time where it is shared.

    Args:
        session: what is behind it.
        lock: held inside, None where nobody but the owner comes in.
        mends: let in also where an interruption left half of something, or the server is another by now: what was said
            will be forgotten.
    """

    __slots__ = ("_lock", "_mends", "_session")

    def __init__(self, session: Session, lock: Any, *, mends: bool = False) -> None:
        self._session = session
        self._lock = lock
        self._mends = mends

    def __enter__(self) -> Session:
        session = self._session
        if self._lock is not None:
            self._lock.acquire()
        else:
            # Before it is asked whose it is: see use.py.
            session._inside.append(None)
        try:
            session._check_owner()
            if not self._mends:
                session._check_connected()
                session._check_whole()
        except BaseException:
            self.__exit__()
            raise
        return session

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()
        else:
            self._session._inside.pop()

    def open(self) -> None:
        """Let in all who wait, to be refused: an interruption on entering or leaving may have left the door shut."""
        while self._lock is not None:
            try:
                self._lock.release()
            except RuntimeError:
                # This thread is inside no more.
                return

    def alone(self) -> contextlib.AbstractContextManager[object]:
        """Return a block in which no other thread is inside, whoever enters it: sessions are left by anybody."""
        return contextlib.nullcontext() if self._lock is None else self._lock
