"""The executor of one server: the only code that waits (do).

It works on connections of redis-py's pool, below redis-py's commands and pipeline, because those reconnect and send
again by themselves: a lost WATCH or an EXEC applied twice, without a word. Here a connection that fails is closed, and
what is known of the outcome is raised. It decides nothing about values.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import attrs
import redis

from uowredis.commands.calls import Call
from uowredis.exceptions import OutcomeUnknown, Rejected, Unreachable, UowError
from uowredis.executor import transaction
from uowredis.executor.connection import LOST, Lent, Pool, asked_beside, refusal, shown
from uowredis.plan.token import SAID, Outcome, Token

#: Seconds between two tries to reach a server that is not there: they grow from the first to the second.
PAUSE, LONGEST_PAUSE = 0.01, 0.25

#: How many tokens that are spent one commit deletes.
_MOST_SPENT = 100


@attrs.frozen
class Certainty:
    """How commits are settled whose replies are lost.

    Attributes:
        lifetime: seconds for which Redis keeps what a token says.
        patience: seconds for which the server is asked, again and again.
        replicas_for: seconds for which a commit waits for replicas, where it does.
    """

    lifetime: int = 3_600
    patience: float = 5.0
    replicas_for: float = 1.0


@attrs.define(eq=False)
class Executor:
    """Sends calls to one server.

    Attributes:
        pool: where its connections come from.
        most_watched: keys that one transaction may watch, None for any number.
        scripts: whether the server runs scripts.
        certainty: how commits are settled whose replies are lost, None where there is no connection to lose.
    """

    #: Who answers that it only reads was replaced by another, and is asked no more.
    _is_replaced: ClassVar[bool] = False

    pool: Pool
    most_watched: int | None
    scripts: bool
    certainty: Certainty | None = None
    _read_only: bool = False
    _sorts_by_bytes: bool | None = None
    _pinning: Pool = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: attrs.evolve(self.pool, turns=self.pool.turns.lasting), takes_self=True),
    )

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
                if self._is_replaced or "READONLY" not in str(error) or not any(call[0] == "SORT" for call in calls):
                    raise
            self._read_only = True
        # A read-only replica takes SORT for a write: SORT_RO (Redis 7.0).
        return self._sent([("SORT_RO", *call[1:]) if call[0] == "SORT" else call for call in calls])

    def _sent(self, calls: Sequence[Call]) -> list[Any]:
        with Lent(self.pool, "nothing was written") as connection:
            return connection.checked(calls, connection.exchange(calls))

    def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* that need temporary keys in one transaction; return their raw replies.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        with Lent(self.pool, "a query was not answered") as connection:
            return connection.run(transaction.transact(connection, calls))

    def transact_each(self, each: Sequence[Sequence[Call]]) -> list[list[Any]]:
        """Same as :meth:`transact` for several transactions, in one round trip; return the replies of each.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        with Lent(self.pool, "a query was not answered") as connection:
            return connection.run(transaction.transact_each(connection, each))

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
                return connection.checked((call,), connection.exchange((call,)))[0]
            except (redis.exceptions.BusyLoadingError, UowError):
                raise
            except LOST as error:
                raise self._lost(error, call) from error

    def _lost(self, error: Exception, call: Call) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"The connection to {self.address} was lost ({error}) around {shown(call)}: it was applied, or not. Way "
            f"out: read the value before you write again"
        )

    def token(self, spelled: Callable[[str], str]) -> Token | None:
        """Return the token of a commit, whose key is *spelled* of a text that no other has.

        None where there is no connection to lose.
        """
        if self.certainty is None:
            return None
        key = spelled(os.urandom(12).hex())
        return Token(key, time.time(), self.certainty.lifetime, tuple(self._spent_beside(key))[:_MOST_SPENT])

    def note_spent(self, token: Token) -> None:
        """Note that nobody will ask for *token*, whose commit was applied: a later one deletes it."""
        spent = self._spent_beside(token.key)
        for key in token.spent:
            spent.pop(key, None)
        spent[token.key] = None

    def _spent_beside(self, key: str) -> dict[str, None]:
        """Return the keys of tokens that are spent, and can be deleted together with the commit of the token *key*."""
        return self.pool.spent

    def wait_for(self, replicas: int) -> Call | None:
        """Return the call that waits for *replicas*, None where there is nothing to wait for."""
        if self.certainty is None or not replicas:
            return None
        return ("WAIT", str(replicas), str(max(1, int(self.certainty.replicas_for * 1_000))))

    def settle(self, token: Token) -> Outcome:
        """Return what became of the commit of *token*: where it was not applied, it never will be.

        The server is asked on new connections, again and again where it is not there.

        Raises:
            OutcomeUnknown: where it cannot be reached for some time, or *token* is too old.
        """
        deadline = time.monotonic() + self._patience
        pause = PAUSE
        while True:
            self._check_kept(token)
            left = deadline - time.monotonic()
            try:
                return self._claimed(token, max(left, PAUSE))
            except (redis.RedisError, *LOST) as error:
                if left <= 0:
                    raise self._unknown(error, token) from error
            time.sleep(min(pause, max(0.0, left)))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _claimed(self, token: Token, within: float) -> Outcome:
        return self._said(token, *asked_beside(self.pool, token.claim, socket_timeout=self._bound(within)))

    @property
    def _patience(self) -> float:
        return (Certainty() if self.certainty is None else self.certainty).patience

    def _bound(self, within: float) -> float:
        timeout: float | None = self.pool.connections.connection_kwargs.get("socket_timeout")
        return within if timeout is None else min(within, timeout)

    def _check_kept(self, token: Token) -> None:
        if token.is_over(time.time()):
            raise OutcomeUnknown(
                f"Redis keeps what {token.key} says for {token.lifetime} s, which are over: whether the commit was "
                f"applied, nobody can tell any more. Way out: read what matters, then commit anew, or not; and "
                f"RedisDatabase(token_lifetime=...)",
                token=token,
            )

    def _unknown(self, error: Exception, token: Token) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"The connection to {self.address} was lost around EXEC, and the server cannot be asked since ({error}): "
            f"all of it was applied, or nothing. Way out: db.settle(error.token) when it is there again, or commit() "
            f"again, which asks first",
            token=token,
        )

    def _said(self, token: Token, claimed: Any, word: Any) -> Outcome:
        if isinstance(word, Exception):
            raise word
        if isinstance(claimed, Exception) and refusal(claimed) is Unreachable:
            # A master no more: what it says may be of a history that ended.
            raise claimed
        if word is None:
            raise claimed if isinstance(claimed, Exception) else redis.InvalidResponse(f"{token.key} was not set")
        if word not in SAID:
            raise redis.InvalidResponse(f"{token.key} says {word!r}")
        return SAID[word]

    def pinned(self, calls: Sequence[Call] = ()) -> Lent:
        """Lend one connection for a transaction, from the first WATCH to EXEC; the last one is not lent for so long.

        Args:
            calls: what is sent first.

        Raises:
            Unreachable: where the connection is lost before EXEC was sent; nothing was applied.
        """
        return Lent(self._pinning, "EXEC was not sent, nothing was applied")

    def check_pinned(self, first: Sequence[Call], calls: Sequence[Call]) -> None:
        """Check that *calls* can go where the *first* ones on a pinned connection went: on one server all can."""

    def lasts(self, error: Exception, since: float) -> bool:
        """Return whether what was refused by *error*, first at the moment *since*, is not worth another try."""
        return True

    def node_of(self, slot: int) -> str | None:
        """Return which node of a cluster has *slot*, as far as is known; None on one server."""
        return None

    def disconnect(self) -> None:
        """Close all connections."""
        self.pool.connections.disconnect()
