"""Relations between models (declare): fields that refer, models, and the collections on the other side."""

from uowredis.contrib.related.fields import (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedField,
)
from uowredis.contrib.related.models import CASCADE, CLEAR, RESTRICT, Related, RelatedCollections, RelatedModel
from uowredis.schema.models import OnDelete

__all__ = [
    "CASCADE",
    "CLEAR",
    "RESTRICT",
    "FKInstanceHashField",
    "FKStringField",
    "M2MListField",
    "M2MSetField",
    "M2MSortedSetField",
    "OnDelete",
    "Related",
    "RelatedCollections",
    "RelatedField",
    "RelatedModel",
]

for _public in (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    Related,
    RelatedCollections,
    RelatedField,
    RelatedModel,
):
    _public.__module__ = __name__
del _public
