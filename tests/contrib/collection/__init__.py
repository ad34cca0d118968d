"""Extended collections."""
