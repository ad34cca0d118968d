"""Kinds of index, as ``indexes=[...]`` of a field takes them (declare)."""

from uowredis.schema.index import EqualIndex, Index
from uowredis.schema.ranges import NumberRangeIndex, TextRangeIndex

__all__ = ["EqualIndex", "Index", "NumberRangeIndex", "TextRangeIndex"]

for _public in (EqualIndex, Index, NumberRangeIndex, TextRangeIndex):
    _public.__module__ = __name__
del _public
