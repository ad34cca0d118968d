"""One connection of redis-py's pool while it is lent: sends, reads replies, never gets a new socket (do)."""

from __future__ import annotations

import itertools
import operator
import socket
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import attrs
import hiredis
import redis
from redis.sentinel import MasterNotFoundError

from uowredis.commands.calls import Call
from uowredis.commands.replies import encode
from uowredis.exceptions import OutcomeUnknown, Rejected, Unreachable, UowError
from uowredis.executor.drive import drive
from uowredis.executor.turns import NoTurn, Turn, Turns
from uowredis.plan.plan import CHUNK
from uowredis.plan.printing import quoted
from uowredis.plan.steps import Fetch

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")

#: A generator that yields calls, is sent their raw replies, and does not wait itself: a connection runs it.
Exchanging: TypeAlias = Generator[Sequence[Call], list[Any], T]

#: hiredis' own stub knows tuples of one item only.
_pack: Callable[[tuple[str, ...] | tuple[bytes, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]

#: What the reader of replies answers while a reply is not complete.
NOT_YET = object()

#: What opens a transaction.
MULTI: Call = ("MULTI",)

#: Bytes received at once.
BUFFER = 65_536

#: What is raised where a connection was lost, or what came from it is no reply.
LOST = (redis.ConnectionError, redis.TimeoutError, redis.InvalidResponse, hiredis.HiredisError, OSError)

_COUNTS = ("EXISTS", "HEXISTS", "HLEN", "INCRBY", "LLEN", "SCARD", "SINTERCARD", "SISMEMBER", "STRLEN", "ZCARD")
_VALUES = ("GET", "HGET", "ZSCORE")
_LISTS = ("HGETALL", "HKEYS", "HMGET", "HVALS", "LRANGE", "SINTER", "SMEMBERS", "SMISMEMBER", "SORT", "ZMSCORE")

#: Of what kind the reply of a command is, where it is no error; what is not here may be of any.
_PROMISED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(_COUNTS, (int, Exception)),
    **dict.fromkeys(_VALUES, (bytes, type(None), Exception)),
    **dict.fromkeys(_LISTS, (list, Exception)),
}

#: Bytes that every server takes as one argument: no server can be set to less (``proto-max-bulk-len``).
SURE = 1_048_576

#: Asks how long an argument may be.
ASK_LONGEST: Call = ("CONFIG", "GET", "proto-max-bulk-len")

#: What a server takes that does not tell.
USUAL = 512 * 1_048_576

#: A server that answers so may be another one for the next connection: it was demoted, or is not there yet.
_ELSEWHERE = ("READONLY", "MASTERDOWN", "LOADING")

#: So answers one that does not serve what it is asked, just now or any more; nothing of it was applied.
_NOT_HERE = ("LOADING", "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY")


def packed(calls: Iterable[Call]) -> bytes:
    """Return *calls* as they go over the wire (RESP)."""
    calls = tuple(calls)
    try:
        return b"".join(map(_pack, calls))
    except UnicodeEncodeError:
        return b"".join(_pack(tuple(map(encode, call))) for call in calls)


def chunks(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    """Yield *calls* in parts that are sent at once."""
    for start in range(0, len(calls), CHUNK):
        yield calls[start : start + CHUNK]


def longest(calls: Iterable[Call]) -> tuple[int, Call]:
    """Return how long the longest argument of *calls* is, as far as it may be too long, and whose it is."""
    large = [(len(encode(part)), call) for call in calls for part in call if 4 * len(part) > SURE]
    return max(large, key=operator.itemgetter(0), default=(0, ()))


@attrs.frozen
class Pool:
    """Where connections come from.

    Attributes:
        connections: redis-py's pool: no retry, no health check, no decoding, RESP2.
        address: the server, in words.
        turns: who may hold a connection, and who waits for one.
        knows_multi: the sockets on which MULTI was taken once.
        readers: what reads the replies that come from a socket.
        spent: the keys of tokens whose commit was noted as applied, until a later one has deleted them.
    """

    connections: Any
    address: str
    turns: Turns
    knows_multi: weakref.WeakSet[Any] = attrs.field(factory=weakref.WeakSet)
    readers: weakref.WeakKeyDictionary[Any, Any] = attrs.field(factory=weakref.WeakKeyDictionary)
    spent: dict[str, None] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Lent:
    """A connection of the pool for one ``with`` block; it is closed unless it can serve the next one.

    Whatever interrupts the entering or leaving of the block, the connection goes back to the pool, closed.

    Attributes:
        consequence: what a loss of the connection means, for the error.
    """

    pool: Pool
    consequence: str
    _lent: Any = None
    _connection: Connection | None = None
    _turn: Turn | None = None

    def __enter__(self) -> Connection:
        try:
            self._turn = self.pool.turns.next()
            self._turn.take()
            self._lend()
            self._connection = Connection(self.pool, self._lent)
        except NoTurn as none:
            self._give_up()
            raise Unreachable(exhausted(self.pool, none)) from None
        except BaseException:
            self._give_up()
            raise
        return self._connection

    def _lend(self) -> None:
        """Take one of redis-py's connections, connected.

        Raises:
            Unreachable: where the server is not there.
            Rejected: where it refuses.
        """
        try:
            self._lent = self.pool.connections.get_connection()
        except (redis.RedisError, *LOST, TypeError, ValueError) as error:
            raise self._not_lent(error) from error

    def _not_lent(self, error: Exception) -> Unreachable | Rejected:
        address = self.pool.address
        if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
            return Rejected(f"Redis at {address} refused the log-in: {error}; nothing was sent")
        if isinstance(error, MasterNotFoundError):
            # redis-py's own message shows all of its clients.
            return Unreachable(
                f"Redis at {address} cannot be reached: no sentinel that answers knows one; nothing was sent"
            )
        if isinstance(error, LOST):
            return Unreachable(f"Redis at {address} cannot be reached: {error}; nothing was sent")
        return Rejected(f"Redis at {address} refused the connection: {error}; nothing was sent")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection is not None
        try:
            known = error is None or (isinstance(error, UowError) and not isinstance(error, OutcomeUnknown))
            if not known or not self._connection.settled:
                self._disconnect()
            if isinstance(error, LOST) and not isinstance(error, UowError):
                raise Unreachable(
                    f"The connection to Redis at {self.pool.address} was lost: {error}; {self.consequence}"
                ) from error
        finally:
            self._give_back()

    def _give_back(self) -> None:
        try:
            if self._lent is not None:
                self.pool.connections.release(self._lent)
                self._lent = None
        finally:
            if self._turn is not None:
                self._turn.give_back()
                self._turn = None

    def _give_up(self) -> None:
        if self._lent is not None:
            self._disconnect()
        self._give_back()

    def _disconnect(self) -> None:
        self._lent.disconnect()

    def __del__(self) -> None:
        # Where it was interrupted between its block and here; one whose making was interrupted has no attributes.
        if getattr(self, "_lent", None) is not None or getattr(self, "_turn", None) is not None:
            self._give_up()


@attrs.define(eq=False)
class Connection:
    """One connection while it is lent; it never gets a new socket under way.

    Attributes:
        lent: redis-py's own.
        watching: something is watched on it.
        in_multi: a transaction is open on it.
        released: how often all that was watched was let go of.
        acknowledged: how many replicas had the last commit that waited for them, None where that is not known.
    """

    pool: Pool
    lent: Any
    watching: bool = False
    in_multi: bool = False
    released: int = 0
    acknowledged: int | None = None
    _socket: Any = attrs.field(init=False)
    _owed: int = 0
    _elsewhere: bool = False
    _reader: Any = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._socket = self._its_socket
        # redis-py takes about ten times as long a reply; in process there is no socket to read from.
        reader = None
        if self._is_wired and (reader := self.pool.readers.get(self._socket)) is None:
            reader = hiredis.Reader(replyError=redis.ResponseError, notEnoughData=NOT_YET)
            self.pool.readers[self._socket] = reader
        self._reader = reader

    @property
    def _its_socket(self) -> Any:
        return self.lent._sock  # redis-py has no public way to see that it reconnected

    @property
    def _is_wired(self) -> bool:
        return isinstance(self._socket, socket.socket)

    def send(self, calls: Sequence[Call]) -> None:
        """Send *calls*, without waiting.

        Raises:
            Rejected: where an argument is longer than the server takes: it would close the connection on it.
        """
        for chunk in (calls,) if len(calls) <= CHUNK else chunks(calls):
            data = packed(chunk)
            if len(data) > SURE:
                self._check_lengths(chunk)
            self._owed += len(chunk)
            self._send(data)

    def _check_lengths(self, calls: Iterable[Call]) -> None:
        length, call = longest(calls)
        if length > SURE and length > (most := self._longest_argument()):
            raise self._too_long(most, call, length)

    def _too_long(self, most: int, call: Call, length: int) -> Rejected:
        return Rejected(
            f"Redis at {self.pool.address} takes arguments of {most:,} bytes (proto-max-bulk-len), and one of "
            f"{shown(call)} has {length:,}; nothing was written. Way out: store it in parts"
        )

    def _longest_argument(self) -> int:
        """Ask beside the pool: this connection may be inside a transaction, and the last that may be had."""
        try:
            (reply,) = asked_beside(self.pool, (ASK_LONGEST,))
        except (redis.RedisError, *LOST):
            return USUAL
        return int(reply[1]) if isinstance(reply, list) and len(reply) == 2 else USUAL  # not everybody may ask

    def _send(self, data: bytes) -> None:
        if self._its_socket is not self._socket or self._socket is None:
            raise redis.ConnectionError("the connection was closed")
        self.lent.send_packed_command([data], check_health=False)

    def replies(self, count: int) -> list[Any]:
        """Read *count* raw replies; an error reply stands in its place as exception."""
        found = self._read_in_process(count) if self._reader is None else self._read(count)
        self._owed -= count
        return found

    @property
    def settled(self) -> bool:
        """Whether the connection can serve the next one: nothing to read, nothing watched, no transaction open."""
        unread = self._reader is not None and self._reader.has_data()
        return not (self._owed or self.watching or self.in_multi or self._elsewhere or unread)

    def note(self, error: Exception) -> None:
        """Note what an *error* reply tells of the server: the next connection may lead to another one."""
        self._elsewhere = self._elsewhere or reason(error).startswith(_ELSEWHERE)

    def _read_in_process(self, count: int) -> list[Any]:
        read = self.lent.read_response
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
            while len(found) < count and (reply := reader.gets()) is not NOT_YET:
                found.append(reply)
            if len(found) == count:
                return found
            data = received(BUFFER)
            if not data:
                raise redis.ConnectionError("closed by the server")
            reader.feed(data)

    def checked(self, calls: Sequence[Call], replies: list[Any]) -> list[Any]:
        """Return *replies*.

        Raises:
            Rejected: where one is an error; names the call.
        """
        for call, reply in zip(calls, replies, strict=True):
            promised = _PROMISED.get(call[0])
            if promised is not None and not isinstance(reply, promised):
                raise redis.InvalidResponse(f"{shown(call)} was answered by {type(reply).__name__}")
            if isinstance(reply, Exception):
                self.note(reply)
                kind = refusal(reply)
                raise kind(f"Redis at {self.pool.address} refused {shown(call)}: {reply}; nothing was written")
        return replies

    @property
    def owes(self) -> bool:
        """Whether replies are still to come, or a transaction is open."""
        return bool(self._owed) or self.in_multi

    def fetch(self, fetch: Fetch, calls: Sequence[Call]) -> list[Any]:
        """Watch and read in one round trip; return the raw replies, but that of WATCH.

        Raises:
            Rejected: where the server answers one with an error.
        """
        watches = bool(fetch.watch or fetch.token)
        self.watching = self.watching or watches
        return self.checked(calls, self.exchange(calls))[watches:]

    def unwatch(self) -> None:
        """Let go of what is watched: the plan was refused before anything was sent."""
        if self.watching:
            self.exchange((("UNWATCH",),))
            self.watching = False
            self.released += 1

    def exchange(self, calls: Sequence[Call]) -> list[Any]:
        """Send *calls*, and return their raw replies."""
        self.send(calls)
        return self.replies(len(calls))

    def run(self, turns: Exchanging[T]) -> T:
        """Send the calls that *turns* yield, give them the replies, throw errors in; return what *turns* return."""
        return drive(turns, self.exchange)

    def opened(self, calls: Sequence[Call]) -> Exchanging[Sequence[Call]]:
        """Return what is left to send of a transaction; on a connection's first one MULTI is tried alone.

        Where MULTI is refused, steps in the same write would run one by one.
        """
        self.in_multi = True
        if self._socket in self.pool.knows_multi:
            return calls
        opening = [*itertools.takewhile(MULTI.__ne__, calls), MULTI]
        replies = yield opening
        # Nobody asks how what stands before it is answered.
        self.checked((MULTI,), replies[-1:])
        self.pool.knows_multi.add(self._socket)
        return calls[len(opening) :]

    def closed(self) -> None:
        """Note that EXEC (or the EVAL) was answered: no transaction is open, nothing is watched any more."""
        self.in_multi = self.watching = False
        self.released += 1


def asked_beside(pool: Pool, calls: Sequence[Call], **settings: Any) -> list[Any]:
    """Return the raw replies to *calls* on a new connection beside the pool, which is closed then.

    Args:
        pool: how to connect.
        calls: what is asked.
        settings: of redis-py's connection, where they differ.

    Raises:
        RedisError: where the server is not there, or does not let us in; and whatever else is in ``LOST``.
    """
    lent = pool.connections.connection_class(**{**pool.connections.connection_kwargs, **settings})
    try:
        lent.connect()
        return Connection(pool, lent).exchange(calls)
    finally:
        lent.disconnect()


def refusal(reply: Exception) -> type[Rejected]:
    """Return the error that an error *reply* is: the server refuses, or is not the one that serves it."""
    return Unreachable if reason(reply).startswith(_NOT_HERE) else Rejected


def reason(reply: Exception) -> str:
    """Return why an error *reply* says that it refuses; EXEC repeats what it was refused for."""
    return str(reply).removeprefix("EXECABORT Transaction discarded because of: ")


def exhausted(pool: Pool, none: NoTurn) -> str:
    """Return the message for who waited for a connection in vain."""
    patience, who, own, kept = pool.turns.patience, pool.turns.who, none.own, pool.turns.most - none.most
    if own >= none.most:
        why = f"by this {who} itself, which would wait for ever. Way out: end a session that watches before the next"
    else:
        held = f" ({own} of them by this {who})" if own else ""
        why = f"{held.strip() or f'by other {who}s'}, and none came back within {patience:g} s. Way out: timeout=..."
    return (
        f"All {none.most} connections of the pool to Redis at {pool.address} {'that a session may hold ' * bool(kept)}"
        f"are in use {why}, or max_connections=... of the database; nothing was sent"
    )


def shown(call: Call) -> str:
    """Return *call* for an error message, cut where it is long."""
    line = quoted(tuple(part if len(part) <= 60 else f"{part[:57]}..." for part in call[:8]))
    return (line if len(line) <= 200 else f"{line[:200]}...") + (" ..." if len(call) > 8 else "")
