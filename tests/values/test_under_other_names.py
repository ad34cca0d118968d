"""Fields with a type that are stored under other names; collections of objects whose primary keys have a type."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.contrib.pipelines.models import on
from tests.tools.backends import Backend
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
    UnreadableValue,
)
from uowredis.contrib.collection import SORTED_SCORE
from uowredis.contrib.related import FKInstanceHashField, RelatedModel

TOKEN = UUID(int=7)


def bikes(of: RedisDatabase) -> Any:
    class Bike(RedisModel):
        database = of
        name = InstanceHashField()
        year = InstanceHashField(type=int, indexable=True, stored_as="y")
        born = InstanceHashField(type=date, stored_as="b")
        price = StringField(type=float, indexable=True, stored_as="cost")
        weight = StringField(type=float)
        token = InstanceHashField(type=UUID, unique=True, stored_as="t")
        parts = HashField(type=int, indexable=True, stored_as="bits")
        days = SetField(type=date, indexable=True, stored_as="d")

    return Bike


@pytest.mark.parametrize("inside", [False, True])
def test_values_go_by_python_names_and_are_kept_by_those_of_redis(server: Backend, inside: bool) -> None:
    """In what gives one value and many, outside a session, in it, and after it."""
    Bike = bikes(server.database())  # noqa: N806
    born, rode = date(1965, 1, 2), date(2026, 1, 1)

    def check() -> None:
        assert (1965, born, 9.5) == (bike.year.hget(), bike.born.hget(), bike.price.get())
        assert {"year": 1965, "born": born, "token": TOKEN} == bike.hgetall()
        assert [born, None, 1965] == bike.hmget("born", "name", "year")
        assert {"year", "born", "token"} == set(bike.hkeys())
        assert {1965, born, TOKEN} == set(bike.hvals())
        assert ({"a": 1}, {rode}) == (bike.parts.hgetall(), bike.days.smembers())
        row = {"year": 1965, "born": born, "price": 9.5}
        assert [row] == list(Bike.collection().values("year", "born", "price"))
        for filters in ({"year": 1965}, {"price": 9.5}, {"token": TOKEN}, {"parts__a": 1}, {"days": rode}):
            assert 1 == Bike.collection(**filters).count(), filters
            assert bike == Bike.get(**filters)
        assert not Bike.exists(year=1964)
        assert [1965] == list(Bike.collection(year=bike.year).sort("year").values_list("year", flat=True))

    with Session(Bike.database) as session:
        bike = Bike(year=1964, price=9.5, token=TOKEN, parts={"a": 1}, days=[rode])
        bike.hmset(year=1960, born=born)
        bike.year.hincrby(5)
        if inside:
            check()
        session.commit()
    check()
    client = Bike.database.connection
    assert {"y": "1965", "b": "1965-01-02", "t": str(TOKEN)} == client.hgetall(bike.year.key)
    assert {"1"} == client.smembers(":bike:y:1965") == client.smembers(":bike:cost:9.5")


def test_what_is_left_in_the_hash_is_text(server: Backend) -> None:
    """An entry that nobody declares is given as it is, also where a field elsewhere is called so."""
    Bike = bikes(server.database())  # noqa: N806
    bike = Bike(year=1965)
    bike.database.connection.hset(bike.year.key, mapping={"weight": "x", "old": "1", "bits": "y"})
    assert {"year": 1965, "weight": "x", "old": "1", "bits": "y"} == bike.hgetall()


def test_errors_name_fields_as_python_does(server: Backend) -> None:
    """Of a value that is taken, and of one that cannot be read."""
    Bike = bikes(server.database())  # noqa: N806
    bike = Bike(token=TOKEN, year=1)
    with pytest.raises(UniquenessError, match=f"Key :bike:t:{TOKEN} already exists") as taken:
        Bike(token=TOKEN)
    assert ("token", TOKEN) == (taken.value.field, taken.value.value)
    assert f"Bike.get(token={TOKEN!r})" in taken.value.__notes__[0]
    bike.database.connection.hset(bike.born.key, "b", "long ago")
    rows = Bike.collection().values("born")
    for read in (bike.born.hget, bike.hgetall, lambda: bike.hmget("born", "name"), lambda: list(rows)):
        with pytest.raises(UnreadableValue, match=r"Bike.*\.born holds date") as unreadable:
            read()
        assert ("born", "long ago") == (unreadable.value.field, unreadable.value.text)


def riders(of: RedisDatabase) -> Any:
    class Rider(RelatedModel):
        database = of
        number = PKField(type=int)
        born = InstanceHashField(type=date, indexable=True, stored_as="b")
        best = FKInstanceHashField("self", stored_as="friend")

    class Race(RedisModel):
        database = of
        field = SetField(type=int)
        order = ListField(type=int)
        times = SortedSetField(type=int)

    return Rider, Race


@pytest.mark.parametrize("inside", [False, True])
def test_collections_give_primary_keys_of_their_type(server: Backend, inside: bool) -> None:
    """Whatever they are intersected with, sorted by, or stored as."""
    Rider, Race = riders(database := server.database())  # noqa: N806
    day = date(2000, 1, 1)
    with Session(database) as session:
        for number in (2, 10, 33):
            Rider(number=number, born=day, best=10)
        race = Race(field=[2, 10], order=[10, 33], times={10: 1.0, 2: 5.0})
        if not inside:
            session.commit()
        riders_found = Rider.collection
        for given, found in (
            ([2, 10], {2, 10}),
            ({33}, {33}),
            ((Rider(10), 2), {2, 10}),
            (race.field, {2, 10}),
            (race.order, {10, 33}),
            (race.times, {2, 10}),
            (Rider.collection(pk=2), {2}),
        ):
            assert found == riders_found(born=day).intersect(given), given
            assert len(found) == len(riders_found().intersect(given))
        by_time = riders_found().intersect([2, 10]).sort(by_score=race.times)
        assert [10, 2] == list(by_time)
        rows = [(10, 1.0, day), (2, 5.0, day)]
        scored = by_time.copy().values_list("number", SORTED_SCORE, "born")
        assert rows == [(pk, float(score), born) for pk, score, born in scored]
        assert [2, 10, 33] == list(riders_found().sort())
        assert [(33, 10)] == list(riders_found(best=10, pk=33).values_list("pk", "best"))
        assert 10 in riders_found(best=10)
        assert "10" not in riders_found(best=10)
        session.commit()
    assert {2, 10, 33} == set(Rider.collection().iter(chunk=1))
    stored = by_time.store()
    assert [10, 2] == list(stored) == list(Rider.collection().from_stored(stored.stored_key))
    assert (2 in stored, 33 in stored, [2]) == (True, False, list(stored.copy().filter(pk=2)))
    assert [(10, day)] == stored.values_list("pk", "born")[:1]


def test_collections_and_fields_of_another_database(server: Backend) -> None:
    """They are asked there; what they hold is said here as it is there."""
    here, there = server.database(), server.database()
    Rider, _ = riders(here)  # noqa: N806

    class Guest(RedisModel):
        database = there
        number = PKField(type=int)
        friend = StringField(type=int)

    for number in (2, 10):
        Rider(number=number, born=date.min)
    guest = Guest(number=10, friend=2)
    assert [10] == list(Rider.collection().intersect(Guest.collection()))
    assert [2] == list(Rider.collection(pk=guest.friend)) == list(Rider.collection().intersect([guest.friend]))
    assert [10] == list(Rider.collection(pk=guest.number))


def test_a_question_with_typed_values_can_be_explained(server: Backend) -> None:
    """Though what it would be answered is made up."""
    Rider, Race = riders(server.database())  # noqa: N806
    rider, race = Rider(number=2, born=date.min), Race(field=[2])
    for asked in (
        Rider.collection(born=date.min).values("pk", "born"),
        Rider.collection(born=rider.born),
        Rider.collection(pk=2).sort("born"),
        Rider.collection(best=rider.best).intersect(race.field).instances(),
    ):
        assert list(asked.explain().calls())


def test_a_reply_of_a_pipeline(server: Backend) -> None:
    """Primary keys and values have their types there, too."""
    with on(server) as database:
        Rider, _ = riders(database)  # noqa: N806
        Rider(number=2, born=date.min)
        with database.pipeline() as pipeline:
            Rider.collection(born=date.min)
            Rider.collection().values("pk", "born")
            Rider.collection().instances()
            assert [[2], [{"pk": 2, "born": date.min}], [Rider(2)]] == pipeline.execute()


@pytest.mark.parametrize("typed", [False, True])
def test_one_answer_of_what_the_hash_holds(server: Backend, typed: bool) -> None:
    """`hgetall()`, `hkeys()` and `hvals()` leave out the same: what is called like a field that is stored elsewhere."""

    class Bike(RedisModel):
        database = server.database()
        colour = InstanceHashField(stored_as="color")
        year = InstanceHashField(**({"type": int} if typed else {}))

    bike = Bike(colour="red", year=1965)
    with server.client() as client:
        client.hset(":bike:1:hash", "colour", "stray")
    year = 1965 if typed else "1965"
    assert {"colour": "red", "year": year} == bike.hgetall()
    assert {"colour", "year"} == set(bike.hkeys())
    assert {"red", year} == set(bike.hvals())
