"""Models that refer to each other by fields of the kind that a test chooses, and what is stored of them."""

from typing import Any

from tests.tools.backends import Backend
from tests.tools.wholeness import Shapes, check_whole, decoded, held
from uowredis import InstanceHashField, PKField, RedisDatabase, SetField, StringField
from uowredis.contrib.related import (
    CASCADE,
    CLEAR,
    RESTRICT,
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    OnDelete,
    RelatedModel,
)

FIELDS = (FKStringField, FKInstanceHashField, M2MSetField, M2MListField, M2MSortedSetField)
MANY = FIELDS[2:]
SINGLE = FIELDS[:2]
SHAPES: Shapes = {
    "person": {"age": None, "likes": "person"},
    "group": {"note": None, "tags": None, "of": "person"},
}
SOCIETY: Shapes = {
    **SHAPES,
    "part": {"note": None, "whole": "person", "of": "part", "held_by": "person"},
    "pin": {"person": "person", "part": "part"},
}


class Models:
    """Persons who like persons, and groups of persons, both by *field*; what follows a deletion is *on_delete*."""

    def __init__(self, on: RedisDatabase, field: Any, on_delete: OnDelete = CLEAR, *, check: bool = False) -> None:
        class Person(RelatedModel):
            database = on
            name = PKField()
            age = InstanceHashField(indexable=True)
            likes = field("self", related_name="liked_by", on_delete=on_delete, check=check)

        class Group(RelatedModel):
            database = on
            name = PKField()
            note = InstanceHashField(indexable=True)
            tags = SetField(indexable=True)
            text = StringField()
            of = field("Person", related_name="groups", on_delete=on_delete, check=check)

        self.database, self.Person, self.Group = on, Person, Group

    def persons(self, names: str) -> list[Any]:
        """Return new persons, one for each letter."""
        return [self.Person(name=name, age=30) for name in names]

    def group(self, name: str, *referred: Any) -> Any:
        """Return a new group with something in every field."""
        group = self.Group(name=name, note="n", tags=["t"], text="x")
        refer(group.of, *referred)
        return group


class Society:
    """Persons, groups that lose them, parts that go with what they are of, and pins that keep what they hold."""

    def __init__(self, on: RedisDatabase, field: Any) -> None:
        class Part(RelatedModel):
            database = on
            name = PKField()
            note = InstanceHashField(indexable=True)
            whole = field("Person", related_name="parts", on_delete=CASCADE)
            of = field("self", related_name="parts", on_delete=CASCADE)
            held_by = field("Person", related_name="held", on_delete=RESTRICT)

        class Pin(RelatedModel):
            database = on
            name = PKField()
            person = field("Person", related_name="pins", on_delete=RESTRICT)
            part = field("Part", related_name="pins", on_delete=RESTRICT)

        self.people = Models(on, field, CLEAR)
        self.Part, self.Pin = Part, Pin

    def part(self, name: str, **references: Any) -> Any:
        """Return a new part that refers by the fields named."""
        return _referring(self.Part(name=name, note="n"), references)

    def pin(self, name: str, **references: Any) -> Any:
        """Return a new pin that refers by the fields named."""
        return _referring(self.Pin(name=name), references)


def _referring(new: Any, references: dict[str, Any]) -> Any:
    for field, referred in references.items():
        refer(getattr(new, field), referred)
    return new


def refer(bound: Any, *referred: Any) -> None:
    """Add references to a field that holds many, set the one of a foreign key to the last."""
    for each in referred:
        match bound:
            case FKStringField():
                bound.set(each)
            case FKInstanceHashField():
                bound.hset(each)
            case M2MSetField():
                bound.sadd(each)
            case M2MListField():
                bound.rpush(each)
            case _:
                bound.zadd({each: 0})


def forget(bound: Any, *referred: Any) -> None:
    """Take references away."""
    for each in referred:
        match bound:
            case FKStringField() | FKInstanceHashField():
                bound.delete()
            case M2MSetField():
                bound.srem(each)
            case M2MListField():
                bound.lrem(0, each)
            case _:
                bound.zrem(each)


def stored(server: Backend, model: str, pk: str, field: str) -> list[str]:
    """Return what a field holds, as plain redis-py reads it."""
    return held(decoded(server.dump()), model, pk, field)


def there(server: Backend, model: str) -> set[str]:
    """Return the pks of all objects of *model*, as plain redis-py reads them."""
    return decoded(server.dump()).get(f":{model}:collection", set())


def check(server: Backend) -> None:
    """Check that nothing is there of half a relation."""
    check_whole(server.dump(), SOCIETY)
