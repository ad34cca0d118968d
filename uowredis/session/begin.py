"""``db.begin()``: a session that commits when its block is left (say)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uowredis.session.session import Session

if TYPE_CHECKING:
    from types import TracebackType


class CommittedSession(Session):
    """A session that commits when its block is left without an exception."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None or self.has_failed or not self.has_something:
            super().__exit__(kind, error, trace)
            return
        try:
            self.commit()
        except BaseException as failure:
            super().__exit__(type(failure), failure, failure.__traceback__)
            raise
        super().__exit__(None, None, None)
