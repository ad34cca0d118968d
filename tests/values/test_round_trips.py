"""Each type on each field: what goes in comes out, and is found by what Python holds equal to it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.backends import Backend, is_data
from tests.tools.place import Place
from tests.values.families import FAMILIES, Family
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
)

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def things(on: RedisDatabase, family: Family) -> Any:
    """A model with every field of one type."""

    class Thing(RedisModel):
        database = on
        entry = InstanceHashField(type=family.type, indexable=True)
        text = StringField(type=family.type, indexable=True)
        items = ListField(type=family.type, indexable=True)
        parts = HashField(type=family.type, indexable=True)

    return Thing


def sets(on: RedisDatabase, family: Family) -> Any:
    class Bag(RedisModel):
        database = on
        members = SetField(type=family.type, indexable=True)
        ranks = SortedSetField(type=family.type, indexable=True)
        once = InstanceHashField(type=family.type, unique=True)

    return Bag


def around(place: Place) -> AbstractContextManager[Any]:
    """Return a session around what is said, or nothing."""
    return place.database.begin() if place.inside else nullcontext()


def key(value: Any) -> Any:
    """Return what tells values apart that Python cannot hash, or takes for one of another type."""
    return repr(value) if isinstance(value, dict | list | bool) else value


@families
@settings(max_examples=settings.default.max_examples // 6)
@given(data=st.data())
def test_what_goes_in_comes_out(place: Place, family: Family, data: st.DataObject) -> None:
    """From a constructor and from commands, by single reads, ``hgetall``, ``hmget`` and ``values()``."""
    on = place.database
    on.connection.flushall()
    Thing = things(on, family)  # noqa: N806
    first, second = data.draw(family.values), data.draw(family.values)
    with around(place):
        thing = Thing(entry=first, text=first, items=[first, second], parts={"a": first})
        assert (first, first) == (thing.entry.hget(), thing.text.get())
        assert [first, second] == thing.items.lrange(0, -1)
        assert {"entry": first} == thing.hgetall()
        assert [first] == thing.hmget("entry") == thing.hvals()
        thing.entry.hset(second)
        thing.hmset(entry=second)
        thing.text.set(second)
        thing.parts.hset("b", second)
        assert (second, second) == (thing.entry.hget(), thing.text.get())
        assert {"a": first, "b": second} == thing.parts.hgetall()
        assert [second, None] == thing.parts.hmget("b", "c")
        assert [{"entry": second, "text": second}] == list(Thing.collection().values("entry", "text"))
        assert [second] == list(Thing.collection().values_list("text", flat=True))
        for filters in ({"entry": second}, {"text": second}, {"items": first}, {"parts__b": second}):
            assert [thing.pk.get()] == list(Thing.collection(**filters)), filters
        if key(first) != key(second) and first != second:
            assert [] == list(Thing.collection(entry=first)) == list(Thing.collection(text=first))
        assert type(thing.entry.hget()) is type(thing.text.get())
    assert (second, second) == (thing.entry.hget(), thing.text.get())
    assert thing.text.getset(first) == second
    assert thing.items.lpop() == first
    thing.delete()
    left = {key for key in on.connection.keys("*") if is_data(key.encode())}
    assert left <= {Thing._schema.keys.counter}


@pytest.mark.parametrize(
    "family", [each for name, each in FAMILIES.items() if name != "Json"], ids=[n for n in FAMILIES if n != "Json"]
)
@settings(max_examples=settings.default.max_examples // 6)
@given(data=st.data())
def test_members_and_unique_values_are_what_python_holds_equal(
    place: Place, family: Family, data: st.DataObject
) -> None:
    """Sets of values are Python's sets, and a unique value is taken by what equals it."""
    on = place.database
    on.connection.flushall()
    Bag = sets(on, family)  # noqa: N806
    values = data.draw(st.lists(family.values, min_size=1, max_size=5))
    with around(place):
        bag = Bag(members=values, ranks={value: place for place, value in enumerate(values)}, once=values[0])
        assert set(values) == bag.members.smembers() == set(bag.ranks.zrange(0, -1))
        assert len(set(values)) == bag.members.scard() == bag.ranks.zcard()
        assert all(bag.members.sismember(value) for value in values)
        assert {value: float(place) for place, value in enumerate(values)} == dict(
            bag.ranks.zrange(0, -1, withscores=True)
        )
        assert all(Bag.collection(members=value, ranks=value).count() == 1 for value in values)
    with pytest.raises(UniquenessError) as caught:
        Bag(once=values[0])
    assert values[0] == caught.value.value
    assert bag.members.srem(*values) == len(set(values))


@pytest.mark.parametrize(
    "family", [each for each in FAMILIES.values() if each.ordered], ids=[n for n, f in FAMILIES.items() if f.ordered]
)
@settings(max_examples=10)
@given(data=st.data())
def test_a_sort_is_that_of_python(place: Place, family: Family, data: st.DataObject) -> None:
    """Whoever asks: the server, and what lies over pending writes."""
    on = place.database
    on.connection.flushall()
    Thing = things(on, family)  # noqa: N806
    values = data.draw(st.lists(family.values, min_size=1, max_size=6))
    with around(place):
        for value in values:
            Thing(entry=value, text=value)
        assert family.ordered is not None
        wanted = [family.ordered(value) for value in sorted(values, key=family.ordered)]
        for by in ("entry", "text"):
            found = list(Thing.collection().sort(by=by).values_list(by, flat=True))
            assert wanted == list(map(family.ordered, found))
        found = list(Thing.collection().sort(by="-entry").values_list("entry", flat=True))
        assert wanted[::-1] == list(map(family.ordered, found))


def test_bytes_are_exact(server: Backend) -> None:
    """All 256 of them, alone and together, in values and in index keys."""
    on = server.database()
    Thing = things(on, FAMILIES["bytes"])  # noqa: N806
    every = [bytes([code]) for code in range(256)] + [bytes(range(256))]
    with Session(on) as session:
        made = [Thing(entry=value, items=[value]) for value in every]
        session.commit()
    assert every == [thing.entry.hget() for thing in made] == [thing.items.lindex(0) for thing in made]
    assert made == [Thing.get(entry=value) for value in every]
    for value, thing in zip(every, made, strict=True):
        assert value == on.connection.execute_command("HGET", thing.entry.key, "entry", NEVER_DECODE=True)
