"""Random people, random questions: the answer is what Python's own comparison finds among what the server holds."""

import operator
from collections.abc import Callable
from random import Random
from typing import Any

import attrs
import pytest

from tests.contrib.pipelines.models import on
from tests.tools.backends import Backend
from tests.tools.host import session_on
from tests.whole.questions.people import (
    Stored,
    change,
    comparable,
    entitled,
    fulfils,
    indexed,
    one,
    people,
    questions,
    stored,
)
from uowredis.maintenance import check

SEEDS = range(8)

#: Who fulfils a question, of all that is stored.
Truth = Callable[[Stored], set[str]]


def fill(random: Random, model: Any, count: int = 12) -> list[str]:
    for _ in range(count):
        change(random, model, [])
    return sorted(model.collection())


def question(random: Random, model: Any, depth: int = 2) -> tuple[Any, Truth, str]:
    """Return a collection, who it should find, and what it is in words."""
    if depth and not random.randrange(3):
        first, second = question(random, model, depth - 1), question(random, model, depth - 1)
        word = random.choice("|&-")
        combine = {"|": operator.or_, "&": operator.and_, "-": operator.sub}[word]
        collection, truth = combine(first[0], second[0]), lambda there: combine(first[1](there), second[1](there))
        return refined(random, collection, truth, f"({first[2]} {word} {second[2]})")
    return refined(random, model.collection(), set, "people")


def refined(random: Random, collection: Any, truth: Truth, said: str) -> tuple[Any, Truth, str]:
    """Filter a collection further, exclude some, or name some."""
    wanted = list(questions(random)) if random.randrange(5) else []
    unwanted = list(questions(random)) if not random.randrange(3) else []
    named = frozenset(map(str, random.sample(range(1, 20), 9))) if not random.randrange(5) else None
    for name, value in wanted:
        collection.filter(**{name: value})
    if unwanted:
        collection.exclude(**dict(unwanted))
    if named is not None:
        collection.intersect(named)

    def found(there: Stored) -> set[str]:
        return {
            pk
            for pk in truth(there)
            if all(fulfils(there[pk], *each) for each in wanted)
            and not (unwanted and all(fulfils(there[pk], *each) for each in dict(unwanted).items()))
            and (named is None or pk in named)
        }

    return collection, found, f"{said} with {wanted} without {unwanted} among {named}"


def by_birth(there: Stored, pks: set[str]) -> list[tuple[str, int | None]]:
    """Return *pks* with their years in the order of both; who has none comes as 0."""
    years = {pk: int(there[pk]["born"][0][1]) if there[pk]["born"] else None for pk in pks}
    return sorted(years.items(), key=lambda each: (each[1] or 0, int(each[0])))


@attrs.frozen
class Behind:
    """Some that follow a place, a value of *field* and a primary key, in the order of the field; None: all do."""

    field: str
    desc: bool
    place: tuple[Any, int] | None
    size: int

    def of(self, there: Stored, pks: set[str]) -> list[str]:
        """Return who of *pks* that is."""

        def key(value: Any, pk: str | int) -> Any:
            return comparable(self.field, value, "lt"), int(pk)

        placed = {key(there[pk][self.field][0][1], pk): pk for pk in pks if there[pk][self.field]}
        bound = None if self.place is None else key(*self.place)
        behind = [each for each in placed if bound is None or (each < bound if self.desc else each > bound)]
        return [placed[each] for each in sorted(behind, reverse=self.desc)][: self.size]


def followed(random: Random, collection: Any) -> tuple[Behind, Any]:
    """Look at what follows a place."""
    field = random.choice(["name", "born", "joined", "code", "price"])
    place = (one(random, field), random.randrange(15)) if random.randrange(3) else None
    behind = Behind(field, random.choice([False, True]), place, random.choice([1, 3, 20]))
    ordered = collection.sort(by=field, alpha=field in ("name", "code"), desc=behind.desc)
    return behind, ordered.after(place, behind.size)


def look(random: Random, collection: Any) -> tuple[str | Behind, Any]:
    """Look at *collection* in one way or another; return which, and what was found."""
    if not random.randrange(3):
        return followed(random, collection)
    match random.randrange(6):
        case 0:
            return "sorted", list(collection.sort(by="born").values_list("pk", "born"))
        case 1:
            return "cut", collection.sort(by="born").values_list("pk", "born")[1:4]
        case 2:
            return "counted", len(collection)
        case 3:
            pk = str(random.randrange(1, 15))
            return pk, pk in collection
        case _:
            return "found", set(collection)


def expected(way: str | Behind, there: Stored, truth: Truth) -> Any:
    """Return what looking at it so should have found."""
    pks = truth(there)
    match way:
        case Behind():
            return way.of(there, pks)
        case "sorted":
            return by_birth(there, pks)
        case "cut":
            return by_birth(there, pks)[1:4]
        case "counted":
            return len(pks)
        case "found":
            return pks
        case pk:
            return pk in pks


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_found_is_what_python_finds(server: Backend, seed: int) -> None:
    """Outside of sessions, after any changes; and the indexes hold what they should, and nothing else."""
    person = people(server.database())
    ask_outside(server, person, seed)
    assert [] == [finding for finding in check(person) if not finding.is_note]


def ask_outside(server: Backend, person: Any, seed: int) -> None:
    """Change people, and ask who there is."""
    random, client = Random(seed), server.client()
    pks = fill(random, person)
    for _ in range(25):
        change(random, person, pks)
        asked, truth, said = question(random, person)
        way, found = look(random, asked)
        assert expected(way, stored(client), truth) == found, (way, said)
    assert entitled(stored(client)) == indexed(client)


@pytest.mark.parametrize("watching", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_finds_what_will_be_there(server: Backend, seed: int, watching: bool) -> None:
    """What a query finds over pending writes is what it finds right after the commit."""
    person = people(server.database())
    ask_in_sessions(server, person, seed, watching=watching)
    assert [] == [finding for finding in check(person) if not finding.is_note]


def ask_in_sessions(server: Backend, person: Any, seed: int, *, watching: bool) -> None:
    """Change people in sessions, ask who there will be, and commit."""
    random, client = Random(seed), server.client()
    pks = fill(random, person)
    for _ in range(6):
        with session_on(person.database, watch_reads=watching) as s:
            for _ in range(random.randrange(1, 5)):
                change(random, person, pks)
                look(random, question(random, person)[0])
            asked = [question(random, person) for _ in range(3)]
            found = [look(random, each) for each, _, _ in asked]
            s.commit()
        there = stored(client)
        for (_, truth, said), (way, answer) in zip(asked, found, strict=True):
            assert expected(way, there, truth) == answer, (way, said)
        assert entitled(there) == indexed(client)
        pks = sorted(person.collection())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pipeline_finds_what_is_there_when_it_is_executed(server: Backend, seed: int) -> None:
    """After all that was said in it, however much of the answer must be asked for apart."""
    random, client = Random(seed), server.client()
    database = on(server)
    person = people(database)
    pks = fill(random, person)
    for _ in range(8):
        with database.pipeline() as pipe:
            for _ in range(random.randrange(3)):
                change(random, person, pks)
            asked = []
            for _ in range(2):
                _, truth, said = question(random, person)
                # Those that it is made of are replies, too.
                asked.append((len(pipe.pending) - 1, truth, said))
            replies = pipe.execute()
        there = stored(client)
        for position, truth, said in asked:
            assert truth(there) == set(replies[position]), said
        pks = sorted(person.collection())
