"""Lazy queries on a model (say)."""

from uowredis.collection.explanation import Explanation
from uowredis.collection.manager import CollectionManager

__all__ = ["CollectionManager", "Explanation"]

for _public in (CollectionManager, Explanation):
    _public.__module__ = __name__
del _public
