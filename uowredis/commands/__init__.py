"""What is said (say, pure): frozen commands and queries, the changes they make, and the journal of them."""

from uowredis.commands.changes import Added, Change, Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Create, Delete, Read, Write
from uowredis.commands.identity import Identity, State

__all__ = [
    "Added",
    "Change",
    "Computed",
    "Create",
    "Delete",
    "Identity",
    "Opaque",
    "Read",
    "Removed",
    "Replaced",
    "State",
    "Write",
]
