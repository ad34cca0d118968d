"""A collection answers in a session with pending writes as it answers right after the commit (DESIGN, S4)."""

from itertools import groupby
from typing import Any

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.tools.backends import Backend
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
from uowredis import PendingWrites, Rejected, Session


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
        return item[0], item
    if isinstance(item, dict):
        return item.get("pk", item.get("key")), tuple(sorted(item.items(), key=str))
    return item.pk.get(), type(item)


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


def sort_value(question: Question, models: Models, pk: str) -> Any:
    """Return by what the object is ordered, read after the commit; None where no order was asked."""
    sort = question.sort
    if sort is None:
        return None
    if question.scored:
        score = models.box("box").met.zscore(pk)
        return score or 0.0
    if sort["by"] is None:
        return pk
    field = getattr(models.item(pk), sort["by"])
    value = field.get()
    return (value or "") if sort["alpha"] else float(value or 0)


def check(question: Question, models: Models, before: Answer) -> None:
    """Compare the answer given in the session with that of now: what ties stands in any order."""
    after = ask(question, models)
    if before.items and after.items:
        values = {pk: sort_value(question, models, pk) for pk, _ in (*before.items, *after.items)}
        assert [values[pk] for pk, _ in after.items] == [values[pk] for pk, _ in before.items]
        if question.look == "list":
            assert groups(after, values) == groups(before, values)
        else:
            full = attrs.evolve(question, look="list")
            assert set() == set(before.items) - set(ask(full, models).items)
            assert len(set(before.items)) == len(before.items)
    else:
        assert after == before


def groups(answer: Answer, values: dict[str, Any]) -> list[list[tuple[str, Any]]]:
    """Return the items, those with equal sort values sorted."""
    return [sorted(group, key=str) for _, group in groupby(answer.items, key=lambda item: values[item[0]])]


def may_be_unknown(question: Question, said: list[Write], error: PendingWrites) -> bool:
    """Return whether the session may say that it cannot know: after opaque writes, or by the server's locale."""
    if any(write.opaque for write in said):
        return True
    return bool(question.sort and question.sort.get("alpha")) and "LC_COLLATE" in str(error)


@pytest.fixture(params=[False, True], ids=["counted pks", "chosen pks"])
def models(server: Backend, request: pytest.FixtureRequest) -> Models:
    """The models on one database, which every example empties."""
    return declare(server.database(), request.param)


@settings(max_examples=2 * settings().max_examples)
@given(
    data=st.lists(VALUES, max_size=5),
    box=BOX,
    raw=st.frozensets(st.integers(0, 7), max_size=4),
    said=st.lists(WRITES, max_size=7),
    question=questions(),
)
def test_the_answer_in_a_session_is_that_after_its_commit(
    server: Backend,
    models: Models,
    data: list[dict[str, Any]],
    box: dict[str, Any],
    raw: frozenset[int],
    said: list[Write],
    question: Question,
) -> None:
    """What ``list``, a slice, ``len`` and ``in`` say of any query over any writes holds after the commit."""
    server.flush()
    database = models.database
    with Session(database) as session:
        for number, values in enumerate(data):
            models.item(**({"key": models.pks[number]} if models.chosen else {}) | values)
        lists = {name: pks(models, box[name]) for name in ("friends", "history")}
        scores = {pks(models, [place])[0]: score for place, score in box["met"].items()}
        models.box(login="box", city=box["city"], met=scores, **lists)
        session.commit()
    if raw:
        with server.client() as client:
            client.sadd(RAW, *pks(models, raw))
    with Session(database, on_pending="discard") as session:
        for write in said:
            say(models, write)
        answer = ask_or_learn_why_not(question, models)
        if isinstance(answer, PendingWrites):
            event("PendingWrites")
            assert may_be_unknown(question, said, answer), answer
            return
        event(f"{question.look}, {'nothing' if not answer.items else 'something'}")
        session.commit()
        check(question, models, answer)
