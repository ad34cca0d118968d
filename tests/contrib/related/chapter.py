"""The models of the documentation's chapter on related fields, and what its many-to-many fields have in common."""

from typing import Any

import attrs

from uowredis import PKField, RedisDatabase, SetField, SortedSetField, StringField
from uowredis.contrib import related
from uowredis.contrib.related import FKStringField, M2MListField, M2MSetField, M2MSortedSetField

MANY = [M2MSetField, M2MListField, M2MSortedSetField]


@attrs.frozen
class Club:
    person: Any
    group: Any


def club(on: RedisDatabase) -> Club:
    """The models of the chapter's beginning."""

    class Person(related.RelatedModel):
        database = on
        name = PKField()

    class Group(related.RelatedModel):
        database = on
        name = PKField()
        private = StringField(indexable=True)
        owner = related.FKInstanceHashField("Person")
        members = related.M2MSetField("Person", related_name="membership")

    return Club(Person, Group)


def owned(on: RedisDatabase, *, declared_first: Any = None) -> Club:
    """The models of the sections on related collections and on foreign keys; pks are counted."""

    class Person(related.RelatedModel):
        database = on
        name = StringField()

    class Group(related.RelatedModel):
        database = on
        name = StringField()
        private = StringField(default=0, indexable=True)
        owner = FKStringField(Person if declared_first else "Person", related_name="owned_groups")

    return Club(Person, Group)


def followed(on: RedisDatabase, field: Any, *, chosen: bool) -> Any:
    """The model of the section on many-to-many fields, with one of the three and chosen or counted pks."""

    class Person(related.RelatedModel):
        database = on
        name = PKField() if chosen else StringField(indexable=True)
        following = field("self", related_name="followers")

    return Person


def add(field: Any, *persons: Any) -> Any:
    """Say that *field* refers to *persons* in this order."""
    if isinstance(field, SortedSetField):
        return field.zadd({person: place for place, person in enumerate(persons)})
    return field.sadd(*persons) if isinstance(field, SetField) else field.rpush(*persons)


def stored(field: Any) -> set[str]:
    """The pks that *field* refers to, by the commands of its type."""
    if isinstance(field, SortedSetField):
        return set(field.zrange(0, -1))
    return field.smembers() if isinstance(field, SetField) else set(field.lrange(0, -1))
