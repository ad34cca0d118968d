"""A private in-process Redis on which pending commands are tried (decide).

What a key holds is loaded, the pending commands are run, and what they leave is read back. It stands in for a second
Redis written by hand. Only one key exists in it at a time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import attrs
import hiredis
import redis

from uowredis.commands.arguments import canonical_sum
from uowredis.commands.calls import Call
from uowredis.commands.commands import Write
from uowredis.commands.replies import as_scored, as_texts, encode, plain
from uowredis.exceptions import ArgumentError
from uowredis.planner.content import Part, load_call, read_call
from uowredis.schema.models import Kind

#: The one key of a rehearsal.
KEY = "rehearsed"

#: What gives a part of a key and a cursor that leads on.
_SCANS = frozenset(("HSCAN", "SSCAN", "ZSCAN"))

#: What draws members; fakeredis fails where there are none, or answers in another shape.
_DRAWS = frozenset(("HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"))

_FLOAT_INCREMENTS = ("INCRBYFLOAT", "HINCRBYFLOAT")


class Refused(Exception):
    """A rehearsed command failed as it would on the server; the text is Redis' own."""


class TooLarge(Exception):
    """The key holds more members than may be rehearsed; the argument is their number."""


@attrs.frozen
class Rewrite:
    """What is sent in place of a command that only the server could decide.

    Attributes:
        call: the deterministic call without its key's place filled, None where nothing needs to be sent.
        reply: what the command said answers, as raw reply.
    """

    name: str | None
    args: tuple[str, ...]
    reply: Any


class Rehearsal:
    """One private Redis; a session makes one when it first needs it.

    Args:
        limit: how many members a key may hold to be loaded.
        seed: what the draws of SPOP follow, so that a plan shown and a plan sent draw the same.
    """

    def __init__(self, limit: int, seed: int) -> None:
        self.limit = limit
        self._seed = seed
        self._connection: Any = None

    def load(self, kind: Kind, part: Part, reply: Any) -> None:
        """Forget what was there and load what *reply* (of :func:`uowredis.planner.content.read_call`) says.

        Raises:
            TooLarge: for more than ``limit`` members.
        """
        call = load_call(kind, KEY, part, reply)
        if call is not None and kind is not Kind.STRING:
            members = (len(call) - 2) // (2 if kind in (Kind.HASH, Kind.SORTED_SET) else 1)
            if members > self.limit:
                raise TooLarge(members)
        self.clear()
        if call is not None:
            self.run(call)

    def clear(self) -> None:
        """Forget what was there."""
        self.run(("DEL", KEY))

    def run(self, call: Call) -> Any:
        """Run *call* and return its raw reply.

        Raises:
            Refused: where Redis answers with an error.
        """
        # It is put back when all is done: whatever interrupts a call, the next one gets another server.
        connection, self._connection = self._connection or _connection(), None
        connection.send_packed_command(
            [hiredis.pack_command(tuple(map(encode, call)))]  # type: ignore[arg-type]  # stub of one item
        )
        refusal = None
        try:
            reply = connection.read_response(disable_decoding=True)
        except redis.ResponseError as error:
            reply, refusal = None, str(error)
        self._connection = connection
        if refusal is not None:
            raise Refused(refusal)
        return reply

    def write(self, write: Write[Any]) -> Any:
        """Run a pending write as it was said; return its raw reply.

        Raises:
            Refused: where Redis would refuse it.
        """
        if write.name in _FLOAT_INCREMENTS:
            self._sum(write)  # fakeredis takes numbers that Redis does not, e.g. 1_0
        return self.run((write.name, KEY, *write.args))

    def _sum(self, write: Write[Any]) -> str:
        """Return what a float increment makes of the value that is there."""
        *where, amount = write.args
        try:
            return canonical_sum(plain(self.run(("HGET", KEY, *where) if where else ("GET", KEY))), amount)
        except ArgumentError as error:
            raise Refused(str(error)) from None

    def read(self, name: str, args: tuple[str, ...]) -> Any:
        """Run a read; return its raw reply."""
        if name in _SCANS:
            # A cursor of here leads nowhere on the server, nor the reverse: all at once, which a scan may give.
            match = args[1:3] if "MATCH" in args[1:2] else ()
            args = ("0", *match, "COUNT", str(2**31))
        if name == "BITPOS":
            args = self._from_the_start(args)
        if name in _DRAWS and not self.run(("EXISTS", KEY)):
            return [] if args else None
        return self.run((name, KEY, *args))

    def _from_the_start(self, args: tuple[str, ...]) -> tuple[str, ...]:
        """Return the arguments of BITPOS with no place from the end: fakeredis mistakes those before the start."""
        bit, *places = args
        size = self.run(("STRLEN", KEY)) * (8 if "BIT" in places else 1)
        return (bit, *(str(max(0, int(each) + size)) if each.startswith("-") else each for each in places))

    def content(self, kind: Kind, part: Part) -> Any:
        """Return what is there now, as the plain reply of a :func:`uowredis.planner.content.read_call`."""
        return plain(self.run(read_call(kind, KEY, part)))

    def rewrite(self, write: Write[Any], index: int) -> Rewrite:
        """Run an opaque *write* in a deterministic form and return that form.

        ``SPOP`` becomes ``SREM`` of members drawn here, a float increment becomes a set of the sum, as Redis itself
        does for its replicas and its append-only file; so do other changes of a string, and what lies between two texts
        of a sorted set is taken out by its members.

        Raises:
            Refused: where the value that is there is no number, or nobody knows what lies between.
        """
        match write.name:
            case "SPOP":
                return self._draw(write, index)
            case "ZREMRANGEBYLEX":
                return self._between(write)
            case "BITFIELD":
                return self._bits(write)
        where, total = write.args[:-1], self._sum(write)
        if write.field is not None and (holds := write.field.holds) is not None:
            # The index is asked for the one spelling of a value.
            total = holds.canonical(total)
        name, args = ("HSET", (*where, total)) if where else ("SET", (total, "KEEPTTL"))
        self.run((name, KEY, *args))
        return Rewrite(name, args, encode(total))

    def _draw(self, write: Write[Any], index: int) -> Rewrite:
        members = sorted(self.content(Kind.SET, None))
        one = not write.args
        count = 1 if one else int(write.args[0])
        drawn = random.Random(f"{self._seed} {index}").sample(members, min(count, len(members)))
        replies = [encode(member) for member in drawn]
        reply = replies if not one else replies[0] if replies else None
        if not drawn:
            return Rewrite(None, (), reply)
        self.run(("SREM", KEY, *drawn))
        return Rewrite("SREM", tuple(drawn), reply)

    def _between(self, write: Write[Any]) -> Rewrite:
        scores = {score for _, score in as_scored(self.run(("ZRANGE", KEY, "0", "-1", "WITHSCORES")))}
        if len(scores) > 1:
            raise Refused("scores differ, and what lies between two texts is not laid down then")
        members = as_texts(self.run(("ZRANGEBYLEX", KEY, *write.args)))
        if not members:
            return Rewrite(None, (), 0)
        return Rewrite("ZREM", tuple(members), self.run(("ZREM", KEY, *members)))

    def _bits(self, write: Write[Any]) -> Rewrite:
        # Redis makes room for all that may be written before it looks what can be; fakeredis does not.
        if (size := _bytes_written(write.args)) > self.run(("STRLEN", KEY)):
            self.run(("SETRANGE", KEY, str(size - 1), "\0"))
        reply = self.run(("BITFIELD", KEY, *write.args))
        left = plain(self.run(("GET", KEY)))
        return Rewrite(None, (), reply) if left is None else Rewrite("SET", (left, "KEEPTTL"), reply)

    def close(self) -> None:
        """Give the private server back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()


def _bytes_written(operations: Sequence[str]) -> int:
    """Return up to which byte of a string the *operations* of BITFIELD may write."""
    bits, operation = 0, iter(operations)
    for name in operation:
        kind = next(operation)
        if name == "OVERFLOW":
            continue
        offset, width = next(operation), int(kind[1:])
        if name != "GET":
            next(operation)
            at = int(offset[1:]) * width if offset.startswith("#") else int(offset)
            bits = max(bits, at + width)
    return (bits + 7) // 8


def _connection() -> Any:
    """Return a connection to a new private server."""
    # Most processes never rehearse, and fakeredis is slow to import.
    import fakeredis

    from uowredis.embedded import EmbeddedConnection

    client = fakeredis.FakeRedis(server=fakeredis.FakeServer(), protocol=2, connection_class=EmbeddedConnection)
    return client.connection_pool.get_connection()
