"""Data that redis-limpyd 2.1.2 wrote, with the ghosts that its bugs left: it is read, checked and repaired.

``limpyd/write.py`` wrote it with redis-limpyd, and says what is wrong in it, and what redis-limpyd reads of it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.maintenance.stock import said
from tests.tools.backends import Backend
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
    check,
    repair,
)
from uowredis.contrib.related import (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedModel,
)

CORPUS = json.loads(Path(__file__).with_name("limpyd").joinpath("corpus.json").read_text("utf-8"))

#: What nobody but the owner of the data can decide.
UNDECIDED = {"two holders of a unique value", "key of another type", "object without data"}

#: Shelves that we do not take as objects: their keys are where an index has its own.
MET = {"aisle", "label"}


def models_on(on: RedisDatabase) -> dict[str, Any]:
    """Declare what the last release of the writer declares."""

    class Shelf(RelatedModel):
        database = on
        namespace = "store"
        spot = PKField()
        label = StringField(unique=True)
        aisle = InstanceHashField(indexable=True)
        note = StringField()

    class Part(RelatedModel):
        database = on
        namespace = "store"
        number = InstanceHashField(unique=True)
        color = InstanceHashField(indexable=True)
        count = InstanceHashField(indexable=True)
        state = StringField(indexable=True, lockable=False)
        weight = StringField(indexable=True)
        tags = SetField(indexable=True)
        codes = SetField(unique=True)
        steps = ListField(indexable=True)
        ranks = SortedSetField(indexable=True)
        size = HashField(indexable=True)
        remark = StringField(default="none")
        shelf = FKInstanceHashField(Shelf, related_name="parts")
        former = FKStringField(Shelf, related_name="former_parts")
        beside = M2MSetField("self", related_name="neighbours")
        past = M2MListField(Shelf, related_name="past_parts")
        liked = M2MSortedSetField(Shelf, related_name="liked_parts")

    class Box(RedisModel):
        database = on
        namespace = "store"
        size = StringField()

    return {"Shelf": Shelf, "Part": Part, "Box": Box}


@pytest.fixture
def models(server: Backend) -> dict[str, Any]:
    """The models, on the data."""
    with server.client() as client:
        keys = CORPUS["keys"]
        for key, text in keys["string"].items():
            client.set(key, text)
        for key, values in keys["hash"].items():
            client.hset(key, mapping=values)
        for key, values in keys["list"].items():
            client.rpush(key, *values)
        for key, values in keys["set"].items():
            client.sadd(key, *values)
        for key, values in keys["zset"].items():
            client.zadd(key, values)
    return models_on(server.database())


def ghosts() -> list[tuple[Any, ...]]:
    """Return what is wrong, as a check says it: of an entry with its member, the primary key, and no score."""
    told = [[*each, each[3], None] if "entry" in each[0].split() else each for each in CORPUS["ghosts"]]
    return sorted((tuple(tuple(v) if isinstance(v, list) else v for v in each) for each in told), key=repr)


def held(instance: Any, name: str, field: Any) -> Any:
    """Return what we read of a field, as the corpus has it; sets in order, scores by their members."""
    bound = getattr(instance, name)
    if isinstance(field, SortedSetField):
        return dict(bound.zrange(0, -1, withscores=True))
    if isinstance(field, SetField):
        return sorted(bound.smembers())
    if isinstance(field, ListField):
        return bound.lrange(0, -1)
    if isinstance(field, HashField):
        return bound.hgetall()
    return bound.get()


def test_all_is_read_as_by_limpyd(models: dict[str, Any]) -> None:
    """Each object with each field, and what each query finds, ghosts and all."""
    for name, objects in CORPUS["objects"].items():
        model = models[name]
        assert sorted(objects) == sorted(model.collection())
        for pk in objects.keys() - MET:
            fields = {each: getattr(model, each) for each in model._schema.fields}
            read = {each: held(model(pk), each, field) for each, field in fields.items()}
            assert objects[pk] == {each: value for each, value in read.items() if value}
    for name, queries in CORPUS["queries"].items():
        for field, value, pks in queries:
            assert (field, value, pks) == (field, value, sorted(models[name].collection(**{field: value})))


def test_exactly_the_ghosts_are_found(server: Backend, models: dict[str, Any]) -> None:
    """What limpyd wrote right is right; locks that it holds are no fault; nothing is changed by the look."""
    before = server.dump()
    assert {b"store:part:lock-for-update:color", b"store:shelf:lock-for-update:label"} <= before.keys()
    assert ghosts() == said(check(*models.values()))
    assert before == server.dump()


@pytest.mark.parametrize("orphans", ["adopt", "delete"])
def test_a_repair_mends_what_it_may(server: Backend, models: dict[str, Any], orphans: Any) -> None:
    """Then only what somebody must decide is left, and queries find what the objects hold."""
    for _ in repair(*models.values(), orphans=orphans, references="clear", forget=["maker", "notes"]):
        pass
    left = said(check(*models.values()))
    assert [each for each in ghosts() if each[0] in UNDECIDED] == left
    assert ["7", "26"] == [pk for pk in ("7", "26") if models["Part"].exists(pk) is (orphans == "adopt")]
    for name in ("Shelf", "Part"):
        for field, value, pks in expected_queries(name):
            found = set(models[name].collection(**{field: value}))
            assert (field, value, pks) == (field, value, found - {"7", "26"})
    assert not models["Part"].exists(color="killed")
    assert "8" == models["Box"](size="2").pk.get()


def expected_queries(name: str) -> list[tuple[str, str, set[str]]]:
    """Return what a query must find by each value, from the objects as limpyd reads them; references lead somewhere."""
    found: dict[tuple[str, str], set[str]] = {(field, value): set() for field, value, _ in CORPUS["queries"][name]}
    lost = {each[2:] for each in ghosts() if each[0] == "reference to a missing object"}
    for pk, objects in CORPUS["objects"][name].items():
        for field, value in objects.items():
            if isinstance(value, dict) and field == "size":
                pairs = {(f"{field}__{entry}", each) for entry, each in value.items()}
            else:
                pairs = {(field, each) for each in ([value] if isinstance(value, str) else value)}
            for pair in pairs & found.keys():
                if (field, pk, pair[1]) not in lost:
                    found[pair].add(pk)
    return [(field, value, pks) for (field, value), pks in found.items()]


def test_what_was_repaired_goes_on(models: dict[str, Any]) -> None:
    """Unique values are guarded, references are taken along, deletions leave no entry."""
    shelf, part = models["Shelf"], models["Part"]
    for _ in repair(*models.values(), orphans="delete", references="clear", forget=["maker", "notes"]):
        pass
    with pytest.raises(UniquenessError):
        part(number="n14")
    part(15).number.hset("n13")
    part(5).number.hset("n444")
    shelf("s:1").label.set("label 0")
    assert not [each for each in said(check(*models.values())) if each[0] == "two holders of a unique value"]
    shelf("s:0").delete()
    for pk in list(part.collection()):
        part(pk).delete()
    kinds = {each[0] for each in said(check(*models.values()))}
    assert kinds == {"key of another type", "object without data"}
