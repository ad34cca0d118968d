"""The executor of a Redis Cluster: each place is on one node, which is talked to as to a server (do).

redis-py's own transactions on a cluster send EXEC again on a new connection, where nothing is watched any more, and so
must carry none of ours. A slot that is elsewhere, moves, or is served by nobody just now refuses what it is sent, and
nothing of it was applied: whoever sent it sends it again, or plans it again, for some time. ASK is not followed: while
a slot moves, a node that takes it over answers for keys that are not there yet.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import redis

from uowredis.commands.calls import Call
from uowredis.exceptions import CrossPlace, ImplementationError, Unreachable, UowError
from uowredis.executor.connection import LOST, Lent, asked_beside
from uowredis.executor.executor import Executor
from uowredis.executor.replaced import ReplacedExecutor
from uowredis.executor.slots import key_of, slot_of_key, slots_of
from uowredis.plan.token import Outcome, Token

#: Where a node is: host and port.
Address = tuple[str, int]

#: Asks which node has which slots: each range with its master first.
_ASK_SLOTS: Call = ("CLUSTER", "SLOTS")

#: So answers a server that is no node.
_NO_CLUSTER = "cluster support disabled"


@attrs.define(eq=False)
class Nodes:
    """The nodes of a cluster, and which has which slots.

    Attributes:
        named: those that were given.
        make: makes the executor of a node.
    """

    named: Sequence[Address]
    make: Callable[[Address], Executor]
    _masters: dict[int, Address] = attrs.field(factory=dict)
    _executors: dict[Address, Executor] = attrs.field(factory=dict)
    _lock: Any = attrs.field(factory=threading.Lock)
    _first: int = -1

    def of_slot(self, slot: int) -> Executor:
        """Return the executor of the node that has *slot*, as far as is known.

        Raises:
            Unreachable: where no node answers, or none has it.
        """
        master = self._masters.get(slot)
        if master is None:
            self.look()
            master = self._masters.get(slot)
        if master is None:
            raise Unreachable(f"No node of the cluster at {self.words} has slot {slot}; nothing was sent")
        return self.at(master)

    def master_of(self, slot: int) -> Address | None:
        """Return where the master of *slot* is, None where that was not asked yet."""
        return self._masters.get(slot)

    def at(self, address: Address) -> Executor:
        """Return the executor of the node at *address*."""
        with self._lock:
            if address not in self._executors:
                self._executors[address] = self.make(address)
            return self._executors[address]

    @property
    def known(self) -> list[Executor]:
        """Those that were made."""
        return list(self._executors.values())

    @property
    def words(self) -> str:
        """The nodes that were given, in words."""
        return ", ".join(f"{host}:{port}" for host, port in self.named)

    def look(self) -> None:
        """Ask which node has which slots.

        Raises:
            Unreachable: where no node answers, or those that do know of no slots.
            ImplementationError: where one is no node of a cluster.
        """
        failed: Exception | None = None
        known = list(dict.fromkeys((*self.named, *self._masters.values())))
        # Not the same one first each time: what one believes may be outdated for long.
        first = self._first = (self._first + 1) % len(known)
        for address in (*known[first:], *known[:first]):
            pool = self.at(address).pool
            # One that takes connections and answers nothing is passed over, too.
            bound = pool.connections.connection_kwargs["socket_connect_timeout"]
            try:
                (reply,) = asked_beside(pool, (_ASK_SLOTS,), socket_timeout=bound)
            except (redis.RedisError, *LOST) as error:
                failed = error
                continue
            if isinstance(reply, Exception):
                if _NO_CLUSTER in str(reply):
                    raise ImplementationError(
                        f"{address[0]}:{address[1]} is no node of a cluster: {reply}. Way out: "
                        f"RedisDatabase(host={address[0]!r}, port={address[1]})"
                    )
                # It is still loading, say, or does not tell this user.
                failed = reply
                continue
            if not reply:
                failed = redis.ConnectionError(f"{address[0]}:{address[1]} knows of no slots")
                continue
            masters: dict[int, Address] = {}
            for first, last, (host, port, *_), *_ in reply:
                # A node that does not know its own name is where it was asked.
                where = (str(host or b"", "utf-8") or address[0], int(port))
                masters.update(dict.fromkeys(range(first, last + 1), where))
            self._masters = masters
            return
        raise Unreachable(f"No node of the cluster at {self.words} can be reached: {failed}; nothing was sent")


@attrs.define(eq=False)
class ClusterExecutor(ReplacedExecutor):
    """Sends calls to the nodes of a cluster; what is pinned is of one place."""

    nodes: Nodes = attrs.field(kw_only=True)
    _spent_by_slot: dict[int, dict[str, None]] = attrs.field(factory=dict)

    @property
    def address(self) -> str:
        """The cluster, in words."""
        return f"the cluster at {self.nodes.words}"

    def send(self, calls: Sequence[Call]) -> list[Any]:
        """Send reading *calls*, in one round trip for each node; return their raw replies in order."""
        return self._again(lambda: self._spread(calls))

    def _spread(self, calls: Sequence[Call]) -> list[Any]:
        by_node: dict[Executor, list[int]] = {}
        for at, slot in enumerate(slots_of(calls)):
            by_node.setdefault(self.nodes.of_slot(0 if slot is None else slot), []).append(at)
        replies: list[Any] = [None] * len(calls)
        parts = {node: [calls[at] for at in places] for node, places in by_node.items()}
        found = _sent_together(parts) if len(parts) > 1 else {node: node.send(calls) for node in parts}
        for node, places in by_node.items():
            for at, reply in zip(places, found[node], strict=True):
                replies[at] = reply
        return replies

    def transact(self, calls: Sequence[Call]) -> list[Any]:
        """Same as of one server, at the node that has the place."""
        return self._again(lambda: self._node(calls).transact(calls))

    def transact_each(self, each: Sequence[Sequence[Call]]) -> list[list[Any]]:
        """Send several transactions, each of one place, in one round trip for each node; return the replies of each."""
        return self._again(lambda: self._spread_each(each))

    def _spread_each(self, each: Sequence[Sequence[Call]]) -> list[list[Any]]:
        by_node: dict[Executor, list[int]] = {}
        for at, calls in enumerate(each):
            by_node.setdefault(self._node(calls), []).append(at)
        replies: list[list[Any]] = [[] for _ in each]
        for node, places in by_node.items():
            for at, found in zip(places, node.transact_each([each[at] for at in places]), strict=True):
                replies[at] = found
        return replies

    def tell(self, call: Call) -> Any:
        """Same as of one server, at the node that has the place."""
        return self._again(lambda: self._node((call,)).tell(call))

    def pinned(self, calls: Sequence[Call] = ()) -> Lent:
        """Lend a connection to the node that has the place of *calls*."""
        return self._node(calls).pinned(calls)

    def check_pinned(self, first: Sequence[Call], calls: Sequence[Call]) -> None:
        """Check that *calls* are of the place of the *first* ones on a pinned connection.

        Raises:
            CrossPlace: where they are not; nothing was sent.
        """
        keys = itertools.chain.from_iterable(map(_keys_of, (*first, *calls)))
        by_slot = {slot_of_key(key): key for key in keys}
        if len(by_slot) > 1:
            raise CrossPlace(
                f"What is watched and read for one commit is in several places: {', '.join(sorted(by_slot.values()))}; "
                f"nothing was sent. Way out: a session for each place, or watch_reads=False"
            )

    def look(self) -> None:
        """Ask anew where the slots are.

        Raises:
            Unreachable: where no node answers.
        """
        self.nodes.look()

    def _spent_beside(self, key: str) -> dict[str, None]:
        """Same as of one server: those of its own slot."""
        return self._spent_by_slot.setdefault(slot_of_key(key), {})

    def _claimed(self, token: Token, within: float) -> Outcome:
        try:
            self.nodes.look()
            node = self.nodes.of_slot(slot_of_key(token.key))
        except Unreachable as error:
            raise redis.ConnectionError(str(error)) from error
        return node._claimed(token, within)

    def node_of(self, slot: int) -> str | None:
        """Return which node has *slot*, as far as is known."""
        master = self.nodes.master_of(slot)
        return None if master is None else f"{master[0]}:{master[1]}"

    def disconnect(self) -> None:
        """Close all connections to all nodes."""
        for node in self.nodes.known:
            node.disconnect()

    def _node(self, calls: Sequence[Call]) -> Executor:
        found = next((slot for slot in slots_of(calls) if slot is not None), 0)
        return self.nodes.of_slot(found)


def _sent_together(parts: Mapping[Executor, Sequence[Call]]) -> dict[Executor, list[Any]]:
    """Send each node its calls before the first reply is waited for; return their raw replies.

    Raises:
        Unreachable: where a node is not there, or does not serve what it is asked.
        Rejected: where one answers a call with an error.
    """
    found: dict[Executor, list[Any]] = {}
    with contextlib.ExitStack() as opened:
        # Always in one order: of two threads neither waits for what the other holds.
        asked = {}
        for node in sorted(parts, key=lambda node: node.address):
            asked[node] = opened.enter_context(Lent(node.pool, "nothing was written"))
            with _losing(node):
                asked[node].send(parts[node])
        for node, connection in asked.items():
            with _losing(node):
                found[node] = connection.checked(parts[node], connection.replies(len(parts[node])))
    return found


@contextlib.contextmanager
def _losing(node: Executor) -> Iterator[None]:
    """Tell which node it was of which the connection is lost in the block."""
    try:
        yield
    except UowError:
        raise
    except LOST as error:
        raise Unreachable(
            f"The connection to Redis at {node.address} was lost: {error}; nothing was written"
        ) from error


def _keys_of(call: Call) -> Sequence[str]:
    if call[0] == "WATCH":
        return call[1:]
    return () if (key := key_of(call)) is None else (key,)
