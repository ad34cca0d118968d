"""What was declared, as facts (declare): models, fields and relations, and how their keys are spelled."""

from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, Kind, ModelSchema, OnDelete, Relation

__all__ = ["FieldSchema", "Keys", "Kind", "ModelSchema", "OnDelete", "Relation"]
