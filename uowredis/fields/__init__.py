"""The fields: as declared on a model, and as bound to an instance (declare, say)."""

from uowredis.fields.base import Field, SingleValueField
from uowredis.fields.bound import Bound
from uowredis.fields.hash import BoundHash, HashField
from uowredis.fields.instance_hash import BoundInstanceHash, InstanceHashField
from uowredis.fields.lasting import BoundKey
from uowredis.fields.list import BoundList, ListField
from uowredis.fields.methods import reads, writes
from uowredis.fields.pk import AutoPKField, BoundPK, PKField
from uowredis.fields.set import BoundSet, SetField
from uowredis.fields.sorted_set import BoundSortedSet, SortedSetField
from uowredis.fields.string import BoundString, StringField

__all__ = [
    "AutoPKField",
    "Bound",
    "BoundHash",
    "BoundInstanceHash",
    "BoundKey",
    "BoundList",
    "BoundPK",
    "BoundSet",
    "BoundSortedSet",
    "BoundString",
    "Field",
    "HashField",
    "InstanceHashField",
    "ListField",
    "PKField",
    "SetField",
    "SingleValueField",
    "SortedSetField",
    "StringField",
    "reads",
    "writes",
]
