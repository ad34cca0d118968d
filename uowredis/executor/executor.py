"""The executor of one server: the only code that waits (do).

It works on connections of redis-py's pool, below redis-py's commands and pipeline, because those reconnect and send
again by themselves: a lost WATCH or an EXEC applied twice, without a word. Here a connection that fails is closed, and
what is known of the outcome is raised. It decides nothing about values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import redis

from uowredis.commands.calls import Call
from uowredis.exceptions import OutcomeUnknown, Rejected, UowError
from uowredis.executor import transaction
from uowredis.executor.connection import LOST, Lent, Pool, shown


@attrs.define(eq=False)
class Executor:
    """Sends calls to one server.

    Attributes:
        pool: where its connections come from.
        most_watched: keys that one transaction may watch, None for any number.
        scripts: whether the server runs scripts.
    """

    pool: Pool
    most_watched: int | None
    scripts: bool
    _read_only: bool = False
    _sorts_by_bytes: bool | None = None

    @property
    def address(self) -> str:
        """The server, in words."""
        return self.pool.address

    def send(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* in one round trip; return their raw replies.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        if not self._read_only:
            try:
                return self._sent(calls)
            except Rejected as error:
                if "READONLY" not in str(error) or not any(call[0] == "SORT" for call in calls):
                    raise
            self._read_only = True
        # A read-only replica takes SORT for a write: SORT_RO (Redis 7.0).
        return self._sent([("SORT_RO", *call[1:]) if call[0] == "SORT" else call for call in calls])

    def _sent(self, calls: Sequence[Call]) -> list[Any]:
        with Lent(self.pool, "nothing was written") as connection:
            connection.send(calls)
            return connection.checked(calls, connection.replies(len(calls)))

    def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* that need temporary keys in one transaction; return their raw replies.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        with Lent(self.pool, "a query was not answered") as connection:
            return transaction.transact(connection, calls)

    def collation_calls(self, key: str) -> tuple[Call, ...]:
        """Return the calls that tell, on *key*, how the server sorts text; none where that is known."""
        if self._sorts_by_bytes is not None:
            return ()
        return ("SADD", key, "a", "B"), ("SORT", key, "ALPHA"), ("DEL", key)

    @property
    def may_sort_by_bytes(self) -> bool:
        """Whether the server sorts text by its bytes, as far as is known."""
        return self._sorts_by_bytes is not False

    def sorts_by_bytes(self, key: str) -> bool:
        """Return whether the server sorts text by its bytes (LC_COLLATE is C); it is asked once, with *key*."""
        if self._sorts_by_bytes is None:
            self._sorts_by_bytes = self.transact(self.collation_calls(key))[1] == [b"B", b"a"]
        return self._sorts_by_bytes

    def tell(self, call: Call) -> Any:
        """Send one writing *call* as it is; return its raw reply.

        Raises:
            Unreachable: where the server is not there; nothing was written.
            OutcomeUnknown: where the connection was lost after sending.
            Rejected: where the server refuses it.
        """
        with Lent(self.pool, "nothing was written") as connection:
            try:
                connection.send((call,))
                return connection.checked((call,), connection.replies(1))[0]
            except (redis.exceptions.BusyLoadingError, UowError):
                raise
            except LOST as error:
                raise OutcomeUnknown(
                    f"The connection to {self.address} was lost ({error}) around {shown(call)}: it was applied, or "
                    f"not. Way out: read the value before you write again"
                ) from error

    def pinned(self) -> Lent:
        """Lend one connection for a transaction, from the first WATCH to EXEC.

        Raises:
            Unreachable: where the connection is lost before EXEC was sent; nothing was applied.
        """
        return Lent(self.pool, "EXEC was not sent, nothing was applied")
