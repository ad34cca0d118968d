"""Ordered by several fields, the first one, and whether there is one: as Python orders the same values."""

from random import Random
from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    ImplementationError,
    InstanceHashField,
    RedisDatabase,
    RedisModel,
    Session,
    StringField,
)

SEEDS = range(6)


def people(on: RedisDatabase) -> Any:
    class Person(RedisModel):
        database = on
        name = InstanceHashField(indexable=True)
        born = StringField(type=int)
        weight = InstanceHashField()
        note = InstanceHashField(indexable=True)

    return Person


def person(random: Random) -> dict[str, Any]:
    """Return who has some values, few enough that many are equal."""
    values = {
        "name": random.choice("abé"),
        "born": random.choice([1, 2, 10]),
        "weight": random.choice(["-1", "1.5", "10"]),
    }
    return {"note": "x"} | {field: value for field, value in values.items() if random.randrange(6)}


#: What is sorted by, and what that compares of the values of a person.
FIELDS = {
    "name": lambda values: values.get("name", "").encode(),
    "born": lambda values: values.get("born", 0),
    "weight": lambda values: float(values.get("weight", 0)),
    "pk": lambda values: int(values["pk"]),
}


def ordered(there: dict[str, dict[str, Any]], by: list[str], desc: bool) -> list[str]:
    """Return the primary keys in the order wanted; what is equal goes by them, as the last field does."""
    backwards = [name.startswith("-") != desc for name in by]
    pks = sorted(there, key=int, reverse=backwards[-1])
    for name, reverse in reversed(list(zip(by, backwards, strict=True))):
        compared = FIELDS[name.removeprefix("-")]
        pks.sort(key=lambda pk, compared=compared: compared(there[pk] | {"pk": pk}), reverse=reverse)
    return pks


@pytest.mark.parametrize("way", ["outside", "in a session", "pending", "watching"])
@pytest.mark.parametrize("seed", SEEDS)
def test_several_fields_order(server: Backend, seed: int, way: str) -> None:
    """By each in turn, each in its direction, whole and cut; texts by bytes, numbers by their size."""
    random = Random(seed)
    model = people(server.database())
    there = {str(number): person(random) for number in range(1, 25)}
    for values in there.values():
        model(**values)
    with Session(model.database, watch_reads=way == "watching", on_pending="discard"):
        if way == "pending":
            there["3"] |= {"name": "b", "born": 2}
            model("3").name.hset("b")
            model("3").born.set(2)
            there["25"] = person(random)
            model(**there["25"])
        for _ in range(6):
            by = [random.choice(["", "-"]) + name for name in random.sample(list(FIELDS), random.randrange(1, 4))]
            desc = bool(random.randrange(2))
            alpha = ("name",) if {"name", "-name"} & set(by) else False
            found = model.collection(note="x").sort(by=tuple(by), alpha=alpha, desc=desc)
            expected = ordered(there, by, desc)
            assert expected == found, by
            assert expected[5:9] == found[5:9]
            assert expected[0] == found.first()
            assert [there[pk].get("name") for pk in expected] == found.values_list("name", flat=True)


def test_where_there_is_none(server: Backend) -> None:
    """``first()`` gives None, ``exists()`` False; both see what is pending."""
    model = people(server.database())
    found = model.collection(name="a")
    assert (None, False) == (found.first(), found.exists())
    with Session(model.database) as s:
        new = model(name="a")
        assert (new.pk.get(), True) == (found.first(), found.exists())
        assert new == found.copy().instances().first()
        s.commit()
    assert {"name": "a"} == found.copy().values("name").first()
    assert found.copy().instances().exists()
    assert not found.copy().exclude(pk=new.pk.get()).exists()
    assert (found | model.collection(note="y")).exists()


def test_what_is_refused(embedded: Backend) -> None:
    """With the field named."""
    find = people(embedded.database()).collection
    with pytest.raises(ArgumentError, match="at least one field"):
        find().sort(by=())
    with pytest.raises(ArgumentError, match="names born, by which it does not sort"):
        find().sort(by=("name", "weight"), alpha=["name", "born"])
    with pytest.raises(ImplementationError, match="no single value 'nothing'"):
        find().sort(by=("name", "nothing"))
    assert "SORT takes one field" in str(find().sort(by=("name", "born"), alpha=["name"]).explain())
