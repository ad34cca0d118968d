"""Indexes of every kind say what the fields hold, after any walk; queries find by them, over pending writes, too."""

from typing import Any

import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from tests.tools.backends import Backend
from tests.whole.walks import every_index
from tests.whole.walks.every_index import FIRST, QUESTIONS, SAID, Say
from uowredis import ArgumentError, DoesNotExist, Rejected, Session, check, rebuild

REFUSALS = (ArgumentError, DoesNotExist, Rejected)


class Client:
    """Says what is drawn, of the items that are there."""

    def __init__(self, models: Any) -> None:
        self.group, self.item = models
        self.items: list[Any] = []

    def say(self, said: Say) -> None:
        """Say it; what is refused is said in vain."""
        try:
            self._say(said)
        except REFUSALS as error:
            note(f"{said} refused: {error}")

    def _say(self, said: Say) -> None:
        if said.method == "create":
            self.items.append(self.item(**said.args[0]))
        elif said.method == "end":
            if self.group.exists(pk=said.args[0]):
                self.group(*said.args).delete()
        elif self.items:
            item = self.items[said.place % len(self.items)]
            if said.method == "delete":
                item.delete()
            else:
                getattr(getattr(item, said.field), said.method)(*said.args)

    def filters(self, name: str, place: int, words: list[str]) -> tuple[str, dict[str, Any]] | None:
        """Return a question by what an object holds now; None where that is not known before the commit."""
        try:
            item = self.items[place % len(self.items)] if self.items else None
            return name, every_index.filters(name, item, words)
        except REFUSALS as error:
            note(f"refused: {error}")
            return None

    def ask(self, name: str, filters: dict[str, Any]) -> tuple[str, dict[str, Any], list[str]] | None:
        """Return what was asked, and who was found; None where that is not known before the commit."""
        try:
            return name, filters, list(self.item.collection(**filters))
        except REFUSALS as error:
            note(f"refused: {error}")
            return None


@pytest.fixture
def both(server: Backend) -> tuple[Any, Any]:
    """The models of two clients."""
    return every_index.declare(server.database()), every_index.declare(server.database())


@given(
    first=st.lists(FIRST, min_size=1, max_size=3),
    parts=st.lists(st.tuples(st.booleans(), st.lists(SAID, min_size=1, max_size=6)), min_size=1, max_size=4),
    theirs=SAID,
    questions=st.lists(QUESTIONS, min_size=1, max_size=4),
)
def test_indexes_of_every_kind_say_what_the_fields_hold(
    server: Backend,
    both: tuple[Any, Any],
    first: list[dict[str, Any]],
    parts: list[tuple[bool, list[Say]]],
    theirs: Say,
    questions: list[tuple[str, int, list[str]]],
) -> None:
    """At once or in sessions, committed or not, another client between; and each question finds who holds it."""
    server.flush()
    ours, others = map(Client, both)
    database = ours.item.database
    ours.group(name="x"), ours.group(name="y")
    client = server.client()
    for values in first:
        ours.say(Say(0, "", "create", (values,)))
    for in_session, said in parts:
        if not in_session:
            for each in said:
                ours.say(each)
                every_index.check(client)
            continue
        with Session(database, on_pending="discard") as session:
            former = [ours.filters(*question) for question in questions]
            for each in said:
                ours.say(each)
            others.items = [others.item(pk) for pk in sorted(others.item.collection())]
            others.say(theirs)
            asked = former + [ours.filters(*question) for question in questions]
            found = [each for each in (ours.ask(*each) for each in asked if each is not None) if each is not None]
            try:
                session.commit()
            except REFUSALS as error:
                note(f"refused: {error}")
                session.rollback()
                found = []
        data = every_index.check(client)
        for name, filters, before in found:
            expected = every_index.answer(data, name, filters)
            event("found" if expected else "not found")
            assert expected == (before if isinstance(expected, list) else set(before)), (name, filters)
            after = list(ours.item.collection(**filters))
            assert expected == (after if isinstance(expected, list) else set(after)), (name, filters)
    assert [] == [each for each in check(ours.item, ours.group) if not each.is_note and "reference" not in each.fault]
    for key in every_index.indexed(every_index.check(client)):
        client.delete(key)
    list(rebuild(ours.item))
    every_index.check(client)
