"""Primary keys that the walks choose."""

CHOSEN_PKS = ("x", "y", "a:b", "7")
#: Pks whose keys would be those of an index, of the collection or of the counter; all are refused.
IMPOSSIBLE_PKS = ("title", "tags:a", "collection", "max_pk:1", "")
