"""What a write does to what its key holds (say, pure): five changes stand for all writing commands.

==========  ==========================================================================================
Replaced    the named things hold exactly this now: a string's value, entries of a hash
Added       these values are in, whatever was there: SADD, RPUSH, ZADD
Removed     these values (or entries) are out, None for all there is: SREM, LREM 0, HDEL, DEL
Computed    the result needs what was there: INCR, LTRIM, HSETNX
Opaque      only the server knows the result: SPOP, INCRBYFLOAT
==========  ==========================================================================================
"""

from __future__ import annotations

from typing import TypeAlias

import attrs


@attrs.frozen
class Replaced:
    """What is named holds exactly this afterwards: (entry, value) pairs; the entry is '' for a string."""

    values: tuple[tuple[str, str], ...]


@attrs.frozen
class Added:
    """*values* are in afterwards, whatever was there."""

    values: tuple[str, ...]


@attrs.frozen
class Removed:
    """*members* (values, or entries of a hash) are out afterwards; None: all there is."""

    members: tuple[str, ...] | None


@attrs.frozen
class Computed:
    """The result needs what was there.

    Attributes:
        members: what the command names of its key, None for the whole.
        fallible: whether Redis may refuse it because of what it meets.
    """

    members: tuple[str, ...] | None = None
    fallible: bool = False


@attrs.frozen
class Opaque:
    """Only the server knows the result; on an indexed field the planner draws it under watch.

    Attributes:
        members: what the command names of its key, None for the whole.
        fallible: whether Redis may refuse it because of what it meets.
    """

    members: tuple[str, ...] | None = None
    fallible: bool = False


Change: TypeAlias = Replaced | Added | Removed | Computed | Opaque


def named(change: Change) -> tuple[str, ...] | None:
    """Return the members that *change* names, None for the whole key."""
    match change:
        case Replaced(values):
            return tuple(entry for entry, _ in values)
        case Added(values):
            return values
        case Removed(members) | Computed(members) | Opaque(members):
            return members


def needs_content(change: Change) -> bool:
    """Return whether the result of *change* depends on what was there."""
    return isinstance(change, Computed | Opaque)
