"""Outside a session each call is a session of its own (say, and drive the others)."""

from __future__ import annotations

import sys
from typing import TypeVar

from uowredis.commands.commands import Create, Delete, Read, Write, matters
from uowredis.commands.identity import State
from uowredis.exceptions import DoesNotExist
from uowredis.executor.server import Server
from uowredis.overlay.overlay import read_call
from uowredis.session.session import Session

T = TypeVar("T")


def alone(database: Server) -> Session:
    """Return a session for one call: retried by time, not by count; keys of any size are rehearsed."""
    return Session(database, rehearsal_limit=sys.maxsize, retry_for=database.retry_for, watch_reads=False)


def read_alone(database: Server, read: Read[T]) -> T:
    """Answer one *read* at once, in one round trip; an object without pk holds nothing."""
    if read.identity.pk is None or read.members == ():
        return alone(database).read(read)
    return read.decode(database.executor.ask((read_call(read),))[0])


def write_alone(database: Server, write: Write[T]) -> T:
    """Send one *write* at once; return its reply.

    Without an index it goes as it is, in one round trip.
    """
    identity = write.identity
    if identity.state is State.UNTESTED:
        assert identity.pk is not None
        if not alone(database).overlay.holds(identity.model, identity.pk):
            raise DoesNotExist(f"{identity} does not exist; nothing was written")
        identity.state = State.STORED
    if identity.state is State.STORED and not matters(write):
        assert identity.pk is not None
        return write.decode(
            database.executor.tell((write.name, identity.model.keys.storage(identity.pk, write.storage), *write.args))
        )
    session = alone(database)
    try:
        pending = session.say(write)
        session.commit()
        return pending.result
    finally:
        session.rollback()


def commit_alone(database: Server, command: Create | Delete) -> None:
    """Create or delete one object at once."""
    session = alone(database)
    try:
        if isinstance(command, Create):
            session.create(command, None)
        else:
            session.delete(command.identity)
        session.commit()
    finally:
        session.rollback()
