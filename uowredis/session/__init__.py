"""The unit of work (say): gathers commands, shows the plan, commits it whole."""

from uowredis.session.pending import Pending
from uowredis.session.record import Savepoint
from uowredis.session.session import Session

__all__ = ["Pending", "Savepoint", "Session"]
