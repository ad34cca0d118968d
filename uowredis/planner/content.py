"""What a key holds: how to read it, whole or in part, and how to put it back (decide, pure).

A *part* is the few members that commands name (values of a set, entries of a hash); None stands for the whole. The
replies are plain text. What is found is told as (entry, value) pairs, where the entry is '' but for hashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.plan.steps import UNKNOWN
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

Part: TypeAlias = tuple[str, ...] | None
Pairs: TypeAlias = list[tuple[str, str]]

_ONE = {Kind.HASH: "HGET", Kind.SET: "SISMEMBER", Kind.SORTED_SET: "ZSCORE"}
_SOME = {Kind.HASH: "HMGET", Kind.SET: "SMISMEMBER", Kind.SORTED_SET: "ZMSCORE"}
_COUNT = {Kind.HASH: "HLEN", Kind.SET: "SCARD", Kind.SORTED_SET: "ZCARD", Kind.LIST: "LLEN", Kind.STRING: "STRLEN"}


def read_call(kind: Kind, key: str, part: Part) -> Call:
    """Return the call that reads *part* of *key*."""
    if part is not None and kind in _ONE:
        return (_ONE[kind], key, part[0]) if len(part) == 1 else (_SOME[kind], key, *part)
    match kind:
        case Kind.HASH:
            return ("HGETALL", key)
        case Kind.SET:
            return ("SMEMBERS", key)
        case Kind.SORTED_SET:
            return ("ZRANGE", key, "0", "-1", "WITHSCORES")
        case Kind.LIST:
            return ("LRANGE", key, "0", "-1")
        case _:
            return ("GET", key)


def count_call(kind: Kind, key: str) -> Call:
    """Return the call that counts what *key* holds."""
    return (_COUNT[kind], key)


def _of_part(kind: Kind, part: Sequence[str], reply: Any) -> list[tuple[str, str]]:
    replies = [reply] if len(part) == 1 else reply
    if kind is Kind.SET:
        return [(member, "") for member, there in zip(part, replies, strict=True) if there]
    return [(member, found) for member, found in zip(part, replies, strict=True) if found is not None]


def _raw_pairs(kind: Kind, part: Part, reply: Any) -> list[tuple[str, str]]:
    """Return (member, its value or score or '') for types that have members."""
    if part is not None:
        return _of_part(kind, part, reply)
    if kind is Kind.SET:
        return [(member, "") for member in reply]
    return list(zip(reply[::2], reply[1::2], strict=True))


def pairs(kind: Kind, part: Part, reply: Any) -> Pairs:
    """Return what the *reply* of :func:`read_call` says is there, as (entry, value) pairs."""
    if reply is UNKNOWN:
        return [(entry, UNKNOWN) for entry in part or ("",)] if kind is Kind.HASH else [("", UNKNOWN)]
    match kind:
        case Kind.STRING:
            return [] if reply is None else [("", reply)]
        case Kind.LIST:
            return [("", value) for value in reply]
        case Kind.HASH:
            return _raw_pairs(kind, part, reply)
        case _:
            return [("", member) for member, _ in _raw_pairs(kind, part, reply)]


def load_call(kind: Kind, key: str, part: Part, reply: Any) -> Call | None:
    """Return the call that stores under *key* what *reply* says was there; None for nothing."""
    match kind:
        case Kind.STRING:
            return None if reply is None else ("SET", key, reply)
        case Kind.LIST:
            return ("RPUSH", key, *reply) if reply else None
    found = _raw_pairs(kind, part, reply)
    if not found:
        return None
    match kind:
        case Kind.HASH:
            return ("HSET", key, *(text for pair in found for text in pair))
        case Kind.SET:
            return ("SADD", key, *(member for member, _ in found))
        case _:
            return ("ZADD", key, *(text for member, score in found for text in (score, member)))


# Not frozen: planning a deletion makes one for each indexed field, and would feel it.
@attrs.define(eq=False)
class Content:
    """What an object on the server holds in one field, or in a part of it.

    Attributes:
        alone: the fields beside it are left out.
        call: what reads it.
        beside: what it holds in the fields beside it, on which its index entries depend, too.
    """

    model: ModelSchema
    field: FieldSchema
    pk: str
    part: Part = None
    alone: bool = False
    call: Call = attrs.field(init=False)
    beside: tuple[Content, ...] = attrs.field(init=False)

    @call.default
    def _call(self) -> Call:
        kind, part = self._place()
        return read_call(kind, self.model.keys.storage(self.pk, self.field.storage), part)

    @beside.default
    def _beside(self) -> tuple[Content, ...]:
        if self.alone or not self.field.beside:
            return ()
        return tuple([Content(self.model, field, self.pk, alone=True) for field in self.field.beside])

    @property
    def calls(self) -> tuple[Call, ...]:
        """What reads all on which its index entries depend."""
        return (self.call, *[each.call for each in self.beside])

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that hold all on which its index entries depend."""
        return (self.key, *[each.key for each in self.beside])

    def _place(self) -> tuple[Kind, Part]:
        field = self.field
        return (Kind.HASH, (field.stored,)) if field.kind is Kind.ENTRY else (field.kind, self.part)

    @property
    def key(self) -> str:
        """The key that holds it."""
        return self.call[1]

    def pairs(self, reply: Any) -> Pairs:
        """Return what the *reply* of the call says is there."""
        return pairs(*self._place(), reply)

    def entries(self, replies: Mapping[Call, Any]) -> set[IndexEntry]:
        """Return the index entries of what the *replies* to the calls say is there."""
        found = self.pairs(replies[self.call])
        entries = self.model.index_entries(self.field, found, self.pk)
        if self.beside:
            held = {each.field.name: each.pairs(replies[each.call]) for each in self.beside}
            entries |= self.field.joint_entries(self.model.keys, held | {self.field.name: found}, self.pk)
        return entries


def content_behind(model: ModelSchema, field: FieldSchema, pk: str, key: str) -> Content:
    """Return what tells whether the object *pk* belongs in the index *key* of *field*."""
    one_member = field.by_value and field.kind in (Kind.SET, Kind.SORTED_SET)
    return Content(model, field, pk, (model.keys.indexed_value(field.stored, key),) if one_member else None)
