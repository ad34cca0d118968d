"""A collection answers in a session with pending writes as it answers right after the commit (DESIGN, S4)."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.tools.backends import Backend
from tests.tools.host import session_on
from tests.whole.walks.collection_questions import (
    BOX,
    RAW,
    VALUES,
    WRITES,
    Models,
    Question,
    Write,
    declare,
    pks,
    questions,
)
from uowredis import PendingWrites, Rejected


@attrs.frozen
class Answer:
    """What came back: the pks and items in order, the length, the membership of each pk, or a refusal."""

    items: tuple[tuple[str, Any], ...] = ()
    length: int | None = None
    members: tuple[tuple[str, bool], ...] = ()
    refused: str = ""


def ask(question: Question, models: Models) -> Answer:
    """Look at the collection as *question* says."""
    collection = question.collection(models)
    try:
        if question.look == "len":
            return Answer(length=len(collection))
        if question.look == "in":
            return Answer(members=tuple((pk, pk in collection) for pk in models.pks))
        found = list(collection) if question.look == "list" else collection[question.wanted]
    except Rejected as error:
        return Answer(refused="alpha=True" if "alpha=True" in str(error) else str(error))
    return Answer(tuple(named(item) for item in found))


def ask_or_learn_why_not(question: Question, models: Models) -> Answer | PendingWrites:
    """Return the answer, or the error that says why there is none before the commit."""
    try:
        return ask(question, models)
    except PendingWrites as error:
        return error


def named(item: Any) -> tuple[str, Any]:
    """Return the pk of an item, and the item as a value."""
    if isinstance(item, str):
        return item, item
    if isinstance(item, tuple):
        return item[0], tuple(map(told, item))
    if isinstance(item, dict):
        return item.get("pk", item.get("key")), told(item)
    return item.pk.get(), (type(item), told(item.loaded))


def told(value: Any) -> Any:
    """Return *value* as what is spelled the same where it is the same."""
    if isinstance(value, Mapping):
        return tuple(sorted(((key, told(each)) for key, each in value.items()), key=str))
    if isinstance(value, set):
        return tuple(sorted(value))
    return tuple(value) if isinstance(value, list) else value


def say(models: Models, said: Write) -> None:
    """Say a write; what cannot be said of an object that is gone or taken is left out."""
    if said.place is None:
        args = tuple(pks(models, [arg])[0] if isinstance(arg, int) else arg for arg in said.args)
        if said.method == "zadd":
            args = ({pks(models, [place])[0]: score for place, score in args[0].items()},)
        assert said.field is not None
        getattr(getattr(models.box("box"), said.field), said.method)(*args)
        return
    (pk,) = pks(models, [said.place])
    if said.method == "create":
        if not models.chosen:
            models.item(**said.args[0])
        elif not models.item.exists(pk=pk):
            models.item(key=pk, **said.args[0])
        return
    if not models.item.exists(pk=pk):
        return
    item = models.item(pk)
    if said.method == "delete":
        item.delete()
    else:
        assert said.field is not None
        getattr(getattr(item, said.field), said.method)(*said.args)


def check(question: Question, models: Models, before: Answer) -> None:
    """Compare the answer given in the session with that of now: in any order where none was asked for."""
    after = ask(question, models)
    if question.sort is None and question.look == "list":
        before, after = (attrs.evolve(each, items=tuple(sorted(each.items, key=str))) for each in (before, after))
    assert after == before


def may_be_unknown(said: list[Write]) -> bool:
    """Return whether the session may say that it cannot know: after opaque writes."""
    return any(write.opaque for write in said)


@pytest.fixture(params=[False, True], ids=["counted pks", "chosen pks"])
def models(server: Backend, request: pytest.FixtureRequest) -> Models:
    """The models on one database, which every example empties."""
    return declare(server.database(), request.param)


#: What is stored, what is said, and what is asked.
QUERIED: dict[str, Any] = {
    "data": st.lists(VALUES, max_size=5),
    "box": BOX,
    "raw": st.frozensets(st.integers(0, 7), max_size=4),
    "said": st.lists(WRITES, max_size=7),
    "question": questions(),
}


@settings(max_examples=2 * settings().max_examples)
@given(**QUERIED)
def test_the_answer_in_a_session_is_that_after_its_commit(server: Backend, models: Models, **drawn: Any) -> None:
    """What ``list``, a slice, ``len`` and ``in`` say of any query over any writes holds after the commit."""
    query_and_commit(server, models, **drawn)


def query_and_commit(
    server: Backend,
    models: Models,
    data: list[dict[str, Any]],
    box: dict[str, Any],
    raw: frozenset[int],
    said: list[Write],
    question: Question,
) -> None:
    """Ask in a session, commit, and ask once more."""
    server.flush()
    database = models.database
    with session_on(database) as session:
        for number, values in enumerate(data):
            models.item(**({"key": models.pks[number]} if models.chosen else {}) | values)
        lists = {name: pks(models, box[name]) for name in ("friends", "history")}
        scores = {pks(models, [place])[0]: score for place, score in box["met"].items()}
        models.box(login="box", city=box["city"], met=scores, **lists)
        session.commit()
    if raw:
        with server.client() as client:
            client.sadd(RAW, *pks(models, raw))
    with session_on(database, on_pending="discard") as session:
        for write in said:
            say(models, write)
        answer = ask_or_learn_why_not(question, models)
        if isinstance(answer, PendingWrites):
            event("PendingWrites")
            assert may_be_unknown(said), answer
            return
        event(f"{question.look}, {'nothing' if not answer.items else 'something'}")
        session.commit()
        check(question, models, answer)
