"""How replies are compared: those without order are sorted, a refusal is its class."""

from collections.abc import Callable
from typing import Any

from tests.whole.walks.commands import Say
from uowredis import ArgumentError, DoesNotExist, PendingWrites, Rejected

#: Commands whose replies have no order.
_UNORDERED = ("hkeys", "hvals", "spop")
_SCANS = ("hscan", "sscan", "zscan")


def ordered(command: Say, reply: Any) -> Any:
    """Return the *reply* to *command*, sorted where Redis promises no order."""
    if command.method in _SCANS and isinstance(reply, tuple):
        cursor, found = reply
        return (cursor, sorted(found) if isinstance(found, list) else found)
    return sorted(reply) if command.method in _UNORDERED and isinstance(reply, list) else reply


def outcome(call: Callable[[], Any]) -> Any:
    """Return what *call* gives, or the class of the refusal it raises."""
    try:
        return call()
    except Rejected:
        return Rejected
    except DoesNotExist:
        return DoesNotExist
    except ArgumentError:
        return ArgumentError
    except PendingWrites:
        # A read, or what a move looks at when it is said.
        return PendingWrites
