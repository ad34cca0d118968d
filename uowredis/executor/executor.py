"""The only code that waits: sends calls, reads replies, tells what became of a transaction (do).

It works on connections of redis-py's pool, below redis-py's commands and pipeline, because those reconnect and send
again by themselves: a lost WATCH or an EXEC applied twice, without a word. Here a connection that fails is closed, and
what is known of the outcome is raised. It decides nothing about values.
"""

from __future__ import annotations

import socket
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import hiredis
import redis

from uowredis.commands.calls import Call
from uowredis.commands.commands import Look, Read
from uowredis.commands.replies import encode, plain
from uowredis.exceptions import CommitError, OutcomeUnknown, PartiallyApplied, Rejected, Unreachable, UowError
from uowredis.plan import script
from uowredis.plan.plan import CHUNK, Plan
from uowredis.plan.printing import quoted
from uowredis.plan.steps import Fetch

#: hiredis' own stub knows tuples of one item only.
_pack: Callable[[tuple[str, ...] | tuple[bytes, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]

if TYPE_CHECKING:
    from types import TracebackType

#: What the reader of replies answers while a reply is not complete.
_NOT_YET = object()

#: Bytes received at once.
_BUFFER = 65_536

_LOST = (redis.ConnectionError, redis.TimeoutError, OSError)


def packed(calls: Iterable[Call]) -> bytes:
    """Return *calls* as they go over the wire (RESP)."""
    calls = tuple(calls)
    try:
        return b"".join(map(_pack, calls))
    except UnicodeEncodeError:
        return b"".join(_pack(tuple(map(encode, call))) for call in calls)


def _chunks(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    for start in range(0, len(calls), CHUNK):
        yield calls[start : start + CHUNK]


@attrs.define(eq=False)
class Executor:
    """Sends calls to one server.

    Attributes:
        pool: redis-py's connections: no retry, no health check, no decoding, RESP2.
        address: the server, in words.
        most_watched: keys that one transaction may watch, None for any number.
        scripts: whether the server runs scripts.
        read_only: whether it showed to be a read-only replica.
        sorts_by_bytes: whether it sorts text by its bytes (LC_COLLATE is C), None where nobody asked yet.
    """

    pool: Any
    address: str
    most_watched: int | None
    scripts: bool
    read_only: bool = False
    sorts_by_bytes: bool | None = None
    _knows_multi: weakref.WeakSet[Any] = attrs.field(factory=weakref.WeakSet)

    def ask(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* in one round trip; return their raw replies.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        with Lent(self, "nothing was written") as link:
            link.send(calls)
            return link.checked(calls, link.replies(len(calls)))

    def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* that need temporary keys in one transaction; return their raw replies.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it answers one with an error.
        """
        with Lent(self, "a query was not answered") as link:
            return link.transact(calls)

    def tell(self, call: Call) -> Any:
        """Send one writing *call* as it is; return its raw reply.

        Raises:
            Unreachable: where the server is not there; nothing was written.
            OutcomeUnknown: where the connection was lost after sending.
            Rejected: where the server refuses it.
        """
        with Lent(self, "nothing was written") as link:
            try:
                link.send((call,))
                replies = link.replies(1)
            except redis.exceptions.BusyLoadingError:
                raise
            except _LOST as error:
                raise OutcomeUnknown(
                    f"The connection to {self.address} was lost ({error}) around {quoted(call)}: it was applied, or "
                    f"not. Way out: read the value before you write again"
                ) from error
            return link.checked((call,), replies)[0]

    def pinned(self) -> Lent:
        """Lend one connection for a transaction, from the first WATCH to EXEC.

        Raises:
            Unreachable: where the connection is lost before EXEC was sent; nothing was applied.
        """
        return Lent(self, "EXEC was not sent, nothing was applied")


@attrs.define(eq=False)
class Lent:
    """A connection of the pool for one ``with`` block; it is closed unless it can serve the next one.

    Attributes:
        consequence: what a loss of the connection means, for the error.
    """

    executor: Executor
    consequence: str
    _link: Link | None = None

    def __enter__(self) -> Link:
        address = self.executor.address
        try:
            connection = self.executor.pool.get_connection()
        except _LOST as error:
            raise Unreachable(f"Redis at {address} cannot be reached: {error}; nothing was sent") from error
        except (redis.RedisError, TypeError, ValueError) as error:
            raise Rejected(f"Redis at {address} refused the connection: {error}; nothing was sent") from error
        self._link = Link(self.executor, connection)
        return self._link

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._link is not None
        connection = self._link.connection
        try:
            if error is None:
                return
            if not isinstance(error, UowError) or isinstance(error, OutcomeUnknown) or not self._link.settled:
                connection.disconnect()
            if isinstance(error, _LOST) and not isinstance(error, UowError):
                raise Unreachable(
                    f"The connection to Redis at {self.executor.address} was lost: {error}; {self.consequence}"
                ) from error
        finally:
            self.executor.pool.release(connection)


@attrs.define(eq=False)
class Link:
    """One connection while it is lent; it never gets a new socket under way.

    Attributes:
        in_doubt: EXEC was sent, and nobody took note yet of what became of it.
        released: how often all that was watched was let go of.
    """

    executor: Executor
    connection: Any
    in_doubt: bool = False
    released: int = 0
    _socket: Any = attrs.field(init=False)
    _owed: int = 0
    _watching: bool = False
    _in_multi: bool = False
    _reader: Any = attrs.field(init=False)

    @_reader.default
    def _own_reader(self) -> Any:
        # redis-py takes about ten times as long a reply; in process there is no socket to read from.
        if not isinstance(self._socket, socket.socket):
            return None
        return hiredis.Reader(replyError=redis.ResponseError, notEnoughData=_NOT_YET)

    @_socket.default
    def _socket_at_first(self) -> Any:
        return self.connection._sock  # redis-py has no public way to see that it reconnected

    def send(self, calls: Sequence[Call]) -> None:
        """Send *calls*, without waiting."""
        for chunk in _chunks(calls):
            self._owed += len(chunk)
            self._send(packed(chunk))

    def _send(self, data: bytes) -> None:
        if self.connection._sock is not self._socket or self._socket is None:
            raise redis.ConnectionError("the connection was closed")
        self.connection.send_packed_command([data], check_health=False)

    def replies(self, count: int) -> list[Any]:
        """Read *count* raw replies; an error reply stands in its place as exception."""
        found = self._read_in_process(count) if self._reader is None else self._read(count)
        self._owed -= count
        return found

    @property
    def settled(self) -> bool:
        """Whether the connection can serve the next one: nothing to read, nothing watched, no transaction open."""
        return not (self._owed or self._watching or self._in_multi)

    def _read_in_process(self, count: int) -> list[Any]:
        read = self.connection.read_response
        found: list[Any] = []
        for _ in range(count):
            try:
                found.append(read(disable_decoding=True))
            except redis.ResponseError as error:
                found.append(error)
        return found

    def _read(self, count: int) -> list[Any]:
        reader, received = self._reader, self._socket.recv
        found: list[Any] = []
        while True:
            while len(found) < count and (reply := reader.gets()) is not _NOT_YET:
                found.append(reply)
            if len(found) == count:
                return found
            data = received(_BUFFER)
            if not data:
                raise redis.ConnectionError("closed by the server")
            reader.feed(data)

    def checked(self, calls: Sequence[Call], replies: list[Any]) -> list[Any]:
        """Return *replies*.

        Raises:
            Rejected: where one is an error; names the call.
        """
        for call, reply in zip(calls, replies, strict=True):
            if isinstance(reply, Exception):
                kind = Unreachable if str(reply).startswith("LOADING") else Rejected
                raise kind(f"Redis at {self.executor.address} refused {shown(call)}: {reply}; nothing was written")
        return replies

    @property
    def owes(self) -> bool:
        """Whether replies are still to come, or a transaction is open."""
        return bool(self._owed) or self._in_multi

    def look(self, fetch: Fetch) -> list[Any]:
        """Watch, count and read in one round trip; return the raw replies of the counters and of the questions.

        Raises:
            Rejected: where the server answers one with an error.
        """
        calls = fetch.calls
        self._watching = self._watching or bool(fetch.watch)
        self.send(calls)
        return self.checked(calls, self.replies(len(calls)))[1 if fetch.watch else 0 :]

    def find(self, fetch: Fetch) -> list[Any]:
        """Same as :meth:`look`, but the replies are plain."""
        return [plain(reply) for reply in self.look(fetch)]

    def unwatch(self) -> None:
        """Let go of what is watched: the plan was refused before anything was sent."""
        if self._watching:
            self.send((("UNWATCH",),))
            self.replies(1)
            self._watching = False
            self.released += 1

    def apply(self, plan: Plan) -> list[Any] | None:
        """Send the transaction of *plan*; return the raw reply of each step, or None where a guard had changed.

        Raises:
            Rejected: nothing was applied.
            PartiallyApplied: a command failed, the others were applied.
            OutcomeUnknown: the connection was lost around EXEC.
        """
        try:
            replies = self._evaluate(plan) if plan.scripted else self._execute(plan)
        except Rejected:
            self.in_doubt = False
            raise
        if replies is None:
            self.in_doubt = False
        return replies

    def _execute(self, plan: Plan) -> list[Any] | None:
        if plan.bare:
            self.send(plan.transaction)
            return self.checked(plan.transaction, self.replies(len(plan.steps)))
        calls = self._opened(plan.transaction)
        if len(plan.steps) > CHUNK:
            self.send(calls[:-1])
            queued = self.replies(len(calls) - 1)
            if isinstance(queued[0], Exception) and calls[0] == ("MULTI",):
                raise self._ran_bare([*queued, None])
            self._queued(calls[:-1], queued)
            calls = calls[-1:]
        replies = self._final(calls)
        result = replies[-1]
        if isinstance(replies[0], Exception) and calls[0] == ("MULTI",):
            raise self._ran_bare(replies)
        if isinstance(result, Exception):
            self._queued(calls[:-1], replies[:-1])
            raise Rejected(f"Redis refused the transaction: {result}; nothing was applied") from result
        if result is None:
            return None
        return self._applied(plan, result)

    def _opened(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Return what is left to send of a transaction; on a connection's first one MULTI is tried alone."""
        self._in_multi = True
        if self._socket in self.executor._knows_multi:
            return calls
        # Where MULTI is refused, steps in the same write would run one by one.
        self.send(calls[:1])
        self.checked(calls[:1], self.replies(1))
        self.executor._knows_multi.add(self._socket)
        return calls[1:]

    def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls* that need temporary keys in one transaction; return their raw replies.

        Raises:
            Rejected: where the server refuses one; the others may have run.
        """
        left = self._opened((("MULTI",), *calls, ("EXEC",)))
        self.send(left)
        replies = self.replies(len(left))
        self._in_multi = False
        result = replies[-1]
        if isinstance(result, Exception):
            self._queued(left[:-1], replies[:-1])
            raise Rejected(f"Redis refused the transaction of a query: {result}") from result
        return self.checked(calls, result)

    def _ran_bare(self, replies: list[Any]) -> CommitError:
        """Return the error for steps that ran one by one because MULTI was refused in the same write."""
        refused, results = replies[0], replies[1:-1]
        if all(isinstance(reply, Exception) for reply in results):
            return Rejected(f"Redis refused MULTI: {refused}; nothing was applied")
        return PartiallyApplied(
            f"Redis refused MULTI ({refused}), which it took before on this connection, and ran the steps one by one. "
            f"Way out: look at error.results and error.plan, and mend by hand",
            results,
        )

    def _queued(self, calls: Sequence[Call], replies: list[Any]) -> None:
        for call, reply in zip(calls, replies, strict=True):
            if isinstance(reply, Exception):
                raise Rejected(f"Redis refused to queue {shown(call)}: {reply}; nothing was applied") from reply

    def _final(self, calls: Sequence[Call]) -> list[Any]:
        """Send the calls that end in EXEC (or are the EVAL) and read all replies."""
        self.in_doubt = True
        try:
            self.send(calls)
            replies = self.replies(len(calls))
            self._in_multi = self._watching = False
            self.released += 1
            return replies
        except _LOST as error:
            raise OutcomeUnknown(
                f"The connection to {self.executor.address} was lost ({error}) around EXEC: all of it was applied, or "
                f"nothing. Way out: read what matters, then commit anew in a new session, or not"
            ) from error
        except BaseException as error:
            error.add_note("uowredis: interrupted around EXEC; all of the commit was applied, or nothing")
            raise

    def _applied(self, plan: Plan, replies: list[Any]) -> list[Any]:
        failed = [
            (step, reply) for step, reply in zip(plan.steps, replies, strict=True) if isinstance(reply, Exception)
        ]
        if not failed:
            return replies
        step, error = failed[0]
        if len(failed) == len(replies) or all(isinstance(step.why, Read | Look) for step in plan.steps):
            raise Rejected(f"Redis refused {shown(step.call)}: {error}; nothing was applied") from error
        raise PartiallyApplied(
            f"{shown(step.call)} failed inside EXEC: {error}; the other commands were applied. Way out: look at "
            f"error.results and error.plan, and mend by hand",
            replies,
        ) from error

    def _evaluate(self, plan: Plan) -> list[Any] | None:
        calls = plan.transaction
        reply = self._final(calls)[-1]
        if isinstance(reply, Exception):
            raise Rejected(
                f"Redis refused the script: {reply}; nothing was applied. Way out: commit in batches"
            ) from reply
        if reply[0] == b"conflict":
            return None
        # A script that failed answers only for the steps before.
        replies = [
            int(answer) if step.call[0] in script.COUNTERS else answer
            for step, answer in zip(plan.steps, reply[1], strict=False)
        ]
        if reply[0] == b"failed":
            error = redis.ResponseError(str(reply[2], "utf-8", "replace"))
            if not replies:
                raise Rejected(f"Redis refused {shown(plan.steps[0].call)}: {error}; nothing was applied")
            missing = [None] * (len(plan.steps) - len(replies) - 1)
            return self._applied(plan, [*replies, error, *missing])
        return replies


def shown(call: Call) -> str:
    """Return *call* for an error message, cut where it is long."""
    line = quoted(call[:8])
    return (line if len(line) <= 200 else f"{line[:200]}...") + (" ..." if len(call) > 8 else "")
