"""What runs in processes of its own, on models that refer to each other; and what must be there in the end."""

from typing import Any

from tests.contrib.related.wholeness import Shapes, check_whole
from tests.tools.backends import Dump
from tests.whole.races.workers import Outcomes, outcome, together
from uowredis import InstanceHashField, PKField, RedisDatabase, RestrictedError, Session
from uowredis.contrib.related import (
    CASCADE,
    RESTRICT,
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedModel,
)

#: Few, so that deletions and references meet; not so few that a deletion has to be planned again for ever.
TARGETS = ["t0", "t1", "t2", "t3", "t4", "t5"]
GROUPS = ["g0", "g1", "g2"]

#: The loose field may refer to what is not there, so its values are plain to the check.
SHAPES: Shapes = {
    "target": {},
    "group": {
        "note": None,
        "boss": "target",
        "owner": "target",
        "members": "target",
        "line": "target",
        "ranks": "target",
        "loose": None,
    },
    "part": {"whole": "target", "of": "part"},
    "pin": {"holds": "target"},
}


class Models:
    """Groups lose their references to a deleted target, parts go with it, pins keep it."""

    def __init__(self, on: RedisDatabase) -> None:
        class Target(RelatedModel):
            database = on
            name = PKField()

        class Group(RelatedModel):
            database = on
            name = PKField()
            note = InstanceHashField(indexable=True)
            boss = FKStringField("Target", "bossed", check=True)
            owner = FKInstanceHashField("Target", "owned", check=True)
            members = M2MSetField("Target", "membership", check=True)
            line = M2MListField("Target", "lines", check=True)
            ranks = M2MSortedSetField("Target", "ranked", check=True)
            loose = M2MSetField("Target", "loosely")

        class Part(RelatedModel):
            database = on
            name = PKField()
            whole = FKInstanceHashField("Target", "parts", on_delete=CASCADE, check=True)
            of = FKStringField("self", "parts", on_delete=CASCADE, check=True)

        class Pin(RelatedModel):
            database = on
            name = PKField()
            holds = FKStringField("Target", "pins", on_delete=RESTRICT, check=True)

        self.database, self.Target, self.Group, self.Part, self.Pin = on, Target, Group, Part, Pin


def check_relations(dump: Dump) -> None:
    """Check that no relation is there by half, and none that is checked to what is not there."""
    check_whole({key: content for key, content in dump.items() if key.startswith(b":")}, SHAPES)


def refer(url: str, worker: int, times: int, max_watched: int) -> Outcomes:
    """Set, add and take away references to targets that come and go."""
    database = RedisDatabase.from_url(url, max_watched=max_watched)
    models = Models(database)
    groups = [models.Group(name) for name in GROUPS]
    together(url)
    database.connection.rpush("begun", worker)
    acts = (refer_by_all_fields, refer_by_one, make_parts, pin, refer_loosely, take_away)

    def attempt(number: int) -> None:
        group, target = groups[number % len(GROUPS)], TARGETS[number % len(TARGETS)]
        acts[(number + number // len(acts)) % len(acts)](models, group, target, f"{worker}-{number}")

    return [outcome(lambda number=number: attempt(worker + number)) for number in range(times)]


def refer_by_all_fields(models: Models, group: Any, target: str, name: str) -> None:
    with Session(models.database, attempts=100, on_pending="discard") as session:
        group.boss.set(target)
        group.owner.hset(target)
        group.members.sadd(target)
        group.line.rpush(target, target)
        group.ranks.zadd({target: 0})
        group.loose.sadd(target)
        session.commit()


def refer_by_one(models: Models, group: Any, target: str, name: str) -> None:
    group.line.lpush(target)
    group.ranks.zincrby(1, target)
    group.members.sadd(target)
    group.owner.hset(target)
    group.boss.set(target)


def make_parts(models: Models, group: Any, target: str, name: str) -> None:
    with Session(models.database, attempts=100, on_pending="discard") as session:
        part = models.Part(name=name, whole=target)
        models.Part(name=f"{name}.part", of=part)
        session.commit()
    models.Part(name=f"{name}.later", of=name)


def pin(models: Models, group: Any, target: str, name: str) -> None:
    models.Pin(name=name, holds=target).delete()


def refer_loosely(models: Models, group: Any, target: str, name: str) -> None:
    group.loose.sadd(target)
    group.note.hset(target)


def take_away(models: Models, group: Any, target: str, name: str) -> None:
    group.members.srem(target)
    group.line.lpop()
    group.ranks.delete()
    group.boss.delete()
    group.loose.srem(target)


def delete_or_create(models: Models, number: int) -> str:
    """Delete a target that is there, and every other time create one that is not in the same session; or create it."""
    name, other = TARGETS[number % len(TARGETS)], TARGETS[(number + 1) % len(TARGETS)]
    if not models.Target.exists(name):
        models.Target(name=name)
        return "created"
    wanted = number % 2 and not models.Target.exists(other)
    with Session(models.database, attempts=1_000, on_pending="discard") as session:
        models.Target(name).delete()
        if wanted:
            models.Target(name=other)
        try:
            session.commit()
        except RestrictedError:
            return "kept"
    return "deleted"
