"""Extended collections, by the documented path: every collection is one.

A model whose ``collection_manager`` is :class:`ExtendedCollectionManager` has what it has by default.
"""

from uowredis.collection.manager import DEFAULT_STORE_TTL
from uowredis.collection.manager import CollectionManager as ExtendedCollectionManager
from uowredis.collection.widths import SORTED_SCORE

__all__ = ["DEFAULT_STORE_TTL", "SORTED_SCORE", "ExtendedCollectionManager"]
