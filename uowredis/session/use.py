"""``s.use()``: an open session is given to where its context does not reach, to one at a time (say).

Nobody waits for anybody: whoever comes while another is inside is refused, so that nothing can hang. Each side first
says what it does, and looks for the other then: of two who come at the same moment at least one sees the other.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from uowredis.exceptions import SessionError
from uowredis.session import context
from uowredis.session.telling import tell_never_entered

if TYPE_CHECKING:
    from types import TracebackType

    from uowredis.session.session import Session

#: Held while it is settled whose a session is; never while anything is waited for. Again by one thread, since a block
#: may be collected at any moment.
_settling = threading.RLock()


class Use:
    """A block in which a session is its thread's, task's or context's; whoever opened it is refused meanwhile.

    Attributes:
        session: is open.
        goes_on: whether it was entered and not left.
    """

    _entered = False
    goes_on = False

    def __init__(self, session: Session) -> None:
        self.session = session
        #: Whose it was, where it was somebody else's.
        self._former: context.Owner | None = None

    def __del__(self) -> None:
        if not self._entered:
            tell_never_entered("A session's use()", "with s.use():", self)
        # Leaving it was interrupted.
        self._give_back()

    def __enter__(self) -> Session:
        if self._entered:
            raise SessionError("This block was entered already. Way out: take another, s.use()")
        self._entered = True
        session, me = self.session, context.owner()
        _check_can_be_used(session, me)
        try:
            with _settling:
                if session._belongs_to != me:
                    if session._is_used:
                        raise _in_use()
                    self._former, session._belongs_to, session._is_used = session._belongs_to, me, True
                    if session._inside:
                        raise _in_use()
            self.goes_on = True
            context.use(self)
            return session
        except BaseException:
            # Interrupted, too: the block is never left then.
            context.end_use(self)
            self._give_back()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context.end_use(self)
        self._give_back()
        session = self.session
        if session.is_open:
            return
        session._end()
        if error is None:
            raise context.left_meanwhile()

    def _give_back(self) -> None:
        """Be over; the session is whose it was."""
        self.goes_on = False
        if self._former is not None:
            with _settling:
                self.session._belongs_to, self.session._is_used, self._former = self._former, False, None


def is_given_back(session: Session) -> bool:
    """Take *session*, which is being left, from whoever uses it; return whether nobody is inside of a call.

    Where somebody is, what was said is forgotten when the block of ``use()`` is left.
    """
    with _settling:
        assert session._belongs_to is not None
        session._belongs_to = (session._belongs_to[0], 0, None, None)
    return not session._inside


def _check_can_be_used(session: Session, me: context.Owner) -> None:
    """Check that *session* can be given to *me*.

    Raises:
        SessionError: where it cannot.
    """
    session._check_open()
    if session._lock is not None:
        raise SessionError("This session is every thread's already. Way out: leave use() out")
    if not context.is_of_this_process(session):
        raise SessionError("This session is of another process. Way out: a Session(database) of its own here")
    if context.is_hidden(session):
        raise SessionError(
            "The session takes no part in what is called after its commit. Way out: a Session(database) of its own"
        )
    other = context.find(session.database)
    if other is not None and other is not session and other._belongs_to == me:
        raise SessionError(
            "Another session of this database is open here. Way out: leave its block first; or use that one"
        )


def _in_use() -> SessionError:
    return SessionError(
        "The session is in use in another thread, task or context. Way out: s.use() when that one is done, one after "
        "the other; or a session of its own"
    )
