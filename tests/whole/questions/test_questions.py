"""Random people, random questions: the answer is what Python's own comparison finds among what the server holds."""

from random import Random
from typing import Any

import pytest
import redis

from tests.tools.backends import Backend
from tests.whole.questions.people import change, entitled, fulfils, indexed, people, questions, stored
from uowredis import Session
from uowredis.maintenance import check

SEEDS = range(8)


def truth(client: redis.Redis, asked: list[tuple[str, Any]]) -> set[str]:
    """Return who fulfils all that is *asked*."""
    return {pk for pk, values in stored(client).items() if all(fulfils(values, *each) for each in asked)}


def fill(random: Random, model: Any, count: int = 12) -> list[str]:
    for _ in range(count):
        change(random, model, [])
    return sorted(model.collection())


def found(model: Any, asked: list[tuple[str, Any]]) -> set[str]:
    collection = model.collection()
    for name, value in asked:
        collection.filter(**{name: value})
    return set(collection)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_found_is_what_python_finds(server: Backend, seed: int) -> None:
    """Outside of sessions, after any changes; and the indexes hold what they should, and nothing else."""
    random, person, client = Random(seed), people(server.database()), server.client()
    pks = fill(random, person)
    for _ in range(25):
        change(random, person, pks)
        asked = list(questions(random))
        assert truth(client, asked) == found(person, asked), asked
    assert entitled(stored(client)) == indexed(client)
    assert [] == list(check(person))


@pytest.mark.parametrize("watching", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_finds_what_will_be_there(server: Backend, seed: int, watching: bool) -> None:
    """What a query finds over pending writes is what it finds right after the commit."""
    random, person, client = Random(seed), people(server.database()), server.client()
    pks = fill(random, person)
    for _ in range(6):
        with Session(person.database, watch_reads=watching) as s:
            for _ in range(random.randrange(1, 5)):
                change(random, person, pks)
                found(person, list(questions(random)))
            asked = list(questions(random))
            last = found(person, asked)
            s.commit()
        assert truth(client, asked) == last, asked
        assert entitled(stored(client)) == indexed(client)
        pks = sorted(person.collection())
    assert [] == list(check(person))
