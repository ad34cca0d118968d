"""Models (declare, say): objects whose fields live in Redis; here with fields and database, as the docs import them."""

from uowredis.database import RedisDatabase
from uowredis.fields import (
    AutoPKField,
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.model.any_model import _handle_of
from uowredis.model.redis_model import RedisModel

__all__ = [
    "AutoPKField",
    "HashField",
    "InstanceHashField",
    "ListField",
    "PKField",
    "RedisDatabase",
    "RedisModel",
    "SetField",
    "SortedSetField",
    "StringField",
    "_handle_of",
]

# A pickle names where the function is; what was pickled before is named so, too.
_handle_of.__module__ = __name__
