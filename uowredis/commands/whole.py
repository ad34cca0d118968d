"""How all that a field holds is read (say, pure): one command for each kind of field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uowredis.commands.commands import Read
from uowredis.commands.identity import Identity
from uowredis.commands.values import TEXTS, OfReplies, TypedReplies
from uowredis.schema.models import FieldSchema, Kind

#: The command and its arguments; an entry is named by its own.
_CALLS: dict[Kind, tuple[str, ...]] = {
    Kind.STRING: ("GET",),
    Kind.HASH: ("HGETALL",),
    Kind.SET: ("SMEMBERS",),
    Kind.LIST: ("LRANGE", "0", "-1"),
    Kind.SORTED_SET: ("ZRANGE", "0", "-1", "WITHSCORES"),
}


def whole_command(field: FieldSchema) -> tuple[str, tuple[str, ...]]:
    """Return the name and the arguments, without the key, of what reads all that *field* holds."""
    if field.kind is Kind.ENTRY:
        return "HGET", (field.stored,)
    name, *args = _CALLS[field.kind]
    return name, tuple(args)


def whole_reader(identity: Identity, field: FieldSchema) -> Callable[[Any], Any]:
    """Return what makes a value or None, a set, a list, a dict of scores, or a dict of the reply to that."""
    holds = field.holds
    of: OfReplies[Any] = TEXTS if holds is None else TypedReplies(holds, field.name, identity)
    match field.kind:
        case Kind.HASH:
            return of.by_entry
        case Kind.SET:
            return of.unique
        case Kind.LIST:
            return of.many
        case Kind.SORTED_SET:
            return lambda reply: dict(of.scored(reply))
        case _:
            return of.one


def whole_read(identity: Identity, field: FieldSchema, decode: Callable[[Any], Any] | None = None) -> Read[Any]:
    """Return the command that reads all that *field* holds of an object.

    Args:
        identity: the object.
        field: of its model.
        decode: makes the answer of the reply, by default :func:`whole_reader`.
    """
    name, args = whole_command(field)
    members = args if field.kind is Kind.ENTRY else None
    return Read(identity, field.storage, field, name, args, decode or whole_reader(identity, field), members)
