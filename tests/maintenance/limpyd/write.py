"""Writes data with redis-limpyd 2.1.2, by its own methods only, and among it the ghosts that its bugs leave.

Run it in an environment of its own, against an empty server:

    python3 -m venv limpyd && limpyd/bin/pip install redis-limpyd==2.1.2 redis-limpyd-extensions==2.1 redis==8.1.0
    redis-server --port 6400 --save '' &
    limpyd/bin/python tests/maintenance/limpyd/write.py 6400 > tests/maintenance/limpyd/corpus.json

What is wrong in the data is said here, ghost by ghost, from what limpyd was told: uowredis is not asked. A ghost is the
fault, the model, and what tells it from others of its kind, as in ``tests/maintenance/stock.py``. Beside the keys it
writes what limpyd itself reads: the objects, and what its collections find.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from declared import Between, another, declared, parts_of, shelves_of
from limpyd import fields
from limpyd.exceptions import UniquenessError
from reading import in_lines, keys, objects, queries

#: What is wrong, in order.
ghosts: list[list[Any]] = []

on = another()
Shelf = shelves_of(on)
Part = parts_of(on, Shelf)
redis = Part.get_connection()


def ghost(fault: str, model: str, *rest: Any) -> None:
    ghosts.append([fault, model, *rest])


def entry(fault: str, field: str, pk: str, value: str, model: str = "Part") -> None:
    """Say that an index entry is missing, stale, or of an object that is not there."""
    ghost(fault, model, field, pk, f"store:{model.lower()}:{field}:{value}")


def killed_before(command: str, act: Callable[[], object]) -> None:
    """Act in a process that ends right before the first *command*, as if it were killed there."""
    child = os.fork()
    if child == 0:
        connection = Part.get_connection()
        execute = connection.execute_command

        def until(*args: Any, **kwargs: Any) -> Any:
            if args[0] == command:
                os._exit(0)
            return execute(*args, **kwargs)

        connection.execute_command = until
        act()
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def whole() -> None:
    """Store what is right: every kind of field, changed and cleared by methods that keep the indexes."""
    shelves = [Shelf(place=f"s:{n}", aisle=n % 2) for n in range(3)]
    for n, shelf in enumerate(shelves):
        shelf.label.set(f"label {n}")
    for n in range(20):
        part = Part(
            number=f"n{n}",
            color=["red", "blue", "a:b:c", "gr\u00fcn"][n % 4],
            count=n,
            state=n % 3,
            weight=n + 0.5,
            tags=["new", "x:y"],
            codes=[f"c{n}", f"d{n}"],
            steps=["cut", "drill", "cut"],
            ranks={"first": 1, "second": 2.5},
            size={"w": n % 2, "h": "1:2"},
            shelf=shelves[n % 3],
        )
        part.former.set(shelves[0])
        part.past.rpush(shelves[0], shelves[1])
        part.liked.zadd({shelves[2]._pk: n})
        part.beside.sadd(part)
    part = Part(1)
    part.color.hset("yellow")
    part.state.getset("late")
    part.weight.append("0")
    part.tags.srem("new")
    part.tags.sadd("")
    part.steps.lset(1, "bend")
    part.steps.linsert("before", "bend", "mark")
    part.ranks.zincrby(1, "third")
    part.ranks.zrem("first")
    part.size.hincrby("w", 5)
    part.size.hdel("h")
    part.former.delete()
    part.remark.set("changed")
    shelves[2].parts.sadd(part)
    shelves[1].liked_parts.zadd({part._pk: 7})
    Part(number="gone", color="red", tags=["new"], codes=["gone"], state="1").delete()
    with suppress(UniquenessError):
        Part(2).hmset(color="red", number="n0")
    with suppress(UniquenessError):
        Part(2).codes.sadd("fresh", "c5")
    Part.collection(color="red").sort().store(key="store:part:__collection__:store:red")


def no_index_kept() -> None:
    """Commands of InstanceHashField that limpyd sends without a look at the index."""
    Part(2).count.hincrby(100)
    entry("stale entry", "count", "2", "1")
    entry("missing entry", "count", "2", "101")
    Part(2).color.hdel()
    Part(2).color.hsetnx("late")
    entry("missing entry", "color", "2", "late")
    Part(3).number.hdel()
    Part(3).number.hsetnx("n4")
    entry("missing entry", "number", "3", "n4")
    ghost("two holders of a unique value", "Part", "number", "store:part:number:n4", ["3", "5"])


def value_that_stays() -> None:
    """A list loses one of two equal values, and the index forgets both."""
    Part(3).steps.lpop()
    entry("missing entry", "steps", "3", "cut")
    Part(4).steps.lset(0, "bend")
    entry("missing entry", "steps", "4", "cut")


def sum_spelled_by_the_client() -> None:
    """Redis stores 3, and the index is told 3.0."""
    Part(3).weight.incrbyfloat(0.5)
    entry("stale entry", "weight", "3", "3.0")
    entry("missing entry", "weight", "3", "3")
    Part(4).size.hincrbyfloat("w", 2)
    entry("stale entry", "size", "4", "w:3.0")
    entry("missing entry", "size", "4", "w:3")


def pipeline() -> None:
    """In a pipeline the former value cannot be read, and stays in the index."""
    part = Part(5)
    with Part.database.pipeline() as pipe:
        part.color.hset("piped")
        pipe.execute()
    entry("stale entry", "color", "5", "red")


def refused_too_late() -> None:
    """A value is stored, then found to be another's; so it has two holders, of which the index knows one."""
    Shelf("s:0").label.delete()
    with suppress(UniquenessError):
        Shelf("s:0").label.setnx("label 1")
    entry("missing entry", "label", "s:0", "label 1", "Shelf")
    ghost("two holders of a unique value", "Shelf", "label", "store:shelf:label:label 1", ["s:0", "s:1"])


def refused_creations() -> None:
    """What was refused is an object all the same: with its defaults, or with nothing."""
    with suppress(UniquenessError):
        Part(number="n5")
    with suppress(UniquenessError):
        Part(codes=["c5"])
    with suppress(UniquenessError):
        Shelf(place="bare").label.set("label 2")
    ghost("object without data", "Shelf", "bare")


def races() -> None:
    """Another creates an object with the same unique value, or sets the same field, in between."""
    Between.act = lambda: Part(number="raced", color="theirs")
    with suppress(AttributeError):  # meant to take back what was created, its delete() finds no related_collections
        Part(number="raced", color="ours")
    part, same = Part(6), Part(6)
    Between.act = lambda: same.state.set("theirs")
    part.state.set("ours")
    entry("stale entry", "state", "6", "theirs")


def written_after_a_deletion() -> None:
    """Another handle of a deleted object writes on."""
    part, same = Part(7), Part(7)
    part.delete()
    same.color.hset("late")
    same.weight.set("3")
    ghost("data without primary key", "Part", "7")


def references_to_nothing() -> None:
    """Nobody looks whether the object is there, and a program that knows shelves alone takes no reference along."""
    Part(8).shelf.hset("nowhere")
    ghost("reference to a missing object", "Part", "shelf", "8", "nowhere")
    Shelf(place="short")
    part = Part(10)
    part.shelf.hset("short")
    part.former.set("short")
    part.past.rpush("short")
    part.liked.zadd({"short": 1})
    part.beside.sadd("900")
    shelves_of(another())("short").delete()
    for field, value in (("shelf", "short"), ("former", "short"), ("past", "short"), ("liked", "short")):
        ghost("reference to a missing object", "Part", field, "10", value)
    ghost("reference to a missing object", "Part", "beside", "10", "900")
    with suppress(TypeError):  # breaks off at the list, when other references are cleared already
        Shelf("s:1").delete()


def keys_that_meet() -> None:
    """A chosen primary key is the name of a field: its keys are where the index of the field has its own."""
    Shelf(place="label", aisle="9", note="x")
    Shelf(place="aisle", note="x")
    for key in ("label:hash", "label:note", "aisle:note"):
        ghost("key of another type", "Shelf", f"store:shelf:{key}", "set")


def releases() -> None:
    """An index is dropped and brought back, another for ever; a unique value comes late, and a counter."""
    without = parts_of(database := another(), shelves_of(database), color=fields.InstanceHashField())
    without(11).color.hset("changed")
    entry("stale entry", "color", "11", "a:b:c")
    entry("missing entry", "color", "11", "changed")
    without(12).delete()
    entry("entry of a vanished object", "color", "12", "gr\u00fcn")
    former = parts_of(
        database := another(),
        shelves_of(database),
        number=fields.InstanceHashField(),
        maker=fields.InstanceHashField(indexable=True),
        notes=fields.ListField(),
    )
    former(13).maker.hset("m:1")
    former(13).notes.rpush("x")
    ghost("index not declared", "Part", "maker", "store:part:maker:m:1")
    ghost("field not declared", "Part", "13", "hash", "maker")
    ghost("field not declared", "Part", "13", "notes", None)
    former(14).number.hset("n14")
    entry("stale entry", "number", "14", "n13")
    entry("missing entry", "number", "14", "n14")
    ghost("two holders of a unique value", "Part", "number", "store:part:number:n14", ["14", "15"])
    declared("Box", another(), code=fields.PKField(), size=fields.StringField())(code="7").connect()
    declared("Box", another(), size=fields.StringField())(size="1")
    ghost("object without data", "Box", "7")
    ghost("counter of primary keys behind", "Box", 7)


def killed() -> None:
    """A process ends between the index and the value, in a creation, in a deletion; the last two leave their locks."""
    killed_before("SADD", lambda: Part(number="killed 1", color="killed"))
    ghost("data without primary key", "Part", str(redis.get("store:part:max_pk")))
    killed_before("HSET", lambda: Part(number="killed 2", color="killed"))
    entry("stale entry", "number", str(redis.get("store:part:max_pk")), "killed 2")
    # After number, color and count, whose locks it waits for, it comes to the first field that is a key of its own.
    killed_before("DEL", lambda: Part(9).delete())
    entry("missing entry", "state", "9", "2")
    killed_before("HSET", lambda: Part(16).color.hset("killed"))
    entry("missing entry", "color", "16", "gr\u00fcn")
    entry("stale entry", "color", "16", "killed")
    killed_before("SADD", lambda: Shelf("s:2").label.set("killed"))
    entry("missing entry", "label", "s:2", "label 2", "Shelf")


assert not redis.dbsize(), "the server must be empty"
whole()
no_index_kept()
value_that_stays()
sum_spelled_by_the_client()
pipeline()
refused_too_late()
refused_creations()
races()
written_after_a_deletion()
references_to_nothing()
keys_that_meet()
releases()
killed()
Box = declared("Box", another(), size=fields.StringField())
corpus = {
    "keys": keys(redis),
    "ghosts": sorted(ghosts, key=repr),
    "objects": {model.__name__: objects(model) for model in (Shelf, Part, Box)},
    "queries": {model.__name__: queries(model) for model in (Shelf, Part)},
}
assert {"store:part:lock-for-update:color", "store:shelf:lock-for-update:label"} <= corpus["keys"]["string"].keys()
print(in_lines(corpus))
