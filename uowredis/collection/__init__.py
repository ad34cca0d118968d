"""Lazy queries on a model (say)."""

from uowredis.collection.explanation import Explanation
from uowredis.collection.manager import DEFAULT_STORE_TTL, CollectionManager
from uowredis.collection.pages import Page
from uowredis.collection.wanted import SORTED_SCORE

__all__ = ["DEFAULT_STORE_TTL", "SORTED_SCORE", "CollectionManager", "Explanation", "Page"]

for _public in (CollectionManager, Explanation, Page):
    _public.__module__ = __name__
del _public
