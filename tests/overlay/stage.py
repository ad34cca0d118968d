"""What a session sees, without a server: commands that are pending, and a dict that answers what is asked."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from tests.planner.stage import REHEARSED
from uowredis.commands.calls import Call
from uowredis.commands.commands import Read, WriteCommand
from uowredis.commands.identity import Identity
from uowredis.commands.query import Query
from uowredis.commands.replies import encode, plain
from uowredis.commands.where import Condition, Everything, Filter, all_of
from uowredis.executor.drive import drive
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Search
from uowredis.plan.requests import Deciding, Request, Send
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.lookup import Among
from uowredis.schema.models import ModelSchema

T = TypeVar("T")


def seen(
    pending: Iterable[WriteCommand],
    ask: Callable[[Overlay], Deciding[T]],
    answers: Mapping[Call, Any] | None = None,
    *,
    rehearsed: int = REHEARSED,
    counted_to: int = 6,
    there: int = 0,
    dry_run: bool = False,
) -> T:
    """Return what *ask* finds while *pending* waits, over *answers*, which answer all that is asked and no more.

    New objects whose primary keys are wanted get them from the one after *counted_to* on, none in a *dry_run*; so many
    objects are *there*.
    """
    answers = answers or {}
    rehearsal = Rehearsal(rehearsed, seed=1)
    overlay = Overlay(rehearsal, dry_run=dry_run)
    for command in pending:
        overlay.journal.add(command)
    asked: set[Call] = set()

    def answer(request: Request) -> list[Any]:
        assert isinstance(request, Send)
        return [counted_to + int(call[2]) if call[0] == "INCRBY" else reply(call) for call in request.calls]

    def reply(call: Call) -> Any:
        if call[0] == "SCARD" and call not in answers:
            return there
        asked.add(call)
        return raw(answers[call])

    try:
        found = drive(ask(overlay), answer)
    finally:
        rehearsal.close()
    assert set(answers) == asked, "an answer was given that nobody asked for"
    return found


def raw(reply: Any) -> Any:
    """Return *reply* as a connection gives it: text as bytes."""
    if isinstance(reply, list):
        return [raw(item) for item in reply]
    return encode(reply) if isinstance(reply, str) else reply


def read(identity: Identity, field: str, name: str, *args: str, members: tuple[str, ...] | None = None) -> Read[Any]:
    """Return the read *name* of a field; *members* are what it names of its key."""
    schema = identity.model.fields[field]
    counts = name in ("SCARD", "LLEN", "HLEN", "ZCARD")
    return Read(identity, schema.storage, schema, name, args, plain, members, counts)


def get(identity: Identity, field: str) -> Read[Any]:
    """Return the read of a string."""
    return read(identity, field, "GET")


def hget(identity: Identity, field: str) -> Read[Any]:
    """Return the read of an entry of the instance's hash."""
    return read(identity, field, "HGET", field, members=(field,))


def whole_hash(identity: Identity) -> Read[Any]:
    """Return the read of all entries of the instance's hash."""
    return Read(identity, INSTANCE_HASH, None, "HGETALL", (), plain)


def reading(*reads: Read[Any]) -> Callable[[Overlay], Deciding[list[Any]]]:
    """Ask for the answers to *reads*."""
    return lambda overlay: overlay.read_all(reads)


def wanted(model: ModelSchema, **filters: str) -> Condition:
    """Return what *filters* say: all objects where there is none."""
    found = [Filter(model.fields[name], Among((model.keys.index(name, filters[name]),))) for name in filters]
    return all_of(found or [Everything(model.keys.collection)])


def finding(model: ModelSchema, **filters: str) -> Callable[[Overlay], Deciding[list[str]]]:
    """Ask which objects of *model* match *filters*: their primary keys, or what stands for them, sorted."""
    where = wanted(model, **filters)

    def find(overlay: Overlay) -> Deciding[list[str]]:
        found = yield from overlay.find(model, where)
        return sorted(each if isinstance(each, str) else str(each.reference) for each in found)

    return find


def query(model: ModelSchema, *others: Condition, **filters: str) -> Query:
    """Return what a collection of *model* with *filters* is to find, of which all *others* are said, too."""
    return Query(model, all_of((wanted(model, **filters), *others)))


def listing(wanted: Query) -> Callable[[Overlay], Deciding[list[str]]]:
    """Ask for the primary keys of what is *wanted*, as a collection does; new objects get theirs."""
    return lambda overlay: Search(overlay, wanted).members()


def holding(model: ModelSchema, pk: str) -> Callable[[Overlay], Deciding[bool]]:
    """Ask whether the object is there."""
    return lambda overlay: overlay.holds(model, pk)
