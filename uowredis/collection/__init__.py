"""Lazy queries on a model (say)."""

from uowredis.collection.explanation import Explanation
from uowredis.collection.following import Following
from uowredis.collection.manager import DEFAULT_STORE_TTL, CollectionManager
from uowredis.collection.page import Page
from uowredis.collection.widths import SORTED_SCORE

__all__ = ["DEFAULT_STORE_TTL", "SORTED_SCORE", "CollectionManager", "Explanation", "Following", "Page"]

for _public in (CollectionManager, Explanation, Following, Page):
    _public.__module__ = __name__
del _public
