"""Writes what ``program.py`` says with redis-limpyd 2.1.2, and tells the keys, and what its collections find.

Run it as ``write.py``, on an empty server:

    limpyd/bin/python tests/maintenance/limpyd/write_indexes.py 6400 > tests/maintenance/limpyd/indexes.json
"""

import sys
from typing import Any

from limpyd import fields, model
from limpyd.contrib.collection import ExtendedCollectionManager
from limpyd.contrib.indexes import DateTimeIndex, EqualIndexWith, ScoredEqualIndex
from limpyd.database import RedisDatabase
from limpyd.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex
from program import COMMANDS, QUESTIONS, WRONG
from reading import in_lines, keys


class Item(model.RedisModel):
    database = RedisDatabase(host="127.0.0.1", port=int(sys.argv[1]), db=0)
    namespace = "store"
    collection_manager = ExtendedCollectionManager

    name = fields.InstanceHashField(
        indexable=True,
        indexes=[EqualIndex, TextRangeIndex, EqualIndexWith.configure(other_fields=["city", "kinds"])],
    )
    city = fields.StringField()
    kinds = fields.SetField(indexable=True)
    price = fields.StringField(indexable=True, indexes=[NumberRangeIndex])
    at = fields.InstanceHashField(indexable=True, indexes=[DateTimeIndex])
    first = fields.InstanceHashField(
        indexable=True, indexes=[EqualIndexWith.configure(other_fields=["last"], unique=True)]
    )
    last = fields.InstanceHashField()
    state = fields.InstanceHashField(indexable=True, indexes=[ScoredEqualIndex.configure(score_field="rank")])
    rank = fields.StringField()
    tags = fields.SetField(indexable=True, indexes=[ScoredEqualIndex.configure(score_field="rank", key="by-rank")])
    code = fields.StringField(unique=True, indexes=[ScoredEqualIndex.configure(score_field="worth")])
    worth = fields.InstanceHashField()
    rows = fields.ListField(indexable=True, indexes=[EqualIndexWith.configure(other_fields=["parts"], key="own")])
    parts = fields.HashField()


redis = Item.get_connection()


def say(commands: list[tuple[Any, ...]]) -> None:
    for pk, *rest in commands:
        if pk is None:
            Item(**rest[0])
        elif len(rest) == 1:
            Item(pk).delete()
        else:
            field, method, *args = rest
            getattr(getattr(Item(pk), field), method)(*args)


def found() -> list[list[Any]]:
    return [[filters, list(Item.collection(**filters))] for filters, _ in QUESTIONS]


assert not redis.dbsize(), "the server must be empty"
say(COMMANDS)
corpus = {"right": keys(redis), "found": found()}
say(WRONG)
print(in_lines(corpus | {"wrong": keys(redis)}, 4))
