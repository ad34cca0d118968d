"""Asks the same in several places of a sharded model, round by round in all of them at once (decide)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from uowredis.exceptions import CrossPlace
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding, Request, Send, Transact, TransactEach
from uowredis.schema.models import ModelSchema

T = TypeVar("T")


def gathered(overlay: Overlay, questions: Mapping[ModelSchema, Deciding[T]]) -> Deciding[list[T]]:
    """Return what each of *questions* finds, by the model in whose place it asks; what they ask together goes together.

    Raises:
        CrossPlace: for several while what is read is watched: no connection watches what is in two places.
    """
    if len(questions) < 2:
        found = []
        for each in questions.values():
            found.append((yield from each))
        return found
    if overlay.watches:
        (model, *_) = questions
        raise CrossPlace(
            f"What is asked of {model.name} is in {len(questions):,} of its {model.shards:,} places, and what is "
            f"watched for one commit is in one; nothing was sent. Way out: a primary key, or a foreign key, in the "
            f"question; or watch_reads=False",
            sorted(model.keys.place or "" for model in questions),
        )
    answers: dict[ModelSchema, T] = {}
    # What is pending is not worked out in two places at once.
    alone = [model for model in questions if overlay.touches(model)][1:]
    yield from _rounds({model: each for model, each in questions.items() if model not in alone}, answers)
    for model in alone:
        answers[model] = yield from questions[model]
    return [answers[model] for model in questions]


def _rounds(questions: Mapping[ModelSchema, Deciding[T]], answers: dict[ModelSchema, T]) -> Deciding[None]:
    waiting: dict[ModelSchema, Request] = {}

    def go_on(model: ModelSchema, reply: Any, error: BaseException | None = None) -> None:
        turns = questions[model]
        try:
            waiting[model] = turns.send(reply) if error is None else turns.throw(error)
        except StopIteration as end:
            answers[model] = end.value

    def ask(request: Request, models: Sequence[ModelSchema], split: Callable[[Any], Iterable[Any]]) -> Deciding[None]:
        """Ask *request*, which is that of all *models*; *split* makes the answer to each of that to all."""
        try:
            found = yield request
        except Exception as error:
            # Who can go on after it does, each in its own way.
            for model in models:
                go_on(model, None, error)
        else:
            for model, reply in zip(models, split(found), strict=True):
                go_on(model, reply)

    try:
        for model in questions:
            go_on(model, None)
        while waiting:
            asked, waiting = waiting, {}
            sends = {model: request.calls for model, request in asked.items() if isinstance(request, Send)}
            if sends:
                lengths = [len(calls) for calls in sends.values()]
                together = Send([call for calls in sends.values() for call in calls])
                yield from ask(together, list(sends), functools.partial(_cut, lengths=lengths))
            each = {model: request.calls for model, request in asked.items() if isinstance(request, Transact)}
            if each:
                yield from ask(TransactEach(list(each.values())), list(each), iter)
            for model, request in asked.items():
                if model not in sends and model not in each:
                    yield from ask(request, (model,), lambda found: (found,))
    finally:
        for turns in questions.values():
            turns.close()


def _cut(replies: Sequence[Any], lengths: Sequence[int]) -> Iterator[Sequence[Any]]:
    at = 0
    for length in lengths:
        yield replies[at : at + length]
        at += length
