"""``db.begin()``: a session that commits when its block is left (say)."""

from __future__ import annotations

from uowredis.session.session import Session


class CommittedSession(Session):
    """A session that commits when its block is left without an exception."""

    _opened_by = "db.begin()"

    def _finish(self) -> None:
        if self.has_something and not self.has_failed:
            self.commit()
