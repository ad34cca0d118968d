"""A value may be an instance that has no primary key yet: it gets one with the same commit, or when it is read."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contrib.related.test_values import EACH_FIELD, GIVEN, HELD, READINGS, WRITINGS, Writing, held, world
from tests.tools.backends import Backend
from tests.tools.place import Place
from uowredis import (
    DoesNotExist,
    Session,
)


class Newcomers:
    """Persons without primary key, by how they come to be: empty before the session, empty in it, with values in it."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.persons: dict[str, Any] = {"empty, made before": model()}

    def come(self) -> dict[str, Any]:
        """Make those that are made while things are said; return all."""
        self.persons |= {"empty": self._model(), "with values": self._model(name="new")}
        return self.persons

    def each(self, expected: Callable[[str], Any]) -> dict[str, Any]:
        """Return what is *expected* of each, by its primary key."""
        return {how: expected(person.pk.get()) for how, person in self.persons.items()}


def with_pk(expected: Any, pk: str) -> Any:
    """Return *expected* of person 2 as it is of the one with *pk*."""
    if isinstance(expected, str):
        return pk if expected == "2" else expected
    return (
        type(expected)(with_pk(item, pk) for item in expected) if isinstance(expected, list | tuple | set) else expected
    )


ADDING = {
    name: writing
    for name, writing in WRITINGS.items()
    if "2" in str(writing.after) and "2" not in str(writing.before.values())
}


@pytest.mark.parametrize("writing", ADDING.values(), ids=ADDING.keys())
def test_a_command_takes_a_new_person(place: Place, writing: Writing) -> None:
    """Reply, value, and the other side are those of an object with a primary key."""
    here = world(place.database)
    new = Newcomers(here.person)
    boxes = {how: here.group(**writing.before) for how in ("empty, made before", "empty", "with values")}

    def ask() -> dict[str, Any]:
        return {
            how: [held(boxes[how], writing.field), list(getattr(person, f"by_{writing.field}")())]
            for how, person in new.persons.items()
        }

    replies, answer = place.happens(
        lambda: [writing.say(boxes[how], person) for how, person in new.come().items()], ask
    )
    assert [writing.reply] * 3 == replies
    after = new.each(lambda pk: with_pk(writing.after, pk))
    assert {how: [after[how], [box.pk.get()]] for how, box in boxes.items()} == answer
    assert dict.fromkeys(boxes, True) == new.each(here.person.exists)


@EACH_FIELD
def test_a_constructor_takes_a_new_person(place: Place, field: str) -> None:
    """Both are created together, whatever kind of field refers."""
    here = world(place.database)
    new = Newcomers(here.person)
    groups: dict[str, Any] = {}

    def say() -> None:
        groups.update({how: here.group(**GIVEN[field](person)) for how, person in new.come().items()})

    def ask() -> dict[str, Any]:
        return {
            how: [
                held(groups[how], field),
                [one == groups[how] for one in getattr(person, f"by_{field}")().instances()],
            ]
            for how, person in new.persons.items()
        }

    answer = place.answers(say, ask)
    assert new.each(lambda pk: [with_pk(HELD[field], pk), [True]]) == answer


ABSENT = {"sismember": False, "zscore": None, "zrank": None, "zrevrank": None}


@pytest.mark.parametrize("name", READINGS)
def test_a_command_looks_for_a_new_person(place: Place, name: str) -> None:
    """It finds a pending one where it was put, whether its primary key is known or not."""
    here = world(place.database)
    read, expected = READINGS[name]
    new = Newcomers(here.person)
    boxes: dict[str, Any] = {}

    def say() -> None:
        for how, person in new.come().items():
            boxes[how] = here.group(members=["1", person], scores={"1": 1, person: 2})

    answer = place.answers(say, lambda: {how: read(box, new.persons[how]) for how, box in boxes.items()})
    assert dict.fromkeys(boxes, expected) == answer


@pytest.mark.parametrize("name", READINGS)
def test_looking_for_an_empty_person_finds_and_creates_nothing(place: Place, name: str) -> None:
    """Whether the other holds something, or is pending itself."""
    here = world(place.database)
    read, empty = READINGS[name][0], here.person()
    box = here.group(members=["1"], scores={"1": 1})
    made: list[Any] = [box]
    answer = place.answers(
        lambda: made.append(here.group(members=["2"], scores={"2": 1})), lambda: [read(each, empty) for each in made]
    )
    assert [ABSENT[name]] * 2 == answer
    assert None is empty._pk


FILTERS: dict[str, tuple[Callable[[Any, dict[str, Any]], Any], Any]] = {
    "collection": (
        lambda here, filters: list(here.group.collection(**filters).values_list("name", flat=True)),
        ["new"],
    ),
    "filter": (lambda here, filters: len(here.group.collection().filter(**filters)), 1),
    "related collection": (lambda here, filters: len(here.second.by_entry(**filters)), 1),
    "get": (lambda here, filters: here.group.get(**filters).name.get(), "new"),
    "exists": (lambda here, filters: here.group.exists(**filters), True),
    "get_or_connect": (lambda here, filters: here.group.get_or_connect(**filters)[1], False),
}


@pytest.mark.parametrize(("ask", "expected"), FILTERS.values(), ids=FILTERS.keys())
def test_a_filter_finds_by_a_new_person(place: Place, ask: Any, expected: Any) -> None:
    """Objects that refer to a pending person are found by it before the commit, and after."""
    here = world(place.database)
    persons: list[Any] = []

    def say() -> None:
        persons.append(here.person(name="x"))
        here.group(name="new", key=persons[0], entry=here.second)

    assert expected == place.answers(say, lambda: ask(here, {"key": persons[0]}))


NOT_FOUND: dict[str, tuple[Callable[[Any, dict[str, Any]], Any], Any]] = {
    **{name: (FILTERS[name][0], 0) for name in ("filter", "related collection")},
    "collection": (FILTERS["collection"][0], []),
    "exists": (FILTERS["exists"][0], False),
}


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("ask", "expected"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_nothing_refers_to_an_empty_person(server: Backend, ask: Any, expected: Any, inside: bool) -> None:
    """Asking by an object that is nowhere yet finds nothing, and does not create it."""
    here = world(server.database())
    before = server.dump()
    empty = here.person()
    if inside:
        with Session(here.person.database) as session:
            assert expected == ask(here, {"key": empty})
            assert () == session.pending
    else:
        assert expected == ask(here, {"key": empty})
    assert None is empty._pk
    assert before == server.dump()


def test_nothing_is_got_by_an_empty_person(server: Backend) -> None:
    """``get`` says so by its own error, and ``get_or_connect`` creates both."""
    here = world(server.database())
    empty = here.person()
    with pytest.raises(DoesNotExist):
        here.group.get(key=empty)
    group, new = here.group.get_or_connect(name="connected", key=empty)
    assert [True, "3"] == [new, group.key.get()]
    assert here.person.exists(empty._pk)


def test_what_was_empty_at_a_commit_is_told_from_what_is_made_after_it(server: Backend) -> None:
    """The session counts anew: no two new objects are called the same."""
    here = world(server.database())
    with Session(here.person.database) as session:
        empty = here.person()
        session.commit()
        here.holder.key.set(here.person(name="b"))
        here.holder.entry.hset(empty)
        stored = {call[-1] for call in (step.call for step in session.plan()) if call[0] in ("SET", "HSET")}
        assert {"<Person 1>", "<Person 2>"} <= stored
        session.commit()
