"""Collections that can be intersected, sorted by scores, and stored (say)."""

from uowredis.contrib.collection.extended import DEFAULT_STORE_TTL, SORTED_SCORE, ExtendedCollectionManager

__all__ = ["DEFAULT_STORE_TTL", "SORTED_SCORE", "ExtendedCollectionManager"]

for _public in (ExtendedCollectionManager,):
    _public.__module__ = __name__
del _public
