"""Relations: fields that refer to objects, the collections on the other side, and what follows deletions."""
