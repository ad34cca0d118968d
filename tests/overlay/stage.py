"""What the tests of the overlay share: pending commands, and a dict for a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read, WriteCommand
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_is
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Collation, Deciding, Request, Send
from uowredis.planner.rehearsal import Rehearsal
from uowredis.session.drive import drive


def asked(
    commands: Iterable[WriteCommand],
    question: Callable[[Overlay], Deciding[Any]],
    answers: Mapping[Call, Any],
    *,
    counted: int = 6,
) -> Any:
    """Return what *question* finds over *commands*; *answers* must answer all that is asked and hold nothing else.

    New objects whose primary key is wanted get it from one above *counted* on.
    """
    overlay = Overlay(Rehearsal(10_000, seed=1))
    for command in commands:
        overlay.journal.add(command)
    seen: set[Call] = set()

    def answer(request: Request) -> Any:
        if isinstance(request, Collation):
            return True
        assert isinstance(request, Send), "only plain reads are expected"
        replies = []
        for call in request.calls:
            if call[0] == "INCRBY":
                replies.append(counted + int(call[2]))
            else:
                seen.add(call)
                replies.append(answers[call])
        return replies

    try:
        return drive(question(overlay), answer)
    finally:
        overlay.rehearsal.close()
        assert set(answers) == seen, "an answer was given that nobody asked for"


def read(identity: Identity, field: str, name: str, *args: str, **how: Any) -> Callable[[Overlay], Deciding[Any]]:
    """Return the question that one read asks; its answer is the raw reply."""
    schema = identity.model.fields[field]
    command = Read(identity, schema.storage, schema, name, args, as_is, **how)

    def question(overlay: Overlay) -> Deciding[Any]:
        return (yield from overlay.read_all((command,)))[0]

    return question


def hget(identity: Identity, field: str) -> Callable[[Overlay], Deciding[Any]]:
    """Return the question for one entry."""
    return read(identity, field, "HGET", field, members=(field,))
