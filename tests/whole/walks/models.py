"""The models of the walks: every type of field, with and without index, with counted and with chosen pks."""

from typing import Any

import attrs

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
)

CHOSEN_PKS = ("x", "y", "a:b", "7")
#: Pks whose keys would be those of an index, of the collection or of the counter; all are refused.
IMPOSSIBLE_PKS = ("title", "tags:a", "collection", "max_pk:1", "")


@attrs.frozen
class Models:
    """The models as one client has them: ``Thing`` counts its pks, those of ``Named`` are chosen."""

    database: RedisDatabase
    thing: type[Any]
    named: type[Any]

    def all(self) -> tuple[type[Any], type[Any]]:
        return self.thing, self.named


def declare(database: RedisDatabase, *, indexed: bool = True, unique: bool = True) -> Models:
    """Declare the models on *database*.

    Args:
        database: where they live.
        indexed: whether the fields have an index.
        unique: whether ``code``, ``email`` and ``badges`` are unique; else they are indexed as the others.
    """
    options = {"indexable": True} if indexed else {}
    sole = {"unique": True} if indexed and unique else options

    class Base(RedisModel):
        abstract = True
        title = StringField(**options)
        code = StringField(**sole)
        name = InstanceHashField(**options)
        email = InstanceHashField(**sole)
        note = InstanceHashField()
        headers = HashField(**options)
        tags = SetField(**options)
        badges = SetField(**sole)
        rows = ListField(**options)
        ranks = SortedSetField(**options)

    base: type[RedisModel] = Base
    base.database = database

    class Thing(base):  # type: ignore[misc, valid-type]  # a base made at run time
        pass

    class Named(base):  # type: ignore[misc, valid-type]
        key = PKField()

    return Models(database, Thing, Named)
