"""Extended collections, beyond what their documented examples show."""
