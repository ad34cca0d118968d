"""Data of redis-limpyd 2.1.2 with indexes of ranges, dates and several fields: opened here, kept, and read there again.

``limpyd/write_indexes.py`` said with redis-limpyd what ``limpyd/program.py`` holds, and told the keys that it left.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.maintenance.limpyd.program import COMMANDS, QUESTIONS
from tests.tools.backends import Backend, is_data
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    StringField,
    UniquenessError,
    check,
    repair,
)
from uowredis.contrib.indexes import DateTimeIndex, EqualIndexWith, ScoredEqualIndex
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex

CORPUS = json.loads(Path(__file__).with_name("limpyd").joinpath("indexes.json").read_text("utf-8"))


def declared(on: RedisDatabase) -> Any:
    """Declare what the writer declares."""

    class Item(RedisModel):
        database = on
        namespace = "store"
        name = InstanceHashField(
            indexable=True,
            indexes=[EqualIndex, TextRangeIndex, EqualIndexWith.configure(other_fields=["city", "kinds"])],
        )
        city = StringField()
        kinds = SetField(indexable=True)
        price = StringField(indexable=True, indexes=[NumberRangeIndex])
        at = InstanceHashField(indexable=True, indexes=[DateTimeIndex])
        first = InstanceHashField(
            indexable=True, indexes=[EqualIndexWith.configure(other_fields=["last"], unique=True)]
        )
        last = InstanceHashField()
        state = InstanceHashField(indexable=True, indexes=[ScoredEqualIndex.configure(score_field="rank")])
        rank = StringField()
        tags = SetField(indexable=True, indexes=[ScoredEqualIndex.configure(score_field="rank", key="by-rank")])
        code = StringField(unique=True, indexes=[ScoredEqualIndex.configure(score_field="worth")])
        worth = InstanceHashField()
        rows = ListField(indexable=True, indexes=[EqualIndexWith.configure(other_fields=["parts"], key="own")])
        parts = HashField()

    return Item


def say(model: Any, commands: list[tuple[Any, ...]]) -> None:
    for pk, *rest in commands:
        if pk is None:
            model(**rest[0])
        elif len(rest) == 1:
            model(pk).delete()
        else:
            field, method, *args = rest
            getattr(getattr(model(pk), field), method)(*args)


def keys(client: redis.Redis) -> dict[str, dict[str, Any]]:
    """Return all keys by their types, as the corpus has them, but for what it does not have."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in CORPUS["right"]}
    for raw in client.scan_iter(count=1000):
        key, kind = raw.decode(), client.type(raw).decode()
        if not is_data(raw) or key == "store:item:__fingerprint__":
            continue
        match kind:
            case "string":
                found[kind][key] = client.get(raw).decode()
            case "hash":
                found[kind][key] = {name.decode(): value.decode() for name, value in client.hgetall(raw).items()}
            case "list":
                found[kind][key] = [value.decode() for value in client.lrange(raw, 0, -1)]
            case "set":
                found[kind][key] = sorted(value.decode() for value in client.smembers(raw))
            case _:
                found[kind][key] = {
                    value.decode(): score for value, score in client.zrange(raw, 0, -1, withscores=True)
                }
    return found


def load(client: redis.Redis, there: dict[str, dict[str, Any]]) -> None:
    for key, text in there["string"].items():
        client.set(key, text)
    for key, values in there["hash"].items():
        client.hset(key, mapping=values)
    for kind, store in (("list", client.rpush), ("set", client.sadd)):
        for key, values in there[kind].items():
            store(key, *values)
    for key, values in there["zset"].items():
        client.zadd(key, values)


def find(model: Any) -> list[list[Any]]:
    """Return whom each question finds, in any order where there is none."""
    return [[filters, _in_order(list(model.collection(**filters)), scored)] for filters, scored in QUESTIONS]


def _in_order(found: list[str], scored: bool) -> list[str]:
    return found if scored else sorted(found)


FOUND = [
    [filters, _in_order(found, scored)]
    for (_, scored), (filters, found) in zip(QUESTIONS, CORPUS["found"], strict=True)
]


@pytest.mark.parametrize("in_session", [False, True])
def test_the_same_program_leaves_the_same_keys(server: Backend, in_session: bool) -> None:
    """So what is written here is read there, index by index; said at once, or committed as one."""
    model = declared(server.database())
    if in_session:
        created = [command for command in COMMANDS if command[0] is None]
        say(model, created)
        with Session(model.database) as s:
            say(model, COMMANDS[len(created) :])
            assert FOUND == find(model)
            s.commit()
    else:
        say(model, COMMANDS)
    assert CORPUS["right"] == keys(server.client())


def test_its_data_is_found_and_kept(server: Backend) -> None:
    """Whom its own collections find, in their order; nothing is wrong, and stays so when all of it goes."""
    load(server.client(), CORPUS["right"])
    model = declared(server.database())
    assert FOUND == find(model)
    assert [] == list(check(model))
    with pytest.raises(UniquenessError):
        model("4").last.hset("w")
    with pytest.raises(UniquenessError):
        model(code="one")
    with Session(model.database) as s:
        for item in model.collection().instances():
            item.delete()
        s.commit()
    assert {"string": ["store:item:max_pk"]} == {kind: [*each] for kind, each in keys(server.client()).items() if each}


def test_what_it_leaves_behind_or_mixes_up(server: Backend) -> None:
    """Is told, and mended: a unique value that was released, and two combinations in one key."""
    load(server.client(), CORPUS["wrong"])
    model = declared(server.database())
    found = {(each.fault, each.facts()["pk"], each.facts()["key"]) for each in check(model)}
    assert {
        ("stale entry", "4", "store:item:code:equal-scored:two:__uniqueness__"),
        ("missing entry", "7", "store:item:first:equal-with-quoted:k%3A1:k"),
        ("stale entry", "7", "store:item:first:equal-with:k:1:k"),
    } == found
    # Who claims it finds out that nobody has it.
    model("5").code.set("two")
    list(repair(model))
    assert [] == list(check(model))
    assert ["7"] == model.collection(first="k:1", last="k")
    assert ["8"] == model.collection(first="k", last="1:k2")
