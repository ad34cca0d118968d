"""All that an object holds, at once."""

from datetime import date
from typing import Any

import pytest

from tests.models import every_kind, things
from tests.tools.backends import Backend
from tests.tools.proxy import Proxy
from uowredis import (
    DoesNotExist,
    InstanceHashField,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SessionError,
    SetField,
)
from uowredis.session import context

FULL: dict[str, Any] = {
    "title": "t",
    "code": "c",
    "name": "n",
    "headers": {"a": "1", "b": "x"},
    "tags": {"a", "b"},
    "rows": ["x", "y", "x"],
    "ranks": {"r": 1.5, "s": 2.0},
}


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


@pytest.mark.parametrize("indexed", [False, True])
def test_it_is_what_was_given(on: RedisDatabase, indexed: bool) -> None:
    """Of every kind; what holds nothing is told, too, in the order of the declaration."""
    thing = every_kind(on, indexed=indexed).Thing
    found = thing(**FULL).to_dict()
    assert {**FULL, "pk": "1"} == {name: value for name, value in found.items() if value not in (None, set(), [], {})}
    assert list(thing._fields) == list(found)


def test_values_are_those_of_their_types(on: RedisDatabase) -> None:
    """The primary key, too."""

    class Person(RedisModel):
        database = on
        number = PKField(type=int)
        born = InstanceHashField(type=date)
        days = SetField(type=date)

    day = date(2020, 1, 2)
    assert {"number": 7, "born": day, "days": {day}} == Person(number=7, born=day, days=[day]).to_dict()


def test_over_what_is_pending(on: RedisDatabase) -> None:
    """It is what the commit leaves."""
    thing = every_kind(on).Thing
    stored = thing(**FULL)
    with Session(on) as s:
        stored.tags.srem("a")
        stored.rows.rpush("z")
        stored.ranks.zincrby(1, "r")
        stored.name.delete()
        new = thing(title="new")
        before = [stored.to_dict(), new.to_dict()]
        assert {"b"} == before[0]["tags"]
        assert None is before[1]["pk"]
        s.commit()
    assert before == [stored.to_dict(), {**new.to_dict(), "pk": None}]


def test_who_is_not_there(on: RedisDatabase) -> None:
    """One that was deleted, or is created elsewhere, is refused as its fields refuse it; an empty one holds nothing."""
    thing = things(on)
    assert {None} == {thing().to_dict()[name] for name in ("pk", "string", "entry")}
    gone = thing(entry="x")
    gone.delete()
    with pytest.raises(DoesNotExist):
        gone.to_dict()
    with Session(on, on_pending="discard"):
        new = thing(entry="x")
        with outside_of(on), pytest.raises(SessionError):
            new.to_dict()


def outside_of(on: RedisDatabase) -> Any:
    """Return a block in which no session of *on* is open."""
    return context.hidden(on.session)


def test_one_round_trip(proxy: Proxy) -> None:
    """Whatever it holds."""
    with RedisDatabase.from_url(proxy.url) as on:
        thing = every_kind(on).Thing(**FULL)
        proxy.reset()
        thing.to_dict()
        assert 1 == proxy.round_trips()
